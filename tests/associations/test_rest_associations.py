"""Traces over REST and in the terminal: who may read them, their pages, and the diagnosis of one machine."""

from datetime import UTC, datetime, timedelta

import pytest

from radiology.app import App
from radiology.application_entities import queries as entities
from radiology.application_entities.model import ApplicationEntity
from radiology.associations import terminal
from radiology.associations.actions import forget_old_traces
from radiology.associations.model import Trace
from radiology.associations.recorder import WAITING_LIMIT, Recorder
from radiology.kit.ids import uuid7

pytestmark = pytest.mark.anyio

NOW = datetime(2026, 1, 21, 4, 30, tzinfo=UTC)
PATH = "/api/radiology/associations"


def refusal(ae_title: str = "CT1", *, at: datetime = NOW) -> Trace:
    return Trace(uuid7(), at, ae_title, "RADSRV", "10.0.0.5", 4000, refusal="called_ae_title")


def record(app: App, *traces: Trace) -> None:
    recorder = Recorder(app.settings.database_dsn)
    recorder.start()
    for trace in traces:
        recorder.refused(trace)
    recorder.stop()


async def test_pages_and_filters_for_administrators_only(app, client_as) -> None:
    record(app, *(refusal(f"CT{n}", at=NOW + timedelta(seconds=n)) for n in range(3)))
    client = await client_as("administrator")
    first = (await client.get(PATH, params={"limit": "2"})).json()
    assert [each["callingAETitle"] for each in first["results"]] == ["CT2", "CT1"]
    second = (await client.get(PATH, params={"limit": "2", "cursor": first["next"]})).json()
    assert [each["callingAETitle"] for each in second["results"]] == ["CT0"]
    assert second["next"] is None
    found = (await client.get(PATH, params={"aeTitle": "CT1", "host": "10.0.0.5", "outcome": "rejected"})).json()
    (one,) = found["results"]
    assert "RADSVC" in one["findings"][0]["english"]["modalitySide"]
    assert (await client.get(f"{PATH}/{one['id']}")).json() == one
    assert (await client.get(f"{PATH}/{uuid7()}")).status_code == 404
    assert (await (await client_as("radiologist")).get(PATH)).status_code == 403


async def test_diagnosis_of_one_machine(app, client_as) -> None:
    record(app, refusal())
    client = await client_as("administrator")
    path = "/api/radiology/application-entities/{}/diagnosis"
    said = (await client.get(path.format("CT1"))).json()
    assert [finding["code"] for finding in said["findings"]] == ["called_ae_title"]
    assert "RADSRV" in said["findings"][0]["bangla"]["happened"]
    assert (await client.get(path.format("NOBODY"))).status_code == 404


async def test_the_doctor_says_what_is_wrong_and_whether(app, capsys) -> None:
    async with app.db.transaction() as tx:
        await entities.save(tx, ApplicationEntity("CT1"))
        await entities.save(tx, ApplicationEntity("CT2", host="127.0.0.1", port=1))
    assert await terminal.examine(app, "CT1", "en")
    assert not await terminal.examine(app, "CT2", "en")
    record(app, refusal())
    assert not await terminal.examine(app, "CT1", "bn")
    assert not await terminal.examine(app, "NOBODY", "en")
    said = capsys.readouterr().out
    assert "does not answer" in said
    assert "called_ae_title" in said
    assert "মেশিনে" in said


async def test_equal_refusals_are_one_row_and_old_ones_go(app) -> None:
    record(
        app, *(refusal(at=NOW + timedelta(seconds=n)) for n in range(3)), refusal("OLD", at=NOW - timedelta(days=15))
    )
    async with app.db.transaction() as tx:
        assert await tx.value("SELECT trace->>'times' FROM associations WHERE calling_ae_title = 'CT1'") == "3"
    assert await forget_old_traces(app) == 1


async def test_a_lost_database_loses_traces_and_waits_for_nobody() -> None:
    recorder = Recorder("postgresql://x@127.0.0.1:1/y")
    for number in range(WAITING_LIMIT + 10):
        recorder.keep(refusal(f"CT{number}"))
    assert recorder.lost == 10
    recorder.start()
    recorder.stop()
    assert recorder.lost > WAITING_LIMIT
