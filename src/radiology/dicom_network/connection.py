"""An association over a blocking socket: whole messages in and out, for the acceptor and the requestor alike.

Message exchange is pulled: whoever wants bytes asks for them, and then, and only then, is the socket read. So nothing
queues up in memory, and a data set of any size passes through one receive buffer.
"""

import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from radiology.dicom_network.association import (
    AcceptedContext,
    Indication,
    ProtocolAbort,
    TransportClosed,
    accepted_contexts,
)
from radiology.dicom_network.incoming import DataSet, Message
from radiology.dicom_network.items import PDUError
from radiology.dicom_network.message import (
    DATA_SET_FOLLOWS,
    NO_DATA_SET,
    Command,
    CommandAssembler,
    CommandField,
    Element,
    Response,
    Value,
    decode_command,
)
from radiology.dicom_network.pdu import PDV, Abort, AssociateAC, AssociateRQ, DataTF, ReleaseRP, ReleaseRQ
from radiology.dicom_network.states import State
from radiology.dicom_network.transport import (
    BUFFERS_AT_ONCE,
    Address,
    AssociationEndedError,
    Outcome,
    Timers,
    Transport,
)
from radiology.dicom_network.writing import FileSlice, MessageWriter


class Association:
    """An established association: what was agreed, and the exchange of messages. Belongs to one thread."""

    def __init__(self, transport: Transport, request: AssociateRQ, answer: AssociateAC, peer: Address) -> None:
        self.request = request
        self.answer = answer
        self.peer = peer
        self.contexts: Mapping[int, AcceptedContext] = accepted_contexts(request, answer)
        self.state: Any = None
        """Whatever the user of the association wants to keep with it."""
        self.on_event_report: Callable[[Command, bytes], Response] | None = None
        """Takes an N-EVENT-REPORT that the peer sends while we wait for a response; None where none is expected."""
        self.is_requestor = transport.upper.requestor
        theirs = answer if self.is_requestor else request
        self.peer_max_pdu_length = theirs.user_information.max_pdu_length
        self._transport = transport
        self._assembler = CommandAssembler()
        self._pdvs: deque[PDV] = deque()
        self._held: Indication | None = None
        self._cancelled: set[int] = set()
        self._awaited: dict[int, Callable[[Command], None]] = {}
        self._last_message_id = 0
        self._unfinished: DataSet | None = None
        self._writer = MessageWriter(transport, self.peer_max_pdu_length)
        self._ended: AssociationEndedError | None = None

    @property
    def calling_ae_title(self) -> str:
        """AE title of the requestor."""
        return self.request.calling_ae_title

    @property
    def called_ae_title(self) -> str:
        """AE title of the acceptor."""
        return self.request.called_ae_title

    @property
    def timers(self) -> Timers:
        """The limits of this association."""
        return self._transport.timers

    def context_for(self, abstract_syntax_uid: str, transfer_syntax_uid: str | None = None) -> AcceptedContext | None:
        """An accepted context for an abstract syntax and, if it is given, a transfer syntax."""
        for context in self.contexts.values():
            if context.abstract_syntax_uid == abstract_syntax_uid and transfer_syntax_uid in (
                None,
                context.transfer_syntax_uid,
            ):
                return context
        return None

    # Receiving

    def next_message(self, limit_seconds: float | None = None) -> Message | None:
        """The next message, or None when the peer asks for release.

        What is left of the data set of the message before is skipped. A C-CANCEL is not returned but remembered, see
        `is_cancelled`. The limit (default: idle) is for the first bytes; once a message has begun, what follows has the
        DIMSE timer and a time by its length. Raises AssociationEndedError.
        """
        if self._unfinished is not None:
            self._unfinished.drain()
            self._unfinished = None
        limit = self.timers.idle_seconds if limit_seconds is None else limit_seconds
        self._transport.begin_message()
        while True:
            pdv = self._next_pdv(None if self._assembler.started else limit)
            if pdv is None:
                return None
            context = self._context(pdv)
            command = self._assemble(pdv)
            if command is None:
                continue
            data = DataSet(self.next_fragments, context, empty=not command.has_data_set)
            if command.field == CommandField.C_CANCEL_RQ:
                self._cancelled.add(command.responds_to)
                data.drain()
                continue
            self._unfinished = data
            return Message(command, data)

    def wait(self, seconds: float) -> bool:
        """Whether something of the peer's is there within this time; it is not taken. Silence ends nothing here.

        The message before must have been read whole. Raises AssociationEndedError.
        """
        if self._pdvs or self._held is not None:
            return True
        self._check()
        try:
            self._held = self._transport.receive(seconds)
        except AssociationEndedError as ended:
            if ended.outcome is Outcome.TIMED_OUT:
                return False
            self._ended = ended
            raise
        return True

    def next_fragments(self, context_id: int) -> tuple[list[memoryview], bool]:
        """The data set fragments that have arrived, at least one non-empty or the end, and whether it is the end."""
        batch: list[memoryview] = []
        while True:
            while self._pdvs:
                pdv = self._pdvs.popleft()
                if pdv.context_id != context_id or pdv.control & 1:
                    raise self.refuse(PDUError("a data set is interrupted by another message"))
                if pdv.fragment:
                    batch.append(memoryview(pdv.fragment))
                if pdv.control & 2:
                    return batch, True
                if len(batch) == BUFFERS_AT_ONCE:
                    return batch, False
            indication = self._transport.upper.next_indication()
            if indication is None:
                if batch:
                    return batch, False
                indication = self._receive(None)
            if not self._take(indication):
                raise self.refuse(PDUError("the peer asked for release in the middle of a data set"))

    def is_cancelled(self, request: Command) -> bool:
        """Whether the peer has sent a C-CANCEL for this request; looks at what has arrived, never waits."""
        while request.message_id not in self._cancelled:
            if not self._pdvs and not self._poll_pdvs():
                return False
            command = self._peek_cancel()
            if command is None:
                return False
            self._pdvs.popleft()
            self._cancelled.add(command.responds_to)
        return True

    def forget_cancels(self) -> None:
        """A new operation begins: what was cancelled until now does not concern it."""
        self._cancelled.clear()

    def _peek_cancel(self) -> Command | None:
        pdv = self._pdvs[0]
        if pdv.control & 3 != 3:
            return None
        self._context(pdv)
        try:
            command = decode_command(pdv.fragment)
        except PDUError:
            return None  # It is refused when its turn comes.
        return command if command.field == CommandField.C_CANCEL_RQ else None

    def _poll_pdvs(self) -> bool:
        if self._held is not None:
            return False
        indication = self._transport.poll()
        if indication is None:
            return False
        if not self._take(indication):
            self._held = indication
            return False
        return True

    def _next_pdv(self, limit_seconds: float | None) -> PDV | None:
        while not self._pdvs:
            indication, self._held = self._held, None
            if indication is None:
                indication = self._receive(limit_seconds)
            if not self._take(indication):
                return None
        return self._pdvs.popleft()

    def _receive(self, limit_seconds: float | None) -> Indication:
        """The next indication within the limit; without one, within what is allowed to the rest of a message."""
        self._check()
        try:
            if limit_seconds is None:
                return self._transport.receive_more()
            return self._transport.receive(limit_seconds)
        except AssociationEndedError as ended:
            self._transport.upper.abort(2 if ended.outcome is Outcome.TIMED_OUT else 0)
            self._ended = ended
            raise

    def _take(self, indication: Indication) -> bool:
        """Queue P-DATA; False for a release request. Raises AssociationEndedError for all that ends an association."""
        match indication:
            case DataTF(pdvs):
                self._pdvs.extend(pdvs)
                return True
            case ReleaseRQ():
                return False
            case Abort(source, reason):
                sentence = f"the peer aborted (source {source}, reason {reason})"
                raise self._end(Outcome.ABORTED_BY_PEER, sentence)
            case ProtocolAbort(sentence):
                raise self._end(Outcome.PROTOCOL_ERROR, sentence)
            case TransportClosed():
                raise self._end(Outcome.CLOSED_BY_PEER, "the peer closed the connection without release")
            case _:
                raise self._end(Outcome.PROTOCOL_ERROR, "the association was released")

    def _end(self, outcome: Outcome, sentence: str) -> AssociationEndedError:
        """How the association ended; the first reason is the one that is kept."""
        self._ended = self._ended or AssociationEndedError(outcome, sentence)
        return self._ended

    def _check(self) -> None:
        if self._ended is not None:
            raise self._ended

    def _context(self, pdv: PDV) -> AcceptedContext:
        context = self.contexts.get(pdv.context_id)
        if context is None:
            raise self.refuse(PDUError(f"presentation context {pdv.context_id} was not accepted"))
        return context

    def _assemble(self, pdv: PDV) -> Command | None:
        try:
            return self._assembler.add(pdv)
        except PDUError as error:
            raise self.refuse(error) from error

    def refuse(self, error: PDUError) -> AssociationEndedError:
        """Abort because the peer sent what makes no sense; the exception to be raised for it."""
        self._transport.upper.refuse(error)
        return self._end(Outcome.PROTOCOL_ERROR, str(error))

    # Sending

    def send_message(
        self, context_id: int, command: Command, data: bytes | memoryview | FileSlice | None = None
    ) -> None:
        """Send a command set and the data set that it announces. Memory used does not grow with a file.

        Raises AssociationEndedError, and EOFError (after an abort) when a file is shorter than it was said to be.
        """
        self._check()
        try:
            self._writer.write(context_id, command, data)
        except AssociationEndedError as ended:
            self._ended = ended
            raise
        except EOFError:
            self.abort()
            raise

    def send_messages(self, context_id: int, command: Command, data_sets: Sequence[bytes]) -> None:
        """Send the same command set with each of these data sets, all in one go. Raises AssociationEndedError."""
        self._check()
        try:
            self._writer.write_together(context_id, command, data_sets)
        except AssociationEndedError as ended:
            self._ended = ended
            raise

    def new_request(self, command_field: int, elements: Mapping[int, Value], *, with_data_set: bool) -> Command:
        """A command set for a request of ours, with a message id of its own."""
        self._last_message_id = self._last_message_id % 0xFFFF + 1
        return Command(
            {
                Element.COMMAND_FIELD: command_field,
                Element.MESSAGE_ID: self._last_message_id,
                Element.DATA_SET_TYPE: DATA_SET_FOLLOWS if with_data_set else NO_DATA_SET,
                **elements,
            }
        )

    def invoke(
        self,
        context: AcceptedContext,
        command_field: int,
        elements: Mapping[int, Value],
        data: "bytes | memoryview | FileSlice | None" = None,
    ) -> Message:
        """Send a request of ours and wait for its one response (C-ECHO, C-STORE, N-*).

        Acceptors use it for the C-STORE sub-operations of a C-GET and for N-EVENT-REPORT. Raises AssociationEndedError.
        """
        command = self.new_request(command_field, elements, with_data_set=data is not None)
        self.send_message(context.context_id, command, data)
        return self.response_to(command.message_id)

    def begin(
        self,
        context: AcceptedContext,
        command_field: int,
        elements: Mapping[int, Value],
        data: bytes,
        on_response: Callable[[Command], None],
    ) -> None:
        """Send a request of ours and go on. `take_response` hands its response over when the peer has sent it.

        So a request of the peer, or its release, may come before the response. Raises AssociationEndedError.
        """
        command = self.new_request(command_field, elements, with_data_set=True)
        self._awaited[command.message_id] = on_response
        self.send_message(context.context_id, command, data)

    def take_response(self, response: Command) -> bool:
        """Hand a response to whoever waits for it; False where nobody does."""
        on_response = self._awaited.pop(response.responds_to, None)
        if on_response is not None:
            on_response(response)
        return on_response is not None

    def response_to(self, message_id: int) -> Message:
        """Wait for the response to a request of ours, at most the DIMSE timer. Raises AssociationEndedError.

        An N-EVENT-REPORT that comes first goes to `on_event_report`, and is answered; a response to what was begun
        before goes to whoever waits for it.
        """
        message = self.next_message(self.timers.dimse_seconds)
        while message is not None and message.command.responds_to != message_id and self._is_for_others(message):
            message = self.next_message(self.timers.dimse_seconds)
        if message is None:
            raise self.refuse(PDUError("the peer asked for release while it owes a response"))
        if not message.command.is_response or message.command.responds_to != message_id:
            raise self.refuse(PDUError(f"a {message.command.operation} came instead of a response to {message_id}"))
        return message

    def take_event_report(self, seconds: float) -> bool:
        """Wait so long for an N-EVENT-REPORT and answer it by `on_event_report`; whether one came.

        Raises AssociationEndedError.
        """
        if not self.wait(seconds):
            return False
        message = self.next_message()
        if message is None or not self._answer_event_report(message):
            raise self.refuse(PDUError("the peer sent something else than an N-EVENT-REPORT"))
        return True

    def _is_for_others(self, message: Message) -> bool:
        if message.command.is_response:
            return self.take_response(message.command)
        return self._answer_event_report(message)

    def _answer_event_report(self, message: Message) -> bool:
        if message.command.field != CommandField.N_EVENT_REPORT_RQ or self.on_event_report is None:
            return False
        response = self.on_event_report(message.command, message.data.read())
        context_id = message.data.context.context_id
        self.send_message(context_id, response.to_command(message.command), response.data_set)
        return True

    # Ending

    def answer_release(self) -> None:
        """Agree to the release that the peer asked for. Raises AssociationEndedError where that is over already."""
        self._check()
        if self._transport.upper.state is not State.AWAIT_LOCAL_RELEASE_RESPONSE:
            raise self._end(Outcome.CLOSED_BY_PEER, "the peer was gone before its release was answered")
        self._transport.upper.release_response()
        self._transport.flush()

    def finish_release(self) -> None:
        """Ask for release and wait for the answer, at most the ARTIM timer (AR-1, AR-3).

        Raises AssociationEndedError.
        """
        self._check()
        upper, deadline = self._transport.upper, time.monotonic() + self.timers.artim_seconds
        upper.release()
        while not upper.close:
            self._transport.flush()
            indication = self._receive(max(deadline - time.monotonic(), 0))
            if isinstance(indication, ReleaseRQ):  # Both asked at once (AR-8).
                upper.release_response()
            elif not isinstance(indication, DataTF | ReleaseRP):
                self._take(indication)

    def close(self) -> None:
        """Close the connection; sends first what is left to be sent."""
        self._transport.close()

    def abort(self) -> None:
        """Abort the association; every later use of it raises AssociationEndedError."""
        self._end(Outcome.ABORTED, "this application entity aborted the association")
        self._transport.upper.abort()
        self._transport.flush()
