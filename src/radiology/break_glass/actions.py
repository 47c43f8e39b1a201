"""Break the glass, end it, review it. State, audit, message and event are one transaction."""

from uuid import UUID

from radiology.access.model import SYSTEM, Actor, Permission, Role
from radiology.access.queries import who_are
from radiology.app import App
from radiology.audit import actions as audit
from radiology.audit.model import BREAK_GLASS
from radiology.break_glass import model, queries
from radiology.break_glass.model import Outcome, ReasonCode
from radiology.errors import Conflict, NotFound, NotPermitted, NotSupported, TransitionRefused
from radiology.events import BreakGlassEnded, BreakGlassOverused, BreakGlassReviewOverdue, BreakGlassStarted, emit
from radiology.external.notifications import inbox
from radiology.kit.db import Transaction


async def start(
    app: App, actor: Actor, *, patient: str | None, study: str | None, reason_code: ReasonCode, text: str
) -> tuple[UUID, bytes]:
    """Open the sensitive studies of one patient to a clinician, for reading; returns the use and its body.

    The caller has made sure that it is really the clinician who asks. Raises NotPermitted, NotFound, Conflict.
    """
    actor.must(Permission.BREAK_GLASS)
    async with app.db.transaction() as tx:
        target = await queries.find_target(tx, actor, patient=patient, study=study)
        if target is None:
            raise NotFound("There is no such patient or study at your facility.")
        if target.closed:
            raise NotPermitted("This is forensic material: only a privacy officer may open it. Ask one.")
        if await queries.is_own_or_family(tx, actor, target):
            raise NotPermitted("This is your own or your family's record. Ask a colleague who treats the patient.")
        await queries.lock_actor(tx, actor)
        if await queries.is_running(tx, actor, target.patient_id):
            raise Conflict("This record is open to you already; see GET /api/radiology/me/break-glass.")
        use_id = await queries.begin(
            tx,
            actor,
            target.patient_id,
            reason_code=reason_code,
            text=text,
            lasts=model.LASTS,
            review=model.REVIEWED_WITHIN,
        )
        detail = {"patient": target.reference, "reason": reason_code}
        await audit.record(tx, actor, "break-glass.start", str(use_id), detail=detail, purpose=BREAK_GLASS)
        await _tell(tx, actor, use_id, target.patient_id, reason_code)
        return use_id, await queries.use_body(tx, use_id)


async def _tell(tx: Transaction, actor: Actor, use_id: UUID, patient_id: UUID, reason_code: str) -> None:
    officers = await who_are(tx, [Role.PRIVACY_OFFICER], actor.facility_code)
    consultants = await queries.treating_consultants(tx, patient_id)
    about = f"BreakGlass/{use_id}"
    await inbox.place(tx, [*officers, *consultants], model.started(about))
    facility, use = actor.facility_code, str(use_id)
    await emit(
        tx, BreakGlassStarted(facility_code=facility, break_glass_id=use, actor=actor.id, reason_code=reason_code)
    )
    uses = await queries.uses_of_week(tx, actor)
    if uses > model.USES_A_WEEK:
        await inbox.place(tx, officers, model.overused(about))
        await emit(tx, BreakGlassOverused(facility_code=facility, break_glass_id=use, actor=actor.id, uses=uses))


async def end(app: App, actor: Actor, use_id: UUID) -> None:
    """Close a record before its time; for whoever opened it and for privacy officers. Raises NotFound."""
    async with app.db.transaction() as tx:
        use = await queries.lock_use(tx, use_id)
        if use is None or (use.actor != actor.id and not actor.may(Permission.PRIVACY)):
            raise NotFound("There is no such use of break-glass of yours.")
        if use.is_running:
            await queries.end(tx, use)
            await _note_end(tx, actor, use)


async def follow(app: App) -> int:
    """Write down what has run out, and tell of reviews that are overdue; returns how many of both."""
    async with app.db.transaction() as tx:
        run_out, overdue = await queries.lock_run_out(tx), await queries.lock_overdue(tx)
        for use in run_out:
            await _note_end(tx, SYSTEM, use)
        for use in overdue:
            officers = await who_are(tx, [Role.PRIVACY_OFFICER], use.facility_code)
            await inbox.place(tx, officers, model.overdue(f"BreakGlass/{use.id}"))
            await emit(
                tx,
                BreakGlassReviewOverdue(facility_code=use.facility_code, break_glass_id=str(use.id), actor=use.actor),
            )
    return len(run_out) + len(overdue)


async def review(app: App, actor: Actor, use_id: UUID, *, outcome: Outcome, note: str) -> bytes:
    """Say whether a use was justified. Nobody reviews himself. Raises NotFound, NotPermitted, TransitionRefused."""
    actor.must(Permission.PRIVACY)
    async with app.db.transaction() as tx:
        use = await queries.lock_use(tx, use_id)
        if use is None or not _is_of(actor, use.facility_code):
            raise NotFound("There is no such use of break-glass.")
        if use.actor == actor.id:
            raise NotPermitted("Nobody reviews what he or she did. Ask another privacy officer.")
        if use.outcome is not None:
            raise TransitionRefused(f"This use was reviewed already: {use.outcome}.")
        await queries.save_review(tx, use_id, outcome=outcome, note=note, actor=actor.id)
        await audit.record(tx, actor, "break-glass.review", str(use_id), detail={"outcome": outcome})
        return await queries.use_body(tx, use_id)


async def send_notices_to(app: App, actor: Actor, email: str | None) -> None:
    """Have one's own messages sent to an address, too; None ends it. Raises NotSupported where no mail is sent."""
    if email is not None and not app.settings.smtp_host:
        raise NotSupported("This service sends no e-mail: the setting smtp_host names no mail server.")
    async with app.db.transaction() as tx:
        await inbox.save_address(tx, actor.id, email)
        await audit.record(tx, actor, "account.notices", actor.id, detail={"by_email": email is not None})


def _is_of(actor: Actor, facility_code: str | None) -> bool:
    return actor.facility_codes is None or facility_code in actor.facility_codes


async def _note_end(tx: Transaction, actor: Actor, use: queries.Use) -> None:
    await audit.record(tx, actor, "break-glass.stop", str(use.id), detail={"of": use.actor}, purpose=BREAK_GLASS)
    await emit(tx, BreakGlassEnded(facility_code=use.facility_code, break_glass_id=str(use.id), actor=use.actor))
