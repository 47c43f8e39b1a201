"""86. A RADPEER score of 3b counts only after arbitration; a reader sees the own score, and nobody else's."""

from typing import Any

import pytest

from quality.peer_review.reviewed import APPOINTED, PATH, a_final_report, draw
from radiology.app import App

pytestmark = pytest.mark.anyio

MISSED = {"score": "3b", "comment": "A pneumothorax on the left"}
DECIDED = {"score": "3b", "reason": "Visible in both views"}


async def test_s86_a_discrepancy_counts_after_arbitration_and_is_the_readers_own(app: App, client_as: Any) -> None:
    radiographer, chief, manager = [await client_as(role) for role in ("radiographer", "administrator", "manager")]
    names = ("reader", "reviewer", "member", "another")
    reader, reviewer, member, another = [await client_as("consultant", name=name) for name in names]
    for name in ("reader", "reviewer", "member"):
        assert (await chief.put(f"{PATH}/committee/{name}", json=APPOINTED)).status_code == 204
    report = await a_final_report(radiographer, reader)
    await draw(app)
    review = (await reviewer.post(f"{PATH}/next")).json()["id"]
    scored = (await reviewer.post(f"{PATH}/{review}/score", json=MISSED)).json()
    assert (scored["state"], scored["counts"]) == ("arbitration", False)

    figures = (await manager.get(f"{PATH}/figures")).json()
    assert (figures["n"], figures["reviewed"], figures["inArbitration"]) == (1, 0, 1)
    (own,) = (await reader.get(f"{PATH}/own")).json()["results"]
    assert (own["state"], own["score"], own["comment"]) == ("arbitration", None, None)

    (disputed,) = (await member.get(f"{PATH}/arbitration")).json()["results"]
    assert (disputed["score"], disputed["comment"]) == ("3b", MISSED["comment"])
    assert "account:" not in str(disputed)
    for party in (reader, reviewer):
        assert (await party.get(f"{PATH}/arbitration")).json()["results"] == []
        assert (await party.post(f"{PATH}/{review}/decision", json=DECIDED)).status_code == 403
    for other in (another, chief, manager):
        assert (await other.post(f"{PATH}/{review}/decision", json=DECIDED)).status_code == 403
    decided = await member.post(f"{PATH}/{review}/decision", json=DECIDED)
    assert (decided.status_code, decided.json()["countedScore"]) == (200, "3b")

    figures = (await manager.get(f"{PATH}/figures")).json()
    assert (figures["reviewed"], figures["coverage"], figures["inArbitration"]) == (1, 1.0, 0)
    (own,) = (await reader.get(f"{PATH}/own")).json()["results"]
    assert (own["reportId"], own["score"], own["decision"]) == (report["id"], "3b", DECIDED["reason"])
    assert (await another.get(f"{PATH}/own")).json()["results"] == []
    for other in (another, chief, manager):
        assert (await other.get(f"{PATH}/readers")).status_code == 403
    assert (await member.get(f"{PATH}/readers")).json()["results"] == [
        {"reader": "account:reader", "reviewed": 1, "significant": 1}
    ]
