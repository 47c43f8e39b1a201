"""What people write into a cell of the spreadsheet of readers."""

from datetime import date, time

import pytest

from radiology.external.practitioners.model import Privilege
from radiology.practitioners.readers import wording
from radiology.practitioners.readers.model import Absence, Contract, Scope, Shift


def test_shifts() -> None:
    assert wording.shift("Sun-Thu 8:00-14:30") == {"days": [1, 2, 3, 4, 7], "begins": "08:00", "ends": "14:30"}
    assert wording.shift("friday, Sat 20:00 - 08:00")["days"] == [5, 6]
    for wrong in ("Someday 08:00-09:00", "08:00-09:00", "Mon 8-9"):
        with pytest.raises(ValueError, match="write"):
            wording.shift(wrong)


def test_contracts() -> None:
    assert wording.contract("national") == {"scope": "national"}
    assert wording.contract("district 3026 from 2026-01-01 until 2026-12-31") == {
        "scope": "district", "place": "3026", "begins_on": "2026-01-01", "ends_on": "2026-12-31"
    }  # fmt: skip
    with pytest.raises(ValueError, match="national, or facility"):
        wording.contract("worldwide")


def test_leave_and_privileges() -> None:
    assert wording.absence("2026-02-01") == {"begins_on": "2026-02-01", "ends_on": "2026-02-01"}
    assert wording.absence("2026-02-01 / 2026-02-03")["ends_on"] == "2026-02-03"
    assert wording.privilege("*: CT, DX MR until 2026-12-31") == {
        "facility_code": "*", "modalities": ["CT", "DX", "MR"], "ends_on": "2026-12-31"
    }  # fmt: skip


def test_what_is_told_is_read_again() -> None:
    day = date(2026, 12, 31)
    assert wording.contract(wording.contract_told(Contract(Scope.DIVISION, "30", day))) == {
        "scope": "division", "place": "30", "begins_on": "2026-12-31"
    }  # fmt: skip
    assert wording.contract(wording.contract_told(Contract(Scope.NATIONAL))) == {"scope": "national"}
    night = Shift(frozenset({5, 7}), time(20), time(8))
    assert wording.shift(wording.shift_told(night)) == {"days": [5, 7], "begins": "20:00", "ends": "08:00"}
    assert wording.absence(wording.absence_told(Absence(day, day)))["begins_on"] == "2026-12-31"
    held = Privilege("*", frozenset({"CT", "*"}), ends_on=day)
    assert wording.privilege(wording.privilege_told(held)) == {
        "facility_code": "*", "modalities": ["*", "CT"], "ends_on": "2026-12-31"
    }  # fmt: skip
