"""Break-glass over REST: begin, end, review, and what a banner shows."""

from typing import Annotated, Any
from uuid import UUID

import orjson
from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field, SecretStr, StringConstraints, model_validator

from radiology.access.accounts import Authenticator
from radiology.access.model import Actor, Permission
from radiology.break_glass import actions, queries
from radiology.break_glass.model import SHORTEST_REASON, Outcome, ReasonCode
from radiology.doors.http.actors import CurrentActor, CurrentApp, by_password
from radiology.doors.http.answers import JSON
from radiology.doors.http.bodies import StrictJSONRoute
from radiology.errors import FieldProblem, NotAuthenticated, NotFound, NotPermitted, Unprocessable
from radiology.external.notifications import inbox
from radiology.kit.clock import Clock

router = APIRouter(prefix="/api/radiology", tags=["break-glass"], route_class=StrictJSONRoute)

EXAMPLE: dict[str, Any] = {
    "patient": "Patient/12345",
    "reasonCode": "emergency",
    "text": "Unstable after an accident; earlier imaging is needed at once.",
    "password": "the account's password",
}

Name = Annotated[str, StringConstraints(min_length=1, max_length=80, strip_whitespace=True)]
Reason = Annotated[str, StringConstraints(min_length=SHORTEST_REASON, max_length=2_000, strip_whitespace=True)]


class BreakGlassIn(BaseModel):
    """Whose record is opened, why, and the proof that it is really the clinician who asks."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [EXAMPLE]})

    patient: Name | None = Field(default=None, description="Patient/<id>")
    study: Name | None = Field(default=None, description="id, studyId or Study Instance UID of one of the studies")
    reasonCode: ReasonCode  # noqa: N815
    text: Reason = Field(description="Why, in at least 20 characters.")
    password: SecretStr | None = Field(
        default=None, description="Of the account; may be left out for 15 minutes after signing in or reauthenticating."
    )

    @model_validator(mode="after")
    def _one_target(self) -> "BreakGlassIn":
        if (self.patient is None) == (self.study is None):
            raise ValueError("name either patient or study")
        return self


class ReviewIn(BaseModel):
    """What a privacy officer found."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"outcome": "justified", "note": "Seen on the ward round."}]}
    )

    outcome: Outcome
    note: Annotated[str, StringConstraints(min_length=1, max_length=2_000, strip_whitespace=True)]


class EmailIn(BaseModel):
    """Where messages are sent, too."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"email": "officer@hospital.example"}]})

    email: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9.-]{1,190}$")] | None


@router.post("/break-glass", status_code=201, response_model=None)
async def post_break_glass(body: BreakGlassIn, request: Request, app: CurrentApp, actor: CurrentActor) -> Response:
    """Open the sensitive studies of one patient for four hours, for reading. It is told, audited and reviewed."""
    actor.must(Permission.BREAK_GLASS)
    await _must_be_fresh(request, app.clock, actor, body.password)
    use_id, answer = await actions.start(
        app, actor, patient=body.patient, study=body.study, reason_code=body.reasonCode, text=body.text
    )
    return Response(answer, 201, {"Location": f"/api/radiology/break-glass/{use_id}"}, JSON)


@router.delete("/break-glass/{use_id}", status_code=204)
async def delete_break_glass(use_id: UUID, app: CurrentApp, actor: CurrentActor) -> Response:
    """Close the record before its time. Repeating it changes nothing."""
    await actions.end(app, actor, use_id)
    return Response(status_code=204)


@router.get("/break-glass/reviews", response_model=None)
async def get_reviews(
    app: CurrentApp, actor: CurrentActor, limit: Annotated[int, Query(ge=1, le=200)] = 50
) -> Response:
    """Uses of break-glass, those first that wait for a review; for privacy officers."""
    actor.must(Permission.PRIVACY)
    async with app.db.transaction() as tx:
        return _results(await queries.reviews(tx, actor, limit=limit))


@router.post("/break-glass/reviews/{use_id}", response_model=None)
async def post_review(use_id: UUID, body: ReviewIn, app: CurrentApp, actor: CurrentActor) -> Response:
    """Say whether a use was justified; once."""
    return Response(await actions.review(app, actor, use_id, outcome=body.outcome, note=body.note), media_type=JSON)


@router.get("/me/break-glass", response_model=None)
async def get_my_break_glass(app: CurrentApp, actor: CurrentActor) -> Response:
    """What is open to you by break-glass now, for the banner of screens."""
    async with app.db.transaction() as tx:
        return _results(await queries.running_of(tx, actor))


@router.get("/me/notices", response_model=None)
async def get_my_notices(
    app: CurrentApp, actor: CurrentActor, limit: Annotated[int, Query(ge=1, le=200)] = 50
) -> Response:
    """Your messages, newest first."""
    async with app.db.transaction() as tx:
        return _results(await inbox.messages_of(tx, actor.id, limit=limit))


@router.get("/me/notices/email", response_model=None)
async def get_email(app: CurrentApp, actor: CurrentActor) -> Response:
    """The address to which your messages are sent, too."""
    async with app.db.transaction() as tx:
        email = await inbox.address_of(tx, actor.id)
    return Response(orjson.dumps({"email": email}), media_type=JSON, headers={"Cache-Control": "private, no-store"})


@router.put("/me/notices/email", status_code=204)
async def put_email(body: EmailIn, app: CurrentApp, actor: CurrentActor) -> Response:
    """Have your messages sent to an address, too; null ends it. They name no patient, procedure or result."""
    await actions.send_notices_to(app, actor, body.email)
    return Response(status_code=204)


@router.post("/me/notices/{notice_id}/read", status_code=204)
async def post_read(notice_id: UUID, app: CurrentApp, actor: CurrentActor) -> Response:
    """You have read a message."""
    async with app.db.transaction() as tx:
        if not await inbox.note_read(tx, actor.id, notice_id):
            raise NotFound("There is no such message of yours.")
    return Response(status_code=204)


async def _must_be_fresh(request: Request, clock: Clock, actor: Actor, password: SecretStr | None) -> None:
    """Raises NotPermitted where the password is wrong, Unprocessable where it is needed and was left out."""
    authenticator: Authenticator = request.app.state.authenticator
    if password is not None:
        try:
            await by_password(request, authenticator, actor.id.removeprefix("account:"), password.get_secret_value())
        except NotAuthenticated as error:
            raise NotPermitted(f"{error.sentence} Break-glass needs to know again who you are.") from error
    elif not actor.is_fresh(clock.now()):
        sentence = "is needed again: you proved more than 15 minutes ago who you are"
        raise Unprocessable(f"password {sentence}.", fields=[FieldProblem("password", sentence)])


def _results(found: bytes) -> Response:
    return Response(b'{"results":' + found + b"}", media_type=JSON, headers={"Cache-Control": "private, no-store"})
