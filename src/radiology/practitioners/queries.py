"""SQL of delegations. Moments are the database's, since it is the database that lets a delegation end."""
# ruff: noqa: S608 - every piece is a literal and every value a parameter; the type checker proves it by LiteralString.

from dataclasses import dataclass
from datetime import datetime
from typing import LiteralString
from uuid import UUID

from radiology.access.model import Actor
from radiology.kit.db import Transaction, Where

_BODY: LiteralString = """json_build_object('id', d.id, 'delegator', d.delegator, 'delegate', d.delegate,
        'facilityCode', d.facility_code, 'beginsAt', d.begins_at, 'endsAt', coalesce(d.ended_at, d.ends_at),
        'endedBy', d.ended_by, 'running', d.ended_at IS NULL AND d.ends_at > now())"""


@dataclass(frozen=True, slots=True)
class Delegation:
    """One delegation, locked for a change."""

    id: UUID
    delegator: str
    delegate: str
    facility_code: str
    is_running: bool


async def insert(
    tx: Transaction, *, id: UUID, delegator: str, delegate: str, facility_code: str, ends_at: datetime
) -> None:
    """A new delegation, from now on."""
    await tx.run(
        """
        INSERT INTO approval_delegations (id, delegator, delegate, facility_code, ends_at)
        VALUES (%(id)s, %(delegator)s, %(delegate)s, %(facility_code)s, %(ends_at)s)
        """,
        id=id,
        delegator=delegator,
        delegate=delegate,
        facility_code=facility_code,
        ends_at=ends_at,
    )


async def lock(tx: Transaction, delegation_id: UUID) -> Delegation | None:
    """A delegation, kept from all others until the transaction ends."""
    return await tx.maybe(
        Delegation,
        """
        SELECT id, delegator, delegate, facility_code, ended_at IS NULL AND ends_at > now() AS is_running
        FROM approval_delegations
        WHERE id = %(delegation_id)s
        FOR UPDATE
        """,
        delegation_id=delegation_id,
    )


async def end(tx: Transaction, delegation_id: UUID, *, ended_by: str) -> None:
    """End a delegation before its time."""
    await tx.run(
        "UPDATE approval_delegations SET ended_at = now(), ended_by = %(ended_by)s WHERE id = %(delegation_id)s",
        delegation_id=delegation_id,
        ended_by=ended_by,
    )


async def delegator_for(tx: Transaction, delegate: str, facility_code: str) -> str | None:
    """Who delegated approval at a facility to somebody, as long as it runs and that consultant may sign in."""
    return await tx.value(
        """
        SELECT d.delegator
        FROM approval_delegations AS d
        JOIN accounts AS a ON 'account:' || a.name = d.delegator AND a.disabled_at IS NULL AND a.role = 'consultant'
        WHERE d.delegate = %(delegate)s
          AND d.facility_code = %(facility_code)s
          AND d.ended_at IS NULL
          AND d.ends_at > now()
        ORDER BY d.begins_at
        LIMIT 1
        """,
        delegate=delegate,
        facility_code=facility_code,
    )


async def role_of(tx: Transaction, account: str, facility_code: str) -> str | None:
    """The role of `account:<name>` that works at a facility; None where there is no such account."""
    return await tx.value(
        """
        SELECT role
        FROM accounts
        WHERE 'account:' || name = %(account)s
          AND disabled_at IS NULL
          AND (facility_code IS NULL OR facility_code = %(facility_code)s OR %(facility_code)s = ANY(facility_codes))
        """,
        account=account,
        facility_code=facility_code,
    )


async def account_of(tx: Transaction, practitioner: str) -> str | None:
    """The account of a practitioner, as `account:<name>`."""
    return await tx.value(
        """
        SELECT 'account:' || name
        FROM accounts
        WHERE practitioner_reference = %(practitioner)s
          AND disabled_at IS NULL
        ORDER BY name
        LIMIT 1
        """,
        practitioner=practitioner,
    )


async def delegations_body(tx: Transaction, *, visible_to: Actor, sees_all: bool, limit: int) -> bytes:
    """Delegations of the facilities of a reader, the newest first, as a JSON array; else those he takes part in."""
    where = Where()
    visible_to.add_facility(where, "d.facility_code")
    if not sees_all:
        where.add("{reader} IN (d.delegator, d.delegate)", reader=visible_to.id)
    statement: LiteralString = (
        "SELECT coalesce(json_agg("
        + _BODY
        + " ORDER BY d.begins_at DESC, d.id DESC), '[]')::text FROM (SELECT id, delegator, delegate, facility_code, "
        "begins_at, ends_at, ended_at, ended_by FROM approval_delegations AS d WHERE "
        + where.condition
        + " ORDER BY d.begins_at DESC, d.id DESC LIMIT %(limit)s) AS d"
    )
    return await tx.json(statement, limit=limit, **where.parameters)


async def delegation_body(tx: Transaction, delegation_id: UUID) -> bytes:
    """One delegation as JSON."""
    return await tx.json(
        "SELECT " + _BODY + "::text FROM approval_delegations AS d WHERE d.id = %(delegation_id)s",
        delegation_id=delegation_id,
    )
