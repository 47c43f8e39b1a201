"""Draw reports for review as they become final."""

from typing import Final
from uuid import UUID

from radiology.app import App
from radiology.events import ReportFinalized
from radiology.kit import outbox
from radiology.kit.db import Transaction
from radiology.kit.ids import uuid7
from radiology.quality.peer_review import queries
from radiology.quality.peer_review.model import Review, Sampling, State, drawn_for

READER: Final = "peer-review"


async def follow_events(app: App) -> int:
    """Draw from what became final since the last time; returns how many. Mark and reviews are one transaction."""
    settings = app.settings
    sampling = Sampling(settings.peer_review_percent, settings.peer_review_first, settings.peer_review_seed)
    async with app.db.transaction() as tx:
        events = await outbox.next_for(tx, READER)
        if not events:
            return 0
        final = [event for event in events if event.type == ReportFinalized.type]
        count = sum([await _draw(tx, sampling, UUID(event.body["report_id"])) for event in final])
        await outbox.had(tx, READER, events[-1].position)
    return count


async def _draw(tx: Transaction, sampling: Sampling, report_id: UUID) -> bool:
    found = await queries.final(tx, report_id)
    reason = drawn_for(report_id, found.number, sampling) if found else None
    if found is None or reason is None:
        return False
    review = Review(
        id=uuid7(),
        report_id=found.report_id,
        study_id=found.study_id,
        facility_code=found.facility_code,
        modality=found.modality,
        reader=found.reader,
        practitioner=found.practitioner,
        involved=sorted(set(found.involved)),
        drawn_for=reason,
        final_at=found.final_at,
        state=State.WAITING,
    )
    return await queries.insert(tx, review)
