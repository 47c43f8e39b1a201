"""SQL of storage commitment as its SCP."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import LiteralString
from uuid import UUID

from radiology.kit.db import Transaction, as_json
from radiology.studies.commitment import CommitmentRequest, Evidence, Reference

_REQUEST: LiteralString = """
    SELECT id, transaction_uid, ae_title, duplicate, state, attempts, requested_at, claimed_until
    FROM commitment_requests
    WHERE id = %(id)s
"""


async def insert(
    tx: Transaction,
    *,
    id: UUID,
    transaction_uid: str,
    ae_title: str,
    references: Sequence[Reference],
    requested_at: datetime,
) -> None:
    """A new request. It is a duplicate where another one of its peer and Transaction UID is still to be answered."""
    await hold(tx, ae_title, transaction_uid)
    await tx.run(
        """
        INSERT INTO commitment_requests (id, transaction_uid, ae_title, sop_class_uids, sop_instance_uids, requested_at,
            duplicate)
        SELECT %(id)s, %(transaction_uid)s, %(ae_title)s, %(classes)s, %(instances)s, %(requested_at)s, EXISTS (
            SELECT 1
            FROM commitment_requests
            WHERE ae_title = %(ae_title)s
              AND transaction_uid = %(transaction_uid)s
              AND state = 'open'
              AND NOT duplicate
        )
        """,
        id=id,
        transaction_uid=transaction_uid,
        ae_title=ae_title,
        classes=[reference.sop_class_uid for reference in references],
        instances=[reference.sop_instance_uid for reference in references],
        requested_at=requested_at,
    )


async def hold(tx: Transaction, ae_title: str, transaction_uid: str) -> None:
    """Let no other request of the peer with this Transaction UID be taken until this transaction ends."""
    await tx.run("SELECT pg_advisory_xact_lock(hashtext(%(name)s))", name=f"commitment {ae_title} {transaction_uid}")


async def find(tx: Transaction, id: UUID) -> CommitmentRequest | None:
    """A request, None where there is none."""
    return await tx.maybe(CommitmentRequest, _REQUEST, id=id)


async def find_of_peer(tx: Transaction, ae_title: str, transaction_uid: str) -> CommitmentRequest | None:
    """The newest request of a peer with a Transaction UID, None where there is none."""
    return await tx.maybe(
        CommitmentRequest,
        """
        SELECT id, transaction_uid, ae_title, duplicate, state, attempts, requested_at, claimed_until
        FROM commitment_requests
        WHERE ae_title = %(ae_title)s
          AND transaction_uid = %(transaction_uid)s
        ORDER BY requested_at DESC
        LIMIT 1
        """,
        ae_title=ae_title,
        transaction_uid=transaction_uid,
    )


async def reported_failures(tx: Transaction, id: UUID) -> dict[str, str]:
    """What was reported as not committed: SOP Instance UID and Failure Reason in hexadecimal digits."""
    return await tx.value("SELECT coalesce(failures, '{}') FROM commitment_requests WHERE id = %(id)s", id=id)


async def evidence_of(tx: Transaction, id: UUID) -> list[Evidence]:
    """What is known of the instances of a request, in their order."""
    return await tx.all(
        Evidence,
        """
        SELECT asked.sop_class_uid, asked.sop_instance_uid, stored.sop_class_uid AS stored_class_uid,
            stored.object_key, stored.size_bytes, stored.data_set_offset,
            coalesce(stored.object_sha256, stored.data_set_sha256) AS data_set_sha256,
            EXISTS (
                SELECT 1 FROM quarantine AS held
                WHERE held.sop_instance_uid = asked.sop_instance_uid
                  AND held.resolved_at IS NULL
                  AND held.reason <> 'rejected'
            ) AS quarantined,
            EXISTS (
                SELECT 1 FROM rejection_references AS named
                WHERE named.sop_instance_uid = asked.sop_instance_uid AND named.in_force
            ) AS rejected
        FROM commitment_requests AS request,
            unnest(request.sop_class_uids, request.sop_instance_uids)
                WITH ORDINALITY AS asked (sop_class_uid, sop_instance_uid, place)
        LEFT JOIN instances AS stored ON stored.sop_instance_uid = asked.sop_instance_uid
        WHERE request.id = %(id)s
        ORDER BY asked.place
        """,
        id=id,
    )


async def claim(tx: Transaction, id: UUID, *, now: datetime, until: datetime) -> bool:
    """Take the reporting of a request until then, where nobody has it. A claim of who died ends by itself."""
    return bool(
        await tx.run(
            """
            UPDATE commitment_requests
            SET claimed_until = %(until)s
            WHERE id = %(id)s
              AND state = 'open'
              AND (claimed_until IS NULL OR claimed_until < %(now)s)
            """,
            id=id,
            now=now,
            until=until,
        )
    )


async def give_back(tx: Transaction, id: UUID) -> None:
    """Let somebody else report it."""
    await tx.run("UPDATE commitment_requests SET claimed_until = NULL WHERE id = %(id)s AND state = 'open'", id=id)


async def save_reported(tx: Transaction, id: UUID, *, failures: Mapping[str, int], at: datetime) -> None:
    """The peer has taken the result."""
    await tx.run(
        """
        UPDATE commitment_requests
        SET state = 'reported', failures = %(failures)s, sentence = '', claimed_until = NULL, changed_at = %(at)s
        WHERE id = %(id)s
        """,
        id=id,
        failures=as_json({uid: f"{reason:04X}" for uid, reason in failures.items()}),
        at=at,
    )


async def save_failed(tx: Transaction, id: UUID, *, sentence: str, gives_up: bool, at: datetime) -> None:
    """The result could not be delivered this time, or for good."""
    await tx.run(
        """
        UPDATE commitment_requests
        SET state = CASE WHEN %(gives_up)s THEN 'given-up' ELSE state END,
            attempts = attempts + 1,
            sentence = %(sentence)s,
            claimed_until = NULL,
            changed_at = %(at)s
        WHERE id = %(id)s
          AND state = 'open'
        """,
        id=id,
        sentence=sentence,
        gives_up=gives_up,
        at=at,
    )
