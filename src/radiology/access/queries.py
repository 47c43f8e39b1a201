"""SQL of accounts and tokens."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from radiology.access.model import ROLES, Actor, Permission, Role
from radiology.kit.db import Transaction


@dataclass(frozen=True, slots=True)
class Account:
    """A person or program that may sign in."""

    id: UUID
    name: str
    role: str
    password_hash: str | None
    must_change_password: bool
    practitioner_reference: str | None
    display: str
    facility_code: str | None
    #: Further facilities, of who has one.
    facility_codes: list[str] = field(default_factory=list[str])
    #: Whether signing in needs a code as well.
    has_totp: bool = False

    @property
    def actor(self) -> Actor:
        """The actor that the account stands for."""
        home = self.facility_code
        return Actor(
            id=f"account:{self.name}",
            display=self.display,
            permissions=ROLES[Role(self.role)],
            role=self.role,
            facility_codes=None if home is None else frozenset({home, *self.facility_codes}),
            home_facility=home,
            practitioner_reference=self.practitioner_reference,
            must_change_password=self.must_change_password,
        )


@dataclass(frozen=True, slots=True)
class KeyAccount(Account):
    """The account of a key, and what the key adds. `scopes`: permissions that it has at most, None for all."""

    key_id: UUID | None = None
    scopes: list[str] | None = None
    last_used_at: datetime | None = None

    @property
    def key_actor(self) -> Actor:
        """The actor that the key stands for. A password has no part in it."""
        actor = replace(self.actor, must_change_password=False)
        if self.scopes is None:
            return actor
        return replace(actor, permissions=actor.permissions & {Permission(scope) for scope in self.scopes})


async def find_account(tx: Transaction, name: str) -> Account | None:
    """An account that is not disabled, by name."""
    return await tx.maybe(
        Account,
        """
        SELECT id, name, role, password_hash, must_change_password, practitioner_reference, display, facility_code,
            facility_codes, totp_confirmed_at IS NOT NULL AS has_totp
        FROM accounts
        WHERE name = %(name)s
          AND disabled_at IS NULL
        """,
        name=name,
    )


async def find_account_by_token(tx: Transaction, token_sha256: bytes) -> KeyAccount | None:
    """The account that a token belongs to, unless either has ended."""
    return await tx.maybe(
        KeyAccount,
        """
        SELECT accounts.id, name, role, password_hash, must_change_password, practitioner_reference, display,
            facility_code, facility_codes, tokens.id AS key_id, scopes, last_used_at
        FROM tokens
        JOIN accounts ON accounts.id = tokens.account_id
        WHERE token_sha256 = %(token_sha256)s
          AND (expires_at IS NULL OR expires_at > now())
          AND disabled_at IS NULL
        """,
        token_sha256=token_sha256,
    )


async def count_accounts(tx: Transaction) -> int:
    """How many accounts there are."""
    return await tx.value("SELECT count(*) FROM accounts")


async def save_account(tx: Transaction, account: Account) -> UUID:
    """Make an account, or change the one of the same name. Returns its id."""
    return await tx.value(
        """
        INSERT INTO accounts (id, name, role, password_hash, must_change_password, practitioner_reference, display,
            facility_code, facility_codes)
        VALUES (%(id)s, %(name)s, %(role)s, %(password_hash)s, %(must_change_password)s, %(practitioner_reference)s,
            %(display)s, %(facility_code)s, %(facility_codes)s)
        ON CONFLICT (name) DO UPDATE
        SET role = excluded.role,
            password_hash = coalesce(excluded.password_hash, accounts.password_hash),
            must_change_password = CASE
                WHEN excluded.password_hash IS NULL THEN accounts.must_change_password
                ELSE excluded.must_change_password
            END,
            practitioner_reference = coalesce(excluded.practitioner_reference, accounts.practitioner_reference),
            display = excluded.display
        RETURNING id
        """,
        **_columns(account),
    )


async def save_token(
    tx: Transaction,
    *,
    id: UUID,
    account_id: UUID,
    token_sha256: bytes,
    prefix: str = "",
    label: str = "",
    scopes: list[str] | None = None,
    expires_at: datetime | None = None,
) -> None:
    """Keep the hash of a token, and what its owner knows it by."""
    await tx.run(
        """
        INSERT INTO tokens (id, account_id, token_sha256, prefix, label, scopes, expires_at)
        VALUES (%(id)s, %(account_id)s, %(token_sha256)s, %(prefix)s, %(label)s, %(scopes)s, %(expires_at)s)
        """,
        id=id,
        account_id=account_id,
        token_sha256=token_sha256,
        prefix=prefix,
        label=label,
        scopes=scopes,
        expires_at=expires_at,
    )


async def note_token_use(tx: Transaction, key_id: UUID | None, *, now: datetime) -> None:
    """The token is in use."""
    await tx.run("UPDATE tokens SET last_used_at = %(now)s WHERE id = %(key_id)s", key_id=key_id, now=now)


def _columns(account: Account) -> dict[str, Any]:
    return {name: getattr(account, name) for name in Account.__slots__}


async def who_are(tx: Transaction, roles: Sequence[Role], facility_code: str | None) -> list[str]:
    """The accounts of these roles at a facility, and of those of all facilities, as the recipients of messages."""
    return await tx.values(
        """
        SELECT 'account:' || name
        FROM accounts
        WHERE role = ANY(%(roles)s)
          AND disabled_at IS NULL
          AND (facility_code IS NULL OR %(facility)s::text IS NULL OR facility_code = %(facility)s
            OR %(facility)s = ANY(facility_codes))
        """,
        roles=list(roles),
        facility=facility_code,
    )
