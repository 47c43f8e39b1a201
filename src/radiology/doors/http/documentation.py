"""What the service says about itself: OpenAPI 3.1, a reference page that needs no internet, and a first page."""

import re
from functools import lru_cache
from importlib.resources import files
from typing import Any

import orjson
from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from radiology import __version__
from radiology.reports.schemas import APPROVAL_EXAMPLE, REPORT_EXAMPLE
from radiology.studies.schemas import STATUS_EXAMPLE, STUDY_EXAMPLE

DESCRIPTION = """\
Archive, radiology information system and reporting for hospitals: REST for studies and reports; `/dicomweb` for images.

Sign in with a bearer token (`radi token NAME --role ROLE` prints one) or with name and password (HTTP Basic).
Refusals are `application/problem+json` (RFC 9457); `errors` names each field that is wrong and what would be right.
Moments are ISO 8601 with an offset; one without an offset is read in the service's zone, and a warning says so.
"""
PROBLEM: dict[str, Any] = {
    "type": "object",
    "required": ["type", "title", "status"],
    "properties": {
        "type": {"type": "string", "examples": ["urn:radiology:problem:transition-refused"]},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"field": {"type": "string"}, "message": {"type": "string"}},
            },
        },
        "requestId": {"type": "string"},
    },
}
EXAMPLES: dict[str, dict[str, Any]] = {
    "StudyIn": STUDY_EXAMPLE,
    "StatusIn": STATUS_EXAMPLE,
    "ReportIn": REPORT_EXAMPLE,
    "Approval": APPROVAL_EXAMPLE,
}
_PAGES = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; font-src 'self'"
    "; frame-ancestors 'none'; base-uri 'none'; form-action 'self'"
)


def describe(service: FastAPI) -> None:
    """Let `service.openapi` give the whole description, made once."""

    def openapi() -> dict[str, Any]:
        if service.openapi_schema is None:
            service.openapi_schema = _openapi(service)
        return service.openapi_schema

    service.openapi = openapi


def _openapi(service: FastAPI) -> dict[str, Any]:
    description = get_openapi(
        title="Radiology", version=__version__, openapi_version="3.1.0", description=DESCRIPTION, routes=service.routes
    )
    parts: dict[str, Any] = description.setdefault("components", {})
    parts.setdefault("schemas", {})["Problem"] = PROBLEM
    parts["securitySchemes"] = {
        "bearer": {"type": "http", "scheme": "bearer"},
        "basic": {"type": "http", "scheme": "basic"},
    }
    description["security"] = [{"bearer": []}, {"basic": []}]
    refusal = {
        "description": "A refusal, or a bug",
        "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
    outcome = {"description": "A refusal", "content": {"application/fhir+json": {"schema": {"type": "object"}}}}
    for address, path in description["paths"].items():
        is_fhir = address.startswith("/fhir/")
        for operation in path.values():
            operation["responses"].pop("422", None)
            operation["responses"]["default"] = outcome if is_fhir else refusal
            _headline(operation)
    for name, example in EXAMPLES.items():
        # The order of a payload's fields is for people; pydantic sorts them by name.
        parts["schemas"][name]["examples"] = [example]
    return description


def _headline(operation: dict[str, Any]) -> None:
    """The first sentence of what an operation says of itself is its title."""
    first, *rest = re.split(r"\.\s+", operation.get("description", ""), maxsplit=1)
    operation["summary"] = first.rstrip(".").replace("`", "")
    operation["description"] = "".join(rest).strip()


async def openapi_json(request: Request) -> Response:
    """The OpenAPI document."""
    return Response(_document(request.app), media_type="application/json", headers={"Cache-Control": "no-cache"})


@lru_cache(maxsize=4)
def _document(service: FastAPI) -> bytes:
    return orjson.dumps(service.openapi())


def _page(name: str, media_type: str) -> Route:
    body = (
        files("radiology.doors.http").joinpath("pages", name).read_bytes().replace(b"{version}", __version__.encode())
    )
    headers = {"Content-Security-Policy": _PAGES, "X-Content-Type-Options": "nosniff", "Cache-Control": "no-cache"}

    async def answer(_request: Request) -> Response:
        return Response(body, media_type=media_type, headers=headers)

    path = {"home.html": "/", "reference.html": "/docs"}.get(name, f"/docs/{name}")
    return Route(path, answer)


_ICON = (
    b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><rect width="16" height="16" rx="3" fill="#006a4e"/>'
    b'<circle cx="8" cy="8" r="4.5" fill="none" stroke="#fff" stroke-width="2"/></svg>'
)


async def icon(_request: Request) -> Response:
    """The sign of our pages in a browser's tabs."""
    return Response(_ICON, media_type="image/svg+xml", headers={"Cache-Control": "public, max-age=604800"})


routes = [
    Route("/favicon.ico", icon),
    _page("home.html", "text/html; charset=utf-8"),
    _page("reference.html", "text/html; charset=utf-8"),
    _page("page.js", "text/javascript; charset=utf-8"),
    _page("page.css", "text/css; charset=utf-8"),
    Route("/openapi.json", openapi_json),
]
