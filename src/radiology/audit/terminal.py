"""`radi audit`: the record for a person at a terminal."""

from zoneinfo import ZoneInfo

from radiology.access.model import SYSTEM
from radiology.app import App
from radiology.audit import actions, sealing, search, texts, verifying
from radiology.audit.search import Criteria
from radiology.errors import NotFound


async def verify(app: App, *, from_checkpoint: bool) -> tuple[list[str], bool]:
    """Verify the chain; what is said of it, and whether it holds."""
    await sealing.seal_arrivals(app)
    verdict = await verifying.verify(app, from_checkpoint=from_checkpoint)
    await verifying.tell(app, verdict)
    await sealing.seal_arrivals(app)
    if verdict.broken is not None:
        sound = f"{verdict.records} records from {verdict.first} on are as they were sealed."
        return [f"{verdict.broken.kind.value.upper()}: {verdict.broken.sentence}", sound], False
    if not verdict.records:
        return ["There is no record to verify."], True
    said = f"{verdict.records} records, {verdict.first} to {verdict.last}, are as they were sealed."
    return [said, f"The hash of record {verdict.last} is {verdict.last_hash.hex()}."], True


async def who_saw(app: App, reference: str, *, language: texts.Language, limit: int) -> list[str]:
    """Who saw or did what with what is held of a patient, newest first. Raises NotFound."""
    async with app.db.transaction() as tx:
        patient = await search.find_patient(tx, reference)
        if patient is None:
            raise NotFound(f"There is no patient {reference}.")
        records = await search.find(tx, Criteria(patient=patient, limit=limit))
        await actions.record(tx, SYSTEM, "audit.who-saw", patient)
    zone: ZoneInfo = app.settings.zone
    return [
        f"{record.occurred_at.astimezone(zone):%Y-%m-%d %H:%M:%S}  {texts.who(record, language)} "
        f"({record.actor_display or record.actor}): {texts.what(record, language)}"
        + (f"  {record.study_instance_uid}" if record.study_instance_uid else "")
        for record in records[:limit]
    ]
