"""Answers of the FHIR door: resources with their version, searchsets, and every refusal as OperationOutcome."""

import re
from collections.abc import Callable, Coroutine, Mapping, Sequence
from datetime import datetime
from email.utils import format_datetime
from typing import Any, Final

import orjson
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import Response

from radiology.doors.http.bodies import StrictJSONRoute
from radiology.doors.http.problems import kind_of, path_of, request_id_of
from radiology.errors import FieldProblem, NotSupported, RadiologyError, Unprocessable
from radiology.kit.validation import sentence_of

FHIR_JSON: Final = "application/fhir+json"
BASE: Final = "/fhir/R4"
_MEDIA_TYPES: Final = re.compile(r"application/(fhir\+)?json|\*/\*|application/\*", re.IGNORECASE)

#: Kind of refusal -> code of issue-type (hl7.org/fhir/R4/valueset-issue-type.html).
_ISSUES: Final[Mapping[str, str]] = {
    "invalid": "invalid",
    "not-authenticated": "login",
    "too-many-attempts": "throttled",
    "not-permitted": "forbidden",
    "sensitive-study": "suppressed",
    "not-found": "not-found",
    "conflict": "conflict",
    "transition-refused": "business-rule",
    "stale-version": "conflict",
    "too-large": "too-long",
    "not-supported": "not-supported",
    "unprocessable": "value",
    "order-blocked": "business-rule",
    "unavailable": "transient",
}


class FHIRRoute(StrictJSONRoute):
    """A route whose refusals are OperationOutcome, and which speaks JSON alone."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler with its refusals translated."""
        handle = super().get_route_handler()

        async def answered(request: Request) -> Response:
            try:
                _must_take_json(request)
                return await handle(request)
            except RequestValidationError as error:
                return outcome(of_errors(error.errors(), skip=1), request_id_of(request))
            except RadiologyError as error:
                return outcome(error, request_id_of(request))

        return answered


def of_validation(error: ValidationError, root: str) -> Unprocessable:
    """What is wrong with a resource that was read by a model."""
    return of_errors(error.errors(), skip=0, root=f"{root}.")


def of_errors(errors: Sequence[Any], *, skip: int, root: str = "") -> Unprocessable:
    """Each element that is wrong, by its path. `skip`: parts of its place that name no element."""
    places = ((root + path_of(("", *each["loc"][skip:]))).rstrip(".") or "the body" for each in errors)
    fields = [FieldProblem(place, sentence_of(each)) for place, each in zip(places, errors, strict=True)]
    named = ", ".join(dict.fromkeys(field.field for field in fields))
    return Unprocessable(f"Wrong: {named}.", fields=fields)


def outcome(error: RadiologyError, request_id: str = "") -> Response:
    """A refusal as OperationOutcome: one issue for each element that is wrong, otherwise one."""
    code = _ISSUES.get(kind_of(type(error)), "processing")
    issues: list[dict[str, Any]] = [
        {"severity": "error", "code": code, "diagnostics": f"{each.field} {each.message}", "expression": [each.field]}
        for each in error.fields
    ]
    issues = issues or [{"severity": "error", "code": code, "diagnostics": error.sentence}]
    body: dict[str, Any] = {"resourceType": "OperationOutcome", "issue": issues}
    if request_id:
        body["id"] = re.sub(r"[^A-Za-z0-9.-]", "-", request_id)[:64]
    return Response(orjson.dumps(body), error.http_status, media_type=FHIR_JSON)


def refused(plain: Response, error: RadiologyError, request_id: str) -> Response:
    """The same refusal for who asked by FHIR; headers such as WWW-Authenticate stay."""
    response = outcome(error, request_id)
    for name in ("www-authenticate", "retry-after"):
        if name in plain.headers:
            response.headers[name] = plain.headers[name]
    return response


def answer(resource: Mapping[str, Any], *, status: int = 200) -> Response:
    """A resource with its version: ETag and Last-Modified (hl7.org/fhir/R4/http.html#versioning)."""
    meta = resource["meta"]
    headers = {
        "ETag": f'W/"{meta["versionId"]}"',
        "Last-Modified": format_datetime(datetime.fromisoformat(meta["lastUpdated"]).astimezone(None), usegmt=False),
        "Cache-Control": "private, no-cache",
    }
    if status == 201:
        headers["Location"] = f"{BASE}/{resource['resourceType']}/{resource['id']}/_history/{meta['versionId']}"
    return Response(orjson.dumps(resource), status, headers, FHIR_JSON)


def searchset(request: Request, resources: Sequence[Mapping[str, Any]], following: str | None) -> Response:
    """A page of what was found, with the addresses of itself and of the page behind it."""
    base = str(request.url.replace(path=BASE, query=""))
    links = [{"relation": "self", "url": str(request.url)}]
    if following:
        links.append({"relation": "next", "url": str(request.url.include_query_params(_cursor=following))})
    entries = [
        {
            "fullUrl": f"{base}/{each['resourceType']}/{each['id']}",
            "resource": each,
            "search": {"mode": "match"},
        }
        for each in resources
    ]
    bundle = {"resourceType": "Bundle", "type": "searchset", "link": links, "entry": entries}
    if not entries:
        del bundle["entry"]
    return Response(orjson.dumps(bundle), media_type=FHIR_JSON)


def _must_take_json(request: Request) -> None:
    accepts = request.headers.get("accept", "*/*")
    if not any(_MEDIA_TYPES.fullmatch(each.partition(";")[0].strip()) for each in accepts.split(",")):
        raise NotSupported("Resources are sent as application/fhir+json alone.")
