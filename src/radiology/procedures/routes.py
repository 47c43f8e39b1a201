"""The catalogue over REST. Whoever has signed in reads it; administrators change it."""

import hashlib
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Path, Query, Request, Response

from radiology.app import App
from radiology.doors.http.actors import CurrentActor, CurrentApp
from radiology.doors.http.answers import HTML, JSON, created, of_kind, tagged, version_asked
from radiology.doors.http.bodies import StrictJSONRoute
from radiology.doors.http.plain_pages import page
from radiology.errors import NotFound
from radiology.procedures import actions, queries
from radiology.procedures.catalogue import catalogue, follow_shipped
from radiology.procedures.licences import COPYRIGHT
from radiology.procedures.model import Procedure
from radiology.procedures.preparing import sheet_of
from radiology.procedures.schemas import (
    Ownership,
    ProcedureIn,
    ProcedureList,
    ProcedureOut,
    RestoreIn,
    TermsIn,
    agreed_body,
    entry_body,
    preparation_body,
    procedure_body,
)

PATH = "/api/radiology/procedures"

router = APIRouter(prefix=PATH, tags=["procedures"], route_class=StrictJSONRoute)

Key = Annotated[str, Path(pattern=r"^[A-Z][A-Z0-9_]{1,63}$", description="As CT_HEAD_WO.")]
Facility = Annotated[str, Query(max_length=16, description="Terms of this facility, by its code.")]
Owner = Annotated[Ownership, Query(description="Whose the facility is: it decides which prices hold.")]
FacilityCode = Annotated[str, Path(pattern=r"^[A-Za-z0-9_-]{1,16}$")]


@router.get("", response_model=None, responses={200: {"model": ProcedureList}, 304: {"description": "Unchanged"}})
async def get_procedures(
    request: Request,
    app: CurrentApp,
    actor: CurrentActor,  # noqa: ARG001 - whoever has signed in may ask.
    q: Annotated[str, Query(max_length=200, description="Words in Bangla or English, or a code.")] = "",
    modality: Annotated[str, Query(max_length=16)] = "",
    common: Annotated[bool | None, Query(description="Common in Bangladesh.")] = None,
    facility: Facility = "",
    ownership: Owner = "public",
) -> Response:
    """The procedures that can be ordered today, the best match first where there are words."""
    known = await catalogue(app)
    tag = _tag(known.generation, known.on.isoformat(), str(request.url.query))
    headers = {"ETag": tag, "Cache-Control": "private, no-cache"}
    if tag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    found = [each for each in known.search(q, modality) if common is None or each.common == common]
    body = {
        "results": [procedure_body(each, known, facility, ownership) for each in found],
        "copyright": COPYRIGHT,
    }
    return Response(orjson.dumps(body), 200, headers, JSON)


@router.get("/{procedure}", response_model=None, responses={200: {"model": ProcedureOut}})
async def get_procedure(
    procedure: Key,
    app: CurrentApp,
    actor: CurrentActor,  # noqa: ARG001 - as above.
    facility: Facility = "",
    ownership: Owner = "public",
) -> Response:
    """A procedure as it is today, also one that can no longer be ordered. Its version is that of its newest entry."""
    return await _answer(app, procedure, facility, ownership)


@router.put("/{procedure}", response_model=None, responses={each: {"model": ProcedureOut} for each in (200, 201)})
async def put_procedure(
    procedure: Key, body: ProcedureIn, request: Request, app: CurrentApp, actor: CurrentActor
) -> Response:
    """Add a procedure, or say what it is from a day on. Needs `radiology.administer`. 412 where it was changed."""
    version = await actions.save_entry(
        app,
        actor,
        procedure,
        body.entry(procedure),
        effective_from=body.effective_from,
        reason=body.reason,
        version=version_asked(request),
    )
    answer = await _answer(app, procedure)
    return created(bytes(answer.body), f"{PATH}/{procedure}", version) if version == 1 else answer


@router.get("/{procedure}/history")
async def get_history(procedure: Key, app: CurrentApp, actor: CurrentActor) -> dict[str, Any]:  # noqa: ARG001 - as above.
    """Every version of an entry, the newest first: what, from which day, by whom and why."""
    await follow_shipped(app)
    async with app.db.reading() as tx:
        versions = await queries.versions(tx, procedure)
    if not versions:
        raise NotFound(f"The catalogue has no procedure {procedure}.")
    return {"results": [entry_body(each) for each in versions]}


@router.post("/{procedure}/history/{version}/restore", response_model=None)
async def post_restore(
    procedure: Key,
    version: Annotated[int, Path(ge=1, le=1_000_000)],
    body: RestoreIn,
    request: Request,
    app: CurrentApp,
    actor: CurrentActor,
) -> Response:
    """Let a procedure be what it was in an earlier version: that is a new version. Needs `radiology.administer`."""
    await actions.restore_entry(
        app,
        actor,
        procedure,
        version,
        effective_from=body.effective_from,
        reason=body.reason,
        version=version_asked(request),
    )
    return await _answer(app, procedure)


@router.get("/{procedure}/terms")
async def get_terms(procedure: Key, app: CurrentApp, actor: CurrentActor) -> dict[str, Any]:  # noqa: ARG001 - as above.
    """What was ever said of price, turnaround and priority, by facility and by ownership, the newest of each first."""
    await _procedure(app, procedure)
    async with app.db.reading() as tx:
        return {"results": [agreed_body(each) for each in await queries.terms_of(tx, procedure)]}


@router.put("/{procedure}/facilities/{code}", response_model=None)
async def put_facility_terms(
    procedure: Key, code: FacilityCode, body: TermsIn, request: Request, app: CurrentApp, actor: CurrentActor
) -> Response:
    """Price, turnaround and priority at one facility from a day on. Needs `radiology.administer`."""
    agreed = await actions.agree(app, actor, procedure, body, facility_code=code, version=version_asked(request))
    return tagged(bytes((await _answer(app, procedure, code)).body), agreed.version)


@router.put("/{procedure}/ownerships/{kind}", response_model=None)
async def put_ownership_terms(
    procedure: Key, kind: Ownership, body: TermsIn, request: Request, app: CurrentApp, actor: CurrentActor
) -> Response:
    """The same at all facilities of one ownership that have said nothing of their own."""
    agreed = await actions.agree(app, actor, procedure, body, ownership=kind, version=version_asked(request))
    return tagged(bytes((await _answer(app, procedure, ownership=kind)).body), agreed.version)


@router.get("/{procedure}/preparation")
async def get_preparation(procedure: Key, app: CurrentApp, actor: CurrentActor) -> dict[str, Any]:  # noqa: ARG001 - as above.
    """How a patient prepares, in Bangla and English: on paper, and as a short message that names no examination."""
    return preparation_body(await _procedure(app, procedure))


@router.get("/{procedure}/preparation/print", response_model=None, responses=of_kind(HTML))
async def get_sheet(procedure: Key, app: CurrentApp, actor: CurrentActor) -> Response:  # noqa: ARG001 - as above.
    """The sheet that tells a patient how to prepare, to print, in Bangla and English."""
    values, markup = sheet_of(await _procedure(app, procedure))
    return page("preparation.html", values, markup=markup)


async def _procedure(app: App, key: str) -> Procedure:
    found = (await catalogue(app)).by_key(key)
    if found is None:
        raise NotFound(f"The catalogue has no procedure {key}.")
    return found


async def _answer(app: App, key: str, facility: str = "", ownership: str = "public") -> Response:
    """The entry of today; its ETag is the newest version, which may hold only from a later day on."""
    await follow_shipped(app)
    known, found = await catalogue(app), await _procedure(app, key)
    async with app.db.reading() as tx:
        version = await queries.last_version(tx, key)
    return tagged(orjson.dumps(procedure_body(found, known, facility, ownership)), version)


def _tag(*parts: str) -> str:
    return f'W/"{hashlib.sha256("|".join(parts).encode()).hexdigest()[:24]}"'
