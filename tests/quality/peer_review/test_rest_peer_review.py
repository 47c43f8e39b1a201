"""Reviews over REST: blinded, never one's own, and seen by who may see them."""

from typing import Any

import pytest

from conftest import ClientAs
from quality.peer_review.reviewed import APPOINTED, PATH, a_final_report, draw
from radiology.app import App
from radiology.kit import outbox

pytestmark = pytest.mark.anyio


async def test_a_review_is_blinded_and_never_of_an_own_report(app: App, client_as: ClientAs) -> None:
    radiographer, reader = await client_as("radiographer"), await client_as("consultant", name="rokeya.begum")
    reviewer = await client_as("consultant", name="second")
    report = await a_final_report(radiographer, reader)
    assert await draw(app) == 1
    async with app.db.transaction() as tx:
        await outbox.had(tx, "peer-review", 0)
    assert await draw(app) == 0, "a report is drawn once"
    assert (await reader.post(f"{PATH}/next")).status_code == 204
    assert (await radiographer.post(f"{PATH}/next")).status_code == 403
    shown = await reviewer.post(f"{PATH}/next")
    assert shown.status_code == 200, shown.text
    assert "rokeya" not in shown.text
    assert report["id"] not in shown.text
    assert any(section["id"] == "findings" for section in shown.json()["sections"])
    assert (await reviewer.post(f"{PATH}/next")).json()["id"] == shown.json()["id"], "one after the other"
    third = await client_as("consultant", name="third")
    assert (await third.post(f"{PATH}/next")).status_code == 204
    address = f"{PATH}/{shown.json()['id']}"
    assert (await third.post(f"{address}/score", json={"score": "1"})).status_code == 404
    assert (await reader.post(f"{address}/score", json={"score": "1"})).status_code == 404
    assert (await reviewer.post(f"{address}/score", json={"score": "2a"})).status_code == 422
    assert (await reviewer.post(f"{address}/score", json={"score": "4"})).status_code == 422
    done = (await reviewer.post(f"{address}/score", json={"score": "1"})).json()
    assert (done["state"], done["counts"]) == ("counted", True)
    assert (await reviewer.post(f"{address}/score", json={"score": "1"})).status_code == 409
    (own,) = (await reader.get(f"{PATH}/own")).json()["results"]
    assert (own["score"], "second" in str(own)) == ("1", False)


async def test_a_review_that_is_given_back_or_forgotten_is_somebody_elses(
    app: App, client_as: ClientAs, clock: Any
) -> None:
    radiographer, reader = await client_as("radiographer"), await client_as("consultant")
    one, two = await client_as("consultant", name="one"), await client_as("consultant", name="two")
    await a_final_report(radiographer, reader)
    await draw(app)
    claimed = (await one.post(f"{PATH}/next")).json()["id"]
    assert (await one.post(f"{PATH}/{claimed}/release")).status_code == 204
    assert (await two.post(f"{PATH}/next")).json()["id"] == claimed
    clock.advance(2 * 3600)
    assert (await two.post(f"{PATH}/{claimed}/score", json={"score": "1"})).status_code == 409
    assert (await one.post(f"{PATH}/next")).json()["id"] == claimed


async def test_only_an_administrator_appoints_and_nobody_appoints_oneself(client_as: ClientAs) -> None:
    chief, manager, reader = await client_as("administrator"), await client_as("manager"), await client_as("consultant")
    assert (await reader.put(f"{PATH}/committee/consultant", json=APPOINTED)).status_code == 403
    assert (await manager.put(f"{PATH}/committee/consultant", json=APPOINTED)).status_code == 403
    assert (await chief.put(f"{PATH}/committee/administrator", json=APPOINTED)).status_code == 403
    assert (await chief.put(f"{PATH}/committee/nobody", json=APPOINTED)).status_code == 404
    assert (await chief.put(f"{PATH}/committee/consultant", json=APPOINTED)).status_code == 204
    (member,) = (await manager.get(f"{PATH}/committee")).json()["results"]
    assert (member["account"], member["appointedBy"]) == ("account:consultant", "account:administrator")
    assert (await chief.delete(f"{PATH}/committee/consultant")).status_code == 204
    assert (await chief.delete(f"{PATH}/committee/consultant")).status_code == 404
