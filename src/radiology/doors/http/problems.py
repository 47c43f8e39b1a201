"""Every refusal over HTTP as application/problem+json (RFC 9457), from the one tree of `errors.py`."""

import re
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

import orjson
from fastapi.exceptions import RequestValidationError
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from radiology.errors import (
    FieldProblem,
    Invalid,
    NotAuthenticated,
    RadiologyError,
    Unavailable,
    Unprocessable,
)
from radiology.kit.validation import sentence_of

MEDIA_TYPE = "application/problem+json"
RETRY_SECONDS = "5"
_PARAMETERS = ("query", "path", "header")


class Problem(Response):
    """One problem document."""

    media_type = MEDIA_TYPE


def problem(
    status: int,
    kind: str,
    title: str,
    *,
    detail: str | None = None,
    fields: Sequence[FieldProblem] = (),
    request_id: str = "",
    tag: str | None = None,
    headers: Mapping[str, str] | None = None,
    also: Mapping[str, Any] | None = None,
) -> Problem:
    """A problem document. `kind` is the last part of its type, `fields` become `errors`; `also`: members of its own."""
    body: dict[str, Any] = {"type": f"urn:radiology:problem:{kind}", "title": title, "status": status, **(also or {})}
    if detail:
        body["detail"] = detail
    if tag:
        body["tag"] = tag
    if fields:
        body["errors"] = [{"field": one.field, "message": one.message} for one in fields]
    if request_id:
        body["requestId"] = request_id
    return Problem(orjson.dumps(body), status_code=status, headers=dict(headers or {}))


def of_refusal(error: RadiologyError, request_id: str = "") -> Problem:
    """A refusal of ours."""
    headers: dict[str, str] = {}
    if isinstance(error, NotAuthenticated):
        headers["WWW-Authenticate"] = 'Bearer realm="radiology", Basic realm="radiology", charset="UTF-8"'
    if isinstance(error, Unavailable):
        headers["Retry-After"] = RETRY_SECONDS
    return problem(
        error.http_status,
        kind_of(type(error)),
        error.title,
        detail=error.sentence,
        fields=error.fields,
        request_id=request_id,
        tag=error.tag,
        headers=headers,
        also=error.also,
    )


def of_bug(request_id: str) -> Problem:
    """Everything that is not a refusal of ours is a bug: it says nothing but where to find it in the log."""
    detail = "Something broke here. Give the request id to whoever runs the service."
    return problem(500, "internal", "Internal error", detail=detail, request_id=request_id)


def kind_of(error: type[RadiologyError]) -> str:
    """`StaleVersion` is `stale-version`."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "-", error.__name__).lower()


def install(app: Starlette) -> None:
    """Let `app` answer with problem documents."""
    app.add_exception_handler(RadiologyError, _refusal)
    app.add_exception_handler(RequestValidationError, _validation)
    app.add_exception_handler(HTTPException, _http)


def _refusal(request: Request, error: Exception) -> Response:
    assert isinstance(error, RadiologyError)  # noqa: S101
    return of_refusal(error, request_id_of(request))


def _validation(request: Request, error: Exception) -> Response:
    """A wrong value of the body is 422, of the address 400; each field is named with what would be right."""
    assert isinstance(error, RequestValidationError)  # noqa: S101
    details = error.errors()
    fields = [FieldProblem(path_of(each["loc"]), sentence_of(each)) for each in details]
    status = 400 if any(each["loc"][:1] and each["loc"][0] in _PARAMETERS for each in details) else 422
    named = ", ".join(dict.fromkeys(one.field or "the body" for one in fields))
    kind = Invalid if status == 400 else Unprocessable
    detail, request_id = f"Wrong: {named}.", request_id_of(request)
    return problem(status, kind_of(kind), kind.title, detail=detail, fields=fields, request_id=request_id)


def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101
    phrase = HTTPStatus(error.status_code).phrase
    detail = error.detail if error.detail != phrase else None
    if error.status_code == 404:
        detail = "Nothing is at this address. /docs lists what there is."
    if error.status_code == 405:
        allowed = (error.headers or {}).get("Allow", "")
        detail = f"{request.method} is not possible here" + (f"; {allowed} is." if allowed else ".")
    kind = phrase.lower().replace(" ", "-")
    return problem(
        error.status_code, kind, phrase, detail=detail, request_id=request_id_of(request), headers=error.headers
    )


def request_id_of(request: Request) -> str:
    """The id that this request's log lines carry."""
    return str(request.scope.get("request_id", ""))


def path_of(location: Sequence[int | str]) -> str:
    """`("body", "modality", 0, "coding")` is `modality[0].coding`."""
    parts = [part for part in location[1:] if not (isinstance(part, str) and _is_branch(part))]
    text = ""
    for part in parts:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def _is_branch(part: str) -> bool:
    """Whether this is the name of a branch of a union (as `list[Coding]`), which is no field."""
    return part.startswith(("list[", "function-", "is-instance")) or part[:1].isupper()
