"""One multi-frame object of 1 GiB: stored by `dcmsend`, read back by WADO-RS; how much each process grew meanwhile."""

import hashlib
import http.client
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from bench import check, results, sets
from bench.peers import SERVERS, Peer
from bench.processes import PeakMemory
from bench.sending import SEND_SECONDS, dcmsend, stow

BLOCK = 1024 * 1024
HEADER_BYTES = 64 * 1024  # The pixel data element begins within so many bytes of the answer.
QUICK_FRAMES = 64
ACCEPT = 'multipart/related; type="application/dicom"; transfer-syntax=*'


@dataclass(frozen=True)
class Watched:
    """What one step took: seconds, and the process that grew most, MiB."""

    step: str
    seconds: float
    growth_mib: float
    process: str


def run(*, only: str | None, quick: bool) -> int:
    """Measure and print; a whole run of this service is written and judged. The exit status."""
    frames = QUICK_FRAMES if quick else sets.LARGE_FRAMES
    steps = measure(only or "ours", frames)
    print(table(steps))
    if quick or only:
        return 0
    figures = {f"{one.step}_growth_mib": one.growth_mib for one in steps}
    results.write("large", figures, {"steps": [asdict(one) for one in steps]}, table(steps))
    return check.check(["large"])


def measure(name: str, frames: int) -> list[Watched]:
    """Store the object and read it back, in a server that has stored a little before."""
    path = sets.large_file(frames)
    with SERVERS[name]() as peer:
        stow(peer, [sets.files("warm")])
        stored = _watch("store", peer, lambda: dcmsend(peer, [[path]], nodelay=True))
        read = _watch("read", peer, lambda: read_back(peer, path, frames))
    return [stored, read]


def _watch(step: str, peer: Peer, act: Callable[[], float]) -> Watched:
    with PeakMemory(peer.pid) as memory:
        seconds = act()
    most = memory.most()
    return Watched(step, round(seconds, 2), round(most.grown_mib, 1), most.command)


def read_back(peer: Peer, path: Path, frames: int) -> float:
    """Retrieve the object by WADO-RS (PS3.18 10.4) and compare pixel data with the file; seconds of retrieval."""
    name = f"large-{frames}"
    instance = f"series/{sets.uid(name, 'series', 0)}/instances/{sets.sop_instance_uid(name, 0)}"
    connection = http.client.HTTPConnection("127.0.0.1", peer.http_port, timeout=SEND_SECONDS)
    began = time.perf_counter()
    connection.request(
        "GET", f"{peer.dicomweb}/studies/{sets.study_uid(name)}/{instance}", headers={**peer.headers, "Accept": ACCEPT}
    )
    answer = connection.getresponse()
    if answer.status != 200:
        raise RuntimeError(f"{peer.name}: WADO-RS gave {answer.status}: {answer.read(300)!r}")
    digest = pixel_digest(answer.read, frames)
    while answer.read(BLOCK):
        pass  # The closing boundary.
    seconds = time.perf_counter() - began
    connection.close()
    with path.open("rb") as file:
        if pixel_digest(file.read, frames) != digest:
            raise RuntimeError(f"{peer.name} gives other pixel data than was stored")
    return seconds


def pixel_digest(read: Callable[[int], bytes], frames: int) -> str:
    """SHA-256 of the pixel data that follows its element header in a stream of explicit VR little endian."""
    length = frames * sets.FRAME_BYTES
    head = read(HEADER_BYTES)
    mark = b"\xe0\x7f\x10\x00OW\x00\x00" + length.to_bytes(4, "little")
    before, found, pixels = head.partition(mark)
    if not found:
        raise RuntimeError(f"no pixel data of {length} bytes within the first {len(before)} bytes")
    digest, left = hashlib.sha256(pixels[:length]), length - len(pixels)
    while left > 0:
        block = read(min(BLOCK, left))
        if not block:
            raise RuntimeError(f"the pixel data ends {left} bytes early")
        digest.update(block)
        left -= len(block)
    return digest.hexdigest()


def table(steps: list[Watched]) -> str:
    """The steps as a Markdown table."""
    lines = ["| step | seconds | grown most, MiB | process |", "|---|---:|---:|---|"]
    lines.extend(f"| {one.step} | {one.seconds} | {one.growth_mib} | {one.process} |" for one in steps)
    return "\n".join(lines)
