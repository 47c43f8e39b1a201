"""Licences that end soon, over REST."""

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Query, Response

from radiology.access.model import Permission
from radiology.doors.http.actors import CurrentActor, CurrentApp
from radiology.doors.http.answers import JSON
from radiology.errors import NotPermitted
from radiology.facilities.licences import queries

router = APIRouter(prefix="/api/radiology/facilities/licences", tags=["facilities"])


@router.get("", response_model=None)
async def get_licences(
    app: CurrentApp, actor: CurrentActor, within_days: Annotated[int, Query(alias="withinDays", ge=0, le=3650)] = 90
) -> Response:
    """Licences of devices and operators that end within so many days or have ended, and devices without any.

    For administrators and quality assurance.
    """
    if not (actor.may(Permission.ADMINISTER) or actor.may(Permission.QUALITY)):
        raise NotPermitted("This needs the permission radiology.administer or radiology.quality.")
    today = app.clock.now().astimezone(app.settings.zone).date()
    async with app.db.reading() as tx:
        until = today + timedelta(days=within_days)
        found = await queries.listed(tx, today=today, until=until, visible_to=actor)
    return Response(b'{"results":' + found + b"}", media_type=JSON)
