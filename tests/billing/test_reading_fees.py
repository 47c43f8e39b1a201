"""What readers earn: once for a report, by the rate of the day, corrected by counter-entries alone."""

from datetime import date
from decimal import Decimal
from typing import Any

import psycopg
import pytest

from billing.billed import PATH
from conftest import ClientAs
from radiology.app import App
from radiology.billing.reading_fees.actions import follow_events
from radiology.billing.reading_fees.model import Rate, Reading, contract_at, rate_for
from radiology.facilities.model import Facility
from radiology.kit import outbox
from radiology.practitioners.readers.model import Contract, Scope
from radiology.reports.schemas import REPORT_EXAMPLE
from radiology.studies.schemas import STUDY_EXAMPLE

pytestmark = pytest.mark.anyio

FEES = f"{PATH}/reading-fees"
MONTH = {"month": "2026-01"}


def rate(number: int, amount: str, on: str = "2026-01-01", **said: Any) -> Rate:
    fields = {"practitioner": "", "contract": "", "procedure_key": "", "modality": "", "per_rvu": False, **said}
    return Rate(number, amount_bdt=Decimal(amount), effective_from=date.fromisoformat(on), **fields)


def test_the_rate_that_says_most_holds_and_of_two_the_newest_that_has_begun() -> None:
    rates = [
        rate(1, "100"), rate(2, "120", modality="CT"), rate(3, "150", procedure_key="CT_HEAD_WO"),
        rate(4, "90", practitioner="Practitioner/1"), rate(5, "130", "2026-02-01", modality="CT"),
        rate(6, "125", modality="CT"), rate(7, "140", modality="CT", contract="national"),
    ]  # fmt: skip

    def found(*said: str, on: str = "2026-01-21") -> int | None:
        best = rate_for(rates, Reading(*said, date.fromisoformat(on)))
        return best.id if best else None

    assert found("Practitioner/2", "", "US_ABDOMEN", "US") == 1
    assert found("Practitioner/2", "", "CT_CHEST_WO", "CT") == 6
    assert found("Practitioner/2", "", "CT_CHEST_WO", "CT", on="2026-02-01") == 5
    assert found("Practitioner/2", "", "CT_HEAD_WO", "CT") == 3
    assert found("Practitioner/2", "national", "CT_CHEST_WO", "CT") == 7
    assert found("Practitioner/1", "", "CT_HEAD_WO", "CT") == 4
    assert found("Practitioner/2", "", "", "MR", on="2025-12-31") is None
    assert rate(1, "33.33", per_rvu=True).earns(Decimal("1.5")) == Decimal("50.00")


def test_the_narrowest_contract_at_a_facility() -> None:
    here = Facility("A", "A", division="30", district="3026")
    contracts = (
        Contract(Scope.NATIONAL), Contract(Scope.DIVISION, "30"), Contract(Scope.DISTRICT, "3033"),
        Contract(Scope.FACILITY, "A", ends_on=date(2025, 12, 31)),
    )  # fmt: skip
    assert contract_at(contracts, here, date(2026, 1, 1)) == "division"
    assert contract_at(contracts, here, date(2025, 1, 1)) == "facility"
    assert contract_at(contracts, None, date(2026, 1, 1)) == "national"
    assert contract_at((), here, date(2026, 1, 1)) == ""


async def followed(app: App) -> int:
    async with app.db.transaction() as tx:
        await outbox.place(tx)
    return await follow_events(app)


async def signed(client_as: ClientAs) -> None:
    radiographer = await client_as("radiographer")
    await radiographer.post("/api/radiology/studies", json={**STUDY_EXAMPLE, "studyId": "study-123"})
    consultant = await client_as("consultant", practitioner="Practitioner/222")
    report = (await consultant.post("/api/radiology/reports", json=REPORT_EXAMPLE)).json()
    answer = await consultant.post(f"/api/radiology/reports/{report['id']}/approve")
    assert answer.status_code == 200, answer.text


async def test_a_final_report_earns_once_and_is_corrected_by_a_counter_entry(app: App, client_as: ClientAs) -> None:
    chief, manager = await client_as("administrator"), await client_as("manager")
    said = {"amount_bdt": "300.00", "effective_from": "2026-01-21", "reason": "By contract"}
    assert (await manager.post(f"{FEES}/rates", json=said)).status_code == 403
    assert (await chief.post(f"{FEES}/rates", json=said)).status_code == 201
    assert (await chief.post(f"{FEES}/rates", json={**said, "effective_from": "2026-01-01"})).status_code == 422
    await signed(client_as)
    assert await followed(app) == 1
    async with app.db.transaction() as tx:
        await outbox.had(tx, "reading-fees", 0)
    assert await followed(app) == 0, "a report earns once"
    (fee,) = (await manager.get(FEES, params=MONTH)).json()["results"]
    assert (fee["reader"], fee["practitioner"], fee["amount"]) == ("account:consultant", "Practitioner/222", "300.00")
    correction = {"amount_bdt": "250.00", "reason": "Read by agreement"}
    address = f"{FEES}/{fee['id']}/correction"
    assert (await manager.post(address, json=correction)).status_code == 201
    assert (await manager.post(address, json=correction)).status_code == 409
    found = (await manager.get(FEES, params=MONTH)).json()
    assert [(each["kind"], each["amount"]) for each in found["results"]] == [
        ("fee", "300.00"), ("counter", "-300.00"), ("fee", "250.00"),
    ]  # fmt: skip
    assert found["total"] == "250.00"
    lines = (await manager.get(f"{FEES}/statement", params=MONTH)).text.splitlines()
    assert lines[-1].split(",")[1::8] == ["total", "250.00"]


async def test_a_reader_sees_the_own_statement_and_no_other(app: App, client_as: ClientAs) -> None:
    await signed(client_as)
    await followed(app)
    reader = await client_as("consultant", name="second")
    async with app.db.transaction() as tx:
        assert await tx.value("SELECT count(*) FROM reading_fees WHERE rate_id IS NULL AND amount_bdt = 0") == 1
    own = {**MONTH, "reader": "account:second"}
    assert (await reader.get(FEES, params=own)).json()["results"] == []
    assert (await reader.get(FEES, params={**MONTH, "reader": "account:consultant"})).status_code == 403
    assert (await reader.get(f"{FEES}/statement", params=MONTH)).status_code == 403


async def test_a_ledger_cannot_be_changed(app: App, client_as: ClientAs) -> None:
    await signed(client_as)
    await followed(app)
    with psycopg.connect(app.db.dsn, autocommit=True) as connection:
        for statement in ("UPDATE reading_fees SET amount_bdt = 1", "DELETE FROM reading_fees"):
            with pytest.raises(psycopg.errors.RaiseException):
                connection.execute(statement)
