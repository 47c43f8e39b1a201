"""SQL of the catalogue."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from radiology.kit.db import Transaction, as_json
from radiology.procedures.model import Agreed


@dataclass(frozen=True, slots=True)
class Version:
    """One version of an entry."""

    key: str
    version: int
    effective_from: date
    body: dict[str, Any]
    is_shipped: bool


@dataclass(frozen=True, slots=True)
class Entry(Version):
    """One version as it was kept: with who made it, when and why."""

    reason: str
    changed_by: str
    changed_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms(Agreed):
    """Terms as they were kept: with who said them, when and why."""

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


async def last_version(tx: Transaction, key: str) -> int:
    """The number of the newest version of an entry; 0 where there is none."""
    return await tx.value("SELECT coalesce(max(version), 0) FROM procedure_entries WHERE key = %(key)s", key=key)


async def agreed(tx: Transaction) -> list[Agreed]:
    """All terms of facilities and of ownerships that were ever said."""
    return await tx.all(
        Agreed,
        """
        SELECT key, facility_code, ownership, version, effective_from, price_bdt, turnaround_hours, priority
        FROM procedure_terms
        """,
    )


async def terms_of(tx: Transaction, key: str) -> list[Terms]:
    """All terms of one procedure that were ever said, the newest of each facility and ownership first."""
    return await tx.all(
        Terms,
        """
        SELECT key, facility_code, ownership, version, effective_from, price_bdt, turnaround_hours, priority, reason,
            changed_by, changed_at
        FROM procedure_terms
        WHERE key = %(key)s
        ORDER BY facility_code, ownership, version DESC
        """,
        key=key,
    )


async def last_terms(tx: Transaction, key: str, *, facility_code: str, ownership: str) -> int:
    """The number of the newest terms of a facility or an ownership; 0 where there are none."""
    return await tx.value(
        """
        SELECT coalesce(max(version), 0)
        FROM procedure_terms
        WHERE key = %(key)s AND facility_code = %(facility_code)s AND ownership = %(ownership)s
        """,
        key=key,
        facility_code=facility_code,
        ownership=ownership,
    )


async def save_terms(tx: Transaction, agreed: Agreed, *, reason: str, changed_by: str, changed_at: datetime) -> None:
    """Terms from a day on."""
    await tx.run(
        """
        INSERT INTO procedure_terms (key, facility_code, ownership, version, effective_from, price_bdt,
            turnaround_hours, priority, reason, changed_by, changed_at)
        VALUES (%(key)s, %(facility_code)s, %(ownership)s, %(version)s, %(effective_from)s, %(price_bdt)s,
            %(turnaround_hours)s, %(priority)s, %(reason)s, %(changed_by)s, %(changed_at)s)
        """,
        key=agreed.key,
        facility_code=agreed.facility_code,
        ownership=agreed.ownership,
        version=agreed.version,
        effective_from=agreed.effective_from,
        price_bdt=agreed.price_bdt,
        turnaround_hours=agreed.turnaround_hours,
        priority=agreed.priority,
        reason=reason,
        changed_by=changed_by,
        changed_at=changed_at,
    )
