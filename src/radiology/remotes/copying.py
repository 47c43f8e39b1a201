"""Copy one study of another archive: what is missing here is retrieved, stored, and compared with what is there."""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, wait
from contextlib import closing
from dataclasses import dataclass, field
from typing import Final

from radiology.errors import RadiologyError
from radiology.kit.db import Writer
from radiology.remotes import queries
from radiology.remotes.digesting import Digesting
from radiology.remotes.model import Contents, ForeignInstance, Incoming, RemoteArchive
from radiology.studies.archive import Archive
from radiology.studies.index import Stored
from radiology.studies.receive import Arrival, Reception, Source

#: How long what was sent to our DICOM port may take until the index has it.
INDEX_WAIT_SECONDS: Final = 30.0
POLL_SECONDS: Final = 0.1


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one study: its state, the instances there, how many of them are not here, and what was checked."""

    state: str
    instances: int | None = None
    missing: int | None = None
    verified: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Copying:
    """How studies of an archive are copied.

    verify_bytes: each study is retrieved a second time and its data sets compared with those that are here.
    on_bytes: told of each amount of bytes as it comes; it may wait, which holds up the sender.
    on_progress: told after each object how many instances there are, and how many came. It may raise StoppedError.
    """

    archive: Archive
    remote: RemoteArchive
    actor: str
    verify_bytes: bool = False
    on_bytes: Callable[[int], None] = lambda _: None
    on_progress: Callable[[int, int], None] = lambda _total, _came: None

    def study(self, study_instance_uid: str) -> Outcome:
        """Copy what is missing of one study, and compare. A failure is an outcome. Raises StoppedError."""
        try:
            there = self.remote.contents(study_instance_uid)
            missing = self._missing(there.instances)
            storing = _Storing(self, total=there.counted, came=len(there.instances) - len(missing))
            self.on_progress(storing.total, storing.came)
            wanted = there.wanted(missing) if missing or not there.is_whole else []
            pushed = 0
            if wanted and not self.remote.retrieve(study_instance_uid, wanted, there.sop_classes, storing):
                pushed = self.remote.push(study_instance_uid, wanted)
                self._wait_for_index(missing)
                if len(missing) == len(there.instances):
                    self._need_no_order(study_instance_uid)
            self.archive.arrivals.flush()
            wait(storing.stored, INDEX_WAIT_SECONDS)
            if not there.is_whole:
                return self._compared_by_count(there, storing, pushed)
            return self._compared(study_instance_uid, there)
        except RadiologyError as error:
            return Outcome("failed", detail=error.sentence)

    def _compared(self, study_instance_uid: str, there: Contents) -> Outcome:
        instances = there.instances
        if not instances:
            return Outcome("failed", 0, 0, detail="The foreign archive lists no instances of it.")
        missing = self._missing(instances)
        if missing:
            shown = ", ".join(instance.sop_instance_uid for instance in missing[:3])
            return Outcome("differs", len(instances), len(missing), "uids", f"Not here: {shown}")
        if not self.verify_bytes:
            return Outcome("copied", len(instances), 0, "uids")
        return self._compared_bytes(study_instance_uid, there)

    def _compared_by_count(self, there: Contents, storing: "_Storing", pushed: int) -> Outcome:
        """Of a study that is not listed whole: whether as many instances are here as the foreign archive counts."""
        known = [*there.instances, *(ForeignInstance("", uid, "") for uid in storing.uids)]
        missing = {instance.sop_instance_uid for instance in self._missing(known)}
        here = len({instance.sop_instance_uid for instance in known} - missing)
        lists = f"The foreign archive lists {len(there.instances)} of {there.counted} instances"
        if not there.is_countable:
            detail = "The foreign archive does not list all, and does not say how many instances there are."
            return Outcome("differs", None, None, "count", detail)
        if max(here, pushed) < there.counted or missing:
            lacking = max(there.counted - max(here, pushed), len(missing))
            return Outcome("differs", there.counted, lacking, "count", f"{lists}; {lacking} are not here.")
        return Outcome("copied", there.counted, 0, "count", f"{lists}; as many are here.")

    def _compared_bytes(self, study_instance_uid: str, there: Contents) -> Outcome:
        instances, again = there.instances, Digesting(self.on_bytes)
        if not self.remote.retrieve(study_instance_uid, there.wanted(instances), there.sop_classes, again):
            detail = "Bytes are not compared: the peer does not offer C-GET."
            return Outcome("copied", len(instances), 0, "uids", detail)
        uids = {instance.sop_instance_uid for instance in instances}
        with closing(Writer(self.archive.app.settings.database_dsn)) as writer, writer.transaction() as tx:
            same = {digest.sop_instance_uid for digest in again.digests.intersection(queries.digests(tx, list(uids)))}
        others = sorted(uids - same)
        if others:
            return Outcome("differs", len(uids), 0, "bytes", f"Bytes are not the same: {', '.join(others[:3])}")
        return Outcome("copied", len(uids), 0, "bytes")

    def _missing(self, there: Sequence[ForeignInstance]) -> list[ForeignInstance]:
        with closing(Writer(self.archive.app.settings.database_dsn)) as writer, writer.transaction() as tx:
            here = queries.present(tx, [instance.sop_instance_uid for instance in there])
        return [instance for instance in there if instance.sop_instance_uid not in here]

    def _need_no_order(self, study_instance_uid: str) -> None:
        """What another archive sent to our DICOM port looks like a modality's, and is that archive's."""
        with closing(Writer(self.archive.app.settings.database_dsn)) as writer, writer.transaction() as tx:
            queries.need_no_order(tx, study_instance_uid)

    def _wait_for_index(self, moved: Sequence[ForeignInstance]) -> None:
        until = time.monotonic() + INDEX_WAIT_SECONDS
        while self._missing(moved) and time.monotonic() < until:
            time.sleep(POLL_SECONDS)


@dataclass(slots=True)
class _Storing:
    """Stores what comes."""

    copying: Copying
    total: int
    came: int
    stored: list[Future[Stored]] = field(default_factory=list[Future[Stored]])
    uids: set[str] = field(default_factory=set[str])

    def data_set(self, sop_class_uid: str, sop_instance_uid: str, transfer_syntax_uid: str) -> Incoming:
        reception = self.copying.archive.receive_data_set(
            self._source(),
            sop_class_uid=sop_class_uid,
            sop_instance_uid=sop_instance_uid,
            transfer_syntax_uid=transfer_syntax_uid,
        )
        return _StoredObject(self, reception)

    def file(self) -> Incoming:
        self.copying.archive.arrivals.wait_for_room(INDEX_WAIT_SECONDS)
        return _StoredObject(self, self.copying.archive.receive_file(self._source()))

    def take(self, arrival: Arrival) -> None:
        """One more has come."""
        self.stored.append(self.copying.archive.arrivals.submit(arrival))
        self.uids.add(arrival.sop_instance_uid)
        self.came += 1
        self.copying.on_progress(self.total, self.came)

    def _source(self) -> Source:
        entity = self.copying.remote.entity
        facility = entity.facility_code or self.copying.archive.app.settings.facility_code
        return Source(facility, entity.ae_title, actor=self.copying.actor, is_reconciled=True)


@dataclass(frozen=True, slots=True)
class _StoredObject:
    storing: _Storing
    reception: Reception

    def write_all(self, fragments: list[memoryview]) -> None:
        self.reception.write_all(fragments)
        self.storing.copying.on_bytes(sum(map(len, fragments)))

    def finish(self) -> None:
        self.storing.take(self.reception.finish())

    def discard(self) -> None:
        self.reception.discard()
