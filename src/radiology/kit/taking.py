"""Take the rows of a spreadsheet over, one by one, and tell what became of each."""

from collections.abc import Awaitable, Callable, Hashable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeVar

from pydantic import BaseModel
from pydantic.alias_generators import to_snake

from radiology.errors import RadiologyError
from radiology.kit.sheets import Problem, Report, Sheet

Outcome = Literal["added", "changed", "same"]
M = TypeVar("M", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class How:
    """How a spreadsheet is taken over. partial: what is right of it; otherwise all of it, or nothing."""

    dry_run: bool = False
    partial: bool = False


class NotSaved(Exception):
    """Takes back what a transaction did."""


def completed(sheet: Sheet[M], known: Mapping[Any, Mapping[str, Any]], *, key: Callable[[M], Hashable]) -> Sheet[M]:
    """The same with what is `known` of each thing in the columns that the file does not have: that stays as it is.

    key: what a row is about. known: by that, the fields of the model; None and empty texts are left out.
    """
    rows: list[tuple[int, M]] = []
    for number, row in sheet.rows:
        fields = known.get(key(row), {})
        kept = {
            name: fields[name]
            for name in type(row).model_fields
            if name not in sheet.columns and fields.get(name) not in (None, "")
        }
        said = row.model_dump(exclude_unset=True)
        rows.append((number, type(row).model_validate(kept | said, by_name=True, by_alias=False)))
    return replace(sheet, rows=tuple(rows))


async def take_rows(
    sheet: Sheet[M], how: How, *, key: Callable[[M], Hashable], put: Callable[[M], Awaitable[Outcome]]
) -> Report:
    """What became of the rows. key: what a row is about, since none may say it again; put: takes one row over.

    Where the answer is not `saved`, the transaction in which they were put is to be taken back.
    """
    problems, outcomes, seen = list(sheet.problems), list[Outcome](), dict[Any, int]()
    for number, row in sheet.rows:
        before = seen.setdefault(key(row), number)
        if before != number:
            problems.append(Problem(number, "", f"says again what row {before} is about"))
            continue
        try:
            outcomes.append(await put(row))
        except RadiologyError as error:
            problems.append(_problem(number, error))
    is_saved = not how.dry_run and (how.partial or not problems) and not any(each.row == 1 for each in problems)
    return Report(
        rows=len(sheet.rows) + len({each.row for each in sheet.problems if each.row > 1}),
        added=outcomes.count("added"),
        changed=outcomes.count("changed"),
        same=outcomes.count("same"),
        saved=is_saved,
        problems=tuple(problems),
    )


def _problem(number: int, error: RadiologyError) -> Problem:
    if error.fields:
        return Problem(number, to_snake(error.fields[0].field), error.fields[0].message)
    return Problem(number, "", error.sentence)
