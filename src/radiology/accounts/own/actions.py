"""What people do with their own account. The password is asked for again where it matters."""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from radiology.access import passwords, totp
from radiology.access.accounts import Authenticator
from radiology.access.model import Actor
from radiology.access.queries import Account, find_account
from radiology.access.session_queries import end_sessions_of, note_proof
from radiology.access.sessions import digest
from radiology.accounts import queries
from radiology.app import App
from radiology.audit import actions as audit
from radiology.audit.context import current
from radiology.errors import Conflict, NotAuthenticated, NotFound, NotPermitted, Unprocessable

_PREFIX = "account:"


@dataclass(frozen=True, slots=True)
class Enrolled:
    """What the app of a person reads: the address as text and in a QR code, and the secret to type."""

    secret: str
    address: str


async def account_of(app: App, actor: Actor) -> Account:
    """The account of who asks. Raises NotPermitted for who has none, such as a link or a machine."""
    async with app.db.transaction() as tx:
        account = await find_account(tx, actor.id.removeprefix(_PREFIX)) if actor.id.startswith(_PREFIX) else None
    if account is None:
        raise NotPermitted("Only accounts of this service have a password, sessions and a second step here.")
    return account


async def prove(app: App, authenticator: Authenticator, actor: Actor, password: str, code: str = "") -> Account:
    """The account of who asks, whose password and, where it has a second step, code are right.

    Raises NotPermitted where they are not, TooManyAttempts.
    """
    account = await account_of(app, actor)
    try:
        await authenticator.prove(account.name, password, address=current().address)
        if account.has_totp:
            await authenticator.prove_code(account, code)
    except NotAuthenticated as error:
        raise NotPermitted(error.sentence) from error
    return account


async def reauthenticate(
    app: App, authenticator: Authenticator, actor: Actor, session: str, password: str, code: str
) -> None:
    """Whoever has this session proves again who it is. Raises NotPermitted, TooManyAttempts."""
    account = await prove(app, authenticator, actor, password, code)
    async with app.db.transaction() as tx:
        if not await note_proof(tx, secret_sha256=digest(session), now=app.clock.now()):
            raise NotPermitted("There is no session to go on with. Sign in again.")
        await audit.record(tx, account.actor, "session.reauthenticate", account.actor.id)
    authenticator.forget_session(session)


async def change_password(
    app: App, authenticator: Authenticator, actor: Actor, session: str, password: str, new_password: str
) -> None:
    """Choose a new password; every other session ends. Raises NotPermitted, Unprocessable, TooManyAttempts."""
    account = await account_of(app, actor)
    passwords.check(new_password, name=account.name, shortest=app.settings.password_min_length)
    try:
        await authenticator.prove(account.name, password, address=current().address)
    except NotAuthenticated as error:
        raise NotPermitted("The old password is wrong.") from error
    if password == new_password:
        raise Unprocessable("The new password must be another one than the old.")
    hashed = await passwords.hashed(new_password)
    async with app.db.transaction() as tx:
        await queries.set_password(tx, account.id, hashed, must_change=False)
        await end_sessions_of(tx, account.id, kept_sha256=digest(session))
        await audit.record(tx, actor, "account.password", actor.id)
    authenticator.forget_session(session)


async def enrol(app: App, authenticator: Authenticator, actor: Actor, password: str) -> Enrolled:
    """A secret for the app of a person; nothing is asked for before it is confirmed. Raises Conflict, NotPermitted."""
    account = await account_of(app, actor)
    if account.has_totp:
        raise Conflict("This account has a second step. Remove it first.")
    await prove(app, authenticator, actor, password)
    secret = totp.new_secret()
    async with app.db.transaction() as tx:
        await totp.enrol(tx, account.id, secret)
        await audit.record(tx, actor, "account.totp-enrol", actor.id)
    return Enrolled(secret, totp.address(secret, account.name, f"Radiology {app.settings.facility_code}"))


async def confirm(app: App, authenticator: Authenticator, actor: Actor, session: str, code: str) -> list[str]:
    """The app shows the right code, so signing in needs one from now on. Returns ten recovery codes, this one time."""
    account = await account_of(app, actor)
    if account.has_totp:
        raise Conflict("The second step is confirmed already.")
    try:
        await authenticator.prove_code(account, code)
    except NotAuthenticated as error:
        raise NotPermitted("The code is wrong. Take the one that the app shows now.") from error
    codes = totp.new_recovery_codes()
    async with app.db.transaction() as tx:
        await totp.confirm(tx, account.id, codes, now=app.clock.now())
        await end_sessions_of(tx, account.id, kept_sha256=digest(session))
        await audit.record(tx, actor, "account.totp-confirm", actor.id)
    return codes


async def remove_totp(app: App, authenticator: Authenticator, actor: Actor, password: str, code: str) -> None:
    """Take the second step away. Raises NotPermitted, TooManyAttempts."""
    account = await prove(app, authenticator, actor, password, code)
    async with app.db.transaction() as tx:
        if await totp.remove(tx, account.id):
            await audit.record(tx, actor, "account.totp-remove", actor.id)


async def own_sessions(app: App, actor: Actor, session: str) -> list[queries.OwnSession]:
    """The sessions of who asks."""
    account, now = await account_of(app, actor), app.clock.now()
    used_after = now - timedelta(minutes=app.settings.session_idle_minutes)
    async with app.db.transaction() as tx:
        return await queries.sessions_of(tx, account.id, now=now, used_after=used_after, this_sha256=digest(session))


async def end_session(app: App, actor: Actor, session_id: UUID) -> None:
    """End a session of one's own. Raises NotFound."""
    account = await account_of(app, actor)
    async with app.db.transaction() as tx:
        if not await queries.end_one_session(tx, account.id, session_id):
            raise NotFound("There is no such session of yours.")
        await audit.record(tx, actor, "session.end", actor.id, detail={"session": str(session_id)})
