"""SQL of repairs of patients."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from radiology.errors import NotFound
from radiology.kit.db import Transaction, as_json
from radiology.patients.model import Patient
from radiology.reconciliation.patients.model import Asked, Columns, Journal, Repair
from radiology.reconciliation.patients.relations import MOVE, MOVE_BACK
from radiology.standards.dicom.names import name_search_text


@dataclass(frozen=True, slots=True)
class Moved:
    """A study of a patient, as it is told of."""

    id: UUID
    study_instance_uid: str
    has_header: bool


async def survivor(tx: Transaction, patient_id: UUID) -> UUID:
    """The patient itself, or who it was merged into in the end. Raises NotFound."""
    found = await tx.value("SELECT surviving_patient(%(id)s)", id=patient_id)
    if found is None:
        raise NotFound("There is no such patient.")
    return found


async def hold(tx: Transaction, keys: Sequence[int], ids: Sequence[UUID]) -> None:
    """Keep everybody else from these studies, numbers and patients until the transaction ends."""
    await tx.values("SELECT pg_advisory_xact_lock(key) FROM unnest(%(keys)s::bigint[]) AS key", keys=sorted(set(keys)))
    await tx.values("SELECT id FROM patients WHERE id = ANY(%(ids)s) ORDER BY id FOR NO KEY UPDATE", ids=list(ids))


async def studies_of(tx: Transaction, patient_id: UUID) -> list[Moved]:
    """The studies of a patient. has_header: its objects, or those of its orders, have said what it is."""
    return await tx.all(
        Moved,
        """
        SELECT id, study_instance_uid, dicom <> '{}' AS has_header
        FROM imaging_studies
        WHERE patient_id = %(id)s
        ORDER BY id
        """,
        id=patient_id,
    )


async def save_identity(tx: Transaction, study_id: UUID, patient: Patient) -> None:
    """Whose a study without images is."""
    await tx.run(
        """
        UPDATE imaging_studies
        SET dicom_patient_id = %(number)s,
            issuer_of_patient_id = %(issuer)s,
            patient_name = %(name)s,
            patient_name_search = %(name_search)s,
            patient_birth_date = %(birth_date)s,
            patient_sex = %(sex)s,
            version = version + 1,
            updated_at = now()
        WHERE id = %(study_id)s
        """,
        study_id=study_id,
        number=patient.patient_id,
        issuer=patient.issuer_of_patient_id,
        name=patient.patient_name,
        name_search=name_search_text(patient.patient_name),
        birth_date=patient.birth_date,
        sex=patient.sex,
    )


async def move(tx: Transaction, *, from_patient: UUID, to_patient: UUID) -> dict[str, list[str]]:
    """Let all that belongs to one patient belong to another; which rows that were, by table."""
    moved: dict[str, list[str]] = {}
    for table, statement in MOVE.items():
        rows: list[str] = await tx.values(statement, **{"from": from_patient, "to": to_patient})
        if rows:
            moved[table] = sorted(rows)
    return moved


async def move_back(
    tx: Transaction, moved: dict[str, list[str]], *, from_patient: UUID, to_patient: UUID
) -> dict[str, list[str]]:
    """Let these rows belong to a patient again, those that have not gone on to somebody else; which those were."""
    back: dict[str, list[str]] = {}
    for table, statement in MOVE_BACK.items():
        if ids := moved.get(table):
            rows: list[str] = await tx.values(statement, ids=ids, **{"from": from_patient, "to": to_patient})
            back[table] = sorted(rows)
    return back


async def lead_to(tx: Transaction, patient_id: UUID, survivor_id: UUID | None) -> None:
    """A patient that is locked leads to another, or to nobody else any more."""
    await tx.run(
        "UPDATE patients SET merged_into = %(survivor)s, version = version + 1, updated_at = now() WHERE id = %(id)s",
        id=patient_id,
        survivor=survivor_id,
    )


async def is_being_erased(tx: Transaction, patient_id: UUID) -> bool:
    """Whether an erasure of the patient is asked for or decided, and not done."""
    return await tx.value(
        "SELECT EXISTS (SELECT FROM erasures WHERE patient_id = %(id)s AND state IN ('asked', 'decided'))",
        id=patient_id,
    )


async def cover_reports(tx: Transaction, patient_id: UUID, cover: dict[str, str]) -> list[str]:
    """Note on signed reports as whom the patient was registered; what was noted first stays. Returns the reports."""
    return await tx.values(
        """
        UPDATE radiology_reports
        SET metadata = coalesce(metadata, '{}') || jsonb_build_object('registeredAtSigning', %(cover)s::jsonb),
            updated_at = now()
        WHERE patient_id = %(id)s
          AND EXISTS (SELECT FROM report_versions AS signed WHERE signed.report_id = radiology_reports.id)
          AND metadata->'registeredAtSigning' IS NULL
        RETURNING id::text
        """,
        id=patient_id,
        cover=as_json(cover),
    )


async def uncover_reports(tx: Transaction, ids: Sequence[str]) -> None:
    """Take the note away from reports."""
    await tx.run(
        """
        UPDATE radiology_reports
        SET metadata = metadata - 'registeredAtSigning', updated_at = now()
        WHERE id = ANY(%(ids)s::uuid[])
        """,
        ids=list(ids),
    )


# The journal


async def insert(
    tx: Transaction,
    repair_id: UUID,
    kind: str,
    asked: Asked,
    journal: Journal,
    *,
    patient_id: UUID,
    other_id: UUID | None,
    actor: str,
) -> None:
    """Keep what was done, and what was before. Its moment is the database's, as that of rows that come later.

    Raises Conflict where the message was followed already.
    """
    await tx.run(
        """
        INSERT INTO patient_repairs (id, kind, patient_id, other_id, reason, before, message_key, actor, made_at)
        VALUES (%(id)s, %(kind)s, %(patient_id)s, %(other_id)s, %(reason)s, %(before)s, %(message_key)s, %(actor)s,
            now())
        """,
        id=repair_id,
        kind=kind,
        patient_id=patient_id,
        other_id=other_id,
        reason=asked.reason,
        before=as_json(journal.as_json()),
        message_key=asked.message_key,
        actor=actor,
    )


async def of_message(tx: Transaction, message_key: str) -> UUID | None:
    """The repair that a message led to; nobody else follows it until the transaction ends."""
    await tx.run("SELECT pg_advisory_xact_lock(hashtextextended(%(name)s, 0))", name=f"message {message_key}")
    return await tx.value("SELECT id FROM patient_repairs WHERE message_key = %(key)s", key=message_key)


async def lock_merge(tx: Transaction, other_id: UUID) -> Repair | None:
    """The merge by which a patient leads to another."""
    return await tx.maybe(
        Repair,
        """
        SELECT id, kind, patient_id, other_id, made_at::text AS made_at, undone_at IS NOT NULL AS is_undone, before
        FROM patient_repairs
        WHERE other_id = %(other_id)s
          AND undone_at IS NULL
        ORDER BY made_at DESC, id DESC
        LIMIT 1
        FOR UPDATE
        """,
        other_id=other_id,
    )


async def save_undone(tx: Transaction, repair_id: UUID, *, actor: str, reason: str, at: datetime) -> None:
    """A merge stands no more."""
    await tx.run(
        """
        UPDATE patient_repairs
        SET undone_at = %(at)s, undone_by = %(actor)s, undone_reason = %(reason)s
        WHERE id = %(id)s
        """,
        id=repair_id,
        actor=actor,
        reason=reason,
        at=at,
    )


async def body(tx: Transaction, repair_id: UUID) -> dict[str, Any]:
    """A repair as it is answered: what it moved is counted."""
    return await tx.value(
        """
        SELECT json_strip_nulls(json_build_object('id', r.id, 'kind', r.kind, 'patient', survivor.reference,
            'merged', other.reference, 'reason', r.reason, 'actor', r.actor, 'madeAt', r.made_at,
            'moved', (
                SELECT json_object_agg(moved.key, jsonb_array_length(moved.value))
                FROM jsonb_each(r.before->'moved') AS moved
            ),
            'undone', CASE WHEN r.undone_at IS NOT NULL THEN json_build_object('at', r.undone_at, 'by', r.undone_by,
                'reason', r.undone_reason) END))
        FROM patient_repairs AS r
        JOIN patients AS survivor ON survivor.id = r.patient_id
        LEFT JOIN patients AS other ON other.id = r.other_id
        WHERE r.id = %(id)s
        """,
        id=repair_id,
    )


async def history(tx: Transaction, patient_id: UUID, *, limit: int) -> list[UUID]:
    """The repairs of a patient and of who was merged into it, newest first."""
    return await tx.values(
        """
        SELECT id
        FROM patient_repairs
        WHERE surviving_patient(patient_id) = %(id)s
          AND (patient_id = %(id)s OR other_id IS NOT NULL)
        ORDER BY made_at DESC, id DESC
        LIMIT %(limit)s
        """,
        id=patient_id,
        limit=limit,
    )


async def came_since(tx: Transaction, patient_id: UUID, made_at: str) -> dict[str, list[str]]:
    """What came for the survivor after a merge, and stays there: studies, reports and orders."""
    return await tx.value(
        """
        SELECT json_build_object(
            'studies', (
                SELECT coalesce(json_agg(study_instance_uid ORDER BY created_at, id), '[]')
                FROM imaging_studies
                WHERE patient_id = %(id)s AND created_at > %(made_at)s::timestamptz
            ),
            'reports', (
                SELECT coalesce(json_agg(report_id ORDER BY created_at, id), '[]')
                FROM radiology_reports
                WHERE patient_id = %(id)s AND created_at > %(made_at)s::timestamptz
            ),
            'orders', (
                SELECT coalesce(json_agg('ServiceRequest/' || id ORDER BY created_at, id), '[]')
                FROM orders
                WHERE patient_id = %(id)s AND created_at > %(made_at)s::timestamptz
            )
        )
        """,
        id=patient_id,
        made_at=made_at,
    )


async def link(tx: Transaction, one: UUID, other: UUID, kind: str, *, actor: str, at: datetime) -> None:
    """What a person says of two patients."""
    first, second = sorted((one, other))
    await tx.run(
        """
        INSERT INTO patient_links (patient_id, other_id, kind, made_by, made_at)
        VALUES (%(first)s, %(second)s, %(kind)s, %(actor)s, %(at)s)
        ON CONFLICT (patient_id, other_id) DO UPDATE
        SET kind = excluded.kind, made_by = excluded.made_by, made_at = excluded.made_at
        """,
        first=first,
        second=second,
        kind=kind,
        actor=actor,
        at=at,
    )


async def links_of(tx: Transaction, patient_id: UUID) -> list[dict[str, Any]]:
    """The links of a patient."""
    return await tx.values(
        """
        SELECT json_build_object('patient', other.reference, 'kind', l.kind, 'by', l.made_by, 'at', l.made_at)
        FROM patient_links AS l
        JOIN patients AS other ON other.id = CASE WHEN l.patient_id = %(id)s THEN l.other_id ELSE l.patient_id END
        WHERE %(id)s IN (l.patient_id, l.other_id)
        ORDER BY l.made_at DESC
        """,
        id=patient_id,
    )


async def save_record(
    tx: Transaction,
    patient_id: UUID,
    patient: Patient,
    *,
    birth_date_estimated: bool,
    phone: str,
    details: Columns,
    name_keys: Sequence[str],
) -> None:
    """What the registry says of a patient that is locked."""
    await tx.run(
        """
        UPDATE patients
        SET patient_id = %(number)s,
            issuer_of_patient_id = %(issuer)s,
            patient_name = %(name)s,
            birth_date = %(birth_date)s,
            birth_date_estimated = %(birth_date_estimated)s,
            sex = %(sex)s,
            phone = %(phone)s,
            details = %(details)s,
            name_search = %(name_search)s,
            name_keys = %(name_keys)s,
            version = version + 1,
            updated_at = now()
        WHERE id = %(id)s
        """,
        id=patient_id,
        number=patient.patient_id,
        issuer=patient.issuer_of_patient_id,
        name=patient.patient_name,
        birth_date=patient.birth_date,
        birth_date_estimated=birth_date_estimated,
        sex=patient.sex,
        phone=phone,
        details=as_json(details),
        name_search=name_search_text(patient.patient_name),
        name_keys=list(name_keys),
    )


async def save_numbers(tx: Transaction, patient_id: UUID, numbers: Sequence[dict[str, str]]) -> None:
    """The numbers of a patient that is locked, beside the first."""
    await tx.run(
        """
        WITH said AS (
            SELECT kind, value, issuer
            FROM jsonb_to_recordset(%(numbers)s::jsonb) AS said (kind text, value text, issuer text)
        ), gone AS (
            DELETE FROM patient_identifiers AS known
            WHERE patient_id = %(id)s
              AND NOT EXISTS (
                  SELECT FROM said
                  WHERE (said.kind, said.value, said.issuer) = (known.kind, known.value, known.issuer)
              )
        )
        INSERT INTO patient_identifiers (patient_id, kind, value, issuer)
        SELECT %(id)s, kind, value, issuer FROM said
        ON CONFLICT DO NOTHING
        """,
        id=patient_id,
        numbers=as_json(list(numbers)),
    )
