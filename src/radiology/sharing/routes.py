"""Links over REST. Who asks for text/html gets the slip of paper with the QR code instead of JSON."""

from io import BytesIO
from typing import Any
from uuid import UUID

import orjson
import segno
from fastapi import APIRouter, Request, Response

from radiology.app import App
from radiology.doors.http.actors import CurrentActor, CurrentApp
from radiology.doors.http.addresses import origin_of
from radiology.doors.http.answers import JSON
from radiology.doors.http.bodies import StrictJSONRoute
from radiology.doors.http.plain_pages import page
from radiology.sharing import actions
from radiology.sharing.actions import NewLink, Wanted
from radiology.sharing.schemas import LinkIn, LinkOut, LinksOut

router = APIRouter(prefix="/api/radiology", tags=["sharing"], route_class=StrictJSONRoute)

_MADE: dict[int | str, dict[str, Any]] = {201: {"model": LinkOut, "content": {"text/html": {}}}}


@router.post("/studies/{study}/links", status_code=201, response_model=None, responses=_MADE)
async def post_study_link(study: str, body: LinkIn, request: Request, app: CurrentApp, actor: CurrentActor) -> Response:
    """Make a link that opens this study and nothing else, without signing in. Its address is given this once.

    Needs `radiology.share`. With `Accept: text/html` the answer is a slip to print, with a QR code.
    """
    link = await actions.share_study(app, actor, study, _wanted(body))
    address = origin_of(request) + f"/open/{link.secret}"
    return _made(request, app, link, address, {"url": f"{address}?full", "lightUrl": address})


@router.post("/reports/{report}/links", status_code=201, response_model=None, responses=_MADE)
async def post_report_link(
    report: str, body: LinkIn, request: Request, app: CurrentApp, actor: CurrentActor
) -> Response:
    """Make a link that opens this signed report and nothing else: no images. The rest as for a study."""
    link = await actions.share_report(app, actor, report, _wanted(body))
    address = origin_of(request) + f"/open/{link.secret}"
    return _made(request, app, link, address, {"url": address})


@router.get("/studies/{study}/links", response_model=None, responses={200: {"model": LinksOut}})
async def get_study_links(study: str, app: CurrentApp, actor: CurrentActor) -> Response:
    """The links of a study and of its reports: who made them, and when and from which network they were opened."""
    return _listed(await actions.study_links(app, actor, study))


@router.get("/reports/{report}/links", response_model=None, responses={200: {"model": LinksOut}})
async def get_report_links(report: str, app: CurrentApp, actor: CurrentActor) -> Response:
    """The links of a report."""
    return _listed(await actions.report_links(app, actor, report))


@router.delete("/studies/{study}/links/{link_id}", status_code=204, response_model=None)
async def delete_study_link(study: str, link_id: UUID, app: CurrentApp, actor: CurrentActor) -> Response:
    """End a link, and whatever is open by it."""
    await actions.end_study_link(app, actor, study, link_id)
    return Response(status_code=204)


@router.delete("/reports/{report}/links/{link_id}", status_code=204, response_model=None)
async def delete_report_link(report: str, link_id: UUID, app: CurrentApp, actor: CurrentActor) -> Response:
    """End a link of a report."""
    await actions.end_report_link(app, actor, report, link_id)
    return Response(status_code=204)


def _wanted(body: LinkIn) -> Wanted:
    return Wanted(body.hours, body.withPin, body.mostOpenings)


def _made(request: Request, app: App, link: NewLink, address: str, addresses: dict[str, str]) -> Response:
    expires_at = link.expires_at.astimezone(app.settings.zone)
    if "text/html" in request.headers.get("accept", ""):
        shared = link.shared
        values = {
            "address": address,
            "until": expires_at.strftime("%Y-%m-%d %H:%M"),
            "number": shared.hospital_number,
            "date": shared.study_date.isoformat() if shared.study_date else "",
            "pin_en": "A PIN is asked for. It is told to you, and is not on this paper." if link.pin else "",
            "pin_bn": "একটি পিন চাওয়া হবে। পিন আপনাকে আলাদাভাবে বলা হবে, এই কাগজে নেই।" if link.pin else "",
        }
        slip = page("slip.html", values, status=201, markup=_qr(address))
        slip.headers["X-Link-Id"] = str(link.id)
        if link.pin:
            slip.headers["X-Link-PIN"] = link.pin
        return slip
    answer = {
        "id": str(link.id),
        **addresses,
        "expiresAt": expires_at.isoformat(timespec="seconds"),
        "qr": _qr(address),
    }
    if link.pin:
        answer["pin"] = link.pin
    return Response(orjson.dumps(answer), 201, {"Cache-Control": "no-store"}, JSON)


def _qr(address: str) -> str:
    """The address as a QR code (ISO/IEC 18004), in SVG."""
    out = BytesIO()
    segno.make_qr(address, error="m").save(out, kind="svg", scale=4, xmldecl=False, title="QR")
    return out.getvalue().decode()


def _listed(links: bytes) -> Response:
    return Response(b'{"results":' + links + b"}", media_type=JSON, headers={"Cache-Control": "no-store"})
