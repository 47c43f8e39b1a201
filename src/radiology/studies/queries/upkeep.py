"""SQL of what the worker does with studies on its timetable."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from radiology.kit.db import Transaction


@dataclass(frozen=True, slots=True)
class SettledStudy:
    """A study that has become complete."""

    id: UUID
    study_instance_uid: str
    scheduled_as: str
    facility_code: str
    number_of_instances: int


async def settle(
    tx: Transaction,
    *,
    now: datetime,
    radiography_seconds: int,
    fluoroscopy_seconds: int,
    cross_section_seconds: int,
    radiography: Sequence[str],
    fluoroscopy: Sequence[str],
) -> list[SettledStudy]:
    """Complete the studies for which nothing came during the quiet period of their modalities.

    What came from a modality that is not auto-complete waits until it says that all is there, or a person does; what
    comes after that leaves the study complete again by quiet.
    """
    return await tx.all(
        SettledStudy,
        """
        WITH quiet AS (
            SELECT id
            FROM imaging_studies
            WHERE status = 'in-progress'
              AND number_of_instances > 0
              AND last_instance_at < %(now)s - make_interval(secs => CASE
                  WHEN modalities_in_study && %(fluoroscopy)s THEN %(fluoroscopy_seconds)s
                  WHEN modalities_in_study <@ %(radiography)s THEN %(radiography_seconds)s
                  ELSE %(cross_section_seconds)s
              END)
              AND (completed IS NOT NULL OR NOT EXISTS (
                  SELECT FROM application_entities AS ae
                  JOIN instances AS i ON i.source_ae_title = ae.ae_title
                  WHERE i.study_id = imaging_studies.id
                    AND NOT ae.auto_complete
              ))
            ORDER BY last_instance_at
            LIMIT 500
            FOR UPDATE SKIP LOCKED
        ), completed AS (
            UPDATE imaging_studies
            SET status = 'completed',
                completed = %(now)s,
                version = version + 1,
                updated_at = now()
            FROM quiet
            WHERE imaging_studies.id = quiet.id
            RETURNING imaging_studies.id, study_instance_uid, facility_code, number_of_instances,
                coalesce(planned_study_instance_uid, study_instance_uid) AS scheduled_as
        ), recorded AS (
            INSERT INTO study_transitions (study_id, from_status, to_status, trigger, actor)
            SELECT id, 'in-progress', 'completed', 'quiet', 'system'
            FROM completed
        )
        SELECT id, study_instance_uid, scheduled_as, facility_code, number_of_instances
        FROM completed
        """,
        now=now,
        radiography=list(radiography),
        fluoroscopy=list(fluoroscopy),
        radiography_seconds=radiography_seconds,
        fluoroscopy_seconds=fluoroscopy_seconds,
        cross_section_seconds=cross_section_seconds,
    )


async def named_keys(tx: Transaction, folder: str, *, since: datetime, until: datetime) -> set[str]:
    """Keys of objects in a folder that a row names, among rows of this span of time and what was compressed then."""
    instances = await tx.values(
        """
        SELECT object_key
        FROM instances
        WHERE stored_at BETWEEN %(since)s AND %(until)s
          AND object_key LIKE %(folder)s || '/%%'
        UNION ALL
        SELECT object_key
        FROM instances
        WHERE original_transfer_syntax_uid IS NOT NULL
          AND object_key COLLATE "C" BETWEEN %(folder)s || '/' AND %(folder)s || '0'
        """,
        folder=folder,
        since=since,
        until=until,
    )
    held = await tx.values(
        """
        SELECT object_key FROM quarantine WHERE object_key LIKE %(folder)s || '/%%'
        UNION ALL
        SELECT object_key FROM rejected_instances WHERE object_key LIKE %(folder)s || '/%%'
        UNION ALL
        SELECT object_key FROM superseded_objects WHERE object_key LIKE %(folder)s || '/%%'
        UNION ALL
        SELECT object_key FROM instance_revisions WHERE object_key LIKE %(folder)s || '/%%'
        """,
        folder=folder,
    )
    return {*instances, *held}


async def mark(tx: Transaction, name: str) -> datetime | None:
    """Until when a repeated task has done its work."""
    return await tx.value("SELECT at FROM worker_marks WHERE name = %(name)s", name=name)


async def set_mark(tx: Transaction, name: str, at: datetime) -> None:
    """Remember until when a repeated task has done its work."""
    await tx.run(
        """
        INSERT INTO worker_marks (name, at)
        VALUES (%(name)s, %(at)s)
        ON CONFLICT (name) DO UPDATE SET at = excluded.at
        """,
        name=name,
        at=at,
    )
