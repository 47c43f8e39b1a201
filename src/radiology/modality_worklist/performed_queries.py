"""SQL of performed procedure steps."""

# ruff: noqa: S608 - every piece is a literal and every value a parameter; the type checker proves it by LiteralString.

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson

from radiology.access.model import Actor
from radiology.kit.db import Transaction, Where, as_json
from radiology.modality_worklist.model import ScheduledProcedureStep
from radiology.modality_worklist.performed import PerformedInstance, ScheduledReference
from radiology.modality_worklist.queries import COLUMNS


@dataclass(frozen=True, slots=True)
class PerformedProcedureStep:
    """One performed procedure step as it is stored."""

    id: UUID
    sop_instance_uid: str
    facility_code: str
    status: str
    study_instance_uids: list[str]
    attributes: dict[str, Any]


async def insert(tx: Transaction, columns: dict[str, Any]) -> bool:
    """Add a step; False where its SOP Instance UID is there already. `columns` holds every parameter below."""
    added = await tx.run(
        """
        INSERT INTO performed_procedure_steps (id, sop_instance_uid, facility_code, source_ae_title, status,
            study_instance_uids, modality, started_at, attributes)
        VALUES (%(id)s, %(sop_instance_uid)s, %(facility_code)s, %(source_ae_title)s, %(status)s,
            %(study_instance_uids)s, %(modality)s, %(started_at)s, %(attributes)s)
        ON CONFLICT (sop_instance_uid) DO NOTHING
        """,
        **{**columns, "attributes": storable(columns["attributes"])},
    )
    return added == 1


async def lock(tx: Transaction, sop_instance_uid: str, *, facility_code: str) -> PerformedProcedureStep | None:
    """A step of a facility, kept from all others until the transaction ends."""
    return await tx.maybe(
        PerformedProcedureStep,
        """
        SELECT id, sop_instance_uid, facility_code, status, study_instance_uids, attributes
        FROM performed_procedure_steps
        WHERE sop_instance_uid = %(uid)s
          AND facility_code = %(facility_code)s
        FOR UPDATE
        """,
        uid=sop_instance_uid,
        facility_code=facility_code,
    )


async def is_seen(tx: Transaction, step_id: UUID, *, visible_to: Actor) -> bool:
    """Whether somebody sees the studies of a step, all of them in full."""
    where = Where(["f.id = %(step_id)s"], {"step_id": step_id})
    visible_to.staff_reach.add_to_row(where, facility="f.facility_code", uid="ANY(f.study_instance_uids)")
    return await tx.value(
        "SELECT EXISTS (SELECT FROM performed_procedure_steps AS f WHERE " + where.condition + ")", **where.parameters
    )


async def save(
    tx: Transaction,
    step_id: UUID,
    *,
    status: str,
    attributes: dict[str, Any],
    ended_at: datetime | None,
    received_end_at: datetime | None,
    discontinuation_code: str | None,
) -> None:
    """What an N-SET made of a step that is locked."""
    await tx.run(
        """
        UPDATE performed_procedure_steps
        SET status = %(status)s,
            attributes = %(attributes)s,
            ended_at = %(ended_at)s,
            received_end_at = %(received_end_at)s,
            discontinuation_code = %(discontinuation_code)s,
            updated_at = now()
        WHERE id = %(step_id)s
        """,
        step_id=step_id,
        status=status,
        attributes=storable(attributes),
        ended_at=ended_at,
        received_end_at=received_end_at,
        discontinuation_code=discontinuation_code,
    )


def storable(attributes: dict[str, Any]) -> Any:
    """As jsonb, which cannot hold U+0000."""
    return as_json(orjson.loads(orjson.dumps(attributes).replace(b"\\u0000", b"\\ufffd")))


async def replace_instances(tx: Transaction, step_id: UUID, instances: Sequence[PerformedInstance]) -> None:
    """The instances that a step references, all of them anew."""
    await tx.run("DELETE FROM performed_instances WHERE performed_step_id = %(step_id)s", step_id=step_id)
    await tx.run(
        """
        INSERT INTO performed_instances (performed_step_id, series_instance_uid, sop_class_uid, sop_instance_uid)
        SELECT %(step_id)s, series, class, instance
        FROM unnest(%(series)s::text[], %(classes)s::text[], %(instances)s::text[]) AS made (series, class, instance)
        """,
        step_id=step_id,
        series=[instance.series_instance_uid for instance in instances],
        classes=[instance.sop_class_uid for instance in instances],
        instances=[instance.sop_instance_uid for instance in instances],
    )


async def missing_instances(tx: Transaction, step_id: UUID) -> list[str]:
    """SOP Instance UIDs that a step references and that are not stored, at most 1,000."""
    return await tx.values(
        """
        SELECT made.sop_instance_uid
        FROM performed_instances AS made
        LEFT JOIN instances USING (sop_instance_uid)
        WHERE made.performed_step_id = %(step_id)s
          AND instances.sop_instance_uid IS NULL
        ORDER BY made.sop_instance_uid
        LIMIT 1000
        """,
        step_id=step_id,
    )


@dataclass(frozen=True, slots=True)
class Comparison:
    """How many instances a step references, and how many of them are not stored."""

    number_of_instances: int
    number_missing: int


async def compare(tx: Transaction, step_id: UUID) -> Comparison:
    """Compare what a step says it made with what is stored, and keep the result."""
    return await tx.one(
        Comparison,
        """
        UPDATE performed_procedure_steps
        SET number_of_instances = made.number,
            number_missing = made.missing,
            updated_at = now()
        FROM (
            SELECT count(*) AS number, count(*) FILTER (WHERE instances.sop_instance_uid IS NULL) AS missing
            FROM performed_instances
            LEFT JOIN instances USING (sop_instance_uid)
            WHERE performed_step_id = %(step_id)s
        ) AS made
        WHERE id = %(step_id)s
        RETURNING number_of_instances, number_missing
        """,
        step_id=step_id,
    )


async def lock_made_whole(tx: Transaction, *, since: datetime) -> list[PerformedProcedureStep]:
    """Completed steps of which something was missing and nothing is any more, at most 100."""
    return await tx.all(
        PerformedProcedureStep,
        """
        SELECT id, sop_instance_uid, facility_code, status, study_instance_uids, attributes
        FROM performed_procedure_steps AS step
        WHERE number_missing > 0
          AND received_end_at > %(since)s
          AND status = 'COMPLETED'
          AND NOT EXISTS (
              SELECT 1
              FROM performed_instances AS made
              LEFT JOIN instances USING (sop_instance_uid)
              WHERE made.performed_step_id = step.id
                AND instances.sop_instance_uid IS NULL
          )
        ORDER BY received_end_at
        LIMIT 100
        FOR UPDATE SKIP LOCKED
        """,
        since=since,
    )


async def lock_overdue(tx: Transaction, *, since: datetime, until: datetime) -> list[PerformedProcedureStep]:
    """Steps completed in this span of time, of which something is missing and nobody was told, at most 100."""
    return await tx.all(
        PerformedProcedureStep,
        """
        SELECT id, sop_instance_uid, facility_code, status, study_instance_uids, attributes
        FROM performed_procedure_steps
        WHERE number_missing > 0
          AND received_end_at > %(since)s
          AND received_end_at <= %(until)s
          AND missing_told_at IS NULL
          AND status = 'COMPLETED'
        ORDER BY received_end_at
        LIMIT 100
        FOR UPDATE SKIP LOCKED
        """,
        since=since,
        until=until,
    )


async def note_told(tx: Transaction, step_id: UUID, *, at: datetime) -> None:
    """A facility knows that something of a step is missing."""
    await tx.run(
        "UPDATE performed_procedure_steps SET missing_told_at = %(at)s WHERE id = %(step_id)s", step_id=step_id, at=at
    )


async def others_missing(tx: Transaction, study_instance_uid: str, *, but: UUID) -> bool:
    """Whether something is missing of another step of a study, of which its facility was told."""
    return await tx.value(
        """
        SELECT EXISTS (
            SELECT 1
            FROM performed_procedure_steps
            WHERE study_instance_uids @> ARRAY[%(uid)s]
              AND missing_told_at IS NOT NULL
              AND number_missing > 0
              AND id <> %(but)s
        )
        """,
        uid=study_instance_uid,
        but=but,
    )


async def lock_scheduled(
    tx: Transaction, reference: ScheduledReference, *, facility_code: str
) -> list[ScheduledProcedureStep]:
    """The items that a modality means: by Scheduled Procedure Step ID, or where it gives none by study, or by accession
    number and requested procedure, since some modalities make Study Instance UIDs of their own."""
    return await tx.all(
        ScheduledProcedureStep,
        "SELECT "  # A literal of ours.
        + COLUMNS
        + """
        WHERE w.facility_code = %(facility_code)s
          AND ((%(step_id)s <> '' AND w.scheduled_procedure_step_id = %(step_id)s
                AND (w.study_instance_uid = %(uid)s OR w.accession_number = %(accession_number)s))
            OR (%(step_id)s = '' AND w.study_instance_uid = %(uid)s)
            OR (%(step_id)s = '' AND w.accession_number = %(accession_number)s
                AND w.requested_procedure_id = %(requested_procedure_id)s))
        ORDER BY w.id
        LIMIT 20
        FOR UPDATE OF w
        """,
        facility_code=facility_code,
        step_id=reference.scheduled_procedure_step_id,
        uid=reference.study_instance_uid,
        accession_number=reference.accession_number,
        requested_procedure_id=reference.requested_procedure_id,
    )


async def link(tx: Transaction, performed_step_id: UUID, scheduled_step_id: UUID) -> None:
    """A performed step carries out a scheduled one."""
    await tx.run(
        """
        INSERT INTO performed_of_scheduled (performed_step_id, scheduled_step_id)
        VALUES (%(performed)s, %(scheduled)s)
        ON CONFLICT DO NOTHING
        """,
        performed=performed_step_id,
        scheduled=scheduled_step_id,
    )


async def unlink(tx: Transaction, performed_step_id: UUID, *, at: datetime) -> None:
    """A performed step had nothing to do with what it was begun for."""
    await tx.run(
        "UPDATE performed_of_scheduled SET unlinked_at = %(at)s WHERE performed_step_id = %(performed)s",
        performed=performed_step_id,
        at=at,
    )


async def lock_linked(tx: Transaction, performed_step_id: UUID) -> list[ScheduledProcedureStep]:
    """The items that a performed step carries out, kept from all others until the transaction ends."""
    return await tx.all(
        ScheduledProcedureStep,
        "SELECT "  # A literal of ours.
        + COLUMNS
        + """
        JOIN performed_of_scheduled AS link ON link.scheduled_step_id = w.id
        WHERE link.performed_step_id = %(performed)s
          AND link.unlinked_at IS NULL
        ORDER BY w.id
        FOR UPDATE OF w
        """,
        performed=performed_step_id,
    )


async def plan_anew(tx: Transaction, scheduled_step_id: UUID, study_instance_uid: str) -> None:
    """Give an item that is locked another study, since the images of its own are somebody else's."""
    await tx.run(
        """
        UPDATE scheduled_procedure_steps
        SET study_instance_uid = %(uid)s,
            version = version + 1,
            updated_at = now()
        WHERE id = %(step_id)s
        """,
        step_id=scheduled_step_id,
        uid=study_instance_uid,
    )


async def others_in_progress(tx: Transaction, study_instance_uid: str, *, but: UUID) -> bool:
    """Whether another step of a study is being performed."""
    return await tx.value(
        """
        SELECT EXISTS (
            SELECT 1
            FROM performed_procedure_steps
            WHERE study_instance_uids @> ARRAY[%(uid)s]
              AND status = 'IN PROGRESS'
              AND id <> %(but)s
        )
        """,
        uid=study_instance_uid,
        but=but,
    )


async def of_item(tx: Transaction, scheduled_step_id: UUID, *, visible_to: Actor) -> bytes:
    """The performed steps of an item as a JSON array, in the order of their start."""
    where = Where()
    visible_to.staff_reach.add_facility(where, "step.facility_code")
    return await tx.json(
        """
        SELECT coalesce(json_agg(json_strip_nulls(json_build_object(
            'sopInstanceUID', step.sop_instance_uid, 'status', step.status, 'aeTitle', step.source_ae_title,
            'started', step.started_at, 'ended', step.ended_at, 'discontinuationCode', step.discontinuation_code,
            'numberOfInstances', step.number_of_instances, 'numberMissing', step.number_missing,
            'unlinked', link.unlinked_at
        )) ORDER BY step.started_at, step.id), '[]')::text
        FROM performed_of_scheduled AS link
        JOIN performed_procedure_steps AS step ON step.id = link.performed_step_id
        WHERE link.scheduled_step_id = %(step_id)s
          AND """
        + where.condition,
        step_id=scheduled_step_id,
        **where.parameters,
    )
