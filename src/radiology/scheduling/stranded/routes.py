"""Bookings that cannot be kept, over REST."""

from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Query

from radiology.doors.http.actors import CurrentActor, CurrentApp
from radiology.doors.http.bodies import StrictJSONRoute
from radiology.scheduling.queries import shown
from radiology.scheduling.queries.shown import Criteria
from radiology.scheduling.stranded.actions import replan, stranded

router = APIRouter(prefix="/api/radiology/bookings", tags=["scheduling"], route_class=StrictJSONRoute)

Device = Annotated[int | None, Query(ge=1, le=2**63 - 1, description="Of this device alone, by its number.")]


@router.get("/stranded")
async def get_stranded(app: CurrentApp, actor: CurrentActor, device: Device = None) -> dict[str, Any]:
    """Bookings to come on devices that do not work, are blocked or have no valid licence then, each with why."""
    async with app.db.transaction() as tx:
        found = {str(each.id): each for each in await stranded(tx, app, device=device, visible_to=actor)}
        criteria = Criteria(ids=tuple(each.id for each in found.values()), limit=len(found))
        results, _ = await shown.listed(tx, criteria, zone=app.settings.time_zone, visible_to=actor)
    return {"results": [{**body, "why": found[body["id"]].told()} for body in orjson.loads(results)]}


@router.post("/replan")
async def post_replan(app: CurrentApp, actor: CurrentActor, device: Device = None) -> dict[str, Any]:
    """Give the first hundred of them the best time after their own on another device, and tell the patients.

    `left` are those for which nothing is free within 30 days, and those behind the hundred. Needs `radiology.write`.
    """
    found = await replan(app, actor, device=device)
    return {
        "moved": [str(each) for each in found.moved],
        "left": [{"id": str(each.id), "why": each.told()} for each in found.left],
    }
