"""SQL of objects that come again with another header."""

from dataclasses import dataclass
from uuid import UUID

from radiology.kit.db import WriterTransaction
from radiology.studies.receive import Arrival


@dataclass(frozen=True, slots=True)
class Before:
    """The object that is served so far. `earlier` are the digests of those before it."""

    object_key: str
    size_bytes: int
    transfer_syntax_uid: str
    pixel_data_offset: int | None
    pixel_data_length: int | None
    data_set_sha256: bytes
    source_ae_title: str
    attributes: bytes
    earlier: list[bytes]


def before(tx: WriterTransaction, sop_instance_uid: str) -> Before | None:
    """The object of an instance; None where it is not the one received, or one that copies share."""
    found = tx.all(
        Before,
        """
        SELECT object_key, size_bytes, transfer_syntax_uid, pixel_data_offset, pixel_data_length, data_set_sha256,
            source_ae_title, attributes, ARRAY(
                SELECT revision.data_set_sha256
                FROM instance_revisions AS revision
                WHERE revision.sop_instance_uid = instances.sop_instance_uid
            ) AS earlier
        FROM instances
        WHERE sop_instance_uid = %(uid)s
          AND original_transfer_syntax_uid IS NULL
          AND corrections IS NULL
        FOR NO KEY UPDATE
        """,
        uid=sop_instance_uid,
    )
    return found[0] if found else None


def replace(tx: WriterTransaction, arrival: Arrival, *, pixel_data_offset: int | None) -> None:
    """Serve another object for an instance, and keep the one before."""
    tx.run(
        """
        WITH kept AS (
            INSERT INTO instance_revisions (object_key, sop_instance_uid, study_id, size_bytes, data_set_sha256,
                source_ae_title, stored_at, replaced_at, attributes)
            SELECT object_key, sop_instance_uid, study_id, size_bytes, data_set_sha256, source_ae_title, stored_at,
                %(at)s, attributes
            FROM instances
            WHERE sop_instance_uid = %(uid)s
        )
        UPDATE instances
        SET object_key = %(object_key)s,
            size_bytes = %(size_bytes)s,
            data_set_offset = %(data_set_offset)s,
            pixel_data_offset = %(pixel_data_offset)s,
            data_set_sha256 = %(data_set_sha256)s,
            flags = %(flags)s,
            stored_at = %(at)s,
            attributes = %(attributes)s
        WHERE sop_instance_uid = %(uid)s
        """,
        uid=arrival.sop_instance_uid,
        object_key=arrival.object_key,
        size_bytes=arrival.size_bytes,
        data_set_offset=arrival.data_set_offset,
        pixel_data_offset=pixel_data_offset,
        data_set_sha256=arrival.data_set_sha256,
        flags=arrival.flags,
        at=arrival.received_at,
        attributes=arrival.header.json(),
    )


def count(tx: WriterTransaction, study_id: UUID, *, grown_bytes: int) -> None:
    """A study has another header than before: it is a new version of it."""
    tx.run(
        """
        UPDATE imaging_studies
        SET size_bytes = size_bytes + %(grown_bytes)s,
            version = version + 1,
            updated_at = now()
        WHERE id = %(study_id)s
        """,
        study_id=study_id,
        grown_bytes=grown_bytes,
    )
