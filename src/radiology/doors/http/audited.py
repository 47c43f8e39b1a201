"""Every request that reads, or is refused, is one audit record: its own code makes it, or it is made here.

It is made before the first byte of the answer leaves, so that in strict mode nothing is shown that is not recorded.
"""

import re
from collections.abc import Mapping
from typing import Any, Final

from starlette.datastructures import Headers, QueryParams
from starlette.types import Scope

from radiology.access.model import Actor
from radiology.audit.context import Circumstances, agent_class
from radiology.audit.model import MINOR_FAILURE, SERIOUS_FAILURE
from radiology.audit.trail import Access, Trail
from radiology.errors import Unavailable
from radiology.studies.queries.known import is_known

READING: Final = frozenset({"GET", "HEAD"})
#: Searches whose criteria are in the body.
SEARCHED_BY_POST: Final = frozenset({"/api/radiology/dicom/query"})
API, DICOMWEB, LIGHT, FHIR = "/api/radiology/", "/dicomweb/", "/light/", "/fhir/"

#: The thing that a path names -> what finding some, and reading one, is called in the record.
_THINGS: Final[Mapping[str, tuple[str, str]]] = {
    "studies": ("study.find", "study.read"),
    "series": ("study.find", "study.read"),
    "instances": ("study.find", "study.read"),
    "dicom": ("study.find", "study.read"),
    "reports": ("report.find", "report.read"),
    "patients": ("patient.find", "patient.read"),
    "orders": ("order.find", "order.read"),
    "ServiceRequest": ("order.find", "order.read"),
    "worklist": ("worklist.find", "worklist.read"),
    "bookings": ("booking.find", "booking.read"),
    "rooms": ("booking.find", "booking.find"),
    "queue": ("booking.find", "booking.find"),
    "waiting-list": ("booking.find", "booking.find"),
    "modality-worklist": ("worklist.find", "worklist.read"),
    "modality-scheduled-procedure-steps": ("worklist.find", "worklist.read"),
    "modality-performed-procedure-steps": ("performed-step.read", "performed-step.read"),
    "commitment-requests": ("commitment.read", "commitment.read"),
    "workitems": ("workitem.find", "workitem.read"),
    "changes": ("feed.read", "feed.read"),
    "events": ("feed.read", "feed.read"),
    "billing": ("billing.find", "billing.read"),
    "ImagingStudy": ("study.find", "study.read"),
    "DiagnosticReport": ("report.find", "report.read"),
    "Patient": ("patient.find", "patient.read"),
}
_OTHER: Final = ("api.read", "api.read")
#: What says nothing of a patient: who one is oneself.
_NOT_AUDITED: Final = frozenset({"/api/radiology/me"})
_LISTS: Final = frozenset({"studies", "series", "instances", "workitems"})
#: Criteria whose values are identifiers, and are kept; of all others only the name is.
_IDENTIFIERS: Final = frozenset(
    {
        "PatientID", "00100020", "AccessionNumber", "00080050", "StudyInstanceUID", "0020000D", "SeriesInstanceUID",
        "0020000E", "SOPInstanceUID", "00080018", "patient", "patient_id", "subject", "accession_number",
        "study_instance_uid", "study", "identifier",
    }
)  # fmt: skip
_SECRET: Final = frozenset({"secret"})
_NAME: Final = re.compile(r"[A-Za-z0-9._:/-]{1,128}")


def circumstances_of(scope: Scope) -> Circumstances:
    """What is known of a request before anybody has looked at it."""
    client = scope.get("client")
    agent = next((value.decode("latin-1") for name, value in scope["headers"] if name == b"user-agent"), "")
    return Circumstances(
        source="http",
        address=client[0] if client else "",
        request_id=scope["request_id"],
        agent=agent_class(agent),
    )


async def note_hidden(scope: Scope, circumstances: Circumstances) -> None:
    """Before a 404 is recorded: note whether what was asked for is there, and hidden from who asks."""
    archive = getattr(scope["app"].state, "archive", None) if "app" in scope else None
    if archive is None or not scope.get("actor") or not _names_something(scope):
        return
    try:
        async with archive.app.db.transaction() as tx:
            circumstances.hidden = await is_known(tx, _subject(scope))
    except Unavailable:
        return  # It is recorded as not found.


def keep(scope: Scope, status: int, circumstances: Circumstances) -> None:
    """Record a request that is answered with this status, where that was not done. Raises Unavailable where strict."""
    archive = getattr(scope["app"].state, "archive", None) if "app" in scope else None
    access = access_of(scope, status, circumstances) if archive is not None else None
    if access is not None and archive is not None:
        trail: Trail = archive.trail
        trail.keep(access)


def access_of(scope: Scope, status: int, circumstances: Circumstances) -> Access | None:
    """The record of a request; None where there is none to be made, or was made."""
    if status < 400:
        return None if circumstances.recorded else _read(scope)
    if status in (401, 429):
        return None if circumstances.recorded else _not_authenticated(scope, status, circumstances)
    if status == 403 or (status == 404 and circumstances.hidden):
        denied = _failed(scope, status, "access.denied", SERIOUS_FAILURE, reason=circumstances.reason)
        return None if circumstances.denied else denied
    if scope["method"] not in READING or circumstances.recorded or not _names_something(scope):
        return None
    if status == 404:
        return _failed(scope, status, "access.not-found", MINOR_FAILURE)
    return _failed(scope, status, "access.failed", SERIOUS_FAILURE) if status >= 500 else None


def _read(scope: Scope) -> Access | None:
    path: str = scope["path"]
    actor: Actor | None = scope.get("actor")
    if actor is None or path in _NOT_AUDITED:
        return None
    if scope["method"] not in READING and path not in SEARCHED_BY_POST:
        return None
    if path.startswith(LIGHT):
        study = scope.get("path_params", {}).get("study")
        return Access(actor.id, "study.open", study, detail={"by": "light"}) if study else None
    by = next((prefix.strip("/") for prefix in (API, DICOMWEB, FHIR) if path.startswith(prefix)), "")
    return _of_thing(scope, actor, by) if by else None


def _of_thing(scope: Scope, actor: Actor, by: str) -> Access:
    segments = scope["path"].strip("/").split("/")[by.count("/") + 1 + (by == "fhir") :] or [""]
    subject = _subject(scope)
    found, read = _THINGS.get(segments[0], _OTHER)
    searches = not subject or (by == "dicomweb" and segments[-1] in _LISTS)
    if not searches:
        return Access(actor.id, read, subject, detail={"by": by, "route": _template(scope)})
    keys, identifiers = _criteria(scope)
    subject = subject or identifiers.get("StudyInstanceUID") or identifiers.get("0020000D") or segments[-1]
    return Access(actor.id, found, subject, detail={"by": by, "keys": keys, **identifiers})


def _criteria(scope: Scope) -> tuple[list[str], dict[str, str]]:
    query = QueryParams(scope["query_string"])
    names = sorted(name for name in set(query.keys()) if _NAME.fullmatch(name))
    return names, {name: query[name] for name in names if name in _IDENTIFIERS and _NAME.fullmatch(query[name])}


def _not_authenticated(scope: Scope, status: int, circumstances: Circumstances) -> Access:
    """Nobody, or somebody whose password, token or session is not right."""
    headers = Headers(scope=scope)
    tried = bool(circumstances.attempted) or "authorization" in headers
    detail: dict[str, Any] = {"method": scope["method"], "route": _template(scope), "status": status}
    action = "session.failed" if tried else "access.denied"
    return Access("anonymous", action, circumstances.attempted or _subject(scope), 0, detail, MINOR_FAILURE)


def _failed(scope: Scope, status: int, action: str, outcome: int, *, reason: str = "") -> Access:
    actor: Actor | None = scope.get("actor")
    detail = {"method": scope["method"], "route": _template(scope), "status": status}
    detail |= {"reason": reason} if reason else {}
    return Access(actor.id if actor else "anonymous", action, _subject(scope) or scope["method"], 0, detail, outcome)


def _names_something(scope: Scope) -> bool:
    return scope["path"].startswith((API, DICOMWEB, LIGHT, FHIR)) and bool(_subject(scope))


def _subject(scope: Scope) -> str:
    """The first thing that the path names; never a secret, and nothing that is no identifier."""
    named = scope.get("path_params", {})
    value = next((str(value) for name, value in named.items() if name not in _SECRET), "")
    return value if _NAME.fullmatch(value) else ""


def _template(scope: Scope) -> str:
    return getattr(scope.get("route"), "path", None) or "unmatched"
