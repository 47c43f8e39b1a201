"""Who asks: a bearer token, a name and password (HTTP Basic), or the session of a browser becomes an Actor."""

import base64
import binascii
import re
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import Depends
from starlette.requests import HTTPConnection, Request

from radiology.access.accounts import Authenticator
from radiology.access.bearer import BearerTokens
from radiology.access.model import Actor, Role
from radiology.access.scopes import narrowed
from radiology.app import App
from radiology.audit.context import current
from radiology.errors import NotAuthenticated, NotPermitted

COOKIE = "radi_session"
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
#: Pages of people: who has not signed in is asked to, and comes back to what was wanted.
PAGES_BELOW = ("/viewer/", "/light/")
#: All that a session for one study may ask for; which study that is, every query knows.
ONE_STUDY_BELOW = (*PAGES_BELOW, "/dicomweb/studies", "/dicomweb/series", "/dicomweb/instances")
#: All that a patient may ask for; which studies and reports those are, every query knows.
PATIENT_BELOW = (*ONE_STUDY_BELOW, "/api/radiology/studies", "/api/radiology/reports", "/api/radiology/me")
#: What people may ask for of their own record; whose it is, the route knows.
OWN_RECORD = re.compile(r"/api/radiology/patients/.+/(accesses|notes|record|record/[^/]+/file)")

#: All that somebody may ask for whose password somebody else knows.
BEFORE_CHANGING = frozenset({"/api/radiology/me", "/api/radiology/me/password", "/login/password"})


async def actor_of(connection: HTTPConnection) -> Actor:
    """Who asks. Raises NotAuthenticated, NotPermitted, TooManyAttempts. Known once, it is kept with the request."""
    actor = connection.scope.get("actor")
    if actor is None:
        actor = narrowed(await _authenticate(connection), connection.scope["path"])
        if actor.study_instance_uid is not None and not connection.scope["path"].startswith(ONE_STUDY_BELOW):
            raise NotPermitted("This link opens one study, and nothing else.")
        path: str = connection.scope["path"]
        if actor.must_change_password and path not in BEFORE_CHANGING:
            raise NotPermitted(
                "This password was given to you for one use. Choose your own at /login/password, or by POST "
                "/api/radiology/me/password."
            )
        if actor.role == Role.PATIENT and not path.startswith(PATIENT_BELOW) and not OWN_RECORD.fullmatch(path):
            raise NotPermitted("A patient sees studies and reports of his or her own, and nothing else.")
        connection.scope["actor"] = actor
    return actor


async def _authenticate(connection: HTTPConnection) -> Actor:
    scheme, _, credential = connection.headers.get("authorization", "").partition(" ")
    authenticator: Authenticator = connection.app.state.authenticator
    match scheme.lower():
        case "bearer":
            signed: BearerTokens = connection.app.state.bearer_tokens
            token = credential.strip()
            return await (signed.actor_of(token) if signed.takes(token) else authenticator.by_token(token))
        case "basic":
            return await by_password(connection, authenticator, *_name_and_password(credential))
        case _ if secret := connection.cookies.get(COOKIE):
            must_come_from_our_pages(connection)
            return await authenticator.by_session(secret)
        case _:
            raise NotAuthenticated(
                "Sign in at /login, or send a bearer token (`radi token NAME --role ROLE` prints one) or name and "
                "password."
            )


def must_come_from_our_pages(connection: HTTPConnection) -> None:
    """Raises NotPermitted where a page of somebody else made this browser send something that changes something.

    Browsers send a session's cookie with whatever they send here, so what it was that sent it must be looked at: they
    say so themselves (Fetch Metadata), and where they do not, the Origin tells (RFC 6454).
    """
    # A WebSocket has no method: it is looked at like what changes something.
    if connection.scope.get("method") in SAFE:
        return
    site = connection.headers.get("sec-fetch-site")
    origin = urlsplit(connection.headers.get("origin", ""))
    if site != "same-origin" and (site is not None or origin.netloc != connection.headers.get("host")):
        raise NotPermitted("This was not sent by a page of this service. Open the page and send it from there.")


async def by_password(connection: HTTPConnection, authenticator: Authenticator, name: str, password: str) -> Actor:
    """Who has this name and password; who guesses waits. Raises NotAuthenticated, TooManyAttempts."""
    current().attempted = name
    return await authenticator.by_password(name, password, address=address_of(connection))


def address_of(connection: HTTPConnection) -> str:
    """From where somebody asks."""
    return connection.client.host if connection.client else ""


def _name_and_password(credential: str) -> tuple[str, str]:
    try:
        name, colon, password = base64.b64decode(credential, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        colon = name = password = ""
    if not colon or "\0" in name:
        raise NotAuthenticated("HTTP Basic is the base64 of name:password in UTF-8 (RFC 7617).")
    return name, password


def app_of(request: Request) -> App:
    """The App that this request is answered with."""
    return request.app.state.app


CurrentActor = Annotated[Actor, Depends(actor_of)]
CurrentApp = Annotated[App, Depends(app_of)]
