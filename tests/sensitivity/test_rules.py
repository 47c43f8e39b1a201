"""Rules are changed by privacy officers, tried out before, and what is stored is labelled anew."""

from typing import Any

import pytest

import make
from radiology.app import App
from radiology.sensitivity.actions import follow_shipped, relabel

pytestmark = pytest.mark.anyio

RULES = "/api/radiology/sensitivity/rules"
RULE = {"sensitive_class": "S6", "kind": "word", "value": "sleep lab*"}


async def labels(app: App) -> list[list[str]]:
    async with app.db.transaction() as tx:
        return await tx.values("SELECT sensitive_classes FROM imaging_studies ORDER BY id")


async def test_a_new_rule_is_tried_and_labels_what_is_stored(client_as: Any, app: App) -> None:
    await make.a_study(app, StudyDescription="MR brain, Sleep Laboratory")
    await make.a_study(app)
    officer, other = await client_as("privacy-officer"), await client_as("radiologist")
    assert (await other.post(RULES, json=RULE)).status_code == 403
    assert (await officer.post(RULES, json={**RULE, "value": "a*"})).status_code == 422
    trial = (await officer.post(f"{RULES}/dry-run", json=RULE)).json()
    assert (trial["looked_at"], trial["gain"], len(trial["examples"])) == (2, {"S6": 1}, 1)
    assert await labels(app) == [[], []]
    made = (await officer.post(RULES, json=RULE)).json()
    async with app.db.transaction() as tx:
        relabelling = await tx.value("SELECT id FROM relabellings")
    await relabel(app, {"relabelling": str(relabelling)})
    assert await labels(app) == [["S6"], []]
    (told,) = (await officer.get("/api/radiology/sensitivity/relabellings")).json()["results"]
    assert (told["state"], told["lookedAt"], told["changed"]) == ("done", 2, 1)
    disabled = await officer.put(f"{RULES}/{made['id']}", json={**RULE, "enabled": False})
    assert disabled.json()["version"] == 2
    versions = (await officer.get(f"{RULES}/{made['id']}/versions")).json()["results"]
    assert [version["version"] for version in versions] == [1, 2]


async def test_a_rule_of_the_service_can_be_disabled(client_as: Any, app: App) -> None:
    officer = await client_as("privacy-officer")
    rules = (await officer.get(RULES)).json()["results"]
    mammography = next(rule for rule in rules if rule["kind"] == "modality")
    body = {name: mammography[name] for name in ("sensitive_class", "kind", "value")}
    answer = await officer.put(f"{RULES}/{mammography['id']}", json={**body, "enabled": False})
    assert answer.status_code == 200, answer.text
    await make.a_study(app, Modality="MG")
    assert await labels(app) == [[]]


async def test_other_rules_of_the_service_label_anew_once(app: App) -> None:
    assert await follow_shipped(app) == 1
    assert await follow_shipped(app) == 0
