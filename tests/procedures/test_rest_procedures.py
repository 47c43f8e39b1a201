"""The catalogue over REST: read, searched, changed from a day on, undone; terms by facility; sheets and messages."""

from typing import Any

import httpx2
import pytest

from radiology.app import App
from radiology.kit.clock import SetClock
from radiology.procedures.schemas import EXAMPLE, TERMS_EXAMPLE

pytestmark = pytest.mark.anyio

PATH = "/api/radiology/procedures"


@pytest.fixture
async def reader(client_as: Any) -> httpx2.AsyncClient:
    return await client_as("radiographer")


@pytest.fixture
async def head(client_as: Any) -> httpx2.AsyncClient:
    return await client_as("administrator")


async def keys(client: httpx2.AsyncClient, **parameters: Any) -> list[str]:
    answer = await client.get(PATH, params=parameters)
    assert answer.status_code == 200, answer.text
    return [each["key"] for each in answer.json()["results"]]


async def entry_of(client: httpx2.AsyncClient, key: str) -> dict[str, Any]:
    versions = (await client.get(f"{PATH}/{key}/history")).json()["results"]
    return versions[0]["entry"]


async def test_everybody_reads_it_and_it_is_kept_until_it_changes(
    reader: httpx2.AsyncClient, head: httpx2.AsyncClient
) -> None:
    answer = await reader.get(PATH)
    listed = answer.json()
    assert len(listed["results"]) == 84
    assert "Regenstrief" in listed["copyright"]
    again = {"if-none-match": answer.headers["etag"]}
    assert (await reader.get(PATH, headers=again)).status_code == 304
    assert (await head.put(f"{PATH}/XR_FOREARM", json=EXAMPLE)).status_code == 201
    changed = await reader.get(PATH, headers=again)
    assert (changed.status_code, len(changed.json()["results"])) == (200, 85)


async def test_it_is_searched_in_bangla_and_english(reader: httpx2.AsyncClient) -> None:
    assert (await keys(reader, q="ct head"))[0] == "CT_HEAD_WO"
    assert "MR_BRAIN_WO" in await keys(reader, q="মস্তিষ্কের এমআরআই")
    assert await keys(reader, q="RPID480") == ["MR_BRAIN_W_WO"]
    assert set(await keys(reader, modality="MG")) == {"MAMMOGRAPHY", "MG_DIAGNOSTIC", "MG_SCREENING_BILAT"}
    assert "MRI_KNEE" not in await keys(reader, modality="MRI", common="true")


async def test_a_change_holds_from_a_day_on_and_is_undone(
    head: httpx2.AsyncClient, reader: httpx2.AsyncClient, clock: SetClock
) -> None:
    address = f"{PATH}/XR_FOOT"
    before = await reader.get(address)
    assert (before.json()["turnaround_hours"], before.headers["etag"]) == (8, 'W/"1"')
    body = {**await entry_of(reader, "XR_FOOT"), "reason": "Faster now.", "turnaround_hours": 3}
    assert (await reader.put(address, json=body)).status_code == 403
    later = await head.put(address, json={**body, "effective_from": "2026-01-23"}, headers={"if-match": 'W/"1"'})
    assert (later.status_code, later.json()["turnaround_hours"], later.headers["etag"]) == (200, 8, 'W/"2"')
    assert (await head.put(address, json=body, headers={"if-match": 'W/"1"'})).status_code == 412
    clock.advance(2 * 24 * 3600)
    assert (await reader.get(address)).json()["turnaround_hours"] == 3
    restored = await head.post(f"{address}/history/1/restore", json={"reason": "It was not."})
    assert (restored.json()["turnaround_hours"], restored.headers["etag"]) == (8, 'W/"3"')
    history = (await reader.get(f"{address}/history")).json()["results"]
    assert [(each["version"], each["reason"], each["shipped"]) for each in history] == [
        (3, "It was not.", False),
        (2, "Faster now.", False),
        (1, "", True),
    ]
    assert history[0]["changed_by"] == "account:administrator"
    assert (await head.post(f"{address}/history/9/restore", json={"reason": "x"})).status_code == 404


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"codings": [{"system": "http://loinc.org", "code": "34839-5"}]}, "codings"),
        ({"preparations": ["P99"]}, "preparations"),
        ({"public_price": [200, 100]}, ""),
        ({"minutes": 7}, "minutes"),
        ({"subspecialty": "magic"}, "subspecialty"),
        ({"display_bangla": ""}, "display_bangla"),
        ({"preparation": "Come early"}, ""),
        ({"effective_from": "2026-01-20"}, "effective_from"),
        ({"reason": None}, "reason"),
    ],
)
async def test_a_wrong_entry_is_refused(head: httpx2.AsyncClient, changes: dict[str, Any], field: str) -> None:
    answer = await head.put(f"{PATH}/XR_FOREARM", json={**EXAMPLE, **changes})
    assert answer.status_code == 422
    assert field in answer.text
    assert (await head.get(f"{PATH}/XR_FOREARM")).status_code == 404


async def test_prices_are_of_the_facility_from_a_day_on(
    head: httpx2.AsyncClient, reader: httpx2.AsyncClient, clock: SetClock, app: App
) -> None:
    address, here = f"{PATH}/CT_HEAD_WO", {"facility": "10000033"}
    private = await head.put(f"{address}/ownerships/private", json={"price": "4500", "reason": "New list."})
    assert (private.status_code, private.json()["terms"]["price"]) == (200, "4500.00")
    said = {**TERMS_EXAMPLE, "price": "2100.50", "turnaround_hours": 2, "effective_from": "2026-01-22"}
    ours = await head.put(f"{address}/facilities/10000033", json=said)
    assert (ours.json()["terms"]["price"], ours.headers["etag"]) == ("2250.00", 'W/"1"')
    assert (await reader.get(address)).json()["terms"] == {
        "price": "2250.00", "turnaround_hours": 6, "priority": "urgent"
    }  # fmt: skip
    clock.advance(24 * 3600)
    told = (await reader.get(address, params=here)).json()["terms"]
    assert told == {"price": "2100.50", "turnaround_hours": 2, "priority": "urgent"}
    refused = await head.put(
        f"{address}/facilities/10000033", json={"price": "1", "reason": "x"}, headers={"if-match": 'W/"9"'}
    )
    assert refused.status_code == 412
    undone = await head.put(f"{address}/facilities/10000033", json={"reason": "As everywhere."})
    assert undone.json()["terms"]["price"] == "2250.00"
    history = (await reader.get(f"{address}/terms")).json()["results"]
    assert [(each["facility_code"], each["ownership"], each["version"], each["price"]) for each in history] == [
        ("", "private", 1, "4500.00"),
        ("10000033", "", 2, None),
        ("10000033", "", 1, "2100.50"),
    ]
    assert (await head.put(f"{PATH}/NOTHING/facilities/1", json={"price": "1", "reason": "x"})).status_code == 404
    assert (await reader.put(f"{address}/facilities/1", json={"price": "1", "reason": "x"})).status_code == 403


async def test_a_procedure_is_withdrawn(head: httpx2.AsyncClient, reader: httpx2.AsyncClient) -> None:
    body = {**await entry_of(reader, "XR_FOOT"), "reason": "Not done here.", "active": False}
    assert (await head.put(f"{PATH}/XR_FOOT", json=body)).json()["active"] is False
    assert "XR_FOOT" not in await keys(reader)
    assert (await reader.get(f"{PATH}/XR_FOOT")).status_code == 200


async def test_how_to_prepare_is_told_on_paper_and_in_a_neutral_message(reader: httpx2.AsyncClient) -> None:
    told = (await reader.get(f"{PATH}/RF_HSG/preparation")).json()
    assert told["message"]["en"] == "Please come in time for your appointment."
    told = (await reader.get(f"{PATH}/CT_ABDOMEN_PELVIS_W/preparation")).json()
    assert told["fasting_hours"] == 4
    assert told["message"] == {
        "en": "Before your appointment: Fast 4 hours; bring your recent reports.",
        "bn": "আপনার অ্যাপয়েন্টমেন্টের আগে: ৪ ঘণ্টা খালি পেটে আসুন; সাম্প্রতিক রিপোর্ট আনুন।",
    }
    assert "metformin" in told["sheet"][0]["en"]
    page = await reader.get(f"{PATH}/CT_ABDOMEN_PELVIS_W/preparation/print")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert "পেটের সিটি স্ক্যান (কন্ট্রাস্টসহ)" in page.text
    assert "<li>Tell staff about allergy, kidney disease, metformin</li>" in page.text


async def test_what_a_hospital_writes_is_text_on_the_sheet(head: httpx2.AsyncClient) -> None:
    own = {"preparation": "<b>Come</b>", "preparation_bangla": "<i>আসুন</i>", "display": "<script>x</script>"}
    await head.put(f"{PATH}/XR_FOREARM", json={**EXAMPLE, **own})
    page = (await head.get(f"{PATH}/XR_FOREARM/preparation/print")).text
    assert "<b>Come" not in page
    assert "<script>" not in page
    assert "&lt;b&gt;Come" in page


async def test_every_short_message_is_neutral(reader: httpx2.AsyncClient) -> None:
    for key in await keys(reader):
        told = (await reader.get(f"{PATH}/{key}/preparation")).json()["message"]
        words = told["en"].casefold()
        assert not [word for word in ("urin", "kidney", "pregnan", "cycle", "scan", "x-ray") if word in words]
        assert told["bn"]
