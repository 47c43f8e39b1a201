"""SQL of sessions, of people and of links to one study."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from radiology.kit.db import Transaction


@dataclass(frozen=True, slots=True)
class Session:
    """A session that has not ended: of an account, or of a link."""

    id: UUID
    account_name: str | None
    link_id: UUID | None
    used_at: datetime
    authenticated_at: datetime | None


@dataclass(frozen=True, slots=True)
class Link:
    """A link that opens one study."""

    id: UUID
    study_instance_uid: str
    facility_code: str
    made_by: str
    expires_at: datetime


async def save_session(
    tx: Transaction,
    *,
    id: UUID,
    secret_sha256: bytes,
    account_name: str | None,
    link_id: UUID | None,
    begun_at: datetime,
    expires_at: datetime,
    authenticated_at: datetime | None = None,
    address: str = "",
    agent: str = "",
) -> None:
    """Keep a new session."""
    await tx.run(
        """
        INSERT INTO sessions (id, secret_sha256, account_id, link_id, begun_at, used_at, expires_at,
            authenticated_at, address, agent)
        VALUES (%(id)s, %(secret_sha256)s, (SELECT id FROM accounts WHERE name = %(account_name)s), %(link_id)s,
            %(begun_at)s, %(begun_at)s, %(expires_at)s, %(authenticated_at)s, %(address)s, %(agent)s)
        """,
        id=id,
        secret_sha256=secret_sha256,
        account_name=account_name,
        link_id=link_id,
        begun_at=begun_at,
        expires_at=expires_at,
        authenticated_at=authenticated_at,
        address=address,
        agent=agent,
    )


async def find_session(tx: Transaction, *, secret_sha256: bytes, now: datetime, used_after: datetime) -> Session | None:
    """The session of a secret, unless it has ended or was not used for long."""
    return await tx.maybe(
        Session,
        """
        SELECT sessions.id, accounts.name AS account_name, link_id, used_at, authenticated_at
        FROM sessions
        LEFT JOIN accounts ON accounts.id = sessions.account_id
        WHERE secret_sha256 = %(secret_sha256)s
          AND expires_at > %(now)s
          AND used_at > %(used_after)s
        """,
        secret_sha256=secret_sha256,
        now=now,
        used_after=used_after,
    )


async def note_use(tx: Transaction, session_id: UUID, *, now: datetime) -> None:
    """The session is in use."""
    await tx.run("UPDATE sessions SET used_at = %(now)s WHERE id = %(session_id)s", session_id=session_id, now=now)


async def end_session(tx: Transaction, *, secret_sha256: bytes) -> None:
    """Forget a session."""
    await tx.run("DELETE FROM sessions WHERE secret_sha256 = %(secret_sha256)s", secret_sha256=secret_sha256)


async def end_sessions_of(tx: Transaction, account_id: UUID, *, kept_sha256: bytes | None = None) -> int:
    """Forget the sessions of an account, but one where that is named, and what is half signed in. How many it were."""
    await tx.run("DELETE FROM second_steps WHERE account_id = %(account_id)s", account_id=account_id)
    return await tx.run(
        "DELETE FROM sessions WHERE account_id = %(account_id)s AND secret_sha256 IS DISTINCT FROM %(kept)s",
        account_id=account_id,
        kept=kept_sha256,
    )


async def note_proof(tx: Transaction, *, secret_sha256: bytes, now: datetime) -> int:
    """Whoever has the session proved again who it is. How many sessions that were: one, or none that has ended."""
    return await tx.run(
        "UPDATE sessions SET authenticated_at = %(now)s WHERE secret_sha256 = %(secret_sha256)s",
        secret_sha256=secret_sha256,
        now=now,
    )


async def remove_ended(tx: Transaction, *, now: datetime) -> None:
    """Forget sessions whose time is over."""
    await tx.run("DELETE FROM sessions WHERE expires_at <= %(now)s", now=now)


async def link_of(tx: Transaction, link_id: UUID | None, *, now: datetime) -> Link | None:
    """The link that a session came by, unless it has ended, or its study is sensitive by now and it has no PIN."""
    return await tx.maybe(
        Link,
        """
        SELECT id, study_instance_uid, facility_code, made_by, expires_at
        FROM study_links
        WHERE id = %(link_id)s
          AND report_id IS NULL
          AND ended_at IS NULL
          AND expires_at > %(now)s
          AND (pin_hash IS NOT NULL OR NOT EXISTS (
              SELECT FROM imaging_studies AS s
              WHERE s.study_instance_uid = study_links.study_instance_uid AND s.sensitive
          ))
        """,
        link_id=link_id,
        now=now,
    )
