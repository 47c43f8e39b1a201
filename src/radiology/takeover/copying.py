"""`radi migrate-from AE`: list a foreign archive, copy it study by study, compare, and begin again where it stopped.

One thread writes what is known; the studies are copied by a few others, each on associations of its own. A study that
was being copied when the process ended is still waiting: only its instances that are not here are fetched again.
"""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import closing
from dataclasses import dataclass, field

from radiology.kit.db import Writer
from radiology.remotes.copying import Copying, Outcome
from radiology.takeover import queries
from radiology.takeover.model import Hours, whole_archive
from radiology.takeover.queries import Counts

SECONDS_PER_HOUR = 3600.0

Sleep = Callable[[float], None]


@dataclass(slots=True)
class Takeover:
    """The copying of one foreign archive, which `copying` knows.

    studies_per_hour: 0 for as fast as it goes. at_once: how many studies are copied at the same time.
    """

    copying: Copying
    hours: Hours = field(default_factory=Hours)
    studies_per_hour: float = 0
    at_once: int = 1
    sleep: Sleep = time.sleep

    @property
    def name(self) -> str:
        """What the foreign archive is called in the tables."""
        return self.copying.remote.entity.ae_title

    @property
    def dsn(self) -> str:
        """The database in which it is kept how far it has come."""
        return self.copying.archive.app.settings.database_dsn

    def list_studies(self) -> Iterator[int]:
        """List all studies; yields how many slices wait. Raises PeerFailed."""
        with closing(Writer(self.dsn)) as writer:
            with writer.transaction() as tx:
                if not queries.has_slices(tx, self.name):
                    queries.add_slices(tx, self.name, whole_archive(self.copying.archive.app.clock.now().date()))
                waiting = queries.waiting_slices(tx, self.name)
            while waiting:
                yield len(waiting)
                part = waiting[0]
                listing = self.copying.remote.studies(part.query)
                smaller = part.halves() if listing.is_cut else []
                state = "listed" if not listing.is_cut else "split" if smaller else "incomplete"
                with writer.transaction() as tx:
                    queries.add_studies(tx, self.name, listing.studies)
                    queries.add_slices(tx, self.name, smaller)
                    queries.close_slice(tx, self.name, part, state)
                    waiting = queries.waiting_slices(tx, self.name)

    def copy(self) -> Iterator[Counts]:
        """Copy what is not whole yet, each study once; yields how far it has come after each. Waits for its hours."""
        with closing(Writer(self.dsn)) as writer, ThreadPoolExecutor(self.at_once) as pool:
            with writer.transaction() as tx:
                studies = queries.studies_to_copy(tx, self.name)
            running: dict[Future[Outcome], str] = {}
            try:
                for uid in studies:
                    self._wait_for_hours()
                    running[pool.submit(self.copying.study, uid)] = uid
                    self.sleep(SECONDS_PER_HOUR / self.studies_per_hour if self.studies_per_hour else 0)
                    if len(running) >= self.at_once:
                        yield self._settle(writer, running)
                while running:
                    yield self._settle(writer, running)
            finally:
                pool.shutdown(wait=True, cancel_futures=True)

    def _settle(self, writer: Writer, running: dict[Future[Outcome], str]) -> Counts:
        done, _ = wait(running, return_when=FIRST_COMPLETED)
        with writer.transaction() as tx:
            for future in done:
                queries.save_outcome(tx, self.name, running.pop(future), future.result())
            return queries.counts(tx, self.name)

    def _wait_for_hours(self) -> None:
        app = self.copying.archive.app
        while not self.hours.allow(app.clock.now().astimezone(app.settings.zone)):
            self.sleep(60)
