"""`radi facilities`: spreadsheets at a terminal."""

from pathlib import Path

from command_line import radi
from radiology.facilities.schemas import FacilityRow
from radiology.kit.sheets import read


def test_facilities_are_imported_and_exported(settings, tmp_path: Path) -> None:
    sheet = tmp_path / "facilities.csv"
    sheet.write_text("code,name,ownership,division,district\n10000033,ঢাকা মেডিকেল,public,30,3026\nX,Y,royal,,\n")
    taken = radi(settings, "facilities", "import", "facilities", sheet, "--partial")
    assert taken.code == 1, taken.err
    assert "2 rows: 1 new, 0 changed, 0 as before, 1 bad. Saved." in taken.out
    assert "3    ownership" in taken.out
    given = tmp_path / "given.xlsx"
    assert radi(settings, "facilities", "export", "facilities", given).code == 0
    assert [row.code for _, row in read(given.read_bytes(), FacilityRow).rows] == ["10000033"]
    refused = radi(settings, "facilities", "export", "facilities", tmp_path / "given.pdf")
    assert (refused.code, "must end in .csv or .xlsx" in refused.err) == (2, True)
