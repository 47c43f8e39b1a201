"""Unified Procedure Step SCP: Push, Pull, Watch and Query (PS3.4 annex CC). Reports go out by `workitems.notices`.

All workitems are of the class UPS Push, whichever class was negotiated for the context (PS3.4 CC.3.1).
"""

from collections.abc import Coroutine, Iterator
from dataclasses import dataclass
from typing import Any, Final

from radiology.access.model import Actor
from radiology.app import App
from radiology.dicom_network.connection import Association, DataSet
from radiology.dicom_network.message import Command, CommandField, Element, Response, Status
from radiology.dicom_network.operations import Service
from radiology.doors.dimse.identifiers import charset_of
from radiology.doors.dimse.identifiers import read as read_identifier
from radiology.doors.dimse.performed_steps import INVALID_OBJECT_INSTANCE, read, refusal
from radiology.doors.dimse.worklist import IDENTIFIER_LIMIT_BYTES, OUT_OF_RESOURCES
from radiology.errors import AttributesRefused, Unprocessable
from radiology.standards.dicom import data_set
from radiology.standards.dicom.uids import (
    UNIFIED_PROCEDURE_STEP_PULL,
    UNIFIED_PROCEDURE_STEP_PUSH,
    UNIFIED_PROCEDURE_STEP_QUERY,
    UNIFIED_PROCEDURE_STEP_WATCH,
    is_valid_uid,
    new_uid,
)
from radiology.workitems import actions, subscriptions
from radiology.workitems.attributes import PROCEDURE_STEP_STATE, TRANSACTION_UID, text
from radiology.workitems.search import parse
from radiology.workitems.subscriptions import Subscription

CLASSES: Final = (
    UNIFIED_PROCEDURE_STEP_PUSH,
    UNIFIED_PROCEDURE_STEP_WATCH,
    UNIFIED_PROCEDURE_STEP_PULL,
    UNIFIED_PROCEDURE_STEP_QUERY,
)
NO_SUCH_ACTION, INVALID_ARGUMENT = 0x0123, 0x0115
CHANGE_STATE, REQUEST_CANCEL, SUBSCRIBE, UNSUBSCRIBE, SUSPEND = 1, 2, 3, 4, 5
#: Which actions each class has (PS3.4 tables CC.2-1 to CC.2-3).
ACTIONS: Final = {
    UNIFIED_PROCEDURE_STEP_PUSH: (REQUEST_CANCEL,),
    UNIFIED_PROCEDURE_STEP_PULL: (CHANGE_STATE,),
    UNIFIED_PROCEDURE_STEP_WATCH: (REQUEST_CANCEL, SUBSCRIBE, UNSUBSCRIBE, SUSPEND),
}
RECEIVING_AE, DELETION_LOCK = "00741234", "00741230"


@dataclass(frozen=True, slots=True)
class WorkitemService:
    """The workitems over one App. What is answered with success is committed."""

    app: App

    def table(self) -> dict[tuple[str, int], Service]:
        """The lines of these classes in the table of services."""
        searched = (UNIFIED_PROCEDURE_STEP_PULL, UNIFIED_PROCEDURE_STEP_WATCH, UNIFIED_PROCEDURE_STEP_QUERY)
        return {
            (UNIFIED_PROCEDURE_STEP_PUSH, CommandField.N_CREATE_RQ): self.create,
            (UNIFIED_PROCEDURE_STEP_PULL, CommandField.N_SET_RQ): self.change,
            **{(uid, CommandField.N_ACTION_RQ): self.act for uid in ACTIONS},
            **{(uid, CommandField.N_GET_RQ): self.get for uid in ACTIONS},
            **{(uid, CommandField.C_FIND_RQ): self.find for uid in searched},
        }

    def create(self, association: Association, request: Command, data: DataSet) -> Response:
        """N-CREATE (PS3.4 CC.2.5). Without a SOP Instance UID it is given one (PS3.7 10.1.5.1.4)."""
        uid, facility = request.sop_instance_uid or new_uid(), association.state.source.facility_code
        if not is_valid_uid(uid):
            raise Unprocessable("The SOP Instance UID is no UID.", dimse_status=INVALID_OBJECT_INSTANCE)
        work = actions.create_workitem(self.app, _actor(association), uid, read(data), facility_code=facility)
        try:
            self.app.db.wait_for(work)
        except AttributesRefused as error:
            return refusal(error)
        return Response(elements={Element.AFFECTED_SOP_INSTANCE_UID: uid})

    def change(self, association: Association, request: Command, data: DataSet) -> Response:
        """N-SET (PS3.4 CC.2.6): the modification list names the Transaction UID where the workitem is claimed."""
        changes = read(data)
        lock = text(changes, TRANSACTION_UID)
        changes.pop(TRANSACTION_UID, None)
        work = actions.update_workitem(self.app, _actor(association), request.sop_instance_uid, changes, lock)
        try:
            self.app.db.wait_for(work)
        except AttributesRefused as error:
            return refusal(error)
        return Response()

    def get(self, association: Association, request: Command, data: DataSet) -> Response:
        """N-GET (PS3.4 CC.2.7): the attributes that are asked for, all of them where none are named."""
        work = actions.workitem_attributes(self.app, _actor(association), request.sop_instance_uid)
        attributes = self.app.db.wait_for(work)
        asked = {f"{tag:08X}" for tag in request.attribute_identifiers}
        chosen = {tag: element for tag, element in attributes.items() if not asked or tag in asked}
        return Response(Status.SUCCESS, data_set.encode(chosen, data.transfer_syntax_uid))

    def act(self, association: Association, request: Command, data: DataSet) -> Response:
        """N-ACTION (PS3.4 CC.2.1 to CC.2.3), as far as the class of the context has the action."""
        action = request.action_type_id
        if action not in ACTIONS[data.context.abstract_syntax_uid]:
            return Response(NO_SUCH_ACTION, error_comment=f"This SOP class has no action {action}.")
        actor, uid, information = _actor(association), request.sop_instance_uid, read(data)
        if action == CHANGE_STATE:
            wanted, lock = text(information, PROCEDURE_STEP_STATE), text(information, TRANSACTION_UID)
            return self._answer(actions.change_state(self.app, actor, uid, wanted, lock))
        if action == REQUEST_CANCEL:
            asking = association.calling_ae_title
            work = actions.request_cancel(self.app, actor, uid, information, requesting_ae_title=asking)
            return self._answer(work)
        receiver = text(information, RECEIVING_AE)
        if action == SUBSCRIBE:
            return self._answer(subscriptions.subscribe(self.app, actor, uid, _subscription(information)))
        verb = subscriptions.unsubscribe if action == UNSUBSCRIBE else subscriptions.suspend
        return self._answer(verb(self.app, actor, uid, receiver))

    def find(self, association: Association, request: Command, data: DataSet) -> Iterator[Response]:  # noqa: ARG002
        """C-FIND (PS3.4 CC.2.8): pending responses in the order of their scheduled start."""
        identifier = read_identifier(data, IDENTIFIER_LIMIT_BYTES)
        query = parse(identifier, zone=self.app.settings.zone)
        charset = charset_of(association.state.entity.default_charset, identifier)
        most = self.app.settings.find_max
        found = self.app.db.wait_for(actions.find_workitems(self.app, _actor(association), query, limit=most + 1))
        for attributes in found[:most]:
            answer = data_set.encode(query.answer(attributes), data.transfer_syntax_uid, charset=charset)
            yield Response(Status.PENDING, answer)
        if len(found) > most:
            yield Response(OUT_OF_RESOURCES, error_comment=f"More than {most} workitems. Refine the query.")

    def _answer(self, work: Coroutine[Any, Any, int | None]) -> Response:
        return Response(self.app.db.wait_for(work) or Status.SUCCESS)


def _subscription(information: dict[str, Any]) -> Subscription:
    """The action information; what else is in it are matching keys. Raises Unprocessable (0115)."""
    locked = text(information, DELETION_LOCK)
    if locked not in ("TRUE", "FALSE"):
        raise Unprocessable("Deletion Lock is TRUE or FALSE.", tag=DELETION_LOCK, dimse_status=INVALID_ARGUMENT)
    keys = {tag: each for tag, each in information.items() if tag not in (RECEIVING_AE, DELETION_LOCK)}
    return Subscription(text(information, RECEIVING_AE), locked == "TRUE", keys)


def _actor(association: Association) -> Actor:
    return association.state.entity.actor()
