"""Signing in with a browser: a name and password, then a code where the account has a second step, then a session."""

import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from radiology.access import sessions
from radiology.access.accounts import Authenticator
from radiology.access.model import Actor
from radiology.access.queries import Account, find_account
from radiology.access.sessions import digest
from radiology.accounts import queries
from radiology.app import App
from radiology.audit import actions as audit
from radiology.audit.context import current
from radiology.errors import NotAuthenticated
from radiology.kit.db import Transaction

SECOND_STEP_WITHIN: Final = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class SignedIn:
    """How far somebody came: a session, or the secret by which the second step knows the first."""

    actor: Actor
    session: str = ""
    second_step: str = ""


async def with_password(app: App, authenticator: Authenticator, name: str, password: str) -> SignedIn:
    """The first step. Raises NotAuthenticated, TooManyAttempts."""
    current().attempted = name
    account = await authenticator.prove(name, password, address=current().address)
    async with app.db.transaction() as tx:
        if not account.has_totp:
            return await _begin(app, tx, account)
        secret = secrets.token_urlsafe(32)
        expires_at = app.clock.now() + SECOND_STEP_WITHIN
        await queries.save_second_step(tx, account.id, secret_sha256=digest(secret), expires_at=expires_at)
    return SignedIn(account.actor, second_step=secret)


async def with_code(app: App, authenticator: Authenticator, secret: str, code: str) -> SignedIn:
    """The second step. Raises NotAuthenticated for a wrong code or a first step that is long ago, TooManyAttempts."""
    async with app.db.transaction() as tx:
        account = await _account_of(tx, app, secret)
    current().attempted = account.name
    await authenticator.prove_code(account, code)
    async with app.db.transaction() as tx:
        if not await queries.end_second_step(tx, secret_sha256=digest(secret)):
            raise NotAuthenticated("Sign in again.")
        return await _begin(app, tx, account)


async def is_waiting(app: App, secret: str) -> bool:
    """Whether the first step is not too long ago."""
    async with app.db.transaction() as tx:
        return await queries.second_step_of(tx, secret_sha256=digest(secret), now=app.clock.now()) is not None


async def _account_of(tx: Transaction, app: App, secret: str) -> Account:
    name = await queries.second_step_of(tx, secret_sha256=digest(secret), now=app.clock.now())
    account = await find_account(tx, name) if name is not None else None
    if account is None:
        raise NotAuthenticated("Sign in again.")
    return account


async def _begin(app: App, tx: Transaction, account: Account) -> SignedIn:
    known = current()
    secret = await sessions.begin(tx, account.name, now=app.clock.now(), address=known.address, agent=known.agent)
    await audit.record(tx, account.actor, "session.begin", account.actor.id)
    return SignedIn(account.actor, session=secret)
