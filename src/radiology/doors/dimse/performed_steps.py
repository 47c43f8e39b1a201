"""Modality Performed Procedure Step: N-CREATE and N-SET (PS3.4 F.7), and their retrieval by N-GET (PS3.4 F.8)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from radiology.access.model import Actor
from radiology.app import App
from radiology.dicom_network.connection import Association, DataSet
from radiology.dicom_network.items import PDUError
from radiology.dicom_network.message import Command, Element, Response, Status
from radiology.doors.dimse import tracing
from radiology.errors import AttributesRefused, TransitionRefused, Unprocessable
from radiology.modality_worklist.model import Modality
from radiology.modality_worklist.performed import MAY_NO_LONGER_BE_UPDATED
from radiology.standards.dicom import data_set
from radiology.standards.dicom.uids import is_valid_uid, new_uid
from radiology.studies.actions.performed import (
    begin_performed_step,
    change_performed_step,
    performed_step_attributes,
)

INVALID_OBJECT_INSTANCE = 0x0117
PROCESSING_FAILURE = 0x0110
DATA_SET_LIMIT_BYTES = 8 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class PerformedStepService:
    """MPPS over one App. What is answered with success is committed.

    Before a step is compared with what is stored, `wait_for_index` lets the association's own objects be found.
    """

    app: App
    wait_for_index: Callable[[Association], None]

    def create(self, association: Association, request: Command, data: DataSet) -> Response:
        """N-CREATE (PS3.4 F.7.2.1): a step begins. Without a SOP Instance UID it is given one (PS3.7 10.1.5.1.4)."""
        uid = request.sop_instance_uid or new_uid()
        _check(uid)
        attributes = read(data)
        tracing.step_began(association.state.trace, attributes, self.app.settings.zone)
        work = begin_performed_step(self.app, _actor(association), _modality(association), uid, attributes)
        try:
            self.app.db.wait_for(work)
        except AttributesRefused as error:
            return refusal(error)
        return Response(elements={Element.AFFECTED_SOP_INSTANCE_UID: uid})

    def change(self, association: Association, request: Command, data: DataSet) -> Response:
        """N-SET (PS3.4 F.7.2.2): a step goes on, or ends."""
        uid = request.sop_instance_uid
        _check(uid)
        self.wait_for_index(association)
        work = change_performed_step(self.app, _actor(association), _modality(association), uid, read(data))
        try:
            self.app.db.wait_for(work)
        except AttributesRefused as error:
            return refusal(error)
        except TransitionRefused:
            return Response(
                PROCESSING_FAILURE,
                error_comment="Performed Procedure Step Object may no longer be updated",
                elements={Element.ERROR_ID: MAY_NO_LONGER_BE_UPDATED},
            )
        return Response()

    def get(self, association: Association, request: Command, data: DataSet) -> Response:
        """N-GET (PS3.4 F.8.2.1): the attributes that are asked for, all of them where none are named."""
        uid = request.sop_instance_uid
        actor, modality = association.state.entity.actor(), _modality(association)
        attributes = self.app.db.wait_for(performed_step_attributes(self.app, actor, modality, uid))
        asked = {f"{tag:08X}" for tag in request.attribute_identifiers}
        chosen = {tag: element for tag, element in attributes.items() if not asked or tag in asked}
        return Response(Status.SUCCESS, data_set.encode(chosen, data.transfer_syntax_uid))


def read(data: DataSet) -> dict[str, Any]:
    """The attributes in the DICOM JSON model. Raises Unprocessable (0110) for what is no data set, or too long."""
    try:
        return data_set.decode(data.read(DATA_SET_LIMIT_BYTES), data.transfer_syntax_uid)
    except PDUError:
        sentence = f"The data set is longer than {DATA_SET_LIMIT_BYTES} bytes."
        raise Unprocessable(sentence, dimse_status=PROCESSING_FAILURE) from None
    except Unprocessable as error:
        raise Unprocessable(error.sentence, tag=error.tag, dimse_status=PROCESSING_FAILURE) from error


def refusal(error: AttributesRefused) -> Response:
    """0120, 0121 or 0106 with the Attribute Identifier List (0000,1005) (PS3.7 C.5)."""
    tags: Sequence[int] = [int(tag, 16) for tag in error.tags]
    return Response(
        error.dimse_status,
        error_comment=error.sentence,
        offending_elements=tuple(tags),
        elements={Element.ATTRIBUTE_IDENTIFIER_LIST: tuple(tags)},
    )


def _check(uid: str) -> None:
    if not is_valid_uid(uid):
        raise Unprocessable("The SOP Instance UID is no UID.", dimse_status=INVALID_OBJECT_INSTANCE)


def _modality(association: Association) -> Modality:
    return Modality(association.calling_ae_title, association.state.source.facility_code)


def _actor(association: Association) -> Actor:
    return association.state.entity.actor()
