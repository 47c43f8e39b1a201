"""What `radi migrate-from` shows: a line of progress, the sum at the end, and the report."""

import csv
import sys
from contextlib import closing
from dataclasses import astuple, fields

from radiology.errors import PeerFailed
from radiology.kit.db import Writer
from radiology.settings import Settings
from radiology.takeover import queries
from radiology.takeover.copying import Takeover
from radiology.takeover.queries import ReportLine


def run(takeover: Takeover) -> int:
    """List and copy, with progress on a terminal; 0 when every study is whole, else 1. Raises PeerFailed."""
    try:
        for waiting in takeover.list_studies():
            _show(f"listing, {waiting} queries to go")
    except PeerFailed as error:
        raise PeerFailed(f"{error.sentence} Start again to go on from here.") from error
    for counts in takeover.copy():
        _show(f"{counts.copied} copied, {counts.waiting} to go, {counts.differs} differ, {counts.failed} failed")
    _show("\n")
    with closing(Writer(takeover.dsn)) as writer, writer.transaction() as tx:
        counts = queries.counts(tx, takeover.name)
    print(f"{counts.copied} copied, {counts.waiting} waiting, {counts.differs} differ, {counts.failed} failed.")
    if counts.incomplete:
        print(f"{counts.incomplete} queries could not be listed whole: the foreign archive may have more studies.")
    return 1 if counts.waiting or counts.differs or counts.failed or counts.incomplete else 0


def print_report(settings: Settings, source: str) -> None:
    """Every study and what became of it, as CSV, what is not whole first."""
    with closing(Writer(settings.database_dsn)) as writer, writer.transaction() as tx:
        lines = queries.report(tx, source)
    table = csv.writer(sys.stdout)
    table.writerow([column.name for column in fields(ReportLine)])
    table.writerows(astuple(line) for line in lines)


def _show(line: str) -> None:
    if sys.stderr.isatty():
        print(f"\r  {line:<70}", end="", file=sys.stderr, flush=True)
