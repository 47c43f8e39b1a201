"""Who asks for the worklist, and what else than its filters may keep an item from being seen there."""

from collections.abc import Iterator
from datetime import date
from zoneinfo import ZoneInfo

from radiology.app import App
from radiology.application_entities.queries import find_application_entity
from radiology.kit.bilingual import Sentence
from radiology.kit.db import Transaction
from radiology.modality_worklist import queries
from radiology.modality_worklist.asked_queries import LastQuery, last_query
from radiology.modality_worklist.model import Admission, ScheduledProcedureStep, Station
from radiology.standards.dicom.data_set import UTF_8
from radiology.standards.dicom.names import PersonName


async def station_of(tx: Transaction, app: App, ae_title: str) -> Station:
    """An application entity as it asks for its worklist: its facility, its pools, and whether it may ask at all."""
    entity = await find_application_entity(tx, ae_title)
    facility = (entity and entity.facility_code) or app.settings.facility_code
    pools = await queries.station(tx, ae_title, facility_code=facility)
    if entity is None:
        admission = Admission.ADMITTED if app.settings.allow_unknown_ae else Admission.UNKNOWN
    elif not entity.enabled:
        admission = Admission.DISABLED
    else:
        admission = Admission.ADMITTED if entity.may("mwl") else Admission.WITHOUT_WORKLIST
    return Station(ae_title, facility, pools.modalities, admission, entity.default_charset if entity else "")


async def remarks(tx: Transaction, item: ScheduledProcedureStep, station: Station, *, zone: ZoneInfo) -> list[Sentence]:
    """What else somebody who misses an item should know: what the machine asks for, and what it can show."""
    last = await last_query(tx, station.ae_title)
    return [*_asks(item, station, last, zone), *_letters(item, station)]


def _asks(item: ScheduledProcedureStep, station: Station, last: LastQuery | None, zone: ZoneInfo) -> Iterator[Sentence]:
    title = station.ae_title
    if last is None:
        yield Sentence(
            f"{title} has never asked for its worklist: check on the machine that its worklist server is this service.",
            f"{title} কখনো ওয়ার্কলিস্ট চায়নি: মেশিনে ওয়ার্কলিস্ট সার্ভার হিসেবে এই সার্ভিস দেওয়া আছে কি না দেখুন।",
        )
        return
    at, when = last.asked_at.astimezone(zone), item.scheduled_start.astimezone(zone).date()
    yield Sentence(
        f"{title} asked last on {at:%d/%m/%Y %H:%M} and was given {last.answers} items.",
        f"{title} শেষবার {at:%d/%m/%Y %H:%M}-এ চেয়েছে এবং {last.answers}টি আইটেম পেয়েছে।",
    )
    if last.modality not in ("", "*", item.modality):
        yield _differs(title, "modality", "মোডালিটি", last.modality, item.modality)
    if last.station not in ("", "*") and item.stations and last.station not in item.stations:
        yield _differs(title, "station", "স্টেশন", last.station, ", ".join(item.stations))
    if last.start_date and not _within(when, last.start_date):
        yield _differs(title, "date", "তারিখ", last.start_date, f"{when:%Y%m%d}")
    if last.others:
        names = ", ".join(last.others)
        yield Sentence(
            f"{title} also asks with {names}: what differs there is not shown.",
            f"{title} {names} দিয়েও খোঁজে: সেখানে না মিললে দেখানো হয় না।",
        )


def _differs(title: str, what: str, what_bangla: str, asked: str, has: str) -> Sentence:
    return Sentence(
        f"{title} asks for {what} {asked}, and the item has {has}: change one of them.",
        f"{title} {what_bangla} {asked} চায়, কিন্তু আইটেমে আছে {has}: একটি বদলান।",
    )


def _within(day: date, asked: str) -> bool:
    """Whether a day lies in a date or range (PS3.4 C.2.2.2.5)."""
    text = f"{day:%Y%m%d}"
    first, dash, last = asked.partition("-")
    return (first or text) <= text <= (last or text) if dash else text == asked


def _letters(item: ScheduledProcedureStep, station: Station) -> Iterator[Sentence]:
    name = PersonName.parse(item.patient_name)
    if name.ideographic and station.charset and station.charset != UTF_8:
        yield Sentence(
            f"{station.ae_title} shows {station.charset}, so the name is shown as {name.alphabetic}, without Bangla.",
            f"{station.ae_title} {station.charset} দেখায়, তাই নাম {name.alphabetic} দেখা যায়, বাংলায় নয়।",
        )
