"""SQL of writing the audit record: what arrives, what was spooled, what is sealed."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, LiteralString

from radiology.audit.model import Record, Sealed
from radiology.kit.db import Transaction, WriterTransaction, as_json

INSERT: LiteralString = """
    INSERT INTO audit_arrivals (id, occurred_at, actor, actor_kind, actor_display, actor_role, on_behalf_of, action,
        subject, outcome, purpose, address, source, request_id, connection, detail)
    VALUES (%(id)s, %(occurred_at)s, %(actor)s, %(actor_kind)s, %(actor_display)s, %(actor_role)s, %(on_behalf_of)s,
        %(action)s, %(subject)s, %(outcome)s, %(purpose)s, %(address)s, %(source)s, %(request_id)s, %(connection)s,
        %(detail)s)
"""

COPY: LiteralString = """
    COPY audit_arrivals (id, occurred_at, actor, actor_kind, actor_display, actor_role, on_behalf_of, action,
        subject, outcome, purpose, address, source, request_id, connection, detail)
    FROM STDIN (FORMAT BINARY)
"""
BEFORE_ALL: Final = datetime(1970, 1, 1, tzinfo=UTC)
COPY_TYPES: Final = ("uuid", "timestamptz", *["text"] * 7, "int2", *["text"] * 4, "jsonb", "jsonb")

#: Arrivals in the order of their ids, which is that of time, with the study and the patient that the subject belongs
#: to: it is a Study Instance UID, an id of a study, report, order or scheduled step, or a reference to a patient.
ARRIVALS: LiteralString = """
    WITH batch AS MATERIALIZED (
        SELECT id, occurred_at, actor, actor_kind, actor_display, actor_role, on_behalf_of, action, subject, outcome,
            purpose, address, source, request_id, connection, detail,
            CASE WHEN subject ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' THEN subject::uuid END AS subject_id
        FROM audit_arrivals
        ORDER BY id
        LIMIT %(limit)s
    )
    SELECT batch.id, occurred_at, actor, actor_kind, actor_display, actor_role, on_behalf_of, action, subject, outcome,
        purpose, address, source, request_id, connection, detail,
        coalesce(study.study_instance_uid, step.study_instance_uid,
            CASE WHEN subject ~ '^[0-9]+([.][0-9]+)+$' THEN subject END, '') AS study_instance_uid,
        coalesce(patient.reference, '') AS patient_reference,
        NULL::bigint AS sequence
    FROM batch
    LEFT JOIN radiology_reports AS report ON report.id = batch.subject_id
    LEFT JOIN scheduled_procedure_steps AS step ON step.id = batch.subject_id
    LEFT JOIN orders AS ordered ON ordered.id = batch.subject_id
    LEFT JOIN LATERAL (
        SELECT study_instance_uid, patient_id
        FROM imaging_studies
        WHERE study_instance_uid = coalesce(step.study_instance_uid, batch.subject)
           OR imaging_studies.id = coalesce(report.study_id, batch.subject_id)
           OR study_id = batch.subject
        LIMIT 1
    ) AS study ON true
    LEFT JOIN LATERAL (
        SELECT reference
        FROM patients
        WHERE patients.id = coalesce(study.patient_id, report.patient_id, ordered.patient_id, batch.subject_id)
           OR reference = batch.subject
        LIMIT 1
    ) AS patient ON true
    ORDER BY batch.id
"""

SEAL: LiteralString = """
    INSERT INTO audit_records (sequence, sealed_at, id, occurred_at, actor, actor_kind, actor_display, actor_role,
        on_behalf_of, action, subject, outcome, purpose, address, source, request_id, connection, detail,
        study_instance_uid, patient_reference, previous_hash, hash)
    SELECT sealed.sequence, %(sealed_at)s, sealed.id, occurred_at, actor, actor_kind, actor_display, actor_role,
        on_behalf_of, action, subject, outcome, purpose, address, source, request_id, connection, detail,
        sealed.study_instance_uid, sealed.patient_reference, sealed.previous_hash, sealed.hash
    FROM unnest(%(ids)s::uuid[], %(sequences)s::bigint[], %(studies)s::text[], %(patients)s::text[],
        %(previous)s::bytea[], %(hashes)s::bytea[])
        AS sealed (id, sequence, study_instance_uid, patient_reference, previous_hash, hash)
    JOIN audit_arrivals ON audit_arrivals.id = sealed.id
"""


SEALED_AFTER: LiteralString = """
    SELECT sequence, sealed_at, previous_hash, hash, id, occurred_at, actor, actor_kind, actor_display, actor_role,
        on_behalf_of, action, subject, outcome, purpose, address, source, request_id, connection, detail,
        study_instance_uid, patient_reference
    FROM audit_records
    WHERE sequence > %(sequence)s
    ORDER BY sequence
    LIMIT %(limit)s
"""


@dataclass(frozen=True, slots=True)
class Head:
    """The last record of the chain."""

    sequence: int
    hash: bytes
    sealed_at: datetime


async def insert(tx: Transaction, row: Mapping[str, Any]) -> None:
    """Add one record."""
    await tx.run(INSERT, **_written(row))


def insert_in_batch(tx: WriterTransaction, row: Mapping[str, Any]) -> None:
    """The same for a writing thread."""
    tx.run(INSERT, **_written(row))


def insert_many(tx: WriterTransaction, rows: Iterable[Mapping[str, Any]]) -> None:
    """Add many records at once."""
    tx.copy_in(COPY, COPY_TYPES, [tuple(_written(row).values()) for row in rows])


def _written(row: Mapping[str, Any]) -> dict[str, Any]:
    return {**row, "connection": as_json(row["connection"]), "detail": as_json(row["detail"])}


def spool_position(tx: WriterTransaction, name: str) -> int:
    """How much of a spool file has become records, in bytes. Nobody else takes from it until this transaction ends."""
    statement: LiteralString = "SELECT position FROM audit_spools WHERE name = %(name)s FOR UPDATE"
    return tx.value(statement, name=name) or 0


def move_spool(tx: WriterTransaction, name: str, position: int) -> None:
    """More of it has."""
    tx.run(
        """
        INSERT INTO audit_spools (name, position)
        VALUES (%(name)s, %(position)s)
        ON CONFLICT (name) DO UPDATE SET position = excluded.position, changed_at = now()
        """,
        name=name,
        position=position,
    )


def forget_spool(tx: WriterTransaction, name: str) -> None:
    """The file is gone."""
    tx.run("DELETE FROM audit_spools WHERE name = %(name)s", name=name)


async def become_sealer(tx: Transaction) -> None:
    """Let nobody else seal until this transaction ends."""
    await tx.run("SELECT pg_advisory_xact_lock(hashtext('audit.seal'))")


async def head(tx: Transaction) -> Head | None:
    """The last record that was sealed, or the last checkpoint where its months are gone; None before the first."""
    return await tx.maybe(
        Head,
        """
        SELECT sequence, hash, sealed_at
        FROM (
            (SELECT sequence, hash, sealed_at FROM audit_records ORDER BY sequence DESC LIMIT 1)
            UNION ALL
            (SELECT sequence, hash, sealed_at FROM audit_checkpoints ORDER BY sequence DESC LIMIT 1)
        ) AS last
        ORDER BY sequence DESC
        LIMIT 1
        """,
    )


async def arrivals(tx: Transaction, *, limit: int) -> list[Record]:
    """What waits to be sealed, oldest first."""
    return await tx.all(Record, ARRIVALS, limit=limit)


async def seal(
    tx: Transaction, records: Sequence[Record], links: Sequence[tuple[int, bytes, bytes]], at: datetime
) -> None:
    """Move arrivals into the chain; each link is sequence, previous hash and hash."""
    await tx.run("SELECT audit_make_month(%(at)s)", at=at)
    ids = [record.id for record in records]
    await tx.run(
        SEAL,
        sealed_at=at,
        ids=ids,
        sequences=[sequence for sequence, _, _ in links],
        studies=[record.study_instance_uid for record in records],
        patients=[record.patient_reference for record in records],
        previous=[previous for _, previous, _ in links],
        hashes=[digest for _, _, digest in links],
    )
    await tx.run("DELETE FROM audit_arrivals WHERE id = ANY(%(ids)s)", ids=ids)


async def make_checkpoint(tx: Transaction, head: Head, *, reason: str) -> None:
    """Keep a place of the chain."""
    await tx.run(
        """
        INSERT INTO audit_checkpoints (sequence, hash, sealed_at, reason)
        VALUES (%(sequence)s, %(hash)s, %(sealed_at)s, %(reason)s)
        ON CONFLICT (sequence, reason) DO NOTHING
        """,
        sequence=head.sequence,
        hash=head.hash,
        sealed_at=head.sealed_at,
        reason=reason,
    )


async def last_checkpoint(tx: Transaction) -> Head | None:
    """The newest checkpoint."""
    return await tx.maybe(
        Head, "SELECT sequence, hash, sealed_at FROM audit_checkpoints ORDER BY sequence DESC LIMIT 1"
    )


async def checkpoints(tx: Transaction) -> list[Head]:
    """All checkpoints, oldest first."""
    return await tx.all(Head, "SELECT sequence, hash, sealed_at FROM audit_checkpoints ORDER BY sequence")


async def oldest_arrival_seconds(tx: Transaction) -> float:
    """Age of the oldest record that is not sealed, in seconds."""
    return await tx.value("SELECT coalesce(extract(epoch FROM now() - min(occurred_at)), 0)::float FROM audit_arrivals")


async def old_months(tx: Transaction, *, before: datetime) -> list[str]:
    """The partitions whose whole month was sealed before a moment, oldest first."""
    return await tx.values("SELECT name FROM audit_months WHERE ends_at <= %(before)s ORDER BY name", before=before)


async def last_sealed_before(tx: Transaction, before: datetime) -> Head | None:
    """The last record that was sealed before a moment."""
    return await tx.maybe(
        Head,
        """
        SELECT sequence, hash, sealed_at
        FROM audit_records
        WHERE sealed_at < %(before)s
        ORDER BY sequence DESC
        LIMIT 1
        """,
        before=before,
    )


async def month_ends_at(tx: Transaction, name: str) -> datetime:
    """Where the month of a partition ends."""
    return await tx.value("SELECT ends_at FROM audit_months WHERE name = %(name)s", name=name)


async def drop_month(tx: Transaction, name: str) -> None:
    """Remove a partition."""
    await tx.run("SELECT audit_drop_month(%(name)s)", name=name)


async def is_hash(tx: Transaction, digest: bytes, *, after: int) -> bool:
    """Whether a record behind a sequence number has this hash."""
    return await tx.value(
        "SELECT EXISTS (SELECT FROM audit_records WHERE hash = %(digest)s AND sequence > %(after)s)",
        digest=digest,
        after=after,
    )


async def sealed_behind(tx: Transaction, before: Sealed | None, *, first: int, limit: int) -> list[Sealed]:
    """Rows of the chain from `first` on, behind a row that was read before; two of one number are both told."""
    return await tx.all(
        Sealed,
        """
        SELECT sequence, sealed_at, previous_hash, hash, id, occurred_at, actor, actor_kind, actor_display, actor_role,
            on_behalf_of, action, subject, outcome, purpose, address, source, request_id, connection, detail,
            study_instance_uid, patient_reference
        FROM audit_records
        WHERE sequence >= %(first)s
          AND (sequence, sealed_at) > (%(sequence)s, %(sealed_at)s)
        ORDER BY sequence, sealed_at
        LIMIT %(limit)s
        """,
        first=first,
        sequence=before.sequence if before else -1,
        sealed_at=before.sealed_at if before else BEFORE_ALL,
        limit=limit,
    )


async def sealed_at(tx: Transaction, sequence: int) -> Head:
    """A record's place in the chain."""
    return await tx.one(
        Head,
        "SELECT sequence, hash, sealed_at FROM audit_records WHERE sequence = %(sequence)s LIMIT 1",
        sequence=sequence,
    )


async def retention_checkpoint(tx: Transaction) -> Head | None:
    """Where the chain goes on behind the months that were dropped; None while it is there from its beginning."""
    return await tx.maybe(
        Head,
        """
        SELECT sequence, hash, sealed_at
        FROM audit_checkpoints
        WHERE reason = 'retention'
        ORDER BY sequence DESC
        LIMIT 1
        """,
    )


async def mark(tx: Transaction, name: str) -> int:
    """When something was done last, in seconds since 1970; 0 for never."""
    statement: LiteralString = "SELECT position FROM worker_marks WHERE name = %(name)s"
    return await tx.value(statement, name=name) or 0


async def lock_repository(tx: Transaction, name: str, *, again_seconds: int) -> int | None:
    """Up to which record a repository has had all; None where somebody else sends, or it failed a moment ago."""
    await tx.run(
        """
        INSERT INTO audit_repositories (name, sequence)
        VALUES (%(name)s, 0)
        ON CONFLICT (name) DO NOTHING
        """,
        name=name,
    )
    return await tx.value(
        """
        SELECT sequence
        FROM audit_repositories
        WHERE name = %(name)s
          AND coalesce(failed_at < now() - make_interval(secs => %(again_seconds)s), true)
        FOR UPDATE SKIP LOCKED
        """,
        name=name,
        again_seconds=again_seconds,
    )


async def sealed_after(tx: Transaction, sequence: int, *, limit: int) -> list[Sealed]:
    """The records behind one, in the order of the chain."""
    return await tx.all(Sealed, SEALED_AFTER, sequence=sequence, limit=limit)


async def move_repository(tx: Transaction, name: str, sequence: int) -> None:
    """A repository has had all up to this record."""
    await tx.run(
        """
        UPDATE audit_repositories
        SET sequence = %(sequence)s, sent_at = now(), failed_at = NULL, failure = ''
        WHERE name = %(name)s
        """,
        name=name,
        sequence=sequence,
    )


async def note_failure(tx: Transaction, name: str, sentence: str) -> None:
    """A repository could not be reached."""
    await tx.run(
        "UPDATE audit_repositories SET failed_at = now(), failure = %(sentence)s WHERE name = %(name)s",
        name=name,
        sentence=sentence,
    )
