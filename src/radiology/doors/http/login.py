"""Signing in and out in a browser. The pages need no script."""

from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from radiology.access import sessions
from radiology.app import App
from radiology.audit import actions as audit
from radiology.doors.http import oidc
from radiology.doors.http.actors import COOKIE, by_password, must_come_from_our_pages
from radiology.doors.http.plain_pages import HEADERS, form_of, is_secure, local_address, page, with_session
from radiology.errors import NotAuthenticated, NotPermitted, TooManyAttempts

_WRONG = ("Name or password is wrong.", "নাম বা পাসওয়ার্ড ভুল।")
_WAIT = ("Too many attempts. Wait a minute.", "অনেকবার চেষ্টা হয়েছে। এক মিনিট অপেক্ষা করুন।")
_ELSEWHERE = ("Please sign in on this page.", "এই পাতা থেকে প্রবেশ করুন।")


async def login(request: Request) -> Response:
    """The form, and what it sends."""
    wanted = local_address(request.query_params.get("next", ""))
    if request.method != "POST":
        return _form(request, wanted)
    try:
        must_come_from_our_pages(request)
        return await _sign_in(request, wanted)
    except NotAuthenticated:
        return _form(request, wanted, _WRONG, status=401)
    except TooManyAttempts:
        return _form(request, wanted, _WAIT, status=429)
    except NotPermitted:
        return _form(request, wanted, _ELSEWHERE, status=403)


async def _sign_in(request: Request, wanted: str) -> Response:
    name, password = await _name_and_password(request)
    if not name or "\0" in name + password:
        raise NotAuthenticated("Name or password is wrong.")
    actor = await by_password(request, request.app.state.authenticator, name, password)
    app: App = request.app.state.app
    async with app.db.transaction() as tx:
        secret = await sessions.begin(tx, name, now=app.clock.now())
        await audit.record(tx, actor, "session.begin", actor.id)
    return with_session(request, RedirectResponse(wanted, 303, HEADERS), secret)


async def _name_and_password(request: Request) -> tuple[str, str]:
    given = await form_of(request)
    return given.get("name", ""), given.get("password", "")


async def logout(request: Request) -> Response:
    """End the session of this browser. Only by POST: a picture somewhere else must not sign anybody out."""
    must_come_from_our_pages(request)
    elsewhere: str | None = None
    if secret := request.cookies.get(COOKIE):
        elsewhere = await oidc.leaving(request, secret)
        await sessions.end(request.app.state.app, secret)
        request.app.state.authenticator.forget_session(secret)
    response = oidc.leaving_page(elsewhere) if elsewhere else RedirectResponse("/login", 303, HEADERS)
    response.headers["Clear-Site-Data"] = '"cache"'
    response.delete_cookie(COOKIE, path="/", httponly=True, samesite="lax", secure=is_secure(request))
    return response


def _form(request: Request, wanted: str, sentence: tuple[str, str] = ("", ""), *, status: int = 200) -> Response:
    values = {"next_in_query": quote(wanted, safe=""), "sentence": sentence[0], "sentence_bn": sentence[1]}
    return page("login.html", values, status=status, markup=oidc.link(request.app.state.app, wanted))


routes = [
    Route("/login", login, methods=["GET", "POST"]),
    Route("/logout", logout, methods=["POST"]),
]
