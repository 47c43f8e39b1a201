"""Accounts and tokens: make them, and turn a credential into an Actor."""

import asyncio
import hashlib
import secrets
import time
from datetime import timedelta
from typing import Final

from radiology.access import guessing, passwords, queries, sessions, totp
from radiology.access.model import ROLES, Actor, Role
from radiology.app import App
from radiology.errors import Invalid, NotAuthenticated
from radiology.kit.ids import uuid7

TOKEN_PREFIX = "radi_"  # noqa: S105 - not a secret: it marks our tokens for whoever finds one in a log.
#: So much of a token is shown, so that its owner knows it again.
SHOWN_CHARACTERS: Final = 13
ADMINISTRATOR = "admin"
#: That a password fits a hash is remembered so long; whose hash it is, is looked up again.
PASSWORD_REMEMBERED_SECONDS = 60.0
#: So long an account that was changed, or a session, key or link that was ended, goes on in other processes.
SESSION_REMEMBERED_SECONDS = 5.0
REMEMBERED_CREDENTIALS = 1_000
NOTED_EVERY = timedelta(minutes=1)
NEEDS_CODE = (
    "This account signs in with a code as well, which cannot be sent with a password. Use an API key: an administrator "
    "makes one."
)


async def make_account(
    app: App,
    name: str,
    *,
    role: str,
    password: str | None = None,
    display: str = "",
    practitioner: str | None = None,
    must_change: bool = False,
) -> queries.Account:
    """Make an account or change the one of that name. Raises Invalid for a role that does not exist.

    The rules of passwords are for people who choose one, and are not looked at here.
    """
    if role not in ROLES:
        raise Invalid(f"There is no role {role!r}. Roles are: {', '.join(ROLES)}.")
    hashed = await passwords.hashed(password) if password else None
    account = queries.Account(uuid7(), name, role, hashed, must_change, practitioner, display or name, None)
    async with app.db.transaction() as tx:
        await queries.save_account(tx, account)
    return account


async def ensure_administrator(app: App) -> str | None:
    """Where nobody has an account yet, make an administrator. Returns the password, this one time."""
    async with app.db.transaction() as tx:
        if await queries.count_accounts(tx):
            return None
    password = passwords.one_time()
    await make_account(
        app, ADMINISTRATOR, role=Role.ADMINISTRATOR, password=password, display="Administrator", must_change=True
    )
    return password


async def make_token(app: App, name: str, *, role: str, practitioner: str | None = None) -> str:
    """A new bearer token for the account of that name, which is made where it is not there yet."""
    await make_account(app, name, role=role, practitioner=practitioner)
    token = new_token()
    async with app.db.transaction() as tx:
        account = await queries.find_account(tx, name)
        if account is None:
            raise Invalid(f"The account {name!r} is disabled.")
        await queries.save_token(
            tx, id=uuid7(), account_id=account.id, token_sha256=_sha256(token), prefix=token[:SHOWN_CHARACTERS]
        )
    return token


def new_token() -> str:
    """A secret for a program."""
    return TOKEN_PREFIX + secrets.token_urlsafe(32)


class Authenticator:
    """Turns credentials into actors, and remembers them for seconds: a hot read costs no argon2 and no query.

    address: from where somebody asks, which guesses are counted by.
    """

    def __init__(self, app: App) -> None:
        self._app = app
        self._remembered: dict[bytes, tuple[float, Actor]] = {}
        self._verified: dict[bytes, tuple[float, str]] = {}
        # One at a time: many requests with one new password are one attempt, and argon2 takes its memory once.
        self._proving = asyncio.Lock()

    async def by_session(self, secret: str) -> Actor:
        """The actor of a session of a browser. Raises NotAuthenticated where it has ended."""
        key = _sha256(f"session\0{secret}")
        if actor := self._recall(key):
            return actor
        return self._keep(key, await sessions.resume(self._app, secret))

    def forget_session(self, secret: str) -> None:
        """A session that was ended is not remembered."""
        self._remembered.pop(_sha256(f"session\0{secret}"), None)

    async def by_token(self, token: str) -> Actor:
        """The actor of a bearer token. Raises NotAuthenticated."""
        key = _sha256(token)
        if actor := self._recall(key):
            return actor
        now = self._app.clock.now()
        async with self._app.db.transaction() as tx:
            found = await queries.find_account_by_token(tx, key)
            if found is None:
                raise NotAuthenticated("This token is not known, or has ended.")
            if found.last_used_at is None or found.last_used_at < now - NOTED_EVERY:
                await queries.note_token_use(tx, found.key_id, now=now)
        return self._keep(key, found.key_actor)

    async def by_password(self, name: str, password: str, *, address: str = "") -> Actor:
        """The actor of a name and password, where these are enough. Raises NotAuthenticated, TooManyAttempts."""
        key = _password_key(name, password)
        if actor := self._recall(key):
            return actor
        account = await self.prove(name, password, address=address)
        if account.has_totp:
            raise NotAuthenticated(NEEDS_CODE)
        return self._keep(key, account.actor)

    async def prove(self, name: str, password: str, *, address: str = "") -> queries.Account:
        """Whose name and password these are; a code may be needed as well. Raises NotAuthenticated, TooManyAttempts."""
        async with self._proving:
            account = await self._found(name)
            if account is not None and self._is_verified(account, password):
                return account
            now = self._app.clock.now()
            async with self._app.db.transaction() as tx:
                await guessing.begin_attempt(tx, name, address, now=now)
            right = await passwords.fits(account.password_hash if account else None, password)
            if account is None or not right:
                raise NotAuthenticated("Name or password is wrong.")
            async with self._app.db.transaction() as tx:
                await guessing.forget_attempts(tx, name, address)
            self._verify(account, password)
        return account

    async def prove_code(self, account: queries.Account, code: str) -> None:
        """Take the code of the second step. Raises NotAuthenticated, TooManyAttempts.

        Who tries codes knows the password, so the attempts from everywhere are counted together.
        """
        counted = guessing.of_codes(account.name)
        now = self._app.clock.now()
        async with self._app.db.transaction() as tx:
            await guessing.begin_attempt(tx, counted, "", now=now)
        async with self._app.db.transaction() as tx:
            if not await totp.take(tx, account.id, code, now=now):
                raise NotAuthenticated("The code is wrong, or was used before.")
            await guessing.forget_attempts(tx, counted)

    async def _found(self, name: str) -> queries.Account | None:
        if "\0" in name:
            return None
        async with self._app.db.transaction() as tx:
            return await queries.find_account(tx, name)

    def _is_verified(self, account: queries.Account, password: str) -> bool:
        until, password_hash = self._verified.get(_password_key(account.name, password), (0.0, ""))
        return until > time.monotonic() and password_hash == account.password_hash

    def _verify(self, account: queries.Account, password: str) -> None:
        if len(self._verified) >= REMEMBERED_CREDENTIALS:
            self._verified.clear()
        until = time.monotonic() + PASSWORD_REMEMBERED_SECONDS
        self._verified[_password_key(account.name, password)] = (until, account.password_hash or "")

    def _recall(self, key: bytes) -> Actor | None:
        until, actor = self._remembered.get(key, (0.0, None))
        return actor if until > time.monotonic() else None

    def _keep(self, key: bytes, actor: Actor) -> Actor:
        if len(self._remembered) >= REMEMBERED_CREDENTIALS:
            self._remembered.clear()
        self._remembered[key] = (time.monotonic() + SESSION_REMEMBERED_SECONDS, actor)
        return actor


def _password_key(name: str, password: str) -> bytes:
    return _sha256(f"{name}\0{password}")


def _sha256(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
