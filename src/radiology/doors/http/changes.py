"""What happened, in order: as a feed to read at one's own pace, and as a stream for browsers. And who one is."""

from typing import Any

import orjson
from fastapi import APIRouter, Request, Response
from starlette.responses import StreamingResponse

from radiology.doors.http.actors import CurrentActor, CurrentApp
from radiology.doors.http.feed import Feed
from radiology.errors import FieldProblem, Invalid
from radiology.kit import outbox
from radiology.studies.parameters import openapi_parameters, read_parameters

DEFAULT_LIMIT, MOST = 100, 1000
HIGHEST = 2**62

router = APIRouter(prefix="/api/radiology", tags=["events"])

_CHANGES = {
    "after": ("after", "position of the last event that was read; 0 for all"),
    "limit": ("limit", "1 to 1000, 100 where it is left out"),
}
_EVENTS = {"after": ("after", "position to go on behind; the header Last-Event-ID wins; without both: from now on")}


@router.get("/changes", response_model=None, openapi_extra={"parameters": openapi_parameters(_CHANGES)})
async def get_changes(request: Request, app: CurrentApp, actor: CurrentActor) -> Response:
    """Events behind a position, oldest first. Ask again with `next` as `after`; the order never changes.

    Events carry ids and codes only. Nothing is ever missed: an event has its position once it is committed.
    """
    given = read_parameters(request.query_params, _CHANGES)
    after = _number(given.get("after", "0"), "after", 0, HIGHEST)
    limit = _number(given.get("limit", str(DEFAULT_LIMIT)), "limit", 1, MOST)
    async with app.db.transaction() as tx:
        await outbox.place(tx)
        events = await outbox.read(tx, after=after, limit=limit, facility_codes=actor.staff_reach.facility_codes)
    read: list[dict[str, Any]] = orjson.loads(events)
    following = read[-1]["position"] if read else after
    body = b'{"events":%b,"next":%d,"more":%b}' % (events, following, b"true" if len(read) == limit else b"false")
    return Response(body, media_type="application/json", headers={"Cache-Control": "no-store"})


@router.get("/events", response_model=None, openapi_extra={"parameters": openapi_parameters(_EVENTS)})
async def get_events(request: Request, actor: CurrentActor) -> Response:
    """The same as server-sent events (text/event-stream); `id` is the position, so a browser resumes by itself."""
    given = read_parameters(request.query_params, _EVENTS)
    resumed = request.headers.get("last-event-id") or given.get("after")
    after = None if resumed is None else _number(resumed, "after", 0, HIGHEST)
    feed: Feed = request.app.state.feed
    stream = feed.stream(after=after, facility_codes=actor.staff_reach.facility_codes)
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(stream, media_type="text/event-stream", headers=headers)


@router.get("/me", tags=["access"])
async def get_me(actor: CurrentActor) -> dict[str, Any]:
    """Who the credential stands for, and what that may do."""
    return {
        "id": actor.id,
        "display": actor.display,
        "role": actor.role,
        "permissions": sorted(permission.value for permission in actor.permissions),
        "practitioner": actor.practitioner_reference,
        "facilityCode": actor.facility_code,
        "facilityCodes": None if actor.facility_codes is None else sorted(actor.facility_codes),
    }


def _number(text: str, name: str, least: int, most: int) -> int:
    value = int(text) if text.isascii() and text.isdigit() and len(text) < 20 else -1
    if not least <= value <= most:
        sentence = f"must be a number from {least} to {most}"
        raise Invalid(f"{name} {sentence}.", fields=[FieldProblem(name, sentence)])
    return value
