"""Pages that need no script, what a form on them sends, and the session that one may end in."""

import re
from collections.abc import Mapping
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import Response

from radiology.doors.http.actors import COOKIE
from radiology.doors.http.templates import filled
from radiology.errors import TooLarge

_POLICY = (
    "default-src 'none'; style-src 'self'; font-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
HEADERS = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
LONGEST_FORM_BYTES = 16 * 1024
LONGEST_ADDRESS = 2000
HOME = "/viewer/"
#: One slash and no host: `//elsewhere` and `/\\elsewhere` would lead away from here.
_local = re.compile(r"/(?![/\\])[^\x00-\x20\\]*")


def page(name: str, values: Mapping[str, str], *, status: int = 200, markup: str = "") -> Response:
    """The page of that name; see `filled`."""
    return Response(filled(name, values, markup=markup), status, HEADERS, "text/html; charset=utf-8")


async def form_of(request: Request) -> dict[str, str]:
    """The fields that a form sent. Raises TooLarge."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > LONGEST_FORM_BYTES:
            raise TooLarge(f"The form may have at most {LONGEST_FORM_BYTES} bytes.")
    return dict(parse_qsl(body.decode("utf-8", "replace"), max_num_fields=8))


def with_session(request: Request, response: Response, secret: str) -> Response:
    """The answer by which a browser gets the secret of its session."""
    response.set_cookie(COOKIE, secret, path="/", httponly=True, samesite="lax", secure=is_secure(request))
    return response


def local_address(given: str) -> str:
    """Where to go after signing in: a place of ours, never somebody else's."""
    return given if _local.fullmatch(given) and len(given) <= LONGEST_ADDRESS else HOME


def is_secure(request: Request) -> bool:
    """Whether it came over TLS."""
    return request.url.scheme == "https"
