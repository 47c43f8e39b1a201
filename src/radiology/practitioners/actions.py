"""Look practitioners up, keep those of this service, and delegate approval. Row and audit are one transaction."""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from radiology.access.model import Actor, Permission, Role
from radiology.app import App
from radiology.audit import actions as audit
from radiology.audit.context import current
from radiology.errors import Conflict, NotFound, NotPermitted, NotSupported, Unavailable, Unprocessable
from radiology.external.practitioners import local
from radiology.external.practitioners.model import Practitioner
from radiology.kit.clock import now
from radiology.kit.db import Transaction
from radiology.kit.ids import uuid7
from radiology.practitioners import model, queries
from radiology.practitioners.model import Refusal, Standing, Subject

LONGEST_DELEGATION: Final = timedelta(days=92)
MAY_STAND_IN: Final = frozenset({Role.RADIOLOGIST, Role.CONSULTANT})


# Who may


async def standing_of(app: App, actor: Actor) -> Standing:
    """What the registry says of an actor. Asked before a transaction begins: the registry may be another server."""
    required = app.settings.practitioner_registry == "required"
    if actor.practitioner_reference is None:
        return Standing(actor, demanded=required)
    try:
        known = await app.practitioners.find(actor.practitioner_reference)
    except Unavailable:
        return Standing(actor, demanded=True, reached=False)
    # What this service keeps itself may be filled in slowly; a registry elsewhere is complete.
    demanded = required or known is not None or bool(app.settings.practitioner_registry_url)
    return Standing(actor, known, demanded)


def must_write_technical_data(standing: Standing) -> None:
    """Raises NotPermitted unless somebody belongs to the radiology personnel."""
    _refuse(model.why_not_write_technical_data(standing))


def must_interpret(app: App, standing: Standing, facility_code: str, modalities: Collection[str]) -> None:
    """Raises NotPermitted unless somebody is a qualified radiologist for such a study."""
    _refuse(model.why_not_interpret(standing, _subject(app, facility_code, modalities)))


def must_hold_approval(actor: Actor) -> None:
    """Raises NotPermitted for who approves no study at all."""
    _refuse(model.why_never_approve(actor))


async def must_approve(
    tx: Transaction, app: App, standing: Standing, facility_code: str, modalities: Collection[str]
) -> str | None:
    """Raises NotPermitted unless somebody is an authorised approver; returns on whose delegation, if on one."""
    subject = _subject(app, facility_code, modalities)
    refusal = model.why_not_approve(standing, subject)
    if refusal == Refusal.NO_PRIVILEGE:
        delegator = await queries.delegator_for(tx, standing.actor.id, facility_code)
        refusal = model.why_not_approve(standing, subject, delegated=delegator is not None)
        if refusal is None:
            return delegator
    _refuse(refusal)
    return None


def _subject(app: App, facility_code: str, modalities: Collection[str]) -> Subject:
    return Subject(facility_code, modalities, app.clock.now().astimezone(app.settings.zone).date())


def _refuse(refusal: Refusal | None) -> None:
    if refusal is not None:
        current().reason = refusal
        raise NotPermitted(model.SENTENCES[refusal])


# The registry of this service


async def save(app: App, actor: Actor, practitioner: Practitioner) -> None:
    """Add or change a practitioner. Raises Conflict where another one has the registration, NotSupported."""
    actor.must(Permission.ADMINISTER)
    _must_be_kept_here(app)
    async with app.db.transaction() as tx:
        await local.save(tx, practitioner)
        await audit.record(tx, actor, "practitioner.save", practitioner.reference)


async def disable(app: App, actor: Actor, reference: str) -> None:
    """A practitioner works no more. Repeating it changes nothing. Raises NotFound, NotSupported."""
    actor.must(Permission.ADMINISTER)
    _must_be_kept_here(app)
    async with app.db.transaction() as tx:
        if not await local.disable(tx, reference):
            raise NotFound("There is no such practitioner.")
        await audit.record(tx, actor, "practitioner.disable", reference)


def _must_be_kept_here(app: App) -> None:
    if app.settings.practitioner_registry_url:
        raise NotSupported("Practitioners are kept by the registry that the settings name. Change them there.")


# Delegation


async def delegate(app: App, actor: Actor, *, to: str, facility_code: str, ends_at: datetime) -> tuple[UUID, bytes]:
    """Let somebody approve at a facility until a moment; for consultants. Raises NotPermitted, Unprocessable."""
    actor.must(Permission.APPROVE)
    if actor.role != Role.CONSULTANT:
        raise NotPermitted("Only a consultant delegates approval.")
    if actor.facility_codes is not None and facility_code not in actor.facility_codes:
        raise NotPermitted("You do not work at this facility, so you have nothing to delegate there.")
    if not now() < ends_at <= now() + LONGEST_DELEGATION:
        raise Unprocessable(f"endsAt must be in the future, and at most {LONGEST_DELEGATION.days} days away.")
    async with app.db.transaction() as tx:
        delegate_id = to if to.startswith("account:") else await queries.account_of(tx, to)
        role = await queries.role_of(tx, delegate_id, facility_code) if delegate_id else None
        if delegate_id is None or role not in MAY_STAND_IN:
            raise Unprocessable("to is no radiologist or consultant of this facility who can sign in.")
        if delegate_id == actor.id:
            raise Unprocessable("to is yourself.")
        delegation_id = uuid7()
        await queries.insert(
            tx,
            id=delegation_id,
            delegator=actor.id,
            delegate=delegate_id,
            facility_code=facility_code,
            ends_at=ends_at,
        )
        detail = {"delegate": delegate_id, "facility": facility_code}
        await audit.record(tx, actor, "delegation.begin", str(delegation_id), detail=detail)
        return delegation_id, await queries.delegation_body(tx, delegation_id)


async def end_delegation(app: App, actor: Actor, delegation_id: UUID) -> None:
    """End a delegation before its time; for both sides and administrators. Raises NotFound, Conflict."""
    async with app.db.transaction() as tx:
        found = await queries.lock(tx, delegation_id)
        administers = actor.may(Permission.ADMINISTER) and (
            found is None or actor.facility_codes is None or found.facility_code in actor.facility_codes
        )
        if found is None or not (administers or actor.id in (found.delegator, found.delegate)):
            raise NotFound("There is no such delegation of yours.")
        if not found.is_running:
            raise Conflict("This delegation has ended already.")
        await queries.end(tx, delegation_id, ended_by=actor.id)
        await audit.record(tx, actor, "delegation.end", str(delegation_id), detail={"delegate": found.delegate})
