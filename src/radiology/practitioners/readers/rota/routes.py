"""Rotas over REST. Whoever reads studies may see who is on call; administrators keep it."""

from datetime import timedelta
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Path, Response
from pydantic import AwareDatetime, Field, StringConstraints, field_validator, model_validator

from radiology.access.model import Permission
from radiology.doors.http.actors import CurrentActor, CurrentApp
from radiology.doors.http.answers import JSON
from radiology.doors.http.bodies import StrictJSONRoute
from radiology.errors import NotFound
from radiology.practitioners.readers.model import GROUPS
from radiology.practitioners.readers.rota import actions, queries
from radiology.practitioners.readers.rota.model import AHEAD, LINES, Turn, gaps
from radiology.practitioners.readers.schemas import Body
from radiology.practitioners.schemas import Name

router = APIRouter(prefix="/api/radiology/rotas", tags=["readers"], route_class=StrictJSONRoute)

Key = Annotated[str, Path(pattern=r"^[a-z0-9-]{1,32}$")]
Facility = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,16}$")]
LONGEST_TURN = timedelta(days=31)
SHOWN = timedelta(days=35)


class RotaIn(Body):
    """A rota, both lines of which must be covered at all times while it is active."""

    name: Name
    subspecialty_group: str = Field(description=", ".join(GROUPS) + "; who is on call for general is so for all.")
    facility_codes: Annotated[list[Facility], Field(min_length=1, max_length=1000)] | None = Field(
        default=None, description="Left out: all facilities."
    )
    active: bool = True

    @field_validator("subspecialty_group")
    @classmethod
    def _known(cls, value: str) -> str:
        if value not in GROUPS:
            raise ValueError(f"must be one of {', '.join(GROUPS)}")
        return value


class TurnIn(Body):
    """From when until when a reader is on call."""

    line: Literal["primary", "secondary"] = "primary"
    reader: Annotated[str, StringConstraints(pattern=r"^Practitioner/[A-Za-z0-9.-]{1,64}$")]
    begins_at: AwareDatetime
    ends_at: AwareDatetime

    @model_validator(mode="after")
    def _in_order(self) -> "TurnIn":
        if not self.begins_at < self.ends_at <= self.begins_at + LONGEST_TURN:
            raise ValueError(f"must end behind its begin, and at most {LONGEST_TURN.days} days later")
        return self

    def turn(self) -> Turn:
        """As rules have it."""
        line = next(number for number, name in LINES.items() if name == self.line)
        return Turn(line, self.reader, self.begins_at, self.ends_at)


@router.get("", response_model=None)
async def get_rotas(app: CurrentApp, actor: CurrentActor) -> Response:
    """All rotas."""
    actor.must(Permission.READ)
    async with app.db.reading() as tx:
        return Response(b'{"results":' + await queries.rotas_body(tx) + b"}", media_type=JSON)


@router.get("/now")
async def get_now(app: CurrentApp, actor: CurrentActor) -> dict[str, Any]:
    """Who is on call now."""
    actor.must(Permission.READ)
    async with app.db.reading() as tx:
        found = await queries.on_call(tx, app.clock.now())
    return {
        "results": [
            {
                "subspecialtyGroup": each.subspecialty_group,
                "facilityCodes": each.facility_codes,
                "line": LINES[each.line],
                "reader": each.reader,
            }
            for each in found
        ]
    }


@router.get("/{key}")
async def get_rota(key: Key, app: CurrentApp, actor: CurrentActor) -> dict[str, Any]:
    """The turns of the next 35 days, and the gaps of the next 24 hours."""
    actor.must(Permission.READ)
    now = app.clock.now()
    async with app.db.reading() as tx:
        rota = next((each for each in await queries.active(tx) if each.key == key), None)
        if rota is None:
            raise NotFound("There is no such rota in use.")
        turns = await queries.turns_body(tx, rota.number, begins_at=now, ends_at=now + SHOWN)
        near = await queries.turns(tx, rota.number, begins_at=now, ends_at=now + AHEAD)
    found = gaps(near, now, now + AHEAD)
    return {
        "turns": turns,
        "gaps": [{"line": LINES[gap.line], "beginsAt": gap.begins_at, "endsAt": gap.ends_at} for gap in found],
    }


@router.put("/{key}", status_code=204)
async def put_rota(key: Key, body: RotaIn, app: CurrentApp, actor: CurrentActor) -> Response:
    """Add a rota, or change all of it but its turns. For administrators of all facilities."""
    await actions.save(
        app,
        actor,
        key,
        name=body.name,
        group=body.subspecialty_group,
        facility_codes=body.facility_codes,
        active=body.active,
    )
    return Response(status_code=204)


@router.post("/{key}/turns", status_code=201)
async def post_turn(key: Key, body: TurnIn, app: CurrentApp, actor: CurrentActor) -> dict[str, Any]:
    """Put a reader on call. 409 where somebody is on call on this line at that time."""
    return {"id": str(await actions.add_turn(app, actor, key, body.turn()))}


@router.delete("/{key}/turns/{turn_id}", status_code=204)
async def delete_turn(key: Key, turn_id: UUID, app: CurrentApp, actor: CurrentActor) -> Response:
    """Take somebody off call."""
    await actions.remove_turn(app, actor, key, turn_id)
    return Response(status_code=204)
