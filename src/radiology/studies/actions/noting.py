"""Write a rejection note beside what it rejects (IHE RAD-66), hidden with it: a crash leaves all of it or nothing.

The note is durable before the rejection is; until a row names it, it is one of the objects that are to be deleted.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from radiology.app import App
from radiology.kit.db import Transaction
from radiology.standards.dicom.uids import new_uid
from radiology.studies.actions.recompress import OLD_OBJECT_KEPT
from radiology.studies.queries import noting as queries
from radiology.studies.queries import recompress as objects
from radiology.studies.receive import Arrival, arrival_of
from radiology.studies.rejection import MEANINGS, Title
from radiology.studies.rejection_notes import Attributes, Note, NotedInstance, rejection_note_file


@dataclass(frozen=True, slots=True)
class Written:
    """A note whose bytes are durable. `uid` is its SOP Instance UID."""

    note: Note
    arrival: Arrival

    @property
    def uid(self) -> str:
        return self.note.sop_instance_uid

    def names(self, instances: Sequence[NotedInstance]) -> bool:
        """Whether it is these that it rejects."""
        return list(self.note.instances) == list(instances)


async def write(
    app: App, study_instance_uid: str, title: Title, reason: str, instances: Sequence[NotedInstance], study: Attributes
) -> Written:
    """Make a note durable. `study`: attributes of patient and study as they are served."""
    made_at = app.clock.now().astimezone(app.settings.zone)
    note = Note(study_instance_uid, new_uid(), new_uid(), title, reason or MEANINGS[title], made_at, instances)
    with app.objects.create(write_behind=False) as writer:
        writer.write(rejection_note_file(note, study))
        key = writer.take_note()
        async with app.db.transaction() as tx:
            await objects.supersede(tx, key, note.sop_instance_uid, delete_at=app.clock.now() + OLD_OBJECT_KEPT)
        await asyncio.to_thread(writer.commit)
    arrival = await asyncio.to_thread(arrival_of, app.objects, key, facility_code=app.settings.facility_code)
    return Written(note, arrival)


async def keep(tx: Transaction, written: Written, *, study_id: UUID, rejection_id: UUID) -> None:
    """Let a rejection of this transaction have its note."""
    note, arrival = written.note, written.arrival
    await queries.insert_note(
        tx,
        study_id=study_id,
        rejection_id=rejection_id,
        series_instance_uid=note.series_instance_uid,
        description=MEANINGS[note.title],
        columns={
            "sop_instance_uid": arrival.sop_instance_uid,
            "sop_class_uid": arrival.text("00080016"),
            "transfer_syntax_uid": arrival.header.transfer_syntax_uid,
            "object_key": arrival.object_key,
            "size_bytes": arrival.size_bytes,
            "data_set_offset": arrival.data_set_offset,
            "data_set_sha256": arrival.data_set_sha256,
            "stored_at": arrival.received_at,
            "attributes": arrival.header.json(),
        },
    )
    await objects.keep(tx, [arrival.object_key])
