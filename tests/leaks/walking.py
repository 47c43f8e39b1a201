"""Ask every route of the service, and look for texts that must not be told."""

import re
from typing import Any, Protocol

import httpx2
import pytest
from fastapi import FastAPI
from pydicom.dataset import Dataset
from starlette.routing import Route

OURS = {"origin": "http://radiology.test"}
JSON = {"accept": "application/dicom+json, application/json;q=0.9, */*;q=0.1"}
#: They never end, and are asked by `test_streams.py`.
ENDLESS = {"/api/radiology/events", "/api/radiology/associations/stream"}
#: These change who asks: out of the session, and into the readers of a study, who may see it then.
CHANGES_WHO_ASKS = {
    "/logout", "/api/radiology/studies/{study}/claim", "/api/radiology/reading-worklist/{study}/claim",
}  # fmt: skip
OPEN_STUDIES = re.compile(r"/dicomweb/(studies|series|instances)")

#: Parameters that name nothing of a study, each with something that it can be.
OF_NO_STUDY = {
    "ae_title": "STATION", "title": "STATION", "subscriber": "STATION", "name": "pool", "frames": "1",
    "path": "7FE00010", "key": "key", "place": "viewer", "digest": "0", "pseudonym": "A1", "secret": "secret",
    "practitioner": "1", "account": "nobody", "duty": "head", "facility_code": "OTHER", "code": "NOWHERE",
    "modality": "CT", "number": "999999",
    "day": "2026-01-21", "kind": "places", "test": "display", "indicator": "backlog", "procedure": "XR_CHEST_PA",
    "version": "1",
}  # fmt: skip
#: Identifiers of what the world has none of: the identifier of the study must open it no more than any other.
IDENTIFIERS = {
    "association_id", "attachment_id", "batch_id", "blocked_id", "commitment_id", "copy_id", "delegation_id",
    "erasure_id", "export_id", "hold_id", "item_id", "key_id", "link_id", "message_id", "note_id", "notice_id",
    "offer_id", "operator_id", "receipt_id", "outgoing_id", "project_id", "relation_id", "removal_id", "restriction_id",
    "rule_id", "session_id", "transaction", "turn_id", "use_id", "visit_id",
}  # fmt: skip

#: What `seeds.py` makes for each study, and the study itself.
SEEDED = (
    "id", "report", "patient", "reference", "item", "job_id", "order", "order_id", "delivery_id", "rejection_id",
    "step", "quarantine_id", "repair_id", "workitem", "damage_id", "booking_id",
    "charge_id", "fee_id", "review_id", "entry_id", "room_id", "token_id", "opinion_id", "dose_note_id",
    "incident_id",
)  # fmt: skip


class Named(Protocol):
    """What can be named of a study: its first image, and identifiers of what tells of it, by path parameter."""

    @property
    def image(self) -> Dataset: ...
    @property
    def known_as(self) -> dict[str, str]: ...


async def walk(
    service: FastAPI, client: httpx2.AsyncClient, studies: list[Any], secrets: list[str], headers: dict[str, str] = JSON
) -> list[httpx2.Response]:
    """Ask everything for every study, what reads first; returns all answers."""
    answers: list[httpx2.Response] = []
    for path, method in sorted(routes_of(service), key=lambda route: (route[1] != "GET", route)):
        if path in ENDLESS | CHANGES_WHO_ASKS:
            continue
        for study in studies if "{" in path else studies[:1]:
            filled = fill(path, study)
            parameters = {"includefield": "all"} if OPEN_STUDIES.fullmatch(filled) else {}
            body: dict[str, Any] = {"json": {}} if method in ("POST", "PUT", "PATCH") else {}
            answer = await client.request(method, filled, headers=headers, params=parameters, **body)
            text = answer.text + repr(sorted(answer.headers.items()))
            told = [secret for secret in secrets if secret in text and secret not in filled]
            assert told == [], (method, filled, answer.status_code, told, answer.text[:400])
            answers.append(answer)
    return answers


def fill(path: str, study: Named) -> str:
    """The path with what each of its parameters is of a study."""

    def value(match: re.Match[str]) -> str:
        return meaning_of(match.group(1).partition(":")[0], path, study)

    return re.sub(r"\{([^}]*)\}", value, path)


def meaning_of(name: str, path: str, study: Named) -> str:
    """What a path parameter is of a study. A parameter that is not known here fails the test."""
    meant = {
        "study": str(study.image.StudyInstanceUID),
        "series": str(study.image.SeriesInstanceUID),
        "instance": str(study.image.SOPInstanceUID),
        **OF_NO_STUDY,
        **study.known_as,
    }
    if name in meant:
        return meant[name]
    if name in IDENTIFIERS:
        return study.known_as["id"]
    pytest.fail(
        f"The route {path} has the parameter {name}, and the walk over all routes does not know what to put there."
        " Add it to tests/leaks/walking.py: to IDENTIFIERS or OF_NO_STUDY where it names nothing of a study; otherwise"
        " seed one for each study in tests/leaks/seeds.py, with a text that nobody must read, and name it there."
    )


def routes_of(service: FastAPI) -> set[tuple[str, str]]:
    """Every address with every method, of the described API and of all that is beside it."""
    plain = {
        (route.path, method) for route in service.routes if isinstance(route, Route) for method in route.methods or ()
    }
    described = {(path, method.upper()) for path, item in service.openapi()["paths"].items() for method in item}
    found = {(path, method) for path, method in plain | described if method != "HEAD"}
    assert len(found) > 100
    return found
