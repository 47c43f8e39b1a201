"""Send stored objects to a peer by C-STORE (PS3.4 B), or STOW-RS: what C-MOVE, forwarding and moves by REST share.

Bytes go from the file to the socket; memory does not grow with the object. All of it blocks: for a thread.
"""

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass

from radiology.application_entities.model import ApplicationEntity
from radiology.delivery.contexts import Acceptance, Batch, accepted, batches, context_for, header_context_for
from radiology.delivery.egress import outgoing
from radiology.delivery.lines import OPEN_LINES, Line
from radiology.delivery.results import DAMAGED, NOT_PERFORMED, IsStopped, OnSent, Sent
from radiology.delivery.stow import store_by_web
from radiology.delivery.without_bulk_data import outgoing_header
from radiology.dicom_network.association import AcceptedContext
from radiology.dicom_network.connection import Association, FileSlice
from radiology.dicom_network.message import CommandField, Element, Value
from radiology.dicom_network.transport import AssociationEndedError, Outcome, PauseAfter
from radiology.errors import NotSupported, RadiologyError
from radiology.kit.clock import monotonic_seconds
from radiology.kit.log import get_logger
from radiology.standards.dicom.uids import TRANSFER_SYNTAXES
from radiology.studies.archive import Archive
from radiology.studies.queries.retrieve import StoredInstance

STOPPED_SECONDS = 5.0
"""An instance that is in the air when sending is stopped has so long to arrive; then the association is aborted."""

log = get_logger()


@dataclass(frozen=True, slots=True)
class Form:
    """What is sent of an instance: which context it goes into, and the data set."""

    context_for: Callable[[StoredInstance, Acceptance], AcceptedContext | None]
    outgoing: Callable[[Archive, StoredInstance, str], AbstractContextManager[bytes | FileSlice]]


WHOLE = Form(context_for, outgoing)
WITHOUT_BULK_DATA = Form(header_context_for, outgoing_header)


def send(
    archive: Archive,
    entity: ApplicationEntity,
    instances: Sequence[StoredInstance],
    *,
    originator: tuple[str, int] | None = None,
    on_sent: OnSent,
    is_stopped: IsStopped,
    keep_association: bool = True,
    pause_after: PauseAfter | None = None,
) -> None:
    """Store instances at a peer. `on_sent` is told of each one, also of what could not be sent.

    With `keep_association` it stays open a few seconds for what comes next, unless the peer takes one association only.

    `originator` is AE title and message id of the C-MOVE that asks for it (PS3.7 9.1.1.1). After `is_stopped` nothing
    more is sent, and `on_sent` is not told of the rest; it is also asked while the peer is waited for, and what is in
    the air a few seconds later is broken off. What `on_sent` raises ends the sending and is raised.

    `pause_after` limits the speed: how many seconds to pause after so many bytes.
    """
    if entity.dicomweb_url:
        store_by_web(archive, entity, instances, on_sent=on_sent, is_stopped=is_stopped, pause_after=pause_after)
        return
    sending = _Sending(archive, entity, _originator_elements(originator), on_sent, is_stopped, keep_association,
                       pause_after)  # fmt: skip
    for batch in batches(instances):
        sending.run(batch)


def _originator_elements(originator: tuple[str, int] | None) -> Mapping[int, Value]:
    if originator is None:
        return {}
    ae_title, message_id = originator
    return {Element.MOVE_ORIGINATOR_AE_TITLE: ae_title, Element.MOVE_ORIGINATOR_MESSAGE_ID: message_id}


@dataclass(frozen=True, slots=True)
class _Sending:
    archive: Archive
    entity: ApplicationEntity
    elements: Mapping[int, Value]
    on_sent: OnSent
    is_stopped: IsStopped
    keep_association: bool
    pause_after: PauseAfter | None

    def run(self, batch: Batch) -> None:
        """Send a batch, over a new association when one that had worked breaks; what cannot be sent is reported."""
        left = deque(batch.instances)
        while left and not self.is_stopped():
            before = len(left)
            try:
                line = OPEN_LINES.take(
                    self.archive.app.settings, self.entity, batch.proposals, is_stopped=self.is_stopped
                )
            except (AssociationEndedError, RadiologyError, OSError) as error:
                self._give_up(left, f"{self.entity.ae_title} cannot be called: {_reason(error)}.")
                return
            ended = self._over(line, left)
            if ended is None:
                continue
            log.warning("sending.interrupted", ae_title=self.entity.ae_title, result=ended.outcome, reason=str(ended),
                        instances=len(left))  # fmt: skip
            worked = len(left) < before or line.reused
            if not worked or ended.outcome is Outcome.TIMED_OUT:
                self._give_up(left, f"The association with {self.entity.ae_title} broke: {ended}.")

    def _over(self, line: Line, left: deque[StoredInstance]) -> AssociationEndedError | None:
        """Send over one association as long as it stands; how it ended, or None when nothing is left."""
        acceptance = accepted(line.association.contexts.values(), peer_is_requestor=False)
        line.association.watch(_stopped_for_long(self.is_stopped), self.pause_after)
        try:
            while left and not self.is_stopped():
                sent = store(self.archive, line.association, acceptance, left[0], self.elements)
                self.on_sent(left.popleft(), sent)
        except AssociationEndedError as ended:
            line.abort()
            return ended
        except BaseException:
            line.abort()
            raise
        line.association.watch(_never)
        if self.keep_association and self.entity.outgoing_associations > 1:
            OPEN_LINES.give_back(line)
        else:
            line.close()
        return None

    def _give_up(self, left: deque[StoredInstance], sentence: str) -> None:
        while left and not self.is_stopped():
            self.on_sent(left.popleft(), Sent(NOT_PERFORMED, sentence))


def _stopped_for_long(is_stopped: IsStopped) -> IsStopped:
    """Whether sending was stopped so long ago that what is in the air is not waited for any more."""
    first_seen: list[float] = []

    def is_over() -> bool:
        if is_stopped() and not first_seen:
            first_seen.append(monotonic_seconds())
        return bool(first_seen) and monotonic_seconds() - first_seen[0] >= STOPPED_SECONDS

    return is_over


def _never() -> bool:
    return False


def store(
    archive: Archive,
    association: Association,
    acceptance: Acceptance,
    instance: StoredInstance,
    elements: Mapping[int, Value],
    form: Form = WHOLE,
) -> Sent:
    """One C-STORE sub-operation over an open association. Raises AssociationEndedError when that is over."""
    context = form.context_for(instance, acceptance)
    if context is None:
        return Sent(NotSupported.dimse_status, _no_context(instance))
    try:
        with form.outgoing(archive, instance, context.transfer_syntax_uid) as data:
            return _store(association, context, instance, data, elements)
    except RadiologyError as error:
        return Sent(error.dimse_status, error.sentence)
    except (OSError, EOFError) as error:
        log.error("sending.object-unreadable", sop_instance_uid=instance.sop_instance_uid, exc_info=error)
        return Sent(DAMAGED, "The stored object cannot be read. Look at the disk, and restore the object.")


def _store(
    association: Association,
    context: AcceptedContext,
    instance: StoredInstance,
    data: bytes | FileSlice,
    elements: Mapping[int, Value],
) -> Sent:
    base: dict[int, Value] = {
        Element.AFFECTED_SOP_CLASS_UID: instance.sop_class_uid,
        Element.AFFECTED_SOP_INSTANCE_UID: instance.sop_instance_uid,
        Element.PRIORITY: 0,
    }
    response = association.invoke(context, CommandField.C_STORE_RQ, base | dict(elements), data).command
    if response.status == 0:
        return Sent(0)
    remark = response.error_comment
    return Sent(response.status, f"The receiver answered {response.status:04X}{': ' + remark if remark else ''}.")


def _no_context(instance: StoredInstance) -> str:
    syntax = TRANSFER_SYNTAXES.get(instance.transfer_syntax_uid)
    name = syntax.name if syntax else instance.transfer_syntax_uid
    return f"The receiver takes this SOP class in no transfer syntax that the object, stored as {name}, can be sent in."


def _reason(error: Exception) -> str:
    if isinstance(error, OSError):
        return error.strerror or type(error).__name__
    return (error.sentence if isinstance(error, RadiologyError) else str(error)).rstrip(".")
