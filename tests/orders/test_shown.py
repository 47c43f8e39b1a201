"""Whether a station is shown an order, and why not, in English and in Bangla."""

from typing import Any

import httpx2
import pytest

from ordering import PATH, a_procedure, an_order
from radiology.app import App
from radiology.application_entities import queries as entities
from radiology.application_entities.model import ApplicationEntity
from radiology.standards.dicom.bangla import is_bangla

pytestmark = pytest.mark.anyio


@pytest.fixture
async def client(client_as: Any, app: App) -> httpx2.AsyncClient:
    async with app.db.transaction() as tx:
        await entities.save(tx, ApplicationEntity("CT1"))
    return await client_as("radiographer")


async def shown(client: httpx2.AsyncClient, order: dict[str, Any], ae_title: str) -> list[dict[str, Any]]:
    answer = await client.get(f"{PATH}/{order['id']}/worklist", params={"aeTitle": ae_title})
    assert answer.status_code == 200, answer.text
    return answer.json()["results"]


async def test_each_procedure_says_whether_a_station_sees_it(client: httpx2.AsyncClient) -> None:
    procedures = [a_procedure(stationAETitles=["CT1"]), a_procedure("US", "Abdomen US", stationAETitles=["US1"])]
    order = (await client.post(PATH, json=an_order(procedures=procedures))).json()
    ct, us = await shown(client, order, "CT1")
    assert (ct["shown"], us["shown"]) == (True, False)
    assert "US1" in us["english"]
    assert is_bangla(us["bangla"])
    assert ct["worklistItem"]
    assert "never asked" in ct["remarks"][0]["english"]


@pytest.mark.parametrize(
    ("status", "why"), [("draft", "is a draft"), ("on-hold", "on hold"), ("revoked", "cancelled"),
                        ("entered-in-error", "in error")]
)  # fmt: skip
async def test_the_order_itself_may_be_why(client: httpx2.AsyncClient, status: str, why: str) -> None:
    order = (await client.post(PATH, json=an_order(status="draft" if status == "draft" else "active"))).json()
    if status != "draft":
        moved = await client.put(f"{PATH}/{order['id']}/status", json={"status": status, "reason": "So it is."})
        assert moved.status_code == 200, moved.text
    (one,) = await shown(client, order, "CT1")
    assert one["shown"] is False
    assert why in one["english"]
    assert is_bangla(one["bangla"])


async def test_without_a_title_nobody_asks(client: httpx2.AsyncClient) -> None:
    order = (await client.post(PATH, json=an_order())).json()
    assert (await client.get(f"{PATH}/{order['id']}/worklist")).status_code == 400
    assert (await client.get(f"{PATH}/{order['id']}/worklist", params={"aeTitle": "A" * 17})).status_code == 400
