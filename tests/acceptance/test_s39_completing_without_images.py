"""39. Given a registered study without images, when PUT completed, then 409; with `reasonNoImages` then 200."""

from typing import Any

import pytest

from radiology.studies.schemas import STATUS_EXAMPLE, STUDY_EXAMPLE

pytestmark = pytest.mark.anyio


async def test_s39_completed_needs_images_or_a_reason(client_as: Any, clock: Any) -> None:
    client = await client_as("radiographer")
    clock.advance(5 * 3600)
    study = (await client.post("/api/radiology/studies", json=STUDY_EXAMPLE)).json()
    address = f"/api/radiology/studies/{study['id']}/status"
    refused = await client.put(address, json=STATUS_EXAMPLE)
    assert refused.status_code == 409
    assert refused.json()["errors"][0]["field"] == "reasonNoImages"
    done = await client.put(address, json={**STATUS_EXAMPLE, "reasonNoImages": "Done on film."})
    assert done.status_code == 200
    assert (done.json()["status"], done.json()["completed"]) == ("completed", "2026-01-21T14:45:00+06:00")
    assert done.json()["reasonNoImages"] == "Done on film."
