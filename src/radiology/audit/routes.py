"""The audit record over REST: search, the same as FHIR AuditEvent, and who saw what of one patient."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Request, Response
from starlette.datastructures import QueryParams

from radiology.access.model import Actor, Permission, Role
from radiology.app import App
from radiology.audit import actions, fhir, search
from radiology.audit.model import Record
from radiology.audit.schemas import AccessOut, AccessPage, AuditEventOut, AuditPage
from radiology.audit.search import Criteria
from radiology.audit.texts import Language
from radiology.doors.http.actors import CurrentActor, CurrentApp
from radiology.doors.http.answers import JSON
from radiology.errors import FieldProblem, Invalid, NotFound, NotPermitted
from radiology.kit.pages import cursor_behind, read_cursor

FHIR_JSON: Final = "application/fhir+json"
DEFAULT_LIMIT, MOST = 50, 500
_OUTCOMES: Final = {"0": 0, "4": 4, "8": 8, "12": 12}
NAMES: Final = {
    "patient": "reference of the patient",
    "study": "Study Instance UID",
    "user": "id of who acted, such as account:rahim or ae:CT1",
    "action": "an action, or a family with * at its end, such as study.*",
    "outcome": "0, 4, 8 or 12 (PS3.15 A.5)",
    "address": "address of the client",
    "from": "at or after this moment (ISO 8601)",
    "to": "before this moment (ISO 8601)",
    "limit": f"1 to {MOST}, {DEFAULT_LIMIT} where it is left out",
    "cursor": "from `next` of the page before",
    "lang": "en or bn, of the words of accesses",
}

_PAGING: Final = frozenset({"cursor", "limit"})
_NOT_KEPT: Final = {"Cache-Control": "no-store"}

router = APIRouter(prefix="/api/radiology", tags=["audit"])


def _documented(*names: str) -> dict[str, Any]:
    parameters = [
        {"name": name, "in": "query", "required": False, "description": NAMES[name], "schema": {"type": "string"}}
        for name in names
    ]
    return {"parameters": parameters}


SEARCHED: Final = ("patient", "study", "user", "action", "outcome", "address", "from", "to", "limit", "cursor")
LISTED: Final = ("from", "to", "limit", "cursor", "lang")


@router.get(
    "/audit",
    response_model=None,
    responses={200: {"model": AuditPage, "content": {FHIR_JSON: {}}}},
    openapi_extra=_documented(*SEARCHED),
)
async def get_audit(request: Request, app: CurrentApp, actor: CurrentActor) -> Response:
    """Search the audit record, newest first; with `Accept: application/fhir+json` as a Bundle of AuditEvent."""
    actor.must(Permission.AUDIT)
    criteria = _criteria(request.query_params, app, SEARCHED)
    async with app.db.transaction() as tx:
        records = await search.find(tx, criteria)
        searched = {name: value for name, value in request.query_params.items() if name not in _PAGING}
        await actions.record(tx, actor, "audit.search", criteria.patient or criteria.study or "audit", detail=searched)
    records, following = _page(request, records, criteria)
    if FHIR_JSON in request.headers.get("accept", ""):
        base, settings = str(request.base_url).rstrip("/"), app.settings
        source_id = f"{settings.ae_title}@{settings.facility_code}"
        next_url = base + following if following else None
        body = fhir.bundle(records, source_id, base=base, self_url=str(request.url), next_url=next_url)
        return Response(body, media_type=FHIR_JSON, headers=_NOT_KEPT)
    page = AuditPage(results=[AuditEventOut.of(record) for record in records], next=following)
    return Response(page.model_dump_json(), media_type=JSON, headers=_NOT_KEPT)


@router.get(
    "/patients/{reference:path}/accesses",
    response_model=None,
    responses={200: {"model": AccessPage}},
    openapi_extra=_documented(*LISTED),
)
async def get_accesses(reference: str, request: Request, app: CurrentApp, actor: CurrentActor) -> Response:
    """Who saw or did what with what is held of one patient: for privacy officers, and for the patient without names."""
    criteria = _criteria(request.query_params, app, LISTED)
    async with app.db.transaction() as tx:
        patient = await search.find_patient(tx, reference)
        with_names = _must_see(actor, patient is not None and await search.is_self(tx, actor.id, patient))
        if patient is None:
            raise NotFound("There is no such patient.")
        records = await search.find(tx, replace(criteria, patient=patient))
        await actions.record(tx, actor, "audit.who-saw", patient)
    records, following = _page(request, records, criteria)
    language = _language(request)
    accesses = [AccessOut.of(record, language, with_name=with_names) for record in records]
    page = AccessPage(patient=patient, results=accesses, next=following)
    return Response(page.model_dump_json(), media_type=JSON, headers=_NOT_KEPT | {"Content-Language": language})


def _must_see(actor: Actor, is_self: bool) -> bool:
    """Whether names are told. Raises NotPermitted for who is neither the patient nor looks after privacy."""
    if actor.may(Permission.AUDIT) or actor.may(Permission.PRIVACY):
        return True
    if actor.role == Role.PATIENT and is_self:
        return False
    raise NotPermitted("Who saw what of a patient is told to the privacy officer, and to the patient.")


def _language(request: Request) -> Language:
    asked = request.query_params.get("lang") or request.headers.get("accept-language", "en")
    return "bn" if asked.lower().startswith("bn") else "en"


def _criteria(query: QueryParams, app: App, names: Sequence[str]) -> Criteria:
    """What is asked for. Raises Invalid naming the parameter."""
    for name in query:
        if name not in names:
            raise _wrong(name, f"is not a parameter here; there are: {', '.join(names)}")
        if "\0" in query[name]:
            raise _wrong(name, "holds the character U+0000")
    outcome = query.get("outcome")
    if outcome is not None and outcome not in _OUTCOMES:
        raise _wrong("outcome", "must be 0, 4, 8 or 12")
    return Criteria(
        patient=query.get("patient"),
        study=query.get("study"),
        user=query.get("user"),
        action=query.get("action"),
        outcome=_OUTCOMES.get(outcome or ""),
        address=query.get("address"),
        since=_moment(query, "from", app.settings.zone),
        before=_moment(query, "to", app.settings.zone),
        after=read_cursor(query["cursor"]) if query.get("cursor") else None,
        limit=_limit(query.get("limit", str(DEFAULT_LIMIT))),
    )


def _moment(query: QueryParams, name: str, zone: ZoneInfo) -> datetime | None:
    """A date or a moment; one without offset is read in the zone of the service."""
    if not (text := query.get(name, "")):
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise _wrong(name, "must be a date or a moment, as 2026-01-21T08:45:00Z") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=zone)


def _limit(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 1 <= int(text[:6]) <= MOST):
        raise _wrong("limit", f"must be a number from 1 to {MOST}")
    return int(text)


def _wrong(name: str, sentence: str) -> Invalid:
    return Invalid(f"{name} {sentence}.", fields=[FieldProblem(f"query.{name}", sentence)])


def _page(request: Request, records: list[Record], criteria: Criteria) -> tuple[list[Record], str | None]:
    """The records of the page, and the address of the next."""
    if len(records) <= criteria.limit:
        return records, None
    shown = records[: criteria.limit]
    cursor = cursor_behind(shown[-1].occurred_at, shown[-1].id)
    url = request.url.include_query_params(cursor=cursor)
    return shown, f"{url.path}?{url.query}"
