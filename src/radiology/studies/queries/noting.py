"""SQL of rejection notes that are written here."""
# ruff: noqa: S608 - every piece is a literal and every value a parameter; the type checker proves it by LiteralString.

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from radiology.access.model import Actor
from radiology.errors import NotFound
from radiology.kit.db import Transaction, Where
from radiology.kit.ids import uuid7
from radiology.studies.rejection_notes import NotedInstance


@dataclass(frozen=True, slots=True)
class NoteObject:
    """Where the bytes of a note lie."""

    sop_instance_uid: str
    object_key: str


async def instances_of(
    tx: Transaction, study_id: UUID, sop_instance_uids: Sequence[str] | None = None
) -> list[NotedInstance]:
    """What a study has, or these of it, as a note names it."""
    return await tx.all(
        NotedInstance,
        """
        SELECT series.series_instance_uid, i.sop_class_uid, i.sop_instance_uid
        FROM instances AS i
        JOIN imaging_series AS series ON series.id = i.series_id
        WHERE i.study_id = %(study_id)s
          AND (%(uids)s::text[] IS NULL OR i.sop_instance_uid = ANY(%(uids)s))
        ORDER BY i.sop_instance_uid
        """,
        study_id=study_id,
        uids=None if sop_instance_uids is None else list(sop_instance_uids),
    )


async def attributes_of(tx: Transaction, study_id: UUID) -> dict[str, Any]:
    """Attributes of patient and study as they are served."""
    return await tx.value("SELECT dicom FROM imaging_studies WHERE id = %(study_id)s", study_id=study_id)


async def insert_note(
    tx: Transaction,
    *,
    study_id: UUID,
    rejection_id: UUID,
    series_instance_uid: str,
    description: str,
    columns: dict[str, Any],
) -> None:
    """A rejection note lies beside what it rejects, in a series of its own."""
    series_id = uuid7()
    await tx.run(
        """
        INSERT INTO imaging_series (id, study_id, series_instance_uid, modality, series_description, series_number)
        VALUES (%(id)s, %(study_id)s, %(uid)s, 'KO', %(description)s, 1)
        """,
        id=series_id,
        study_id=study_id,
        uid=series_instance_uid,
        description=description,
    )
    await tx.run(
        """
        INSERT INTO rejected_instances (sop_instance_uid, series_id, study_id, sop_class_uid, transfer_syntax_uid,
            object_key, size_bytes, data_set_offset, data_set_sha256, flags, source_ae_title, stored_at, attributes,
            rejection_id)
        VALUES (%(sop_instance_uid)s, %(series_id)s, %(study_id)s, %(sop_class_uid)s, %(transfer_syntax_uid)s,
            %(object_key)s, %(size_bytes)s, %(data_set_offset)s, %(data_set_sha256)s, '{}', '', %(stored_at)s,
            %(attributes)s, %(rejection_id)s)
        """,
        series_id=series_id,
        study_id=study_id,
        rejection_id=rejection_id,
        **columns,
    )


async def note_of(tx: Transaction, rejection_id: UUID, *, visible_to: Actor) -> NoteObject:
    """The note of a rejection, that was written here or that came in. Raises NotFound."""
    where = Where()
    where.add("rejection.id = {id}", id=rejection_id)
    visible_to.staff_reach.add_to_row(where, facility="rejection.facility_code", uid="rejection.study_instance_uid")
    found = await tx.maybe(
        NoteObject,
        """
        SELECT note.sop_instance_uid, note.object_key
        FROM rejections AS rejection
        JOIN (
            SELECT sop_instance_uid, object_key FROM rejected_instances
            UNION ALL
            SELECT sop_instance_uid, object_key FROM instances
        ) AS note ON note.sop_instance_uid = rejection.key_object_uid
        WHERE """
        + where.condition
        + " LIMIT 1",
        **where.parameters,
    )
    if found is None:
        raise NotFound("There is no such rejection, or it has no note.")
    return found
