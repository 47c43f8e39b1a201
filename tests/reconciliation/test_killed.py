"""Kill -9 in the middle of each repair, and of its undoing: nothing of it is left, and it can be done again."""

import os
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import Any

import anyio
import orjson
import pytest
from pydicom.uid import generate_uid

import make
from radiology.app import App
from reconciliation.held import come, held_of, quarantine_id, refused_by_index
from reconciliation.outlets import served

pytestmark = pytest.mark.anyio

PLACE = "/api/radiology/reconciliation"
PATIENT = {"PatientID": "A1", "PatientName": "KARIM^ABDUL", "PatientBirthDate": "19800115", "PatientSex": "M"}
OTHER = {"PatientID": "B2", "PatientName": "SULTANA^NASRIN", "PatientBirthDate": "19990303", "PatientSex": "F"}
REASON = {"reason": "Asked the radiographer."}

#: Whoever comes to the last statements of a repair waits there, so that it is killed with all others done.
FUNCTION = """
    CREATE FUNCTION stall() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        PERFORM pg_sleep(60);
        RETURN NEW;
    END
    $$
    """
END_OF_REPAIR = "CREATE TRIGGER stall BEFORE UPDATE ON repairs FOR EACH ROW EXECUTE FUNCTION stall()"
INDEXING = "CREATE TRIGGER stall BEFORE INSERT ON instances FOR EACH ROW EXECUTE FUNCTION stall()"
RESOLVING = "CREATE TRIGGER stall BEFORE UPDATE ON quarantine FOR EACH ROW EXECUTE FUNCTION stall()"
#: Has everything imported, and lets a child of its own ask for each repair.
ASKER = """
import asyncio, os, sys
import httpx2, orjson
from radiology.app import App
from radiology.doors.http.assemble import build
from radiology.settings import Settings

async def ask(settings, path, body, token):
    service = build(App.of(Settings(**settings)))
    async with service.router.lifespan_context(service):
        transport = httpx2.ASGITransport(app=service)
        async with httpx2.AsyncClient(transport=transport, base_url="http://radiology.test") as client:
            await client.post(path, json=body, headers={"authorization": token}, timeout=60)

for line in sys.stdin:
    child = os.fork()
    if child == 0:
        os.dup2(2, 1)
        asyncio.run(ask(*orjson.loads(line)))
        os._exit(0)
    print(child, flush=True)
    os.waitpid(child, 0)
"""


@pytest.fixture(scope="module")
def asker() -> Iterator[subprocess.Popen[bytes]]:
    """A process that asks for repairs by children that are killed."""
    process = subprocess.Popen([sys.executable, "-c", ASKER], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    yield process
    process.stdin.close()
    process.wait(30)
    process.stdout.close()


@dataclass
class Case:
    """A repair that can be asked for, and the studies that it is about."""

    path: str
    body: dict[str, Any]
    studies: list[str]


async def a_study(app: App, match: str = "probable", **attributes: Any) -> make.Stored:
    shared = {"StudyInstanceUID": generate_uid(), **PATIENT, **attributes}
    stored = await make.store(app, *(make.an_object(**shared, InstanceNumber=number) for number in range(3)))
    async with app.db.transaction() as tx:
        await tx.run(
            "UPDATE imaging_studies SET match = %(match)s WHERE study_instance_uid = %(uid)s",
            match=match,
            uid=stored.study_instance_uid,
        )
    return stored


async def case_of(app: App, client: Any, kind: str) -> Case:
    stored = await a_study(app)
    study = stored.study_instance_uid
    path = f"{PLACE}/studies/{study}/{kind}"
    match kind:
        case "confirm":
            return Case(path, REASON, [study])
        case "attach":
            item = {
                "patient": {"id": "A1", "name": "Karim^Abdul", "birthDate": "1980-01-15", "sex": "M"},
                "modality": "CT", "start": "2026-01-21T14:00:00+06:00", "requestedProcedure": "CT Chest",
                "accessionNumber": "ORDER7", "serviceRequest": "ServiceRequest/7",
            }  # fmt: skip
            assert (await client.post("/api/radiology/worklist", json=item)).status_code == 201
            return Case(path, REASON | {"order": "ServiceRequest/7"}, [study])
        case "correct":
            return Case(path, REASON | {"patient": {"id": "H-77", "name": "RAHMAN^ABDUR"}}, [study])
        case "split":
            return Case(path, REASON | {"instances": [stored.sop_instance_uid]}, [study])
        case "move" | "undo":
            other = (await a_study(app, **OTHER)).study_instance_uid
            moving = Case(f"{PLACE}/studies/{study}/move", REASON | {"to": {"study": other}}, [study, other])
            if kind == "move":
                return moving
            made = (await client.post(moving.path, json=moving.body)).json()
            return Case(f"/api/radiology/repairs/{made['id']}/undo", REASON, [study, other])
        case "merge" | "merge-physically" | "ungroup":
            other = (await a_study(app)).study_instance_uid
            merging = Case(f"{PLACE}/studies/{study}/merge", REASON | {"with": other}, [study, other])
            if kind == "merge-physically":
                merging.body["physical"] = True
            if kind != "ungroup":
                return merging
            assert (await client.post(merging.path, json=merging.body)).status_code == 201
            return Case(path, REASON, [study, other])
        case _:
            return await held_case(app, stored, kind.removeprefix("quarantine-"))


async def held_case(app: App, stored: make.Stored, decision: str) -> Case:
    study = stored.study_instance_uid
    if decision == "retry":
        place = f"{PLACE}/quarantine/{await refused_by_index(app, stored.objects[0])}/decide"
        return Case(place, REASON | {"decision": decision}, [study])
    if decision in ("take", "keep"):
        image = make.an_object(**PATIENT, StudyInstanceUID=study, SeriesInstanceUID=stored.series_instance_uid,
                               SOPInstanceUID=stored.sop_instance_uid, PixelData=bytes(32))  # fmt: skip
        assert await come(app, image) == ["conflicting_duplicate"]
    else:
        (image,) = await held_of(app, study, **OTHER)
    path = f"{PLACE}/quarantine/{await quarantine_id(app, image)}/decide"
    return Case(path, REASON | {"decision": decision}, [study])


async def stalled(app: App) -> list[int]:
    async with app.db.transaction() as tx:
        return await tx.values(
            """
            SELECT pid FROM pg_stat_activity
            WHERE datname = current_database() AND wait_event = 'PgSleep' AND pid <> pg_backend_pid()
            """
        )


async def run(app: App, *statements: Any) -> None:
    async with app.db.transaction() as tx:
        for statement in statements:
            await tx.run(statement)


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    with anyio.fail_after(60):
        while not await condition():  # noqa: ASYNC110 - what is waited for happens in another process.
            await anyio.sleep(0.02)


async def killed_in_the_middle(app: App, asker: subprocess.Popen[bytes], case: Case, token: str) -> None:
    """Ask in a process of its own, and kill it when everything is written and nothing is committed."""
    settings = {"data_dir": str(app.settings.data_dir), "database_url": app.settings.database_dsn,
                "disk_reserve_bytes": 0}  # fmt: skip
    argument = orjson.dumps([settings, case.path, case.body, token])
    waits: list[int] = []

    async def is_stalled() -> bool:
        waits[:] = await stalled(app)
        return bool(waits)

    async def is_gone() -> bool:
        return not await stalled(app)

    asker.stdin.write(argument + b"\n")
    asker.stdin.flush()
    child = int(asker.stdout.readline())
    try:
        await until(is_stalled)
    finally:
        os.kill(child, signal.SIGKILL)
    # The server sees at its next statement that nobody is there; it need not be waited for so long.
    async with app.db.transaction() as tx:
        await tx.values("SELECT pg_terminate_backend(pid) FROM unnest(%(pids)s::int[]) AS pid", pids=waits)
    await until(is_gone)


@pytest.mark.parametrize(
    "kind",
    ["confirm", "attach", "correct", "move", "split", "merge", "undo", "quarantine-attach", "quarantine-split",
     "quarantine-take", "quarantine-discard", "quarantine-keep", "quarantine-retry", "merge-physically", "ungroup"],
)  # fmt: skip
async def test_killed_in_the_middle_nothing_of_a_repair_is_left(app, node, client_as, asker, kind):
    clerk = await client_as("records")
    case = await case_of(app, clerk, kind)
    repairs = (await clerk.get("/api/radiology/repairs")).content
    before = await served(clerk, node, *case.studies)
    waits = (await clerk.get(PLACE)).json()["results"]
    await run(app, FUNCTION, INDEXING if kind == "quarantine-retry" else END_OF_REPAIR)
    await killed_in_the_middle(app, asker, case, clerk.headers["authorization"])
    await run(app, "DROP FUNCTION stall CASCADE")
    assert await served(clerk, node, *case.studies) == before
    assert (await clerk.get("/api/radiology/repairs")).content == repairs
    assert (await clerk.get(PLACE)).json()["results"] == waits
    again = await clerk.post(case.path, json=case.body)
    assert again.status_code in (200, 201), again.text


async def test_killed_when_the_index_has_what_is_tried_again_it_is_finished_by_trying_once_more(
    app, node, client_as, asker
):
    clerk = await client_as("records")
    case = await case_of(app, clerk, "quarantine-retry")
    await run(app, FUNCTION, RESOLVING)
    await killed_in_the_middle(app, asker, case, clerk.headers["authorization"])
    await run(app, "DROP FUNCTION stall CASCADE")
    indexed = await served(clerk, node, *case.studies)
    assert len(indexed[f"C-GET {case.studies[0]}"]) == 3
    assert [each["kind"] for each in (await clerk.get(f"{PLACE}?kind=unindexable")).json()["results"]] == [
        "unindexable"
    ]
    refused = await clerk.post(case.path, json=REASON | {"decision": "discard"})
    assert refused.status_code == 409, "what is served is not discarded here"
    assert (await clerk.post(case.path, json=case.body)).status_code == 201
    assert await served(clerk, node, *case.studies) == indexed
    assert (await clerk.get(f"{PLACE}?kind=unindexable")).json()["results"] == []
