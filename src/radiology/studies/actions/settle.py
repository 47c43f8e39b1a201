"""A study is complete when nothing has come for a while: a row and a timetable, not a timer in memory."""

from radiology import events
from radiology.access.model import SYSTEM
from radiology.app import App
from radiology.modality_worklist.actions.status import close_for_study
from radiology.settings import FLUOROSCOPY, RADIOGRAPHY
from radiology.studies.queries import upkeep as queries


async def settle_studies(app: App) -> int:
    """Complete what has been quiet long enough; each study is told of once. Returns how many."""
    settings = app.settings
    async with app.db.transaction() as tx:
        settled = await queries.settle(
            tx,
            now=app.clock.now(),
            radiography_seconds=settings.quiet_period_radiography_seconds,
            fluoroscopy_seconds=settings.quiet_period_fluoroscopy_seconds,
            cross_section_seconds=settings.quiet_period_cross_section_seconds,
            radiography=sorted(RADIOGRAPHY),
            fluoroscopy=sorted(FLUOROSCOPY),
        )
        for study in settled:
            await events.emit(tx, *_events(study))
            await close_for_study(tx, SYSTEM, study.scheduled_as)
    return len(settled)


def _events(study: queries.SettledStudy) -> tuple[events.Event, events.Event]:
    facility, study_id, uid = study.facility_code, str(study.id), study.study_instance_uid
    changed = events.StudyStatusChanged(
        facility_code=facility,
        study_id=study_id,
        study_instance_uid=uid,
        from_status="in-progress",
        to_status="completed",
        trigger="quiet",
    )
    received = events.StudyReceived(
        facility_code=facility,
        study_id=study_id,
        study_instance_uid=uid,
        number_of_instances=study.number_of_instances,
    )
    return changed, received
