"""DICOMweb: searching and retrieving beside Orthanc with its DICOMweb plugin, with `wrk` and four connections.

Each server holds the same studies and is asked for the same, by turns; what is asked for differs from request to
request. The answers are checked before the clock starts: a server that answers quickly and wrongly fails the run.
"""

import http.client
import json
import re
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from bench import check, results, sets
from bench.finding import MANY, QUICK_STUDIES, STUDIES, Study, fill, grow
from bench.peers import SERVERS, Peer
from bench.sending import dcmsend

SECONDS, QUICK_SECONDS = 3.0, 0.5
CONNECTIONS = 4
QUERIES_AT_A_MILLION = 300
JSON, PARTS = "application/dicom+json", 'multipart/related; type="application/octet-stream"; transfer-syntax=*'
WHOLE = 'multipart/related; type="application/dicom"; transfer-syntax=*'
CT = "ct"

LUA = """
local paths = {}
for line in io.lines("%s") do paths[#paths + 1] = line end
local at = math.random(#paths)
request = function()
  at = at %% #paths + 1
  return wrk.format("GET", paths[at])
end
"""


@dataclass(frozen=True)
class Case:
    """One line of the table: what is asked for, below the DICOMweb base, and in which form."""

    key: str
    title: str
    wanted: float
    paths: Callable[[int], Iterator[str]]
    accept: str = JSON
    mebibytes: float = 0
    """What one answer holds; then the figure is MiB a second."""


def _studies(count: int) -> Iterator[Study]:
    return (Study(number * 7919 % count) for number in range(2_000))


# `^` and `*` are sent as they are: the plugin of the peer does not decode them in a query.
def _ten_days(study: Study) -> str:
    return f"StudyDate={study.day}-{date.fromisoformat(study.day) + timedelta(days=9):%Y%m%d}"


def _search(parameters: Callable[[Study], str]) -> Callable[[int], Iterator[str]]:
    return lambda count: (f"/studies?{parameters(study)}" for study in _studies(count))


def _ct(index: int, per_series: int = 250) -> str:
    series = sets.uid(CT, "series", index // per_series)
    return f"/studies/{sets.study_uid(CT)}/series/{series}/instances/{sets.sop_instance_uid(CT, index)}"


def _frames(ending: str, count: int = 1_000) -> Callable[[int], Iterator[str]]:
    return lambda _: (f"{_ct(index)}{ending}" for index in range(count))


def _windows(_: int) -> Iterator[str]:
    """Each picture asked for once: a thousand images in windows that nobody has asked for before."""
    return (
        f"{_ct(index)}/rendered?window={40 + turn},{400 + index},linear" for turn in range(12) for index in range(1_000)
    )


def _study(ending: str) -> Callable[[int], Iterator[str]]:
    return lambda _: iter([f"/studies/{sets.study_uid('hundred')}{ending}"])


SEARCHES = (
    Case("limit_50", "QIDO-RS studies, `limit=50`", 50, _search(lambda study: f"limit=50&offset={study.number % 7}")),
    Case("patient_id", "by PatientID", 50, _search(lambda study: f"PatientID=P{study.number:08d}")),
    Case("accession_number", "by AccessionNumber", 50, _search(lambda study: f"AccessionNumber=A{study.number:08d}")),
    Case("date_range", "by a range of ten days, `limit=50`", 50, _search(lambda study: f"{_ten_days(study)}&limit=50")),
    Case(
        "name_and_modality", "by a name with a wildcard and ModalitiesInStudy", 50,
        _search(lambda study: f"PatientName={study.name[:-1]}*&ModalitiesInStudy={study.modality}"),
    ),
)  # fmt: skip
RETRIEVALS = (
    Case("metadata_series", "metadata of a series of 50", 30,
         lambda _: iter([f"/studies/{sets.study_uid('fifty')}/series/{sets.uid('fifty', 'series', 0)}/metadata"])),
    Case("metadata_study", "metadata of a study of 100", 30, _study("/metadata")),
    Case("frame", "a frame of 512 KiB", 3, _frames("/frames/1"), PARTS),
    Case("rendered_once", "a rendered frame, each asked once", 1.5, _windows, "image/jpeg"),
    Case("rendered_again", "a rendered frame, asked again", 10, _frames("/rendered", 20), "image/jpeg"),
    Case("study", "a study of 100 CT as multipart, MiB/s", 1, _study(""), WHOLE, mebibytes=50),
)  # fmt: skip
CASES = (*SEARCHES, *RETRIEVALS)


def run(*, only: str | None, rounds: int, quick: bool, cases: Sequence[str] = ()) -> int:
    """Measure and print; a whole run is written and judged. The exit status."""
    names = [only] if only else ["orthanc", "ours"]
    count, seconds, rounds = (QUICK_STUDIES, QUICK_SECONDS, 1) if quick else (STUDIES, SECONDS, rounds)
    chosen = [case for case in CASES if not cases or case.key in cases]
    rates: dict[str, dict[str, list[float]]] = {}
    figures: dict[str, float] = {}
    with ExitStack() as stack:
        servers = {name: stack.enter_context(SERVERS[name]()) for name in names}
        for peer in servers.values():
            prepare(peer, count, searching=any(case in SEARCHES for case in chosen))
        for turn in range(rounds):
            for case in chosen:
                for name in names if turn % 2 == 0 else reversed(names):
                    rate = measure(servers[name], case, count, seconds)
                    rates.setdefault(case.key, {}).setdefault(name, []).append(rate)
                    print(f"round {turn + 1}  {case.key:18} {name:8} {rate:8.1f}/s", flush=True)
        if "ours" in servers and not quick and not cases:
            figures |= at_a_million(servers["ours"])
    medians = {key: {name: statistics.median(values) for name, values in found.items()} for key, found in rates.items()}
    text = table(chosen, medians, figures)
    print(text)
    if quick or only or cases:
        return 0
    figures |= {f"{key}_ratio": found["ours"] / found["orthanc"] for key, found in medians.items()}
    results.write("web", {key: round(value, 2) for key, value in figures.items()}, {"a_second": rates}, text)
    return check.check(["web"])


def prepare(peer: Peer, count: int, *, searching: bool) -> None:
    """The same studies in each server: many small ones to search, and some of images to retrieve."""
    if searching:
        fill(peer, count)
    dcmsend(peer, [sets.files(CT)], nodelay=True)
    dcmsend(peer, [sets.files("hundred")], nodelay=True)
    dcmsend(peer, [sets.files("fifty")], nodelay=True)


def measure(peer: Peer, case: Case, count: int, seconds: float) -> float:
    """Requests a second with four connections, or MiB a second."""
    paths = [peer.dicomweb + path for path in case.paths(count)]
    _must_answer(peer, paths[0], case)
    with tempfile.TemporaryDirectory() as folder:
        listed, script = Path(folder) / "paths", Path(folder) / "paths.lua"
        listed.write_text("\n".join(paths) + "\n")
        script.write_text(LUA % listed)
        headers = {**peer.headers, "Accept": case.accept}
        argv = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{max(seconds, 1):.0f}s", "--timeout", "60s", "-s", str(script)]
        argv += [word for name, value in headers.items() for word in ("-H", f"{name}: {value}")]
        said = subprocess.run(
            [*argv, f"http://127.0.0.1:{peer.http_port}"], capture_output=True, text=True, timeout=300, check=True
        ).stdout
    if re.search(r"Non-2xx|connect [1-9]|timeout [1-9]", said):
        raise RuntimeError(f"{peer.name}: {case.key} was not answered as it should be: {said}")
    found = re.search(r"Requests/sec:\s*([\d.]+)", said)
    moved = re.search(r"Transfer/sec:\s*([\d.]+)([KMG])B", said)
    if found is None or moved is None:
        raise RuntimeError(f"wrk did not say how many requests were answered: {said}")
    mebibytes = float(moved[1]) * {"K": 1 / 1024, "M": 1, "G": 1024}[moved[2]]
    return mebibytes if case.mebibytes else float(found[1])


def _must_answer(peer: Peer, path: str, case: Case) -> None:
    body = peer.get(path, case.accept)
    if case.accept == JSON and not json.loads(body):
        raise RuntimeError(f"{peer.name} finds nothing for {path}")
    if case.mebibytes and len(body) < case.mebibytes * 1024 * 1024:
        raise RuntimeError(f"{peer.name} gives {len(body)} bytes for {path}")


# --- A million --------------------------------------------------------------------------------------------------------


def at_a_million(peer: Peer) -> dict[str, float]:
    """Milliseconds of the slowest hundredth of each search with a million studies, one connection."""
    grow(peer)
    figures: dict[str, float] = {}
    connection = http.client.HTTPConnection("127.0.0.1", peer.http_port, timeout=60)
    for case in SEARCHES:
        paths = list(case.paths(MANY))[: QUERIES_AT_A_MILLION + 20]
        times: list[float] = []
        for path in paths:
            began = time.perf_counter()
            connection.request("GET", peer.dicomweb + path, headers={**peer.headers, "Accept": JSON})
            answer = connection.getresponse()
            body = answer.read()
            times.append((time.perf_counter() - began) * 1000)
            if answer.status != 200 or body == b"[]":
                raise RuntimeError(f"{path} gave {answer.status}: {body[:200]!r}")
        slow = sorted(times[20:])[int(QUERIES_AT_A_MILLION * 0.99) - 1]
        figures[f"{case.key}_p99_ms"] = round(slow, 2)
        print(f"a million  {case.key:18} median {statistics.median(times):6.2f} ms, p99 {slow:6.2f} ms", flush=True)
    connection.close()
    return figures


def table(cases: Sequence[Case], medians: dict[str, dict[str, float]], million: dict[str, float]) -> str:
    """The medians, their ratio, and the slowest hundredth at a million studies, as a Markdown table."""
    lines = ["| case | Orthanc | ours | ratio | to reach | p99 at 1,000,000 |", "|---|---:|---:|---:|---:|---:|"]
    for case in cases:
        theirs, own = medians[case.key].get("orthanc"), medians[case.key].get("ours")
        ratio = f"{own / theirs:.2f}" if own and theirs else ""
        slow = million.get(f"{case.key}_p99_ms")
        shown = f"{slow:.1f} ms" if slow is not None else ""
        lines.append(f"| {case.title} | {theirs or 0:,.1f} | {own or 0:,.1f} | {ratio} | {case.wanted:g} | {shown} |")
    return "\n".join(lines)
