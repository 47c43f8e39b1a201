"""SOP class -> function: the one list of what this service does on the DICOM network."""

import logging
from collections import Counter
from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field, replace

from radiology.application_entities.model import ApplicationEntity
from radiology.associations.model import Trace
from radiology.dicom_network.association import Offer
from radiology.dicom_network.connection import Association, DataSet
from radiology.dicom_network.message import Command, CommandField, Response, Status
from radiology.dicom_network.operations import ANY_SOP_CLASS, Service
from radiology.doors.dimse import tracing
from radiology.doors.dimse.commitment import CommitmentService, Promise
from radiology.doors.dimse.performed_steps import PerformedStepService
from radiology.doors.dimse.query import EXTENDED as QUERY_EXTENDED
from radiology.doors.dimse.query import QueryService
from radiology.doors.dimse.retrieve import RetrieveService
from radiology.doors.dimse.workitems import CLASSES as WORKITEM_CLASSES
from radiology.doors.dimse.workitems import WorkitemService
from radiology.doors.dimse.worklist import EXTENDED, WorklistService
from radiology.errors import NotPermitted, RadiologyError, Unavailable, Unprocessable
from radiology.standards.dicom.checks import WARNINGS
from radiology.standards.dicom.uids import (
    ACCEPTED_TRANSFER_SYNTAXES,
    COMPOSITE_INSTANCE_ROOT_GET,
    COMPOSITE_INSTANCE_ROOT_MOVE,
    COMPOSITE_INSTANCE_WITHOUT_BULK_DATA_GET,
    EXPLICIT_VR_LITTLE_ENDIAN,
    IMPLICIT_VR_LITTLE_ENDIAN,
    MODALITY_PERFORMED_PROCEDURE_STEP,
    MODALITY_PERFORMED_PROCEDURE_STEP_RETRIEVE,
    MODALITY_WORKLIST_FIND,
    PATIENT_ROOT_FIND,
    PATIENT_ROOT_GET,
    PATIENT_ROOT_MOVE,
    STORAGE_COMMITMENT_PUSH,
    STORAGE_SOP_CLASSES,
    STUDY_ROOT_FIND,
    STUDY_ROOT_GET,
    STUDY_ROOT_MOVE,
    VERIFICATION,
    is_valid_uid,
)
from radiology.studies.archive import Archive
from radiology.studies.index import Stored
from radiology.studies.receive import Source
from radiology.takeover.proxy import Proxy

#: Success waits this long for the index; then the association is aborted, and recovery indexes what was acknowledged.
INDEX_WAIT_SECONDS = 60.0

PLAIN = Offer(transfer_syntax_uids=frozenset((EXPLICIT_VR_LITTLE_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN)))
#: A requester may be SCP of Storage, to receive by C-GET (PS3.4 C.5.3).
STORAGE = Offer(transfer_syntax_uids=frozenset(ACCEPTED_TRANSFER_SYNTAXES), peer_scp=True)
#: A peer that we asked for commitment may be SCP, to report its result on an association of its own (PS3.4 J.3.3).
COMMITMENT = replace(PLAIN, peer_scp=True)

GET_CLASSES = (
    PATIENT_ROOT_GET, STUDY_ROOT_GET, COMPOSITE_INSTANCE_ROOT_GET, COMPOSITE_INSTANCE_WITHOUT_BULK_DATA_GET,
)  # fmt: skip

#: What each service of an application entity's record opens. The presentation contexts that we accept are these.
OFFERS: Mapping[str, Mapping[str, Offer]] = {
    "echo": {VERIFICATION: PLAIN},
    "store": dict.fromkeys(STORAGE_SOP_CLASSES, STORAGE),
    "find": dict.fromkeys((PATIENT_ROOT_FIND, STUDY_ROOT_FIND), replace(PLAIN, extended=QUERY_EXTENDED)),
    "move": dict.fromkeys((PATIENT_ROOT_MOVE, STUDY_ROOT_MOVE, COMPOSITE_INSTANCE_ROOT_MOVE), PLAIN),
    "get": dict.fromkeys(GET_CLASSES, PLAIN),
    "mwl": {MODALITY_WORKLIST_FIND: replace(PLAIN, extended=EXTENDED)},
    "mpps": {MODALITY_PERFORMED_PROCEDURE_STEP: PLAIN, MODALITY_PERFORMED_PROCEDURE_STEP_RETRIEVE: PLAIN},
    "commit": {STORAGE_COMMITMENT_PUSH: COMMITMENT},
    "ups": dict.fromkeys(WORKITEM_CLASSES, PLAIN),
}

#: The status for an error of ours: a sender of images is to try again; a query or a retrieval is "unable to process".
_UNEXPECTED: Mapping[int, int] = {
    CommandField.C_STORE_RQ: Unavailable.dimse_status,
    CommandField.C_FIND_RQ: Status.CANNOT_UNDERSTAND,
    CommandField.C_MOVE_RQ: Status.CANNOT_UNDERSTAND,
    CommandField.C_GET_RQ: Status.CANNOT_UNDERSTAND,
}

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Visit:
    """What one association is, for us: who calls, and what it has stored."""

    entity: ApplicationEntity
    source: Source
    last_stored: Future[Stored] | None = None
    instances: int = 0
    stored: Counter[str] = field(default_factory=Counter[str])
    """How many instances of each study."""
    trace: Trace | None = None
    promises: list[Promise] = field(default_factory=list[Promise])


@dataclass(frozen=True, slots=True)
class Services:
    """The services over one archive."""

    archive: Archive

    def table(self) -> dict[tuple[str, int], Service]:
        """Abstract syntax and command -> function."""
        worklist, steps = WorklistService(self.archive.app), PerformedStepService(self.archive.app, self.wait_for_index)
        proxy = Proxy(self.archive)
        retrieve = RetrieveService(self.archive, proxy, self.wait_for_index)
        query = QueryService(self.archive, proxy, self.wait_for_index)
        commitment = CommitmentService(self.archive.app, self.wait_for_index)
        return {
            **{(uid, CommandField.C_FIND_RQ): query.find for uid in OFFERS["find"]},
            **{(uid, CommandField.C_MOVE_RQ): retrieve.move for uid in OFFERS["move"]},
            **{(uid, CommandField.C_GET_RQ): retrieve.get for uid in OFFERS["get"]},
            (VERIFICATION, CommandField.C_ECHO_RQ): echo,
            (ANY_SOP_CLASS, CommandField.C_STORE_RQ): self.store,
            (MODALITY_WORKLIST_FIND, CommandField.C_FIND_RQ): worklist.find,
            (MODALITY_PERFORMED_PROCEDURE_STEP, CommandField.N_CREATE_RQ): steps.create,
            (MODALITY_PERFORMED_PROCEDURE_STEP, CommandField.N_SET_RQ): steps.change,
            (MODALITY_PERFORMED_PROCEDURE_STEP_RETRIEVE, CommandField.N_GET_RQ): steps.get,
            (STORAGE_COMMITMENT_PUSH, CommandField.N_ACTION_RQ): commitment.request,
            (STORAGE_COMMITMENT_PUSH, CommandField.N_EVENT_REPORT_RQ): commitment.take_result,
            **WorkitemService(self.archive.app).table(),
        }

    def store(self, association: Association, request: Command, data: DataSet) -> Response:
        """C-STORE SCP (PS3.4 B.2.3): Success once the bytes are durable; the index follows, see `wait_for_index`."""
        visit: Visit = association.state
        if not visit.entity.may("store"):  # Its Storage contexts are there for what it gets.
            raise NotPermitted("This application entity may retrieve and not store.")
        if not is_valid_uid(request.sop_instance_uid):
            raise Unprocessable("The Affected SOP Instance UID is no UID.", tag="00001000")
        with self.archive.receive_data_set(
            visit.source,
            sop_class_uid=request.sop_class_uid,
            sop_instance_uid=request.sop_instance_uid,
            transfer_syntax_uid=data.transfer_syntax_uid,
        ) as reception:
            for fragments in data.batches():
                reception.write_all(fragments)
            arrival = reception.finish()
        visit.last_stored = self.archive.arrivals.submit(arrival)
        visit.instances += 1
        visit.stored[arrival.study_instance_uid] += 1
        tracing.stored(visit.trace, arrival, self.archive.app.settings.zone)
        warnings = (WARNINGS[flag] for flag in arrival.flags if flag in WARNINGS and visit.entity.wants_warnings)
        return Response(next(warnings, Status.SUCCESS))

    def between_messages(self, association: Association) -> float | None:
        """Report what storage commitment is due; None at once where there is none."""
        if not association.state.promises:
            return None
        return CommitmentService(self.archive.app, self.wait_for_index).report(association)

    def leave(self, association: Association) -> None:
        """The association is over."""
        if association.state.promises:
            CommitmentService(self.archive.app, self.wait_for_index).leave(association)

    def wait_for_index(self, association: Association) -> None:
        """Before a release is answered, all that the association stored can be found. Batches are written in order."""
        visit: Visit = association.state
        if visit.last_stored is not None:
            self.archive.arrivals.flush()
            visit.last_stored.result(INDEX_WAIT_SECONDS)


def echo(association: Association, request: Command, data: DataSet) -> Response:  # noqa: ARG001 - a service's signature.
    """C-ECHO SCP (PS3.4 A)."""
    return Response(Status.SUCCESS)


def response_to_error(_association: Association, request: Command, error: Exception) -> Response:
    """The status of a refusal; what was not expected is logged, and told as a failure that the peer may try again."""
    if isinstance(error, OSError):
        error = Unavailable("The object store cannot be used now.")
    if isinstance(error, RadiologyError):
        tags = (int(error.tag, 16),) if error.tag else ()
        comment = error.sentence.encode("ascii", "replace").decode()[:64]
        return Response(error.dimse_status, error_comment=comment, offending_elements=tags)
    log.error("dimse.service-failed", exc_info=error, extra={"operation": request.operation})
    if request.field in (CommandField.C_MOVE_RQ, CommandField.C_GET_RQ):
        return Response(Status.CANNOT_UNDERSTAND)
    return Response(_UNEXPECTED.get(request.field, Status.PROCESSING_FAILURE))
