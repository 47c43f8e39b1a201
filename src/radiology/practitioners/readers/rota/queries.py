"""SQL of rotas. `o` is rotas, `t` on_call_turns."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from radiology.kit.db import Transaction
from radiology.practitioners.readers.rota.model import Turn


@dataclass(frozen=True, slots=True)
class Rota:
    """A rota: of which group of subspecialties, at which facilities (None: all)."""

    number: int
    key: str
    version: int
    name: str
    subspecialty_group: str
    facility_codes: list[str] | None
    active: bool


@dataclass(frozen=True, slots=True)
class NowOnCall:
    """Who is on call at a moment."""

    rota: int
    subspecialty_group: str
    facility_codes: list[str] | None
    line: int
    reader: str


async def lock(tx: Transaction, key: str) -> Rota | None:
    """A rota, kept from all others until the transaction ends."""
    return await tx.maybe(
        Rota,
        """
        SELECT number, key, version, name, subspecialty_group, facility_codes, active
        FROM rotas
        WHERE key = %(key)s
        FOR UPDATE
        """,
        key=key,
    )


async def active(tx: Transaction) -> list[Rota]:
    """Those that must be covered."""
    return await tx.all(
        Rota,
        """
        SELECT number, key, version, name, subspecialty_group, facility_codes, active
        FROM rotas
        WHERE active
        ORDER BY key
        """,
    )


async def save(
    tx: Transaction, key: str, *, name: str, subspecialty_group: str, facility_codes: Sequence[str] | None, active: bool
) -> None:
    """Add or change a rota."""
    await tx.run(
        """
        INSERT INTO rotas AS o (key, name, subspecialty_group, facility_codes, active)
        VALUES (%(key)s, %(name)s, %(subspecialty_group)s, %(facility_codes)s, %(active)s)
        ON CONFLICT (key) DO UPDATE
        SET name = excluded.name, subspecialty_group = excluded.subspecialty_group,
            facility_codes = excluded.facility_codes, active = excluded.active, version = o.version + 1
        """,
        key=key,
        name=name,
        subspecialty_group=subspecialty_group,
        facility_codes=None if facility_codes is None else list(facility_codes),
        active=active,
    )


async def rotas_body(tx: Transaction) -> bytes:
    """All rotas as a JSON array."""
    return await tx.json(
        """
        SELECT coalesce(json_agg(json_build_object('key', key, 'version', version, 'name', name,
            'subspecialtyGroup', subspecialty_group, 'facilityCodes', facility_codes, 'active', active)
            ORDER BY key), '[]')::text
        FROM rotas
        """
    )


async def add_turn(tx: Transaction, turn_id: UUID, rota: int, turn: Turn) -> None:
    """Put somebody on call. Raises Conflict where somebody else is, or who is no reader."""
    await tx.run(
        """
        INSERT INTO on_call_turns (id, rota, line, reader, begins_at, ends_at)
        VALUES (%(id)s, %(rota)s, %(line)s, %(reader)s, %(begins_at)s, %(ends_at)s)
        """,
        id=turn_id,
        rota=rota,
        line=turn.line,
        reader=turn.reader,
        begins_at=turn.begins_at,
        ends_at=turn.ends_at,
    )


async def remove_turn(tx: Transaction, rota: int, turn_id: UUID) -> bool:
    """Take somebody off call. False where there is no such turn."""
    return bool(await tx.run("DELETE FROM on_call_turns WHERE id = %(id)s AND rota = %(rota)s", id=turn_id, rota=rota))


async def turns(tx: Transaction, rota: int, *, begins_at: datetime, ends_at: datetime) -> list[Turn]:
    """The turns of a rota that touch a span."""
    return await tx.all(
        Turn,
        """
        SELECT line, reader, begins_at, ends_at
        FROM on_call_turns
        WHERE rota = %(rota)s
          AND ends_at > %(begins_at)s
          AND begins_at < %(ends_at)s
        ORDER BY begins_at, line
        """,
        rota=rota,
        begins_at=begins_at,
        ends_at=ends_at,
    )


async def turns_body(tx: Transaction, rota: int, *, begins_at: datetime, ends_at: datetime) -> list[Any]:
    """The same, each with its id, as JSON values."""
    return await tx.values(
        """
        SELECT json_build_object('id', id, 'line', CASE line WHEN 1 THEN 'primary' ELSE 'secondary' END,
            'reader', reader, 'beginsAt', begins_at, 'endsAt', ends_at)
        FROM on_call_turns
        WHERE rota = %(rota)s
          AND ends_at > %(begins_at)s
          AND begins_at < %(ends_at)s
        ORDER BY begins_at, line
        """,
        rota=rota,
        begins_at=begins_at,
        ends_at=ends_at,
    )


async def on_call(tx: Transaction, at: datetime) -> list[NowOnCall]:
    """Who is on call at a moment, on all rotas that hold."""
    return await tx.all(
        NowOnCall,
        """
        SELECT t.rota, o.subspecialty_group, o.facility_codes, t.line, t.reader
        FROM on_call_turns AS t
        JOIN rotas AS o ON o.number = t.rota AND o.active
        WHERE t.ends_at > %(at)s
          AND t.begins_at <= %(at)s
        ORDER BY t.line, o.key
        """,
        at=at,
    )
