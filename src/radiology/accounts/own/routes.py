"""`/api/radiology/me`: what people do with their own account, over REST."""
# ruff: noqa: N815 - fields are named as in JSON.

import io
from datetime import datetime
from typing import Annotated
from uuid import UUID

import segno
from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field, SecretStr

from radiology.access.accounts import Authenticator
from radiology.accounts.own import actions
from radiology.doors.http.actors import COOKIE, CurrentActor, CurrentApp
from radiology.doors.http.bodies import StrictJSONRoute

router = APIRouter(prefix="/api/radiology/me", tags=["access"], route_class=StrictJSONRoute)

Password = Annotated[SecretStr, Field(min_length=1, max_length=1_000)]
Code = Annotated[SecretStr, Field(max_length=40, description="Six digits of the app, or a recovery code.")]


class Proof(BaseModel):
    """The password of the account, and the code where it has a second step."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"password": "the account's password"}]})

    password: Password
    code: Code = SecretStr("")


class NewPassword(BaseModel):
    """The old password and the new one."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"password": "the old one", "newPassword": "a sentence of one's own"}]},
    )

    password: Password
    newPassword: Password


class CodeIn(BaseModel):
    """The code that the app shows."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"code": "123456"}]})

    code: Code


class EnrolledOut(BaseModel):
    """What the app reads, shown this once: `qr` is a picture (SVG) of `address`."""

    secret: str
    address: str
    qr: str


class SessionOut(BaseModel):
    """A session of one's own; `current` is the one that asks."""

    id: UUID
    begunAt: datetime
    usedAt: datetime
    expiresAt: datetime
    address: str
    agent: str
    current: bool


@router.post("/reauthenticate", status_code=204)
async def post_reauthenticate(body: Proof, request: Request, app: CurrentApp, actor: CurrentActor) -> Response:
    """Prove again who you are; what matters most needs that within 15 minutes."""
    password, code = body.password.get_secret_value(), body.code.get_secret_value()
    await actions.reauthenticate(app, _authenticator(request), actor, _session(request), password, code)
    return Response(status_code=204)


@router.post("/password", status_code=204)
async def post_password(body: NewPassword, request: Request, app: CurrentApp, actor: CurrentActor) -> Response:
    """Choose a new password; all other sessions end."""
    old, new = body.password.get_secret_value(), body.newPassword.get_secret_value()
    await actions.change_password(app, _authenticator(request), actor, _session(request), old, new)
    return Response(status_code=204)


@router.get("/sessions")
async def get_sessions(request: Request, app: CurrentApp, actor: CurrentActor) -> dict[str, list[SessionOut]]:
    """Where you are signed in."""
    found = await actions.own_sessions(app, actor, _session(request))
    return {
        "results": [
            SessionOut(
                id=each.id,
                begunAt=each.begun_at,
                usedAt=each.used_at,
                expiresAt=each.expires_at,
                address=each.address,
                agent=each.agent,
                current=each.is_this,
            )
            for each in found
        ]
    }


@router.delete("/sessions/{session_id}", status_code=204)
async def delete_session(session_id: UUID, app: CurrentApp, actor: CurrentActor) -> Response:
    """Sign out somewhere else; within five seconds it has ended everywhere."""
    await actions.end_session(app, actor, session_id)
    return Response(status_code=204)


@router.post("/totp", status_code=201)
async def post_totp(
    body: Proof, request: Request, response: Response, app: CurrentApp, actor: CurrentActor
) -> EnrolledOut:
    """Begin a second step (TOTP, RFC 6238): scan the code with an app, then confirm."""
    enrolled = await actions.enrol(app, _authenticator(request), actor, body.password.get_secret_value())
    picture = io.BytesIO()
    segno.make_qr(enrolled.address, error="m").save(picture, kind="svg", scale=4, xmldecl=False, title="QR")
    response.headers["Cache-Control"] = "no-store"
    return EnrolledOut(secret=enrolled.secret, address=enrolled.address, qr=picture.getvalue().decode())


@router.post("/totp/confirm")
async def post_confirm(
    body: CodeIn, request: Request, response: Response, app: CurrentApp, actor: CurrentActor
) -> dict[str, list[str]]:
    """From now on signing in needs a code. The recovery codes are shown this once; each can be used one time."""
    code = body.code.get_secret_value()
    codes = await actions.confirm(app, _authenticator(request), actor, _session(request), code)
    response.headers["Cache-Control"] = "no-store"
    return {"recoveryCodes": codes}


@router.post("/totp/remove", status_code=204)
async def post_remove(body: Proof, request: Request, app: CurrentApp, actor: CurrentActor) -> Response:
    """Sign in with the password alone again."""
    password, code = body.password.get_secret_value(), body.code.get_secret_value()
    await actions.remove_totp(app, _authenticator(request), actor, password, code)
    return Response(status_code=204)


def _authenticator(request: Request) -> Authenticator:
    return request.app.state.authenticator


def _session(request: Request) -> str:
    return request.cookies.get(COOKIE, "")
