"""SQL of erasure: what is known of each study, the requests, and the removal itself."""
# ruff: noqa: S608 - every piece is a literal and every value a parameter; the type checker proves it by LiteralString.

from dataclasses import dataclass
from datetime import datetime
from typing import Any, LiteralString
from uuid import UUID

from radiology.data_subjects.model import Study, Verdict
from radiology.errors import NotFound
from radiology.kit import jobs
from radiology.kit.db import Transaction, as_json

_STUDIES: LiteralString = """
    SELECT s.id, s.study_instance_uid, s.study_date, s.modalities_in_study AS modalities, s.sensitive_classes,
        s.number_of_instances,
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
            SELECT FROM instances AS i
            WHERE i.study_id = s.id
              AND NOT EXISTS (
                  SELECT FROM commitment_outcomes AS c
                  WHERE c.sop_instance_uid = i.sop_instance_uid
                    AND c.outcome = 'committed'
              )
        ) AS is_last_copy
    FROM imaging_studies AS s
    JOIN patients AS p ON p.id = s.patient_id
    WHERE """


async def studies_of(tx: Transaction, patient_id: UUID, *, zone: str) -> list[Study]:
    """What decides about each study of a patient, oldest first."""
    statement: LiteralString = (
        _STUDIES + "s.patient_id = %(id)s ORDER BY s.study_date NULLS FIRST, s.study_instance_uid"
    )
    return await tx.all(Study, statement, id=patient_id, zone=zone)


async def lock_study(tx: Transaction, study_id: UUID, *, zone: str) -> Study | None:
    """The same of one study, which is kept from all others until the transaction ends."""
    await tx.run("SELECT FROM imaging_studies WHERE id = %(id)s FOR UPDATE", id=study_id)
    return await tx.maybe(Study, _STUDIES + "s.id = %(id)s", id=study_id, zone=zone)


@dataclass(frozen=True, slots=True)
class Erasure:
    """A request to erase what may be erased of a patient."""

    id: UUID
    patient_id: UUID
    reference: str
    asked_by: str
    state: str
    last_copies: bool
    decided_by: str | None


async def insert_erasure(
    tx: Transaction, *, id: UUID, patient_id: UUID, reason: str, asked_by: str, now: datetime
) -> None:
    """Keep a request."""
    await tx.run(
        """
        INSERT INTO erasures (id, patient_id, reason, asked_by, asked_at)
        VALUES (%(id)s, %(patient_id)s, %(reason)s, %(asked_by)s, %(now)s)
        """,
        id=id,
        patient_id=patient_id,
        reason=reason,
        asked_by=asked_by,
        now=now,
    )


async def insert_study(tx: Transaction, erasure_id: UUID, study_id: UUID, verdict: Verdict) -> None:
    """Keep the verdict on a study as it is now."""
    await tx.run(
        """
        INSERT INTO erasure_studies (erasure_id, study_id, verdict)
        VALUES (%(erasure_id)s, %(study_id)s, %(verdict)s)
        """,
        erasure_id=erasure_id,
        study_id=study_id,
        verdict=as_json(verdict.as_json()),
    )


async def lock_erasure(tx: Transaction, id: UUID) -> Erasure:
    """A request, locked for a change. Raises NotFound."""
    found = await tx.maybe(
        Erasure,
        """
        SELECT e.id, e.patient_id, p.reference, e.asked_by, e.state, e.last_copies, e.decided_by
        FROM erasures AS e
        JOIN patients AS p ON p.id = e.patient_id
        WHERE e.id = %(id)s
        FOR UPDATE OF e
        """,
        id=id,
    )
    if found is None:
        raise NotFound("There is no such request for erasure.")
    return found


async def decide(
    tx: Transaction, id: UUID, *, state: str, last_copies: bool, answer: str, by: str, now: datetime
) -> None:
    """What the second person decided."""
    await tx.run(
        """
        UPDATE erasures
        SET state = %(state)s, last_copies = %(last_copies)s, answer = %(answer)s, decided_by = %(by)s,
            decided_at = %(now)s
        WHERE id = %(id)s
        """,
        id=id,
        state=state,
        last_copies=last_copies,
        answer=answer,
        by=by,
        now=now,
    )


async def save_job(tx: Transaction, id: UUID, job: int) -> None:
    """The job of this number does it."""
    await tx.run("UPDATE erasures SET job = %(job)s WHERE id = %(id)s", id=id, job=job)


async def abandoned(tx: Transaction) -> list[UUID]:
    """Erasures that were decided, and that no job does any more."""
    statement: LiteralString = (
        "SELECT id FROM erasures WHERE state = 'decided' AND NOT "
        + jobs.is_live("erasures.job")
        + " LIMIT 100 FOR UPDATE SKIP LOCKED"
    )
    return await tx.values(statement)


async def owed(tx: Transaction, id: UUID) -> list[UUID]:
    """The studies of a request that are not erased."""
    return await tx.values(
        """
        SELECT study_id
        FROM erasure_studies
        WHERE erasure_id = %(id)s
          AND erased_at IS NULL
        ORDER BY study_id
        """,
        id=id,
    )


async def note_kept(tx: Transaction, id: UUID, study_id: UUID, verdict: Verdict) -> None:
    """A study is not erased after all."""
    await tx.run(
        "UPDATE erasure_studies SET verdict = %(verdict)s WHERE erasure_id = %(id)s AND study_id = %(study_id)s",
        id=id,
        study_id=study_id,
        verdict=as_json(verdict.as_json()),
    )


async def note_done(tx: Transaction, id: UUID, *, now: datetime) -> None:
    """All that may be erased is."""
    await tx.run("UPDATE erasures SET state = 'done', done_at = %(now)s WHERE id = %(id)s", id=id, now=now)


async def erasures_body(tx: Transaction, patient_id: UUID) -> bytes:
    """The requests of a patient with the verdict on each study, newest first, as JSON."""
    return await tx.json(
        """
        SELECT coalesce(json_agg(json_strip_nulls(json_build_object('id', e.id, 'reason', e.reason,
            'askedBy', e.asked_by, 'askedAt', e.asked_at, 'state', e.state, 'lastCopies', e.last_copies,
            'decidedBy', e.decided_by, 'decidedAt', e.decided_at, 'answer', nullif(e.answer, ''), 'doneAt', e.done_at,
            'studies', (
                SELECT coalesce(jsonb_agg(s.verdict || jsonb_build_object('erasedAt', s.erased_at)
                    ORDER BY s.study_id), '[]')
                FROM erasure_studies AS s
                WHERE s.erasure_id = e.id
            ))) ORDER BY e.asked_at DESC, e.id DESC), '[]')::text
        FROM erasures AS e
        WHERE e.patient_id = %(patient_id)s
        """,
        patient_id=patient_id,
    )


# --- The removal ------------------------------------------------------------------------------------------------------

_OBJECTS: LiteralString = """
    INSERT INTO superseded_objects (object_key, sop_instance_uid, delete_at)
    SELECT object_key, sop_instance_uid, timestamptz '-infinity' FROM instances WHERE study_id = %(study_id)s
    UNION
    SELECT object_key, sop_instance_uid, timestamptz '-infinity' FROM rejected_instances WHERE study_id = %(study_id)s
    UNION
    SELECT object_key, sop_instance_uid, timestamptz '-infinity' FROM quarantine WHERE study_instance_uid = %(uid)s
    UNION
    SELECT old.object_key, old.sop_instance_uid, timestamptz '-infinity'
    FROM superseded_objects AS old
    JOIN instances AS i ON i.sop_instance_uid = old.sop_instance_uid
    WHERE i.study_id = %(study_id)s
    ON CONFLICT (object_key) DO UPDATE SET delete_at = excluded.delete_at
    """

_TOMBSTONES: LiteralString = """
    INSERT INTO tombstones (uid_sha256, kind, erasure_id, erased_at)
    SELECT sha256(convert_to(uid, 'UTF8')), kind, %(erasure_id)s, %(now)s
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
    "DELETE FROM imaging_studies WHERE id = %(study_id)s",
    (
        "UPDATE erasure_studies SET erased_at = %(now)s, verdict = verdict - 'studyInstanceUID'"
        " WHERE study_id = %(study_id)s"
    ),
)


async def remove_study(tx: Transaction, study: Study, *, erasure_id: UUID, now: datetime) -> None:
    """Remove a study that is locked: its rows at once, its files by the worker."""
    parameters: dict[str, Any] = {
        "study_id": study.id, "uid": study.study_instance_uid, "erasure_id": erasure_id, "now": now,
    }  # fmt: skip
    for removal in _REMOVALS:
        await tx.run(removal, **parameters)


async def remove_person(tx: Transaction, patient_id: UUID) -> bool:
    """Make a patient of whom nothing is left a person without name or number. False where something is left."""
    await tx.run(
        """
        DELETE FROM workitems AS w
        USING patients AS p
        WHERE p.id = %(id)s
          AND p.patient_id <> ''
          AND w.attributes->'00100020'->'Value'->>0 = p.patient_id
          AND w.state IN ('COMPLETED', 'CANCELED')
          AND NOT EXISTS (SELECT FROM imaging_studies AS s WHERE s.patient_id = p.id)
        """,
        id=patient_id,
    )
    return (
        await tx.run(
            """
            UPDATE patients
            SET reference = 'Patient/erased-' || id, patient_id = '', issuer_of_patient_id = '', patient_name = '',
                birth_date = '', birth_date_estimated = false, sex = '', phone = '', details = '{}', name_search = '',
                name_keys = '{}', updated_at = now()
            WHERE id = %(id)s
              AND NOT EXISTS (SELECT FROM imaging_studies AS s WHERE s.patient_id = patients.id)
              AND NOT EXISTS (SELECT FROM radiology_reports AS r WHERE r.patient_id = patients.id)
              AND NOT EXISTS (SELECT FROM legal_holds AS h WHERE h.patient_id = patients.id AND h.lifted_at IS NULL)
              AND NOT EXISTS (
                  SELECT FROM scheduled_procedure_steps AS w
                  WHERE w.patient_id = patients.patient_id
                    AND patients.patient_id <> ''
              )
            """,
            id=patient_id,
        )
        == 1
    )
