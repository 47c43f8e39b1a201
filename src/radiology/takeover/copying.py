"""`radi migrate-from`: list a foreign archive, copy it study by study, compare, and begin again where it stopped.

One thread writes what is known; the studies are copied by a few others, each on associations of its own. A study that
was being copied when the process ended is still waiting: only its instances that are not here are fetched again.
"""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import closing
from dataclasses import dataclass, field, replace
from threading import Event

from radiology.kit.bandwidth import Bandwidth
from radiology.kit.clock import monotonic_seconds
from radiology.kit.db import Writer
from radiology.remotes.copying import Copying, Outcome
from radiology.remotes.model import StoppedError
from radiology.takeover import queries
from radiology.takeover.model import Hours, Slice, recent, whole_archive
from radiology.takeover.queries import Counts

SECONDS_PER_HOUR = 3600.0

Sleep = Callable[[float], None]


@dataclass(slots=True)
class Takeover:
    """The copying of one foreign archive, which `copying` knows and which is called `source` in the tables.

    studies_per_hour: 0 for as fast as it goes. at_once: how many studies are copied at the same time.
    kib_per_second: what all of them together may bring; None for no limit.
    """

    copying: Copying
    source: str
    hours: Hours = field(default_factory=Hours)
    studies_per_hour: float = 0
    at_once: int = 1
    kib_per_second: int | None = None
    sleep: Sleep = time.sleep

    @property
    def dsn(self) -> str:
        """The database in which it is kept how far it has come."""
        return self.copying.archive.app.settings.database_dsn

    def list_studies(self, *, again: bool = False) -> Iterator[int]:
        """List all studies the first time, or `again`; the last days always. Yields how many slices wait.

        Raises PeerFailed.
        """
        with closing(Writer(self.dsn)) as writer:
            self._begin(writer, again=again)
            while part := self._next(writer):
                yield part[1]
                self._list(writer, part[0])

    def _begin(self, writer: Writer, *, again: bool) -> None:
        today = self.copying.archive.app.clock.now().date()
        with writer.transaction() as tx:
            queries.note_source(tx, self.source)
            if again:
                queries.forget_slices(tx, self.source)
            is_begun = queries.has_slices(tx, self.source)
            queries.add_slices(tx, self.source, [recent(today)] if is_begun else whole_archive(today))
            queries.compare_again(tx, self.source, recent(today).first_date)

    def _next(self, writer: Writer) -> tuple[Slice, int] | None:
        with writer.transaction() as tx:
            part = queries.next_slice(tx, self.source)
            return (part, queries.count_waiting_slices(tx, self.source)) if part else None

    def _list(self, writer: Writer, part: Slice) -> None:
        """List one slice, or divide it."""
        listing = self.copying.remote.studies(part.query)
        parts = part.parts(listing.studies) if listing.is_cut else None
        with writer.transaction() as tx:
            queries.add_studies(tx, self.source, listing.studies)
            queries.add_slices(tx, self.source, parts.slices if parts else [])
            queries.close_slice(tx, self.source, part, parts.state if parts else "listed")

    def copy(self) -> Iterator[Counts]:
        """Copy what is not whole yet, each study once; yields how far it has come after each. Waits for its hours.

        Whoever closes it stops what is being copied, too.
        """
        stopped = Event()
        copying = self._paced(stopped)
        with closing(Writer(self.dsn)) as writer, ThreadPoolExecutor(self.at_once) as pool:
            with writer.transaction() as tx:
                studies = queries.studies_to_copy(tx, self.source)
            running: dict[Future[Outcome], str] = {}
            try:
                for uid in studies:
                    self._wait_for_hours()
                    running[pool.submit(copying.study, uid)] = uid
                    self.sleep(SECONDS_PER_HOUR / self.studies_per_hour if self.studies_per_hour else 0)
                    if len(running) >= self.at_once:
                        yield self._settle(writer, running)
                while running:
                    yield self._settle(writer, running)
            finally:
                stopped.set()
                pool.shutdown(wait=True, cancel_futures=True)

    def _paced(self, stopped: Event) -> Copying:
        """Copying that keeps the limit of bandwidth, and ends when it is stopped."""
        bandwidth = Bandwidth(self.kib_per_second, now=monotonic_seconds())

        def on_bytes(size_bytes: int) -> None:
            if stopped.wait(bandwidth.pause_seconds(size_bytes, now=monotonic_seconds())):
                raise StoppedError

        return replace(self.copying, on_bytes=on_bytes)

    def _settle(self, writer: Writer, running: dict[Future[Outcome], str]) -> Counts:
        done, _ = wait(running, return_when=FIRST_COMPLETED)
        with writer.transaction() as tx:
            for future in done:
                queries.save_outcome(tx, self.source, running.pop(future), future.result())
            return queries.counts(tx, self.source)

    def _wait_for_hours(self) -> None:
        app = self.copying.archive.app
        while not self.hours.allow(app.clock.now().astimezone(app.settings.zone)):
            self.sleep(60)
