"""Where one examination fits on one device on one day, and what keeps it from anywhere else. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from enum import Enum
from typing import Final
from zoneinfo import ZoneInfo

from radiology.kit.bilingual import Sentence
from radiology.scheduling.hours import Opening, Window
from radiology.scheduling.model import (
    GRID,
    RELEASED_BEFORE,
    RESERVED_SHARE,
    RESERVING,
    Examination,
    Priority,
    Span,
    overbooking,
)

FASTING_UNTIL: Final = time(12)
DIABETICS_UNTIL: Final = time(10)
"""Who has not eaten comes in the morning, and diabetics first."""
HOUR: Final = timedelta(hours=1)


class Reason(Enum):
    """What keeps an examination from a time, in the order in which it is asked."""

    MODALITY = Sentence("No room does this kind of examination.", "কোনো কক্ষে এই ধরনের পরীক্ষা হয় না।")
    CLOSED = Sentence("The room is closed.", "কক্ষটি বন্ধ।")
    UNFIT = Sentence(
        "The device is out of order, blocked or without a valid licence on that day.",
        "ওই দিন যন্ত্রটি বিকল, বন্ধ রাখা অথবা বৈধ লাইসেন্সবিহীন।",
    )
    PAST = Sentence(
        "The time is over, or too near for the preparation.", "সময় পার হয়ে গেছে, অথবা প্রস্তুতির জন্য যথেষ্ট সময় নেই।"
    )
    TAKEN = Sentence("Everything is booked.", "সব সময় বুক করা।")
    BUSY = Sentence("The patient is elsewhere at that time.", "রোগী ওই সময়ে অন্যত্র আছেন।")
    MORNING = Sentence(
        "Who comes fasting is examined in the morning, diabetics first.",
        "যিনি খালি পেটে আসেন তাঁর পরীক্ষা সকালে হয়, ডায়াবেটিস রোগীর আগে।",
    )
    SEDATION = Sentence(
        "Sedation is done in its own sessions, which are kept for it.",
        "সিডেশন শুধু নির্ধারিত সময়ে হয়, যা এর জন্য রাখা থাকে।",
    )
    WOMAN = Sentence("No woman operates at that time.", "ওই সময়ে কোনো নারী অপারেটর নেই।")
    NURSE = Sentence("No nurse is free to give contrast.", "কন্ট্রাস্ট দেওয়ার জন্য কোনো নার্স ফাঁকা নেই।")
    ISOLATION = Sentence("Isolation is the last of the day.", "আইসোলেশনের রোগী দিনের শেষে।")
    RESERVED = Sentence(
        "The time is kept for STAT and urgent until 60 minutes before.",
        "সময়টি ৬০ মিনিট আগে পর্যন্ত জরুরি রোগীর জন্য রাখা।",
    )


@dataclass(frozen=True, slots=True, order=True)
class Device:
    """An application entity of a facility that stands in a room. `number` is its own for good."""

    ae_title: str
    number: int
    modality: str
    room_id: str
    room: str


@dataclass(frozen=True, slots=True)
class Booked:
    """A booking that occupies a device. `lane` 0, or the number of the overbooking that it is."""

    id: str
    span: Span
    lane: int = 0
    priority: Priority = Priority.ROUTINE
    isolation: bool = False
    contrast: bool = False
    movable: bool = False


@dataclass(frozen=True, slots=True)
class DeviceDay:
    """One device on one day. `nurses`: who is on duty, None where nobody says; `contrast`: given by them elsewhere.

    is_unfit: the registry says that it may not be used, so it has no opening.
    """

    device: Device
    day: date
    opening: Opening
    booked: tuple[Booked, ...] = ()
    nurses: tuple[Span, ...] | None = None
    contrast: tuple[Span, ...] = ()
    no_show_rate: float = 0.0
    is_unfit: bool = False


@dataclass(frozen=True, slots=True)
class Circumstances:
    """Now, where, and when the patient is elsewhere. `any_hour`: fasting is no reason against an afternoon."""

    now: datetime
    zone: ZoneInfo
    busy: tuple[Span, ...] = ()
    any_hour: bool = False
    not_before: datetime | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """A time on a device. `idle`: how long the device does nothing before it; `displaces`: who must make room."""

    device: Device
    span: Span
    lane: int = 0
    idle: timedelta = field(default_factory=timedelta)
    displaces: tuple[str, ...] = ()


def places(examination: Examination, day: DeviceDay, given: Circumstances) -> list[Place]:
    """Everywhere that it fits, earliest first: in free time, else where more may be booked than there are slots."""
    found: list[Place] = []
    for window in day.opening.windows:
        free = [_place(day, window, span) for span in _spans(examination, window)
                if why_not(examination, day, window, span, given) is None]  # fmt: skip
        found += free or _overbooked(examination, day, window, given)
    return found


def place_at(examination: Examination, day: DeviceDay, begins: datetime, given: Circumstances) -> Place | Reason:
    """The place that begins at a moment, or what keeps the examination from it."""
    span = Span(begins, begins + examination.length)
    for window in day.opening.windows:
        if window.span.holds(span):
            why = why_not(examination, day, window, span, given)
            if why is None:
                return _place(day, window, span)
            beside = [place for place in _overbooked(examination, day, window, given) if place.span == span]
            taken = any(why_not(examination, day, window, each, given) is None for each in _spans(examination, window))
            return beside[0] if beside and not taken else why
    return _closed(day)


def _closed(day: DeviceDay) -> Reason:
    return Reason.UNFIT if day.is_unfit else Reason.CLOSED


def reasons(examination: Examination, day: DeviceDay, given: Circumstances) -> list[Reason]:
    """What kept it from each time of the day."""
    spans = [(window, span) for window in day.opening.windows for span in _spans(examination, window)]
    if day.device.modality != examination.modality:
        return [Reason.MODALITY]
    if not spans:
        return [_closed(day)]
    return [why for window, span in spans if (why := why_not(examination, day, window, span, given)) is not None]


def _spans(examination: Examination, window: Window) -> Iterator[Span]:
    begins = _next_on_grid(window.span.begins)
    while begins + examination.length <= window.span.ends:
        yield Span(begins, begins + examination.length)
        begins += GRID


def _next_on_grid(moment: datetime) -> datetime:
    past = timedelta(minutes=moment.minute % 5, seconds=moment.second, microseconds=moment.microsecond)
    return moment + (GRID - past if past else timedelta())


def why_not(
    examination: Examination, day: DeviceDay, window: Window, span: Span, given: Circumstances
) -> Reason | None:
    """What keeps an examination from this time of free lane 0; None where it fits."""
    if any(each.span.meets(span) for each in day.booked if not each.lane):
        return Reason.TAKEN
    return _not_allowed(examination, day, window, span, given) or (
        Reason.RESERVED if _is_reserved(examination, day, span, given) else None
    )


def _not_allowed(
    examination: Examination, day: DeviceDay, window: Window, span: Span, given: Circumstances
) -> Reason | None:
    return next(_objections(examination, day, window, span, given), None)


def _objections(
    examination: Examination, day: DeviceDay, window: Window, span: Span, given: Circumstances
) -> Iterator[Reason]:
    if day.device.modality != examination.modality:
        yield Reason.MODALITY
    if examination.rooms and day.device.room_id not in examination.rooms:
        yield Reason.CLOSED
    if _is_past(examination, span, given):
        yield Reason.PAST
    if any(each.meets(span) for each in given.busy):
        yield Reason.BUSY
    if _is_too_late_for_fasting(examination, span, given):
        yield Reason.MORNING
    if _is_of_other_purpose(examination, window, span, given):
        yield Reason.SEDATION
    if _lacks_woman(examination, day, span):
        yield Reason.WOMAN
    if _lacks_nurse(examination, day, span):
        yield Reason.NURSE
    if _breaks_isolation(examination, day, span):
        yield Reason.ISOLATION


def _is_past(examination: Examination, span: Span, given: Circumstances) -> bool:
    prepared = given.now
    if examination.is_routine:
        prepared += timedelta(hours=examination.fasting_hours)
    return span.begins < max(prepared, given.not_before or prepared)


def _is_too_late_for_fasting(examination: Examination, span: Span, given: Circumstances) -> bool:
    if given.any_hour or not examination.fasting_hours or not examination.is_routine:
        return False
    latest = DIABETICS_UNTIL if examination.diabetic else FASTING_UNTIL
    return span.begins.astimezone(given.zone).time() >= latest


def _is_of_other_purpose(examination: Examination, window: Window, span: Span, given: Circumstances) -> bool:
    if examination.sedation:
        return window.purpose != "sedation"
    return window.purpose == "sedation" and examination.is_routine and not _is_released(span, given)


def _is_released(span: Span, given: Circumstances) -> bool:
    return span.begins - given.now <= RELEASED_BEFORE


def _lacks_woman(examination: Examination, day: DeviceDay, span: Span) -> bool:
    return examination.female_operator and not any(each.holds(span) for each in day.opening.female)


def _lacks_nurse(examination: Examination, day: DeviceDay, span: Span) -> bool:
    if not examination.contrast or day.nurses is None:
        return False
    here = [each.span for each in day.booked if each.contrast]
    busy = sum(each.meets(span) for each in (*here, *day.contrast))
    return sum(each.holds(span) for each in day.nurses) <= busy


def _breaks_isolation(examination: Examination, day: DeviceDay, span: Span) -> bool:
    if not examination.is_routine:
        return False
    if examination.isolation:
        return any(each.span.begins >= span.begins for each in day.booked if not each.isolation)
    return any(each.span.begins < span.ends for each in day.booked if each.isolation)


def _is_reserved(examination: Examination, day: DeviceDay, span: Span, given: Circumstances) -> bool:
    """Whether routine would take more than four fifths of an hour, which nobody may before it is released."""
    if examination.modality not in RESERVING or not examination.is_routine or _is_released(span, given):
        return False
    return any(
        _common(span, hour) + _routine(day, hour) > _open(day, hour) * (1 - RESERVED_SHARE)
        for hour in _hours(span, given.zone)
    )


def _hours(span: Span, zone: ZoneInfo) -> Iterator[Span]:
    begins = span.begins.astimezone(zone).replace(minute=0, second=0, microsecond=0)
    while begins < span.ends:
        yield Span(begins, begins + HOUR)
        begins += HOUR


def _common(span: Span, hour: Span) -> timedelta:
    return span.common(hour).length


def _routine(day: DeviceDay, hour: Span) -> timedelta:
    routine = [each.span for each in day.booked if each.priority == Priority.ROUTINE and not each.lane]
    return sum((_common(each, hour) for each in routine), timedelta())


def _open(day: DeviceDay, hour: Span) -> timedelta:
    return sum((_common(window.span, hour) for window in day.opening.windows), timedelta())


def _place(day: DeviceDay, window: Window, span: Span) -> Place:
    before = [each.span.ends for each in day.booked if not each.lane and each.span.ends <= span.begins]
    return Place(day.device, span, 0, span.begins - max([window.span.begins, *before]))


def _overbooked(examination: Examination, day: DeviceDay, window: Window, given: Circumstances) -> list[Place]:
    """Times that are booked already, as long as so many more may be booked in this window."""
    if not examination.is_routine:
        return []
    here = [each for each in day.booked if window.span.meets(each.span)]
    slots = sum(not each.lane for each in here)
    taken = {each.lane for each in here if each.lane}
    if len([each for each in here if each.lane]) >= overbooking(slots, day.no_show_rate):
        return []
    lane = next(number for number in range(1, len(taken) + 2) if number not in taken)
    full = [each.span for each in here if not each.lane]
    return [
        Place(day.device, span, lane)
        for span in _spans(examination, window)
        if any(each.begins == span.begins for each in full)
        and _not_allowed(examination, day, window, span, given) is None
    ]


def displacing(examination: Examination, day: DeviceDay, given: Circumstances) -> list[Place]:
    """Where a STAT examination fits if routine bookings make room for it, fewest first."""
    found: list[Place] = []
    for window in day.opening.windows:
        for span in _spans(examination, window):
            met = [each for each in day.booked if each.span.meets(span) and not each.lane]
            if all(each.movable for each in met) and _not_allowed(examination, day, window, span, given) is None:
                found.append(Place(day.device, span, displaces=tuple(sorted(each.id for each in met))))
    return sorted(found, key=lambda place: (len(place.displaces), place.span))
