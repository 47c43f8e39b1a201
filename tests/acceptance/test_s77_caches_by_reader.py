"""Whatever is kept of answers, each reader gets his or her own; a new label or relation holds at once."""

from collections.abc import Awaitable, Callable

import httpx2
import pytest

from leaks.conftest import World, belongs, label, relate
from radiology.app import App

pytestmark = pytest.mark.anyio


async def test_s77_each_sees_his_own_view_with_a_warm_cache(
    world: World, app: App, client_as: Callable[..., Awaitable[httpx2.AsyncClient]]
) -> None:
    stranger, carer = await client_as("records"), await client_as("radiographer")
    for name in ("records", "radiographer"):
        await belongs(app, name)
    await relate(app, "radiographer", world.breast, "performer")
    image = world.breast.stored.objects[0]
    study = f"/dicomweb/studies/{world.breast.uid}"
    below = f"{study}/series/{image.SeriesInstanceUID}/instances/{image.SOPInstanceUID}"
    rest = f"/api/radiology/studies/{world.breast.uid}"
    for _ in range(2):
        for path in (f"{study}/metadata", f"{below}/frames/1", f"{below}/rendered"):
            assert (await carer.get(path)).status_code == 200
            assert (await stranger.get(path)).status_code == 404
        assert "WithinBREAST" in (await carer.get(rest)).text
        assert "WithinBREAST" not in (await stranger.get(rest)).text

    ordinary = f"/dicomweb/studies/{world.ordinary.uid}/metadata"
    assert (await stranger.get(ordinary)).status_code == 200
    async with app.db.transaction() as tx:
        await label(tx, world.ordinary.uid, ["S7"], "V")
    assert (await stranger.get(ordinary)).status_code == 404
    async with app.db.transaction() as tx:
        await tx.run("UPDATE care_relations SET ended_at = now()")
    assert (await carer.get(f"{study}/metadata")).status_code == 404
