"""Putting a study of 2,000 instances right: seconds from asking until each outlet shows it.

Its patient is corrected, then all of it is moved to the study of another patient, and the move is undone. After each
repair the outlets are asked one after the other: QIDO-RS, C-FIND by `findscu`, WADO-RS metadata of a series, WADO-RS
of an instance, C-GET of an instance by `getscu`. What one needs is not added to the time of the next.
"""

import http.client
import json
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Any

from pydicom import dcmread

from bench import check, results, sets
from bench.peers import Peer, bearer_token, ours, service_environment
from bench.sending import dcmsend

SET, TARGET = "small", "warm"
QUICK_INSTANCES = 200
SECONDS = 60
DICOM_JSON = "application/dicom+json"
AS_STORED = "application/dicom; transfer-syntax=*"
REPAIRS = ("correct", "move", "undo")
OUTLETS = ("answer", "qido", "find", "metadata", "instance", "get")


@dataclass
class Expected:
    """What is to be seen: one instance, its series and study, how many that has, and its patient."""

    study: str
    count: int
    patient: str
    series: str = ""
    instance: str = ""


@dataclass
class Times:
    """Seconds by repair and outlet, one of each round."""

    seconds: dict[tuple[str, str], list[float]] = field(default_factory=dict[tuple[str, str], list[float]])

    def add(self, repair: str, outlet: str, seconds: float) -> None:
        self.seconds.setdefault((repair, outlet), []).append(seconds)

    def median(self, repair: str, outlet: str) -> float:
        return statistics.median(self.seconds[repair, outlet])


def run(*, rounds: int, quick: bool) -> int:
    """Measure, print, write and judge. The exit status."""
    times = Times()
    with ours() as peer:
        files = sets.files(SET, QUICK_INSTANCES if quick else None)
        dcmsend(peer, [files], nodelay=True)
        dcmsend(peer, [sets.files(TARGET)], nodelay=True)
        for number in range(rounds):
            measure(Clerk(peer), times, len(files), number)
    figures = {f"{repair}_seconds": max(times.median(repair, outlet) for outlet in OUTLETS) for repair in REPAIRS}
    text = table(times)
    print(text)
    if quick:
        return 0
    details = {f"{repair} {outlet}": times.median(repair, outlet) for repair in REPAIRS for outlet in OUTLETS}
    results.write("repair", figures, {"seconds": details}, text)
    return check.check(["repair"])


def table(times: Times) -> str:
    """The medians for readers."""
    titles = ("the answer", "QIDO-RS", "C-FIND", "metadata", "instance", "C-GET")
    lines = [f"| seconds until it is shown by | {' | '.join(titles)} |", "|---|" + "---:|" * len(OUTLETS)]
    for repair in REPAIRS:
        cells = (f"{times.median(repair, outlet):.2f}" for outlet in OUTLETS)
        lines.append(f"| {repair} | {' | '.join(cells)} |")
    return "\n".join(lines)


def measure(clerk: "Clerk", times: Times, count: int, number: int) -> None:
    """One round: correct, move, undo."""
    source, target = sets.study_uid(SET), sets.study_uid(TARGET)
    patient = f"ROUND{number}"
    there = len(sets.files(TARGET))
    right = {"reason": "Measured.", "patient": {"id": patient, "name": f"RIGHT^{patient}"}}
    place = "/api/radiology/reconciliation/studies"
    clerk.repair(times, "correct", f"{place}/{source}/correct", right, Expected(source, count, patient))
    moved = {"reason": "Measured.", "to": {"study": target}}
    expected = Expected(target, count + there, f"BENCH-{TARGET}")
    repair = clerk.repair(times, "move", f"{place}/{source}/move", moved, expected)
    undone = {"reason": "Measured."}
    path = f"/api/radiology/repairs/{repair['id']}/undo"
    clerk.repair(times, "undo", path, undone, Expected(source, count, patient))


class Clerk:
    """Asks for repairs, and looks what is served."""

    def __init__(self, peer: Peer) -> None:
        if peer.data is None:
            raise RuntimeError("only this service is put right")
        self._peer = peer
        environment = service_environment(peer.data, peer.http_port, peer.dicom_port)
        self._headers = {"Authorization": f"Bearer {bearer_token(environment, 'records')}"}
        self._connection = http.client.HTTPConnection("127.0.0.1", peer.http_port, timeout=SECONDS)

    def repair(self, times: Times, name: str, path: str, body: Mapping[str, Any], expected: Expected) -> dict[str, Any]:
        """Ask for a repair, and for each outlet until it shows what is expected. Returns the repair."""
        began = time.perf_counter()
        made = json.loads(self._ask("POST", path, json.dumps(body)))
        answered = time.perf_counter() - began
        times.add(name, "answer", answered)
        looks: dict[str, Callable[[], bool]] = {
            "qido": partial(self._by_qido, expected),
            "find": partial(self._by_find, expected),
            "metadata": partial(self._by_metadata, expected),
            "instance": partial(self._by_instance, expected),
            "get": partial(self._by_get, expected),
        }
        for outlet, look in looks.items():
            self._name_one(expected)
            asked = time.perf_counter()
            while not look():
                if time.perf_counter() - asked > SECONDS:
                    raise RuntimeError(f"{outlet} does not show the repair {name}")
            times.add(name, outlet, answered + time.perf_counter() - asked)
        return made

    def _name_one(self, expected: Expected) -> None:
        """An instance that was repaired: copies have the newest series."""
        if expected.instance:
            return
        query = f"/dicomweb/studies/{expected.study}/series?includefield=00201209"
        series = json.loads(self._ask("GET", query, accept=DICOM_JSON))
        largest = max(series, key=lambda one: one["00201209"]["Value"][0])
        expected.series = largest["0020000E"]["Value"][0]
        query = f"/dicomweb/studies/{expected.study}/series/{expected.series}/instances?limit=1"
        (one,) = json.loads(self._ask("GET", query, accept=DICOM_JSON))
        expected.instance = one["00080018"]["Value"][0]

    def _by_qido(self, expected: Expected) -> bool:
        found = json.loads(self._ask("GET", f"/dicomweb/studies?StudyInstanceUID={expected.study}", accept=DICOM_JSON))
        return [(one["00100020"]["Value"][0], one["00201208"]["Value"][0]) for one in found] == [
            (expected.patient, expected.count)
        ]

    def _by_find(self, expected: Expected) -> bool:
        keys = {"QueryRetrieveLevel": "STUDY", "StudyInstanceUID": expected.study, "PatientID": "",
                "NumberOfStudyRelatedInstances": ""}  # fmt: skip
        with tempfile.TemporaryDirectory() as folder:
            self._dcmtk("findscu", folder, keys, "-X")
            found = [dcmread(path, force=True) for path in Path(folder).glob("rsp*")]
        return [(ds.PatientID, int(ds.NumberOfStudyRelatedInstances)) for ds in found] == [
            (expected.patient, expected.count)
        ]

    def _by_metadata(self, expected: Expected) -> bool:
        path = f"/dicomweb/studies/{expected.study}/series/{expected.series}/metadata"
        found = json.loads(self._ask("GET", path, accept=DICOM_JSON))
        return {one["00100020"]["Value"][0] for one in found} == {expected.patient}

    def _by_instance(self, expected: Expected) -> bool:
        path = f"/dicomweb/studies/{expected.study}/series/{expected.series}/instances/{expected.instance}"
        return bool(dcmread(BytesIO(self._ask("GET", path, accept=AS_STORED))).PatientID == expected.patient)

    def _by_get(self, expected: Expected) -> bool:
        keys = {"QueryRetrieveLevel": "IMAGE", "StudyInstanceUID": expected.study,
                "SeriesInstanceUID": expected.series, "SOPInstanceUID": expected.instance}  # fmt: skip
        with tempfile.TemporaryDirectory() as folder:
            self._dcmtk("getscu", folder, keys)
            found = [dcmread(path) for path in Path(folder).iterdir()]
        return [ds.PatientID for ds in found] == [expected.patient]

    def _dcmtk(self, tool: str, folder: str, keys: Mapping[str, str], *more: str) -> None:
        asked = [argument for key, value in keys.items() for argument in ("-k", f"{key}={value}" if value else key)]
        argv = [tool, "-S", *more, "-od", folder, "-aec", self._peer.ae_title, "127.0.0.1",
                str(self._peer.dicom_port), *asked]  # fmt: skip
        done = subprocess.run(argv, capture_output=True, text=True, timeout=SECONDS, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"{tool} gave {done.returncode}: {done.stderr[-1000:]}")

    def _ask(self, method: str, path: str, body: str | None = None, *, accept: str = "application/json") -> bytes:
        headers = {**self._headers, "Accept": accept, "Content-Type": "application/json"}
        self._connection.request(method, path, body, headers)
        answer = self._connection.getresponse()
        content = answer.read()
        if answer.status not in (200, 201, 204):
            raise RuntimeError(f"{method} {path} gave {answer.status}: {content[:300]!r}")
        return content or b"[]"
