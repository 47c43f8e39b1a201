"""SQL of the catalogue."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from radiology.kit.db import Transaction, as_json
from radiology.procedures.model import Agreed


@dataclass(frozen=True, slots=True)
class Entry:
    """One version of an entry, as it was kept."""

    key: str
    version: int
    effective_from: date
    body: dict[str, Any]
    is_shipped: bool
    reason: str
    changed_by: str
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class Standing:
    """Which catalogue the database has, and whether it knows the shipped file."""

    generation: UUID
    is_loaded: bool


async def standing(tx: Transaction, sha256: str) -> Standing:
    """Which catalogue the database has now."""
    return await tx.one(
        Standing,
        """
        SELECT generation,
            EXISTS (SELECT FROM procedure_catalogues_shipped WHERE sha256 = %(sha256)s) AS is_loaded
        FROM procedure_catalogue
        """,
        sha256=sha256,
    )


async def lock_for_change(tx: Transaction) -> None:
    """Let one at a time change the catalogue, and have every process read it anew afterwards."""
    await tx.run("UPDATE procedure_catalogue SET generation = gen_random_uuid()")


async def note_shipped(tx: Transaction, sha256: str, *, at: datetime) -> bool:
    """Remember that a shipped file is loaded. False where it was already."""
    return bool(
        await tx.run(
            """
            INSERT INTO procedure_catalogues_shipped (sha256, loaded_at)
            VALUES (%(sha256)s, %(at)s)
            ON CONFLICT DO NOTHING
            """,
            sha256=sha256,
            at=at,
        )
    )


async def entries(tx: Transaction) -> list[Entry]:
    """Every version of every entry."""
    return await tx.all(
        Entry,
        """
        SELECT key, version, effective_from, body, is_shipped, reason, changed_by, changed_at
        FROM procedure_entries
        ORDER BY key, version
        """,
    )


async def versions(tx: Transaction, key: str) -> list[Entry]:
    """Every version of one entry, the newest first."""
    return await tx.all(
        Entry,
        """
        SELECT key, version, effective_from, body, is_shipped, reason, changed_by, changed_at
        FROM procedure_entries
        WHERE key = %(key)s
        ORDER BY version DESC
        """,
        key=key,
    )


async def save_entry(
    tx: Transaction, key: str, body: Mapping[str, Any], *, version: int, effective_from: date, is_shipped: bool,
    reason: str, changed_by: str, changed_at: datetime,
) -> None:  # fmt: skip
    """Another version of an entry."""
    await tx.run(
        """
        INSERT INTO procedure_entries (
            key, version, effective_from, body, is_shipped, reason, changed_by, changed_at
        )
        VALUES (
            %(key)s, %(version)s, %(effective_from)s, %(body)s, %(is_shipped)s, %(reason)s, %(changed_by)s,
            %(changed_at)s
        )
        """,
        key=key,
        version=version,
        effective_from=effective_from,
        body=as_json(body),
        is_shipped=is_shipped,
        reason=reason,
        changed_by=changed_by,
        changed_at=changed_at,
    )


async def agreed(tx: Transaction) -> list[Agreed]:
    """All terms of facilities and of ownerships that were ever said."""
    return await tx.all(
        Agreed,
        """
        SELECT key, facility_code, ownership, version, effective_from, price_bdt, turnaround_hours, priority
        FROM procedure_terms
        """,
    )
