"""SQL of people who sign in at an identity provider."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from radiology.access.queries import Account
from radiology.kit.db import Transaction


@dataclass(frozen=True, slots=True)
class Linked:
    """The account of somebody of the provider."""

    id: UUID
    name: str
    role: str
    disabled: bool


@dataclass(frozen=True, slots=True)
class Ended:
    """Whose session was ended."""

    account_name: str


@dataclass(frozen=True, slots=True)
class Hint:
    """The ID token by which a session was begun."""

    id_token: str


async def lock_identity(tx: Transaction, *, issuer: str, subject: str) -> None:
    """Let the same person sign in for the first time but once at a time."""
    await tx.run(
        "SELECT pg_advisory_xact_lock(hashtextextended(%(issuer)s || ' ' || %(subject)s, 18))",
        issuer=issuer,
        subject=subject,
    )


async def find_linked(tx: Transaction, *, issuer: str, subject: str) -> Linked | None:
    """The account of somebody, be it disabled or not."""
    return await tx.maybe(
        Linked,
        """
        SELECT accounts.id, name, role, disabled_at IS NOT NULL AS disabled
        FROM identities
        JOIN accounts ON accounts.id = identities.account_id
        WHERE issuer = %(issuer)s
          AND subject = %(subject)s
        """,
        issuer=issuer,
        subject=subject,
    )


async def insert_account(tx: Transaction, account: Account) -> bool:
    """Make an account without a password, unless one has the name already. Whether it was made."""
    made = await tx.run(
        """
        INSERT INTO accounts (id, name, role, must_change_password, practitioner_reference, display, facility_code,
            facility_codes)
        VALUES (%(id)s, %(name)s, %(role)s, FALSE, %(practitioner_reference)s, %(display)s, %(facility_code)s,
            %(facility_codes)s)
        ON CONFLICT (name) DO NOTHING
        """,
        id=account.id,
        name=account.name,
        role=account.role,
        practitioner_reference=account.practitioner_reference,
        display=account.display,
        facility_code=account.facility_code,
        facility_codes=account.facility_codes,
    )
    return made == 1


async def change_account(tx: Transaction, account: Account) -> None:
    """What the provider says of somebody now. A practitioner that was set here stays where it says none."""
    await tx.run(
        """
        UPDATE accounts
        SET role = %(role)s,
            display = %(display)s,
            practitioner_reference = coalesce(%(practitioner_reference)s, practitioner_reference),
            facility_code = %(facility_code)s,
            facility_codes = %(facility_codes)s
        WHERE id = %(id)s
        """,
        id=account.id,
        role=account.role,
        display=account.display,
        practitioner_reference=account.practitioner_reference,
        facility_code=account.facility_code,
        facility_codes=account.facility_codes,
    )


async def link(tx: Transaction, account_id: UUID, *, issuer: str, subject: str, now: datetime) -> None:
    """From now on the account is that person's."""
    await tx.run(
        """
        INSERT INTO identities (issuer, subject, account_id, linked_at)
        VALUES (%(issuer)s, %(subject)s, %(account_id)s, %(now)s)
        """,
        issuer=issuer,
        subject=subject,
        account_id=account_id,
        now=now,
    )


async def save_provider_session(
    tx: Transaction, *, secret_sha256: bytes, issuer: str, subject: str, provider_session: str | None, id_token: str
) -> None:
    """The session of ours that a session of the provider began."""
    await tx.run(
        """
        INSERT INTO provider_sessions (session_id, issuer, subject, provider_session, id_token)
        SELECT id, %(issuer)s, %(subject)s, %(provider_session)s, %(id_token)s
        FROM sessions
        WHERE secret_sha256 = %(secret_sha256)s
        """,
        secret_sha256=secret_sha256,
        issuer=issuer,
        subject=subject,
        provider_session=provider_session,
        id_token=id_token,
    )


async def hint_of(tx: Transaction, *, secret_sha256: bytes, issuer: str) -> Hint | None:
    """The ID token by which a session was begun at this provider."""
    return await tx.maybe(
        Hint,
        """
        SELECT id_token
        FROM provider_sessions
        JOIN sessions ON sessions.id = provider_sessions.session_id
        WHERE secret_sha256 = %(secret_sha256)s
          AND issuer = %(issuer)s
        """,
        secret_sha256=secret_sha256,
        issuer=issuer,
    )


async def end_provider_sessions(
    tx: Transaction, *, issuer: str, subject: str | None, provider_session: str | None
) -> list[Ended]:
    """End the sessions that a session of the provider began; without one, all that somebody of it has."""
    return await tx.all(
        Ended,
        """
        DELETE FROM sessions
        USING provider_sessions AS p, accounts
        WHERE p.session_id = sessions.id
          AND accounts.id = sessions.account_id
          AND issuer = %(issuer)s
          AND (%(subject)s::text IS NULL OR subject = %(subject)s)
          AND (%(provider_session)s::text IS NULL OR provider_session = %(provider_session)s)
        RETURNING accounts.name AS account_name
        """,
        issuer=issuer,
        subject=subject,
        provider_session=provider_session,
    )
