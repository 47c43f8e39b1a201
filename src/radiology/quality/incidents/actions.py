"""Report an unintended exposure, and deal with it. Row, history, audit, messages and event are one transaction."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from radiology.access.model import Actor, Permission, Role
from radiology.access.queries import who_are
from radiology.app import App
from radiology.audit import actions as audit
from radiology.errors import StaleVersion, Unprocessable
from radiology.events import IncidentChanged, emit
from radiology.external.notifications import inbox
from radiology.kit.db import Transaction
from radiology.kit.ids import uuid7
from radiology.kit.steps import follow
from radiology.quality.incidents import model, queries
from radiology.quality.incidents.model import Cause, Foetal, Incident, Status, Verb
from radiology.studies.queries import read

_TOLD = (Role.QA, Role.ADMINISTRATOR)


@dataclass(frozen=True, slots=True)
class Found:
    """What somebody, or the service itself, found."""

    cause: Cause
    facility_code: str
    occurred_at: datetime
    description: str
    study_id: UUID | None = None
    device_number: int | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """What somebody did about an incident, and found out by it; what is None stays as it is."""

    verb: Verb
    text: str
    version: int | None = None
    dose_msv: float | None = None
    foetal_dose_mgy: float | None = None
    authority_needed: bool | None = None
    authority_told: bool = False


async def report(app: App, actor: Actor, found: Found, *, study: str | None) -> tuple[UUID, bytes]:
    """Report an incident; whoever works with patients or with quality may. Returns its id and body.

    Raises NotFound for a study that is not there for the actor, Unprocessable for a time to come.
    """
    if not actor.may(Permission.QUALITY):
        actor.must(Permission.WRITE)
    if found.occurred_at > app.clock.now():
        raise Unprocessable("occurredAt lies in the future.")
    async with app.db.transaction() as tx:
        study_id = await read.resolve(tx, study, visible_to=actor) if study else None
        facility = (await read.place_and_modalities(tx, study_id))[0] if study_id else found.facility_code
        made = Found(found.cause, facility, found.occurred_at, found.description, study_id, found.device_number)
        incident_id = await open_in(tx, app, actor, made)
        if incident_id is None:
            raise Unprocessable("The dose of this study is an incident already.")
        return incident_id, await queries.body(tx, incident_id, visible_to=actor, zone=app.settings.time_zone)


async def open_in(tx: Transaction, app: App, actor: Actor, found: Found) -> UUID | None:
    """The same in the transaction of whoever finds it; None where the dose of the study is an incident already."""
    incident_id, now = uuid7(), app.clock.now()
    columns: dict[str, Any] = {
        "id": incident_id,
        "facility_code": found.facility_code,
        "cause": found.cause,
        "status": Status.OPEN,
        "study_id": found.study_id,
        "device_number": found.device_number,
        "occurred_at": found.occurred_at,
        "description": found.description,
        "found_by": actor.id,
        "found_at": now,
        "foetal_estimate": Foetal.REQUESTED if found.cause == Cause.PREGNANT else Foetal.NOT_NEEDED,
    }
    if not await queries.insert(tx, columns):
        return None
    await queries.add_step(tx, incident_id, verb="report", at=now, actor=actor.id, text="")
    await audit.record(tx, actor, "incident.report", str(incident_id), detail={"cause": found.cause})
    await inbox.place(tx, await who_are(tx, _TOLD, found.facility_code), model.opened(incident_id, found.cause))
    await emit(tx, _event(found.facility_code, incident_id, found.cause, Status.OPEN))
    return incident_id


async def step(app: App, actor: Actor, incident_id: UUID, taken: Step) -> tuple[int, bytes]:
    """Assess an incident, note who was told, close, dismiss or reopen it; for quality. Returns version and body.

    Raises NotFound, StaleVersion, TransitionRefused; Conflict where something is to come before it can be closed.
    """
    actor.must(Permission.QUALITY)
    async with app.db.transaction() as tx:
        incident = await queries.load(tx, incident_id, visible_to=actor)
        if taken.version is not None and taken.version != incident.version:
            raise StaleVersion(f"The incident has version {incident.version} by now. Read it and decide anew.")
        after = follow(model.TRANSITIONS, Status(incident.status), taken.verb, of="An incident")
        if taken.verb == Verb.CLOSE:
            model.must_be_settled(incident)
        await queries.save(tx, incident_id, _columns(app, taken, after))
        now = app.clock.now()
        await queries.add_step(tx, incident_id, verb=taken.verb, at=now, actor=actor.id, text=taken.text)
        await audit.record(tx, actor, f"incident.{taken.verb}", str(incident_id), detail={"status": after})
        await _tell(tx, incident, taken.verb)
        await emit(tx, _event(incident.facility_code, incident_id, incident.cause, after))
        body = await queries.body(tx, incident_id, visible_to=actor, zone=app.settings.time_zone)
    return incident.version + 1, body


def _columns(app: App, taken: Step, after: Status) -> dict[str, Any]:
    now = app.clock.now()
    return {
        "status": after,
        "dose_msv": taken.dose_msv,
        "foetal_estimate": Foetal.GIVEN if taken.foetal_dose_mgy is not None else None,
        "foetal_dose_mgy": taken.foetal_dose_mgy,
        "officer_told_at": now if taken.verb == Verb.NOTIFY else None,
        "authority_needed": taken.authority_needed,
        "authority_told_at": now if taken.verb == Verb.NOTIFY and taken.authority_told else None,
    }


async def _tell(tx: Transaction, incident: Incident, verb: Verb) -> None:
    """The radiation control officer reads the inbox of those who answer for quality."""
    if verb == Verb.NOTIFY and incident.status == Status.ASSESSED:
        message = model.to_officer(incident.id, Cause(incident.cause))
        await inbox.place(tx, await who_are(tx, _TOLD, incident.facility_code), message)


def _event(facility_code: str, incident_id: UUID, cause: str, status: str) -> IncidentChanged:
    return IncidentChanged(facility_code=facility_code, incident_id=str(incident_id), cause=cause, status=status)
