"""What the audit record costs: a hot read with and without it, and how many reads a second it takes to the end.

The service runs in this process over a PostgreSQL of its own; costs are processor time, of this process with all its
threads and of PostgreSQL, so that what else runs on the machine does not matter.
"""

import asyncio
import io
import os
import statistics
import time
from pathlib import Path

import httpx2
from fastapi import FastAPI
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid
from starlette.types import Message

from bench import alone
from bench.processes import tree
from radiology.access import accounts
from radiology.app import App
from radiology.audit import sealing
from radiology.audit.trail import Access, Trail, open_trail
from radiology.audit.verifying import verify
from radiology.doors.http.assemble import build

FRAME = 'multipart/related; type="application/octet-stream"; transfer-syntax=*'
FRAME_BYTES = 512 * 512 * 2
READS, ROUNDS = 400, 9
RATE, SECONDS = 1_000, 10
BURST = 20_000
TICK = os.sysconf("SC_CLK_TCK")


def run() -> int:
    """Measure, print, write and judge. The exit status."""
    return alone.run("audit", _figures, form="g")


async def _figures(app: App, postgres: int) -> dict[str, float]:
    return {**await _hot_read(app), **await _sustained(app, postgres), **await _burst(app)}


async def _hot_read(app: App) -> dict[str, float]:
    """Processor time of one frame over ASGI, with and without its record, by turns."""
    service = build(App.of(app.settings))
    await accounts.make_account(app, "reader", role="radiologist")
    token = await accounts.make_token(app, "reader", role="radiologist")
    async with (
        service.router.lifespan_context(service),
        httpx2.AsyncClient(
            transport=httpx2.ASGITransport(app=service),
            base_url="http://radiology.test",
            headers={"authorization": f"Bearer {token}", "accept": FRAME},
        ) as client,
    ):
        image = _image()
        stored = await client.post(
            "/api/radiology/dicom/store", content=image[1], headers={"content-type": "application/dicom"}
        )
        assert stored.status_code == 201, stored.text
        trail: Trail = service.state.archive.trail
        keep, seconds = trail.keep, {True: list[float](), False: list[float]()}
        for number in range(2 * ROUNDS):
            recorded = number % 2 == 0
            trail.keep = keep if recorded else _not_kept  # type: ignore[method-assign]
            seconds[recorded].append(await _cpu_of(service, f"{image[0]}/frames/1", token))
        trail.keep = keep  # type: ignore[method-assign]
    with_record, without = (statistics.median(seconds[each]) * 1e6 / READS for each in (True, False))
    return {
        "read_without_us": without,
        "read_with_us": with_record,
        "read_cost_percent": 100 * (with_record - without) / without,
    }


def _not_kept(_access: Access, *, after_the_fact: bool = False) -> None:
    """Nothing."""


async def _cpu_of(service: FastAPI, path: str, token: str) -> float:
    """Processor seconds of the reads; asked over ASGI itself, so that no client is counted."""
    headers = [
        (b"authorization", f"Bearer {token}".encode()),
        (b"accept", FRAME.encode()),
        (b"host", b"radiology.test"),
    ]
    began = time.process_time()
    for _ in range(READS):
        sent: list[int] = []

        async def receive() -> Message:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: Message, sent: list[int] = sent) -> None:
            sent.append(message.get("status", 0) or len(message.get("body", b"")))

        scope = {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "GET", "scheme": "http",
            "path": path, "raw_path": path.encode(), "query_string": b"", "root_path": "", "headers": headers,
            "client": ("10.0.0.7", 50000), "server": ("radiology.test", 80), "state": {},
        }  # fmt: skip
        await service(scope, receive, send)
        assert sent[0] == 200
        assert sum(sent) > FRAME_BYTES
    return time.process_time() - began


async def _sustained(app: App, postgres: int) -> dict[str, float]:
    """So many reads a second, each of another study: written, inserted and sealed beside one another."""
    trail = open_trail(app.settings)
    trail.start()
    began, cpu, lag = time.monotonic(), _seconds(postgres), list[float]()
    sealed = 0
    for number in range(RATE * SECONDS):
        trail.keep(Access("account:reader", "study.read", f"1.2.{number}", 1, {"by": "bench"}))
        if number % (RATE // 20) == 0:
            ahead = began + number / RATE - time.monotonic()
            await asyncio.sleep(max(ahead, 0))
        if number % (RATE // 2) == 0:
            sealed += await sealing.seal_arrivals(app)
            lag.append(number - sealed)
    taken = time.monotonic() - began
    used = _seconds(postgres) - cpu
    await asyncio.to_thread(trail.stop)
    await sealing.seal_arrivals(app)
    assert trail.lost == 0
    assert (await verify(app)).broken is None
    return {
        "sustained_reads_per_second": RATE * SECONDS / taken,
        "sustained_processors": used / taken,
        "sustained_record_us": used * 1e6 / (RATE * SECONDS),
        "sustained_most_unsealed_seconds": max(lag) / RATE,
    }


async def _burst(app: App) -> dict[str, float]:
    """As many as can be taken, until the last one is sealed."""
    trail = open_trail(app.settings)
    began = time.monotonic()
    for number in range(BURST):
        trail.keep(Access("account:reader", "study.read", f"1.3.{number}", 1, {"by": "bench"}))
    kept = time.monotonic() - began
    trail.start()
    await asyncio.to_thread(trail.stop)
    while await sealing.seal_arrivals(app):
        pass
    return {"keep_us": kept * 1e6 / BURST, "burst_records_per_second": BURST / (time.monotonic() - began)}


def _seconds(postgres: int) -> float:
    """Processor time of this process, and of PostgreSQL with all its children, those that ended included."""
    total = time.process_time()
    for pid in tree(postgres):
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        total += sum(map(int, fields[11:15])) / TICK
    return total


def _image() -> tuple[str, bytes]:
    """A CT image of 512 by 512, its place, and its file."""
    image = Dataset()
    image.SOPClassUID, image.SOPInstanceUID = CTImageStorage, generate_uid()
    image.StudyInstanceUID, image.SeriesInstanceUID = generate_uid(), generate_uid()
    image.PatientID, image.PatientName, image.Modality = "BENCH", "BENCH", "CT"
    image.Rows = image.Columns = 512
    image.SamplesPerPixel, image.PhotometricInterpretation = 1, "MONOCHROME2"
    image.BitsAllocated, image.BitsStored, image.HighBit, image.PixelRepresentation = 16, 12, 11, 0
    image.PixelData = bytes(512 * 512 * 2)
    image.file_meta = FileMetaDataset()
    image.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    file = io.BytesIO()
    image.save_as(file, enforce_file_format=True)
    place = f"/dicomweb/studies/{image.StudyInstanceUID}/series/{image.SeriesInstanceUID}"
    return f"{place}/instances/{image.SOPInstanceUID}", file.getvalue()
