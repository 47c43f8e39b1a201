"""`/open/{secret}`: a link opens its one study, or its one report. Where it asks for a PIN, without a script."""

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from radiology.app import App
from radiology.doors.http.actors import actor_of, must_come_from_our_pages
from radiology.doors.http.plain_pages import HEADERS, form_of, page, with_session
from radiology.doors.http.report_page import report_page
from radiology.errors import NotAuthenticated, NotFound, NotPermitted, RadiologyError, TooManyAttempts
from radiology.sharing import actions
from radiology.sharing.actions import Opened
from radiology.sharing.queries import SharedLink

_GONE = (
    "This link is not known, or its time is over. Ask whoever gave it for a new one.",
    "লিংকটি অজানা, অথবা এর মেয়াদ শেষ। যিনি দিয়েছেন তাঁর কাছে নতুন লিংক চান।",
)
_WRONG = ("This PIN is wrong.", "পিন ভুল।")
_CLOSED = (
    "Too many wrong PINs. Try again in 15 minutes.",
    "অনেকবার ভুল পিন দেওয়া হয়েছে। ১৫ মিনিট পরে আবার চেষ্টা করুন।",
)
_ELSEWHERE = ("Please open it on this page.", "এই পাতা থেকেই খুলুন।")


async def open_link(request: Request) -> Response:
    """The page that asks, where it asks first; else, and when that was sent, the study or the report."""
    app: App = request.app.state.app
    try:
        return await _answered(request, app, await actions.look_at(app, request.path_params["secret"]))
    except NotFound:
        return page("gone.html", _said(_GONE), status=404)
    except TooManyAttempts:
        return page("gone.html", _said(_CLOSED), status=429)


async def _answered(request: Request, app: App, link: SharedLink) -> Response:
    if request.method != "POST" and link.asks_first:
        return _asked(request, link)
    pin = ""
    try:
        if request.method == "POST":
            must_come_from_our_pages(request)
            pin = (await form_of(request)).get("pin", "").strip()
        return await _shown(request, app, await actions.open_link(app, request.path_params["secret"], pin))
    except NotAuthenticated:
        return _asked(request, link, _WRONG, status=401)
    except NotPermitted:
        return _asked(request, link, _ELSEWHERE, status=403)


def _asked(request: Request, link: SharedLink, sentence: tuple[str, str] = ("", ""), *, status: int = 200) -> Response:
    full = "?full" if "full" in request.query_params else ""
    values = {"address": f"/open/{request.path_params['secret']}{full}", **_said(sentence)}
    return page("open-with-pin.html" if link.pin_hash else "open.html", values, status=status)


async def _shown(request: Request, app: App, opened: Opened) -> Response:
    if opened.report is not None:
        values, markup = report_page(opened.report, app.settings.zone)
        return page("report.html", values, markup=markup)
    uid = opened.actor.study_instance_uid
    place = f"/viewer/viewer?StudyInstanceUIDs={uid}" if "full" in request.query_params else f"/light/{uid}"
    response = RedirectResponse(place, 303, HEADERS)
    if opened.session is None or await _is_somebody(request):
        return response  # Who works here goes on as who they are.
    return with_session(request, response, opened.session)


async def _is_somebody(request: Request) -> bool:
    try:
        return (await actor_of(request)).study_instance_uid is None
    except RadiologyError:
        return False


def _said(sentence: tuple[str, str]) -> dict[str, str]:
    return {"sentence": sentence[0], "sentence_bn": sentence[1]}


routes = [Route("/open/{secret}", open_link, methods=["GET", "POST"])]
