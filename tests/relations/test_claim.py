"""An unassigned radiologist becomes the reader of a sensitive study of the facility on purpose."""

from typing import Any

import pytest

from audit_records import records
from leaks.conftest import World, belongs, relate, world  # noqa: F401 - a fixture.
from radiology.app import App

pytestmark = pytest.mark.anyio

STUDIES = "/api/radiology/studies"


async def test_who_claims_a_study_sees_it(
    world: World,  # noqa: F811 - the fixture.
    client_as: Any,
    app: App,
    service: Any,
) -> None:
    radiologist = await client_as("radiologist")
    await belongs(app, "radiologist")
    address = f"{STUDIES}/{world.breast.uid}"
    assert "masked" in (await radiologist.get(address)).json()
    for _ in range(2):
        assert (await radiologist.post(f"{address}/claim")).status_code == 204
    assert (await radiologist.get(address)).json()["studyDescription"] == "WithinBREAST study"
    async with app.db.transaction() as tx:
        found = await tx.values("SELECT ARRAY[actor, kind, source, study_instance_uid] FROM care_relations")
    assert found == [["account:radiologist", "reader", "claim", world.breast.uid]]
    claimed = await records(app, service, action="study.claim")
    assert [record.detail for record in claimed] == [{"masked": True}, {"masked": False}]


async def test_what_nobody_claims(
    world: World,  # noqa: F811 - the fixture.
    client_as: Any,
    app: App,
) -> None:
    radiologist, radiographer = await client_as("radiologist"), await client_as("radiographer")
    await belongs(app, "radiologist")
    forensic = f"{STUDIES}/{world.forensic.uid}/claim"
    assert (await radiologist.post(forensic)).status_code == 403
    assert (await radiologist.post(f"{STUDIES}/{world.sensitive_elsewhere.uid}/claim")).status_code == 404
    assert (await radiographer.post(f"{STUDIES}/{world.breast.uid}/claim")).status_code == 403
    await relate(app, "radiologist", world.forensic, "break-glass")
    assert (await radiologist.post(forensic)).status_code == 403
    await relate(app, "radiologist", world.forensic, "reader")
    assert (await radiologist.post(forensic)).status_code == 204
