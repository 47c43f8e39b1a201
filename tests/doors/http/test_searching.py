"""One person does not search without end; programs do."""

from typing import Any

import pytest
from fastapi import FastAPI

from radiology.access.accounts import make_token
from radiology.access.model import ROLES, Actor, Role
from radiology.doors.http.searching import SearchLimit
from radiology.errors import TooManyAttempts

PERSON = Actor("account:karim", "", ROLES[Role.RADIOLOGIST], role=Role.RADIOLOGIST)
PROGRAM = Actor("account:ris", "", ROLES[Role.SERVICE], role=Role.SERVICE)


def test_searches_come_back_as_time_goes_by() -> None:
    limit = SearchLimit(per_minute=60)
    for _ in range(60):
        limit.take(PERSON, now_seconds=100.0)
    with pytest.raises(TooManyAttempts):
        limit.take(PERSON, now_seconds=100.9)
    limit.take(PERSON, now_seconds=102.0)


def test_one_person_does_not_use_up_what_others_have() -> None:
    limit = SearchLimit(per_minute=1)
    limit.take(PERSON, now_seconds=0.0)
    other = Actor("account:rahima", "", PERSON.permissions, role=Role.RADIOLOGIST)
    limit.take(other, now_seconds=0.0)


def test_programs_and_who_set_no_limit_search_as_they_like() -> None:
    for limit, actor in ((SearchLimit(per_minute=1), PROGRAM), (SearchLimit(per_minute=0), PERSON)):
        for _ in range(100):
            limit.take(actor, now_seconds=0.0)


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/dicomweb/studies", None),
        ("GET", "/dicomweb/series", None),
        ("GET", "/dicomweb/instances", None),
        ("GET", "/api/radiology/studies", None),
        ("GET", "/api/radiology/reports", None),
        ("POST", "/api/radiology/dicom/query", {"level": "STUDY", "query": {}}),
    ],
)
async def test_every_search_counts(
    service: FastAPI, client: Any, app: Any, method: str, path: str, body: dict[str, Any] | None
) -> None:
    headers = {"authorization": f"Bearer {await make_token(app, 'karim', role='radiologist')}"}
    service.state.search_limit = SearchLimit(per_minute=1)
    assert (await client.request(method, path, headers=headers, json=body)).status_code == 200
    refused = await client.request(method, path, headers=headers, json=body)
    assert refused.status_code == 429
    assert "Wait a minute" in refused.json()["detail"]
