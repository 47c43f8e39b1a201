"""Who does not take part in the care sees of a mammogram that it is there; no criterion on what is masked finds it."""

from collections.abc import Awaitable, Callable

import httpx2
import pytest

from leaks.conftest import World, belongs, relate
from radiology.app import App

pytestmark = pytest.mark.anyio
STUDIES = "/api/radiology/studies"


async def test_s73_a_mammogram_is_masked(
    world: World, app: App, client_as: Callable[..., Awaitable[httpx2.AsyncClient]]
) -> None:
    async with app.db.transaction() as tx:
        await tx.run("UPDATE imaging_studies SET procedure_codes = '{24606-6}' WHERE id = %(id)s", id=world.breast.id)
    client = await client_as("radiographer")
    await belongs(app, "radiographer")
    body = (await client.get(f"{STUDIES}/{world.breast.uid}")).json()
    assert body["studyDescription"] == "Sensitive imaging study"
    assert body["reasonCode"] is body["reasonReference"] is None
    assert body["modality"][0]["coding"][0]["code"] == "XX"
    assert body["started"] == "2026-01-21"
    assert body["accessionNumber"] == "ACCBREAST"
    assert "Within" not in str(body)

    everything = (await client.get(STUDIES)).json()["results"]
    assert {each["studyInstanceUID"] for each in everything} == {
        world.ordinary.uid, world.breast.uid, world.forensic.uid,
    }  # fmt: skip
    for criterion in ({"procedure": "24606-6"}, {"modality": "MG"}, {"status": "available", "modality": "MG"}):
        assert (await client.get(STUDIES, params=criterion)).json()["results"] == []
    assert len((await client.get(STUDIES, params={"accession": "ACCBREAST"})).json()["results"]) == 1

    refused = await client.get(f"/api/radiology/reports/{world.breast.report}")
    assert (refused.status_code, refused.json()["error"], refused.json()["breakGlass"]) == (403, "sensitive", False)
    clinician = await client_as("referrer")
    await belongs(app, "referrer")
    assert (await clinician.get(f"/api/radiology/reports/{world.breast.report}")).json()["breakGlass"] is True
    listed = (await client.get("/api/radiology/reports")).json()["results"]
    assert sorted(map(len, listed))[:2] == [4, 4], "id and date only"

    await relate(app, "radiographer", world.breast, "performer")
    found = (await client.get(STUDIES, params={"procedure": "24606-6"})).json()["results"]
    assert found[0]["studyDescription"] == "WithinBREAST study"
