"""Sessions of people in browsers: begun by a name and password or by a link, kept here, ended by time or by wish.

The browser holds a secret and nothing else. Its hash finds the row, which says who it is and how far it reaches: a
session that a link began sees the study of that link, and nothing else.
"""

import hashlib
import secrets
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

from radiology.access import session_queries as queries
from radiology.access.model import Actor, Permission
from radiology.access.queries import find_account
from radiology.app import App
from radiology.errors import NotAuthenticated
from radiology.kit.db import Transaction
from radiology.kit.ids import uuid7

#: The end of a session, however often it is used.
LONGEST = timedelta(hours=24)
#: How often the use of a session is noted.
NOTED_EVERY = timedelta(minutes=1)
LINK_ROLE = "link"


async def begin(
    tx: Transaction,
    account_name: str,
    *,
    now: datetime,
    authenticated_at: datetime | None = None,
    address: str = "",
    agent: str = "",
) -> str:
    """Begin the session of somebody who proved who it is, now unless told otherwise. Returns its secret."""
    return await _begin(
        tx,
        now + LONGEST,
        account_name=account_name,
        now=now,
        authenticated_at=authenticated_at or now,
        address=address,
        agent=agent,
    )


async def begin_by_link(tx: Transaction, link: queries.Link, *, now: datetime) -> str:
    """Begin a session for the one study of a link that was opened. Returns its secret."""
    return await _begin(tx, link.expires_at, link_id=link.id, now=now)


async def _begin(
    tx: Transaction,
    end: datetime,
    *,
    now: datetime,
    account_name: str | None = None,
    link_id: UUID | None = None,
    authenticated_at: datetime | None = None,
    address: str = "",
    agent: str = "",
) -> str:
    secret = secrets.token_urlsafe(32)
    await queries.save_session(
        tx,
        id=uuid7(),
        secret_sha256=digest(secret),
        account_name=account_name,
        link_id=link_id,
        begun_at=now,
        expires_at=min(now + LONGEST, end),
        authenticated_at=authenticated_at,
        address=address,
        agent=agent,
    )
    await queries.remove_ended(tx, now=now)
    return secret


async def resume(app: App, secret: str) -> Actor:
    """Who a session belongs to. Raises NotAuthenticated where it is unknown, was ended, or was not used for long."""
    now, idle = app.clock.now(), timedelta(minutes=app.settings.session_idle_minutes)
    async with app.db.transaction() as tx:
        session = await queries.find_session(tx, secret_sha256=digest(secret), now=now, used_after=now - idle)
        if session is None:
            raise NotAuthenticated("Your session has ended. Sign in again.")
        if session.used_at < now - NOTED_EVERY:
            await queries.note_use(tx, session.id, now=now)
        if session.account_name is not None:
            account = await find_account(tx, session.account_name)
            if account is None:
                raise NotAuthenticated("This account is disabled.")
            return replace(account.actor, authenticated_at=session.authenticated_at)
        link = await queries.link_of(tx, session.link_id, now=now)
    if link is None:
        raise NotAuthenticated("The time of this link is over.")
    return link_actor(link)


async def end(app: App, secret: str) -> None:
    """End a session; one that has ended is as good."""
    async with app.db.transaction() as tx:
        await queries.end_session(tx, secret_sha256=digest(secret))


def digest(secret: str) -> bytes:
    """What is kept of a secret."""
    return hashlib.sha256(secret.encode()).digest()


def link_actor(link: queries.Link) -> Actor:
    """Whoever has a link: sees its study as far as who made the link does, and nothing else."""
    return Actor(
        id=f"link:{link.id}",
        display="",
        permissions=frozenset({Permission.READ}),
        role=LINK_ROLE,
        facility_codes=frozenset({link.facility_code}),
        study_instance_uid=link.study_instance_uid,
        cares_as=link.made_by,
    )
