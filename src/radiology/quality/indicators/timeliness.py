"""How long it takes, what is in time, and what is left: turnaround, service level, backlog."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from radiology.quality.indicators.asking import Asked, Counted, Figures, minutes, rows, share, told
from radiology.quality.indicators.model import HEADLINE, LATENESS, PERCENTILES, SMALLEST_SHOWN, STAGES, Stage, Window
from radiology.quality.indicators.sheets import Groups, Rows
from radiology.quality.indicators.sheets import read as read_sheets


async def turnaround(asked: Asked) -> Figures:
    """Minutes of each stage: the nearest-rank percentiles of all studies that ended it in the window.

    Cancelled studies and addenda do not count: the first final report ends a stage, and the first preliminary one.
    """
    # While the database sends the next stage, a thread puts the one before into order.
    working = [
        asyncio.create_task(asyncio.to_thread(_stage, asked, stage, await asked.read(stage.measure)))
        for stage in STAGES
    ]
    stages = await asyncio.gather(*working)
    headline = next(each for each in stages if each["headline"])
    return {"n": headline["n"], "stages": stages}


def _stage(asked: Asked, stage: Stage, read: Rows) -> Figures:
    answer: Figures = {"stage": stage.key, "headline": stage.key == HEADLINE}
    for by in asked.breakdowns:
        groups = asked.groups(by)
        grouped = groups.group(read)
        found = [
            {f"p{one}Minutes": minutes(value) for one, value in zip(PERCENTILES, values, strict=True)}
            for values in grouped.percentiles(PERCENTILES)
        ]
        told(by, answer, rows(groups, by, Counted.of(grouped), found.__getitem__))
    return answer


async def of_days(asked: Asked, percentile: int) -> list[float | None]:
    """The headline by day: minutes within which so many of a hundred studies had their final report."""
    groups, found = asked.groups(()), list[float | None]()
    for number in range(asked.window.days):
        day = asked.window.first + timedelta(days=number)
        grouped = groups.group(await read_sheets(asked.tx, f"stage.{HEADLINE}", Window(day, day)))
        shown = grouped.counts[0] >= SMALLEST_SHOWN or not grouped.has_sensitive[0]
        found.append(minutes(grouped.percentiles([percentile])[0][0]) if shown else None)
    return found


async def service_level(asked: Asked) -> Figures:
    """The share of first final reports in time, of all that were due in the window; what is open and late is not."""
    read, waiting = await asked.read(LATENESS), await _waiting(asked)
    answer: Figures = {}
    for by in asked.breakdowns:
        groups = asked.groups(by)
        signed = groups.group(read)
        met = signed.count_where(signed.amounts <= 0)
        late = _sums(groups, [(each, each.late_in_window) for each in waiting])
        pending = _sums(groups, [(each, each.pending_in_window) for each in waiting])
        due = [number + more for number, more in zip(signed.counts, late, strict=True)]
        is_sensitive = _or(signed.has_sensitive, _sensitive(groups, [each for each in waiting if each.late_in_window]))

        def figures(place: int, *, due: Sequence[int] = due, met: Sequence[int] = met, late: Sequence[int] = late,
                    pending: Sequence[int] = pending) -> Figures:  # fmt: skip
            return {
                "met": met[place],
                "breached": due[place] - met[place],
                "openLate": late[place],
                "notDueYet": pending[place],
                "share": share(met[place], due[place]),
            }

        told(by, answer, rows(groups, by, Counted(due, is_sensitive), figures))
    return answer


async def backlog(asked: Asked) -> Figures:
    """What is complete and has no final report now, by how much of its time has passed; whatever the window is."""
    waiting = await _waiting(asked)
    answer: Figures = {"at": asked.now.astimezone(asked.zone).isoformat(timespec="seconds")}
    for by in asked.breakdowns:
        groups = asked.groups(by)
        parts = {
            "withinTime": _sums(groups, [(each, each.within) for each in waiting]),
            "upToTwice": _sums(groups, [(each, each.up_to_twice) for each in waiting]),
            "overTwice": _sums(groups, [(each, each.over_twice) for each in waiting]),
        }
        count = [sum(numbers) for numbers in zip(*parts.values(), strict=True)]
        rvu = _sums(groups, [(each, each.rvu) for each in waiting])
        oldest = _oldest(groups, waiting)

        def figures(place: int, *, parts: dict[str, list[Any]] = parts, rvu: list[Any] = rvu,
                    oldest: list[datetime | None] = oldest) -> Figures:  # fmt: skip
            moment = oldest[place]
            return {
                **{name: numbers[place] for name, numbers in parts.items()},
                "rvu": round(rvu[place], 2),
                "oldest": moment.astimezone(asked.zone).isoformat(timespec="seconds") if moment else None,
            }

        told(by, answer, rows(groups, by, Counted(count, _sensitive(groups, waiting)), figures))
    return answer


@dataclass(frozen=True, slots=True)
class Waiting:
    """What waits for a final report in one cell, by how much of the time until its deadline has passed."""

    cell: int
    within: int
    up_to_twice: int
    over_twice: int
    late_in_window: int
    pending_in_window: int
    oldest: datetime
    rvu: float


async def _waiting(asked: Asked) -> list[Waiting]:
    if not asked.known_waiting:
        asked.known_waiting.extend(await _found_waiting(asked))
    return asked.known_waiting


async def _found_waiting(asked: Asked) -> list[Waiting]:
    found = await asked.tx.all(
        Waiting,
        """
        SELECT cell_id AS cell, count(*) FILTER (WHERE passed <= 1) AS within,
            count(*) FILTER (WHERE passed > 1 AND passed <= 2) AS up_to_twice,
            count(*) FILTER (WHERE passed > 2) AS over_twice,
            count(*) FILTER (WHERE in_window AND passed > 1) AS late_in_window,
            count(*) FILTER (WHERE in_window AND passed <= 1) AS pending_in_window,
            min(completed_at) AS oldest, sum(rvu) AS rvu
        FROM (
            SELECT cell_id, completed_at, rvu,
                extract(epoch FROM %(now)s - completed_at) / greatest(extract(epoch FROM deadline - completed_at), 1)
                    AS passed,
                deadline >= %(first)s::timestamp AT TIME ZONE %(zone)s
                    AND deadline < (%(last)s::date + 1)::timestamp AT TIME ZONE %(zone)s AS in_window
            FROM indicator_studies
            WHERE final_at IS NULL
              AND deadline IS NOT NULL
        ) AS waiting
        GROUP BY cell_id
        """,
        now=asked.now,
        first=asked.window.first,
        last=asked.window.last,
        zone=asked.zone.key,
    )
    known = {cell.id for cell in asked.cells}
    return [each for each in found if each.cell in known]


def _sums(groups: Groups, amounts: Sequence[tuple[Waiting, float]]) -> list[Any]:
    totals: list[Any] = [0] * len(groups.names)
    for each, amount in amounts:
        place = int(groups.numbers[each.cell])
        if place >= 0:
            totals[place] += amount
    return totals


def _sensitive(groups: Groups, waiting: Sequence[Waiting]) -> list[bool]:
    there = np.zeros(len(groups.names), np.bool_)
    for each in waiting:
        place = int(groups.numbers[each.cell])
        if place >= 0 and groups.sensitive[each.cell]:
            there[place] = True
    return there.tolist()


def _or(some: Sequence[bool], others: Sequence[bool]) -> list[bool]:
    return [one or other for one, other in zip(some, others, strict=True)]


def _oldest(groups: Groups, waiting: Sequence[Waiting]) -> list[datetime | None]:
    oldest: list[datetime | None] = [None] * len(groups.names)
    for each in waiting:
        place = int(groups.numbers[each.cell])
        if place >= 0:
            before = oldest[place]
            oldest[place] = each.oldest if before is None else min(before, each.oldest)
    return oldest
