"""200 associations open at once: all have echoed, most idle, 20 of them store; how much the DICOM processes hold."""

import itertools
import os
import threading
import time
from collections.abc import Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from bench import check, results, sets
from bench.peers import Peer, ours
from bench.processes import pss_kib, tree
from radiology.dicom_network import client
from radiology.dicom_network.client import VERIFICATION, Requestor, connect
from radiology.dicom_network.connection import FileSlice
from radiology.standards.dicom.uids import EXPLICIT_VR_LITTLE_ENDIAN

ASSOCIATIONS, STORING, CALLERS = 200, 20, 10
SETS = ("ct", "small")
CT_STORAGE = "1.2.840.10008.5.1.4.1.1.2"
QUICK_SHARE = 10
SAMPLE_SECONDS = 0.1
META_LENGTH_AT, META_ENDS_AFTER = 140, 144
"""Where a file tells how long its file meta information is, and where that is counted from (PS3.10 7.1)."""

Instance = tuple[str, Path]


@dataclass
class PeakPSS:
    """The most that the DICOM processes together held, sampled while the `with` block runs. MiB."""

    pids: Sequence[int]
    peak_mib: float = 0.0
    _done: threading.Event = field(default_factory=threading.Event)

    @contextmanager
    def watched(self) -> Generator[None]:
        """Watch until the end of the block."""
        thread = threading.Thread(target=self._watch)
        thread.start()
        try:
            yield
        finally:
            self._done.set()
            thread.join()

    def _watch(self) -> None:
        while not self._done.wait(SAMPLE_SECONDS):
            self.peak_mib = max(self.peak_mib, pss_mib(self.pids))


def run(*, quick: bool) -> int:
    """Measure and print; a whole run is written and judged. The exit status."""
    with ours() as peer:
        figures = measure(peer, QUICK_SHARE if quick else 1)
    print(table(figures))
    if quick:
        return 0
    results.write("associations", figures, {}, table(figures))
    return check.check(["associations"])


def measure(peer: Peer, share: int) -> dict[str, float]:
    """Open all, store over some, hear from the rest again, and find what was stored."""
    instances = {name: _instances(name, share) for name in SETS}
    pids = dimse_processes(peer)
    memory, idle_mib = PeakPSS(pids), pss_mib(pids)
    with ExitStack() as stack:
        stack.enter_context(memory.watched())
        began = time.perf_counter()
        opened = [stack.enter_context(association(peer, f"BENCH{n % CALLERS}")) for n in range(ASSOCIATIONS)]
        opening = time.perf_counter() - began
        open_mib = pss_mib(pids)
        statuses, seconds, slowest = store(opened[:STORING], instances)
        statuses += [one.echo().status for one in opened]
    check_found(peer, instances)
    figures = {
        "failures": sum(status != 0 for status in statuses),
        "opening_seconds": opening,
        "instances_a_second": sum(map(len, instances.values())) / seconds,
        "slowest_store_seconds": slowest,
        "idle_pss_mib": idle_mib,
        "open_pss_mib": open_mib,
        "peak_pss_mib": memory.peak_mib,
    }
    return {key: round(value, 2) for key, value in figures.items()}


@contextmanager
def association(peer: Peer, calling_ae_title: str) -> Generator[Requestor]:
    """An association that has echoed once."""
    address = client.Peer("127.0.0.1", peer.dicom_port, peer.ae_title, calling_ae_title)
    contexts = [(uid, [EXPLICIT_VR_LITTLE_ENDIAN]) for uid in (VERIFICATION, CT_STORAGE)]
    with connect(address, contexts) as opened:
        if status := opened.echo().status:
            raise RuntimeError(f"C-ECHO was answered {status:04X}")
        yield opened


def store(opened: Sequence[Requestor], instances: dict[str, list[Instance]]) -> tuple[list[int], float, float]:
    """Store all over these associations at once, CT and small objects by turns: statuses, seconds, the slowest one."""
    queue = [one for pair in itertools.zip_longest(*instances.values()) for one in pair if one is not None]
    began = time.perf_counter()
    with ThreadPoolExecutor(len(opened)) as threads:
        shares = [queue[number :: len(opened)] for number in range(len(opened))]
        answers = [answer for share in threads.map(_store_share, opened, shares) for answer in share]
    seconds = time.perf_counter() - began
    return [status for status, _ in answers], seconds, max(taken for _, taken in answers)


def _store_share(opened: Requestor, instances: Sequence[Instance]) -> list[tuple[int, float]]:
    answers: list[tuple[int, float]] = []
    for sop_instance_uid, path in instances:
        with path.open("rb") as file:
            data = _data_set(file.fileno())
            began = time.perf_counter()
            status = opened.store(CT_STORAGE, sop_instance_uid, data).status
            answers.append((status, time.perf_counter() - began))
    return answers


def _data_set(descriptor: int) -> FileSlice:
    offset = META_ENDS_AFTER + int.from_bytes(os.pread(descriptor, 4, META_LENGTH_AT), "little")
    return FileSlice(descriptor, offset, os.fstat(descriptor).st_size - offset)


def _instances(name: str, share: int) -> list[Instance]:
    files = sets.files(name, sets.SPECS[name].count // share)
    return [(sets.sop_instance_uid(name, index), path) for index, path in enumerate(files)]


def check_found(peer: Peer, instances: dict[str, list[Instance]]) -> None:
    """Everything acknowledged is found by QIDO-RS."""
    for name, stored in instances.items():
        missing = {uid for uid, _ in stored} - peer.instances_of(sets.study_uid(name))
        if missing:
            raise RuntimeError(
                f"{len(missing)} of {len(stored)} instances of {name} were acknowledged and are not found"
            )


def dimse_processes(peer: Peer) -> list[int]:
    """The processes of the service that take associations."""
    found = [pid for pid in tree(peer.pid) if "dimse" in Path(f"/proc/{pid}/comm").read_text()]
    if not found:
        raise RuntimeError("the service has no DICOM process")
    return found


def pss_mib(pids: Sequence[int]) -> float:
    """What these processes hold together, each shared page divided among those who share it."""
    return sum(map(pss_kib, pids)) / 1024


TITLES = {
    "failures": "stores and echoes that failed",
    "opening_seconds": f"opening {ASSOCIATIONS} associations with a C-ECHO each, one after the other, s",
    "instances_a_second": f"stored over {STORING} of them at once, CT of 512 KiB and objects of 4 KiB, instances/s",
    "slowest_store_seconds": "the slowest acknowledgement, s",
    "idle_pss_mib": "PSS of all DICOM processes before, MiB",
    "open_pss_mib": f"with {ASSOCIATIONS} associations open, MiB",
    "peak_pss_mib": "at the peak, MiB",
}


def table(figures: dict[str, float]) -> str:
    """The figures as a Markdown table."""
    lines = [f"| {TITLES[key]} | {value:,.4g} |" for key, value in figures.items()]
    return "\n".join(["| | |", "|---|---:|", *lines])
