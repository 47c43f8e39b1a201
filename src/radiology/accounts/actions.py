"""What administrators do with accounts and their keys. Whatever changes what somebody may do ends the sessions."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any
from uuid import UUID

from radiology.access import guessing, passwords, totp
from radiology.access.accounts import SHOWN_CHARACTERS, new_token
from radiology.access.model import Actor, Permission, Role
from radiology.access.queries import save_token
from radiology.access.session_queries import end_sessions_of
from radiology.access.sessions import digest
from radiology.accounts import queries
from radiology.accounts.queries import Key, Listed
from radiology.app import App
from radiology.audit import actions as audit
from radiology.errors import Conflict, NotFound
from radiology.kit.db import Transaction
from radiology.kit.ids import uuid7

CHANGEABLE = ("role", "display", "practitioner", "facility_code", "facility_codes")


async def find(app: App, actor: Actor, name: str) -> Listed:
    """One account. Raises NotFound."""
    actor.must(Permission.ADMINISTER)
    async with app.db.transaction() as tx:
        found = await queries.list_accounts(tx, name=name)
    if not found:
        raise _unknown(name)
    return found[0]


async def find_all(app: App, actor: Actor) -> list[Listed]:
    """Every account."""
    actor.must(Permission.ADMINISTER)
    async with app.db.transaction() as tx:
        return await queries.list_accounts(tx)


async def add(app: App, actor: Actor, name: str, fields: Mapping[str, Any]) -> str | None:
    """Make an account. Returns its password for one use; a service account has none. Raises Conflict."""
    actor.must(Permission.ADMINISTER)
    password = None if fields["role"] == Role.SERVICE else passwords.one_time()
    hashed = await passwords.hashed(password) if password else None
    account = {**fields, "id": uuid7(), "name": name, "display": fields["display"] or name, "password_hash": hashed}
    async with app.db.transaction() as tx:
        if not await queries.insert_account(tx, account):
            raise Conflict(f"There is an account {name!r} already.")
        await audit.record(tx, actor, "account.add", f"account:{name}", detail={"role": fields["role"]})
    return password


async def change(app: App, actor: Actor, name: str, changes: Mapping[str, Any]) -> Listed:
    """Change role, facilities, practitioner or display. Raises NotFound, Conflict for the last administrator."""
    async with _changing(app, actor, name) as (tx, account):
        before = {field: getattr(account, field) for field in CHANGEABLE}
        after = before | dict(changes)
        if before["role"] == Role.ADMINISTRATOR and after["role"] != Role.ADMINISTRATOR:
            await _must_not_be_last(tx, account)
        await queries.change_account(tx, {**after, "id": account.id})
        changed = sorted(field for field in CHANGEABLE if before[field] != after[field])
        if set(changed) - {"display"}:
            await end_sessions_of(tx, account.id)
        await audit.record(tx, actor, "account.change", _subject(account), detail={"fields": changed})
        return (await queries.list_accounts(tx, name=name))[0]


async def disable(app: App, actor: Actor, name: str) -> None:
    """Close an account: its sessions end, its keys are refused. Repeating it changes nothing."""
    async with _changing(app, actor, name) as (tx, account):
        if account.disabled_at is not None:
            return
        if account.role == Role.ADMINISTRATOR:
            await _must_not_be_last(tx, account)
        await queries.set_disabled(tx, account.id, app.clock.now())
        await end_sessions_of(tx, account.id)
        await audit.record(tx, actor, "account.disable", _subject(account))


async def enable(app: App, actor: Actor, name: str) -> None:
    """Open an account again. Repeating it changes nothing."""
    async with _changing(app, actor, name) as (tx, account):
        if account.disabled_at is None:
            return
        await queries.set_disabled(tx, account.id, None)
        await audit.record(tx, actor, "account.enable", _subject(account))


async def reset(app: App, actor: Actor, name: str) -> str:
    """A new password for one use; sessions end, and whoever waits for this name need not."""
    password = passwords.one_time()
    hashed = await passwords.hashed(password)
    async with _changing(app, actor, name) as (tx, account):
        if account.role == Role.SERVICE:
            raise Conflict("A service account has no password. Make a key for it.")
        await queries.set_password(tx, account.id, hashed, must_change=True)
        await end_sessions_of(tx, account.id)
        await guessing.forget_attempts(tx, name)
        await audit.record(tx, actor, "account.reset", _subject(account))
    return password


async def unlock(app: App, actor: Actor, name: str) -> None:
    """Whoever waits for this name, because of wrong passwords or codes, need not any more."""
    async with _changing(app, actor, name) as (tx, account):
        await guessing.forget_attempts(tx, name)
        await guessing.forget_attempts(tx, guessing.of_codes(name))
        await audit.record(tx, actor, "account.unlock", _subject(account))


async def remove_totp(app: App, actor: Actor, name: str) -> None:
    """Take the second step away from somebody who has lost both the app and the recovery codes."""
    async with _changing(app, actor, name) as (tx, account):
        if await totp.remove(tx, account.id):
            await end_sessions_of(tx, account.id)
            await audit.record(tx, actor, "account.totp-remove", _subject(account))


async def keys_of(app: App, actor: Actor, name: str) -> list[Key]:
    """The keys of an account."""
    account = await find(app, actor, name)
    async with app.db.transaction() as tx:
        return await queries.keys_of(tx, account.id)


async def make_key(
    app: App, actor: Actor, name: str, *, label: str, scopes: list[Permission] | None, expires_at: datetime | None
) -> tuple[UUID, str]:
    """A key for an account: its id, and the key, this one time. `scopes` reduce what the account may."""
    key, key_id = new_token(), uuid7()
    async with _changing(app, actor, name) as (tx, account):
        if account.disabled_at is not None:
            raise Conflict(f"The account {name!r} is disabled.")
        await save_token(
            tx,
            id=key_id,
            account_id=account.id,
            token_sha256=digest(key),
            prefix=key[:SHOWN_CHARACTERS],
            label=label,
            scopes=None if scopes is None else [scope.value for scope in scopes],
            expires_at=expires_at,
        )
        await audit.record(tx, actor, "key.make", _subject(account), detail={"key": str(key_id)})
    return key_id, key


async def revoke_key(app: App, actor: Actor, name: str, key_id: UUID) -> None:
    """End a key. Raises NotFound."""
    async with _changing(app, actor, name) as (tx, account):
        if not await queries.remove_key(tx, account.id, key_id):
            raise NotFound("This account has no such key.")
        await audit.record(tx, actor, "key.revoke", _subject(account), detail={"key": str(key_id)})


@asynccontextmanager
async def _changing(app: App, actor: Actor, name: str) -> AsyncGenerator[tuple[Transaction, Listed]]:
    actor.must(Permission.ADMINISTER)
    async with app.db.transaction() as tx:
        account = await queries.lock_account(tx, name)
        if account is None:
            raise _unknown(name)
        yield tx, account


async def _must_not_be_last(tx: Transaction, account: Listed) -> None:
    if account.disabled_at is None and await queries.administrators(tx) == [account.name]:
        raise Conflict("This is the last administrator. Make another one first.")


def _subject(account: Listed) -> str:
    return f"account:{account.name}"


def _unknown(name: str) -> NotFound:
    return NotFound(f"There is no account {name!r}.")
