"""Signing in and out in a browser. The pages need no script."""

from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from radiology.access import sessions
from radiology.access.accounts import Authenticator
from radiology.accounts.own import actions as own
from radiology.accounts.own import signing_in
from radiology.accounts.own.signing_in import SignedIn
from radiology.app import App
from radiology.audit import actions as audit
from radiology.audit.context import current
from radiology.doors.http import oidc
from radiology.doors.http.actors import COOKIE, actor_of, must_come_from_our_pages
from radiology.doors.http.plain_pages import HEADERS, form_of, is_secure, local_address, page, with_session
from radiology.errors import NotAuthenticated, NotPermitted, RadiologyError, TooManyAttempts, Unprocessable
from radiology.standards.dicom.bangla import bangla_digits

CODE, NEW_PASSWORD = "/login/code", "/login/password"

Sentence = tuple[str, str]
_WRONG = ("Name or password is wrong.", "নাম বা পাসওয়ার্ড ভুল।")
_WRONG_CODE = ("The code is wrong, or was used before.", "কোড ভুল, অথবা আগেই ব্যবহৃত হয়েছে।")
_AGAIN = ("That took too long. Sign in again.", "অনেক দেরি হয়ে গেছে। আবার প্রবেশ করুন।")
_WAIT_BANGLA = "অনেকবার চেষ্টা হয়েছে। কিছুক্ষণ অপেক্ষা করে আবার চেষ্টা করুন।"
_ELSEWHERE = ("Please sign in on this page.", "এই পাতা থেকে প্রবেশ করুন।")
_OLD_WRONG = ("The old password is wrong.", "পুরোনো পাসওয়ার্ড ভুল।")
_DIFFER = ("The new passwords are not the same.", "নতুন পাসওয়ার্ড দুটি এক নয়।")
_NOT_SO = "নতুন পাসওয়ার্ডটি গ্রহণযোগ্য নয়। আরও দীর্ঘ এবং কম পরিচিত একটি বেছে নিন।"


async def login(request: Request) -> Response:
    """The form, and what it sends."""
    wanted = _wanted(request)
    if request.method != "POST":
        return _form(request, wanted)
    try:
        must_come_from_our_pages(request)
        return await _with_password(request, wanted)
    except NotAuthenticated:
        return _form(request, wanted, _WRONG, status=401)
    except TooManyAttempts as error:
        return _form(request, wanted, _wait(error), status=429)
    except NotPermitted:
        return _form(request, wanted, _ELSEWHERE, status=403)


async def _with_password(request: Request, wanted: str) -> Response:
    given = await form_of(request)
    name, password = given.get("name", ""), given.get("password", "")
    if not name or "\0" in name + password:
        raise NotAuthenticated("Name or password is wrong.")
    came = await signing_in.with_password(_app(request), _authenticator(request), name, password)
    return _code_form(wanted, came.second_step) if came.second_step else _signed_in(request, came, wanted)


async def code(request: Request) -> Response:
    """The second step, for who has one: the code that an app shows."""
    wanted = _wanted(request)
    given = await form_of(request)
    step = given.get("step", "")
    try:
        must_come_from_our_pages(request)
        came = await signing_in.with_code(_app(request), _authenticator(request), step, given.get("code", ""))
    except NotAuthenticated:
        if not await signing_in.is_waiting(_app(request), step):
            return _form(request, wanted, _AGAIN, status=401)
        return _code_form(wanted, step, _WRONG_CODE, status=401)
    except TooManyAttempts as error:
        return _code_form(wanted, step, _wait(error), status=429)
    except NotPermitted:
        return _form(request, wanted, _ELSEWHERE, status=403)
    return _signed_in(request, came, wanted)


async def new_password(request: Request) -> Response:
    """Where somebody whose password is for one use is led to, and whoever wants another one."""
    wanted = _wanted(request)
    try:
        current().actor = await actor_of(request)
        if request.method != "POST":
            return _password_form(request, wanted)
        must_come_from_our_pages(request)
        return await _change(request, wanted)
    except NotAuthenticated:
        return RedirectResponse(f"/login?next={quote(NEW_PASSWORD, safe='')}", 303, HEADERS)
    except TooManyAttempts as error:
        return _password_form(request, wanted, _wait(error), status=429)
    except Unprocessable as error:
        return _password_form(request, wanted, (error.sentence, _NOT_SO), status=422)
    except NotPermitted:
        return _password_form(request, wanted, _OLD_WRONG, status=403)


async def _change(request: Request, wanted: str) -> Response:
    given = await form_of(request)
    if given.get("new", "") != given.get("again", ""):
        return _password_form(request, wanted, _DIFFER, status=422)
    actor, session = await actor_of(request), request.cookies.get(COOKIE, "")
    old, new = given.get("password", ""), given.get("new", "")
    await own.change_password(_app(request), _authenticator(request), actor, session, old, new)
    return RedirectResponse(wanted, 303, HEADERS)


async def logout(request: Request) -> Response:
    """End the session of this browser. Only by POST: a picture somewhere else must not sign anybody out."""
    must_come_from_our_pages(request)
    elsewhere: str | None = None
    if secret := request.cookies.get(COOKIE):
        elsewhere = await oidc.leaving(request, secret)
        await _end(request, secret)
    response = oidc.leaving_page(elsewhere) if elsewhere else RedirectResponse("/login", 303, HEADERS)
    response.headers["Clear-Site-Data"] = '"cache"'
    response.delete_cookie(COOKIE, path="/", httponly=True, samesite="lax", secure=is_secure(request))
    return response


async def _end(request: Request, secret: str) -> None:
    app, authenticator = _app(request), _authenticator(request)
    try:
        actor = await authenticator.by_session(secret)
    except RadiologyError:
        return  # It has ended.
    await sessions.end(app, secret)
    authenticator.forget_session(secret)
    async with app.db.transaction() as tx:
        await audit.record(tx, actor, "session.end", actor.id)


def _signed_in(request: Request, came: SignedIn, wanted: str) -> Response:
    place = f"{NEW_PASSWORD}?next={quote(wanted, safe='')}" if came.actor.must_change_password else wanted
    return with_session(request, RedirectResponse(place, 303, HEADERS), came.session)


def _wanted(request: Request) -> str:
    return local_address(request.query_params.get("next", ""))


def _wait(error: TooManyAttempts) -> Sentence:
    return error.sentence, _WAIT_BANGLA


def _form(request: Request, wanted: str, sentence: Sentence = ("", ""), *, status: int = 200) -> Response:
    values = _values(wanted, sentence)
    return page("login.html", values, status=status, markup=oidc.link(_app(request), wanted))


def _code_form(wanted: str, step: str, sentence: Sentence = ("", ""), *, status: int = 200) -> Response:
    return page("code.html", _values(wanted, sentence) | {"step": step}, status=status)


def _password_form(request: Request, wanted: str, sentence: Sentence = ("", ""), *, status: int = 200) -> Response:
    shortest = str(_app(request).settings.password_min_length)
    lengths = {"shortest": shortest, "shortest_bn": bangla_digits(shortest)}
    return page("new-password.html", _values(wanted, sentence) | lengths, status=status)


def _values(wanted: str, sentence: Sentence) -> dict[str, str]:
    return {"next_in_query": quote(wanted, safe=""), "sentence": sentence[0], "sentence_bn": sentence[1]}


def _app(request: Request) -> App:
    return request.app.state.app


def _authenticator(request: Request) -> Authenticator:
    return request.app.state.authenticator


routes = [
    Route("/login", login, methods=["GET", "POST"]),
    Route(CODE, code, methods=["POST"]),
    Route(NEW_PASSWORD, new_password, methods=["GET", "POST"]),
    Route("/logout", logout, methods=["POST"]),
]
