"""Bodies over a real port: who stops reading costs nothing, who sends much neither; pipelining keeps the order."""

import asyncio
import os
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, suppress
from pathlib import Path

import httpx2
import orjson
import pytest
from fastapi import FastAPI

import make
from multipart import BOUNDARY, RELATED
from radiology.access import accounts
from radiology.app import App
from radiology.doors.dicomweb import sending
from served import served

pytestmark = pytest.mark.anyio
MIB = 1024 * 1024
LARGE = 48 * MIB
STALLED = 12


class Caller:
    """A client that writes and reads bytes as it likes."""

    def __init__(self, port: int, token: str) -> None:
        self.port, self.token = port, token

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        plain = socket.socket()
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 64 * 1024)
        plain.setblocking(False)
        await asyncio.get_running_loop().sock_connect(plain, ("127.0.0.1", self.port))
        return await asyncio.open_connection(sock=plain, limit=64 * 1024)

    def head(self, path: str, *headers: str, method: str = "GET") -> bytes:
        lines = (f"{method} {path} HTTP/1.1", "Host: x", f"Authorization: Bearer {self.token}", *headers)
        return ("\r\n".join(lines) + "\r\n\r\n").encode()

    async def answer(self, reader: asyncio.StreamReader) -> tuple[int, bytes]:
        """One answer that tells its length."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        length = next(int(line.split(":")[1]) for line in head.split("\r\n") if line.startswith("content-length"))
        return int(head.split()[1]), await reader.readexactly(length)


@pytest.fixture
async def caller(service: FastAPI, app: App) -> AsyncIterator[Caller]:
    await accounts.make_account(app, "caller", role="radiographer")
    token = await accounts.make_token(app, "caller", role="radiographer")
    async with served(service) as port:
        yield Caller(port, token)


def resident_bytes() -> int:
    """The memory of this process, service and clients together."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE")


def open_files(folder: Path) -> list[str]:
    """The files in a folder that this process has open."""
    found: list[str] = []
    for descriptor in os.listdir("/proc/self/fd"):
        with suppress(FileNotFoundError):
            found.append(os.readlink(f"/proc/self/fd/{descriptor}"))
    return [path for path in found if path.startswith(str(folder))]


async def large_instance(app: App) -> str:
    image = make.an_object(NumberOfFrames=LARGE // (512 * 512 * 2), Rows=512, Columns=512, PixelData=bytes(LARGE))
    stored = await make.store(app, image)
    series = f"/dicomweb/studies/{stored.study_instance_uid}/series/{stored.series_instance_uid}"
    return f"{series}/instances/{stored.sop_instance_uid}"


@pytest.mark.parametrize(
    ("path", "accept"),
    [
        ("", "application/dicom; transfer-syntax=*"),
        ("/bulkdata/7FE00010", "application/octet-stream"),
        ("zip", "application/zip"),
    ],
)
async def test_readers_that_stall_cost_nothing_and_others_are_served(
    app: App, caller: Caller, path: str, accept: str
) -> None:
    instance = await large_instance(app)
    target = instance.partition("/instances")[0] if path == "zip" else instance + path
    async with AsyncExitStack() as stack:
        before = resident_bytes()
        for _ in range(STALLED):
            reader, writer = await caller.connect()
            stack.callback(writer.close)
            writer.write(caller.head(target, f"Accept: {accept}"))
            assert (await reader.readuntil(b"\r\n")).split()[1] == b"200"
        for _ in range(20):
            reader, writer = await caller.connect()
            writer.write(caller.head(f"{instance}/frames/1", "Accept: application/octet-stream"))
            assert (await caller.answer(reader))[0] == 200
            writer.close()
        grown = resident_bytes() - before
    assert grown < STALLED * 4 * MIB, f"{STALLED} stalled readers of {LARGE // MIB} MiB cost {grown // MIB} MiB"


async def test_a_reader_that_goes_leaves_no_file_open(app: App, caller: Caller) -> None:
    instance = await large_instance(app)
    reader, writer = await caller.connect()
    writer.write(caller.head(instance, "Accept: application/dicom; transfer-syntax=*"))
    await reader.readuntil(b"\r\n\r\n")
    writer.transport.abort()
    for _ in range(500):
        if not open_files(app.objects.root):
            break
        await asyncio.sleep(0.01)
    assert open_files(app.objects.root) == []


async def test_a_reader_that_stalls_for_long_is_given_up(
    app: App, caller: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "STALLED_SECONDS", 0.1)
    instance = await large_instance(app)
    reader, writer = await caller.connect()
    writer.write(caller.head(instance, "Accept: application/dicom; transfer-syntax=*"))
    await reader.readuntil(b"\r\n")
    for _ in range(500):
        if not open_files(app.objects.root):
            break
        await asyncio.sleep(0.02)
    assert open_files(app.objects.root) == []
    writer.transport.abort()


async def test_pipelined_requests_are_answered_in_order(app: App, caller: Caller) -> None:
    stored = await make.a_study(app, NumberOfFrames=5, PixelData=bytes(range(160)))
    series = f"/dicomweb/studies/{stored.study_instance_uid}/series/{stored.series_instance_uid}"
    instance = f"{series}/instances/{stored.sop_instance_uid}"
    reader, writer = await caller.connect()
    one_by_one = [caller.head(f"{instance}/frames/{n}", "Accept: application/octet-stream") for n in (3, 1, 9, 5)]
    whole = caller.head(instance, "Accept: application/dicom; transfer-syntax=*")
    writer.write(b"".join([*one_by_one, whole, caller.head("/dicomweb/studies")]))
    answers = [await caller.answer(reader) for _ in range(6)]
    writer.close()
    assert [status for status, _ in answers] == [200, 200, 404, 200, 200, 200]
    assert [answers[place][1] for place in (0, 1, 3)] == [bytes(range(n * 32 - 32, n * 32)) for n in (3, 1, 5)]
    assert answers[4][1] == stored.files[stored.sop_instance_uid]
    assert orjson.loads(answers[5][1])[0]["0020000D"]["Value"] == [stored.study_instance_uid]


@pytest.mark.parametrize("is_described", [False, True], ids=["object", "metadata and bulk data"])
async def test_what_is_sent_is_not_held(app: App, caller: Caller, is_described: bool) -> None:
    image = make.an_object(NumberOfFrames=LARGE // (512 * 512 * 2), Rows=512, Columns=512, PixelData=b"\0\0")
    frame = bytes(MIB)
    if is_described:
        metadata = image.to_json_dict() | {"7FE00010": {"vr": "OW", "BulkDataURI": "pixels"}}
        first = f"--{BOUNDARY}\r\nContent-Type: application/dicom+json\r\n\r\n".encode() + orjson.dumps([metadata])
        first += (
            f"\r\n--{BOUNDARY}\r\nContent-Type: application/octet-stream\r\nContent-Location: pixels\r\n\r\n".encode()
        )
        content_type = f'multipart/related; type="application/dicom+json"; boundary={BOUNDARY}'
    else:
        image["PixelData"].value = frame
        head = make.as_file(image)[: -len(frame) - 4] + LARGE.to_bytes(4, "little")
        first, content_type = f"--{BOUNDARY}\r\nContent-Type: application/dicom\r\n\r\n".encode() + head, RELATED
    most = before = resident_bytes()

    async def body() -> AsyncIterator[bytes]:
        nonlocal most
        yield first
        for _ in range(LARGE // MIB):
            yield frame
            most = max(most, resident_bytes())
        yield f"\r\n--{BOUNDARY}--\r\n".encode()

    headers = {"Content-Type": content_type, "Authorization": f"Bearer {caller.token}"}
    async with httpx2.AsyncClient() as client:
        url = f"http://127.0.0.1:{caller.port}/dicomweb/studies"
        answer = await client.post(url, content=body(), headers=headers, timeout=60)
    assert answer.status_code == 200, answer.text
    grown = max(most, resident_bytes()) - before
    assert grown < LARGE // 2, f"{LARGE // MIB} MiB that were sent cost {grown // MIB} MiB"
