"""Answers of REST: finished JSON bytes with the headers that belong to them."""

import re
from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from radiology.errors import FieldProblem, Invalid, StaleVersion

JSON = "application/json"

CSV, HTML = "text/csv", "text/html"

_tag = re.compile(r'(?:W/)?"(\d{1,9})"')


def of_kind(*kinds: str, also: Mapping[int | str, dict[str, Any]] | None = None) -> dict[int | str, dict[str, Any]]:
    """What the documentation says of an answer that is no JSON: its kinds; `also`: of further statuses."""
    content = {kind.partition(";")[0]: {"schema": {"type": "string"}} for kind in kinds}
    return {200: {"description": "Successful Response", "content": content}, **(also or {})}


def tagged(body: bytes, version: int, *, status: int = 200) -> Response:
    """A body with its version as ETag. It may be kept by whoever asked, and must be asked for again."""
    headers = {"ETag": f'W/"{version}"', "Cache-Control": "private, no-cache"}
    return Response(body, status, headers, None if status == 304 else JSON)


def created(body: bytes, location: str, version: int) -> Response:
    """Something new, and where it is."""
    response = tagged(body, version, status=201)
    response.headers["Location"] = location
    return response


def page(request: Request, results: bytes, cursor: str | None) -> Response:
    """A page of a list; the address of the next one stands in the body and in the header Link (RFC 8288)."""
    following = _with_cursor(request, cursor) if cursor else None
    body = b'{"results":' + results + b',"next":' + (f'"{following}"'.encode() if following else b"null") + b"}"
    response = Response(body, media_type=JSON, headers={"Cache-Control": "private, no-cache"})
    if following:
        response.headers["Link"] = f'<{following}>; rel="next"'
    return response


def _with_cursor(request: Request, cursor: str) -> str:
    url = request.url.include_query_params(cursor=cursor)
    return f"{url.path}?{url.query}"


def unchanged(request: Request, version: int) -> bool:
    """Whether the client has this version already (If-None-Match, RFC 9110 13.1.2)."""
    asked = request.headers.get("if-none-match", "")
    return asked.strip() == "*" or str(version) in _tag.findall(asked)


def version_asked(request: Request, in_body: int | None = None) -> int | None:
    """The version that a change is meant for, from If-Match or the body; None where any will do. Raises Invalid."""
    asked = request.headers.get("if-match", "").strip()
    if asked in {"", "*"}:
        return in_body
    match = _tag.fullmatch(asked)
    if match is None:
        sentence = 'must be one ETag of an earlier answer, as W/"3"'
        raise Invalid(f"If-Match {sentence}.", fields=[FieldProblem("If-Match", sentence)])
    if in_body is not None and in_body != int(match[1]):
        raise StaleVersion("If-Match and version name different versions.")
    return int(match[1])
