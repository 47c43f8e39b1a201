"""What `radi migrate-from` shows: a line of progress, the sum at the end, and the report."""

import csv
import sys
from contextlib import closing
from dataclasses import astuple, fields

from radiology.errors import Conflict, PeerFailed
from radiology.kit import slots
from radiology.kit.db import Writer
from radiology.settings import Settings
from radiology.takeover import queries
from radiology.takeover.copying import Takeover
from radiology.takeover.model import Slice
from radiology.takeover.queries import ReportLine

SHOWN = 20


def run(takeover: Takeover, *, again: bool = False) -> int:
    """List and copy, with progress on a terminal; 0 when every study is whole, else 1.

    Raises PeerFailed, and Conflict where another process copies the same archive.
    """
    place = slots.take(takeover.copying.archive.app.settings.run_dir / "takeovers", takeover.source, 1)
    if place is None:
        raise Conflict(f"{takeover.source} is being copied already, by another radi migrate-from.")
    try:
        return _run(takeover, again=again)
    finally:
        place.give_back()


def _run(takeover: Takeover, *, again: bool) -> int:
    try:
        for waiting in takeover.list_studies(again=again):
            _show(f"listing, {waiting} queries to go")
    except PeerFailed as error:
        raise PeerFailed(f"{error.sentence} Start again to go on from here.") from error
    for counts in takeover.copy():
        _show(f"{counts.copied} copied, {counts.waiting} to go, {counts.differs} differ, {counts.failed} failed")
    _show("\n")
    with closing(Writer(takeover.dsn)) as writer, writer.transaction() as tx:
        counts = queries.counts(tx, takeover.source)
        incomplete = queries.incomplete_slices(tx, takeover.source)
    print(f"{counts.copied} copied, {counts.waiting} waiting, {counts.differs} differ, {counts.failed} failed.")
    if incomplete:
        _print_incomplete(incomplete)
    return 1 if counts.waiting or counts.differs or counts.failed or incomplete else 0


def print_report(settings: Settings, source: str) -> None:
    """Every study and what became of it, as CSV, what is not whole first."""
    with closing(Writer(settings.database_dsn)) as writer, writer.transaction() as tx:
        lines = queries.report(tx, source)
    table = csv.writer(sys.stdout)
    table.writerow([column.name for column in fields(ReportLine)])
    table.writerows(astuple(line) for line in lines)


def _print_incomplete(incomplete: list[Slice]) -> None:
    print("The foreign archive may have more of these, since it does not give all that match a query:")
    for part in incomplete[:SHOWN]:
        print(f"  {part.sentence}")
    if len(incomplete) > SHOWN:
        print(f"  and {len(incomplete) - SHOWN} more")
    print(
        "Let it give more answers to one query and start again with --again and --limit as high as that, "
        "or compare its own list of them with --report and send here what is missing."
    )


def _show(line: str) -> None:
    if sys.stderr.isatty():
        print(f"\r  {line:<70}", end="", file=sys.stderr, flush=True)
