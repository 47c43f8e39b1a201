"""SQL of what decides how long a study is kept, and of its removal."""
# ruff: noqa: S608 - every piece is a literal and every value a parameter; the type checker proves it by LiteralString.

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, LiteralString
from uuid import UUID

from radiology.kit.db import Transaction
from radiology.retention.model import Study

_ALL_INSTANCES: LiteralString = """(
            SELECT sop_instance_uid, size_bytes FROM instances AS i WHERE i.study_id = s.id
            UNION ALL
            SELECT sop_instance_uid, size_bytes FROM rejected_instances AS r WHERE r.study_id = s.id
        )"""

_STUDIES: LiteralString = (
    """
    SELECT s.id, s.study_instance_uid, s.study_date, s.modalities_in_study AS modalities, s.sensitive_classes,
        s.number_of_instances, s.facility_code, s.procedure_codes,
        greatest(coalesce(s.study_date, (s.created_at AT TIME ZONE %(zone)s)::date), (
            SELECT max(coalesce(r.issued, r.updated_at) AT TIME ZONE %(zone)s)::date
            FROM radiology_reports AS r
            WHERE r.study_id = s.id
        )) AS last_used_on,
        coalesce(nullif(p.birth_date, ''), s.patient_birth_date) AS birth_date,
        concat_ws(' ', s.study_description, s.procedure_code::text, s.reason_code::text,
            array_to_string(s.flags, ' '), (
            SELECT string_agg(concat_ws(' ', e.series_description, e.protocol_name), ' ')
            FROM imaging_series AS e
            WHERE e.study_id = s.id
        ), (
            SELECT string_agg(r.code::text, ' ')
            FROM radiology_reports AS r
            WHERE r.study_id = s.id
        )) AS texts,
        EXISTS (
            SELECT FROM legal_holds AS h
            WHERE h.patient_id = s.patient_id
              AND h.lifted_at IS NULL
              AND (h.study_instance_uid IS NULL OR h.study_instance_uid = s.study_instance_uid)
        ) AS held,
        EXISTS (
            SELECT FROM radiology_reports AS r
            WHERE r.study_id = s.id
              AND r.status IN ('registered', 'partial', 'preliminary')
        ) OR EXISTS (
            SELECT FROM moves AS m
            WHERE m.study_id = s.id
              AND m.status IN ('queued', 'running', 'waiting')
        ) OR EXISTS (
            SELECT FROM deliveries AS d
            WHERE d.study_id = s.id
              AND d.state IN ('waiting', 'sending')
        ) AS in_use,
        EXISTS (
            SELECT FROM """
    + _ALL_INSTANCES
    + """ AS held_here
            WHERE NOT EXISTS (
                SELECT FROM commitment_outcomes AS c
                WHERE c.sop_instance_uid = held_here.sop_instance_uid
                  AND c.outcome = 'committed'
            )
        ) AS is_last_copy,
        (
            SELECT coalesce(sum(held_here.size_bytes), 0)::bigint
            FROM """
    + _ALL_INSTANCES
    + """ AS held_here
        ) AS size_bytes,
        EXISTS (SELECT FROM retention_marks AS mark WHERE mark.study_id = s.id) AS marked_permanent,
        coalesce(s.match = 'probable', false)
            OR s.flags && ARRAY['identity_review', 'wrong_worklist_entry', 'uid_mismatch']
            OR EXISTS (
                SELECT FROM quarantine AS q
                WHERE q.study_instance_uid = s.study_instance_uid
                  AND q.resolved_at IS NULL
            ) AS unconfirmed,
        EXISTS (SELECT FROM damaged_objects AS d WHERE d.study_id = s.id AND d.state = 'open') AS damaged
    FROM imaging_studies AS s
    JOIN patients AS p ON p.id = s.patient_id
    WHERE """
)


async def studies_of(tx: Transaction, patient_id: UUID, *, zone: str) -> list[Study]:
    """What decides about each study of a patient, oldest first."""
    statement: LiteralString = (
        _STUDIES + "s.patient_id = %(id)s ORDER BY s.study_date NULLS FIRST, s.study_instance_uid"
    )
    return await tx.all(Study, statement, id=patient_id, zone=zone)


async def study(tx: Transaction, study_id: UUID, *, zone: str) -> Study:
    """The same of one study. Raises NotFound."""
    return await tx.one(Study, _STUDIES + "s.id = %(id)s", id=study_id, zone=zone)


async def lock_study(tx: Transaction, study_id: UUID, *, zone: str) -> Study | None:
    """The same of one study, which is kept from all others until the transaction ends; None where it is gone."""
    await tx.run("SELECT FROM imaging_studies WHERE id = %(id)s FOR UPDATE", id=study_id)
    return await tx.maybe(Study, _STUDIES + "s.id = %(id)s", id=study_id, zone=zone)


async def older(
    tx: Transaction, *, than: date, after: UUID | None, facilities: Sequence[str] | None, limit: int, zone: str
) -> list[Study]:
    """Studies with images of before a day that no removal is about, in the order of their ids behind `after`."""
    statement: LiteralString = (
        _STUDIES
        + """s.number_of_instances > 0
          AND coalesce(s.study_date, s.created_at::date) <= %(than)s
          AND (%(after)s::uuid IS NULL OR s.id > %(after)s)
          AND (%(facilities)s::text[] IS NULL OR s.facility_code = ANY(%(facilities)s))
          AND NOT EXISTS (
              SELECT FROM retention_items AS item
              WHERE item.study_id = s.id
                AND item.state IN ('proposed', 'approved', 'binned')
          )
        ORDER BY s.id
        LIMIT %(limit)s"""
    )
    named = None if facilities is None else list(facilities)
    return await tx.all(Study, statement, than=than, after=after, facilities=named, limit=limit, zone=zone)


# --- The removal ------------------------------------------------------------------------------------------------------

#: A key that a row of another study names stays, however it came to be shared.
_OBJECTS: LiteralString = """
    INSERT INTO superseded_objects (object_key, sop_instance_uid, delete_at)
    SELECT gone.object_key, min(gone.sop_instance_uid), timestamptz '-infinity'
    FROM (
        SELECT object_key, sop_instance_uid FROM instances WHERE study_id = %(study_id)s
        UNION ALL
        SELECT object_key, sop_instance_uid FROM rejected_instances WHERE study_id = %(study_id)s
        UNION ALL
        SELECT object_key, sop_instance_uid FROM instance_revisions WHERE study_id = %(study_id)s
        UNION ALL
        SELECT object_key, sop_instance_uid FROM quarantine WHERE study_instance_uid = %(uid)s
        UNION ALL
        SELECT old.object_key, old.sop_instance_uid
        FROM superseded_objects AS old
        JOIN instances AS i ON i.sop_instance_uid = old.sop_instance_uid
        WHERE i.study_id = %(study_id)s
    ) AS gone
    GROUP BY gone.object_key
    ON CONFLICT (object_key) DO UPDATE SET delete_at = excluded.delete_at
    """

_TOMBSTONES: LiteralString = """
    INSERT INTO tombstones (uid_sha256, kind, erasure_id, retention_batch_id, erased_at)
    SELECT sha256(convert_to(uid, 'UTF8')), kind, %(erasure_id)s, %(batch_id)s, %(now)s
    FROM (
        SELECT %(uid)s AS uid, 'study' AS kind
        UNION ALL
        SELECT series_instance_uid, 'series' FROM imaging_series WHERE study_id = %(study_id)s
        UNION ALL
        SELECT sop_instance_uid, 'instance' FROM instances WHERE study_id = %(study_id)s
        UNION ALL
        SELECT sop_instance_uid, 'instance' FROM rejected_instances WHERE study_id = %(study_id)s
        UNION ALL
        SELECT report_id, 'report' FROM radiology_reports WHERE study_id = %(study_id)s
    ) AS erased
    ON CONFLICT (uid_sha256) DO NOTHING
    """

#: An order goes with the last of its studies, where no worklist item of it waits either.
_ORDER: LiteralString = """
    DELETE FROM orders AS o
    USING imaging_studies AS gone
    WHERE gone.id = %(study_id)s
      AND o.id = CASE
          WHEN gone.service_request ~ '^ServiceRequest/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$'
          THEN split_part(gone.service_request, '/', 2)::uuid
      END
      AND NOT EXISTS (
          SELECT FROM imaging_studies AS s WHERE s.service_request = gone.service_request AND s.id <> gone.id
          UNION ALL
          SELECT FROM scheduled_procedure_steps AS w WHERE w.service_request = gone.service_request
      )
    """

#: In the order in which nothing refers any more to what goes. Objects are named before their instances go, so that
#: recovery never takes one of them for lost.
_REMOVALS: tuple[LiteralString, ...] = (
    _OBJECTS,
    _TOMBSTONES,
    "DELETE FROM report_versions WHERE report_id IN (SELECT id FROM radiology_reports WHERE study_id = %(study_id)s)",
    "DELETE FROM study_links WHERE study_instance_uid = %(uid)s",
    "DELETE FROM radiology_reports WHERE study_id = %(study_id)s",
    "DELETE FROM film_orders WHERE study_id = %(study_id)s",
    "DELETE FROM moves WHERE study_id = %(study_id)s",
    "DELETE FROM deliveries WHERE study_id = %(study_id)s",
    "DELETE FROM prefetches WHERE study_instance_uid = %(uid)s",
    "DELETE FROM prefetched_studies WHERE study_instance_uid = %(uid)s",
    (
        "DELETE FROM care_relations AS c WHERE study_instance_uid = %(uid)s"
        " AND NOT EXISTS (SELECT FROM break_glass_uses AS u WHERE u.relation_id = c.id)"
    ),
    "DELETE FROM scheduled_procedure_steps WHERE study_instance_uid = %(uid)s",
    (
        "DELETE FROM performed_step_messages WHERE sop_instance_uid IN"
        " (SELECT sop_instance_uid FROM performed_procedure_steps WHERE study_instance_uids <@ ARRAY[%(uid)s])"
    ),
    "DELETE FROM performed_procedure_steps WHERE study_instance_uids <@ ARRAY[%(uid)s]",
    "DELETE FROM rejected_instances WHERE study_id = %(study_id)s",
    "DELETE FROM availability_notices WHERE study_instance_uid = %(uid)s",
    (
        "DELETE FROM rejection_references WHERE rejection_id IN"
        " (SELECT id FROM rejections WHERE study_instance_uid = %(uid)s)"
    ),
    (
        "DELETE FROM rejection_withdrawals WHERE rejection_id IN"
        " (SELECT id FROM rejections WHERE study_instance_uid = %(uid)s)"
    ),
    "DELETE FROM rejections WHERE study_instance_uid = %(uid)s",
    "DELETE FROM quarantine WHERE study_instance_uid = %(uid)s",
    "DELETE FROM damaged_objects WHERE study_id = %(study_id)s",
    "DELETE FROM repairs WHERE study_instance_uids @> ARRAY[%(uid)s::text]",
    _ORDER,
    "DELETE FROM imaging_studies WHERE id = %(study_id)s",
    "DELETE FROM hl7_deliveries WHERE %(uid)s = ANY(study_instance_uids)",
    """
    UPDATE hl7_messages
    SET content = '', corrected = NULL, effects = '{}', study_instance_uids = '{}', sentence = ''
    WHERE %(uid)s = ANY(study_instance_uids)
    """,
)


async def remove_study(
    tx: Transaction, removed: Study, *, now: datetime, erasure_id: UUID | None = None, batch_id: UUID | None = None
) -> int:
    """Remove a study that is locked, by an erasure or by a batch: its rows at once, its files by the worker.

    Returns how many objects that is about.
    """
    parameters: dict[str, Any] = {
        "study_id": removed.id, "uid": removed.study_instance_uid, "erasure_id": erasure_id, "batch_id": batch_id,
        "now": now,
    }  # fmt: skip
    touched = [await tx.run(removal, **parameters) for removal in _REMOVALS]
    return touched[0]


_REMOVALS_OF_IMAGES: tuple[LiteralString, ...] = (
    """
    INSERT INTO superseded_objects (object_key, sop_instance_uid, delete_at)
    SELECT object_key, min(sop_instance_uid), timestamptz '-infinity'
    FROM (
        SELECT object_key, sop_instance_uid FROM rejected_instances WHERE rejection_id = %(rejection_id)s
        UNION ALL
        SELECT v.object_key, v.sop_instance_uid
        FROM instance_revisions AS v
        JOIN rejected_instances AS r ON r.sop_instance_uid = v.sop_instance_uid
        WHERE r.rejection_id = %(rejection_id)s
    ) AS gone
    GROUP BY object_key
    ON CONFLICT (object_key) DO UPDATE SET delete_at = excluded.delete_at
    """,
    """
    DELETE FROM instance_revisions AS v
    USING rejected_instances AS r
    WHERE r.sop_instance_uid = v.sop_instance_uid
      AND r.rejection_id = %(rejection_id)s
    """,
    "DELETE FROM rejected_instances WHERE rejection_id = %(rejection_id)s",
    "UPDATE rejection_references SET in_force = false WHERE rejection_id = %(rejection_id)s",
)


async def remove_images(tx: Transaction, rejection_id: UUID) -> int:
    """Remove what one rejection hides; study, series and reports stay, and the images may come again.

    Returns how many objects that is about.
    """
    touched = [await tx.run(removal, rejection_id=rejection_id) for removal in _REMOVALS_OF_IMAGES]
    return touched[0]
