"""The best times for the examinations of one patient: which of all that fit are offered, and why. Pure.

An offer is better by its deadlines, then by fewer visits, then by its earlier start, then by less idle time of devices.
Examinations of one day follow one another as their preparations allow: ultrasound of who is fasting, then CT, then the
others; barium is last, since it covers what others would show.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from radiology.kit.bilingual import Sentence
from radiology.scheduling.fitting import Circumstances, DeviceDay, Place, Reason, displacing, places, reasons
from radiology.scheduling.model import GRID, Examination, Priority
from radiology.standards.dicom.bangla import bangla_digits

MOST_OFFERS: Final = 3
MOST_EXAMINATIONS: Final = 6

Calendar = Mapping[date, Sequence[DeviceDay]]
"""What is asked: every device of every day, the earliest day first."""
Everywhere = Mapping[str, Sequence[Place]]
"""The places of a day for each examination by its key, the earliest first."""
Finding = Callable[[Examination, DeviceDay, Circumstances], list[Place]]


@dataclass(frozen=True, slots=True)
class Appointment:
    """One examination at one place."""

    examination: Examination
    place: Place


@dataclass(frozen=True, slots=True)
class Offer:
    """Times for all examinations, in their order, and why these."""

    appointments: tuple[Appointment, ...]
    why: tuple[Sentence, ...] = ()

    @property
    def starts(self) -> datetime:
        """When the first of them begins."""
        return self.appointments[0].place.span.begins

    def visits(self, zone: ZoneInfo) -> int:
        """On how many days the patient comes."""
        return len({each.place.span.begins.astimezone(zone).date() for each in self.appointments})

    def missed(self) -> int:
        """How many begin after their deadline."""
        return sum(
            each.examination.deadline is not None and each.place.span.begins > each.examination.deadline
            for each in self.appointments
        )

    def rank(self, zone: ZoneInfo) -> tuple[int, int, datetime, timedelta, list[str]]:
        """The lower the better; the names of devices decide what else is equal."""
        idle = sum((each.place.idle for each in self.appointments), timedelta())
        titles = [each.place.device.ae_title for each in self.appointments]
        return self.missed(), self.visits(zone), self.starts, idle, titles

    def overlaps(self, other: "Offer") -> bool:
        """Whether the two have an examination at the same time, so that one is hardly another choice."""
        mine, others = (
            {each.examination.key: each.place.span for each in offer.appointments} for offer in (self, other)
        )
        return any(mine[key].meets(others[key]) for key in mine)


def in_order(examinations: Sequence[Examination]) -> list[Examination]:
    """As their preparations allow on one day, urgent ones first among equals."""
    priorities = list(Priority)
    return sorted(examinations, key=lambda each: (_turn(each), priorities.index(each.priority), each.key))


def _turn(examination: Examination) -> int:
    if examination.barium:
        return 4
    if examination.modality == "US" and examination.fasting_hours:
        return 0
    return {"CT": 1}.get(examination.modality, 2 if examination.fasting_hours else 3)


def offers(examinations: Sequence[Examination], calendar: Calendar, given: Circumstances) -> list[Offer]:
    """Up to three, the best first, none of which is at the time of another; empty where nothing fits."""
    ordered = in_order(examinations)
    found = _of_one_visit(ordered, calendar, given, places)
    if all(offer.missed() for offer in found):
        found += _of_one_visit(ordered, calendar, _any_hour(given), places)
    if len(found) < MOST_OFFERS or all(offer.missed() for offer in found):
        found += _of_several_visits(ordered, calendar, given if found else _any_hour(given))
    if any(each.priority == Priority.STAT for each in ordered) and all(offer.missed() for offer in found):
        found += _of_one_visit(ordered, calendar, given, _making_room)
    chosen: list[Offer] = []
    for offer in sorted(found, key=lambda offer: offer.rank(given.zone)):
        if not any(offer.overlaps(other) for other in chosen):
            chosen.append(offer)
    return [explained(offer, number, given) for number, offer in enumerate(chosen[:MOST_OFFERS])]


def _any_hour(given: Circumstances) -> Circumstances:
    return replace(given, any_hour=True)


def _making_room(examination: Examination, day: DeviceDay, given: Circumstances) -> list[Place]:
    return displacing(examination, day, given) if examination.priority == Priority.STAT else places(
        examination, day, given
    )  # fmt: skip


def _of_one_visit(
    ordered: Sequence[Examination], calendar: Calendar, given: Circumstances, find: Finding
) -> list[Offer]:
    """All on one day: the days in their order, until there are enough that no later day can be better."""
    found: list[Offer] = []
    for day in sorted(calendar):
        found += _of_day(ordered, _everywhere(ordered, calendar[day], given, find))
        if len(found) >= MOST_OFFERS:
            break
    return found


def _everywhere(
    ordered: Sequence[Examination], devices: Sequence[DeviceDay], given: Circumstances, find: Finding
) -> Everywhere:
    return {
        each.key: sorted((place for device in devices for place in find(each, device, given)), key=_first)
        for each in ordered
    }


def _first(place: Place) -> tuple[datetime, int, int, timedelta, str]:
    return place.span.begins, len(place.displaces), place.lane, place.idle, place.device.ae_title


def _of_day(ordered: Sequence[Examination], everywhere: Everywhere) -> list[Offer]:
    """Up to three of one day that do not overlap: from each start of the first one, the others as soon as they can."""
    if any(_is_last(each) for each in ordered):
        latest = _backwards(ordered, everywhere)
        return [latest] if latest else []
    found: list[Offer] = []
    for first in everywhere[ordered[0].key]:
        if any(first.span.meets(offer.appointments[0].place.span) for offer in found):
            continue
        offer = _from(first, ordered, everywhere)
        if offer is None or len(found) == MOST_OFFERS:
            break
        if not any(offer.overlaps(other) for other in found):
            found.append(offer)
    return found


def _from(first: Place, ordered: Sequence[Examination], everywhere: Everywhere) -> Offer | None:
    """From this place on; who begins later cannot end sooner, so where there is none there is none for later ones."""
    appointments = [Appointment(ordered[0], first)]
    for examination in ordered[1:]:
        place = _soonest(everywhere[examination.key], appointments[-1].place.span.ends + GRID)
        if place is None:
            return None
        appointments.append(Appointment(examination, place))
    return Offer(tuple(appointments))


def _soonest(sorted_places: Sequence[Place], after: datetime) -> Place | None:
    """The first place that begins then or later: from one room to the next it takes a few minutes."""
    number = bisect_left(sorted_places, after, key=lambda place: place.span.begins)
    return sorted_places[number] if number < len(sorted_places) else None


def _is_last(examination: Examination) -> bool:
    return examination.isolation and examination.is_routine


def _backwards(ordered: Sequence[Examination], everywhere: Everywhere) -> Offer | None:
    """As late as the day allows, from the last one on: so is isolation."""
    appointments: list[Appointment] = []
    before: datetime | None = None
    for examination in reversed(ordered):
        found = [each for each in everywhere[examination.key] if before is None or each.span.ends <= before]
        if not found:
            return None
        appointments.insert(0, Appointment(examination, found[-1]))
        before = found[-1].span.begins - GRID
    return Offer(tuple(appointments))


def _of_several_visits(ordered: Sequence[Examination], calendar: Calendar, given: Circumstances) -> list[Offer]:
    """As many as fit on the first day, the rest on later ones; one offer for each of the first days to begin on."""
    found: list[Offer] = []
    if len(ordered) == 1:
        return found
    days = [_everywhere(ordered, calendar[day], given, places) for day in sorted(calendar)]
    for number in range(len(days)):
        offer = _spread(ordered, days[number:])
        if offer is None or len(found) == MOST_OFFERS:
            break
        if offer not in found:
            found.append(offer)
    return found


def _spread(ordered: Sequence[Examination], days: Sequence[Everywhere]) -> Offer | None:
    left, appointments = list(ordered), list[Appointment]()
    for everywhere in days:
        after: datetime | None = None
        for examination in list(left):
            found = [each for each in everywhere[examination.key] if after is None or each.span.begins >= after]
            if found:
                place = found[-1 if _is_last(examination) else 0]
                appointments.append(Appointment(examination, place))
                left.remove(examination)
                after = place.span.ends + GRID
        if not left:
            return Offer(tuple(sorted(appointments, key=lambda each: each.place.span)))
    return None


def what_kept(examinations: Sequence[Examination], calendar: Calendar, given: Circumstances) -> Sentence:
    """Why nothing is offered: what kept the first examination that fits nowhere from most times."""
    for examination in in_order(examinations):
        found = [why for devices in calendar.values() for day in devices for why in reasons(examination, day, given)]
        able = [why for why in found if why != Reason.MODALITY]
        if not any(places(examination, day, given) for devices in calendar.values() for day in devices):
            return max(Reason, key=(able or found or [Reason.MODALITY]).count).value
    return Sentence(
        "They fit one by one, and not in the order that their preparations ask for.",
        "পরীক্ষাগুলো আলাদাভাবে সম্ভব, কিন্তু প্রস্তুতির ক্রম অনুযায়ী একসঙ্গে নয়।",
    )


# --- Why ---


def explained(offer: Offer, number: int, given: Circumstances) -> Offer:
    """The same with its reasons."""
    return replace(offer, why=tuple(_why(offer, number, given)))


def _why(offer: Offer, number: int, given: Circumstances) -> Iterator[Sentence]:
    yield _FIRST if number == 0 else _LATER
    if any(each.examination.deadline for each in offer.appointments):
        missed = offer.missed()
        yield _MISSED if missed else _IN_TIME
    if len(offer.appointments) > 1:
        yield _visits(offer.visits(given.zone))
    examinations = [each.examination for each in offer.appointments]
    if any(each.barium for each in examinations) and len(examinations) > 1:
        yield _BARIUM
    if any(each.fasting_hours and each.is_routine for each in examinations):
        yield _diabetic_or_fasting(examinations)
    if any(each.isolation for each in examinations):
        yield Reason.ISOLATION.value
    if any(each.place.lane for each in offer.appointments):
        yield _OVERBOOKED
    displaced = sum(len(each.place.displaces) for each in offer.appointments)
    if displaced:
        yield _both(
            f"{displaced} routine bookings are moved to make room.", f"জায়গা করতে {displaced}টি সাধারণ বুকিং সরানো হবে।"
        )


def _diabetic_or_fasting(examinations: Sequence[Examination]) -> Sentence:
    return _DIABETIC if any(each.diabetic for each in examinations) else _FASTING


def _visits(number: int) -> Sentence:
    if number == 1:
        return Sentence("All on one day, in the order of preparation.", "সব পরীক্ষা এক দিনে, প্রস্তুতির ক্রম অনুযায়ী।")
    return _both(f"{number} visits: not all fit on one day.", f"{number} দিন আসতে হবে: সব এক দিনে সম্ভব নয়।")


def _both(english: str, bangla: str) -> Sentence:
    return Sentence(english, bangla_digits(bangla))


_FIRST: Final = Sentence("The earliest that is possible.", "সবচেয়ে আগে যা সম্ভব।")
_LATER: Final = Sentence("The next choice.", "পরের সুযোগ।")
_IN_TIME: Final = Sentence("It begins before the deadline.", "নির্ধারিত সময়সীমার মধ্যে শুরু হবে।")
_MISSED: Final = Sentence("The deadline is missed: nothing earlier is free.", "সময়সীমা পার হবে: আগে কোনো সময় ফাঁকা নেই।")
_BARIUM: Final = Sentence(
    "Barium is last, since it covers what others would show.", "বেরিয়াম শেষে, কারণ তা অন্য পরীক্ষার ছবি ঢেকে দেয়।"
)
_DIABETIC: Final = Sentence("Diabetics who fast come first in the morning.", "ডায়াবেটিস রোগী খালি পেটে সকালে সবার আগে।")
_FASTING: Final = Sentence("Who fasts comes in the morning where it is possible.", "খালি পেটের পরীক্ষা সম্ভব হলে সকালে।")
_OVERBOOKED: Final = Sentence(
    "Booked beside another, since some do not come as a rule.", "একই সময়ে আরেকজন আছেন, কারণ সাধারণত কেউ কেউ আসেন না।"
)
