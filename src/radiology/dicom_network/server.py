"""The acceptor: one port, one thread for each association. What is done over it, see `operations`."""

import contextlib
import logging
import socket
import ssl
import threading
import time
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import Any, Final, Self

from radiology.dicom_network import operations, tls
from radiology.dicom_network.association import (
    REJECT_LOCAL_LIMIT,
    REJECT_UNAVAILABLE,
    Policy,
    UpperLayer,
    negotiate,
)
from radiology.dicom_network.connection import Association, Message
from radiology.dicom_network.operations import Application
from radiology.dicom_network.pdu import AssociateAC, AssociateRJ, AssociateRQ
from radiology.dicom_network.places import EVERYBODY, Places, PlacesHere
from radiology.dicom_network.transport import (
    DEFAULT_TIMERS,
    TICK_SECONDS,
    Address,
    AssociationEndedError,
    Outcome,
    Timers,
    Transport,
    secured,
    set_timeout,
)
from radiology.dicom_network.user_information import DEFAULT_MAX_PDU_LENGTH

#: How the upper layer puts it when a TLS record (type 22) comes where a PDU should.
TLS_HANDSHAKE: Final = "PDU type 16H"
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Limits:
    """How much is taken on at once: associations, and how many of them of one calling AE title, see `Places`.

    `max_waiting` bounds the connections of this process without an association, before and after it.
    """

    max_associations: int = 100
    max_associations_per_ae: int = 50
    max_waiting: int = 64
    max_pdu_length: int = DEFAULT_MAX_PDU_LENGTH


DEFAULT_LIMITS: Final = Limits()


@dataclass(slots=True)
class Counters:
    """What has happened since the start; read it at any time, the server writes it under its lock."""

    open: int = 0
    accepted: int = 0
    evicted: int = 0
    rejected: Counter[tuple[int, int, int]] = field(default_factory=Counter[tuple[int, int, int]])
    """By result, source and reason of the A-ASSOCIATE-RJ."""
    ended: Counter[Outcome] = field(default_factory=Counter[Outcome])
    """Accepted associations by how they ended."""
    not_associated: Counter[Outcome] = field(default_factory=Counter[Outcome])
    """Connections that never became an association (other than by rejection), by how they ended."""


class Server:
    """Listens from `start()` to `stop()`, on a socket of its own or on one that it was given.

    A given `listener` is listening already and is shared with other processes: the kernel hands each connection to one
    of those that wait in accept(), in turn. It goes on listening for the others when this server stops. `places` counts
    the associations against the limits, over as many processes as it knows of. With `encryption` every connection
    begins with a TLS handshake.
    """

    def __init__(
        self,
        application: Application,
        address: tuple[str, int] = ("127.0.0.1", 0),
        *,
        timers: Timers = DEFAULT_TIMERS,
        limits: Limits = DEFAULT_LIMITS,
        listener: socket.socket | None = None,
        places: Places | None = None,
        encryption: ssl.SSLContext | None = None,
    ) -> None:
        self.counters = Counters()
        self._application = application
        self._timers = timers
        self._limits = limits
        self._places = places or PlacesHere()
        self._tls = encryption
        self._shares_listener = listener is not None
        self._listener = listen(address) if listener is None else listener.dup()
        set_timeout(self._listener, socket.SO_RCVTIMEO, TICK_SECONDS)
        self._address = Address(*self._listener.getsockname()[:2])
        self._changed = threading.Condition()
        self._waiting: dict[socket.socket, None] = {}
        self._connections: set[socket.socket] = set()
        self._draining = False
        self._accepting = True
        self._aborting = False
        self._acceptor = threading.Thread(target=self._accept_connections, name="dimse-accept", daemon=True)

    @property
    def address(self) -> Address:
        """Where it listens; the port is the real one also when 0 was asked for."""
        return self._address

    def start(self) -> None:
        """Begin to accept connections; returns at once."""
        self._acceptor.start()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop(0)

    def stop(self, limit_seconds: float = 30.0, *, rejecting: bool = True) -> bool:
        """Reject new associations (2/3/1), let running ones finish up to the limit, then abort them and close the port.

        Not `rejecting`, it leaves new ones to the processes that share the port. Returns whether all finished by
        themselves.
        """
        with self._changed:
            self._draining = True
            self._accepting = rejecting
            finished = self._changed.wait_for(lambda: self.counters.open == 0, limit_seconds)
            self._aborting = True
            if not self._shares_listener:
                _shut(self._listener)  # Wakes the thread that waits in accept().
            if not self._changed.wait_for(lambda: not self._connections, 2 * TICK_SECONDS):
                for sock in self._connections:
                    _shut(sock)
            self._changed.wait_for(lambda: not self._connections, 2 * TICK_SECONDS)
        if self._acceptor.is_alive():
            self._acceptor.join()
        self._listener.close()
        return finished

    # Connections

    def _accept_connections(self) -> None:
        while self._accepting and not self._aborting:
            try:
                sock, peer = self._listener.accept()
            except BlockingIOError:
                continue
            except OSError:
                if not self._aborting:
                    time.sleep(0.05)  # Out of descriptors: what runs will give some back.
                continue
            self._admit(sock)
            thread = threading.Thread(target=self._serve, args=(sock, Address(*peer[:2])), name="dimse", daemon=True)
            try:
                thread.start()
            except RuntimeError:
                self._forget(sock)
                sock.close()

    def _admit(self, sock: socket.socket) -> None:
        with self._changed:
            self._connections.add(sock)
            self._wait_for_peer(sock)

    def _wait_for_peer(self, sock: socket.socket) -> None:
        # Who floods us with connections pushes out his own oldest ones; the lock is held.
        self._waiting[sock] = None
        if len(self._waiting) > self._limits.max_waiting:
            oldest = next(iter(self._waiting))
            del self._waiting[oldest]
            _shut(oldest)
            self.counters.evicted += 1

    def _forget(self, sock: socket.socket) -> None:
        with self._changed:
            self._waiting.pop(sock, None)
            self._connections.discard(sock)
            self._changed.notify_all()

    def _serve(self, sock: socket.socket, peer: Address) -> None:
        try:
            end: socket.socket | tls.TLSSocket = sock
            if self._tls is not None:
                end = tls.accept(sock, self._tls, limit_seconds=self._timers.artim_seconds)
                peer = secured(peer, end.certificate)
            transport = Transport(end, UpperLayer(False, self._limits.max_pdu_length), self._timers)
            transport.should_stop = lambda: self._aborting
            try:
                self._associate(transport, sock, peer)
            finally:
                transport.close()
        except tls.HandshakeError as error:
            self._application.on_refused(peer, None, error.code, str(error))
            sock.close()
        except Exception:
            _log.exception("dimse connection failed")
            sock.close()
        finally:
            self._forget(sock)

    def _associate(self, transport: Transport, sock: socket.socket, peer: Address) -> None:
        request = self._await_request(transport, sock, peer)
        if request is None:
            return
        with contextlib.ExitStack() as places:
            answer, state = self._answer(request, peer, places)
            transport.upper.answer(answer)
            if isinstance(answer, AssociateRJ):
                triple = f"{answer.result}/{answer.source}/{answer.reason}"
                self._application.on_refused(peer, request, triple, f"the association was rejected ({triple})")
                return
            with self._changed:
                self._waiting.pop(sock, None)
            try:
                association = Association(transport, request, answer, peer)
                association.state = state
                self._run(transport, association)
            finally:
                with self._changed:
                    self._wait_for_peer(sock)

    def _await_request(self, transport: Transport, sock: socket.socket, peer: Address) -> AssociateRQ | None:
        transport.upper.accept_transport()
        try:
            request = transport.receive(self._timers.artim_seconds)
        except AssociationEndedError as ended:
            transport.upper.artim_expired()
            with self._changed:
                outcome = ended.outcome if sock in self._waiting else Outcome.PUSHED_OUT
                self.counters.not_associated[outcome] += 1
            broken = transport.upper.broken_by
            reason = "tls" if broken.startswith(TLS_HANDSHAKE) else outcome
            self._application.on_refused(peer, None, reason, broken or str(ended))
            return None
        assert isinstance(request, AssociateRQ)  # noqa: S101 - nothing else is indicated in this state
        return request

    def _answer(
        self, request: AssociateRQ, peer: Address, places: contextlib.ExitStack
    ) -> tuple[AssociateAC | AssociateRJ, Any]:
        """Accept and count the association, or reject and count that; and the state that the policy gave.

        What it takes of our limits is given back when `places` is closed.
        """
        policy = self._reserve(places) or self._judge(request, peer)
        answer = policy if isinstance(policy, AssociateRJ) else self._negotiate(policy, request, places)
        with self._changed:
            if isinstance(answer, AssociateRJ):
                self.counters.rejected[answer.result, answer.source, answer.reason] += 1
            else:
                self.counters.accepted += 1
        return answer, None if isinstance(policy, AssociateRJ) else policy.state

    def _reserve(self, places: contextlib.ExitStack) -> AssociateRJ | None:
        with self._changed:
            if self._draining:
                return REJECT_UNAVAILABLE
            self.counters.open += 1
        places.callback(self._leave)
        return self._take(places, EVERYBODY, self._limits.max_associations)

    def _take(self, places: contextlib.ExitStack, name: str, limit: int) -> AssociateRJ | None:
        try:
            place = self._places(name, limit)
        except OSError:
            _log.exception("dimse associations cannot be counted")
            return REJECT_UNAVAILABLE
        if place is None:
            return REJECT_LOCAL_LIMIT
        places.callback(place.give_back)
        return None

    def _judge(self, request: AssociateRQ, peer: Address) -> Policy | AssociateRJ:
        try:
            return self._application.negotiate(request, peer)
        except Exception:
            _log.exception("dimse negotiation failed")
            return REJECT_UNAVAILABLE

    def _negotiate(
        self, policy: Policy, request: AssociateRQ, places: contextlib.ExitStack
    ) -> AssociateAC | AssociateRJ:
        answer = negotiate(request, replace(policy, max_pdu_length=self._limits.max_pdu_length))
        if isinstance(answer, AssociateRJ):
            return answer
        limit = policy.max_associations or self._limits.max_associations_per_ae
        return self._take(places, request.calling_ae_title, limit) or answer

    def _leave(self) -> None:
        with self._changed:
            self.counters.open -= 1
            self._changed.notify_all()

    # Associations

    def _run(self, transport: Transport, association: Association) -> None:
        outcome, sentence, opened = Outcome.ABORTED, "an error of our own", False
        try:
            self._application.on_open(association)
            opened = True
            transport.flush()
            self._exchange(association)
            outcome, sentence = Outcome.RELEASED, ""
        except AssociationEndedError as ended:
            outcome, sentence = ended.outcome, str(ended)
        except Exception:
            _log.exception("dimse association failed")
        finally:
            if outcome is not Outcome.RELEASED:
                association.abort()
            with self._changed:
                self.counters.ended[outcome] += 1
            if opened:
                self._application.on_close(association, outcome, sentence)

    def _exchange(self, association: Association) -> None:
        while (message := self._next_message(association)) is not None:
            operations.take(self._application, association, message)
            if self._aborting:
                raise AssociationEndedError(Outcome.SHUT_DOWN, "this application entity is shutting down")
        self._application.before_release(association)
        association.answer_release()

    def _next_message(self, association: Association) -> Message | None:
        while (seconds := self._application.between_messages(association)) is not None:
            if association.wait(seconds):
                break
        return association.next_message()


def listen(address: tuple[str, int]) -> socket.socket:
    """A socket that listens there, port 0 for any. Raises OSError."""
    family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(256)
    except OSError:
        listener.close()
        raise
    return listener


def _shut(sock: socket.socket) -> None:
    with contextlib.suppress(OSError):
        sock.shutdown(socket.SHUT_RDWR)
