"""What modalities do, by HTTP: worklist (PS3.18 14), performed procedure steps (15), storage commitment (13)."""

from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from radiology.access.model import Actor, Permission
from radiology.app import App
from radiology.doors.dicomweb.answers import OF_ONE, data_set_answer, list_answer, list_type
from radiology.doors.dicomweb.bodies import read_data_set
from radiology.doors.dicomweb.compressing import compressed
from radiology.doors.dicomweb.media_types import accepted, choose
from radiology.doors.dicomweb.parameters import (
    base_url,
    boolean,
    identifier_of,
    ignored,
    page_of,
    parameters_of,
    path_uid,
    remark,
)
from radiology.doors.dicomweb.workitems import worklist
from radiology.doors.http.actors import actor_of
from radiology.modality_worklist import search
from radiology.modality_worklist.actions.perform import Modality
from radiology.modality_worklist.answering import candidates, fits, view_of
from radiology.modality_worklist.return_keys import data_set_of
from radiology.studies.actions.commit import Result, decide_for, decision_for
from radiology.studies.actions.performed import (
    begin_performed_step,
    change_performed_step,
    performed_step_attributes,
)
from radiology.studies.commitment import FAILED, REFERENCED

STATION: Final = "00400100.00400001"
SCHEDULED: Final = "/modality-scheduled-procedure-steps"
PERFORMED: Final = "/modality-performed-procedure-steps"
COMMITMENTS: Final = "/commitment-requests"
RETRY_AFTER: Final = {"Retry-After": "5"}


@worklist
async def search_scheduled_steps(request: Request) -> Response:
    """`GET /modality-scheduled-procedure-steps` (14.4): the worklist, as C-FIND gives it; of all stations of the
    facility where none is named."""
    media_type = list_type(request)
    app, actor = await _who(request, Permission.READ)
    keys, strangers = parameters_of(request)
    station = next((text for name, text in keys if _is_station(name)), "")
    asked = identifier_of(keys if station else [*keys, (STATION, "*")])
    fuzzy = boolean(request.query_params, "fuzzymatching")
    query, page = search.parse(asked, zone=app.settings.zone, fuzzy=fuzzy), page_of(request, app.settings)
    query = search.returning_all(query)
    items = await candidates(app, query, station, _facility(app, actor), visible_to=actor)
    view = view_of(app, query, station)
    fitting = [item for item in items if fits(query, item, view)]
    shown = fitting[page.offset : page.offset + page.limit]
    response = list_answer([data_set_of(item, view, query.tags, query.step_tags) for item in shown], media_type)
    rest = len(fitting) - page.offset - len(shown)
    remark(request, response, page, ignored(strangers), rest=rest, is_exact=len(items) <= app.settings.find_max)
    return await compressed(request, response)


@worklist
async def report_performed_step(request: Request) -> Response:
    """`POST /modality-performed-procedure-steps/{step}`: a step begins (15.4), or with `?update` goes on (15.5)."""
    app, actor = await _who(request, Permission.WRITE)
    uid, attributes = _uid(request, "step"), await read_data_set(request)
    if "update" in request.query_params:
        await change_performed_step(app, actor, _modality(request, app, actor), uid, attributes)
        return Response(status_code=200)
    await begin_performed_step(app, actor, _modality(request, app, actor), uid, attributes)
    return Response(status_code=201, headers={"Location": f"{base_url(request)}{PERFORMED}/{uid}"})


@worklist
async def retrieve_performed_step(request: Request) -> Response:
    """`GET /modality-performed-procedure-steps/{step}` (15.6)."""
    choose(accepted(request), OF_ONE)
    app, actor = await _who(request, Permission.READ)
    attributes = await performed_step_attributes(app, actor, _modality(request, app, actor), _uid(request, "step"))
    return data_set_answer(request, attributes, headers={"Cache-Control": "no-cache"}, in_list=True)


@worklist
async def request_commitment(request: Request) -> Response:
    """`POST /commitment-requests/{transaction}` (13.4): the result where it is known, 202 while something may come."""
    choose(accepted(request), OF_ONE)
    app, actor = await _who(request, Permission.WRITE)
    uid, attributes = _uid(request, "transaction"), await read_data_set(request)
    return _result(request, await decide_for(app, actor.id, uid, attributes))


@worklist
async def check_commitment(request: Request) -> Response:
    """`GET /commitment-requests/{transaction}` (13.5): the result of a request of one's own."""
    choose(accepted(request), OF_ONE)
    app, actor = await _who(request, Permission.WRITE)
    return _result(request, await decision_for(app, actor.id, _uid(request, "transaction")))


def _result(request: Request, found: Result | None) -> Response:
    if found is None:
        return Response(status_code=202, headers=RETRY_AFTER)
    kept = {tag: each for tag, each in found.attributes.items() if tag in (REFERENCED, FAILED)}
    return data_set_answer(request, kept)


async def _who(request: Request, permission: Permission) -> tuple[App, Actor]:
    actor = await actor_of(request)
    actor.must(permission)
    return request.app.state.app, actor


def _uid(request: Request, name: str) -> str:
    uid = path_uid(request, name)
    assert uid is not None  # noqa: S101 - every path of these routes has it.
    return uid


def _facility(app: App, actor: Actor) -> str:
    return actor.facility_code or app.settings.facility_code


def _modality(request: Request, app: App, actor: Actor) -> Modality:
    return Modality(request.query_params.get("requester", "")[:16], _facility(app, actor))


def _is_station(name: str) -> bool:
    return list(identifier_of([(name, "")]).get("00400100", {}).get("Value", [{}])[0]) == ["00400001"]
