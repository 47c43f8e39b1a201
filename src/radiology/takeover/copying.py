"""`radi migrate-from AE`: list a foreign archive, copy it study by study, compare, and begin again where it stopped.

One thread writes what is known; the studies are copied by a few others, each on associations of its own. A study that
was being copied when the process ended is still waiting: only its instances that are not here are fetched again.
"""

import hashlib
import time
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import closing
from dataclasses import dataclass, field

from radiology.dicom_network.client import ContextNotAcceptedError
from radiology.dicom_network.connection import Message
from radiology.dicom_network.transport import AssociationEndedError
from radiology.errors import RadiologyError
from radiology.kit.db import Writer
from radiology.studies.archive import Archive
from radiology.studies.index import Stored
from radiology.studies.receive import Source
from radiology.takeover import queries
from radiology.takeover.model import ForeignInstance, Hours, Outcome, whole_archive
from radiology.takeover.peer import ForeignArchive
from radiology.takeover.queries import Counts, Digest

#: How long what was moved to our DICOM port may take until the index has it.
INDEX_WAIT_SECONDS = 30.0
POLL_SECONDS = 0.1
SECONDS_PER_HOUR = 3600.0

Sleep = Callable[[float], None]


@dataclass(slots=True)
class Takeover:
    """The copying of one foreign archive.

    studies_per_hour: 0 for as fast as it goes. at_once: how many studies are copied at the same time. verify_bytes:
    after copying every study is retrieved a second time and its data sets compared with those that are here.
    """

    archive: Archive
    foreign: ForeignArchive
    hours: Hours = field(default_factory=Hours)
    studies_per_hour: float = 0
    at_once: int = 1
    verify_bytes: bool = False
    sleep: Sleep = time.sleep

    @property
    def name(self) -> str:
        """What the foreign archive is called in the tables."""
        return self.foreign.entity.ae_title

    def list_studies(self) -> Iterator[int]:
        """List all studies; yields how many slices wait. Raises Unavailable, AssociationEndedError, OSError."""
        with closing(Writer(self.archive.app.settings.database_dsn)) as writer:
            with writer.transaction() as tx:
                if not queries.has_slices(tx, self.name):
                    queries.add_slices(tx, self.name, whole_archive(self.archive.app.clock.now().date()))
                waiting = queries.waiting_slices(tx, self.name)
            while waiting:
                yield len(waiting)
                part = waiting[0]
                listing = self.foreign.studies(part)
                smaller = part.halves() if listing.is_cut else []
                state = "listed" if not listing.is_cut else "split" if smaller else "incomplete"
                with writer.transaction() as tx:
                    queries.add_studies(tx, self.name, listing.studies)
                    queries.add_slices(tx, self.name, smaller)
                    queries.close_slice(tx, self.name, part, state)
                    waiting = queries.waiting_slices(tx, self.name)

    def copy(self) -> Iterator[Counts]:
        """Copy what is not whole yet, each study once; yields how far it has come after each. Waits for its hours."""
        with (
            closing(Writer(self.archive.app.settings.database_dsn)) as writer,
            ThreadPoolExecutor(self.at_once) as pool,
        ):
            with writer.transaction() as tx:
                studies = queries.studies_to_copy(tx, self.name)
            running: dict[Future[Outcome], str] = {}
            try:
                for uid in studies:
                    self._wait_for_hours()
                    running[pool.submit(self.copy_study, uid)] = uid
                    self.sleep(SECONDS_PER_HOUR / self.studies_per_hour if self.studies_per_hour else 0)
                    if len(running) >= self.at_once:
                        yield self._settle(writer, running)
                while running:
                    yield self._settle(writer, running)
            finally:
                pool.shutdown(wait=True, cancel_futures=True)

    def copy_study(self, study_instance_uid: str) -> Outcome:
        """Copy what is missing of one study, and compare. A failure is an outcome: the others go on."""
        try:
            there = self.foreign.instances(study_instance_uid)
            missing = self._missing(there)
            stored: list[Future[Stored]] = []
            if missing and not self.foreign.get(study_instance_uid, missing, lambda m: stored.append(self._store(m))):
                self.foreign.move(study_instance_uid, missing)
                self._wait_for_index(missing)
            self.archive.arrivals.flush()
            wait(stored, INDEX_WAIT_SECONDS)
            return self._compared(study_instance_uid, there)
        except (RadiologyError, AssociationEndedError, ContextNotAcceptedError, OSError) as error:
            return Outcome("failed", detail=str(error))

    def _settle(self, writer: Writer, running: dict[Future[Outcome], str]) -> Counts:
        done, _ = wait(running, return_when=FIRST_COMPLETED)
        with writer.transaction() as tx:
            for future in done:
                queries.save_outcome(tx, self.name, running.pop(future), future.result())
            return queries.counts(tx, self.name)

    def _compared(self, study_instance_uid: str, there: list[ForeignInstance]) -> Outcome:
        if not there:
            return Outcome("failed", 0, 0, detail="The foreign archive lists no instances of it.")
        missing = self._missing(there)
        if missing:
            shown = ", ".join(instance.sop_instance_uid for instance in missing[:3])
            return Outcome("differs", len(there), len(missing), "uids", f"Not here: {shown}")
        if not self.verify_bytes:
            return Outcome("copied", len(there), 0, "uids")
        return self._compared_bytes(study_instance_uid, there)

    def _compared_bytes(self, study_instance_uid: str, there: list[ForeignInstance]) -> Outcome:
        again: set[Digest] = set()

        def take(message: Message) -> None:
            sha256 = hashlib.sha256()
            for fragment in message.data:
                sha256.update(fragment)
            uid, syntax = message.command.sop_instance_uid, message.data.transfer_syntax_uid
            again.add(Digest(uid, syntax, sha256.digest()))

        if not self.foreign.get(study_instance_uid, there, take):
            return Outcome("copied", len(there), 0, "uids", "Bytes are not compared: the peer does not offer C-GET.")
        uids = {instance.sop_instance_uid for instance in there}
        with closing(Writer(self.archive.app.settings.database_dsn)) as writer, writer.transaction() as tx:
            same = {digest.sop_instance_uid for digest in again.intersection(queries.digests(tx, list(uids)))}
        others = sorted(uids - same)
        if others:
            return Outcome("differs", len(there), 0, "bytes", f"Bytes are not the same: {', '.join(others[:3])}")
        return Outcome("copied", len(there), 0, "bytes")

    def _missing(self, there: list[ForeignInstance]) -> list[ForeignInstance]:
        with closing(Writer(self.archive.app.settings.database_dsn)) as writer, writer.transaction() as tx:
            here = queries.present(tx, [instance.sop_instance_uid for instance in there])
        return [instance for instance in there if instance.sop_instance_uid not in here]

    def _store(self, message: Message) -> Future[Stored]:
        settings = self.archive.app.settings
        facility = self.foreign.entity.facility_code or settings.facility_code
        with self.archive.receive_data_set(
            Source(facility, self.name, actor="migration"),
            sop_class_uid=message.command.sop_class_uid,
            sop_instance_uid=message.command.sop_instance_uid,
            transfer_syntax_uid=message.data.transfer_syntax_uid,
        ) as reception:
            for fragments in message.data.batches():
                reception.write_all(fragments)
            arrival = reception.finish()
        return self.archive.arrivals.submit(arrival)

    def _wait_for_index(self, moved: list[ForeignInstance]) -> None:
        until = time.monotonic() + INDEX_WAIT_SECONDS
        while self._missing(moved) and time.monotonic() < until:
            time.sleep(POLL_SECONDS)

    def _wait_for_hours(self) -> None:
        app = self.archive.app
        while not self.hours.allow(app.clock.now().astimezone(app.settings.zone)):
            self.sleep(60)
