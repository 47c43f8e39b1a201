"""Every operation that reads, stores or is refused is one audit record: its own code makes it, or it is made here."""

from collections.abc import Mapping
from typing import Any, Final

from radiology.audit.context import Circumstances, begin, current
from radiology.audit.model import MINOR_FAILURE, SERIOUS_FAILURE
from radiology.audit.trail import Access, Trail
from radiology.dicom_network.connection import Address, Association
from radiology.dicom_network.message import Command, CommandField, Status
from radiology.dicom_network.pdu import AssociateRQ
from radiology.standards.dicom.uids import MODALITY_PERFORMED_PROCEDURE_STEP_RETRIEVE, MODALITY_WORKLIST_FIND

NOT_AUTHORIZED: Final = 0x0124

#: What an operation that was not recorded by its own code is called.
_ACTIONS: Final[Mapping[int, str]] = {
    CommandField.C_FIND_RQ: "workitem.find",
    CommandField.C_MOVE_RQ: "study.retrieve",
    CommandField.C_GET_RQ: "study.retrieve",
    CommandField.N_GET_RQ: "workitem.read",
    CommandField.N_ACTION_RQ: "commitment.request",
}
_WARNINGS: Final = range(0xB000, 0xC000)


def calling(request: AssociateRQ, peer: Address) -> Circumstances:
    """From now on it is this association that acts in this thread."""
    return begin(
        Circumstances(
            source="dimse",
            address=peer.host,
            calling_ae_title=request.calling_ae_title,
            called_ae_title=request.called_ae_title,
        )
    )


def performed(trail: Trail, association: Association, request: Command, status: int) -> None:
    """Record an operation that was answered, unless its own code has done so."""
    circumstances = current()
    recorded, denied = circumstances.recorded, circumstances.denied
    circumstances.recorded = circumstances.denied = 0
    actor = association.state.entity.actor().id
    if status and status not in (Status.CANCEL, Status.PENDING) and status not in _WARNINGS:
        if not denied:
            trail.keep(_failed(actor, request, status), after_the_fact=True)
    elif not recorded and request.field in _ACTIONS:
        detail: dict[str, Any] = {"by": request.operation}
        subject = request.sop_instance_uid or request.sop_class_uid
        trail.keep(Access(actor, _action(request), subject, detail=detail), after_the_fact=True)


def stored(trail: Trail, association: Association, counts: Mapping[str, int]) -> None:
    """Record what an association has stored: one record for each study, when it is over (PS3.15 A.5.3.7)."""
    actor = association.state.entity.actor().id
    for study, count in counts.items():
        trail.keep(Access(actor, "study.store", study, count, {"by": "C-STORE"}), after_the_fact=True)


def _failed(actor: str, request: Command, status: int) -> Access:
    action = "access.denied" if status == NOT_AUTHORIZED else "access.failed"
    outcome = SERIOUS_FAILURE if status == NOT_AUTHORIZED else MINOR_FAILURE
    detail: dict[str, Any] = {"by": request.operation, "status": f"{status:04X}"}
    return Access(actor, action, request.sop_class_uid, 0, detail, outcome)


def _action(request: Command) -> str:
    if request.sop_class_uid == MODALITY_WORKLIST_FIND:
        return "worklist.find"
    if request.sop_class_uid == MODALITY_PERFORMED_PROCEDURE_STEP_RETRIEVE:
        return "performed-step.read"
    return _ACTIONS[request.field]
