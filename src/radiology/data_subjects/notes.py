"""Corrections and restrictions that people ask for, and legal holds."""

from contextlib import suppress
from enum import StrEnum
from uuid import UUID

from radiology.access.model import Actor, Permission
from radiology.app import App
from radiology.audit import actions as audit
from radiology.data_subjects import queries
from radiology.data_subjects.copies import subject
from radiology.errors import NotFound, TransitionRefused
from radiology.kit.ids import uuid7
from radiology.studies.restrictions import actions as restrictions


class NoteState(StrEnum):
    """What became of a note."""

    OPEN = "open"
    ACCEPTED = "accepted"
    REFUSED = "refused"
    ENDED = "ended"


TRANSITIONS = {
    (NoteState.OPEN, NoteState.ACCEPTED),
    (NoteState.OPEN, NoteState.REFUSED),
    (NoteState.ACCEPTED, NoteState.ENDED),
}


async def make_note(app: App, actor: Actor, reference: str, *, kind: str, about: str, text: str) -> UUID:
    """Ask for a correction or a restriction: the patient, or the privacy officer for the patient."""
    async with app.db.transaction() as tx:
        patient, note_id = await subject(tx, actor, reference), uuid7()
        await queries.insert_note(
            tx, id=note_id, patient_id=patient.id, kind=kind, about=about, text=text, made_by=actor.id,
            now=app.clock.now(),
        )  # fmt: skip
        await audit.record(tx, actor, "privacy.note", patient.reference, detail={"note": str(note_id), "kind": kind})
    return note_id


async def notes_of(app: App, actor: Actor, reference: str) -> bytes:
    """What was asked for, and what became of it, as JSON."""
    async with app.db.transaction() as tx:
        return await queries.notes_body(tx, (await subject(tx, actor, reference)).id)


async def answer_note(app: App, actor: Actor, reference: str, note_id: UUID, *, state: NoteState, answer: str) -> None:
    """Say what becomes of a note. Raises NotFound, TransitionRefused.

    Where a restriction of the whole person is accepted, the person's studies are sensitive until it is ended. That
    is done first: a crash in between leaves more restricted than was said, never less.
    """
    actor.must(Permission.PRIVACY)
    async with app.db.transaction() as tx:
        patient = await subject(tx, actor, reference)
        note = await queries.lock_note(tx, note_id, patient.id)
        if (NoteState(note.state), state) not in TRANSITIONS:
            raise TransitionRefused(f"A note that is {note.state} cannot become {state}.")
        restriction_id = note.restriction_id
        if state == NoteState.ACCEPTED and note.kind == "restriction" and not note.about:
            restriction_id = await restrictions.restrict(
                app, actor, patient.reference, kind="patient-request", reason=answer
            )
        elif state == NoteState.ENDED and restriction_id is not None:
            with suppress(NotFound):  # Somebody ended it by itself.
                await restrictions.end(app, actor, patient.reference, restriction_id, reason=answer)
        await queries.answer_note(
            tx, note_id, state=state, answer=answer, restriction_id=restriction_id, by=actor.id, now=app.clock.now()
        )
        detail = {"note": str(note_id), "state": state}
        await audit.record(tx, actor, "privacy.note-answer", patient.reference, detail=detail)


async def set_hold(app: App, actor: Actor, reference: str, *, study: str | None, reason: str) -> UUID:
    """Let nothing of a patient, or of one study, be erased until the hold is lifted. Raises NotFound."""
    actor.must(Permission.PRIVACY)
    async with app.db.transaction() as tx:
        patient, hold_id = await subject(tx, actor, reference), uuid7()
        if study is not None and not await queries.has_study(tx, patient.id, study):
            raise NotFound("This patient has no such study. Name it by Study Instance UID.")
        await queries.insert_hold(
            tx, id=hold_id, patient_id=patient.id, study=study, reason=reason, set_by=actor.id, now=app.clock.now()
        )
        await audit.record(tx, actor, "privacy.hold", study or patient.reference, detail={"hold": str(hold_id)})
    return hold_id


async def lift_hold(app: App, actor: Actor, reference: str, hold_id: UUID, *, reason: str) -> None:
    """End a legal hold. Raises NotFound."""
    actor.must(Permission.PRIVACY)
    async with app.db.transaction() as tx:
        patient = await subject(tx, actor, reference)
        if not await queries.lift_hold(
            tx, hold_id, patient_id=patient.id, reason=reason, by=actor.id, now=app.clock.now()
        ):
            raise NotFound("This patient has no such legal hold in force.")
        await audit.record(tx, actor, "privacy.hold-lift", patient.reference, detail={"hold": str(hold_id)})


async def holds_of(app: App, actor: Actor, reference: str) -> bytes:
    """The legal holds of a patient, as JSON."""
    actor.must(Permission.PRIVACY)
    async with app.db.transaction() as tx:
        return await queries.holds_body(tx, (await subject(tx, actor, reference)).id)
