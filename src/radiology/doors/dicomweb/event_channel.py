"""The event channel of UPS-RS (PS3.18 11.13): a WebSocket on which a subscriber is told of workitems.

What is queued for it is sent in order and forgotten once it is sent, so that a channel that broke goes on where it was.
"""

import asyncio
from contextlib import suppress
from typing import Any, Final

import orjson
from starlette.websockets import WebSocket, WebSocketDisconnect

from radiology.access.model import Permission
from radiology.app import App
from radiology.doors.http.actors import actor_of
from radiology.doors.http.feed import Feed, set_within
from radiology.doors.http.problems import of_refusal
from radiology.errors import RadiologyError, Unavailable
from radiology.standards.dicom.uids import UNIFIED_PROCEDURE_STEP_PUSH
from radiology.workitems.notices import forget, waiting_reports
from radiology.workitems.queries import QueuedReport
from radiology.workitems.subscriptions import check_channel

MOST_CHANNELS: Final = 200
LOOK_AGAIN_SECONDS: Final = 15.0
#: A subscriber that takes nothing for so long has gone.
SEND_SECONDS: Final = 30.0
N_EVENT_REPORT_RQ: Final = 0x0100
GOING_AWAY: Final = 1001

_open = 0


async def event_channel(socket: WebSocket) -> None:
    """`GET /subscribers/{subscriber}`, upgraded to a WebSocket."""
    global _open
    ae_title: str = socket.path_params["subscriber"]
    app: App = socket.app.state.app
    try:
        actor = await actor_of(socket)
        # What is told is forgotten, so to listen for a subscriber changes something.
        actor.must(Permission.WRITE)
        if _open >= MOST_CHANNELS:
            raise Unavailable("Too many event channels are open. Try again later.")
        await check_channel(app, actor, ae_title)
    except RadiologyError as error:
        await socket.send_denial_response(of_refusal(error))
        return
    _open += 1
    try:
        await socket.accept()
        await _serve(socket, app, ae_title)
    finally:
        _open -= 1


async def _serve(socket: WebSocket, app: App, ae_title: str) -> None:
    """Tell until the subscriber goes, or the server stops."""
    gone = asyncio.create_task(_gone(socket))
    telling = asyncio.create_task(_tell(socket, app, ae_title))
    try:
        await asyncio.wait((gone, telling), return_when=asyncio.FIRST_COMPLETED)
        if telling.done():
            with suppress(WebSocketDisconnect, TimeoutError):
                telling.result()
                await socket.close(GOING_AWAY)
    finally:
        gone.cancel()
        telling.cancel()
        await asyncio.gather(gone, telling, return_exceptions=True)


async def _tell(socket: WebSocket, app: App, ae_title: str) -> None:
    feed: Feed = socket.app.state.feed
    number = 0
    while not feed.closing:
        woken = feed.woken
        reports = await waiting_reports(app, ae_title)
        for report in reports:
            number = number % 0xFFFF + 1
            text = orjson.dumps(_event(report, number)).decode()
            await asyncio.wait_for(socket.send_text(text), SEND_SECONDS)
            # Also where the subscriber goes at this moment, so that it is not told twice without need.
            await asyncio.shield(forget(app, report.number))
        if not reports:
            await set_within(woken, LOOK_AGAIN_SECONDS)


async def _gone(socket: WebSocket) -> None:
    while (await socket.receive())["type"] != "websocket.disconnect":
        pass


def _event(report: QueuedReport, number: int) -> dict[str, Any]:
    """An N-EVENT-REPORT with the elements of its command, as DICOM JSON (PS3.18 8.10.5, PS3.7 table 10.3-1)."""
    return {
        "00000002": {"vr": "UI", "Value": [UNIFIED_PROCEDURE_STEP_PUSH]},
        "00000100": {"vr": "US", "Value": [N_EVENT_REPORT_RQ]},
        "00000110": {"vr": "US", "Value": [number]},
        "00000800": {"vr": "US", "Value": [0]},
        "00001000": {"vr": "UI", "Value": [report.sop_instance_uid]},
        "00001002": {"vr": "US", "Value": [report.event_type]},
        **report.attributes,
    }
