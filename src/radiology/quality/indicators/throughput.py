"""Who comes, and how much of their time devices are used."""

from collections.abc import Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Final

from radiology.kit.db import Where
from radiology.quality.indicators.asking import Asked, Counted, Figures, rows, share, told
from radiology.quality.indicators.day_queries import BOOKING_STATES
from radiology.quality.indicators.devices import MEASURES
from radiology.quality.indicators.model import Cell, Dimension, Filter
from radiology.quality.indicators.sheets import Groups, read_sums

_OF_DEVICES: Final[tuple[Dimension, ...]] = ("modality", "facility")


async def bookings(asked: Asked) -> Figures:
    """How many of what was booked for the window came, did not come, and was cancelled."""
    read = {state: await asked.read_sums(f"bookings.{state}") for state in BOOKING_STATES}
    answer: Figures = {}
    for by in asked.breakdowns:
        groups = asked.groups(by)
        parts = {state: groups.group(each) for state, each in read.items()}
        numbers = {state: part.sums for state, part in parts.items()}

        def figures(place: int, *, numbers: dict[str, list[int]] = numbers) -> Figures:
            coming, came, missed, cancelled = (numbers[state][place] for state in BOOKING_STATES)
            booked = coming + came + missed
            return {
                "booked": booked,
                "arrived": came,
                "noShow": missed,
                "cancelled": cancelled,
                "noShowShare": share(missed, booked),
                "arrivedShare": share(came, booked),
                "cancelledShare": share(cancelled, booked + cancelled),
            }

        told(by, answer, rows(groups, by, Counted.of(*parts.values(), amounts=True), figures))
    answer["cancelReasons"] = await _cancel_reasons(asked)
    return answer


async def _cancel_reasons(asked: Asked) -> dict[str, int]:
    """Why orders were cancelled in the window, by the code that was given; words are nobody's business here."""
    where = Where(
        ["change.verb = 'cancel'", "NOT EXISTS (SELECT FROM facilities WHERE code = o.facility_code AND test)"]
    )
    asked.actor.add_facility(where, "o.facility_code")
    wanted = asked.question.wanted.values
    if "facility" in wanted:
        where.add("o.facility_code = ANY({facilities})", facilities=sorted(wanted["facility"]))
    if "priority" in wanted:
        where.add("o.priority = ANY({priorities})", priorities=sorted(wanted["priority"]))
    where.add(
        "change.occurred_at >= {first}::timestamp AT TIME ZONE {zone}", first=asked.window.first, zone=asked.zone.key
    )
    where.add("change.occurred_at < ({last}::date + 1)::timestamp AT TIME ZONE {zone}", last=asked.window.last,
              zone=asked.zone.key)  # fmt: skip
    found = await asked.tx.binary(
        """
        SELECT coalesce(change.reason_code, 'not-coded'), count(*)
        FROM order_history AS change
        JOIN orders AS o ON o.id = change.order_id
        WHERE """  # noqa: S608 - literals of ours.
        + where.condition
        + " GROUP BY 1 ORDER BY 2 DESC, 1",
        **where.parameters,
    )
    return {str(code): int(count) for code, count in found}


async def utilisation(asked: Asked) -> Figures:
    """The share of the time in which a device could be used that it is used; by facility and modality only."""
    cells = await _devices(asked)
    values = asked.question.wanted.values
    wanted = Filter(MappingProxyType({name: values[name] for name in _OF_DEVICES if name in values}))
    by_asked: tuple[Dimension, ...] = tuple(name for name in _OF_DEVICES if name in asked.question.by)
    breakdowns: tuple[tuple[Dimension, ...], ...] = ((), by_asked) if by_asked else ((),)
    sheets = [await read_sums(asked.tx, measure, asked.window) for measure in MEASURES]
    answer: Figures = {"devices": sum(map(wanted.takes, cells))}
    for by in breakdowns:
        groups = Groups.of(cells, wanted, by)
        numbers = [groups.group(each).sums for each in sheets]
        counted = Counted(numbers[-1], [False] * len(groups.names))
        told(by, answer, rows(groups, by, counted, lambda place, numbers=numbers: _used(numbers, place)))
    return answer


def _used(numbers: Sequence[Sequence[int]], place: int) -> Figures:
    opened, planned, down, used, examinations = (each[place] for each in numbers)
    usable = opened - planned
    return {
        "openMinutes": opened // 60,
        "plannedDowntimeMinutes": planned // 60,
        "downtimeMinutes": down // 60,
        "occupiedMinutes": used // 60,
        "share": share(used, usable),
        "downtimeShare": share(down, usable),
        "examinationsPerHour": round(examinations * 3600 / usable, 2) if usable else None,
    }


async def _devices(asked: Asked) -> list[Cell]:
    where = Where(["NOT EXISTS (SELECT FROM facilities AS f WHERE f.code = d.facility_code AND f.test)"])
    asked.actor.add_facility(where, "d.facility_code")
    found = await asked.tx.all(
        Cell,
        """
        SELECT d.number AS id, d.facility_code, d.modality, '' AS priority, '' AS subspecialty
        FROM devices AS d
        WHERE """  # noqa: S608 - literals of ours.
        + where.condition,
        **where.parameters,
    )
    return [replace(cell, sensitive=False) for cell in found]
