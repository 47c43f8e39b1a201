"""SQL of erasure: the requests, and the person of whom nothing is left."""
# ruff: noqa: S608 - every piece is a literal and every value a parameter; the type checker proves it by LiteralString.

from dataclasses import dataclass
from datetime import datetime
from typing import LiteralString
from uuid import UUID

from radiology.errors import NotFound
from radiology.kit import jobs
from radiology.kit.db import Transaction, as_json
from radiology.retention.model import Verdict


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


async def note_erased(tx: Transaction, study_id: UUID, *, now: datetime) -> None:
    """A study was removed: what asked for it forgets its UID."""
    await tx.run(
        """
        UPDATE erasure_studies
        SET erased_at = %(now)s, verdict = verdict - 'studyInstanceUID'
        WHERE study_id = %(study_id)s
        """,
        study_id=study_id,
        now=now,
    )


async def remove_orders(tx: Transaction, patient_id: UUID) -> int:
    """Remove the orders of a patient of which no study and no worklist item is left, with all that was attached."""
    return await tx.run(
        """
        DELETE FROM orders AS o
        WHERE o.patient_id = %(id)s
          AND o.status <> 'draft'
          AND NOT EXISTS (
              SELECT FROM imaging_studies AS s WHERE s.service_request = 'ServiceRequest/' || o.id
              UNION ALL
              SELECT FROM scheduled_procedure_steps AS w WHERE w.service_request = 'ServiceRequest/' || o.id
          )
        """,
        id=patient_id,
    )


_ALL_OF_PERSON: LiteralString = """(
    WITH RECURSIVE one AS (
        SELECT %(id)s::uuid AS id
        UNION
        SELECT merged.id FROM patients AS merged JOIN one ON merged.merged_into = one.id
    )
    SELECT id FROM one
)"""


@dataclass(frozen=True, slots=True)
class KnownAs:
    """What messages call a person: references, and the numbers that stand in PID-3."""

    references: list[str]
    numbers: list[str]


_KNOWN_AS: LiteralString = (
    """
    SELECT coalesce(array_agg(DISTINCT named.reference), '{}') AS references,
        coalesce(array_agg(DISTINCT number) FILTER (WHERE number <> ''), '{}') AS numbers
    FROM patients AS named
    LEFT JOIN patient_identifiers AS i ON i.patient_id = named.id
    CROSS JOIN LATERAL unnest(ARRAY[named.patient_id, coalesce(i.value, '')]) AS number
    WHERE named.id IN """
    + _ALL_OF_PERSON
)
#: HL7 messages that named the person lose their content, and wait for nobody; that they came stays on record, so that
#: one that is sent again is known.
_EMPTY_MESSAGES: LiteralString = """
    UPDATE hl7_messages AS m
    SET content = '', corrected = NULL, effects = '{}', study_instance_uids = '{}', sentence = '',
        state = CASE WHEN m.state IN ('failed', 'quarantined') THEN 'dismissed' ELSE m.state END
    WHERE m.content <> ''
      AND (jsonb_exists_any(m.effects->'references', %(references)s::text[]) OR EXISTS (
          SELECT
          FROM unnest(%(numbers)s::text[]) AS number,
              unnest(ARRAY['|', '~']) AS before,
              unnest(ARRAY['^', '|', '~']) AS behind
          WHERE position(convert_to(before || number || behind, 'UTF8') IN m.content) > 0
      ))
"""
#: Numbers, visits, whoever was merged into the person, and what the journal of changes says of all of them.
_REST_OF_PERSON: tuple[LiteralString, ...] = (
    "DELETE FROM patient_identifiers WHERE patient_id IN " + _ALL_OF_PERSON,
    "DELETE FROM encounters WHERE patient_id = %(id)s",
    """
    UPDATE patient_repairs
    SET before = '{"moved": {}, "studies": [], "items": [], "covered": [], "patient": null}', reason = ''
    WHERE patient_id IN """
    + _ALL_OF_PERSON,
    """
    UPDATE patients
    SET reference = 'Patient/erased-' || id, patient_id = '', issuer_of_patient_id = '', patient_name = '',
        birth_date = '', birth_date_estimated = false, sex = '', phone = '', details = '{}', name_search = '',
        name_keys = '{}', updated_at = now()
    WHERE id <> %(id)s
      AND id IN """
    + _ALL_OF_PERSON,
)


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
    known_as = await tx.one(KnownAs, _KNOWN_AS, id=patient_id)
    removed = await tx.run(
        """
        UPDATE patients
        SET reference = 'Patient/erased-' || id, patient_id = '', issuer_of_patient_id = '', patient_name = '',
            birth_date = '', birth_date_estimated = false, sex = '', phone = '', details = '{}', name_search = '',
            name_keys = '{}', updated_at = now()
        WHERE id = %(id)s
          AND NOT EXISTS (SELECT FROM imaging_studies AS s WHERE s.patient_id = patients.id)
          AND NOT EXISTS (SELECT FROM radiology_reports AS r WHERE r.patient_id = patients.id)
          AND NOT EXISTS (SELECT FROM orders AS o WHERE o.patient_id = patients.id)
          AND NOT EXISTS (SELECT FROM legal_holds AS h WHERE h.patient_id = patients.id AND h.lifted_at IS NULL)
          AND NOT EXISTS (
              SELECT FROM scheduled_procedure_steps AS w
              WHERE w.patient_id = patients.patient_id
                AND patients.patient_id <> ''
          )
        """,
        id=patient_id,
    )
    if removed:
        for statement in _REST_OF_PERSON:
            await tx.run(statement, id=patient_id)
        await tx.run(_EMPTY_MESSAGES, references=known_as.references, numbers=known_as.numbers)
    return bool(removed)
