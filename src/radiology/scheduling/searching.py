"""Look for times: from what is asked to the offers that are answered."""

from datetime import timedelta
from uuid import UUID

from radiology.access.model import Actor, Permission
from radiology.app import App
from radiology.errors import Unprocessable
from radiology.kit.db import Transaction
from radiology.modality_worklist import queries as worklist
from radiology.modality_worklist.model import ScheduledProcedureStep
from radiology.procedures.catalogue import catalogue
from radiology.procedures.lookup import Catalogue
from radiology.scheduling import asking, openings
from radiology.scheduling.fitting import Circumstances
from radiology.scheduling.model import Examination, Span
from radiology.scheduling.planning import Appointment, Offer, offers, what_kept
from radiology.scheduling.queries import bookings
from radiology.scheduling.rooms.schemas import RulesIn
from radiology.scheduling.schemas import (
    AppointmentOut,
    ExaminationIn,
    OfferOut,
    OffersOut,
    SearchIn,
    SentenceOut,
)

LATEST = timedelta(days=365)


async def search(tx: Transaction, app: App, actor: Actor, body: SearchIn) -> OffersOut:
    """Up to three offers for examinations of one patient. Raises NotFound for an item, Unprocessable."""
    actor.must(Permission.READ)
    facility = actor.facility_code or app.settings.facility_code
    zone, now = app.settings.zone, app.clock.now()
    found = [await _item(tx, actor, asked) for asked in body.examinations]
    rules, known = await openings.rules_of(tx, facility), await catalogue(app)
    pairs = zip(body.examinations, found, strict=True)
    wanted = [_examination(number, asked, item, rules, known) for number, (asked, item) in enumerate(pairs)]
    today = now.astimezone(zone).date()
    first = max(body.first_day or today, today)
    if first - today > LATEST:
        raise Unprocessable("Times are looked for within a year from now.")
    modalities = sorted({each.modality for each in wanted})
    moving = await _own(tx, found)
    last = first + timedelta(days=body.days - 1)
    calendar = await openings.look(tx, app, openings.Asked(facility, modalities, first, last, moving))
    given = Circumstances(now, zone, tuple(await _elsewhere(tx, found)))
    answers = offers(wanted, calendar, given)
    why = None if answers else what_kept(wanted, calendar, given)
    return OffersOut(
        results=[_shown(app, offer, found) for offer in answers],
        why=SentenceOut(english=why.english, bangla=why.bangla) if why else None,
    )


async def _item(tx: Transaction, actor: Actor, asked: ExaminationIn) -> ScheduledProcedureStep | None:
    return await worklist.load(tx, asked.item, visible_to=actor) if asked.item else None


def _examination(
    number: int, asked: ExaminationIn, item: ScheduledProcedureStep | None, rules: RulesIn, known: Catalogue
) -> Examination:
    if item is not None:
        return asking.of_item(item, asked.facts(), rules.minutes, known, key=str(number))[0]
    procedure = asked.requested_procedure or ""
    return asking.of_procedure(str(number), asked.modality or "", procedure, asked.facts(), rules.minutes, known)[0]


async def _own(tx: Transaction, found: list[ScheduledProcedureStep | None]) -> list[UUID]:
    """What these items are booked for now, which is free for them."""
    booked = [await bookings.of_step(tx, item.id) for item in found if item is not None]
    return [each.id for each in booked if each is not None]


async def _elsewhere(tx: Transaction, found: list[ScheduledProcedureStep | None]) -> list[Span]:
    items = [item for item in found if item is not None]
    if not items:
        return []
    return await bookings.elsewhere(
        tx, patient_id=items[0].patient_id, issuer=items[0].issuer_of_patient_id, but=[item.id for item in items]
    )


def _shown(app: App, offer: Offer, found: list[ScheduledProcedureStep | None]) -> OfferOut:
    return OfferOut(
        appointments=[_appointment(app, each, found) for each in offer.appointments],
        visits=offer.visits(app.settings.zone),
        deadlines_missed=offer.missed(),
        why=[SentenceOut(english=each.english, bangla=each.bangla) for each in offer.why],
    )


def _appointment(app: App, each: Appointment, found: list[ScheduledProcedureStep | None]) -> AppointmentOut:
    place, number = each.place, int(each.examination.key)
    item = found[number]
    return AppointmentOut(
        item=item.id if item else None,
        examination=number,
        modality=each.examination.modality,
        device=place.device.ae_title,
        room={"id": place.device.room_id, "name": place.device.room},
        start=place.span.begins.astimezone(app.settings.zone),
        end=place.span.ends.astimezone(app.settings.zone),
        overbooked=place.lane > 0,
        displaces=bool(place.displaces),
    )
