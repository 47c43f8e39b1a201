"""Device days in few words: times of day at 21 January 2026 in Dhaka, as 9.30."""

from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from radiology.scheduling.fitting import Booked, Circumstances, Device, DeviceDay
from radiology.scheduling.hours import Calendars, Plan, Session, opening
from radiology.scheduling.model import Examination, Span

ZONE = ZoneInfo("Asia/Dhaka")
DAY = date(2026, 1, 21)
EVERY_DAY = frozenset(range(1, 8))


def at(hours: float, day: date = DAY) -> datetime:
    """9.5 is half past nine."""
    return datetime.combine(day, time(), ZONE) + timedelta(hours=hours)


def span(begins: float, ends: float, day: date = DAY) -> Span:
    return Span(at(begins, day), at(ends, day))


def plan(begins: int = 8, ends: int = 14, **changes: Any) -> Plan:
    return Plan(**{"sessions": (Session(EVERY_DAY, time(begins), time(ends)),), **changes})


def device(modality: str = "CT", title: str = "") -> Device:
    title = title or f"{modality}1"
    return Device(title, sum(map(ord, title)), modality, f"room {title}", title)


def a_day(
    modality: str = "CT", *booked: Booked, title: str = "", week: Plan | None = None, day: date = DAY, **changes: Any
) -> DeviceDay:
    opened = opening(week or plan(), changes.pop("calendars", Calendars()), day, changes.pop("blocked", ()), ZONE)
    return DeviceDay(device(modality, title), day, opened, booked, **changes)


def booked(begins: float, ends: float, *, day: date = DAY, **changes: Any) -> Booked:
    return Booked(changes.pop("id", f"{begins}"), span(begins, ends, day), **changes)


def given(now: float = 0, **changes: Any) -> Circumstances:
    return Circumstances(**{"now": at(now), "zone": ZONE, **changes})


def examination(modality: str = "CT", minutes: int = 15, **changes: Any) -> Examination:
    return Examination(**{"key": modality, "modality": modality, "minutes": minutes, **changes})
