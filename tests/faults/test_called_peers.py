"""Peers that we call and that never answer, stall or vanish while we send, find, move, ask for commitment, or print.

Each costs a bounded time and ends with a sentence; it is counted and logged, its place is given back and its socket
closed; meanwhile another association of ours stores and echoes undisturbed.
"""

import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress

import pytest

import make
from bystander import BOUND_SECONDS, Watch, undisturbed
from node import Node, running_node
from radiology.access.model import SYSTEM
from radiology.application_entities import calling
from radiology.application_entities.model import ApplicationEntity
from radiology.delivery.commitment import actions as commitment
from radiology.delivery.film.printer import CONTEXTS as PRINTING
from radiology.delivery.film.printer import state_of
from radiology.delivery.lines import OPEN_LINES
from radiology.delivery.sending import send
from radiology.dicom_network.pdu import AnsweredContext, AssociateAC, AssociateRQ, decode, encode
from radiology.dicom_network.transport import AssociationEndedError
from radiology.errors import PeerFailed
from radiology.kit import jobs, slots
from radiology.remotes.dimse import DimseArchive
from radiology.remotes.model import StudyQuery, Wanted
from radiology.settings import Settings
from radiology.studies.commitment import Reference
from radiology.studies.queries.retrieve import Target, instances_of
from raw_peer import CT

TIMERS = {"artim_seconds": 0.5, "dimse_timeout_seconds": 0.5, "idle_timeout_seconds": 5}
PLACES = 8
STAGES = ("before the answer", "after the request", "in a response")
HALF_A_RESPONSE = b"\4\0\0\0\0\x50\0\0\0\x4c\1\3"


@pytest.fixture
def node(settings: Settings) -> Iterator[Node]:
    with running_node(settings.model_copy(update=TIMERS)) as running:
        yield running
    OPEN_LINES.close()


@pytest.fixture
def watch(node: Node) -> Iterator[Watch]:
    with undisturbed(node) as watching:
        yield watching


class Trap(threading.Thread):
    """A peer that comes so far with each association, and then stalls or vanishes."""

    def __init__(self, stage: str, *, vanishes: bool) -> None:
        super().__init__()
        self.calls = 0
        self.entity = ApplicationEntity("TRAP")
        self._stage, self._vanishes = stage, vanishes
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._opened: list[socket.socket] = []

    @property
    def port(self) -> int:
        return int(self._listener.getsockname()[1])

    def run(self) -> None:
        with suppress(OSError):
            while True:
                sock, _ = self._listener.accept()
                self.calls += 1
                self._opened.append(sock)
                with suppress(OSError):
                    self._go(sock)
                    if self._vanishes:
                        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                        sock.close()

    def _go(self, sock: socket.socket) -> None:
        request = decode(sock.recv(65536))
        if self._stage == "before the answer":
            return
        assert isinstance(request, AssociateRQ)
        contexts = tuple(AnsweredContext(one.context_id, 0, one.transfer_syntax_uids[0]) for one in request.contexts)
        answer = AssociateAC(request.called_ae_title, request.calling_ae_title, contexts)
        sock.sendall(encode(answer))
        sock.recv(65536)
        if self._stage == "in a response":
            sock.sendall(HALF_A_RESPONSE)

    def all_closed_by_us(self) -> bool:
        """Whether our end of every connection is closed: reading tells."""
        for sock in self._opened:
            if sock.fileno() >= 0:  # Else we have vanished.
                sock.settimeout(BOUND_SECONDS)
                with suppress(ConnectionResetError):
                    while sock.recv(65536):
                        pass
        return True

    def end(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.join(BOUND_SECONDS)
        for sock in self._opened:
            sock.close()


@contextmanager
def traps(node: Node, *, vanish: bool) -> Iterator[dict[str, Trap]]:
    """A peer for each stage, by AE title."""
    running = {f"TRAP{number}": Trap(stage, vanishes=vanish) for number, stage in enumerate(STAGES)}
    for ae_title, trap in running.items():
        trap.start()
        entity = ApplicationEntity(ae_title, "127.0.0.1", trap.port, outgoing_associations=PLACES)
        node.register(entity)
        trap.entity = entity
    try:
        yield running
    finally:
        for trap in running.values():
            trap.end()


def sends(node: Node, peer: ApplicationEntity) -> str:
    study = node.wait(make.a_study(node.app, instances=2)).study_instance_uid

    async def stored() -> list[object]:
        async with node.app.db.transaction() as tx:
            return await instances_of(tx, Target(study), visible_to=SYSTEM)

    told = []
    send(node.archive, peer, node.wait(stored()), on_sent=lambda _, sent: told.append(sent), is_stopped=lambda: False)
    assert [sent.is_failure for sent in told] == [True, True]
    return told[0].sentence


def finds(node: Node, peer: ApplicationEntity) -> str:
    with pytest.raises(PeerFailed) as failure:
        DimseArchive(node.app.settings, peer).studies(StudyQuery(patient_id="1"))
    return failure.value.sentence


def moves(node: Node, peer: ApplicationEntity) -> str:
    with pytest.raises(PeerFailed) as failure:
        DimseArchive(node.app.settings, peer).push("1.2.3", [Wanted()])
    return failure.value.sentence


def asks_for_commitment(node: Node, peer: ApplicationEntity) -> str:
    async def begin() -> str:
        async with node.app.db.transaction() as tx:
            reference = [Reference(CT, "1.2.3")]
            await commitment.ask_for_commitment(tx, peer.ae_title, reference, now=node.app.clock.now())
            asked = "SELECT id FROM commitment_inquiries WHERE ae_title = %(ae_title)s"
            return str(await tx.value(asked, ae_title=peer.ae_title))

    inquiry = node.wait(begin())
    with pytest.raises(jobs.Later):
        node.wait(commitment.ask(node.archive, {"inquiry": inquiry}))
    return str(node.value("SELECT sentence FROM commitment_inquiries WHERE id = %(id)s", id=inquiry))


def prints(node: Node, peer: ApplicationEntity) -> str:
    with (
        pytest.raises(AssociationEndedError) as failure,
        calling.association(node.app.settings, peer, PRINTING) as opened,
    ):
        state_of(opened)
    return str(failure.value)


ACTS: tuple[Callable[[Node, ApplicationEntity], str], ...] = (sends, finds, moves, asks_for_commitment, prints)


@pytest.mark.parametrize("vanish", [False, True], ids=["stall", "vanish"])
def test_peers_that_break_cost_a_bounded_time(node: Node, watch: Watch, vanish: bool) -> None:
    """All of our services, each with a peer of each stage, all at once."""
    began = time.monotonic()
    with traps(node, vanish=vanish) as running, ThreadPoolExecutor(len(ACTS) * len(STAGES)) as threads:
        acting = [threads.submit(act, node, trap.entity) for trap in running.values() for act in ACTS]
        assert all(one.result(BOUND_SECONDS) for one in acting)
        assert time.monotonic() - began < BOUND_SECONDS
        assert all(trap.all_closed_by_us() for trap in running.values())
    calls = sum(trap.calls for trap in running.values())
    failures = {"timed out", "closed by peer"}
    assert calls >= len(acting)
    assert watch.called.keys() <= failures
    assert sum(watch.called.values()) == len(watch.lines("association.failed")) == calls
    assert {line["result"] for line in watch.lines("association.failed")} <= failures
    for ae_title in running:
        places = [slots.take(node.app.settings.run_dir / "calls", ae_title, PLACES) for _ in range(PLACES)]
        assert all(places)
        for place in places:
            place.give_back()
