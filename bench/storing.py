"""Storing: the same generated instances into Orthanc and into this service, by turns, and the ratio of the two."""

import os
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from bench import check, results, sets
from bench.peers import SERVERS, Peer
from bench.sending import dcmsend, stow

STOW_REQUEST = 100
QUICK_SHARE = 10  # `--quick` sends a tenth: to see that the harness works, not to judge.

Groups = Sequence[Sequence[Path]]


@dataclass(frozen=True)
class Case:
    """One line of the table: which sets are sent, each over an association of its own, and how."""

    key: str
    title: str
    sets: tuple[str, ...]
    nodelay: bool = True
    stow: bool = False

    def send(self, peer: Peer, groups: Groups) -> float:
        """Store `groups`; seconds."""
        if self.stow:
            return stow(peer, groups)
        return dcmsend(peer, groups, nodelay=self.nodelay)

    def groups(self, quick: bool) -> Groups:
        """The files of one association (or request) each."""
        share = QUICK_SHARE if quick else 1
        groups = [sets.files(name, sets.SPECS[name].count // share) for name in self.sets]
        if self.stow:
            return [group[at : at + STOW_REQUEST] for group in groups for at in range(0, len(group), STOW_REQUEST)]
        return groups


CT_FOUR = tuple(f"ct-four-{n}" for n in range(1, 5))
SMALL_FOUR = tuple(f"small-four-{n}" for n in range(1, 5))

CASES = (
    Case("ct_one", "1,000 CT of 512 KiB, one association, `TCP_NODELAY=1` at the sender", ("ct",)),
    Case("ct_one_default", "the same, sender with default sockets", ("ct",), nodelay=False),
    Case("small_one", "2,000 objects of 4 KiB, one association, `TCP_NODELAY=1`", ("small",)),
    Case("small_one_default", "the same, sender with default sockets", ("small",), nodelay=False),
    Case("small_four", "four associations at once, 500 objects of 4 KiB each", SMALL_FOUR),
    Case("ct_four", "four associations at once, 250 CT of 512 KiB each", CT_FOUR),
    Case("ct_stow", "STOW-RS, 100 objects of 512 KiB in one request, 10 requests", ("ct",), stow=True),
    Case("small_stow", "STOW-RS, 100 objects of 4 KiB in one request, 20 requests", ("small",), stow=True),
)


@dataclass(frozen=True)
class Row:
    """A measured case: instances a second by server, a figure for each round."""

    case: str
    title: str
    rounds: dict[str, list[float]]

    def median(self, server: str) -> float | None:
        """The median of the server's rounds, instances a second; None when it was not measured."""
        figures = self.rounds.get(server)
        return statistics.median(figures) if figures else None

    def ratio(self) -> float | None:
        """This service divided by Orthanc; None when one of them was not measured."""
        ours, orthanc = self.median("ours"), self.median("orthanc")
        return ours / orthanc if ours and orthanc else None


def run(*, only: str | None, rounds: int, quick: bool, cases: Sequence[str]) -> int:
    """Measure and print; a whole run of both servers is written and judged. The exit status."""
    chosen = [case for case in CASES if not cases or case.key in cases]
    rows = measure(chosen, [only] if only else ["orthanc", "ours"], rounds, quick)
    print(table(rows))
    if only or quick or cases:
        return 0  # Part of a run judges nothing: a ratio is of one whole run.
    ratios = {f"{row.case}_ratio": round(ratio, 2) for row in rows if (ratio := row.ratio()) is not None}
    results.write("storing", ratios, {"instances_a_second": [asdict(row) for row in rows]}, table(rows))
    return check.check(["storing"])


def measure(cases: Sequence[Case], servers: Sequence[str], rounds: int, quick: bool) -> list[Row]:
    """Every case into every server, `rounds` times. Servers alternate case by case, and who begins alternates too."""
    rows = [Row(case.key, case.title, {}) for case in cases]
    for number in range(rounds):
        for case, row in zip(cases, rows, strict=True):
            for name in servers if number % 2 == 0 else list(reversed(servers)):
                if case.stow and name == "ceiling":
                    continue  # It speaks DICOM only.
                rate = store_once(name, case, case.groups(quick))
                row.rounds.setdefault(name, []).append(round(rate, 1))
                print(f"round {number + 1}  {case.key:18}  {name:8} {rate:8.1f}/s", flush=True)
    return rows


def store_once(name: str, case: Case, groups: Groups) -> float:
    """One case into a server that has just started with an empty archive; instances a second, checked afterwards."""
    _read_ahead(groups)
    os.sync()  # What others left unwritten must not be charged to this case.
    with SERVERS[name]() as peer:
        case.send(peer, [sets.files("warm")])
        seconds = case.send(peer, groups)
        if name != "ceiling":
            check_all_found(peer, case, sum(map(len, groups)))
    return sum(map(len, groups)) / seconds


def _read_ahead(groups: Groups) -> None:
    for group in groups:
        for path in group:
            path.read_bytes()


def check_all_found(peer: Peer, case: Case, total: int) -> None:
    """Everything acknowledged must be found by QIDO-RS at once, instance by instance, and nothing else."""
    for name in case.sets:
        expected = {sets.sop_instance_uid(name, index) for index in range(total // len(case.sets))}
        found = peer.instances_of(sets.study_uid(name))
        if found != expected:
            raise RuntimeError(
                f"{peer.name} after {case.key}: {len(expected - found)} of {len(expected)} instances of {name} are "
                f"not found, {len(found - expected)} were not sent"
            )


def table(rows: Sequence[Row]) -> str:
    """The medians, their ratio and the ratio to reach, as a Markdown table; instances a second."""
    budgets = check.load()["storing"]
    others = sorted({name for row in rows for name in row.rounds} - {"orthanc", "ours"})
    heads = ["case", "Orthanc", "ours", *others, "ratio", "to reach", "ok"]
    lines = ["| " + " | ".join(heads) + " |", "|---" + "|---:" * (len(heads) - 2) + "|---|"]
    for row in rows:
        budget, ratio = budgets[f"{row.case}_ratio"], row.ratio()
        medians = [_cell(row.median(name), 0) for name in ("orthanc", "ours", *others)]
        verdict = "" if ratio is None else "yes" if budget.kept_by(round(ratio, 2)) else "no"
        lines.append("| " + " | ".join([row.title, *medians, _cell(ratio, 2), f"{budget.limit:g}", verdict]) + " |")
    return "\n".join(lines)


def _cell(figure: float | None, digits: int) -> str:
    return "" if figure is None else f"{figure:,.{digits}f}"
