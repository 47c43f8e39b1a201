"""Final reports for tests of peer review, and what is drawn of them."""

from itertools import count
from typing import Any

import httpx2

from radiology.app import App
from radiology.kit import outbox
from radiology.quality.peer_review.following import follow_events
from radiology.reports.schemas import REPORT_EXAMPLE
from radiology.studies.schemas import STUDY_EXAMPLE

PATH = "/api/radiology/quality/peer-review"
APPOINTED = {"reason": "Elected by the department"}

_numbers = count(1)


async def a_final_report(radiographer: httpx2.AsyncClient, reader: httpx2.AsyncClient) -> dict[str, Any]:
    """A study that somebody has read and signed."""
    number = f"study-review-{next(_numbers)}"
    left_out = ("studyInstanceUID", "accessionNumber")
    study = {name: value for name, value in STUDY_EXAMPLE.items() if name not in left_out}
    made = await radiographer.post("/api/radiology/studies", json={**study, "studyId": number})
    assert made.status_code == 201, made.text
    begun = await reader.post("/api/radiology/reports", json={**REPORT_EXAMPLE, "studyId": number})
    assert begun.status_code == 201, begun.text
    signed = await reader.post(f"/api/radiology/reports/{begun.json()['id']}/approve")
    assert signed.status_code == 200, signed.text
    return signed.json()


async def draw(app: App) -> int:
    """Let reports be drawn."""
    async with app.db.transaction() as tx:
        await outbox.place(tx)
    return await follow_events(app)
