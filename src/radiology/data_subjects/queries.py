"""SQL of persons, copies of their record, notes and legal holds."""
# ruff: noqa: S608 - every piece is a literal and every value a parameter; the type checker proves it by LiteralString.

from dataclasses import dataclass
from datetime import datetime
from typing import LiteralString
from uuid import UUID

from radiology.kit import jobs
from radiology.kit.db import Transaction


@dataclass(frozen=True, slots=True)
class Patient:
    """A person whose data are held."""

    id: UUID
    reference: str


async def patient(tx: Transaction, reference: str) -> Patient:
    """By reference; of who was merged, the survivor. Raises NotFound."""
    return await tx.one(
        Patient,
        """
        SELECT survivor.id, survivor.reference
        FROM patients AS named
        JOIN patients AS survivor ON survivor.id = surviving_patient(named.id)
        WHERE named.reference = %(reference)s
        """,
        reference=reference,
    )


# --- Copies of the record ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Copy:
    """A copy of the record of a patient."""

    id: UUID
    patient_id: UUID
    reference: str
    asked_by: str
    for_patient: bool
    status: str


async def insert_copy(
    tx: Transaction, *, id: UUID, patient_id: UUID, asked_by: str, for_patient: bool, now: datetime
) -> None:
    """Keep that a copy is to be made."""
    await tx.run(
        """
        INSERT INTO record_copies (id, patient_id, asked_by, asked_at, for_patient)
        VALUES (%(id)s, %(patient_id)s, %(asked_by)s, %(now)s, %(for_patient)s)
        """,
        id=id,
        patient_id=patient_id,
        asked_by=asked_by,
        for_patient=for_patient,
        now=now,
    )


async def save_job(tx: Transaction, id: UUID, job: int) -> None:
    """The job of this number makes it."""
    await tx.run("UPDATE record_copies SET job = %(job)s WHERE id = %(id)s", id=id, job=job)


async def copy(tx: Transaction, id: UUID) -> Copy:
    """A copy. Raises NotFound."""
    return await tx.one(
        Copy,
        """
        SELECT c.id, c.patient_id, p.reference, c.asked_by, c.for_patient, c.status
        FROM record_copies AS c
        JOIN patients AS p ON p.id = c.patient_id
        WHERE c.id = %(id)s
        """,
        id=id,
    )


async def complete(tx: Transaction, id: UUID, *, size_bytes: int, sha256: str, expires_at: datetime) -> None:
    """The file lies there until it expires."""
    await tx.run(
        """
        UPDATE record_copies
        SET status = 'completed', size_bytes = %(size_bytes)s, sha256 = %(sha256)s, expires_at = %(expires_at)s
        WHERE id = %(id)s
          AND status = 'queued'
        """,
        id=id,
        size_bytes=size_bytes,
        sha256=sha256,
        expires_at=expires_at,
    )


async def change_copy(tx: Transaction, id: UUID, status: str, sentence: str) -> None:
    """A copy failed, or has expired."""
    await tx.run(
        "UPDATE record_copies SET status = %(status)s, sentence = %(sentence)s WHERE id = %(id)s",
        id=id,
        status=status,
        sentence=sentence,
    )


async def expired(tx: Transaction, *, now: datetime) -> list[UUID]:
    """Copies whose file may go."""
    return await tx.values(
        """
        SELECT id
        FROM record_copies
        WHERE status = 'completed'
          AND expires_at <= %(now)s
        LIMIT 100
        FOR UPDATE SKIP LOCKED
        """,
        now=now,
    )


async def abandoned(tx: Transaction) -> list[UUID]:
    """Copies that no job makes any more."""
    statement: LiteralString = (
        "SELECT id FROM record_copies WHERE status = 'queued' AND NOT "
        + jobs.is_live("record_copies.job")
        + " LIMIT 100 FOR UPDATE SKIP LOCKED"
    )
    return await tx.values(statement)


async def copies_body(tx: Transaction, patient_id: UUID, *, asked_by: str | None) -> bytes:
    """The copies of a patient, newest first; `asked_by`: of this asker only."""
    return await tx.json(
        """
        SELECT coalesce(json_agg(json_strip_nulls(json_build_object('id', id, 'askedBy', asked_by,
            'askedAt', asked_at, 'status', status, 'sentence', nullif(sentence, ''), 'sizeBytes', size_bytes,
            'sha256', sha256, 'expiresAt', expires_at)) ORDER BY asked_at DESC, id DESC), '[]')::text
        FROM record_copies
        WHERE patient_id = %(patient_id)s
          AND (%(asked_by)s::text IS NULL OR asked_by = %(asked_by)s)
        """,
        patient_id=patient_id,
        asked_by=asked_by,
    )


# --- Notes ------------------------------------------------------------------------------------------------------------


async def insert_note(
    tx: Transaction, *, id: UUID, patient_id: UUID, kind: str, about: str, text: str, made_by: str, now: datetime
) -> None:
    """Keep what somebody wishes to have corrected or restricted."""
    await tx.run(
        """
        INSERT INTO patient_notes (id, patient_id, kind, about, text, made_by, made_at)
        VALUES (%(id)s, %(patient_id)s, %(kind)s, %(about)s, %(text)s, %(made_by)s, %(now)s)
        """,
        id=id,
        patient_id=patient_id,
        kind=kind,
        about=about,
        text=text,
        made_by=made_by,
        now=now,
    )


@dataclass(frozen=True, slots=True)
class Note:
    """What somebody asked for, and how far it is."""

    kind: str
    about: str
    state: str
    restriction_id: UUID | None


async def lock_note(tx: Transaction, id: UUID, patient_id: UUID) -> Note:
    """A note of this patient, which is kept from all others until the transaction ends. Raises NotFound."""
    return await tx.one(
        Note,
        """
        SELECT kind, about, state, restriction_id
        FROM patient_notes
        WHERE id = %(id)s
          AND patient_id = %(patient_id)s
        FOR UPDATE
        """,
        id=id,
        patient_id=patient_id,
    )


async def answer_note(
    tx: Transaction, id: UUID, *, state: str, answer: str, restriction_id: UUID | None, by: str, now: datetime
) -> None:
    """What became of a note."""
    await tx.run(
        """
        UPDATE patient_notes
        SET state = %(state)s, answer = %(answer)s, answered_by = %(by)s, answered_at = %(now)s,
            restriction_id = %(restriction_id)s
        WHERE id = %(id)s
        """,
        id=id,
        state=state,
        answer=answer,
        restriction_id=restriction_id,
        by=by,
        now=now,
    )


NOTES: LiteralString = """
    SELECT coalesce(json_agg(json_strip_nulls(json_build_object('id', id, 'kind', kind, 'about', nullif(about, ''),
        'text', text, 'madeBy', made_by, 'madeAt', made_at, 'state', state, 'answer', nullif(answer, ''),
        'answeredBy', answered_by, 'answeredAt', answered_at)) ORDER BY made_at DESC, id DESC), '[]')::text
    FROM patient_notes
    WHERE patient_id = %(patient_id)s
    """


async def notes_body(tx: Transaction, patient_id: UUID) -> bytes:
    """The notes of a patient, newest first, as JSON."""
    return await tx.json(NOTES, patient_id=patient_id)


# --- Legal holds ------------------------------------------------------------------------------------------------------


async def insert_hold(
    tx: Transaction, *, id: UUID, patient_id: UUID, study: str | None, reason: str, set_by: str, now: datetime
) -> None:
    """Nothing of it is erased from now on."""
    await tx.run(
        """
        INSERT INTO legal_holds (id, patient_id, study_instance_uid, reason, set_by, set_at)
        VALUES (%(id)s, %(patient_id)s, %(study)s, %(reason)s, %(set_by)s, %(now)s)
        """,
        id=id,
        patient_id=patient_id,
        study=study,
        reason=reason,
        set_by=set_by,
        now=now,
    )


async def has_study(tx: Transaction, patient_id: UUID, study_instance_uid: str) -> bool:
    """Whether this study is of this patient."""
    return await tx.value(
        """
        SELECT count(*) > 0
        FROM imaging_studies
        WHERE patient_id = %(patient_id)s
          AND study_instance_uid = %(uid)s
        """,
        patient_id=patient_id,
        uid=study_instance_uid,
    )


async def lift_hold(tx: Transaction, id: UUID, *, patient_id: UUID, reason: str, by: str, now: datetime) -> bool:
    """End a legal hold; False where none of this id is in force."""
    lifted = await tx.run(
        """
        UPDATE legal_holds
        SET lifted_by = %(by)s, lifted_at = %(now)s, lift_reason = %(reason)s
        WHERE id = %(id)s
          AND patient_id = %(patient_id)s
          AND lifted_at IS NULL
        """,
        id=id,
        patient_id=patient_id,
        reason=reason,
        by=by,
        now=now,
    )
    return lifted == 1


async def holds_body(tx: Transaction, patient_id: UUID) -> bytes:
    """The legal holds of a patient, newest first, as JSON."""
    return await tx.json(
        """
        SELECT coalesce(json_agg(json_strip_nulls(json_build_object('id', id, 'studyInstanceUID', study_instance_uid,
            'reason', reason, 'setBy', set_by, 'setAt', set_at, 'liftedBy', lifted_by, 'liftedAt', lifted_at,
            'liftReason', lift_reason)) ORDER BY set_at DESC, id DESC), '[]')::text
        FROM legal_holds
        WHERE patient_id = %(patient_id)s
        """,
        patient_id=patient_id,
    )
