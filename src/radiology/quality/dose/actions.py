"""Set reference levels, look at single examinations, and read what is known of a patient's doses."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from radiology.access.model import SYSTEM, Actor, Permission
from radiology.app import App
from radiology.audit import actions as audit
from radiology.dose import queries as doses
from radiology.dose.model import Cumulative, Examination, cumulative
from radiology.errors import Conflict, NotPermitted, Unprocessable
from radiology.events import DoseRecorded
from radiology.kit import outbox
from radiology.kit.db import Transaction
from radiology.patients.queries import read as patients
from radiology.procedures.catalogue import catalogue
from radiology.procedures.lookup import Catalogue
from radiology.quality.dose import model, queries
from radiology.quality.dose.model import Level, Levels, Noted
from radiology.quality.dose.queries import Window
from radiology.quality.incidents import actions as incidents
from radiology.quality.incidents.actions import Found
from radiology.quality.incidents.model import Cause
from radiology.studies.queries import read

READER: Final = "dose-notes"
YEAR: Final = timedelta(days=365)


async def comparison(app: App, actor: Actor, window: Window) -> list[dict[str, Any]]:
    """Medians of facilities against the levels that hold at the end of a span of time; for quality."""
    actor.must(Permission.QUALITY)
    known = await catalogue(app)
    async with app.db.transaction() as tx:
        levels = await levels_of(tx, known)
        found = await queries.cells(tx, window, visible_to=actor)
    on = (window.before - timedelta(microseconds=1)).astimezone(app.settings.zone).date()
    told: list[dict[str, Any]] = []
    for cell in found:
        level = levels.standing(cell.procedure_key, cell.quantity, cell.patient_group, cell.facility_code, on)
        procedure = known.by_key(cell.procedure_key)
        names = {"display": procedure.display, "displayBn": procedure.display_bangla} if procedure else {}
        told.append(model.compared(cell, level) | names)
    return told


async def levels_of(tx: Transaction, known: Catalogue) -> Levels:
    """Every level there is."""
    return Levels(await queries.levels(tx), {each.key: each.reference_levels for each in known.procedures})


async def set_level(app: App, actor: Actor, level: Level) -> None:
    """Set a national level, or one of a facility, from a day on. Raises Unprocessable, NotPermitted."""
    actor.must(Permission.QUALITY)
    known = await catalogue(app)
    if known.by_key(level.procedure_key) is None:
        raise Unprocessable(f"The catalogue has no procedure {level.procedure_key}.")
    if actor.facility_codes is not None and level.facility_code not in actor.facility_codes:
        raise NotPermitted("This sets levels of your own facilities. A national level is for who is of all facilities.")
    async with app.db.transaction() as tx:
        await queries.save_level(tx, level, by=actor.id, at=app.clock.now())
        detail = {"quantity": level.quantity, "value": level.value, "facility": level.facility_code}
        await audit.record(tx, actor, "dose.level", level.procedure_key, detail=detail)


async def close_note(app: App, actor: Actor, note_id: UUID, *, comment: str) -> None:
    """Say why an examination is as it is, and that it was looked at. Raises NotFound, Conflict."""
    actor.must(Permission.QUALITY)
    async with app.db.transaction() as tx:
        note = await queries.lock_note(tx, note_id, visible_to=actor)
        if note.closed_by is not None:
            raise Conflict(f"Somebody has looked at it already: {note.closed_by}.")
        await queries.close_note(tx, note_id, by=actor.id, at=app.clock.now(), comment=comment)
        await audit.record(tx, actor, "dose.note-closed", str(note_id), detail={"kind": note.kind})


async def history(app: App, actor: Actor, patient: str) -> dict[str, Any]:
    """The doses that a patient received, as far as the reader may see the studies: of 12 months, and of all time."""
    now = app.clock.now()
    async with app.db.transaction() as tx:
        patient_id = await patients.find(tx, patient, visible_to=actor)
        found = await doses.received(tx, patient_id, since=now.replace(year=1900), visible_to=actor)
        await audit.record(tx, actor, "dose.read", str(patient_id))
    year = [each for each in found if each.performed_at > now - YEAR]
    return {
        "twelveMonths": _summed(cumulative(year)),
        "ever": _summed(cumulative(found)),
        "examinations": [
            {
                "studyInstanceUID": each.study_instance_uid,
                "facilityCode": each.facility_code,
                "performedAt": each.performed_at.astimezone(app.settings.zone).isoformat(),
                "modality": each.modality,
                "protocol": each.protocol,
                "source": each.source,
                "doses": each.doses,
                "effectiveDoseMsv": each.effective_dose_msv,
                "method": each.effective_dose_method,
            }
            for each in found
        ],
    }


def _summed(of: Cumulative) -> dict[str, Any]:
    return {
        "examinations": of.examinations,
        "mSv": round(of.msv, 3),
        "byDLP": of.by_dlp_msv,
        "typical": of.typical_msv,
        "unknown": of.unknown,
    }


# --- Following what was read ---


async def follow_events(app: App) -> int:
    """Note examinations whose dose is far above, and report those far above what was meant. Returns how many are new.

    Mark, notes and incidents are one transaction, and noting twice comes to the same.
    """
    known = await catalogue(app)
    async with app.db.transaction() as tx:
        events = await outbox.next_for(tx, READER)
        if not events:
            return 0
        levels, count = await levels_of(tx, known), 0
        about = {event.body["study_id"]: event.body for event in events if event.type == DoseRecorded.type}
        for body in about.values():
            count += await _note(tx, app, levels, body)
        await outbox.had(tx, READER, events[-1].position)
    return count


async def _note(tx: Transaction, app: App, levels: Levels, body: Mapping[str, Any]) -> int:
    study_id = UUID(body["study_id"])
    found = await doses.examination(tx, study_id)
    if found is None:
        return await queries.keep_notes(tx, study_id, [], at=app.clock.now())
    facility_code = (await read.place_and_modalities(tx, study_id))[0]
    notes = _notes(levels, found, facility_code)
    new = await queries.keep_notes(tx, study_id, notes, at=app.clock.now())
    if far := model.far_over(notes):
        unit = model.UNITS.get(far.quantity, "")
        told = f"{far.quantity} {far.value:g} {unit}, where {far.over:g} {unit} is the reference level."
        await incidents.open_in(tx, app, SYSTEM, Found(Cause.DOSE, facility_code, found.performed_at, told, study_id))
    return new


def _notes(levels: Levels, found: Examination, facility_code: str) -> list[Noted]:
    on = found.performed_at.date()
    standing = {
        quantity: level
        for quantity in found.doses
        if (level := levels.standing(found.procedure_key, quantity, found.patient_group, facility_code, on))
    }
    return model.notes_of(found.doses, standing)
