"""Accounts and their keys over REST, for administrators."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Response

from radiology.accounts import actions
from radiology.accounts.schemas import AccountChange, AccountIn, AccountOut, KeyIn, KeyOut, NewKey, OneTimePassword
from radiology.doors.http.actors import CurrentActor, CurrentApp
from radiology.doors.http.bodies import StrictJSONRoute

router = APIRouter(prefix="/api/radiology/accounts", tags=["access"], route_class=StrictJSONRoute)

Account = Annotated[str, Path(min_length=1, max_length=80)]
UNSEEN = {"Cache-Control": "no-store"}


@router.get("")
async def get_accounts(app: CurrentApp, actor: CurrentActor) -> dict[str, list[AccountOut]]:
    """Every account."""
    now = app.clock.now()
    return {"results": [AccountOut.of(account, now) for account in await actions.find_all(app, actor)]}


@router.post("", status_code=201)
async def post_account(body: AccountIn, response: Response, app: CurrentApp, actor: CurrentActor) -> OneTimePassword:
    """Make an account. Its password is for one use, and is changed when it is first used."""
    password = await actions.add(app, actor, body.name, body.fields())
    response.headers.update(UNSEEN)
    return OneTimePassword(name=body.name, oneTimePassword=password)


@router.get("/{account}")
async def get_account(account: Account, app: CurrentApp, actor: CurrentActor) -> AccountOut:
    """One account."""
    return AccountOut.of(await actions.find(app, actor, account), app.clock.now())


@router.patch("/{account}")
async def patch_account(account: Account, body: AccountChange, app: CurrentApp, actor: CurrentActor) -> AccountOut:
    """Change role, display, practitioner or facilities; whoever is signed in must sign in again."""
    return AccountOut.of(await actions.change(app, actor, account, body.changes()), app.clock.now())


@router.post("/{account}/disable", status_code=204)
async def post_disable(account: Account, app: CurrentApp, actor: CurrentActor) -> Response:
    """Close an account; within five seconds it is out everywhere."""
    await actions.disable(app, actor, account)
    return Response(status_code=204)


@router.post("/{account}/enable", status_code=204)
async def post_enable(account: Account, app: CurrentApp, actor: CurrentActor) -> Response:
    """Open an account again."""
    await actions.enable(app, actor, account)
    return Response(status_code=204)


@router.post("/{account}/reset-password")
async def post_reset(account: Account, response: Response, app: CurrentApp, actor: CurrentActor) -> OneTimePassword:
    """A new password for one use, for somebody who has forgotten the own."""
    password = await actions.reset(app, actor, account)
    response.headers.update(UNSEEN)
    return OneTimePassword(name=account, oneTimePassword=password)


@router.post("/{account}/unlock", status_code=204)
async def post_unlock(account: Account, app: CurrentApp, actor: CurrentActor) -> Response:
    """Whoever waits because of wrong passwords need not any more."""
    await actions.unlock(app, actor, account)
    return Response(status_code=204)


@router.delete("/{account}/totp", status_code=204)
async def delete_totp(account: Account, app: CurrentApp, actor: CurrentActor) -> Response:
    """Take the second step away from somebody who has lost the app and the recovery codes."""
    await actions.remove_totp(app, actor, account)
    return Response(status_code=204)


@router.get("/{account}/keys")
async def get_keys(account: Account, app: CurrentApp, actor: CurrentActor) -> dict[str, list[KeyOut]]:
    """The keys of an account, the newest first."""
    return {"results": [KeyOut.of(key) for key in await actions.keys_of(app, actor, account)]}


@router.post("/{account}/keys", status_code=201)
async def post_key(account: Account, body: KeyIn, response: Response, app: CurrentApp, actor: CurrentActor) -> NewKey:
    """Make a key for a program; it is sent as a bearer token."""
    key_id, key = await actions.make_key(
        app, actor, account, label=body.label, scopes=body.scopes, expires_at=body.expiresAt
    )
    response.headers.update(UNSEEN)
    return NewKey(id=key_id, key=key)


@router.delete("/{account}/keys/{key_id}", status_code=204)
async def delete_key(account: Account, key_id: UUID, app: CurrentApp, actor: CurrentActor) -> Response:
    """End a key; within five seconds it is refused everywhere."""
    await actions.revoke_key(app, actor, account, key_id)
    return Response(status_code=204)
