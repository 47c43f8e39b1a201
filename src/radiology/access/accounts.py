"""Accounts and tokens: make them, and turn a credential into an Actor."""

import asyncio
import hashlib
import secrets
import time

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

from radiology.access import queries, sessions
from radiology.access.model import ROLES, Actor, Role
from radiology.app import App
from radiology.errors import Invalid, NotAuthenticated
from radiology.kit.ids import uuid7

TOKEN_PREFIX = "radi_"  # noqa: S105 - not a secret: it marks our tokens for whoever finds one in a log.
ADMINISTRATOR = "admin"
REMEMBERED_SECONDS = 60.0
#: Shorter: who signs out, or ends a link, means it.
SESSION_REMEMBERED_SECONDS = 5.0
REMEMBERED_CREDENTIALS = 1_000

_hasher = PasswordHasher(time_cost=2, memory_cost=32_768, parallelism=1)


async def make_account(
    app: App, name: str, *, role: str, password: str | None = None, display: str = "", practitioner: str | None = None
) -> queries.Account:
    """Make an account or change the one of that name. Raises Invalid for a role that does not exist."""
    if role not in ROLES:
        raise Invalid(f"There is no role {role!r}. Roles are: {', '.join(ROLES)}.")
    hashed = await asyncio.to_thread(_hasher.hash, password) if password else None
    account = queries.Account(uuid7(), name, role, hashed, False, practitioner, display or name, None)
    async with app.db.transaction() as tx:
        await queries.save_account(tx, account)
    return account


async def ensure_administrator(app: App) -> str | None:
    """Where nobody has an account yet, make an administrator. Returns the password, this one time."""
    async with app.db.transaction() as tx:
        if await queries.count_accounts(tx):
            return None
    password = secrets.token_urlsafe(12)
    await make_account(app, ADMINISTRATOR, role=Role.ADMINISTRATOR, password=password, display="Administrator")
    return password


async def make_token(app: App, name: str, *, role: str, practitioner: str | None = None) -> str:
    """A new bearer token for the account of that name, which is made where it is not there yet."""
    await make_account(app, name, role=role, practitioner=practitioner)
    token = TOKEN_PREFIX + secrets.token_urlsafe(32)
    async with app.db.transaction() as tx:
        account = await queries.find_account(tx, name)
        if account is None:
            raise Invalid(f"The account {name!r} is disabled.")
        await queries.save_token(tx, id=uuid7(), account_id=account.id, token_sha256=_sha256(token))
    return token


class Authenticator:
    """Turns credentials into actors, and remembers them for a minute: a hot read costs no argon2 and no query."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._remembered: dict[bytes, tuple[float, Actor]] = {}

    async def by_session(self, secret: str) -> Actor:
        """The actor of a session of a browser. Raises NotAuthenticated where it has ended."""
        key = _sha256(f"session\0{secret}")
        if actor := self._recall(key):
            return actor
        return self._keep(key, await sessions.resume(self._app, secret), SESSION_REMEMBERED_SECONDS)

    def forget_session(self, secret: str) -> None:
        """A session that was ended is not remembered."""
        self._remembered.pop(_sha256(f"session\0{secret}"), None)

    async def by_token(self, token: str) -> Actor:
        """The actor of a bearer token. Raises NotAuthenticated."""
        key = _sha256(token)
        if actor := self._recall(key):
            return actor
        async with self._app.db.transaction() as tx:
            account = await queries.find_account_by_token(tx, key)
        if account is None:
            raise NotAuthenticated("This token is not known, or has ended.")
        return self._remember(key, account)

    async def by_password(self, name: str, password: str) -> Actor:
        """The actor of a name and password. Raises NotAuthenticated."""
        key = _sha256(f"{name}\0{password}")
        if actor := self._recall(key):
            return actor
        async with self._app.db.transaction() as tx:
            account = await queries.find_account(tx, name)
        if account is None or not await asyncio.to_thread(_fits, account.password_hash, password):
            raise NotAuthenticated("Name or password is wrong.")
        return self._remember(key, account)

    def _recall(self, key: bytes) -> Actor | None:
        until, actor = self._remembered.get(key, (0.0, None))
        return actor if until > time.monotonic() else None

    def _remember(self, key: bytes, account: queries.Account) -> Actor:
        return self._keep(key, account.actor, REMEMBERED_SECONDS)

    def _keep(self, key: bytes, actor: Actor, seconds: float) -> Actor:
        if len(self._remembered) >= REMEMBERED_CREDENTIALS:
            self._remembered.clear()
        self._remembered[key] = (time.monotonic() + seconds, actor)
        return actor


def _fits(password_hash: str | None, password: str) -> bool:
    try:
        return password_hash is not None and _hasher.verify(password_hash, password)
    except (Argon2Error, InvalidHashError):
        return False


def _sha256(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()
