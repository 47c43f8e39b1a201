"""SQL of accounts as administrators see them, of their keys, and of the sessions of one account."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from radiology.kit.db import Transaction


@dataclass(frozen=True, slots=True)
class Listed:
    """An account without its secrets."""

    id: UUID
    name: str
    role: str
    display: str
    practitioner: str | None
    facility_code: str | None
    facility_codes: list[str]
    must_change_password: bool
    has_password: bool
    has_totp: bool
    disabled_at: datetime | None
    waits_until: datetime | None


@dataclass(frozen=True, slots=True)
class Key:
    """A key without its secret. `scopes`: permissions that it has at most, None for all of its account."""

    id: UUID
    prefix: str
    label: str
    scopes: list[str] | None
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None


@dataclass(frozen=True, slots=True)
class OwnSession:
    """A session as its owner sees it."""

    id: UUID
    begun_at: datetime
    used_at: datetime
    expires_at: datetime
    address: str
    agent: str
    is_this: bool


async def list_accounts(tx: Transaction, *, name: str | None = None) -> list[Listed]:
    """Every account, or the one of a name, in the order of names."""
    return await tx.all(
        Listed,
        """
        SELECT id, name, role, display, practitioner_reference AS practitioner, facility_code, facility_codes,
            must_change_password, password_hash IS NOT NULL AS has_password, totp_confirmed_at IS NOT NULL AS has_totp,
            disabled_at, (
                SELECT max(waits_until)
                FROM sign_in_attempts
                WHERE name_sha256 = sha256(convert_to(name, 'UTF8'))
            ) AS waits_until
        FROM accounts
        WHERE %(name)s::text IS NULL OR name = %(name)s
        ORDER BY name
        """,
        name=name,
    )


async def lock_account(tx: Transaction, name: str) -> Listed | None:
    """The account of a name; until the end of the transaction no other administrator changes any account.

    So of two administrators who remove each other, the second finds that it is the last.
    """
    await tx.value("SELECT pg_advisory_xact_lock(hashtext('accounts'))")
    return next(iter(await list_accounts(tx, name=name)), None)


async def administrators(tx: Transaction) -> list[str]:
    """The names of who administers."""
    return await tx.values(
        """
        SELECT name
        FROM accounts
        WHERE role = 'administrator'
          AND disabled_at IS NULL
        ORDER BY name
        """
    )


async def insert_account(tx: Transaction, account: dict[str, Any]) -> int:
    """Make an account; 0 where the name is taken."""
    return await tx.run(
        """
        INSERT INTO accounts (id, name, role, display, practitioner_reference, facility_code, facility_codes,
            password_hash, must_change_password)
        VALUES (%(id)s, %(name)s, %(role)s, %(display)s, %(practitioner)s, %(facility_code)s, %(facility_codes)s,
            %(password_hash)s, true)
        ON CONFLICT (name) DO NOTHING
        """,
        **account,
    )


async def change_account(tx: Transaction, account: dict[str, Any]) -> None:
    """Write what an administrator may change."""
    await tx.run(
        """
        UPDATE accounts
        SET role = %(role)s,
            display = %(display)s,
            practitioner_reference = %(practitioner)s,
            facility_code = %(facility_code)s,
            facility_codes = %(facility_codes)s
        WHERE id = %(id)s
        """,
        **account,
    )


async def set_disabled(tx: Transaction, account_id: UUID, disabled_at: datetime | None) -> None:
    """Close an account, or open it again."""
    await tx.run(
        "UPDATE accounts SET disabled_at = %(disabled_at)s WHERE id = %(account_id)s",
        account_id=account_id,
        disabled_at=disabled_at,
    )


async def set_password(tx: Transaction, account_id: UUID, password_hash: str, *, must_change: bool) -> None:
    """Keep the hash of a new password."""
    await tx.run(
        """
        UPDATE accounts
        SET password_hash = %(password_hash)s, must_change_password = %(must_change)s
        WHERE id = %(account_id)s
        """,
        account_id=account_id,
        password_hash=password_hash,
        must_change=must_change,
    )


async def keys_of(tx: Transaction, account_id: UUID) -> list[Key]:
    """The keys of an account, the newest first."""
    return await tx.all(
        Key,
        """
        SELECT id, prefix, label, scopes, created_at, expires_at, last_used_at
        FROM tokens
        WHERE account_id = %(account_id)s
        ORDER BY created_at DESC, id
        """,
        account_id=account_id,
    )


async def remove_key(tx: Transaction, account_id: UUID, key_id: UUID) -> int:
    """Forget a key; 0 where the account has no such one."""
    return await tx.run(
        "DELETE FROM tokens WHERE id = %(key_id)s AND account_id = %(account_id)s",
        key_id=key_id,
        account_id=account_id,
    )


async def sessions_of(
    tx: Transaction, account_id: UUID, *, now: datetime, used_after: datetime, this_sha256: bytes
) -> list[OwnSession]:
    """The sessions of an account that have not ended, those last used first."""
    return await tx.all(
        OwnSession,
        """
        SELECT id, begun_at, used_at, expires_at, address, agent, secret_sha256 = %(this)s AS is_this
        FROM sessions
        WHERE account_id = %(account_id)s
          AND expires_at > %(now)s
          AND used_at > %(used_after)s
        ORDER BY used_at DESC, id
        """,
        account_id=account_id,
        now=now,
        used_after=used_after,
        this=this_sha256,
    )


async def end_one_session(tx: Transaction, account_id: UUID, session_id: UUID) -> int:
    """Forget a session of an account; 0 where it has no such one."""
    return await tx.run(
        "DELETE FROM sessions WHERE id = %(session_id)s AND account_id = %(account_id)s",
        session_id=session_id,
        account_id=account_id,
    )


async def save_second_step(tx: Transaction, account_id: UUID, *, secret_sha256: bytes, expires_at: datetime) -> None:
    """Remember that a password was right, until the code comes."""
    await tx.run(
        """
        INSERT INTO second_steps (secret_sha256, account_id, expires_at)
        VALUES (%(secret_sha256)s, %(account_id)s, %(expires_at)s)
        """,
        secret_sha256=secret_sha256,
        account_id=account_id,
        expires_at=expires_at,
    )


async def second_step_of(tx: Transaction, *, secret_sha256: bytes, now: datetime) -> str | None:
    """The name of whose password was right, unless that was long ago. What is over is forgotten."""
    await tx.run("DELETE FROM second_steps WHERE expires_at <= %(now)s", now=now)
    return await tx.value(
        """
        SELECT name
        FROM second_steps
        JOIN accounts ON accounts.id = account_id
        WHERE secret_sha256 = %(secret_sha256)s
        """,
        secret_sha256=secret_sha256,
    )


async def end_second_step(tx: Transaction, *, secret_sha256: bytes) -> int:
    """The code came. 0 where another request was first."""
    return await tx.run("DELETE FROM second_steps WHERE secret_sha256 = %(secret_sha256)s", secret_sha256=secret_sha256)
