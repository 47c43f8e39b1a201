"""SQL of accounts and tokens."""

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from radiology.access.model import ROLES, Actor, Role
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
        )


async def find_account(tx: Transaction, name: str) -> Account | None:
    """An account that is not disabled, by name."""
    return await tx.maybe(
        Account,
        """
        SELECT id, name, role, password_hash, must_change_password, practitioner_reference, display, facility_code,
            facility_codes
        FROM accounts
        WHERE name = %(name)s
          AND disabled_at IS NULL
        """,
        name=name,
    )


async def find_account_by_token(tx: Transaction, token_sha256: bytes) -> Account | None:
    """The account that a token belongs to, unless either has ended."""
    return await tx.maybe(
        Account,
        """
        SELECT accounts.id, name, role, password_hash, must_change_password, practitioner_reference, display,
            facility_code, facility_codes
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
            must_change_password = excluded.must_change_password,
            practitioner_reference = coalesce(excluded.practitioner_reference, accounts.practitioner_reference),
            display = excluded.display
        RETURNING id
        """,
        **_columns(account),
    )


async def save_token(tx: Transaction, *, id: UUID, account_id: UUID, token_sha256: bytes) -> None:
    """Keep the hash of a token."""
    await tx.run(
        "INSERT INTO tokens (id, account_id, token_sha256) VALUES (%(id)s, %(account_id)s, %(token_sha256)s)",
        id=id,
        account_id=account_id,
        token_sha256=token_sha256,
    )


def _columns(account: Account) -> dict[str, Any]:
    return {name: getattr(account, name) for name in Account.__slots__}
