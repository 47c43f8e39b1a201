"""What a modality says that it made, against what has come: whole, or incomplete after a quarter of an hour."""

from datetime import timedelta
from typing import Final

from radiology.access.model import SYSTEM, Role
from radiology.access.queries import who_are
from radiology.app import App
from radiology.events import TransferCompleted, TransferIncomplete, emit
from radiology.external.notifications import inbox
from radiology.external.notifications.model import Message
from radiology.kit.db import Transaction
from radiology.modality_worklist.performed_queries import (
    Comparison,
    PerformedProcedureStep,
    compare,
    lock_made_whole,
    lock_overdue,
    note_told,
    others_in_progress,
    others_missing,
)
from radiology.studies.actions.performed import complete
from radiology.studies.model import Flag, Study
from radiology.studies.queries import performed as queries
from radiology.studies.queries import read

FOLLOWED: Final = timedelta(days=30)
"""So long after its end a step is compared with what is stored."""
OVERDUE_AFTER: Final = timedelta(minutes=15)
"""So long after MPPS COMPLETED all of it should be here."""


async def follow_transfers(app: App) -> int:
    """Complete the studies whose last missing instance has come, and tell of those where it has not come in time.

    Returns how many steps that were.
    """
    return await _follow_whole(app) + await _follow_overdue(app)


async def _follow_whole(app: App) -> int:
    async with app.db.transaction() as tx:
        steps = await lock_made_whole(tx, since=app.clock.now() - FOLLOWED)
        for step in steps:
            await compare(tx, step.id)
            for uid in step.study_instance_uids:
                study = await _study_of(tx, step, uid)
                if study is None:
                    continue
                if not await others_in_progress(tx, uid, but=step.id):
                    await complete(tx, app, SYSTEM, study)
                if not await others_missing(tx, uid, but=step.id):
                    await _settle(tx, study)
    return len(steps)


async def _follow_overdue(app: App) -> int:
    now = app.clock.now()
    async with app.db.transaction() as tx:
        steps = await lock_overdue(tx, since=now - FOLLOWED, until=now - OVERDUE_AFTER)
        for step in steps:
            compared = await compare(tx, step.id)
            if not compared.number_missing:
                continue
            await note_told(tx, step.id, at=now)
            for uid in step.study_instance_uids:
                await _tell(tx, step, uid, compared)
    return len(steps)


async def _tell(tx: Transaction, step: PerformedProcedureStep, uid: str, compared: Comparison) -> None:
    study = await _study_of(tx, step, uid)
    if study is not None:
        await queries.add_flag(tx, study.id, Flag.INCOMPLETE_TRANSFER)
    await emit(
        tx,
        TransferIncomplete(
            facility_code=step.facility_code,
            study_id=str(study.id) if study else "",
            study_instance_uid=study.study_instance_uid if study else uid,
            sop_instance_uid=step.sop_instance_uid,
            number_of_instances=compared.number_of_instances,
            number_missing=compared.number_missing,
        ),
    )
    recipients = await who_are(tx, [Role.RADIOGRAPHER, Role.QA], step.facility_code)
    await inbox.place(tx, recipients, incomplete(compared, study.study_id if study else uid))


async def _settle(tx: Transaction, study: Study) -> None:
    if await queries.remove_flag(tx, study.id, Flag.INCOMPLETE_TRANSFER):
        completed = TransferCompleted(
            facility_code=study.facility_code, study_id=str(study.id), study_instance_uid=study.study_instance_uid
        )
        await emit(tx, completed)


async def _study_of(tx: Transaction, step: PerformedProcedureStep, uid: str) -> Study | None:
    study_id = await queries.study_of(tx, uid, facility_code=step.facility_code)
    return None if study_id is None else await read.lock_study(tx, study_id)


def incomplete(compared: Comparison, study: str) -> Message:
    """What those who send images are told."""
    came = compared.number_of_instances - compared.number_missing
    return Message(
        "study.transfer-incomplete",
        "Images are missing / কিছু ছবি আসেনি",
        f"The modality made {compared.number_of_instances} images of {study}, and {came} have come. "
        "Please send the study again from the modality.\n"
        f"যন্ত্রটি {study}-এর {compared.number_of_instances}টি ছবি তুলেছে, এসেছে {came}টি। অনুগ্রহ করে যন্ত্র থেকে "
        "পরীক্ষাটি আবার পাঠান।",
        f"ImagingStudy/{study}",
    )
