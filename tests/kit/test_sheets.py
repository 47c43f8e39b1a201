"""Spreadsheets: what is read, told and refused, and that nothing that is written is taken for a formula."""

import io
import zipfile
from datetime import date
from typing import Annotated

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import Workbook, load_workbook
from pydantic import BaseModel, BeforeValidator, Field

from radiology.errors import NotSupported, TooLarge, Unprocessable
from radiology.kit import sheets
from radiology.kit.sheets import Form, Problem, read, write

FORMS: list[Form] = ["csv", "xlsx"]


class Machine(BaseModel):
    """A row of these tests."""

    code: str = Field(max_length=10)
    name_bangla: str = ""
    licence_until: date | None = None
    weight: float | None = Field(default=None, gt=0)
    modalities: Annotated[list[str], BeforeValidator(sheets.several)] = []
    active: bool = True


def of_workbook(*rows: list[object]) -> bytes:
    book = Workbook()
    for row in rows:
        book.worksheets[0].append(row)
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


@pytest.mark.parametrize("form", FORMS)
def test_what_is_written_is_read_again(form: Form) -> None:
    columns = ["code", "name_bangla", "licence_until", "weight", "modalities", "active"]
    rows = [["10000033", "সিটি ১", date(2027, 1, 31), 200.5, "CT; MR", False], ["=1+1", "-", None, None, "", True]]
    found = read(write(form, columns, rows), Machine)
    assert found.problems == ()
    assert found.rows == (
        (2, Machine(code="10000033", name_bangla="সিটি ১", licence_until=date(2027, 1, 31), weight=200.5,
                    modalities=["CT", "MR"], active=False)),
        (3, Machine(code="=1+1", name_bangla="-")),
    )  # fmt: skip


@given(st.text(st.characters(exclude_categories=["C"]), min_size=1, max_size=10), st.sampled_from(FORMS))
def test_every_text_comes_back_and_none_is_a_formula(text: str, form: Form) -> None:
    content = write(form, ["code"], [[text]])
    assert [row.code for _, row in read(content, Machine).rows] == ([text.strip()] if text.strip() else [])
    if form == "csv":
        assert content.decode("utf-8-sig").splitlines()[1].lstrip('"')[:1] not in "=+-@" or not text.strip()
    else:
        cells = list(load_workbook(io.BytesIO(content)).worksheets[0].iter_rows(min_row=2))
        assert all(cell.data_type != "f" for row in cells for cell in row)


def test_everything_that_is_wrong_is_told_with_its_row_and_column() -> None:
    found = read(
        "Code;Name Bangla;licenceUntil;weight\n"
        "A1;এক;2027-01-31;5\n"
        "A2;;soon;-1\n"
        ";;;\n"
        ";দুই;;\n"
        "=A1;;;".encode(),
        Machine,
    )  # fmt: skip
    assert [number for number, _ in found.rows] == [2]
    assert [(problem.row, problem.column) for problem in found.problems] == [
        (3, "licence_until"), (3, "weight"), (5, "code"), (6, "code"),
    ]  # fmt: skip
    assert found.problems[1].sentence == "input should be greater than 0"
    assert found.problems[2].sentence == "is required"
    assert found.problems[3] == Problem(6, "code", "holds a formula; put its value in its place")


def test_headings_that_are_unknown_twice_or_missing_are_told_and_no_row_is_taken() -> None:
    found = read(b"name_bangla,name_bangla,colour\nx,y,z\n", Machine)
    assert (found.rows, [(each.row, each.column) for each in found.problems]) == (
        (), [(1, "name_bangla"), (1, "colour"), (1, "code")],
    )  # fmt: skip


def test_cells_of_a_workbook_are_what_people_see_and_formulas_are_not_evaluated() -> None:
    found = read(
        of_workbook(
            ["code", "licence_until", "weight"],
            [10000033, date(2027, 1, 31), 5.0],
            ["=1+1", None, None],
            ["#N/A", None, None],
            [10000000000000033, None, None],
        ),
        Machine,
    )
    assert found.rows == ((2, Machine(code="10000033", licence_until=date(2027, 1, 31), weight=5)),)
    assert [(each.row, each.sentence[:20]) for each in found.problems] == [
        (3, "holds a formula; put"), (4, "holds an error of th"), (5, "has more digits than"),
    ]  # fmt: skip


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_csv_of_several_programs_is_read(encoding: str, delimiter: str) -> None:
    text = f'code{delimiter}name_bangla\r\nA1{delimiter}"এক{delimiter}\ndui"\r\n'
    assert read(text.encode(encoding), Machine).rows == ((2, Machine(code="A1", name_bangla=f"এক{delimiter}\ndui".replace("\t", " "))),)  # fmt: skip # noqa: E501


@pytest.mark.parametrize(
    ("content", "error"),
    [
        (b"code\n" + "é".encode("latin-1"), Unprocessable),
        (b'code\n"A1', Unprocessable),
        (b"PK\x03\x04 and nothing more", Unprocessable),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", NotSupported),
        (b"code\n" + b"A\n" * (sheets.MOST_ROWS + 1), TooLarge),
        (b"x" * (sheets.MOST_BYTES + 1), TooLarge),
    ],
)
def test_what_is_no_table_or_too_large_is_refused(content: bytes, error: type[Exception]) -> None:
    with pytest.raises(error):
        read(content, Machine)


def changed(content: bytes, name: str, data: bytes) -> bytes:
    """A workbook with one part replaced or added."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as source, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as target:
        for item in source.infolist():
            if item.filename != name:
                target.writestr(item, source.read(item))
        target.writestr(name, data)
    return out.getvalue()


SHEET = "xl/worksheets/sheet1.xml"
HEAD = b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'


def test_a_workbook_that_expands_beyond_the_limit_is_refused_before_it_is_read() -> None:
    bomb = changed(of_workbook(["code"]), "xl/media/image1.png", bytes(sheets.MOST_EXPANDED_BYTES))
    assert len(bomb) < 200_000
    with pytest.raises(TooLarge):
        read(bomb, Machine)


def test_entities_that_expand_are_refused() -> None:
    entities = b"".join(b'<!ENTITY l%d "%s">' % (n, b"&l%d;" % (n - 1) * 10) for n in range(1, 10))
    xml = b'<!DOCTYPE w [<!ENTITY l0 "lol">' + entities + b"]>" + HEAD + (
        b'<sheetData><row r="1"><c t="inlineStr"><is><t>&l9;</t></is></c></row></sheetData></worksheet>'
    )  # fmt: skip
    with pytest.raises(Unprocessable):
        read(changed(of_workbook(["code"]), SHEET, xml), Machine)


def test_a_row_that_says_it_is_the_last_there_can_be_is_refused() -> None:
    xml = HEAD + (
        b'<sheetData><row r="1"><c r="A1" t="inlineStr"><is><t>code</t></is></c></row>'
        b'<row r="1048576"><c r="A1048576" t="inlineStr"><is><t>A1</t></is></c></row></sheetData></worksheet>'
    )
    with pytest.raises(TooLarge):
        read(changed(of_workbook(["code"]), SHEET, xml), Machine)


@pytest.mark.parametrize("cut", [100, 1000, -30, -5])
def test_a_damaged_workbook_is_refused(cut: int) -> None:
    with pytest.raises(Unprocessable):
        read(of_workbook(["code"], ["A1"])[:cut], Machine)


def test_a_report_tells_so_many_problems_and_counts_the_rest() -> None:
    problems = tuple(Problem(row, "code", "is required") for row in range(2, sheets.MOST_TOLD + 12))
    told = sheets.Report(rows=2000, problems=problems).told()
    assert (told["bad"], len(told["problems"]), told["problemsNotTold"]) == (1010, sheets.MOST_TOLD, 10)
