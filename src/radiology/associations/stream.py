"""Traces as they are written, for whoever watches. Each stream reads at its own pace, so a slow one costs nothing."""

from collections.abc import AsyncIterator
from typing import Final

from radiology.app import App
from radiology.associations import queries
from radiology.associations.actions import known
from radiology.associations.diagnosis import diagnose
from radiology.associations.model import from_json
from radiology.associations.schemas import AssociationOut, association_out

PAGE: Final = 200


async def newest_position(app: App) -> int:
    """Where a stream begins that wants nothing of the past."""
    async with app.db.transaction() as tx:
        return await queries.newest_position(tx)


async def read_on(app: App, position: int) -> AsyncIterator[tuple[int, AssociationOut]]:
    """What was written behind a position: each association as it is now, with the position to go on from."""
    async with app.db.transaction() as tx:
        rows = [(place, from_json(body)) for place, body in await queries.since(tx, position, limit=PAGE)]
        knowledge = await known(tx, app, [trace for _, trace in rows])
    for place, trace in rows:
        yield place, association_out(trace, diagnose(trace, knowledge))
