"""Waits are told to those who choose among facilities."""

from datetime import datetime

import pytest

from facility_network import a_device, a_facility
from radiology.facilities.choosing import queries
from radiology.scheduling.waits import FULL_MINUTES, tell_waits
from scheduling.house import a_room, an_item, booked

pytestmark = pytest.mark.anyio


async def waits(app, modality: str) -> dict[str, float | None]:
    """The waits of a modality as they stand."""
    async with app.db.transaction() as tx:
        return {code: each.wait_minutes for code, each in (await queries.figures_of(tx, modality)).items()}


async def test_the_wait_is_until_the_first_free_time(client_as, app) -> None:
    administrator, client = await client_as("administrator"), await client_as("radiographer")
    await a_room(app, administrator, "CT1", "CT")
    app.clock.at = datetime(2026, 1, 21, 15, 0, tzinfo=app.settings.zone)  # The room is closed until tomorrow.
    assert await tell_waits(app) == 1
    assert await waits(app, "CT") == {"LOCAL": 17 * 60}
    await booked(client, await an_item(client), "CT1", "08:00")
    await tell_waits(app)
    assert await waits(app, "CT") == {"LOCAL": 17 * 60 + 15}


async def test_a_room_that_is_never_open_waits_as_long_as_was_looked(client_as, app) -> None:
    administrator = await client_as("administrator")
    sessions = [
        {"weekdays": [1], "begins": "09:00", "ends": "09:30", "firstDay": "2020-01-06", "lastDay": "2020-01-07"}
    ]
    await a_room(app, administrator, "CT1", "CT", sessions=sessions)
    await tell_waits(app)
    assert await waits(app, "CT") == {"LOCAL": FULL_MINUTES}


async def test_what_was_counted_of_reports_stays(client_as, app) -> None:
    administrator = await client_as("administrator")
    await a_facility(app, "ELSEWHERE")
    await a_device(app, "ELSEWHERE", modality="CT")
    await a_room(app, administrator, "CT1", "CT")
    async with app.db.transaction() as tx:
        await queries.save_counted(tx, [queries.CountedFigures("LOCAL", "CT", turnaround_hours=3.5)])
    await tell_waits(app)
    async with app.db.transaction() as tx:
        found = await queries.figures_of(tx, "CT")
    assert set(found) == {"LOCAL"}
    assert found["LOCAL"].turnaround_hours == 3.5
    assert found["LOCAL"].wait_minutes is not None
