"""SQL of rejection. A rejected instance is moved out of `instances`, so that no other query has to know of it.

Changes are constants, because the writer of the index does them in its thread and REST in a coroutine.
"""
# ruff: noqa: S608 - every piece is a literal and every value a parameter; the type checker proves it by LiteralString.

from dataclasses import dataclass
from datetime import datetime
from typing import Any, LiteralString
from uuid import UUID

from radiology.access.model import Actor
from radiology.errors import NotFound
from radiology.kit import pages
from radiology.kit.db import Transaction, Where, WriterTransaction
from radiology.studies.rejection import Rejection

INSTANCE_COLUMNS: LiteralString = """sop_instance_uid, series_id, study_id, sop_class_uid, transfer_syntax_uid,
    instance_number, number_of_frames, pixel_rows, pixel_columns, bits_allocated, object_key, size_bytes,
    data_set_offset, pixel_data_offset, pixel_data_length, data_set_sha256, original_transfer_syntax_uid,
    original_pixel_data_head, object_sha256, flags, source_ae_title, stored_at, attributes, corrections"""

INSERT: LiteralString = """
    INSERT INTO rejections (id, study_instance_uid, facility_code, title, category, reason, actor, key_object_uid,
        rejected_at)
    VALUES (%(id)s, %(study_instance_uid)s, %(facility_code)s, %(title)s, %(category)s, %(reason)s, %(actor)s,
        %(key_object_uid)s, %(rejected_at)s)
"""
INSERT_REFERENCES: LiteralString = """
    INSERT INTO rejection_references (rejection_id, sop_instance_uid)
    SELECT %(id)s, uid
    FROM unnest(%(sop_instance_uids)s::text[]) AS uid
"""
MOVE_OUT: LiteralString = (
    """
    WITH moved AS (
        DELETE FROM instances
        USING imaging_studies AS study, rejection_references AS named
        WHERE study.study_instance_uid = %(study_instance_uid)s
          AND named.rejection_id = %(id)s
          AND instances.study_id = study.id
          AND instances.sop_instance_uid = named.sop_instance_uid
        RETURNING instances.*
    )
    INSERT INTO rejected_instances ("""
    + INSTANCE_COLUMNS
    + """, rejection_id)
    SELECT """
    + INSTANCE_COLUMNS
    + """, %(id)s
    FROM moved
"""
)
MOVE_BACK: LiteralString = (
    """
    WITH moved AS (
        DELETE FROM rejected_instances AS rejected
        USING rejection_references AS named
        WHERE named.rejection_id = %(id)s
          AND named.in_force
          AND rejected.rejection_id = named.rejection_id
          AND rejected.sop_instance_uid = named.sop_instance_uid
        RETURNING rejected.*
    )
    INSERT INTO instances ("""
    + INSTANCE_COLUMNS
    + """)
    SELECT """
    + INSTANCE_COLUMNS
    + """
    FROM moved
"""
)
COUNT_SERIES: LiteralString = """
    UPDATE imaging_series AS series
    SET number_of_instances = (SELECT count(*) FROM instances WHERE instances.series_id = series.id),
        updated_at = now()
    FROM imaging_studies AS study
    WHERE study.study_instance_uid = %(study_instance_uid)s
      AND series.study_id = study.id
"""
COUNT_STUDY: LiteralString = """
    UPDATE imaging_studies AS study
    SET number_of_instances = counted.instances,
        size_bytes = counted.size_bytes,
        number_of_series = (
            SELECT count(*) FROM imaging_series AS series
            WHERE series.study_id = study.id AND series.number_of_instances > 0
        ),
        modalities_in_study = ARRAY(
            SELECT DISTINCT modality FROM imaging_series AS series
            WHERE series.study_id = study.id AND series.number_of_instances > 0
            ORDER BY modality
        ),
        version = version + 1,
        updated_at = now()
    FROM (
        SELECT found.id, count(instances.sop_instance_uid) AS instances,
            coalesce(sum(instances.size_bytes), 0) AS size_bytes
        FROM imaging_studies AS found
        LEFT JOIN instances ON instances.study_id = found.id
        WHERE found.study_instance_uid = %(study_instance_uid)s
        GROUP BY found.id
    ) AS counted
    WHERE study.id = counted.id
"""
HIDE: tuple[LiteralString, ...] = (MOVE_OUT, COUNT_SERIES, COUNT_STUDY)
SHOW: tuple[LiteralString, ...] = (MOVE_BACK, COUNT_SERIES, COUNT_STUDY)

WITHDRAW: LiteralString = """
    INSERT INTO rejection_withdrawals (rejection_id, reason, actor, withdrawn_at)
    VALUES (%(id)s, %(reason)s, %(actor)s, %(withdrawn_at)s)
"""
END_REFERENCES: LiteralString = """
    UPDATE rejection_references
    SET in_force = false
    WHERE rejection_id = %(id)s
"""

BODY: LiteralString = """json_strip_nulls(json_build_object(
        'id', rejection.id, 'studyInstanceUID', rejection.study_instance_uid, 'facilityCode', rejection.facility_code,
        'title', rejection.title, 'category', rejection.category, 'reason', rejection.reason,
        'actor', rejection.actor, 'keyObjectUID', rejection.key_object_uid, 'rejectedAt', rejection.rejected_at,
        'instances', (
            SELECT coalesce(json_agg(named.sop_instance_uid ORDER BY named.sop_instance_uid), '[]')
            FROM rejection_references AS named
            WHERE named.rejection_id = rejection.id
        ),
        'withdrawal', CASE WHEN withdrawal.rejection_id IS NOT NULL THEN json_build_object(
            'reason', withdrawal.reason, 'actor', withdrawal.actor, 'withdrawnAt', withdrawal.withdrawn_at) END
    ))"""
_FROM: LiteralString = """
    FROM rejections AS rejection
    LEFT JOIN rejection_withdrawals AS withdrawal ON withdrawal.rejection_id = rejection.id
    WHERE """


def parameters(rejection: Rejection, at: datetime) -> dict[str, Any]:
    """What INSERT, INSERT_REFERENCES and HIDE need."""
    return {
        "id": rejection.id,
        "study_instance_uid": rejection.study_instance_uid,
        "facility_code": rejection.facility_code,
        "title": rejection.title,
        "category": rejection.category,
        "reason": rejection.reason,
        "actor": rejection.actor,
        "key_object_uid": rejection.key_object_uid,
        "rejected_at": at,
        "sop_instance_uids": list(rejection.sop_instance_uids),
    }


@dataclass(frozen=True, slots=True)
class RejectedStudy:
    """A study of which something is to be rejected."""

    id: UUID
    study_instance_uid: str
    facility_code: str
    final_reports: int


STUDIES: LiteralString = """
    SELECT study.id, study.study_instance_uid, study.facility_code, (
            SELECT count(*) FROM radiology_reports AS report
            WHERE report.study_id = study.id AND report.status IN ('final', 'amended', 'corrected', 'appended')
        ) AS final_reports
    FROM imaging_studies AS study
    WHERE study.study_instance_uid = ANY(%(uids)s)
      AND (%(of_patient_in)s::text IS NULL
        OR study.patient_id = (SELECT patient_id FROM imaging_studies WHERE study_instance_uid = %(of_patient_in)s))
    FOR NO KEY UPDATE OF study
"""


def rejected_uids(tx: WriterTransaction, uids: list[str]) -> dict[str, str]:
    """Which of these SOP Instance UIDs are rejected, with the title of the newest rejection."""
    rows = tx.values(
        """
        SELECT json_build_array(named.sop_instance_uid, rejection.title)
        FROM rejection_references AS named
        JOIN rejections AS rejection ON rejection.id = named.rejection_id
        WHERE named.in_force
          AND named.sop_instance_uid = ANY(%(uids)s)
        ORDER BY rejection.rejected_at
        """,
        uids=uids,
    )
    return dict(rows)


def store_anew(tx: WriterTransaction, sop_instance_uid: str) -> None:
    """What was rejected for its age may come again: the old rejection no longer holds for this UID."""
    tx.run(
        """
        UPDATE rejection_references
        SET in_force = false
        WHERE sop_instance_uid = %(uid)s
          AND in_force
        """,
        uid=sop_instance_uid,
    )


def is_trusted(tx: WriterTransaction, ae_title: str) -> bool:
    """Whether key objects of this application entity reject."""
    return bool(
        tx.value(
            """
            SELECT trusted_for_rejection AND enabled
            FROM application_entities
            WHERE ae_title = %(ae_title)s
            """,
            ae_title=ae_title,
        )
    )


async def instances_to_reject(tx: Transaction, study_id: UUID, *, series: list[str], instances: list[str]) -> list[str]:
    """SOP Instance UIDs of a study that was resolved: those of some series and these; all where neither is named.

    Raises NotFound where one is not there.
    """
    found: list[str] = await tx.values(
        """
        SELECT instances.sop_instance_uid
        FROM instances
        JOIN imaging_series AS series ON series.id = instances.series_id
        WHERE instances.study_id = %(study_id)s
          AND (%(all)s OR series.series_instance_uid = ANY(%(series)s)
            OR instances.sop_instance_uid = ANY(%(instances)s))
        ORDER BY instances.sop_instance_uid
        """,
        study_id=study_id,
        all=not series and not instances,
        series=series,
        instances=instances,
    )
    if not found or set(instances) - set(found):
        raise NotFound("The study has no such instances. Name series and instances that it has.")
    return found


async def lock_rejection(tx: Transaction, rejection_id: UUID, *, visible_to: Actor) -> tuple[str, str] | None:
    """Study Instance UID and facility of a rejection that holds; None where it was withdrawn. Raises NotFound."""
    where = _visible(visible_to)
    where.add("rejection.id = {id}", id=rejection_id)
    row = await tx.value(
        "SELECT json_build_array(rejection.study_instance_uid, rejection.facility_code, withdrawal.actor)"
        + _FROM
        + where.condition
        + " FOR UPDATE OF rejection",
        **where.parameters,
    )
    if row is None:
        raise NotFound("There is no such rejection.")
    return None if row[2] is not None else (row[0], row[1])


async def rejection_body(tx: Transaction, rejection_id: UUID, *, zone: str) -> bytes:
    """A rejection as JSON; moments in this zone."""
    return await tx.json(
        "WITH shown AS MATERIALIZED (SELECT set_config('TimeZone', %(zone)s, true)) SELECT "
        + BODY
        + "::text FROM shown, rejections AS rejection"
        + " LEFT JOIN rejection_withdrawals AS withdrawal ON withdrawal.rejection_id = rejection.id"
        + " WHERE rejection.id = %(id)s",
        id=rejection_id,
        zone=zone,
    )


async def rejections(
    tx: Transaction,
    *,
    visible_to: Actor,
    study_instance_uid: str | None,
    after: tuple[datetime, UUID] | None,
    limit: int,
    zone: str,
) -> tuple[bytes, str | None]:
    """One page of rejections as a JSON array, the newest first, and the cursor of the page behind it."""
    where = _visible(visible_to)
    if study_instance_uid is not None:
        where.add("rejection.study_instance_uid = {uid}", uid=study_instance_uid)
    if after is not None:
        where.add("(rejection.rejected_at, rejection.id) < ({moment}, {id})", moment=after[0], id=after[1])
    await tx.run("SELECT set_config('TimeZone', %(zone)s, true)", zone=zone)
    rows = await tx.values(
        "SELECT json_build_array("
        + BODY
        + ", rejection.rejected_at AT TIME ZONE 'UTC', rejection.id)::text"
        + _FROM
        + where.condition
        + " ORDER BY rejection.rejected_at DESC, rejection.id DESC LIMIT %(limit)s",
        limit=limit + 1,
        **where.parameters,
    )
    return pages.page(rows, limit=limit)


def _visible(visible_to: Actor) -> Where:
    where = Where()
    visible_to.staff_reach.add_to_row(where, facility="rejection.facility_code", uid="rejection.study_instance_uid")
    return where
