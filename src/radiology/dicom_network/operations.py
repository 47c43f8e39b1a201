"""Operations: which service performs a request, and how its responses go out.

A service is given the association, the request and the data set as it arrives, and returns a response or yields
several. What must be known of the application stands in `Application`.
"""

import contextlib
import logging
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from radiology.dicom_network.association import Policy
from radiology.dicom_network.connection import Association, DataSet, Message
from radiology.dicom_network.items import PDUError
from radiology.dicom_network.message import Command, CommandField, PendingResponses, Response, Status, is_pending
from radiology.dicom_network.pdu import AssociateRJ, AssociateRQ
from radiology.dicom_network.transport import Address, AssociationEndedError, Outcome

Service = Callable[[Association, Command, DataSet], Response | Iterable[Response | PendingResponses]]
"""Consume the data set, return a response; or yield pending responses and a final one (success when none is given)."""

ANY_SOP_CLASS: Final = "*"
_COMPOSITE: Final = frozenset(
    (CommandField.C_STORE_RQ, CommandField.C_FIND_RQ, CommandField.C_MOVE_RQ, CommandField.C_GET_RQ)
)
_NORMALIZED: Final = frozenset(
    (CommandField.N_CREATE_RQ, CommandField.N_SET_RQ, CommandField.N_GET_RQ, CommandField.N_ACTION_RQ)
)
#: Classes that work on the instances of another: all UPS classes on UPS Push (PS3.4 CC.3.1), MPPS Retrieve on MPPS.
_INSTANCES_OF: Final[Mapping[str, str]] = {
    **dict.fromkeys((f"1.2.840.10008.5.1.4.34.6.{number}" for number in (2, 3, 5)), "1.2.840.10008.5.1.4.34.6.1"),
    "1.2.840.10008.3.1.2.3.4": "1.2.840.10008.3.1.2.3.3",
}
_log = logging.getLogger(__name__)


class OperationCancelledError(Exception):
    """Thrown into a service at its `yield` when the peer sent C-CANCEL.

    A service may catch it and yield its own final response (FE00 with counts); else FE00 is sent for it.
    """


def _open_ignored(association: Association) -> None:
    """Nobody wants to know."""


def _close_ignored(association: Association, outcome: Outcome, sentence: str) -> None:
    """Nobody wants to know."""


def _nothing_to_send(association: Association) -> None:
    """Plain waiting for the next message."""


def _operation_ignored(association: Association, request: Command, status: int, seconds: float) -> None:
    """Nobody wants to know."""


def _refusal_ignored(peer: Address, request: AssociateRQ | None, reason: str, sentence: str) -> None:
    """Nobody wants to know."""


def response_to_error(association: Association, request: Command, error: Exception) -> Response:
    """The default answer to an exception of a service: "cannot understand" for composite, else processing failure."""
    del association
    _log.error("dimse service failed", exc_info=error, extra={"operation": request.operation})
    return Response(Status.CANNOT_UNDERSTAND if request.field in _COMPOSITE else Status.PROCESSING_FAILURE)


@dataclass(frozen=True, slots=True)
class Application:
    """What the server asks of, and tells to, the application. All of it is called in the thread of the association.

    negotiate: the policy for this requestor at this address, or a rejection (unknown AE, database down, identity).
    services: by abstract syntax UID and command field; `ANY_SOP_CLASS` stands for those not named.
    before_release: the A-RELEASE-RP is sent when it has returned; when it raises, the association is aborted instead.
    on_open, on_close: once for each accepted association, before it is answered and at its end; on_close is told how
    and why it ended, and is not called where on_open raised.
    on_refused: a connection that never became an association: with its request, where one came, and why: result, source
    and reason of the A-ASSOCIATE-RJ as 1/1/7; `tls` for a TLS handshake; else an `Outcome`.
    between_messages: before the next message is awaited; may send requests of ours. It is called again after the
    seconds that it returns, if the peer has sent nothing until then; None where there is nothing to come back for.
    on_operation: after the final response, with its status and the duration in seconds.
    response_to_error: the final response for an exception that a service raised.
    """

    negotiate: Callable[[AssociateRQ, Address], Policy | AssociateRJ]
    services: Mapping[tuple[str, int], Service]
    on_open: Callable[[Association], None] = _open_ignored
    on_close: Callable[[Association, Outcome, str], None] = _close_ignored
    before_release: Callable[[Association], None] = _open_ignored
    on_refused: Callable[[Address, AssociateRQ | None, str, str], None] = _refusal_ignored
    between_messages: Callable[[Association], float | None] = _nothing_to_send
    on_operation: Callable[[Association, Command, int, float], None] = _operation_ignored
    response_to_error: Callable[[Association, Command, Exception], Response] = response_to_error


def take(application: Application, association: Association, message: Message) -> None:
    """Perform a request and answer it, or hand a response to whoever waits for it. Raises AssociationEndedError."""
    if message.command.is_response:
        _take_response(association, message)
    else:
        _perform(application, association, message)


def _take_response(association: Association, message: Message) -> None:
    message.data.drain()
    if not association.take_response(message.command):
        operation = message.command.operation
        raise association.refuse(PDUError(f"a response came that nobody waits for ({operation})"))


def _perform(application: Application, association: Association, message: Message) -> None:
    request, started = message.command, time.perf_counter()
    association.forget_cancels()
    try:
        final = _call(application, association, message)
    except AssociationEndedError:
        raise
    except Exception as error:
        final = application.response_to_error(association, request, error)
    _respond(association, message, final)
    application.on_operation(association, request, final.status, time.perf_counter() - started)


def _call(application: Application, association: Association, message: Message) -> Response:
    """Run the service, send its pending responses, and give its final one. A cancelled one answers FE00."""
    request, context = message.command, message.data.context
    services = application.services
    service = services.get((context.abstract_syntax_uid, request.field))
    service = service or services.get((ANY_SOP_CLASS, request.field))
    if service is None:
        return Response(Status.UNRECOGNIZED_OPERATION)
    if request.field in _COMPOSITE and request.sop_class_uid != context.abstract_syntax_uid:
        return Response(Status.SOP_CLASS_NOT_SUPPORTED)
    if request.field in _NORMALIZED and request.sop_class_uid not in (
        context.abstract_syntax_uid,
        _INSTANCES_OF.get(context.abstract_syntax_uid),
    ):
        return Response(Status.NO_SUCH_SOP_CLASS)
    answer = service(association, request, message.data)
    return answer if isinstance(answer, Response) else _send_pending(association, message, iter(answer))


def _send_pending(
    association: Association, message: Message, responses: Iterator[Response | PendingResponses]
) -> Response:
    try:
        for response in responses:
            if isinstance(response, Response) and not is_pending(response.status):
                return response
            if association.is_cancelled(message.command):
                return _cancel(responses)
            if isinstance(response, PendingResponses):
                _respond_together(association, message, response)
            else:
                _respond(association, message, response)
        # All is said, but who cancelled meanwhile is to hear that it was heard.
        return Response(Status.CANCEL if association.is_cancelled(message.command) else Status.SUCCESS)
    finally:
        if isinstance(responses, Generator):
            responses.close()


def _cancel(responses: Iterator[Response | PendingResponses]) -> Response:
    if isinstance(responses, Generator):
        with contextlib.suppress(OperationCancelledError, StopIteration):
            response: Response | PendingResponses = responses.throw(OperationCancelledError())
            if isinstance(response, Response) and not is_pending(response.status):
                return response
    return Response(Status.CANCEL)


def _respond(association: Association, message: Message, response: Response) -> None:
    # Nothing is answered before the whole request is here: what the service left unread is skipped.
    message.data.drain()
    command = response.to_command(message.command)
    association.send_message(message.data.context.context_id, command, response.data_set)


def _respond_together(association: Association, message: Message, responses: PendingResponses) -> None:
    message.data.drain()
    command = Response(responses.status, data_set=b"").to_command(message.command)
    association.send_messages(message.data.context.context_id, command, responses.data_sets)
