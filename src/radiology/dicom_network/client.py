"""The requestor: open an association to a peer and use its services (PS3.7 C-ECHO, C-STORE, C-FIND, N-*)."""

import socket
import ssl
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Final, Self

from radiology.dicom_network.association import (
    EXPLICIT_VR_LITTLE_ENDIAN,
    IMPLICIT_VR_LITTLE_ENDIAN,
    AcceptedContext,
    TransportClosed,
    UpperLayer,
)
from radiology.dicom_network.connection import Association, FileSlice
from radiology.dicom_network.message import (
    NO_DATA_SET,
    Command,
    CommandField,
    Element,
    Value,
    is_pending,
)
from radiology.dicom_network.pdu import (
    MAX_PRESENTATION_CONTEXTS,
    Abort,
    AssociateAC,
    AssociateRJ,
    AssociateRQ,
    ProposedContext,
)
from radiology.dicom_network.tls import Certificate, TLSSocket, certificate_of
from radiology.dicom_network.transport import (
    DEFAULT_TIMERS,
    Address,
    AssociationEndedError,
    Outcome,
    PauseAfter,
    Timers,
    Transport,
)
from radiology.dicom_network.user_information import DEFAULT_USER_INFORMATION, UserInformation

VERIFICATION: Final = "1.2.840.10008.1.1"
UNCOMPRESSED: Final = (EXPLICIT_VR_LITTLE_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN)


class AssociationRejectedError(AssociationEndedError):
    """The peer rejected the association (PS3.8 table 9-21)."""

    def __init__(self, rejection: AssociateRJ) -> None:
        triple = f"{rejection.result}/{rejection.source}/{rejection.reason}"
        super().__init__(Outcome.REJECTED, f"the peer rejected the association ({triple})")
        self.rejection = rejection


class ContextNotAcceptedError(ValueError):
    """No presentation context was accepted for what is to be sent."""


@dataclass(frozen=True, slots=True)
class Peer:
    """Whom to call, and as whom."""

    host: str
    port: int
    called_ae_title: str
    calling_ae_title: str


def connect(
    peer: Peer,
    contexts: Sequence[tuple[str, Sequence[str]]],
    *,
    timers: Timers = DEFAULT_TIMERS,
    user_information: UserInformation = DEFAULT_USER_INFORMATION,
    tls: ssl.SSLContext | None = None,
    trusts: Callable[[Certificate], bool] = lambda _certificate: True,
    should_stop: Callable[[], bool] = lambda: False,
) -> "Requestor":
    """Open an association that proposes `contexts`: an abstract syntax and its transfer syntaxes each.

    With `tls` the connection is encrypted, and goes on only where `trusts` takes the peer's certificate. While the peer
    is waited for, `should_stop` is asked, as by `Requestor.watch`.

    Raises AssociationRejectedError, AssociationEndedError, or OSError when there is no connection; ValueError when more
    than 128 contexts are proposed.
    """
    if len(contexts) > MAX_PRESENTATION_CONTEXTS:
        raise ValueError(f"an association has at most {MAX_PRESENTATION_CONTEXTS} presentation contexts")
    proposed = tuple(ProposedContext(2 * i + 1, uid, tuple(syntaxes)) for i, (uid, syntaxes) in enumerate(contexts))
    request = AssociateRQ(peer.called_ae_title, peer.calling_ae_title, proposed, user_information)
    sock = socket.create_connection((peer.host, peer.port), timers.artim_seconds)
    secured = sock if tls is None else _secured(sock, tls, trusts)
    transport = Transport(secured, UpperLayer(True, user_information.max_pdu_length), timers)
    transport.should_stop = should_stop
    try:
        return Requestor(transport, request, _associate(transport, request), Address(peer.host, peer.port))
    except BaseException:
        transport.close()
        raise


def _secured(sock: socket.socket, tls: ssl.SSLContext, trusts: Callable[[Certificate], bool]) -> TLSSocket:
    try:
        encrypted = tls.wrap_socket(sock)
    except BaseException:
        sock.close()
        raise
    if not trusts(certificate_of(encrypted)):
        encrypted.close()
        raise AssociationEndedError(Outcome.ABORTED, "the certificate of the peer is not the one that is registered")
    return TLSSocket(encrypted)


def _associate(transport: Transport, request: AssociateRQ) -> AssociateAC:
    transport.upper.associate(request)
    transport.flush()
    answer = transport.receive(transport.timers.artim_seconds)
    match answer:
        case AssociateAC():
            return answer
        case AssociateRJ():
            raise AssociationRejectedError(answer)
        case Abort():
            raise AssociationEndedError(Outcome.ABORTED_BY_PEER, "the peer aborted instead of an answer")
        case TransportClosed():
            raise AssociationEndedError(Outcome.CLOSED_BY_PEER, "the peer closed the connection and did not answer")
        case _:
            raise AssociationEndedError(Outcome.PROTOCOL_ERROR, "the peer did not answer the request")


class Requestor(Association):
    """An association that we asked for. As a context manager it is released at the end, aborted when that fails."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.release()
        else:
            self.abort()

    def echo(self) -> Command:
        """C-ECHO; the response. Raises ContextNotAcceptedError, AssociationEndedError."""
        return self.request_once(VERIFICATION, CommandField.C_ECHO_RQ, {Element.AFFECTED_SOP_CLASS_UID: VERIFICATION})[
            0
        ]

    def store(
        self,
        sop_class_uid: str,
        sop_instance_uid: str,
        data: bytes | memoryview | FileSlice,
        transfer_syntax_uid: str | None = None,
        *,
        elements: Mapping[int, Value] | None = None,
    ) -> Command:
        """C-STORE a data set without Part 10 header, encoded in this transfer syntax; the response.

        `elements` adds to the command set, as the originator of a C-MOVE. Memory used does not grow with the object.
        Raises ContextNotAcceptedError, AssociationEndedError, and EOFError (after an abort) when a file is too short.
        """
        context = self._context_of(sop_class_uid, transfer_syntax_uid)
        base: dict[int, Value] = {
            Element.AFFECTED_SOP_CLASS_UID: sop_class_uid,
            Element.AFFECTED_SOP_INSTANCE_UID: sop_instance_uid,
            Element.PRIORITY: 0,
        }
        return self.invoke(context, CommandField.C_STORE_RQ, base | dict(elements or {}), data).command

    def find(
        self, sop_class_uid: str, identifier: bytes, *, elements: Mapping[int, Value] | None = None
    ) -> Iterator[tuple[Command, bytes | None]]:
        """C-FIND: each response with its identifier, the final one last. Closing the iterator early sends C-CANCEL.

        The identifier is encoded in the transfer syntax of the accepted context. Also used for C-MOVE, whose command
        is given by `elements` (Command Field and Move Destination).
        """
        context = self._context_of(sop_class_uid)
        base: dict[int, Value] = {Element.AFFECTED_SOP_CLASS_UID: sop_class_uid, Element.PRIORITY: 0}
        command = self.new_request(CommandField.C_FIND_RQ, base | dict(elements or {}), with_data_set=True)
        self.send_message(context.context_id, command, identifier)
        pending = True
        try:
            while pending:
                response, data = self.response_to(command.message_id)
                found = data.read() if response.has_data_set else None
                pending = is_pending(response.status)
                yield response, found
        except GeneratorExit:
            if pending:
                self._cancel(context, command)
            raise

    def request_once(
        self, abstract_syntax_uid: str, command_field: int, elements: Mapping[int, Value], data: bytes | None = None
    ) -> tuple[Command, bytes | None]:
        """Any request with one response (C-ECHO, N-*): the response and its data set."""
        context = self._context_of(abstract_syntax_uid)
        response, answer = self.invoke(context, command_field, elements, data)
        return response, answer.read() if response.has_data_set else None

    def watch(self, should_stop: Callable[[], bool], pause_after: PauseAfter | None = None) -> None:
        """Have `should_stop` asked while we wait for the peer; then the wait ends with AssociationEndedError.

        `pause_after` says how long the next bytes are held back after so many were sent.
        """
        self._transport.should_stop = should_stop
        self._transport.pause_after = pause_after

    def release(self) -> None:
        """Release the association and close the connection; aborts when the peer does not answer in time."""
        try:
            self.finish_release()
        finally:
            self.close()

    def abort(self) -> None:
        """Abort the association and close the connection."""
        super().abort()
        self.close()

    def _context_of(self, abstract_syntax_uid: str, transfer_syntax_uid: str | None = None) -> AcceptedContext:
        context = self.context_for(abstract_syntax_uid, transfer_syntax_uid)
        if context is None:
            syntax = f" in {transfer_syntax_uid}" if transfer_syntax_uid else ""
            raise ContextNotAcceptedError(
                f"the peer accepted no presentation context for {abstract_syntax_uid}{syntax}"
            )
        return context

    def _cancel(self, context: AcceptedContext, command: Command) -> None:
        cancel = Command(
            {
                Element.COMMAND_FIELD: CommandField.C_CANCEL_RQ,
                Element.MESSAGE_ID_BEING_RESPONDED_TO: command.message_id,
                Element.DATA_SET_TYPE: NO_DATA_SET,
            }
        )
        self.send_message(context.context_id, cancel)
        while is_pending(self.response_to(command.message_id).command.status):
            pass
