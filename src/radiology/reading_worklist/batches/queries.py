"""SQL of batches. `b` is reading_batches, `s` reading_batch_studies, `item` reading_items."""
# ruff: noqa: S608 - every piece is a literal and every value a parameter; the type checker proves it by LiteralString.

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import LiteralString
from uuid import UUID

from radiology.access.model import Actor
from radiology.errors import NotFound
from radiology.kit.db import Transaction, Where
from radiology.reading_worklist.batches.model import Alike


@dataclass(frozen=True, slots=True)
class Held:
    """A study of a batch as the worklist has it now."""

    study_id: UUID
    study_instance_uid: str
    state: str
    claimed_by: str | None
    locked_until: datetime | None


@dataclass(frozen=True, slots=True)
class Batch:
    """A batch of a reader."""

    id: UUID
    account: str
    ended_at: datetime | None


async def insert(tx: Transaction, batch_id: UUID, account: str, alike: Alike, *, now: datetime) -> None:
    """A new batch without studies."""
    await tx.run(
        """
        INSERT INTO reading_batches (id, account, facility_code, modality, region, procedure_key, made_at)
        VALUES (%(id)s, %(account)s, %(facility_code)s, %(modality)s, %(region)s, %(procedure_key)s, %(now)s)
        """,
        id=batch_id,
        account=account,
        facility_code=alike.facility_code,
        modality=alike.modality,
        region=alike.region,
        procedure_key=alike.procedure_key,
        now=now,
    )


async def add(tx: Transaction, batch_id: UUID, study_ids: Sequence[UUID]) -> None:
    """Put studies into a batch, in this order."""
    await tx.run(
        """
        INSERT INTO reading_batch_studies (batch_id, study_id, position)
        SELECT %(batch_id)s, study_id, position
        FROM unnest(%(ids)s::uuid[]) WITH ORDINALITY AS given (study_id, position)
        """,
        batch_id=batch_id,
        ids=list(study_ids),
    )


async def lock(tx: Transaction, batch_id: UUID, account: str) -> Batch:
    """A batch of a reader, kept from all others until the transaction ends. Raises NotFound."""
    found = await tx.maybe(
        Batch,
        """
        SELECT id, account, ended_at
        FROM reading_batches
        WHERE id = %(batch_id)s
          AND account = %(account)s
        FOR UPDATE
        """,
        batch_id=batch_id,
        account=account,
    )
    if found is None:
        raise NotFound("You have no such batch.")
    return found


async def running_of(tx: Transaction, account: str) -> UUID | None:
    """The batch that somebody has not ended."""
    return await tx.value(
        """
        SELECT id
        FROM reading_batches
        WHERE account = %(account)s
          AND ended_at IS NULL
        ORDER BY made_at DESC
        LIMIT 1
        """,
        account=account,
    )


async def end(tx: Transaction, batch_id: UUID, *, now: datetime) -> None:
    """A batch is done, or given up."""
    await tx.run("UPDATE reading_batches SET ended_at = %(now)s WHERE id = %(batch_id)s", batch_id=batch_id, now=now)


async def held(tx: Transaction, batch_id: UUID) -> list[Held]:
    """The studies of a batch in their order."""
    return await tx.all(
        Held,
        """
        SELECT item.study_id, item.study_instance_uid, item.state, item.claimed_by, item.locked_until
        FROM reading_batch_studies AS s
        JOIN reading_items AS item ON item.study_id = s.study_id
        WHERE s.batch_id = %(batch_id)s
        ORDER BY s.position
        """,
        batch_id=batch_id,
    )


async def uids_of(tx: Transaction, study_ids: Sequence[UUID], *, visible_to: Actor) -> dict[UUID, str]:
    """The Study Instance UIDs of those that an actor sees in full, or may claim at the facilities where he works."""
    where = Where()
    where.add("item.study_id = ANY({ids})", ids=list(study_ids))
    visible_to.staff_reach.add_facility(where, "item.facility_code")
    rows = await tx.values(
        "SELECT json_build_array(item.study_id, item.study_instance_uid) FROM reading_items AS item WHERE "
        + where.condition,
        **where.parameters,
    )
    return {UUID(study_id): uid for study_id, uid in rows}


_INTERRUPTS: LiteralString = """
    SELECT coalesce(json_agg(json_build_object('offer', o.id, 'study', item.study_instance_uid,
        'dueAt', item.deadline, 'expiresAt', o.expires_at) ORDER BY item.deadline, item.study_id), '[]')::text
    FROM reading_offers AS o
    JOIN reading_items AS item ON item.study_id = o.study_id
    WHERE o.account = %(account)s
      AND o.state = 'open'
      AND item.priority = 'stat'
    """


async def interrupts(tx: Transaction, account: str) -> bytes:
    """STAT studies that are offered to somebody now, as a JSON array: they come before any batch."""
    return await tx.json(_INTERRUPTS, account=account)
