"""Store many objects from an asyncio process: written as they come, made durable side by side, indexed together.

Every outcome is per object. Nothing is promised before `finish` returns: then all that is stored can be found.
"""

import asyncio
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

from radiology.errors import Conflict, DataSetMismatch, DuplicateInstance, RadiologyError, RejectedInstance
from radiology.studies.archive import Archive
from radiology.studies.index import Stored
from radiology.studies.receive import Arrival, Reception, Source, receive_data_set

UIDS = ("00080016", "00080018", "0020000D", "0020000E")
AT_ONCE = 16
TOGETHER = 8
LARGE_BYTES = 128 * 1024
HELD_BACK = 1_000

Received = tuple[list[Arrival], list["Outcome"]]
_threads = ThreadPoolExecutor(max_workers=8, thread_name_prefix="durable")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one object. Exactly one of `stored` and `error` is set."""

    sop_class_uid: str
    sop_instance_uid: str
    study_instance_uid: str
    series_instance_uid: str
    stored: Stored | None = None
    error: RadiologyError | None = None
    flags: Sequence[str] = ()


@dataclass(slots=True)
class Storing:
    """One request that stores. Leave the block without `finish` and what it brought is removed again.

    Removed is what is not yet indexed: from the thousandth object on, indexing begins while the request still comes in.
    """

    archive: Archive
    source: Source
    study_instance_uid: str | None = None
    _complete: list[Reception] = field(default_factory=list[Reception])
    _in_hand: list[asyncio.Future[Received]] = field(default_factory=list["asyncio.Future[Received]"])
    _arrivals: list[Arrival] = field(default_factory=list[Arrival])
    _indexed: list[tuple[Arrival, Future[Stored]]] = field(default_factory=list[tuple[Arrival, Future[Stored]]])
    _failed: list[Outcome] = field(default_factory=list[Outcome])

    def begin(self) -> Reception:
        """Begin an object. Raises Unavailable."""
        return self.archive.receive_file(self.source)

    def begin_data_set(self, *, sop_class_uid: str, sop_instance_uid: str, transfer_syntax_uid: str) -> Reception:
        """Begin an object that comes as a data set; its file meta information is ours. Raises Unavailable."""
        self.archive.arrivals.check()
        app = self.archive.app
        return receive_data_set(
            app.objects,
            self.source,
            app.clock.now,
            sop_class_uid=sop_class_uid,
            sop_instance_uid=sop_instance_uid,
            transfer_syntax_uid=transfer_syntax_uid,
        )

    async def received(self, reception: Reception) -> None:
        """All bytes of an object are there: make it durable, while the next ones come in."""
        self._complete.append(reception)
        if len(self._complete) == TOGETHER or reception.size_bytes >= LARGE_BYTES:
            self._hand_over()
        if len(self._in_hand) >= AT_ONCE:
            await self._collect()

    def failed(self, error: RadiologyError, reception: Reception | None = None) -> None:
        """An object could not be taken in."""
        if reception is not None:
            reception.discard()
        self._failed.append(_failure(error, reception))

    def refused(self, outcome: Outcome) -> None:
        """An object that was only described cannot be made."""
        self._failed.append(outcome)

    async def finish(self) -> list[Outcome]:
        """Wait until everything is indexed; the outcome of every object."""
        await self._collect()
        self._submit()
        self.archive.arrivals.flush()
        outcomes = [await _outcome(arrival, future) for arrival, future in self._indexed]
        self._indexed.clear()
        return outcomes + self._failed

    async def discard(self) -> None:
        """Remove what the request brought and nobody was promised. After `finish` there is nothing to remove."""
        await self._collect()
        for arrival in self._arrivals:
            self.archive.app.objects.delete(arrival.object_key)
        self._arrivals.clear()

    def _hand_over(self) -> None:
        """To a thread; several small objects go together, since each hand-over costs more than such an object."""
        loop = asyncio.get_running_loop()
        complete, self._complete = self._complete, []
        self._in_hand.append(loop.run_in_executor(_threads, _received, complete, self.study_instance_uid))

    async def _collect(self) -> None:
        if self._complete:
            self._hand_over()
        in_hand, self._in_hand = self._in_hand, []
        for arrivals, failures in await asyncio.gather(*in_hand):
            self._arrivals += arrivals
            self._failed += failures
        if len(self._arrivals) > HELD_BACK:
            self._submit()

    def _submit(self) -> None:
        arrivals, self._arrivals = self._arrivals, []
        self._indexed += [(arrival, self.archive.arrivals.submit(arrival)) for arrival in arrivals]


def _received(receptions: Sequence[Reception], study_instance_uid: str | None) -> Received:
    """In a thread: headers checked, bytes durable."""
    arrivals: list[Arrival] = []
    failures: list[Outcome] = []
    for reception in receptions:
        with reception:
            try:
                arrivals.append(reception.finish(study_instance_uid=study_instance_uid))
            except RadiologyError as error:
                failures.append(_failure(error, reception))
    return arrivals, failures


async def _outcome(arrival: Arrival, future: Future[Stored]) -> Outcome:
    try:
        stored = await asyncio.wrap_future(future)
    except RadiologyError as error:
        return _outcome_of(arrival, error=error)
    if stored.quarantined:
        return _outcome_of(arrival, error=quarantine_error(stored.quarantined))
    return _outcome_of(arrival, stored=stored)


def quarantine_error(reason: str) -> RadiologyError:
    """What a request is told whose object is held back."""
    if reason == "conflicting_duplicate":
        return DuplicateInstance(
            "This SOP Instance UID is stored with other content. The new one is held for a decision."
        )
    if reason == "patient_conflict":
        return DataSetMismatch(
            "The study belongs to another patient. The object is held for a decision.", tag="00100020"
        )
    if reason == "rejected":
        return RejectedInstance("This SOP Instance UID was rejected. The object is held for a decision.")
    return Conflict(f"The object is held for a decision ({reason.replace('_', ' ')}).")


def _outcome_of(arrival: Arrival, *, stored: Stored | None = None, error: RadiologyError | None = None) -> Outcome:
    return Outcome(
        sop_class_uid=arrival.text("00080016"),
        sop_instance_uid=arrival.sop_instance_uid,
        study_instance_uid=arrival.study_instance_uid,
        series_instance_uid=arrival.series_instance_uid,
        stored=stored,
        error=error,
        flags=arrival.flags,
    )


def _failure(error: RadiologyError, reception: Reception | None) -> Outcome:
    header = reception.header if reception else None
    sop_class, instance, study, series = (header.text(tag) if header else "" for tag in UIDS)
    return Outcome(sop_class, instance, study, series, error=error)
