"""UPS-RS, the Worklist Service (PS3.18 11): the same actions as the DIMSE services have, by HTTP."""

from collections.abc import Awaitable, Callable, Mapping
from functools import wraps
from typing import Any, Final
from urllib.parse import unquote

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
    included,
    page_of,
    parameters_of,
    path_uid,
    remark,
    warn,
)
from radiology.doors.http.actors import actor_of
from radiology.doors.http.problems import of_refusal, request_id_of
from radiology.errors import Invalid, RadiologyError
from radiology.standards.dicom.uids import is_valid_uid, new_uid
from radiology.workitems import actions, subscriptions
from radiology.workitems.attributes import PROCEDURE_STEP_STATE, SOP_INSTANCE_UID, TRANSACTION_UID, text
from radiology.workitems.model import Code
from radiology.workitems.search import parse
from radiology.workitems.subscriptions import Subscription

#: Returned without being asked for (PS3.18 table 11.9.1-2; PS3.4 table CC.2.5-3).
RETURNED: Final = (
    "00080005", "00080016", "00080018", "00100010", "00100020", "00100030", "00100040", "0020000D", "00404005",
    "00404018", "00404025", "00404034", "00404041", "00741000", "00741200", "00741202", "00741204",
)  # fmt: skip
MOST_AE_CHARACTERS: Final = 16
#: Workitems are compared one by one, so those before a page cost what those on it do.
MOST_OFFSET: Final = 10_000

_WRONG_UID = "The Transaction UID is incorrect."
_INCONSISTENT = "The submitted request is inconsistent with the state of the UPS Instance."
#: What is said of a refusal in the header Warning (PS3.18 11.6.3.2, 11.7.3.2, 11.8.3.2).
WARNINGS: Final[Mapping[int, str]] = {
    Code.WRONG_TRANSACTION_UID: _WRONG_UID,
    Code.NO_LONGER_UPDATED: _INCONSISTENT,
    Code.ALREADY_IN_PROGRESS: _INCONSISTENT,
    Code.SCHEDULED_BY_CREATION_ONLY: _INCONSISTENT,
    Code.FINAL_STATE_NOT_MET: _INCONSISTENT,
    Code.NOT_IN_PROGRESS: "The target URI did not reference a claimed Workitem.",
    Code.COMPLETED: "The UPS is already COMPLETED.",
    Code.PERFORMER_UNREACHABLE: "The performer cannot be contacted.",
    Code.ALREADY_CANCELED: "The UPS is already in the requested state of CANCELED.",
    Code.ALREADY_COMPLETED: "The UPS is already in the requested state of COMPLETED.",
}
_INVALID_ARGUMENT, _MISMATCH = 0x0115, 0xA900

Handler = Callable[[Request], Awaitable[Response]]


def worklist(handler: Handler) -> Handler:
    """Refusals with the statuses and warnings of the Worklist Service: what is no conflict and not missing is 400."""

    @wraps(handler)
    async def answered(request: Request) -> Response:
        try:
            return await handler(request)
        except RadiologyError as error:
            refusal = of_refusal(error, request_id_of(request))
            if error.http_status == 422 or error.dimse_status in (_INVALID_ARGUMENT, _MISMATCH):
                refusal = of_refusal(Invalid(error.sentence, tag=error.tag), request_id_of(request))
            if error.dimse_status in WARNINGS:
                warn(refusal, WARNINGS[error.dimse_status])
            return refusal

    return answered


@worklist
async def create(request: Request) -> Response:
    """`POST /workitems`: schedule a workitem (11.4). Without a UID it is given one."""
    app, actor = await _who(request, Permission.WRITE)
    attributes = await read_data_set(request)
    uid = _new_uid(request, attributes)
    facility = actor.facility_code or app.settings.facility_code
    await actions.create_workitem(app, actor, uid, attributes, facility_code=facility)
    return Response(status_code=201, headers={"Location": f"{base_url(request)}/workitems/{uid}"})


@worklist
async def retrieve(request: Request) -> Response:
    """`GET /workitems/{workitem}` (11.5)."""
    choose(accepted(request), OF_ONE)
    app, actor = await _who(request, Permission.READ)
    attributes = await actions.workitem_attributes(app, actor, _uid(request))
    return data_set_answer(request, attributes, headers={"Cache-Control": "no-cache"}, in_list=True)


@worklist
async def update(request: Request) -> Response:
    """`POST /workitems/{workitem}`: set attributes (11.6). The Transaction UID is a parameter, or in the data set."""
    app, actor = await _who(request, Permission.WRITE)
    changes = await read_data_set(request)
    lock = _transaction_uid(request) or text(changes, TRANSACTION_UID)
    changes.pop(TRANSACTION_UID, None)
    await actions.update_workitem(app, actor, _uid(request), changes, lock)
    return Response(status_code=200)


@worklist
async def change_state(request: Request) -> Response:
    """`PUT /workitems/{workitem}/state`: claim, complete or cancel (11.7)."""
    app, actor = await _who(request, Permission.WRITE)
    wanted = await read_data_set(request)
    lock = text(wanted, TRANSACTION_UID) or _transaction_uid(request)
    if not lock:
        refusal = of_refusal(Invalid("The data set must hold the Transaction UID.", tag=TRANSACTION_UID))
        warn(refusal, "The Transaction UID is missing.")
        return refusal
    warning = await actions.change_state(app, actor, _uid(request), text(wanted, PROCEDURE_STEP_STATE), lock)
    return _done(200, warning)


@worklist
async def request_cancel(request: Request) -> Response:
    """`POST /workitems/{workitem}/cancelrequest` (11.8): cancelled where nobody has claimed it; else its performer is
    told."""
    app, actor = await _who(request, Permission.WRITE)
    reasons = await read_data_set(request)
    asking = request.query_params.get("requester", app.settings.ae_title)[:MOST_AE_CHARACTERS]
    warning = await actions.request_cancel(app, actor, _uid(request), reasons, requesting_ae_title=asking)
    return _done(202, warning)


@worklist
async def search(request: Request) -> Response:
    """`GET /workitems` (11.9): in the order of their scheduled start."""
    media_type = list_type(request)
    app, actor = await _who(request, Permission.READ)
    keys, strangers = parameters_of(request)
    include = included(request)
    is_all = "all" in include
    asked = identifier_of([*keys, *((name, "") for name in include if name != "all"), *((tag, "") for tag in RETURNED)])
    query, page = parse(asked, zone=app.settings.zone), page_of(request, app.settings)
    if page.offset > MOST_OFFSET:
        raise Invalid(f"offset may be at most {MOST_OFFSET:,}. Narrow the search down.")
    most = page.offset + app.settings.qido_max_limit + 1
    found = await actions.find_workitems(app, actor, query, limit=most)
    shown = found[page.offset : page.offset + page.limit]
    answers = [dict(each) if is_all else query.answer(each) for each in shown]
    response = list_answer([_without_empty(each, keys) for each in answers], media_type)
    rest = len(found) - page.offset - len(shown)
    remark(request, response, page, ignored(strangers), rest=rest, is_exact=len(found) < most)
    return await compressed(request, response)


@worklist
async def subscribe(request: Request) -> Response:
    """`POST /workitems/{workitem}/subscribers/{subscriber}` (11.10), also to all, or to all that match `filter`."""
    app, actor = await _who(request, Permission.WRITE)
    uid, ae_title = _uid(request), _ae_title(request)
    keys = identifier_of(_filter(request)) if uid == subscriptions.FILTERED else {}
    subscription = Subscription(ae_title, boolean(request.query_params, "deletionlock"), keys)
    await subscriptions.subscribe(app, actor, uid, subscription, has_channel=True)
    return Response(status_code=201, headers={"Content-Location": _channel_url(request, ae_title)})


@worklist
async def unsubscribe(request: Request) -> Response:
    """`DELETE /workitems/{workitem}/subscribers/{subscriber}` (11.11)."""
    app, actor = await _who(request, Permission.WRITE)
    await subscriptions.unsubscribe(app, actor, _uid(request), _ae_title(request), has_channel=True)
    return Response(status_code=200)


@worklist
async def suspend(request: Request) -> Response:
    """`POST /workitems/{workitem}/subscribers/{subscriber}/suspend` (11.12): no new workitems are subscribed to."""
    app, actor = await _who(request, Permission.WRITE)
    await subscriptions.suspend(app, actor, _uid(request), _ae_title(request), has_channel=True)
    return Response(status_code=200)


async def _who(request: Request, permission: Permission) -> tuple[App, Actor]:
    actor = await actor_of(request)
    actor.must(permission)
    return request.app.state.app, actor


def _uid(request: Request) -> str:
    uid = path_uid(request, "workitem")
    assert uid is not None  # noqa: S101 - every path of these routes has it.
    return uid


def _ae_title(request: Request) -> str:
    return unquote(request.path_params["subscriber"]).strip()


def _new_uid(request: Request, attributes: Mapping[str, Any]) -> str:
    """The UID that the query names, alone as `?1.2.3` or by its name, or that of the data set. Raises Invalid."""
    query = request.query_params
    alone = request.url.query if is_valid_uid(request.url.query) else ""
    named = query.get("workitem") or query.get("AffectedSOPInstanceUID") or alone
    uid = named or text(attributes, SOP_INSTANCE_UID) or new_uid()
    if not is_valid_uid(uid):
        raise Invalid(f"{uid[:80]!r} is not a UID.", tag=SOP_INSTANCE_UID)
    return uid


def _transaction_uid(request: Request) -> str:
    return request.query_params.get("transaction-uid", "")


def _done(status: int, warning: Code | None) -> Response:
    response = Response(status_code=status)
    if warning is not None:
        warn(response, WARNINGS[warning])
    return response


def _filter(request: Request) -> list[tuple[str, str]]:
    """`filter=Keyword=value,Keyword=value` (PS3.18 11.10.1.2). Raises Invalid."""
    texts = [each for text in request.query_params.getlist("filter") for each in text.split(",") if each]
    if not texts or any("=" not in each for each in texts):
        raise Invalid("filter must hold the keys to match, as filter=WorklistLabel=CT,ProcedureStepState=SCHEDULED.")
    return [(name, value) for name, _, value in (each.partition("=") for each in texts)]


def _without_empty(attributes: Mapping[str, Any], keys: list[tuple[str, str]]) -> dict[str, Any]:
    """Without what has no value and was not asked for by a key."""
    asked = identifier_of(keys).keys()
    return {tag: element for tag, element in attributes.items() if len(element) > 1 or tag in asked}


def _channel_url(request: Request, ae_title: str) -> str:
    """Where the event channel is opened: http becomes ws, https wss (RFC 6455 3)."""
    return f"ws{base_url(request).removeprefix('http')}/subscribers/{ae_title}"
