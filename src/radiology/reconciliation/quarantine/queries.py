"""SQL of decisions about what is held in quarantine."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from radiology.kit.db import Transaction, as_json
from radiology.reconciliation.comparing.queries import Held

MOST_AT_ONCE = 2_000
"""Of more objects of one study it is decided in several steps."""
_COLUMNS = (
    "sop_instance_uid", "series_id", "study_id", "sop_class_uid", "transfer_syntax_uid", "instance_number",
    "number_of_frames", "pixel_rows", "pixel_columns", "bits_allocated", "object_key", "size_bytes",
    "data_set_offset", "pixel_data_offset", "pixel_data_length", "data_set_sha256", "flags", "source_ae_title",
    "stored_at", "attributes",
)  # fmt: skip


async def like(tx: Transaction, held: Held) -> list[UUID]:
    """What is held open for the same reason as this, of the same study and from the same place: this one first."""
    return await tx.values(
        """
        SELECT id
        FROM quarantine
        WHERE resolved_at IS NULL
          AND (study_instance_uid, reason, facility_code, source_ae_title)
            = (%(uid)s, %(reason)s, %(facility)s, %(source)s)
        ORDER BY id <> %(id)s, received_at, id
        LIMIT %(most)s
        """,
        id=held.id,
        uid=held.study_instance_uid,
        reason=held.reason,
        facility=held.facility_code,
        source=held.source_ae_title,
        most=MOST_AT_ONCE,
    )


async def lock_open(tx: Transaction, ids: Sequence[UUID]) -> int:
    """Keep what is held from all others until the transaction ends. Returns how many of them are undecided."""
    return len(
        await tx.values(
            """
            SELECT id
            FROM quarantine
            WHERE id = ANY(%(ids)s)
              AND resolved_at IS NULL
            ORDER BY id
            FOR UPDATE
            """,
            ids=list(ids),
        )
    )


async def resolve(tx: Transaction, ids: Sequence[UUID], *, resolution: str, actor: str, at: datetime) -> None:
    """It is decided."""
    await tx.run(
        """
        UPDATE quarantine
        SET resolved_at = %(at)s, resolved_by = %(actor)s, resolution = %(resolution)s
        WHERE id = ANY(%(ids)s)
        """,
        ids=list(ids),
        resolution=resolution,
        actor=actor,
        at=at,
    )


async def series_known(tx: Transaction, uids: Sequence[str]) -> dict[str, tuple[UUID, UUID]]:
    """Series by UID: their id and that of their study."""
    rows: list[list[str]] = await tx.values(
        """
        SELECT json_build_array(series_instance_uid, id, study_id)
        FROM imaging_series
        WHERE series_instance_uid = ANY(%(uids)s)
        """,
        uids=list(uids),
    )
    return {uid: (UUID(series), UUID(study)) for uid, series, study in rows}


async def insert_series(tx: Transaction, *, id: UUID, study_id: UUID, columns: dict[str, Any]) -> None:
    """Add a series. `columns` holds every parameter below but the first two."""
    await tx.run(
        """
        INSERT INTO imaging_series (id, study_id, series_instance_uid, modality, series_description, series_number,
            laterality, protocol_name, started, body_site, dicom, sensitivity_evidence)
        VALUES (%(id)s, %(study_id)s, %(series_instance_uid)s, %(modality)s, %(series_description)s, %(series_number)s,
            %(laterality)s, %(protocol_name)s, %(started)s, %(body_site)s, %(dicom)s, %(sensitivity_evidence)s)
        """,
        id=id,
        study_id=study_id,
        **{**columns, **{name: as_json(columns[name]) for name in ("dicom", "body_site", "sensitivity_evidence")}},
    )


async def insert_instance(tx: Transaction, row: Sequence[Any], corrections: dict[str, Any] | None) -> None:
    """Add an instance: the values of `COPY_INSTANCES`, and what is served instead of what its object says."""
    await tx.run(
        """
        INSERT INTO instances (sop_instance_uid, series_id, study_id, sop_class_uid, transfer_syntax_uid,
            instance_number, number_of_frames, pixel_rows, pixel_columns, bits_allocated, object_key, size_bytes,
            data_set_offset, pixel_data_offset, pixel_data_length, data_set_sha256, flags, source_ae_title, stored_at,
            attributes, corrections)
        VALUES (%(sop_instance_uid)s, %(series_id)s, %(study_id)s, %(sop_class_uid)s, %(transfer_syntax_uid)s,
            %(instance_number)s, %(number_of_frames)s, %(pixel_rows)s, %(pixel_columns)s, %(bits_allocated)s,
            %(object_key)s, %(size_bytes)s, %(data_set_offset)s, %(pixel_data_offset)s, %(pixel_data_length)s,
            %(data_set_sha256)s, %(flags)s, %(source_ae_title)s, %(stored_at)s, %(attributes)s, %(corrections)s)
        """,
        **dict(zip(_COLUMNS, row, strict=True)),
        corrections=as_json(corrections),
    )


async def take_instead(tx: Transaction, row: Sequence[Any]) -> None:
    """Serve another object under a SOP Instance UID: the values of `COPY_INSTANCES`. Corrections stay."""
    await tx.run(
        """
        UPDATE instances
        SET sop_class_uid = %(sop_class_uid)s,
            transfer_syntax_uid = %(transfer_syntax_uid)s,
            instance_number = %(instance_number)s,
            number_of_frames = %(number_of_frames)s,
            pixel_rows = %(pixel_rows)s,
            pixel_columns = %(pixel_columns)s,
            bits_allocated = %(bits_allocated)s,
            object_key = %(object_key)s,
            size_bytes = %(size_bytes)s,
            data_set_offset = %(data_set_offset)s,
            pixel_data_offset = %(pixel_data_offset)s,
            pixel_data_length = %(pixel_data_length)s,
            data_set_sha256 = %(data_set_sha256)s,
            original_transfer_syntax_uid = NULL,
            original_pixel_data_head = NULL,
            object_sha256 = NULL,
            flags = %(flags)s,
            source_ae_title = %(source_ae_title)s,
            stored_at = %(stored_at)s,
            attributes = %(attributes)s
        WHERE sop_instance_uid = %(sop_instance_uid)s
        """,
        **dict(zip(_COLUMNS, row, strict=True)),
    )


async def hold_replaced(tx: Transaction, id: UUID, sop_instance_uid: str, *, actor: str, at: datetime) -> int:
    """The object that is served under a UID is kept as decided about, so that its bytes stay known.

    Returns 0 where it is known so already.
    """
    return await tx.run(
        """
        INSERT INTO quarantine (id, reason, detail, object_key, size_bytes, study_instance_uid, series_instance_uid,
            sop_instance_uid, data_set_sha256, source_ae_title, facility_code, received_at, resolved_at, resolved_by,
            resolution)
        SELECT %(id)s, 'conflicting_duplicate', 'Another object with this SOP Instance UID was taken instead.',
            present.object_key, present.size_bytes, study.study_instance_uid, series.series_instance_uid,
            present.sop_instance_uid, present.data_set_sha256, present.source_ae_title, study.facility_code,
            present.stored_at, %(at)s, %(actor)s, 'replaced'
        FROM instances AS present
        JOIN imaging_series AS series ON series.id = present.series_id
        JOIN imaging_studies AS study ON study.id = present.study_id
        WHERE present.sop_instance_uid = %(uid)s
        ON CONFLICT (object_key) DO NOTHING
        """,
        id=id,
        uid=sop_instance_uid,
        actor=actor,
        at=at,
    )


async def are_served(tx: Transaction, ids: Sequence[UUID]) -> bool:
    """Whether the stored object itself of one of these that are held is served."""
    return await tx.value(
        """
        SELECT EXISTS (
            SELECT FROM quarantine AS held
            JOIN instances AS present
                ON present.sop_instance_uid = held.sop_instance_uid AND present.object_key = held.object_key
            WHERE held.id = ANY(%(ids)s)
        )
        """,
        ids=list(ids),
    )


async def place_of(tx: Transaction, sop_instance_uid: str) -> tuple[str, str] | None:
    """Study and Series Instance UID of the instance that is served under a SOP Instance UID."""
    found = await tx.value(
        """
        SELECT json_build_array(study.study_instance_uid, series.series_instance_uid)
        FROM instances AS present
        JOIN imaging_series AS series ON series.id = present.series_id
        JOIN imaging_studies AS study ON study.id = present.study_id
        WHERE present.sop_instance_uid = %(uid)s
        """,
        uid=sop_instance_uid,
    )
    return None if found is None else (found[0], found[1])


async def give_reason(tx: Transaction, id: UUID, reason: str) -> None:
    """It is held for another reason from now on."""
    await tx.run("UPDATE quarantine SET reason = %(reason)s WHERE id = %(id)s", id=id, reason=reason)
