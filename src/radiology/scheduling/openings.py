"""What is known of rooms in the days that are asked for: from rows to the days of devices that the rules look at."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from radiology.app import App
from radiology.facilities.capability import why_unfit
from radiology.kit.db import Transaction
from radiology.scheduling.fitting import Booked, Device, DeviceDay
from radiology.scheduling.hours import Calendars, Opening, Plan, on_shift, opening
from radiology.scheduling.model import Span
from radiology.scheduling.planning import Calendar
from radiology.scheduling.queries import bookings
from radiology.scheduling.queries.bookings import Occupied
from radiology.scheduling.rooms import queries as rooms
from radiology.scheduling.rooms.queries import BlockedRow, DeviceRow
from radiology.scheduling.rooms.schemas import PlanIn, RulesIn

DAY = timedelta(days=1)


async def rules_of(tx: Transaction, facility_code: str) -> RulesIn:
    """The rules of a facility."""
    return RulesIn.model_validate(await rooms.rules(tx, facility_code))


@dataclass(frozen=True, slots=True)
class Asked:
    """Which devices on which days. `ignoring`: bookings that are taken away; `numbers`: these devices, too."""

    facility_code: str
    modalities: Sequence[str]
    first: date
    last: date
    ignoring: Collection[UUID] = ()
    numbers: Sequence[int] = ()


@dataclass(frozen=True, slots=True)
class _Known:
    """All rows, before they are put together."""

    calendars: Calendars
    rules: RulesIn
    blocked: Sequence[BlockedRow]
    occupied: Sequence[Occupied]
    zone: ZoneInfo


async def look(tx: Transaction, app: App, asked: Asked) -> Calendar:
    """Every device that can do it on every day."""
    zone = app.settings.zone
    devices = await rooms.devices(
        tx, asked.facility_code, modalities=asked.modalities, numbers=asked.numbers, now=app.clock.now()
    )
    begins, ends = midnight(asked.first, zone), midnight(asked.last + 2 * DAY, zone)
    found = await bookings.occupied(tx, asked.facility_code, begins=begins, ends=ends)
    rules = await rules_of(tx, asked.facility_code)
    days = await rooms.calendar_days(tx, asked.facility_code, first=asked.first - DAY, last=asked.last + DAY)
    known = _Known(
        Calendars(frozenset(days), tuple(each.pause() for each in rules.breaks)),
        rules,
        await rooms.blocked(tx, [device.number for device in devices], begins=begins, ends=ends),
        [each for each in found if each.id not in asked.ignoring],
        zone,
    )
    plans = [PlanIn.model_validate(device.plan).plan() for device in devices]
    calendar: dict[date, list[DeviceDay]] = {}
    for number in range((asked.last - asked.first).days + 1):
        day = asked.first + number * DAY
        pairs = zip(devices, plans, strict=True)
        calendar[day] = [_device_day(device, plan, day, known) for device, plan in pairs]
    return calendar


def midnight(day: date, zone: ZoneInfo) -> datetime:
    """When a day begins."""
    return datetime.combine(day, time(), zone)


def _device_day(device: DeviceRow, plan: Plan, day: date, known: _Known) -> DeviceDay:
    blocked = [each.span for each in known.blocked if each.number == device.number]
    is_unfit = why_unfit(device.registered, day) is not None
    opened = Opening() if is_unfit else opening(plan, known.calendars, day, blocked, known.zone)
    whole = _whole(opened, day, known.zone)
    here = [each for each in known.occupied if whole.meets(Span(each.begins, each.ends))]
    nurses = [each.shift() for each in known.rules.contrast_nurses]
    return DeviceDay(
        Device(device.ae_title, device.number, device.modality, str(device.room_id), device.room),
        day,
        opened,
        tuple(each.booked for each in here if each.device_number == device.number),
        tuple(on_shift(nurses, known.calendars, day, known.zone)) if nurses else None,
        tuple(Span(each.begins, each.ends) for each in here if each.contrast and each.device_number != device.number),
        device.no_show_rate,
        is_unfit,
    )


def _whole(opened: Opening, day: date, zone: ZoneInfo) -> Span:
    """From midnight to midnight, or to the end of a session that passes it."""
    begins = midnight(day, zone)
    return Span(begins, max([begins + DAY, *(window.span.ends for window in opened.windows)]))


def occupied_by(calendar: Calendar, number: int, booked: Booked) -> Calendar:
    """The same with one more booking on a device."""
    return {
        day: [
            replace(each, booked=(*each.booked, booked)) if each.device.number == number else each for each in devices
        ]
        for day, devices in calendar.items()
    }
