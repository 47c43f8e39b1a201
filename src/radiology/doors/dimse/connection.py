"""An association over a blocking socket: whole messages in and out, for the acceptor and the requestor alike.

Message exchange is pulled: whoever wants bytes asks for them, and then, and only then, is the socket read. So nothing
queues up in memory, and a data set of any size passes through one receive buffer.
"""

import contextlib
import socket
import struct
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice
from typing import Any, Final, NamedTuple

from radiology.doors.dimse.association import (
    AcceptedContext,
    Indication,
    ProtocolAbort,
    State,
    TransportClosed,
    UpperLayer,
    accepted_contexts,
)
from radiology.doors.dimse.message import (
    Command,
    CommandAssembler,
    CommandField,
    command_pdus,
    decode_command,
    fragment_length,
    fragments,
)
from radiology.doors.dimse.pdu import PDV, Abort, AssociateAC, AssociateRQ, DataTF, PDUError, ReleaseRP, ReleaseRQ

TICK_SECONDS: Final = 0.5
"""How often a waiting thread looks up, to see whether it is to stop; not a limit on the peer."""
IDENTIFIER_LIMIT: Final = 16 * 1024 * 1024
_BUFFERS_AT_ONCE: Final = 512  # Well under IOV_MAX, for us and for whoever hands a batch on to writev().
_QUICKACK: Final = getattr(socket, "TCP_QUICKACK", None)


class Outcome(StrEnum):
    """How an association ended."""

    RELEASED = "released"
    REJECTED = "rejected"
    ABORTED_BY_PEER = "aborted by peer"
    ABORTED = "aborted"
    PROTOCOL_ERROR = "protocol error"
    CLOSED_BY_PEER = "closed by peer"
    TIMED_OUT = "timed out"
    SHUT_DOWN = "shut down"


class AssociationEndedError(Exception):
    """The association is over, or was never there; says how and, in a sentence, why.

    No OSError on purpose: code that reads a data set and writes a file must not take the peer's failure for the disk's.
    """

    def __init__(self, outcome: Outcome, sentence: str) -> None:
        super().__init__(sentence)
        self.outcome = outcome


class Address(NamedTuple):
    """Host and port of one end of a connection."""

    host: str
    port: int


@dataclass(frozen=True, slots=True)
class Timers:
    """Limits in seconds (domain.md 1.1).

    ARTIM: for the whole of the A-ASSOCIATE exchange, and for the peer to close afterwards. DIMSE: for the next PDU of a
    message that has begun, for a response, and for the peer to take what we send. Idle: between two messages.
    """

    artim_seconds: float = 30.0
    dimse_seconds: float = 120.0
    idle_seconds: float = 300.0


DEFAULT_TIMERS: Final = Timers()


class Transport:
    """A connected socket joined to an upper layer: blocking, with limits, woken now and then to see `should_stop`."""

    def __init__(self, sock: socket.socket, upper: UpperLayer, timers: Timers) -> None:
        self.upper = upper
        self.timers = timers
        self.should_stop: Callable[[], bool] = lambda: False
        self._socket = sock
        shortest = min(timers.artim_seconds, timers.dimse_seconds, timers.idle_seconds)
        sock.settimeout(None)
        # The kernel's own timer: unlike settimeout() it costs no poll() before each receive.
        _set_timeout(sock, socket.SO_RCVTIMEO, min(TICK_SECONDS, shortest / 4))
        _set_timeout(sock, socket.SO_SNDTIMEO, timers.dimse_seconds)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def receive(self, limit_seconds: float) -> Indication:
        """The next indication. Raises AssociationEndedError when it does not come within the limit."""
        indication = self.upper.next_indication()
        if indication is not None:
            return indication
        deadline = time.monotonic() + limit_seconds
        while indication is None:
            if self.upper.close:
                raise AssociationEndedError(Outcome.CLOSED_BY_PEER, "the peer closed the connection")
            if self.upper.state is State.AWAIT_TRANSPORT_CLOSE:
                raise AssociationEndedError(Outcome.PROTOCOL_ERROR, "the peer did not speak the upper layer protocol")
            if time.monotonic() > deadline:
                raise AssociationEndedError(Outcome.TIMED_OUT, f"nothing whole came in {limit_seconds:g} s")
            if not self._fill(0) and self.should_stop():
                raise AssociationEndedError(Outcome.SHUT_DOWN, "this application entity is shutting down")
            indication = self.upper.next_indication()
        return indication

    def poll(self) -> Indication | None:
        """The next indication if its bytes have arrived already."""
        indication = self.upper.next_indication()
        if indication is None and self._fill(socket.MSG_DONTWAIT):
            indication = self.upper.next_indication()
        return indication

    def _fill(self, flags: int) -> bool:
        try:
            count = self._socket.recv_into(self.upper.writable(), 0, flags)
        except (BlockingIOError, InterruptedError):
            return False
        except OSError:
            count = 0  # A reset is a close; what the peer sent before it has been read.
        self.upper.received(count)
        if _QUICKACK is not None and count:
            # Most senders leave Nagle's algorithm on and wait for an acknowledgement that the kernel would hold back.
            self._socket.setsockopt(socket.IPPROTO_TCP, _QUICKACK, 1)
        return True

    def flush(self) -> None:
        """Send what the upper layer has to say."""
        if self.upper.outgoing:
            data = bytes(self.upper.outgoing)
            self.upper.outgoing.clear()
            # Where the peer is gone already, reading will tell.
            with contextlib.suppress(OSError):
                self._socket.sendall(data)

    def send(self, buffers: Sequence[bytes | memoryview]) -> None:
        """Send P-DATA from one buffer or many, without joining them. Raises AssociationEndedError."""
        self.upper.data()
        try:
            if len(buffers) == 1:
                self._socket.sendall(buffers[0])
            else:
                self._send_many(deque(memoryview(buffer) for buffer in buffers))
        except OSError as error:
            raise self._send_failed(error) from error

    def _send_many(self, queue: deque[memoryview]) -> None:
        while queue:
            _drop(queue, self._socket.sendmsg(list(islice(queue, _BUFFERS_AT_ONCE))))

    def _send_failed(self, error: OSError) -> AssociationEndedError:
        if isinstance(error, BlockingIOError):
            return AssociationEndedError(Outcome.TIMED_OUT, "the peer did not take what was sent to it")
        return AssociationEndedError(Outcome.CLOSED_BY_PEER, f"sending failed: {error.strerror}")

    def close(self) -> None:
        """Close the connection; what was to be sent is sent, and the peer may close first while ARTIM runs (Sta13).

        Closing with unread bytes would make the kernel reset the connection, and the peer might lose our last word.
        """
        with contextlib.suppress(OSError):
            self.flush()
            if self.upper.state is State.AWAIT_TRANSPORT_CLOSE:
                self._socket.shutdown(socket.SHUT_WR)
                self._discard_until_closed()
        self._socket.close()

    def _discard_until_closed(self) -> None:
        deadline = time.monotonic() + self.timers.artim_seconds
        scratch = bytearray(64 * 1024)
        while time.monotonic() < deadline and not self.should_stop():
            with contextlib.suppress(BlockingIOError):
                if self._socket.recv_into(scratch) == 0:
                    return
        self.upper.artim_expired()


def _set_timeout(sock: socket.socket, option: int, seconds: float) -> None:
    whole, fraction = divmod(max(seconds, 0.001), 1)
    sock.setsockopt(socket.SOL_SOCKET, option, struct.pack("@ll", int(whole), int(fraction * 1_000_000)))


def _drop(queue: deque[memoryview], sent: int) -> None:
    while queue and sent >= len(queue[0]):
        sent -= len(queue.popleft())
    if sent:
        queue[0] = queue[0][sent:]


class DataSet:
    """The data set of a message, as it arrives: an iterator of fragments, each valid until the next is asked for.

    It is encoded in `transfer_syntax_uid` and has no Part 10 header. Raises AssociationEndedError when it breaks off.
    """

    __slots__ = ("_association", "_finished", "context", "size_bytes")

    def __init__(self, association: "Association", context: AcceptedContext, *, empty: bool) -> None:
        self.context = context
        self.size_bytes = 0
        """How many bytes have been handed out so far."""
        self._association = association
        self._finished = empty

    @property
    def transfer_syntax_uid(self) -> str:
        """The transfer syntax that was negotiated for the context."""
        return self.context.transfer_syntax_uid

    def next_batch(self) -> list[memoryview]:
        """All fragments that have arrived, at least one (for `os.writev`); an empty list at the end."""
        if self._finished:
            return []
        batch, self._finished = self._association.next_fragments(self.context.context_id)
        self.size_bytes += sum(map(len, batch))
        return batch

    def batches(self) -> Iterator[list[memoryview]]:
        """The fragments in batches, each valid until the next is asked for."""
        while batch := self.next_batch():
            yield batch

    def __iter__(self) -> Iterator[memoryview]:
        while batch := self.next_batch():
            yield from batch

    def read(self, limit_bytes: int = IDENTIFIER_LIMIT) -> bytes:
        """All that is left, joined: for identifiers, not for images. Raises PDUError when it is over the limit."""
        joined = bytearray()
        for fragment in self:
            joined += fragment
            if len(joined) > limit_bytes:
                raise PDUError(f"a data set is longer than the {limit_bytes} bytes allowed here")
        return bytes(joined)

    def drain(self) -> None:
        """Read to the end and forget it."""
        while self.next_batch():
            pass


class Message(NamedTuple):
    """A command set and the data set that follows it (an empty one when none does)."""

    command: Command
    data: DataSet


class Association:
    """An established association: what was agreed, and the exchange of messages. Belongs to one thread."""

    def __init__(self, transport: Transport, request: AssociateRQ, answer: AssociateAC, peer: Address) -> None:
        self.request = request
        self.answer = answer
        self.peer = peer
        self.contexts: Mapping[int, AcceptedContext] = accepted_contexts(request, answer)
        self.state: Any = None
        """Whatever the user of the association wants to keep with it."""
        self.is_requestor = transport.upper.requestor
        theirs = answer if self.is_requestor else request
        self.peer_max_pdu_length = theirs.user_information.max_pdu_length
        self._transport = transport
        self._assembler = CommandAssembler()
        self._pdvs: deque[PDV] = deque()
        self._held: Indication | None = None
        self._cancelled: set[int] = set()
        self._last_message_id = 0
        self._unfinished: DataSet | None = None
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
        `is_cancelled`. The limit (default: idle) is for the first bytes; the DIMSE timer takes over once a message has
        begun. Raises AssociationEndedError.
        """
        if self._unfinished is not None:
            self._unfinished.drain()
            self._unfinished = None
        limit = self.timers.idle_seconds if limit_seconds is None else limit_seconds
        while True:
            pdv = self._next_pdv(self.timers.dimse_seconds if self._assembler.started else limit)
            if pdv is None:
                return None
            context = self._context(pdv)
            command = self._assemble(pdv)
            if command is None:
                continue
            data = DataSet(self, context, empty=not command.has_data_set)
            if command.field == CommandField.C_CANCEL_RQ:
                self._cancelled.add(command.responds_to)
                data.drain()
                continue
            self._unfinished = data
            return Message(command, data)

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
                if len(batch) == _BUFFERS_AT_ONCE:
                    return batch, False
            indication = self._transport.upper.next_indication()
            if indication is None:
                if batch:
                    return batch, False
                indication = self._receive(self.timers.dimse_seconds)
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

    def _next_pdv(self, limit_seconds: float) -> PDV | None:
        while not self._pdvs:
            indication, self._held = self._held, None
            if indication is None:
                indication = self._receive(limit_seconds)
            if not self._take(indication):
                return None
        return self._pdvs.popleft()

    def _receive(self, limit_seconds: float) -> Indication:
        self._check()
        try:
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

    def send_message(self, context_id: int, command: Command, data: bytes | memoryview | None = None) -> None:
        """Send a command set and the data set that it announces. Raises AssociationEndedError."""
        header = command_pdus(context_id, command, self.peer_max_pdu_length)
        if data is None:
            self.send_raw((header,))
        else:
            self.send_raw((header, *fragments(context_id, data, self.peer_max_pdu_length)))

    @property
    def fragment_length(self) -> int:
        """How many bytes of a data set fit into one PDU of the peer."""
        return fragment_length(self.peer_max_pdu_length)

    def send_raw(self, buffers: Sequence[bytes | memoryview]) -> None:
        """Send P-DATA-TF PDUs that the caller has framed. Raises AssociationEndedError."""
        self._check()
        try:
            self._transport.send(buffers)
        except AssociationEndedError as ended:
            self._ended = ended
            raise

    def new_message_id(self) -> int:
        """A message id for a request of ours: 1 to 65535, round and round."""
        self._last_message_id = self._last_message_id % 0xFFFF + 1
        return self._last_message_id

    def response_to(self, message_id: int) -> Message:
        """Wait for the response to a request of ours, at most the DIMSE timer. Raises AssociationEndedError."""
        message = self.next_message(self.timers.dimse_seconds)
        if message is None:
            raise self.refuse(PDUError("the peer asked for release while it owes a response"))
        if not message.command.is_response or message.command.responds_to != message_id:
            raise self.refuse(PDUError(f"a {message.command.operation} came instead of a response to {message_id}"))
        return message

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
        upper = self._transport.upper
        upper.release()
        while not upper.close:
            self._transport.flush()
            indication = self._receive(self.timers.artim_seconds)
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
