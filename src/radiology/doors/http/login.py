"""Signing in and out in a browser, and links that open one study. The pages need no script."""

import re
from urllib.parse import parse_qsl, quote

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from radiology.access import sessions
from radiology.app import App
from radiology.audit import actions as audit
from radiology.doors.http.actors import COOKIE, actor_of, by_password, must_come_from_our_pages
from radiology.doors.http.templates import filled
from radiology.errors import NotAuthenticated, NotFound, NotPermitted, RadiologyError, TooLarge, TooManyAttempts

_POLICY = (
    "default-src 'none'; style-src 'self'; font-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
_HEADERS = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
LONGEST_ADDRESS = 2000
LONGEST_FORM_BYTES = 16 * 1024
HOME = "/viewer/"
#: One slash and no host: `//elsewhere` and `/\\elsewhere` would lead away from here.
_local = re.compile(r"/(?![/\\])[^\x00-\x20\\]*")

_WRONG = ("Name or password is wrong.", "নাম বা পাসওয়ার্ড ভুল।")
_WAIT = ("Too many attempts. Wait a minute.", "অনেকবার চেষ্টা হয়েছে। এক মিনিট অপেক্ষা করুন।")
_ELSEWHERE = ("Please sign in on this page.", "এই পাতা থেকে প্রবেশ করুন।")
_ENDED = (
    "This link is not known, or its time is over. Ask whoever gave it for a new one.",
    "লিংকটি অজানা, অথবা এর মেয়াদ শেষ। যিনি দিয়েছেন তাঁর কাছে নতুন লিংক চান।",
)


async def login(request: Request) -> Response:
    """The form, and what it sends."""
    wanted = _wanted(request.query_params.get("next", ""))
    if request.method != "POST":
        return _form(wanted)
    try:
        must_come_from_our_pages(request)
        return await _sign_in(request, wanted)
    except NotAuthenticated:
        return _form(wanted, _WRONG, status=401)
    except TooManyAttempts:
        return _form(wanted, _WAIT, status=429)
    except NotPermitted:
        return _form(wanted, _ELSEWHERE, status=403)


async def _sign_in(request: Request, wanted: str) -> Response:
    name, password = await _name_and_password(request)
    if not name or "\0" in name + password:
        raise NotAuthenticated("Name or password is wrong.")
    actor = await by_password(request, request.app.state.authenticator, name, password)
    app: App = request.app.state.app
    async with app.db.transaction() as tx:
        secret = await sessions.begin(tx, name, now=app.clock.now())
        await audit.record(tx, actor, "session.begin", actor.id)
    return _with_session(request, RedirectResponse(wanted, 303, _HEADERS), secret)


async def _name_and_password(request: Request) -> tuple[str, str]:
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > LONGEST_FORM_BYTES:
            raise TooLarge(f"The form may have at most {LONGEST_FORM_BYTES} bytes.")
    given = dict(parse_qsl(body.decode("utf-8", "replace"), max_num_fields=8))
    return given.get("name", ""), given.get("password", "")


async def logout(request: Request) -> Response:
    """End the session of this browser. Only by POST: a picture somewhere else must not sign anybody out."""
    must_come_from_our_pages(request)
    if secret := request.cookies.get(COOKIE):
        await sessions.end(request.app.state.app, secret)
        request.app.state.authenticator.forget_session(secret)
    response = RedirectResponse("/login", 303, {**_HEADERS, "Clear-Site-Data": '"cache"'})
    response.delete_cookie(COOKIE, path="/", httponly=True, samesite="lax", secure=_secure(request))
    return response


async def open_link(request: Request) -> Response:
    """`/open/{secret}`: a session for the one study of the link, and its pictures."""
    app: App = request.app.state.app
    try:
        async with app.db.transaction() as tx:
            session, actor = await sessions.begin_by_link(tx, request.path_params["secret"], now=app.clock.now())
            await audit.record(tx, actor, "link.open", str(actor.study_instance_uid))
    except NotFound:
        return _page("gone.html", {"sentence": _ENDED[0], "sentence_bn": _ENDED[1]}, status=404)
    uid = actor.study_instance_uid
    place = f"/viewer/viewer?StudyInstanceUIDs={uid}" if "full" in request.query_params else f"/light/{uid}"
    response = RedirectResponse(place, 303, _HEADERS)
    if await _is_somebody(request):
        return response  # Who works here goes on as who they are.
    return _with_session(request, response, session)


async def _is_somebody(request: Request) -> bool:
    try:
        return (await actor_of(request)).study_instance_uid is None
    except RadiologyError:
        return False


def _with_session(request: Request, response: Response, secret: str) -> Response:
    response.set_cookie(COOKIE, secret, path="/", httponly=True, samesite="lax", secure=_secure(request))
    return response


def _secure(request: Request) -> bool:
    return request.url.scheme == "https"


def _wanted(given: str) -> str:
    """Where to go after signing in: a place of ours, never somebody else's."""
    return given if _local.fullmatch(given) and len(given) <= LONGEST_ADDRESS else HOME


def _form(wanted: str, sentence: tuple[str, str] = ("", ""), *, status: int = 200) -> Response:
    values = {"next_in_query": quote(wanted, safe=""), "sentence": sentence[0], "sentence_bn": sentence[1]}
    return _page("login.html", values, status=status)


def _page(name: str, values: dict[str, str], *, status: int) -> Response:
    return Response(filled(name, values), status, _HEADERS, "text/html; charset=utf-8")


routes = [
    Route("/login", login, methods=["GET", "POST"]),
    Route("/logout", logout, methods=["POST"]),
    Route("/open/{secret}", open_link),
]
