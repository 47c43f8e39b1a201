"""Take the rows of a spreadsheet over, one by one, and tell what became of each."""

from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

from pydantic import BaseModel

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
        return Problem(number, error.fields[0].field, error.fields[0].message)
    return Problem(number, "", error.sentence)
