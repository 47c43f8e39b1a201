"""Look again at a signed report whose images changed, and find that nothing of it changes."""

from radiology.access.model import Actor
from radiology.app import App
from radiology.audit import actions as audit
from radiology.errors import Conflict, StaleVersion
from radiology.events import ReportReviewed, emit
from radiology.practitioners import actions as practitioners
from radiology.reports import queries as reports
from radiology.reports.actions import must_be_settled
from radiology.reports.outdated import model, queries
from radiology.reports.outdated.following import event


async def review(app: App, actor: Actor, report: str, *, comment: str, instances: int | None) -> tuple[int, bytes]:
    """Sign that a report stays as it is; returns its version and body. Whoever may approve it may do this.

    `instances` is how many changed images the reviewer knows of. Raises Conflict where nobody has to look again,
    StaleVersion where more has changed meanwhile, NotPermitted.
    """
    practitioners.must_hold_approval(actor)
    standing = await practitioners.standing_of(app, actor)
    async with app.db.transaction() as tx:
        report_id = await reports.resolve(tx, report, visible_to=actor.beyond_reading)
        signed = await reports.load_report(tx, report_id, lock=True)
        task = await queries.lock_open(tx, report_id)
        if task is None:
            raise Conflict("The report is not outdated: no image came or was rejected since it was signed.")
        if instances is not None and instances != task.instances:
            raise StaleVersion(f"By now {task.instances} images have changed. Look at them all and decide anew.")
        await practitioners.must_approve(tx, app, standing, signed.facility_code, signed.modalities)
        must_be_settled(signed)
        now, sha256 = app.clock.now(), await reports.last_hash(tx, report_id) or b""
        signature = model.signature(task, sha256=sha256, by=actor.id, at=now, comment=comment)
        await queries.save_review(tx, task.id, by=actor.id, at=now, comment=comment, signature=signature)
        await queries.note_in_studies(tx, [task.study_id])
        detail = {"resolution": "reviewed-no-change", "instances": task.instances, "signature": signature.hex()}
        await audit.record(tx, actor, "report.review-outdated", str(report_id), detail=detail)
        await emit(tx, ReportReviewed(**event(task)))
        return signed.version, await reports.report_body(tx, report_id, zone=app.settings.time_zone)
