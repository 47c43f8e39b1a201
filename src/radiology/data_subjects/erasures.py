"""Erasure: what may go is shown first, one person asks, another decides, the worker removes it study by study."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from radiology.access.model import SYSTEM, Actor, Permission
from radiology.app import App
from radiology.audit import actions as audit
from radiology.data_subjects import erasure_queries as queries
from radiology.data_subjects.copies import subject
from radiology.errors import Conflict, NotFound, NotPermitted
from radiology.kit import jobs
from radiology.kit.db import Transaction
from radiology.kit.ids import uuid7
from radiology.retention import study_queries
from radiology.retention.model import Rule, Study, Verdict, verdict_on
from radiology.retention.rules import rules_now
from radiology.studies.actions.recompress import delete_superseded
from radiology.studies.archive import Archive

JOB = "data-subjects.erase"


async def try_out(app: App, actor: Actor, reference: str) -> list[Verdict]:
    """The verdict on each study, were it asked for now. Nothing is changed."""
    actor.must(Permission.PRIVACY)
    async with app.db.transaction() as tx:
        patient = await subject(tx, actor, reference)
        studies = await study_queries.studies_of(tx, patient.id, zone=str(app.settings.zone))
        rules = await rules_now(tx)
        await audit.record(tx, actor, "privacy.erasure-try", patient.reference, detail={"studies": len(studies)})
    return [_verdict(app, study, rules, last_copies=False) for study in studies]


async def ask(app: App, actor: Actor, reference: str, *, reason: str) -> UUID:
    """Ask that what may be erased is. Raises Conflict where the patient has no study at all."""
    actor.must(Permission.PRIVACY)
    async with app.db.transaction() as tx:
        patient, new_id = await subject(tx, actor, reference), uuid7()
        studies = await study_queries.studies_of(tx, patient.id, zone=str(app.settings.zone))
        rules = await rules_now(tx)
        if not studies:
            raise Conflict("Nothing is held of this patient that could be erased.")
        await queries.insert_erasure(
            tx, id=new_id, patient_id=patient.id, reason=reason, asked_by=actor.id, now=app.clock.now()
        )
        for study in studies:
            await queries.insert_study(tx, new_id, study.id, _verdict(app, study, rules, last_copies=False))
        detail = {"erasure": str(new_id), "studies": len(studies)}
        await audit.record(tx, actor, "privacy.erasure-ask", patient.reference, detail=detail)
    return new_id


async def decide(
    app: App, actor: Actor, reference: str, erasure_id: UUID, *, erase: bool, last_copies: bool, answer: str
) -> None:
    """Decide as the second person. Raises NotPermitted for who asked, Conflict where it was decided."""
    actor.must(Permission.PRIVACY)
    async with app.db.transaction() as tx:
        patient, erasure = await subject(tx, actor, reference), await queries.lock_erasure(tx, erasure_id)
        if erasure.patient_id != patient.id:
            raise NotFound("There is no such request for erasure.")
        if erasure.asked_by == actor.id:
            raise NotPermitted("Who asked for an erasure does not decide it: a second person must.")
        if erasure.state != "asked":
            raise Conflict(f"This request is {erasure.state} already.")
        state = "decided" if erase else "refused"
        await queries.decide(
            tx, erasure_id, state=state, last_copies=last_copies, answer=answer, by=actor.id, now=app.clock.now()
        )
        if erase:
            await _enqueue(tx, erasure_id)
        detail = {"erasure": str(erasure_id), "state": state, "lastCopies": last_copies}
        await audit.record(tx, actor, "privacy.erasure-decide", patient.reference, detail=detail)


async def _enqueue(tx: Transaction, id: UUID) -> None:
    await queries.save_job(tx, id, await jobs.enqueue(tx, JOB, {"erasure": str(id)}, lock=f"{JOB}.{id}"))


async def listed(app: App, actor: Actor, reference: str) -> bytes:
    """The requests of a patient, as JSON."""
    actor.must(Permission.PRIVACY)
    async with app.db.transaction() as tx:
        return await queries.erasures_body(tx, (await subject(tx, actor, reference)).id)


async def run(archive: Archive, arguments: Mapping[str, Any]) -> None:
    """The job: each study in a transaction of its own, judged anew, so that it goes on where it was interrupted."""
    app, erasure_id = archive.app, UUID(arguments["erasure"])
    async with app.db.transaction() as tx:
        erasure = await queries.lock_erasure(tx, erasure_id)
        studies = await queries.owed(tx, erasure_id)
    if erasure.state != "decided":
        return
    for study_id in studies:
        await _erase(app, erasure, study_id)
    async with app.db.transaction() as tx:
        erased = await queries.remove_person(tx, erasure.patient_id)
        await queries.note_done(tx, erasure_id, now=app.clock.now())
        detail = {"erasure": str(erasure_id), "person": erased}
        await audit.record(tx, SYSTEM, "privacy.erasure-done", erasure.reference, detail=detail)
    await delete_superseded(app)


async def _erase(app: App, erasure: queries.Erasure, study_id: UUID) -> None:
    async with app.db.transaction() as tx:
        study = await study_queries.lock_study(tx, study_id, zone=str(app.settings.zone))
        if study is None:
            return
        verdict = _verdict(app, study, await rules_now(tx), last_copies=erasure.last_copies)
        if not verdict.erasable:
            await queries.note_kept(tx, erasure.id, study_id, verdict)
            return
        await study_queries.remove_study(tx, study, erasure_id=erasure.id, now=app.clock.now())
        await queries.note_erased(tx, study_id, now=app.clock.now())
        await queries.remove_orders(tx, erasure.patient_id)
        detail = {"erasure": str(erasure.id), "instances": study.number_of_instances, "decidedBy": erasure.decided_by}
        await audit.record(tx, SYSTEM, "study.delete", study.study_instance_uid, detail=detail)


async def tend(app: App) -> int:
    """Have done what was decided and no job does any more. Returns how many there were."""
    async with app.db.transaction() as tx:
        left = await queries.abandoned(tx)
        for each in left:
            await _enqueue(tx, each)
    return len(left)


def _verdict(app: App, study: Study, rules: list[Rule], *, last_copies: bool) -> Verdict:
    """By the rules that keep studies; that another archive has a copy is no reason for erasing it here."""
    keeping = [rule for rule in rules if not rule.kept_elsewhere]
    today = app.clock.now().astimezone(app.settings.zone).date()
    return verdict_on(study, keeping, today=today, last_copies=last_copies)
