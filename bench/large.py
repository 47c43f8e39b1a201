"""Multi-frame objects of 1 GiB, native and encapsulated: stored by `dcmsend`, read back whole by WADO-RS, one frame out
of the middle; how long each takes, and how much each process grew meanwhile. Orthanc does the same beside."""

import hashlib
import http.client
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

from bench import check, results, sets
from bench.peers import SERVERS, Peer
from bench.processes import PeakMemory
from bench.sending import SEND_SECONDS, dcmsend, stow

BLOCK = 1024 * 1024
HEADER_BYTES = 64 * 1024  # The pixel data element begins within so many bytes of the answer.
QUICK_FRAMES = 64
WARM_READS = 50  # Until every connection to the database is there that is ever needed for one reader.
ACCEPT = 'multipart/related; type="application/dicom"; transfer-syntax=*'
FRAME_ACCEPT = 'multipart/related; type="application/octet-stream"; transfer-syntax=*'
ENCAPSULATED_FRAME_ACCEPT = 'multipart/related; type="image/jp2"; transfer-syntax=1.2.840.10008.1.2.4.90'


@dataclass(frozen=True)
class Watched:
    """What one step took: seconds, and the process that grew most, MiB."""

    server: str
    step: str
    seconds: float
    growth_mib: float
    process: str


@dataclass(frozen=True)
class Large:
    """One object: its name among the sets, its file, and how its frames are asked for."""

    name: str
    path: Path
    frames: int
    frame_accept: str


def run(*, only: str | None, quick: bool) -> int:
    """Measure and print; a whole run beside Orthanc is written and judged. The exit status."""
    frames = QUICK_FRAMES if quick else sets.LARGE_FRAMES
    servers = [only] if only else ["orthanc", "ours"]
    steps = [step for name in servers for step in measure(name, frames)]
    print(table(steps))
    if quick or only:
        return 0
    results.write("large", figures(steps, frames), {"steps": [asdict(one) for one in steps]}, table(steps))
    return check.check(["large"])


def figures(steps: list[Watched], frames: int) -> Mapping[str, float]:
    """What is judged: how much this service grew, how soon the middle frame was there, how fast the whole was read."""
    ours = {one.step: one for one in steps if one.server == "ours"}
    theirs = {one.step: one for one in steps if one.server == "orthanc"}
    judged = {f"{step}_growth_mib": one.growth_mib for step, one in ours.items()}
    judged |= {f"{step}_ms": round(one.seconds * 1000, 1) for step, one in ours.items() if "middle" in step}
    judged["read_ratio"] = round(theirs["read"].seconds / ours["read"].seconds, 1)
    judged["read_mib_per_second"] = round(frames * sets.FRAME_BYTES / BLOCK / ours["read"].seconds)
    return judged


def measure(name: str, frames: int) -> list[Watched]:
    """Store the objects and read them, in a server that has stored and shown a little before."""
    native = Large(f"large-{frames}", sets.large_file(frames), frames, FRAME_ACCEPT)
    encapsulated = Large(
        f"large-encapsulated-{frames}", sets.large_encapsulated_file(frames), frames, ENCAPSULATED_FRAME_ACCEPT
    )
    steps: list[Watched] = []
    with SERVERS[name]() as peer:
        warm = sets.files("warm")
        stow(peer, [warm])
        for _ in range(WARM_READS):
            _frame(peer, Large("warm", warm[0], 1, FRAME_ACCEPT), 1)
        for one, kind in ((native, ""), (encapsulated, "encapsulated_")):
            send = partial(dcmsend, peer, [[one.path]], nodelay=True)
            steps.append(_watch(f"{kind}store", peer, send))
            middle = partial(_frame, peer, one, frames // 2 + 1)
            steps.append(_watch(f"{kind}middle", peer, middle))
            steps.append(_watch(f"{kind}read", peer, partial(_read, peer, one)))
        _compare(peer, native)
    return steps


def _watch(step: str, peer: Peer, act: Callable[[], float]) -> Watched:
    with PeakMemory(peer.pid) as memory:
        seconds = act()
    most = memory.most()
    return Watched(peer.name, step, round(seconds, 4), round(most.grown_mib, 1), most.command)


def _asked(peer: Peer, large: Large, path: str, accept: str) -> tuple[http.client.HTTPResponse, Callable[[], None]]:
    """The answer to a request for the object or a part of it, and how its connection is closed."""
    instance = f"series/{sets.uid(large.name, 'series', 0)}/instances/{sets.sop_instance_uid(large.name, 0)}"
    connection = http.client.HTTPConnection("127.0.0.1", peer.http_port, timeout=SEND_SECONDS)
    url = f"{peer.dicomweb}/studies/{sets.study_uid(large.name)}/{instance}{path}"
    connection.request("GET", url, headers={**peer.headers, "Accept": accept})
    answer = connection.getresponse()
    if answer.status != 200:
        raise RuntimeError(f"{peer.name}: WADO-RS gave {answer.status}: {answer.read(300)!r}")
    return answer, connection.close


def _frame(peer: Peer, large: Large, number: int) -> float:
    """Seconds until one frame is there. It must be the one that was asked for."""
    began = time.perf_counter()
    answer, close = _asked(peer, large, f"/frames/{number}", large.frame_accept)
    body = answer.read()
    seconds = time.perf_counter() - began
    close()
    if large.frames > 1 and (number - 1).to_bytes(4, "little") + bytes(64) not in body[:4096]:
        raise RuntimeError(f"{peer.name} gives another frame than {number}")
    return seconds


def _read(peer: Peer, large: Large) -> float:
    """Seconds until the whole object is there (PS3.18 10.4); nothing is done with it."""
    began = time.perf_counter()
    answer, close = _asked(peer, large, "", ACCEPT)
    block, size = memoryview(bytearray(BLOCK)), 0
    while count := answer.readinto(block):
        size += count
    seconds = time.perf_counter() - began
    close()
    if size < large.frames * sets.FRAME_BYTES:
        raise RuntimeError(f"{peer.name} gives {size} bytes only")
    return seconds


def _compare(peer: Peer, large: Large) -> None:
    """Read once more, and compare pixel data with the file."""
    answer, close = _asked(peer, large, "", ACCEPT)
    digest = pixel_digest(answer.read, large.frames)
    close()
    with large.path.open("rb") as file:
        if pixel_digest(file.read, large.frames) != digest:
            raise RuntimeError(f"{peer.name} gives other pixel data than was stored")


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
    lines = ["| server | step | seconds | grown most, MiB | process |", "|---|---|---:|---:|---|"]
    lines.extend(
        f"| {one.server} | {one.step} | {one.seconds:.3f} | {one.growth_mib} | {one.process} |" for one in steps
    )
    return "\n".join(lines)
