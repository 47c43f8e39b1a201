"""Tests of devices over REST."""

from datetime import date
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Path, Request, Response

from radiology.access.model import Actor
from radiology.app import App
from radiology.doors.http.actors import CurrentActor, CurrentApp
from radiology.doors.http.answers import CSV, of_kind, page
from radiology.doors.http.bodies import StrictJSONRoute
from radiology.doors.http.sheets import given
from radiology.facilities.devices import queries as registry
from radiology.facilities.devices.routes import must_see_devices
from radiology.kit.pages import read_cursor
from radiology.kit.sheets import Cell, write
from radiology.quality.tests import actions, queries
from radiology.quality.tests.protocols import PROTOCOLS, Standing
from radiology.quality.tests.queries import Tested
from radiology.quality.tests.schemas import PlanIn, TestIn
from radiology.studies.parameters import NAMES, limit_of, openapi_parameters, read_parameters

PATH = "/api/radiology/quality/tests"

router = APIRouter(prefix=PATH, tags=["quality"], route_class=StrictJSONRoute)

Number = Annotated[int, Path(ge=1, le=2**63 - 1, description="Number of the device.")]
_LISTED = {"test": ("test", "of this test only"), "limit": NAMES["limit"], "cursor": NAMES["cursor"]}
_COLUMNS = (
    "facility",
    "device",
    "name",
    "modality",
    "test",
    "period",
    "last",
    "passed",
    "due",
    "overdue days",
    "state",
)


@router.get("/protocols")
async def get_protocols(actor: CurrentActor) -> dict[str, Any]:
    """Every test: for which modalities, how often, what is measured and asked, and which values pass."""
    must_see_devices(actor)
    return {
        "results": [
            {
                "test": each.key,
                "title": each.title.told(),
                "period": each.period,
                "days": each.days,
                "modalities": sorted(each.modalities) if each.modalities is not None else None,
                "values": [
                    {"name": one.name, "unit": one.unit, "least": one.least, "most": one.most}
                    for one in each.measurements
                ],
                "answers": list(each.questions),
            }
            for each in PROTOCOLS.values()
        ]
    }


@router.get("/due")
async def get_due(app: CurrentApp, actor: CurrentActor, facility: str | None = None) -> dict[str, Any]:
    """How every test of every device of the reader's facilities stands today."""
    today, found = await _standing(app, actor, facility)
    return {"on": today, "results": [_told(device, standing, today) for device, standing in found]}


@router.get("/due.csv", response_model=None, responses=of_kind(CSV))
async def get_due_sheet(app: CurrentApp, actor: CurrentActor, facility: str | None = None) -> Response:
    """The same as CSV."""
    today, found = await _standing(app, actor, facility)
    rows: list[list[Cell]] = [
        [device.facility_code, device.number, device.name, device.modality, each.test, PROTOCOLS[each.test].period,
         each.last_on, each.last_passed, each.due_on, each.overdue_days(today), each.state(today)]
        for device, each in found
    ]  # fmt: skip
    return given(write("csv", _COLUMNS, rows), "device-tests")


@router.get("/devices/{number}", response_model=None, openapi_extra={"parameters": openapi_parameters(_LISTED)})
async def get_tests(number: Number, request: Request, app: CurrentApp, actor: CurrentActor) -> Response:
    """What came out of the tests of a device, the newest first: numbers, limits, and whether they passed."""
    must_see_devices(actor)
    given = read_parameters(request.query_params, _LISTED)
    async with app.db.transaction() as tx:
        await registry.load(tx, number, visible_to=actor)
        results, cursor = await queries.tests(
            tx,
            number,
            test=given.get("test"),
            after=read_cursor(given["cursor"]) if "cursor" in given else None,
            limit=limit_of(given.get("limit")),
            zone=app.settings.time_zone,
        )
    return page(request, results, cursor)


@router.post("/devices/{number}", status_code=201)
async def post_test(number: Number, body: TestIn, app: CurrentApp, actor: CurrentActor) -> dict[str, UUID | bool]:
    """Record what came out of a test. One that fails blocks the device; one that passes lifts that."""
    test_id, passed = await actions.record(app, actor, number, body.done())
    return {"id": test_id, "passed": passed}


@router.put("/devices/{number}/plans/{test}", status_code=204, response_model=None)
async def put_plan(number: Number, test: str, body: PlanIn, app: CurrentApp, actor: CurrentActor) -> Response:
    """Ask for a test of a device, or no more, and why; for a consultant or an administrator."""
    await actions.plan(app, actor, number, test, active=body.active, reason=body.reason)
    return Response(status_code=204)


async def _standing(app: App, actor: Actor, facility: str | None) -> tuple[date, list[tuple[Tested, Standing]]]:
    must_see_devices(actor)
    async with app.db.reading() as tx:
        devices = {each.number: each for each in await queries.devices(tx, visible_to=actor, facility=facility)}
        found = await queries.standings(tx, list(devices))
    return actions.today_of(app), [(devices[each.device_number], each) for each in found]


def _told(device: Tested, each: Standing, today: date) -> dict[str, Any]:
    protocol = PROTOCOLS[each.test]
    return {
        "facilityCode": device.facility_code,
        "device": device.number,
        "name": device.name,
        "modality": device.modality,
        "blocked": device.blocked,
        "test": each.test,
        "title": protocol.title.told(),
        "period": protocol.period,
        "lastOn": each.last_on,
        "lastPassed": each.last_passed,
        "dueOn": each.due_on,
        "overdueDays": each.overdue_days(today),
        "state": each.state(today),
    }
