"""Traces as they happen: the stream of events over HTTP, and `radi trace` and `radi doctor ae` as people run them."""

import asyncio
import subprocess
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
from pynetdicom import AE

from command_line import RADI, environment, radi
from node import Node, free_port
from radiology.application_entities.model import ApplicationEntity
from radiology.associations import routes
from radiology.associations.model import Trace
from radiology.associations.recorder import Recorder
from radiology.kit.ids import uuid7
from radiology.settings import Settings
from waiting import until

PATH = "/api/radiology/associations/stream"


def refuse(settings: Settings, ae_title: str) -> None:
    """An association that was refused, as the DICOM door records it."""
    recorder = Recorder(settings.database_dsn)
    recorder.start()
    recorder.refused(Trace(uuid7(), datetime.now(UTC), ae_title, "RADSRV", "10.0.0.5", 4000, refusal="called_ae_title"))
    recorder.stop()


@asynccontextmanager
async def streaming(service: Any, client: Any, *, query: str = "", last_event_id: str = "") -> AsyncIterator[Any]:
    """`await read()` gives what comes next of the stream, the status first. At the end the client goes away."""
    came: asyncio.Queue[Any] = asyncio.Queue()
    gone = asyncio.Event()
    asked = False

    async def receive() -> dict[str, Any]:
        nonlocal asked
        if not asked:
            asked = True
            return {"type": "http.request", "body": b"", "more_body": False}
        await gone.wait()
        return {"type": "http.disconnect"}

    async def send(message: dict[str, Any]) -> None:
        await came.put(message.get("status") or message.get("body"))

    headers = [(b"host", b"radiology.test"), (b"authorization", client.headers["authorization"].encode())]
    headers += [(b"last-event-id", last_event_id.encode())] if last_event_id else []
    scope = {"type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "GET", "path": PATH,
             "raw_path": PATH.encode(), "root_path": "", "scheme": "http", "query_string": query.encode(),
             "headers": headers, "client": ("127.0.0.1", 1), "server": ("radiology.test", 80), "state": {}}  # fmt: skip
    answering = asyncio.create_task(service(scope, receive, send))
    try:
        yield lambda: asyncio.wait_for(came.get(), 10)
    finally:
        gone.set()
        await asyncio.wait_for(answering, 10)


def event_of(frame: bytes) -> tuple[int, dict[str, Any]]:
    place, name, data = frame.strip().split(b"\n")
    assert name == b"event: association"
    return int(place.removeprefix(b"id: ")), orjson.loads(data.removeprefix(b"data: "))


@pytest.mark.anyio
async def test_what_happens_is_streamed_and_a_reader_that_comes_back_misses_nothing(
    service: Any, app: Any, client_as: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(routes, "LOOKED_EVERY_SECONDS", 0.02)
    client = await client_as("administrator")
    await asyncio.to_thread(refuse, app.settings, "BEFORE")
    async with streaming(service, client) as read:
        assert [await read(), await read()] == [200, b"retry: 2000\n\n"]
        await asyncio.to_thread(refuse, app.settings, "CT1")
        place, association = event_of(await read())
    assert association["callingAETitle"] == "CT1"
    assert association["findings"][0]["code"] == "called_ae_title"
    await asyncio.to_thread(refuse, app.settings, "CT2")
    for again in ({"query": f"after={place}"}, {"last_event_id": str(place)}):
        async with streaming(service, client, **again) as read:
            assert [await read(), await read()] == [200, b"retry: 2000\n\n"]
            assert event_of(await read())[1]["callingAETitle"] == "CT2"


@pytest.mark.anyio
async def test_a_quiet_stream_says_that_it_lives(service: Any, client_as: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(routes, "LOOKED_EVERY_SECONDS", 0)
    async with streaming(service, await client_as("administrator")) as read:
        assert [await read(), await read(), await read()] == [200, b"retry: 2000\n\n", b": still here\n\n"]


@pytest.mark.anyio
async def test_the_stream_is_for_administrators(service: Any, client_as: Any) -> None:
    async with streaming(service, await client_as("radiologist")) as read:
        assert await read() == 403


def test_radi_trace_shows_a_call_that_is_refused_and_what_to_change(node: Node) -> None:
    variables = environment(node.app.settings) | {"COLUMNS": "200", "PYTHONUNBUFFERED": "1"}
    command = [RADI, "trace", "--language", "bn"]
    with subprocess.Popen(command, env=variables, stdout=subprocess.PIPE, text=True) as process:
        said: list[str] = []
        reading = threading.Thread(target=lambda: said.extend(process.stdout or ()))
        reading.start()
        try:
            # It shows nothing of what was before it began to look, so the machine calls until it is seen.
            until(lambda: call(node, "WRONG") and "মেশিনে" in "".join(said))
        finally:
            process.terminate()
            reading.join(10)
    assert "MODALITY1 -> WRONG" in "".join(said)
    assert "called_ae_title" in "".join(said)


def test_radi_doctor_says_by_its_exit_code_whether_a_machine_is_well(
    node: Node, codes: Callable[..., list[str]]
) -> None:
    settings = node.app.settings
    node.register(ApplicationEntity("CT9", "127.0.0.1", free_port()))
    silent = radi(settings, "doctor", "ae", "CT9")
    assert silent.code == 1
    assert "does not answer" in silent.out
    call(node, settings.ae_title)
    well = radi(settings, "doctor", "ae", "MODALITY1")
    assert well.code == 0, well
    call(node, "WRONG")
    assert codes() == ["called_ae_title"]
    assert radi(settings, "doctor", "ae", "MODALITY1", "--language", "bn").code == 1
    unknown = radi(settings, "doctor", "ae", "NOBODY")
    assert unknown.code == 1
    assert "NOBODY" in unknown.out


def call(node: Node, called: str) -> bool:
    """MODALITY1 calls under a name, and goes. True, so that it can be done until something is seen."""
    ae = AE(ae_title="MODALITY1")
    ae.add_requested_context("1.2.840.10008.1.1")
    association = ae.associate("127.0.0.1", node.port, ae_title=called)
    if association.is_established:
        association.release()
    node.recorder.flush()
    return True
