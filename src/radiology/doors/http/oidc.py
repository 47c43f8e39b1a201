"""Signing in and out at an identity provider, and its word that somebody has left (OpenID Connect).

Everything here answers 404 where no provider is configured.
"""

from html import escape
from urllib.parse import quote, unquote

from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from radiology.access import oidc, sessions
from radiology.access.identity_provider import IdentityProvider
from radiology.access.model import SYSTEM
from radiology.access.oidc import Attempt, NobodyHere, NotAskedAnew, Somebody
from radiology.app import App
from radiology.audit import actions as audit
from radiology.audit.context import current
from radiology.doors.http.actors import COOKIE, actor_of
from radiology.doors.http.addresses import origin_of
from radiology.doors.http.plain_pages import HEADERS, form_of, is_secure, local_address, page, with_session
from radiology.errors import NotAuthenticated, NotFound, RadiologyError, Unavailable
from radiology.kit.log import get_logger

BEGIN, CALLBACK, LEFT = "/login/oidc", "/login/oidc/callback", "/login/oidc/backchannel-logout"
ATTEMPT_COOKIE = "radi_sign_in"
ATTEMPT_SECONDS = 600
_ANEW, _PLAIN = "anew", "plain"

_AWAY = (
    (
        "The identity provider does not answer. Try again in a minute, or sign in with a name and password of this "
        "service. Who is signed in already can go on working."
    ),
    (
        "পরিচয় সেবা সাড়া দিচ্ছে না। এক মিনিট পরে আবার চেষ্টা করুন, অথবা এই সেবার নাম ও পাসওয়ার্ড দিয়ে প্রবেশ করুন। যাঁরা আগেই প্রবেশ "
        "করেছেন তাঁরা কাজ চালিয়ে যেতে পারেন।"
    ),
)
_NOBODY = {
    "role": (
        (
            "Your account at the identity provider has no role here. Ask who administers it to put you into a group of "
            "this service."
        ),
        "পরিচয় সেবায় আপনার অ্যাকাউন্টের এখানে কোনো ভূমিকা নেই। প্রশাসককে আপনাকে এই সেবার একটি গ্রুপে যুক্ত করতে বলুন।",
    ),
    "facility": (
        "Your account at the identity provider belongs to no facility of this service. Ask who administers it.",
        "পরিচয় সেবায় আপনার অ্যাকাউন্ট এই সেবার কোনো প্রতিষ্ঠানের সঙ্গে যুক্ত নয়। প্রশাসককে জানান।",
    ),
}
_NOT_ANEW = (
    "The identity provider did not ask again who you are, or somebody else signed in. Sign in again as yourself.",
    "পরিচয় সেবা আপনার পরিচয় নতুন করে যাচাই করেনি, অথবা অন্য কেউ প্রবেশ করেছেন। নিজের পরিচয়ে আবার প্রবেশ করুন।",
)
_FAILED = ("Signing in did not work. Begin again.", "প্রবেশ করা যায়নি। আবার শুরু করুন।")


async def begin(request: Request) -> Response:
    """Send the browser to the provider. `next`: where to come back to; `anew`: the provider must ask who it is."""
    provider, app = _provider(request), _app(request)
    attempt = Attempt.new()
    anew = "anew" in request.query_params
    try:
        address = await oidc.address(provider, app.settings, attempt, back=_back(request), anew=anew)
    except Unavailable as error:
        return _refused(error)
    response = RedirectResponse(address, 303, HEADERS)
    wanted = quote(local_address(request.query_params.get("next", "")), safe="")
    response.set_cookie(
        ATTEMPT_COOKIE,
        f"{attempt.secret}:{_ANEW if anew else _PLAIN}:{wanted}",
        max_age=ATTEMPT_SECONDS,
        path=BEGIN,
        httponly=True,
        samesite="lax",
        secure=is_secure(request),
    )
    return response


async def callback(request: Request) -> Response:
    """The browser comes back from the provider, with a code or with the reason why there is none."""
    _provider(request)
    current().attempted = "oidc"
    try:
        response = await _completed(request)
    except (NotAuthenticated, Unavailable) as error:
        response = _refused(error)
    response.delete_cookie(ATTEMPT_COOKIE, path=BEGIN, httponly=True, samesite="lax", secure=is_secure(request))
    return response


async def _completed(request: Request) -> Response:
    provider, app, answer = _provider(request), _app(request), request.query_params
    secret, how, wanted = (*request.cookies.get(ATTEMPT_COOKIE, "").split(":"), "", "")[:3]
    attempt = Attempt(secret)
    if not secret or not attempt.is_answered_by(answer.get("state", "")):
        raise NotAuthenticated("This answers a sign-in that this browser did not begin, or began too long ago.")
    if answer.get("iss", provider.issuer) != provider.issuer:
        raise NotAuthenticated("The answer comes from another identity provider (RFC 9207).")
    if "error" in answer or not answer.get("code"):
        raise NotAuthenticated("The identity provider did not sign you in.")
    somebody = await oidc.complete(
        provider,
        app.settings,
        request.app.state.identity_mapping,
        attempt,
        code=answer["code"],
        back=_back(request),
        now=app.clock.now(),
        anew=how == _ANEW,
    )
    current().attempted = somebody.name
    return await _begin_session(request, somebody, local_address(unquote(wanted)), anew=how == _ANEW)


async def _begin_session(request: Request, somebody: Somebody, wanted: str, *, anew: bool) -> Response:
    app, before = _app(request), request.cookies.get(COOKIE)
    signed_in = await _signed_in(request) if anew else None
    async with app.db.transaction() as tx:
        admitted = await oidc.admit(tx, somebody, now=app.clock.now())
        actor = admitted.account.actor
        if signed_in not in (None, actor.id):
            raise NotAskedAnew("Another one signed in than who was to prove who it is.")
        if admitted.before != actor.role:
            verb = "account.change" if admitted.before else "account.make"
            await audit.record(tx, actor, verb, actor.id, detail={"by": "oidc", "role": actor.role})
        secret = await sessions.begin(
            tx,
            admitted.account.name,
            now=app.clock.now(),
            authenticated_at=somebody.authenticated_at,
            address=current().address,
            agent=current().agent,
        )
        await oidc.keep_session(tx, somebody, secret)
        await audit.record(tx, actor, "session.begin", actor.id, detail={"by": "oidc"})
    if before:
        await sessions.end(app, before)
        request.app.state.authenticator.forget_session(before)
    return with_session(request, RedirectResponse(wanted, 303, HEADERS), secret)


async def _signed_in(request: Request) -> str | None:
    try:
        return (await actor_of(request)).id
    except RadiologyError:
        return None


async def left(request: Request) -> Response:
    """The provider says that somebody has left (Back-Channel Logout 2.5). What that began here ends."""
    provider, app = _provider(request), _app(request)
    try:
        claims = await provider.verified((await form_of(request)).get("logout_token", ""))
        async with app.db.transaction() as tx:
            for name in await oidc.end_by_token(tx, provider, app.settings, claims, now=app.clock.now()):
                await audit.record(tx, SYSTEM, "session.end", f"account:{name}", detail={"by": "oidc"})
    except NotAuthenticated as error:
        told = {"error": "invalid_request", "error_description": error.sentence}
        return JSONResponse(told, 400, {"Cache-Control": "no-store"})
    return Response(status_code=200, headers={"Cache-Control": "no-store"})


async def leaving(request: Request, secret: str) -> str | None:
    """Where who signs out here signs out at the provider as well; None where there is no need, or no answer."""
    app, provider = _app(request), request.app.state.identity_provider
    try:
        async with app.db.transaction() as tx:
            return await oidc.leaving_address(tx, provider, app.settings, secret, back=f"{origin_of(request)}/login")
    except Unavailable:
        return None


def leaving_page(address: str) -> Response:
    """A page that leads there. A redirect would not do: a form of ours may send to nobody else, nor be sent on."""
    return page("leaving.html", {"address": address})


def link(app: App, wanted: str) -> str:
    """The markup that leads from the form of names and passwords to the provider; empty where there is none."""
    if not app.settings.oidc_issuer:
        return ""
    address = escape(f"{BEGIN}?next={quote(wanted, safe='')}")
    return (
        f'<p><a class="button" href="{address}">Sign in with your hospital account '
        '<span lang="bn">· হাসপাতালের অ্যাকাউন্ট দিয়ে প্রবেশ</span></a></p>'
    )


def _refused(error: RadiologyError) -> Response:
    get_logger().warning("sign-in at the identity provider failed", reason=error.sentence)
    match error:
        case Unavailable():
            sentence = _AWAY
        case NobodyHere():
            sentence = _NOBODY[error.reason]
        case NotAskedAnew():
            sentence = _NOT_ANEW
        case _:
            sentence = (f"{_FAILED[0]} {error.sentence}", _FAILED[1])
    values = {"sentence": sentence[0], "sentence_bn": sentence[1]}
    return page("sign-in-failed.html", values, status=error.http_status)


def _provider(request: Request) -> IdentityProvider:
    provider: IdentityProvider = request.app.state.identity_provider
    if not provider.issuer:
        raise NotFound("People do not sign in at an identity provider here.")
    return provider


def _app(request: Request) -> App:
    return request.app.state.app


def _back(request: Request) -> str:
    return origin_of(request) + CALLBACK


routes = [
    Route(BEGIN, begin, methods=["GET"]),
    Route(CALLBACK, callback, methods=["GET"]),
    Route(LEFT, left, methods=["POST"]),
]
