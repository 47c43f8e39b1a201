"""A blocking socket joined to the upper layer of an association: indications in, bytes out, and limits on waiting."""

import contextlib
import socket
import struct
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice
from typing import Final, NamedTuple

from radiology.dicom_network.association import Indication, UpperLayer
from radiology.dicom_network.states import State
from radiology.dicom_network.tls import Certificate, TLSSocket

TICK_SECONDS: Final = 0.5
"""How often a waiting thread looks up, to see whether it is to stop; not a limit on the peer."""
BUFFERS_AT_ONCE: Final = 512
"""Well under IOV_MAX, for our sendmsg() and for whoever hands a batch of fragments on to writev()."""
PACED_BYTES: Final = 16 * 1024
"""How much is sent at once where the speed is limited."""
SLOWEST_BYTES_PER_SECOND: Final = 1024
"""What a peer must send or take in the mean, once it has kept us waiting for as long as a timer allows."""
_QUICKACK: Final = getattr(socket, "TCP_QUICKACK", None)

PauseAfter = Callable[[int], float]
"""Seconds to hold the next bytes back after so many were sent."""


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
    PUSHED_OUT = "pushed out"
    """One of too many connections that had not asked for anything yet."""


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

    @property
    def certificate(self) -> Certificate | None:
        """The certificate that this end showed over TLS; None on a plain connection."""
        return None


class SecuredAddress(Address):
    """One end of a connection over TLS."""

    shown: Certificate

    @property
    def certificate(self) -> Certificate | None:
        """The certificate that this end showed."""
        return self.shown


def secured(address: Address, certificate: Certificate) -> SecuredAddress:
    """An address with the certificate that was shown there."""
    end = SecuredAddress(*address)
    end.shown = certificate
    return end


@dataclass(frozen=True, slots=True)
class Timers:
    """Limits in seconds (domain.md 1.1).

    ARTIM: for the whole of the A-ASSOCIATE exchange, and for the peer to close afterwards. DIMSE: for the next PDU of a
    message that has begun, for a response, and for the peer to take what we send; see `Patience`. Idle: between two
    messages.
    """

    artim_seconds: float = 30.0
    dimse_seconds: float = 120.0
    idle_seconds: float = 300.0


DEFAULT_TIMERS: Final = Timers()


class Patience:
    """How long a peer may keep us waiting: as long as a timer says in all, and a second more for each KiB that moves.

    So one that stalls costs the timer, and one that drips bytes for ever little more.
    """

    __slots__ = ("_most_seconds", "seconds")

    def __init__(self, seconds: float) -> None:
        self._most_seconds = seconds
        self.seconds = seconds

    def renew(self) -> None:
        """Something new begins."""
        self.seconds = self._most_seconds

    def waited(self, seconds: float, moved_bytes: int) -> None:
        """We waited so long while so much came or went."""
        left = self.seconds - seconds + moved_bytes / SLOWEST_BYTES_PER_SECOND
        self.seconds = min(left, self._most_seconds)


class Transport:
    """A connected socket joined to an upper layer: blocking, with limits, woken now and then to see `should_stop`."""

    def __init__(self, sock: socket.socket | TLSSocket, upper: UpperLayer, timers: Timers) -> None:
        self.upper = upper
        self.timers = timers
        self.should_stop: Callable[[], bool] = lambda: False
        self.pause_after: PauseAfter | None = None
        """Limits how fast P-DATA is sent; None for full speed."""
        self._socket = sock
        self._received_bytes = 0
        self._receiving = Patience(timers.dimse_seconds)
        self._sending = Patience(timers.dimse_seconds)
        shortest = min(timers.artim_seconds, timers.dimse_seconds, timers.idle_seconds)
        sock.settimeout(None)
        # The kernel's own timers: unlike settimeout() they cost no poll() before each call.
        set_timeout(sock, socket.SO_RCVTIMEO, min(TICK_SECONDS, shortest / 4))
        set_timeout(sock, socket.SO_SNDTIMEO, min(TICK_SECONDS, shortest / 4))
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
            if not self._fill(0):
                self._check_stop()
            indication = self.upper.next_indication()
        return indication

    def begin_message(self) -> None:
        """What `receive_more` waits for from now on is another message."""
        self._receiving.renew()

    def receive_more(self) -> Indication:
        """The next indication in a message that has begun. Raises AssociationEndedError when it comes too slowly."""
        began, before = time.monotonic(), self._received_bytes
        if self._receiving.seconds <= 0:
            sentence = f"the peer sends less than {SLOWEST_BYTES_PER_SECOND} bytes a second"
            raise AssociationEndedError(Outcome.TIMED_OUT, sentence)
        indication = self.receive(self._receiving.seconds)
        self._receiving.waited(time.monotonic() - began, self._received_bytes - before)
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
        self._received_bytes += count
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
            with contextlib.suppress(OSError, AssociationEndedError):
                self._send_all(deque((memoryview(data),)), Patience(self.timers.artim_seconds))

    def send(self, buffers: Sequence[bytes | memoryview]) -> None:
        """Send P-DATA from one buffer or many, without joining them. Raises AssociationEndedError."""
        self.upper.data()
        queue = deque(memoryview(buffer) for buffer in buffers)
        try:
            if self.pause_after is None:
                self._send_all(queue, self._sending)
            else:
                self._send_paced(queue, self.pause_after)
        except OSError as error:
            raise self._send_failed(error) from error

    def _send_all(self, queue: deque[memoryview], patience: Patience) -> None:
        while queue:
            began, sent = time.monotonic(), 0
            try:
                sent = self._socket.sendmsg(list(islice(queue, BUFFERS_AT_ONCE)))
                _drop(queue, sent)
            except BlockingIOError:
                self._check_stop()
            patience.waited(time.monotonic() - began, sent)
            if queue and patience.seconds <= 0:
                raise BlockingIOError

    def _send_paced(self, queue: deque[memoryview], pause_after: PauseAfter) -> None:
        while queue:
            piece = _take(queue, PACED_BYTES)
            size = sum(map(len, piece))
            self._send_all(piece, self._sending)
            goes_on_at = time.monotonic() + pause_after(size)
            while (left := goes_on_at - time.monotonic()) > 0:
                self._check_stop()
                time.sleep(min(left, TICK_SECONDS))

    def _check_stop(self) -> None:
        if self.should_stop():
            raise AssociationEndedError(Outcome.SHUT_DOWN, "this application entity was told to stop")

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


def set_timeout(sock: socket.socket | TLSSocket, option: int, seconds: float) -> None:
    """The kernel's own limit on a blocking call: SO_RCVTIMEO, SO_SNDTIMEO; then BlockingIOError is raised."""
    whole, fraction = divmod(max(seconds, 0.001), 1)
    sock.setsockopt(socket.SOL_SOCKET, option, struct.pack("@ll", int(whole), int(fraction * 1_000_000)))


def _drop(queue: deque[memoryview], sent: int) -> None:
    while queue and sent >= len(queue[0]):
        sent -= len(queue.popleft())
    if sent:
        queue[0] = queue[0][sent:]


def _take(queue: deque[memoryview], most_bytes: int) -> deque[memoryview]:
    taken = deque[memoryview]()
    while queue and most_bytes > 0:
        taken.append(queue[0][:most_bytes])
        most_bytes -= len(taken[-1])
        _drop(queue, len(taken[-1]))
    return taken
