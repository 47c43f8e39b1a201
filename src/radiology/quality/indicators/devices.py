"""How much of its time a device is used: seconds of each day, from plans, calendars, states and performed steps."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from radiology.app import App
from radiology.facilities.model import DeviceState
from radiology.kit.db import Transaction, as_json
from radiology.quality.indicators.sheets import add_up
from radiology.scheduling.hours import Calendars, Plan, joined, opening, without
from radiology.scheduling.model import Span
from radiology.scheduling.openings import midnight, rules_of
from radiology.scheduling.rooms import queries as rooms
from radiology.scheduling.rooms.schemas import PlanIn

MEASURES: Final = ("device.open", "device.planned", "device.down", "device.occupied", "device.examinations")
"""Seconds in which its room works; of these planned downtime, and the rest in which it does not work; seconds in which
it is used; examinations. The cells of these sheets are the numbers of devices."""
_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Device:
    """A device with the week of its room; without a room it is open all day where its facility is, else never."""

    number: int
    facility_code: str
    plan: dict[str, Any] | None
    open_all_hours: bool


@dataclass(frozen=True, slots=True)
class Used:
    """A span in which a device was used for one examination."""

    number: int
    begins: datetime
    ends: datetime


@dataclass(frozen=True, slots=True)
class Changed:
    """What state a device is in from a moment on."""

    number: int
    state: str
    at: datetime


@dataclass(frozen=True, slots=True)
class DeviceDay:
    """What is known of a device on a day."""

    open: Sequence[Span] = ()
    planned: Sequence[Span] = ()
    states: Sequence[Changed] = ()
    used: Sequence[Span] = field(default_factory=tuple[Span, ...])


def seconds_of(day: Span, known: DeviceDay, now: datetime) -> tuple[int, int, int, int, int]:
    """The figures of a day, as `MEASURES` names them. What lies in the future is neither open nor down."""
    passed = Span(day.begins, min(day.ends, max(now, day.begins)))
    open_time = _common(joined(known.open), [passed])
    planned = _common(open_time, joined(known.planned))
    down = _common(without(open_time, joined(known.planned)), _down(known.states, passed))
    # Two examinations at a time, as on a scanner with two tables, do not use it twice.
    used = _common(joined(known.used), [passed])
    begun = sum(1 for span in known.used if day.begins <= span.begins < day.ends)
    return _seconds(open_time), _seconds(planned), _seconds(down), _seconds(used), begun


def _down(states: Sequence[Changed], passed: Span) -> list[Span]:
    ends = [*(each.at for each in states), passed.ends][1:]
    spans = [
        Span(max(each.at, passed.begins), min(end, passed.ends))
        for each, end in zip(states, ends, strict=True)
        if each.state in (DeviceState.DOWN, DeviceState.MAINTENANCE)
    ]
    return joined(span for span in spans if span.begins < span.ends)


def _common(spans: Iterable[Span], others: Sequence[Span]) -> list[Span]:
    return [span.common(other) for span in spans for other in others if span.meets(other)]


def _seconds(spans: Iterable[Span]) -> int:
    return int(sum((span.ends - span.begins for span in spans), timedelta()).total_seconds())


async def count(tx: Transaction, app: App, days: Sequence[date]) -> None:
    """Count the days of all devices anew."""
    zone, now = app.settings.zone, app.clock.now()
    devices = await _devices(tx)
    begins, ends = midnight(min(days), zone), midnight(max(days) + 2 * _DAY, zone)
    used = await _used(tx, begins=begins, ends=ends)
    states = await _states(tx, before=ends)
    planned = defaultdict[int, list[Span]](list)
    for blocked in await rooms.blocked(tx, [each.number for each in devices], begins=begins, ends=ends):
        planned[blocked.number].append(blocked.span)
    calendars = await _calendars(tx, {each.facility_code for each in devices}, days)
    for day in days:
        whole = Span(midnight(day, zone), midnight(day + _DAY, zone))
        rows = {
            each.number: seconds_of(
                whole,
                DeviceDay(
                    _open(each, calendars[each.facility_code], day, zone),
                    planned[each.number],
                    states[each.number],
                    used[each.number],
                ),
                now,
            )
            for each in devices
        }
        await _save(tx, day, rows, now)
    for measure in MEASURES:
        await add_up(tx, measure, days)


def _open(device: Device, calendars: Calendars, day: date, zone: ZoneInfo) -> list[Span]:
    """When its room works, whether the device does or not."""
    if device.plan is None:
        return [Span(midnight(day, zone), midnight(day + _DAY, zone))] if device.open_all_hours else []
    plan: Plan = PlanIn.model_validate(device.plan).plan()
    return [
        window.span
        for each in (day - _DAY, day)
        for window in opening(plan, calendars, each, (), zone).windows
        if window.span.meets(Span(midnight(day, zone), midnight(day + _DAY, zone)))
    ]


async def _devices(tx: Transaction) -> list[Device]:
    return await tx.all(
        Device,
        """
        SELECT devices.number, devices.facility_code, rooms.plan, coalesce(f.open_all_hours, false) AS open_all_hours
        FROM devices
        LEFT JOIN rooms ON rooms.id = devices.room_id
        LEFT JOIN facilities AS f ON f.code = devices.facility_code
        WHERE devices.state <> 'retired'
        """,
    )


async def _used(tx: Transaction, *, begins: datetime, ends: datetime) -> defaultdict[int, list[Span]]:
    """What machines told of by MPPS; what was booked for a patient who came where they tell of nothing."""
    found = await tx.all(
        Used,
        """
        SELECT devices.number, performed.started_at AS begins,
            coalesce(performed.ended_at, performed.started_at) AS ends
        FROM performed_procedure_steps AS performed
        JOIN devices
          ON devices.facility_code = performed.facility_code AND devices.ae_title = performed.source_ae_title
        WHERE performed.started_at < %(ends)s
          AND coalesce(performed.ended_at, performed.started_at) >= %(begins)s
        UNION ALL
        SELECT booked.device_number, booked.begins, booked.ends
        FROM bookings AS booked
        WHERE booked.status = 'arrived'
          AND booked.begins < %(ends)s
          AND booked.ends >= %(begins)s
          AND NOT EXISTS (
            SELECT FROM performed_of_scheduled AS linked
            WHERE linked.scheduled_step_id = booked.step_id AND linked.unlinked_at IS NULL
          )
        """,
        begins=begins,
        ends=ends,
    )
    used = defaultdict[int, list[Span]](list)
    for each in found:
        used[each.number].append(Span(each.begins, max(each.begins, each.ends)))
    return used


async def _states(tx: Transaction, *, before: datetime) -> defaultdict[int, list[Changed]]:
    """Every change of state, in order; the history of a device begins with what it was made in."""
    states = defaultdict[int, list[Changed]](list)
    for each in await tx.all(
        Changed,
        """
        SELECT device_number AS number, state, occurred_at AS at
        FROM device_history
        WHERE verb = 'state'
          AND occurred_at < %(before)s
        ORDER BY device_number, id
        """,
        before=before,
    ):
        states[each.number].append(each)
    return states


async def _calendars(tx: Transaction, facilities: Iterable[str], days: Sequence[date]) -> dict[str, Calendars]:
    first, last = min(days) - _DAY, max(days) + _DAY
    return {
        code: Calendars(
            frozenset(await rooms.calendar_days(tx, code, first=first, last=last)),
            tuple(each.pause() for each in (await rules_of(tx, code)).breaks),
        )
        for code in sorted(facilities)
    }


async def _save(tx: Transaction, day: date, rows: Mapping[int, tuple[int, ...]], now: datetime) -> None:
    for place, measure in enumerate(MEASURES):
        amounts = [{"number": number, "amount": figures[place]} for number, figures in rows.items() if figures[place]]
        await tx.run(
            """
            INSERT INTO indicator_days (measure, day, cells, amounts, counted_at)
            SELECT %(measure)s, %(day)s, coalesce(string_agg(int4send(number), ''::bytea), ''),
                coalesce(string_agg(int4send(amount), ''::bytea), ''), %(now)s
            FROM jsonb_to_recordset(%(rows)s::jsonb) AS r (number integer, amount integer)
            ON CONFLICT (measure, day) DO UPDATE
            SET cells = excluded.cells,
                amounts = excluded.amounts,
                counted_at = excluded.counted_at
            """,
            measure=measure,
            day=day,
            rows=as_json(amounts),
            now=now,
        )
