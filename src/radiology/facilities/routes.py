"""Facilities, places and tiers over REST."""

from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response

from radiology.doors.http.actors import CurrentActor, CurrentApp
from radiology.doors.http.answers import JSON, created, page, tagged, version_asked
from radiology.doors.http.bodies import StrictJSONRoute
from radiology.errors import NotFound
from radiology.facilities import actions, queries
from radiology.facilities.model import Ownership
from radiology.facilities.network import network
from radiology.facilities.offering import offering
from radiology.facilities.patterns import PATTERNS
from radiology.facilities.schemas import FacilityChange, FacilityCode, Level
from radiology.procedures.catalogue import catalogue

PATH = "/api/radiology/facilities"

router = APIRouter(prefix=PATH, tags=["facilities"], route_class=StrictJSONRoute)

Code = Annotated[FacilityCode, Path(description="Code of the facility, as the national registry has it.")]


@router.get("", response_model=None)
async def get_facilities(
    request: Request,
    app: CurrentApp,
    actor: CurrentActor,  # noqa: ARG001 - whoever has signed in may ask.
    place: Annotated[str | None, Query(description="In this division, district or upazila, by code.")] = None,
    tier: str | None = None,
    ownership: Ownership | None = None,
    name: Annotated[str | None, Query(max_length=100, description="Part of the name in either language.")] = None,
    active: bool | None = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    cursor: Annotated[str | None, Query(max_length=16)] = None,
) -> Response:
    """Facilities in the order of their codes, a page at a time. All criteria that are given must hold."""
    criteria = queries.Criteria(place, tier, ownership, active, name, after=cursor, limit=limit)
    async with app.db.reading() as tx:
        results, following = await queries.listed(tx, criteria)
    return page(request, results, following)


@router.get("/patterns")
async def get_patterns(actor: CurrentActor) -> dict[str, Any]:  # noqa: ARG001 - whoever has signed in may ask.
    """What kinds of facilities usually have. For planning only: what a facility can do, its devices say."""
    return dict(PATTERNS)


@router.get("/places", response_model=None)
async def get_places(
    app: CurrentApp,
    actor: CurrentActor,  # noqa: ARG001 - whoever has signed in may ask.
    level: Level | None = None,
    parent: Annotated[str | None, Query(max_length=16, description="Those that lie directly in this one.")] = None,
) -> Response:
    """The list of geocodes: divisions, districts, and what was imported below them."""
    async with app.db.reading() as tx:
        found = await queries.places_body(tx, level=level, parent=parent)
    return Response(b'{"results":' + found + b"}", media_type=JSON)


@router.get("/{code}", response_model=None)
async def get_facility(code: Code, app: CurrentApp, actor: CurrentActor) -> Response:  # noqa: ARG001 - as above.
    """One facility."""
    async with app.db.reading() as tx:
        return tagged(*await queries.body(tx, code))


@router.get("/{code}/procedures")
async def get_procedures(
    code: Code,
    app: CurrentApp,
    actor: CurrentActor,  # noqa: ARG001 - as above.
    on: Annotated[date | None, Query(description="Left out: today.")] = None,
    offered: Annotated[bool | None, Query(description="Only what is offered, or only what is not.")] = None,
) -> dict[str, Any]:
    """What is offered here: by devices that work, valid licences and operators, never by the tier.

    For what is not, the condition that fails.
    """
    known = await network(app)
    if known.facility(code) is None:
        raise NotFound("There is no such facility, or it is not active.")
    day = on or app.clock.now().astimezone(app.settings.zone).date()
    procedures = (await catalogue(app)).procedures
    found = offering(procedures, known.devices_of(code), known.operators_of(code), day)
    return {
        "facility": code,
        "on": day,
        "results": [each.told() for each in found if offered in (None, each.why_not is None)],
    }


@router.put("/{code}", response_model=None, responses={201: {"description": "Added"}})
async def put_facility(
    code: Code, body: FacilityChange, request: Request, app: CurrentApp, actor: CurrentActor
) -> Response:
    """Add a facility, or change all of it. Needs `radiology.administer`. 412 where somebody else changed it first."""
    asked = version_asked(request, body.version)
    outcome, version, answer = await actions.save(app, actor, code, body, version=asked)
    return created(answer, f"{PATH}/{code}", version) if outcome == "added" else tagged(answer, version)
