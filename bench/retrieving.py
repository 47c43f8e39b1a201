"""Retrieving: one study of 100 CT out of Orthanc and out of this service, by C-GET and by C-MOVE, and the ratio.

The same DCMTK tools fetch from both, and write nothing: `getscu --ignore`, and `movescu` to a `storescp --ignore`.
"""

import http.client
import json
import os
import statistics
import subprocess
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from bench import check, results, sets
from bench.peers import SERVERS, Peer, answers, free_port, running
from bench.sending import dcmsend
from bench.storing import Row

INSTANCES = 100
REPEATS = 5
DESTINATION, REQUESTER = "DEST", "BENCH"
SECONDS = 120
NODELAY = {**os.environ, "TCP_NODELAY": "1"}


@dataclass(frozen=True)
class Case:
    """One line of the table: the tool that asks, and what its log calls the final response."""

    key: str
    title: str
    tool: str
    final: str

    def retrieve(self, peer: Peer, study_instance_uid: str, *, verbose: bool = False) -> float:
        """Retrieve the study once; seconds. With `verbose` the tool's log must tell of success too."""
        options = ["-v"] if verbose else []
        move = ["--move", DESTINATION] if self.tool == "movescu" else ["--ignore"]
        argv = [self.tool, "-S", "-aet", REQUESTER, "-aec", peer.ae_title, *move, "127.0.0.1", str(peer.dicom_port),
                "-k", "QueryRetrieveLevel=STUDY", "-k", f"StudyInstanceUID={study_instance_uid}", *options]  # fmt: skip
        began = time.perf_counter()
        done = subprocess.run(argv, env=NODELAY, capture_output=True, text=True, timeout=SECONDS, check=False)
        seconds = time.perf_counter() - began
        if done.returncode != 0:
            raise RuntimeError(f"{self.tool} from {peer.name} gave {done.returncode}: {done.stderr[-1000:]}")
        if verbose and f"{self.final} (Success)" not in done.stdout + done.stderr:
            raise RuntimeError(f"{self.tool} did not get all from {peer.name}: {done.stderr[-1000:]}")
        return seconds


CASES = (
    Case("get", "C-GET of 100 CT of 512 KiB by `getscu`", "getscu", "C-GET Response"),
    Case("move", "C-MOVE of 100 CT of 512 KiB by `movescu` to `storescp`", "movescu", "Final Move Response"),
)


@contextmanager
def destination(peer: Peer) -> Generator[None]:
    """DCMTK's receiver that writes nothing, known to the server as a move destination."""
    port = free_port()
    with running(["storescp", "--ignore", "-aet", DESTINATION, str(port)], {"TCP_NODELAY": "1"}, Path(os.devnull)):
        while not answers(port, None):
            time.sleep(0.02)
        for ae_title in (DESTINATION, REQUESTER):
            put(peer, *registration(peer, ae_title, port))
        yield


def registration(peer: Peer, ae_title: str, port: int) -> tuple[str, dict[str, object]]:
    """Where a server is told of an application entity, and how."""
    if peer.name == "orthanc":
        return f"/modalities/{ae_title}", {"AET": ae_title, "Host": "127.0.0.1", "Port": port}
    body = {"host": "127.0.0.1", "port": port, "moveDestination": True}
    return f"/api/radiology/application-entities/{ae_title}", body


def put(peer: Peer, path: str, body: dict[str, object]) -> None:
    """PUT JSON; anything but success is an error."""
    connection = http.client.HTTPConnection("127.0.0.1", peer.http_port, timeout=30)
    connection.request("PUT", path, json.dumps(body), {**peer.headers, "Content-Type": "application/json"})
    answer = connection.getresponse()
    text = answer.read()
    connection.close()
    if answer.status >= 300:
        raise RuntimeError(f"{peer.name}: PUT {path} gave {answer.status}: {text[:300]!r}")


def run(*, only: str | None, rounds: int, quick: bool) -> int:
    """Measure and print; a whole run of both servers is written and judged. The exit status."""
    rows = measure([only] if only else ["orthanc", "ours"], rounds)
    print(table(rows))
    if only or quick:
        return 0
    ratios = {f"{row.case}_ratio": round(ratio, 2) for row in rows if (ratio := row.ratio()) is not None}
    results.write("retrieving", ratios, {"instances_a_second": [asdict(row) for row in rows]}, table(rows))
    return check.check(["retrieving"])


def measure(servers: list[str], rounds: int) -> list[Row]:
    """Every case of every server, by turns; who begins alternates too."""
    rows = [Row(case.key, case.title, {}) for case in CASES]
    files = sets.files("ct", INSTANCES)
    for number in range(rounds):
        for name in servers if number % 2 == 0 else list(reversed(servers)):
            with SERVERS[name]() as peer:
                dcmsend(peer, [files], nodelay=True)
                with destination(peer):
                    for case, row in zip(CASES, rows, strict=True):
                        case.retrieve(
                            peer, sets.study_uid("ct"), verbose=True
                        )  # The first one fills caches, of both alike.
                        seconds = [case.retrieve(peer, sets.study_uid("ct")) for _ in range(REPEATS)]
                        rate = INSTANCES / statistics.median(seconds)
                        row.rounds.setdefault(name, []).append(round(rate, 1))
                        print(f"round {number + 1}  {case.key:5}  {name:8} {rate:8.1f}/s", flush=True)
    return rows


def table(rows: list[Row]) -> str:
    """The medians and their ratio as a Markdown table; instances a second."""
    budgets = check.load()["retrieving"]
    lines = ["| case | Orthanc | ours | ratio | to reach | ok |", "|---|---:|---:|---:|---:|---|"]
    for row in rows:
        budget, ratio = budgets[f"{row.case}_ratio"], row.ratio()
        medians = [f"{row.median(name) or 0:,.0f}" for name in ("orthanc", "ours")]
        verdict = "" if ratio is None else "yes" if budget.kept_by(round(ratio, 2)) else "no"
        shown = "" if ratio is None else f"{ratio:.2f}"
        lines.append(f"| {row.title} | {medians[0]} | {medians[1]} | {shown} | {budget.limit:g} | {verdict} |")
    return "\n".join(lines)
