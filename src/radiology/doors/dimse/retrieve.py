"""C-MOVE and C-GET SCP of the Query/Retrieve and Composite Instance classes (PS3.4 C.4.2, C.4.3, Y, Z)."""

import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from radiology.access.model import Actor, application_entity
from radiology.application_entities.model import ApplicationEntity
from radiology.application_entities.queries import find_application_entity
from radiology.audit.trail import Access
from radiology.delivery.contexts import accepted
from radiology.delivery.results import Sent
from radiology.delivery.sending import WHOLE, WITHOUT_BULK_DATA, send, store
from radiology.dicom_network.connection import Association, DataSet
from radiology.dicom_network.message import Command, Response, Status, SubOperations
from radiology.dicom_network.operations import OperationCancelledError
from radiology.doors.dimse.foreign import fetched
from radiology.doors.dimse.identifiers import selection_of
from radiology.errors import NotFound, NotPermitted, Unavailable
from radiology.kit.clock import monotonic_seconds
from radiology.standards.dicom import data_set
from radiology.standards.dicom.uids import COMPOSITE_INSTANCE_WITHOUT_BULK_DATA_GET
from radiology.studies.archive import Archive
from radiology.studies.queries.retrieve import Selection, StoredInstance, is_anything_selected, selected_instances
from radiology.takeover.proxy import Proxy

CANNOT_COUNT: Final = 0xA701
ALL_FAILED: Final = 0xA702
UNKNOWN_DESTINATION: Final = 0xA801
SOME_FAILED: Final = 0xB000
MOST_SUB_OPERATIONS: Final = 0xFFFF
"""The counters of a response have 16 bits (PS3.7 E.1)."""
PENDING_EVERY: Final = 10
PENDING_EVERY_SECONDS: Final = 5.0
LOOK_UP_SECONDS: Final = 0.1


@dataclass(slots=True)
class Progress:
    """The sub-operations of one request. What is written in one thread may be read in another."""

    total: int
    completed: int = 0
    warned: int = 0
    failed: list[str] = field(default_factory=list[str])
    _told: int = 0
    _told_at: float = field(default_factory=monotonic_seconds)

    @property
    def done(self) -> int:
        """How many sub-operations are over."""
        return self.completed + self.warned + len(self.failed)

    def add(self, instance: StoredInstance, sent: Sent) -> None:
        """One is over."""
        if sent.is_success:
            self.completed += 1
        elif sent.is_warning:
            self.warned += 1
        else:
            self.failed.append(instance.sop_instance_uid)

    @property
    def is_due(self) -> bool:
        """Whether the requester is to hear of it again."""
        since = monotonic_seconds() - self._told_at
        return self.done - self._told >= PENDING_EVERY or since >= PENDING_EVERY_SECONDS

    def pending(self) -> Response:
        """The counters so far."""
        self._told, self._told_at = self.done, monotonic_seconds()
        return Response(Status.PENDING, sub_operations=self._counts(with_remaining=True))

    def final(self, transfer_syntax_uid: str, *, cancelled: bool = False) -> Response:
        """The last response: its status follows from the counters (PS3.4 tables C.4-2 and C.4-3)."""
        status = Status.CANCEL if cancelled else self._status()
        counts = self._counts(with_remaining=cancelled)
        if not self.failed:
            return Response(status, sub_operations=counts)
        failed = {"00080058": {"vr": "UI", "Value": list(self.failed)}}
        return Response(status, data_set.encode(failed, transfer_syntax_uid), sub_operations=counts)

    def _status(self) -> int:
        if self.failed and len(self.failed) == self.total:
            return ALL_FAILED
        return SOME_FAILED if self.failed or self.warned else Status.SUCCESS

    def _counts(self, *, with_remaining: bool) -> SubOperations:
        remaining = max(self.total - self.done, 0) if with_remaining else None
        return SubOperations(self.completed, len(self.failed), self.warned, remaining)


@dataclass(frozen=True, slots=True)
class RetrieveService:
    """Retrieval from one archive. `wait_for_index` waits for what the association itself has stored."""

    archive: Archive
    proxy: Proxy
    wait_for_index: Callable[[Association], None]

    def move(self, association: Association, request: Command, data: DataSet) -> Iterator[Response]:
        """C-MOVE: the instances go to the destination over associations of ours (PS3.4 C.4.2)."""
        selection = selection_of(request.sop_class_uid, data)
        destination = self._destination(request.move_destination)
        yield from self._fetched(association, request, selection, destination)
        instances = self._select(association, selection, destination)
        self._audit(association, "C-MOVE", instances, destination=destination.ae_title)
        yield from self._move(association, request, destination, instances, data.transfer_syntax_uid)

    def get(self, association: Association, request: Command, data: DataSet) -> Iterator[Response]:
        """C-GET: the instances come back over this association, where the requester is SCP (PS3.4 C.4.3)."""
        selection = selection_of(request.sop_class_uid, data)
        yield from self._fetched(association, request, selection, None)
        instances = self._select(association, selection, None)
        self._audit(association, "C-GET", instances)
        yield from self._get(association, request, instances, data.transfer_syntax_uid)

    def _destination(self, ae_title: str) -> ApplicationEntity:
        entity = self.archive.app.db.wait_for(self._find(ae_title))
        if entity is None or not entity.is_destination:
            raise NotFound(f"{ae_title} is no move destination here.", dimse_status=UNKNOWN_DESTINATION)
        return entity

    async def _find(self, ae_title: str) -> ApplicationEntity | None:
        async with self.archive.app.db.transaction() as tx:
            return await find_application_entity(tx, ae_title)

    def _fetched(
        self,
        association: Association,
        request: Command,
        selection: Selection,
        destination: ApplicationEntity | None,
    ) -> Iterator[Response]:
        """Studies that have not come yet from an archive that is taken over are fetched first."""
        return fetched(
            self.proxy,
            association,
            request,
            selection.study_instance_uids,
            visible_to=_readers(association.state.entity, destination),
            dimse_status=CANNOT_COUNT,
        )

    def _select(
        self, association: Association, selection: Selection, destination: ApplicationEntity | None
    ) -> list[StoredInstance]:
        """What is to be sent. Raises NotPermitted where there is something, and nothing of it may be sent."""
        self.wait_for_index(association)
        try:
            instances = self.archive.app.db.wait_for(self._selected(association.state.entity, selection, destination))
        except Unavailable as error:
            raise Unavailable(error.sentence, dimse_status=CANNOT_COUNT) from error
        if len(instances) > MOST_SUB_OPERATIONS:
            sentence = f"More than {MOST_SUB_OPERATIONS} instances. Retrieve series by series."
            raise Unavailable(sentence, dimse_status=CANNOT_COUNT)
        return instances

    async def _selected(
        self, requester: ApplicationEntity, selection: Selection, destination: ApplicationEntity | None
    ) -> list[StoredInstance]:
        readers = _readers(requester, destination)
        async with self.archive.app.db.transaction() as tx:
            instances = await selected_instances(tx, selection, visible_to=readers)
            if not instances and await is_anything_selected(tx, selection):
                raise NotPermitted("Requester or destination may not have these images.")
        return instances

    def _audit(self, association: Association, by: str, instances: Sequence[StoredInstance], **detail: str) -> None:
        """One record of the request for each study, before the first image leaves (PS3.15 A.5.3.6)."""
        counted = Counter(instance.study_instance_uid for instance in instances)
        actor = association.state.entity.actor()
        for study, count in counted.items():
            self.archive.trail.keep(Access(actor.id, "study.retrieve", study, count, {"by": by, **detail}))

    # C-MOVE

    def _move(
        self,
        association: Association,
        request: Command,
        destination: ApplicationEntity,
        instances: Sequence[StoredInstance],
        transfer_syntax_uid: str,
    ) -> Iterator[Response]:
        mover = _Mover(self.archive, destination, instances, (association.calling_ae_title, request.message_id))
        try:
            mover.start()
            while not mover.wait():
                if association.is_cancelled(request):
                    break
                if mover.progress.is_due:
                    yield mover.progress.pending()
        except OperationCancelledError:
            pass
        finally:
            mover.stop()
        yield mover.progress.final(transfer_syntax_uid, cancelled=mover.progress.done < len(instances))

    # C-GET

    def _get(
        self, association: Association, request: Command, instances: Sequence[StoredInstance], transfer_syntax_uid: str
    ) -> Iterator[Response]:
        acceptance = accepted(association.contexts.values(), peer_is_requestor=True)
        form = WITHOUT_BULK_DATA if request.sop_class_uid == COMPOSITE_INSTANCE_WITHOUT_BULK_DATA_GET else WHOLE
        progress = Progress(len(instances))
        try:
            for instance in instances:
                if association.is_cancelled(request):
                    break
                progress.add(instance, store(self.archive, association, acceptance, instance, {}, form))
                if progress.is_due and progress.done < progress.total:
                    yield progress.pending()
        except OperationCancelledError:
            pass
        yield progress.final(transfer_syntax_uid, cancelled=progress.done < progress.total)


def _readers(requester: ApplicationEntity, destination: ApplicationEntity | None) -> list[Actor]:
    """Who must be allowed to see what is sent."""
    readers = [requester.actor()]
    if destination is not None:
        readers.append(
            application_entity(
                destination.ae_title,
                facility_code=destination.facility_code,
                may_read=True,
                may_write=False,
                sensitive_access=destination.sensitive_access,
            )
        )
    return readers


class _Mover:
    """Sends in a thread of its own, so that the requester is told, and can cancel, while one object is on its way."""

    def __init__(
        self,
        archive: Archive,
        destination: ApplicationEntity,
        instances: Sequence[StoredInstance],
        originator: tuple[str, int],
    ) -> None:
        self.progress = Progress(len(instances))
        self._archive = archive
        self._destination = destination
        self._instances = instances
        self._originator = originator
        self._stopped = threading.Event()
        self._news = threading.Event()
        self._failure: Exception | None = None
        self._thread = threading.Thread(target=self._send, name="dimse-move", daemon=True)

    def start(self) -> None:
        """Begin to send."""
        self._thread.start()

    def wait(self) -> bool:
        """Wait a moment, or until there is news; whether all is over. Raises what sending raised."""
        self._news.wait(LOOK_UP_SECONDS)
        self._news.clear()
        over = not self._thread.is_alive()
        if self._failure is not None:
            raise self._failure
        return over

    def stop(self) -> None:
        """Send nothing more, and wait until the instance that is on its way has arrived or failed."""
        self._stopped.set()
        self._thread.join()

    def _send(self) -> None:
        try:
            send(
                self._archive,
                self._destination,
                self._instances,
                originator=self._originator,
                on_sent=self._sent,
                is_stopped=self._stopped.is_set,
                # Who moved the images may want to speak to a destination that takes one association at a time.
                keep_association=False,
            )
        except Exception as error:  # Raised again in the thread of the association.
            self._failure = error
        self._news.set()

    def _sent(self, instance: StoredInstance, sent: Sent) -> None:
        self.progress.add(instance, sent)
        if self.progress.done % PENDING_EVERY == 0:
            self._news.set()
