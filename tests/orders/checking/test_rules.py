"""Rules by the API: published with a version and a day, tried before, never changed, withdrawn."""

from typing import Any

import httpx2
import pytest

from checking import PATH, an_order_of
from radiology.procedures.appropriateness.ruleset import shipped

pytestmark = pytest.mark.anyio
RULES = f"{PATH}/check/rules"
WHY = "Decided by the radiology board on 20 January."


@pytest.fixture
async def administrator(client_as: Any) -> httpx2.AsyncClient:
    return await client_as("administrator")


def others(version: str = "board.1", on: str = "2026-01-21") -> dict[str, Any]:
    """The shipped rules, with 10 days for a repeated chest film instead of 7."""
    content = shipped().written.model_dump(mode="json")
    content["repeats"]["cxr"]["days"] = 10
    return content | {"version": version, "effective_from": on, "remark": "Ten days"}


def body(rules: dict[str, Any], accepted: tuple[str, ...] = ("DUP-chest-8-days",)) -> dict[str, Any]:
    return {"rules": rules, "reason": WHY, "acceptedCases": list(accepted)}


async def test_rules_are_published_from_a_day_on(administrator: httpx2.AsyncClient, clock: Any) -> None:
    made = await administrator.post(RULES, json=body(others(on="2026-01-22")))
    assert made.status_code == 201, made.text
    order = an_order_of("XR_HAND", "DX")
    assert (await administrator.post(f"{PATH}/check", json=order)).json()["ruleSetVersion"] == "2026.1"
    clock.advance(24 * 3600)
    assert (await administrator.post(f"{PATH}/check", json=order)).json()["ruleSetVersion"] == "board.1"
    listed = (await administrator.get(RULES)).json()["results"]
    assert [(each["version"], each["holds"]) for each in listed] == [("board.1", True), ("2026.1", False)]
    assert (listed[0]["acceptedCases"], listed[0]["reason"]) == (["DUP-chest-8-days"], WHY)
    assert (await administrator.get(made.headers["location"])).json()["repeats"]["cxr"]["days"] == 10
    assert (await administrator.delete(f"{RULES}/board.1")).status_code == 204
    assert (await administrator.post(f"{PATH}/check", json=order)).json()["ruleSetVersion"] == "2026.1"
    assert (await administrator.delete(f"{RULES}/board.1")).status_code == 404


async def test_golden_cases_that_are_answered_otherwise_must_be_accepted(administrator: httpx2.AsyncClient) -> None:
    refused = await administrator.post(RULES, json=body(others(), accepted=()))
    assert refused.status_code == 422
    assert "DUP-chest-8-days" in refused.json()["detail"]
    weaker = others()
    weaker["rules"] = [each for each in weaker["rules"] if each["id"] != "MR1"]
    assert (await administrator.post(RULES, json=body(weaker))).status_code == 422


async def test_a_version_is_used_once_and_no_day_that_has_passed(administrator: httpx2.AsyncClient) -> None:
    assert (await administrator.post(RULES, json=body(others("2026.1")))).status_code == 409
    assert (await administrator.post(RULES, json=body(others()))).status_code == 201
    assert (await administrator.post(RULES, json=body(others()))).status_code == 409
    late = await administrator.post(RULES, json=body(others("board.2", "2026-01-20")))
    assert (late.status_code, late.json()["errors"][0]["field"]) == (422, "rules.effective_from")


async def test_rules_are_tried_on_golden_cases_and_on_the_last_orders(administrator: httpx2.AsyncClient) -> None:
    order = (await administrator.post(PATH, json=an_order_of("XR_HAND", "DX"))).json()
    stricter = others()
    text = {"en": "A hand", "bn": "একটি হাত"}
    stricter["rules"].append(
        {"id": "HAND", "title": text, "source": "Here", "when": {"procedure": "XR_HAND"},
         "outcomes": [{"effect": "consult_radiologist", "text": text}]}
    )  # fmt: skip
    tried = (await administrator.post(f"{RULES}/dry-run", json={"rules": stricter})).json()
    assert tried["cases"] > 200
    assert "DUP-chest-8-days" in tried["failed"]
    assert tried["orders"] == 1
    (changed,) = tried["changed"]
    assert changed["order"] == order["id"]
    assert changed["now"] == {"decision": "proceed", "score": None, "rules": []}
    assert changed["then"] == {"decision": "consult_radiologist", "score": None, "rules": ["HAND"]}
    assert (await administrator.get(RULES)).json()["results"][0]["version"] == "2026.1"


async def test_only_an_administrator_publishes_and_everybody_reads(client_as: Any) -> None:
    client = await client_as("radiologist")
    assert (await client.get(RULES)).status_code == 200
    assert (await client.get(f"{RULES}/2026.1")).json()["version"] == "2026.1"
    assert (await client.get(f"{RULES}/2031.1")).status_code == 404
    assert (await client.post(RULES, json=body(others()))).status_code == 403
    assert (await client.post(f"{RULES}/dry-run", json={"rules": others()})).status_code == 403
    assert (await client.delete(f"{RULES}/2026.1")).status_code == 403


async def test_rules_that_mean_nothing_are_refused_with_their_place(administrator: httpx2.AsyncClient) -> None:
    wrong = others()
    wrong["rules"][0]["outcomes"][0]["when"] = {"shoe_size": 42}
    refused = await administrator.post(RULES, json=body(wrong))
    assert refused.status_code == 422
    assert "shoe_size" in refused.text
