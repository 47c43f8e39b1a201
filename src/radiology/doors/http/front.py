"""What every request passes: an id, a limit on its body, who asks, a count, and an answer even to a bug."""

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import structlog
from starlette.requests import HTTPConnection
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from radiology.audit.context import Circumstances, begin
from radiology.doors.fhir import outcomes
from radiology.doors.http import audited, headers, problems
from radiology.doors.http.actors import COOKIE, PAGES_BELOW, actor_of
from radiology.errors import NotAuthenticated, RadiologyError, TooLarge, Unavailable
from radiology.kit import metrics
from radiology.kit.clock import monotonic_seconds
from radiology.kit.ids import uuid7
from radiology.kit.log import get_logger
from radiology.settings import Settings

PUBLIC = frozenset(
    {
        "/",
        "/docs",
        "/docs/",
        "/docs/page.js",
        "/docs/page.css",
        "/openapi.json",
        "/favicon.ico",
        "/health",
        "/fonts/bangla.ttf",
        "/login",
        "/login/code",
        "/login/password",
        "/login/oidc",
        "/login/oidc/callback",
        "/login/oidc/backchannel-logout",
        "/logout",
    }
)
PUBLIC_BELOW = ("/health/", "/open/")
METRICS = "/metrics"
FHIR = "/fhir/"
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

_given_id = re.compile(r"[A-Za-z0-9._-]{1,64}")


def is_public(path: str) -> bool:
    """Whether this path is answered to anybody."""
    return path in PUBLIC or path.startswith(PUBLIC_BELOW)


class Front:
    """The middleware around everything. Plain ASGI: it costs a few microseconds and never holds a body."""

    def __init__(self, app: ASGIApp, *, settings: Settings, public_metrics: bool) -> None:
        self._app = app
        self._limit_json, self._limit = settings.max_json_bytes, settings.max_request_bytes
        self._public_metrics = public_metrics
        self._said = headers.usual(settings)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        scope["request_id"] = request_id = _request_id(scope)
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=request_id)
        began = monotonic_seconds()
        answer = _Answer(send, scope, begin(audited.circumstances_of(scope)), self._said)
        try:
            await self._answer(scope, receive, answer)
        except Exception as error:  # A door catches broadly, so that a bug is an answer too.
            await self._refuse(answer.refusal or error, scope, receive, answer)
        _count(scope, answer.status, monotonic_seconds() - began)

    async def _answer(self, scope: Scope, receive: Receive, answer: "_Answer") -> None:
        limit = self._limit_of(scope)
        if not is_public(scope["path"]) and not (self._public_metrics and scope["path"] == METRICS):
            answer.circumstances.actor = await actor_of(HTTPConnection(scope))
        await self._app(scope, _limited(receive, limit), answer)

    async def _refuse(self, error: Exception, scope: Scope, receive: Receive, answer: "_Answer") -> None:
        expected = isinstance(error, RadiologyError)
        if not expected:
            get_logger().error("request failed", exc_info=error, method=scope["method"], route=_template(scope))
        if answer.status:
            raise error  # The answer has begun: only a broken connection can tell the client.
        request_id: str = scope["request_id"]
        if isinstance(error, NotAuthenticated) and _is_page(scope):
            refusal: Response = RedirectResponse(login_address(scope), 303, {"Cache-Control": "no-store"})
        else:
            refusal = problems.of_refusal(error, request_id) if expected else problems.of_bug(request_id)
            if scope["path"].startswith(FHIR) and isinstance(error, RadiologyError):
                refusal = outcomes.refused(refusal, error, request_id)
        if COOKIE in HTTPConnection(scope).cookies and "www-authenticate" in refusal.headers:
            del refusal.headers["www-authenticate"]  # A browser would ask for a password in a window of its own.
        await refusal(scope, receive, answer)

    def _limit_of(self, scope: Scope) -> int:
        """The longest body allowed, in bytes. Raises TooLarge where the client announces a longer one."""
        sent: Mapping[bytes, bytes] = dict(scope["headers"])
        media_type = sent.get(b"content-type", b"application/json").partition(b";")[0].strip().lower()
        json = media_type.startswith(b"application/") and media_type.endswith(b"json")
        limit = self._limit_json if json else self._limit
        announced = sent.get(b"content-length", b"0")
        if announced.isdigit() and int(announced) > limit:
            raise _too_large(limit)
        return limit


class _Answer:
    """The sending end; knows the status, has the request recorded, and adds the request id and what every answer says.

    `refusal` is why an answer was not sent: that somebody reads it could not be recorded.
    """

    def __init__(self, send: Send, scope: Scope, circumstances: Circumstances, said: headers.Headers) -> None:
        self.status = 0
        self.refusal: Unavailable | None = None
        self.circumstances = circumstances
        self._send, self._scope = send, scope
        self._said = (*said, (b"x-request-id", scope["request_id"].encode()))

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            if message["status"] == 404:
                await audited.note_hidden(self._scope, self.circumstances)
            try:
                audited.keep(self._scope, message["status"], self.circumstances)
            except Unavailable as error:
                self.refusal = error
                raise
            self.status = message["status"]
            given: headers.Headers = message.get("headers", ())
            message["headers"] = [*given, *headers.missing(given, self._said, status=self.status)]
        await self._send(message)


def _is_page(scope: Scope) -> bool:
    """Whether somebody opens a page of ours, and not a script of it a part."""
    accepts = next((value for name, value in scope["headers"] if name == b"accept"), b"")
    return scope["method"] == "GET" and scope["path"].startswith(PAGES_BELOW) and b"text/html" in accepts


def login_address(scope: Scope) -> str:
    """Where to sign in, so that one comes back to what was asked for."""
    query = scope["query_string"].decode("latin-1")
    return "/login?" + urlencode({"next": scope["path"] + (f"?{query}" if query else "")})


def _limited(receive: Receive, limit: int) -> Receive:
    received = 0

    async def limited() -> Message:
        nonlocal received
        message = await receive()
        received += len(message.get("body", b""))
        if received > limit:
            raise _too_large(limit)
        return message

    return limited


def _too_large(limit: int) -> TooLarge:
    return TooLarge(f"The body may have at most {limit} bytes.")


def _request_id(scope: Scope) -> str:
    given = next((value.decode("latin-1") for name, value in scope["headers"] if name == b"x-request-id"), "")
    return given if _given_id.fullmatch(given) else uuid7().hex


def _template(scope: Scope) -> str:
    """The route's template; one word for all paths that have none, so that nobody fills the metrics by guessing."""
    route: Any = scope.get("route")
    return getattr(route, "path", None) or "unmatched"


def _count(scope: Scope, status: int, seconds: float) -> None:
    method = scope["method"] if scope["method"] in METHODS else "OTHER"
    metrics.request(method, _template(scope), status).inc()
    metrics.request_seconds(method, _template(scope)).observe(seconds)
