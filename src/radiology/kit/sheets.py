"""Tables that people keep in spreadsheets, as CSV (RFC 4180) and XLSX (ECMA-376): read within limits, and written.

A file is checked row by row, and everything that is wrong is told at once with its row, as the spreadsheet numbers it,
and its column. What is read is never evaluated, and what is written is never taken for a formula: texts that begin
like one are written with an apostrophe, which reading takes away again.

Files come from outside: read them in a limited process, `await cpu.processes.call(read, content, Model)`.
"""

import csv
import io
import re
import warnings
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from itertools import islice
from typing import Any, Final, Generic, Literal, TypeVar

from pydantic import BaseModel, ValidationError

from radiology.errors import NotSupported, TooLarge, Unprocessable
from radiology.kit.validation import sentence_of

MOST_BYTES: Final = 8 * 1024**2
MOST_EXPANDED_BYTES: Final = 48 * 1024**2
"""So much a workbook, which is compressed, may hold: a small file can expand to any size."""
MOST_PARTS: Final = 500
MOST_ROWS: Final = 20_000
MOST_COLUMNS: Final = 100
MOST_CHARACTERS: Final = 2_000
MOST_TOLD: Final = 1_000
"""So many problems are told; of the others only how many there are."""

MEDIA_TYPES: Final[Mapping[str, str]] = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}

Form = Literal["csv", "xlsx"]
Cell = str | int | float | Decimal | bool | date | None
M = TypeVar("M", bound=BaseModel)

_FORMULA: Final = re.compile(r"'*[=+\-@\t\r＝＋－＠]")
_QUOTED: Final = re.compile(r"'+[=+\-@\t\r＝＋－＠]")
_CONTROL: Final = re.compile(r"[\x00-\x09\x0b-\x1f\x7f\ufffe\uffff\ud800-\udfff]")
_HUMP: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_EXACT: Final = 10**15
"""Spreadsheets keep 15 digits of a number."""


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """What is wrong in one row, counted as the spreadsheet does: the heading is row 1. Column "" is the whole row."""

    row: int
    column: str
    sentence: str

    def told(self) -> dict[str, Any]:
        """As an answer holds it."""
        return {"row": self.row, "column": self.column, "sentence": self.sentence}


@dataclass(frozen=True, slots=True)
class Sheet(Generic[M]):
    """The rows that are right, each with its number, all that is wrong, and which columns there are."""

    rows: tuple[tuple[int, M], ...]
    problems: tuple[Problem, ...] = ()
    columns: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Report:
    """What became of a file: how many rows it had, and how many were new, other than before, or the same."""

    rows: int
    added: int = 0
    changed: int = 0
    same: int = 0
    saved: bool = False
    problems: tuple[Problem, ...] = ()

    def told(self) -> dict[str, Any]:
        """As an answer holds it."""
        return {
            "rows": self.rows,
            "added": self.added,
            "changed": self.changed,
            "same": self.same,
            "saved": self.saved,
            "bad": len({problem.row for problem in self.problems}),
            "problems": [problem.told() for problem in sorted(self.problems)[:MOST_TOLD]],
            "problemsNotTold": max(0, len(self.problems) - MOST_TOLD),
        }


def several(value: object) -> object:
    """For a validator before: "CT; MR" in one cell is two values, and an empty cell is none."""
    if not isinstance(value, str):
        return value
    return [part for each in re.split(r"[;\n]", value) if (part := each.strip())]


# --- Reading ---


def read(content: bytes, model: type[M]) -> Sheet[M]:
    """A CSV or XLSX file whose columns are the fields of a model. An empty cell leaves its field out.

    Headings are field names; capitals, blanks and hyphens are as good ("Licence until"). Raises TooLarge, NotSupported
    for another kind of file, Unprocessable for one that cannot be read at all.
    """
    if len(content) > MOST_BYTES:
        raise TooLarge(f"A table may have at most {MOST_BYTES:,} bytes. Split it.")
    lines = _lines(content)
    headings = [_heading(cell) for cell in next(lines, ())]
    problems = list(_of_headings(headings, model))
    is_usable, rows = not problems, list[tuple[int, M]]()
    for number, line in enumerate(lines, start=2):
        if number > MOST_ROWS + 1:
            raise TooLarge(f"A table may have at most {MOST_ROWS:,} rows. Split it.")
        values: dict[str, str] = {}
        wrong = list(_take(number, zip(headings, line, strict=False), values))
        if values and not wrong and is_usable:
            try:
                rows.append((number, model.model_validate(values, by_name=True, by_alias=False)))
            except ValidationError as error:
                wrong += [_problem(number, each) for each in error.errors(include_url=False)]
        problems += wrong
    return Sheet(tuple(rows), tuple(problems), frozenset(headings))


def _lines(content: bytes) -> Iterator[Sequence[Any]]:
    """The cells of each line: of the first sheet of a workbook, or of a CSV file."""
    if content.startswith(b"PK\x03\x04"):
        return _of_workbook(content)
    if content.startswith(b"\xd0\xcf\x11\xe0"):
        raise NotSupported("This is a workbook in an old format or with a password. Save it as .xlsx without one.")
    return _of_csv(content)


def _of_csv(content: bytes) -> Iterator[Sequence[str]]:
    encoding = "utf-16" if content.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig"
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError:
        raise Unprocessable("The file is not in UTF-8. Save it as CSV UTF-8, or as .xlsx.") from None
    first = text.partition("\n")[0]
    delimiter = max(",;\t", key=first.count)
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        yield from lines
    except csv.Error as error:
        raise Unprocessable(f"The file is no CSV from line {lines.line_num} on: {error}.") from None


def _of_workbook(content: bytes) -> Iterator[Sequence[Any]]:
    """The cells of the first sheet. What a workbook says of its own size is not believed."""
    from openpyxl import load_workbook  # Half a second to load, which no process pays at its start.

    _must_be_small(content)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Of pictures, rules and the like, which are of no interest here.
            book = load_workbook(io.BytesIO(content), read_only=True, data_only=False, keep_links=False)
            sheet = book.worksheets[0]
            sheet.reset_dimensions()
            yield from islice(sheet.iter_rows(max_col=MOST_COLUMNS), MOST_ROWS + 2)
    except Exception as error:  # The library raises whatever it stumbles over.
        raise Unprocessable("The workbook is damaged. Open it, save it as .xlsx and send that.") from error


def _must_be_small(content: bytes) -> None:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            parts = archive.infolist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
        raise Unprocessable("The workbook is damaged. Open it, save it as .xlsx and send that.") from error
    if len(parts) > MOST_PARTS or sum(part.file_size for part in parts) > MOST_EXPANDED_BYTES:
        raise TooLarge(
            f"A workbook may hold at most {MOST_EXPANDED_BYTES:,} bytes. Keep the table alone, and split it."
        )


def _heading(cell: Any) -> str:
    return re.sub(r"[^\w]+", "_", _HUMP.sub("_", str(_value(cell) or "").strip())).casefold()


def _value(cell: Any) -> Any:
    """Of a cell of a workbook, or of a CSV file, where it is a text."""
    return cell if isinstance(cell, str) else cell.value


def _of_headings(headings: Sequence[str], model: type[BaseModel]) -> Iterator[Problem]:
    known = model.model_fields
    for name in dict.fromkeys(headings):
        if name and name not in known:
            yield Problem(1, name, f"There is no such column. There are {', '.join(known)}.")
        elif name and headings.count(name) > 1:
            yield Problem(1, name, "The column is there more than once.")
    for name, field in known.items():
        if field.is_required() and name not in headings:
            yield Problem(1, name, "The column is missing.")


def _take(number: int, cells: Iterable[tuple[str, Any]], values: dict[str, str]) -> Iterator[Problem]:
    """Put the texts of a row into `values`, and tell what is none."""
    for name, cell in cells:
        text, wrong = _text(cell)
        if wrong:
            yield Problem(number, name, wrong)
        elif text and name:
            values[name] = text


def _text(cell: Any) -> tuple[str, str | None]:
    """What a cell holds as text, and what is wrong with it."""
    value = _value(cell)
    if isinstance(value, str):
        value = _CONTROL.sub(" ", value).strip()
        if value.startswith("=") or (not isinstance(cell, str) and cell.data_type == "f"):
            return "", "holds a formula; put its value in its place"
        if not isinstance(cell, str) and cell.data_type == "e":
            return "", "holds an error of the spreadsheet"
        if len(value) > MOST_CHARACTERS:
            return "", f"has more than {MOST_CHARACTERS:,} characters"
        return (value[1:] if _QUOTED.match(value) else value), None
    if isinstance(value, int | float) and abs(value) >= _EXACT:
        return "", "has more digits than a spreadsheet keeps of a number; format the column as text and enter it again"
    return _plain(value), None


def _plain(value: object) -> str:
    """A value that is no text, as a CSV file has it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, datetime):
        return (value.date() if value.time() == time() else value).isoformat()
    return value.isoformat() if isinstance(value, date | time) else str(value)


def _problem(number: int, error: Any) -> Problem:
    column = next((part for part in error["loc"] if isinstance(part, str)), "")
    return Problem(number, column, sentence_of(error))


# --- Writing ---


def write(form: Form, columns: Sequence[str], rows: Iterable[Sequence[Cell]]) -> bytes:
    """A file with one heading and these rows. A CSV file begins with a byte order mark, by which Excel knows UTF-8."""
    lines = ([_written(cell) for cell in row] for row in rows)
    return _workbook(columns, lines) if form == "xlsx" else _csv(columns, lines)


def _csv(columns: Sequence[str], lines: Iterable[Sequence[Any]]) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(columns)
    writer.writerows([_plain(cell) for cell in line] for line in lines)
    return text.getvalue().encode("utf-8-sig")


def _workbook(columns: Sequence[str], lines: Iterable[Sequence[Any]]) -> bytes:
    from openpyxl import Workbook  # As above.

    book = Workbook(write_only=True)
    sheet = book.create_sheet("Sheet1")
    sheet.append(list(columns))
    for line in lines:
        sheet.append(list(line))
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def _written(cell: Cell) -> Cell:
    """A cell that no spreadsheet takes for a formula. Numbers stay numbers."""
    if not isinstance(cell, str):
        return cell
    text = _CONTROL.sub(" ", cell).strip()
    return f"'{text}" if _FORMULA.match(text) else text
