"""81. A naive timestamp 2026-01-21T14:00:00 is read as +06:00; DateTo=2026-01-21 includes 23:59."""

from typing import Any

import pytest

from radiology.studies.schemas import STUDY_EXAMPLE

pytestmark = pytest.mark.anyio

STUDIES = "/api/radiology/studies"


async def test_s81_naive_is_dhaka_and_a_day_is_whole(client_as: Any) -> None:
    client = await client_as("radiographer")
    naive = (await client.post(STUDIES, json={**STUDY_EXAMPLE, "started": "2026-01-21T14:00:00"})).json()
    assert naive["started"] == "2026-01-21T14:00:00+06:00"
    assert "naive-timestamp" in {warning["code"] for warning in naive["warnings"]}
    for uid, started in (("1.2.1", "2026-01-21T23:59:00+06:00"), ("1.2.2", "2026-01-22T00:00:00+06:00")):
        answer = await client.post(STUDIES, json={**STUDY_EXAMPLE, "studyInstanceUID": uid, "started": started})
        assert answer.status_code == 201
    found = (await client.get(f"{STUDIES}?date_to=2026-01-21")).json()["results"]
    assert {study["started"] for study in found} == {"2026-01-21T14:00:00+06:00", "2026-01-21T23:59:00+06:00"}
