"""Peers that stall, half-close, send garbage, ask for too much, flood, drip, or vanish in the middle of a service.

Each costs a bounded time, is counted and logged, and leaves no thread, no socket and nothing half stored; meanwhile
another association stores and echoes undisturbed. The timers are short here; `make faults` does more of the same.
"""

import os
import random
import resource
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress

import pytest
from pydicom.uid import generate_uid
from pynetdicom.dsutils import encode as encode_data_set

import make
from bystander import BOUND_SECONDS, Watch, undisturbed
from data_sets import data_set
from node import Node, running_node
from procedure_steps import PUSH, task
from radiology.application_entities.model import ApplicationEntity
from radiology.dicom_network.message import CommandField, Element
from radiology.dicom_network.pdu import (
    PDV,
    Abort,
    AssociateAC,
    AssociateRJ,
    AssociateRQ,
    DataTF,
    ProposedContext,
    ReleaseRQ,
    encode,
)
from radiology.dicom_network.user_information import RoleSelection
from radiology.settings import Settings
from radiology.standards.dicom import data_set as attributes
from radiology.standards.dicom.uids import (
    MODALITY_PERFORMED_PROCEDURE_STEP,
    MODALITY_WORKLIST_FIND,
    STORAGE_COMMITMENT_PUSH,
    STORAGE_COMMITMENT_PUSH_INSTANCE,
    STUDY_ROOT_FIND,
    STUDY_ROOT_GET,
    STUDY_ROOT_MOVE,
)
from radiology.studies.commitment import Reference, asking
from raw_peer import CT, EXPLICIT, RawPeer, data_pdus, request, store_command
from storage_peers import register
from worklist import begun
from worklist import query as worklist_query

WHOLE = os.environ.get("RADI_TEST_CAMPAIGN") == "whole"
TIMERS = {"artim_seconds": 0.6, "dimse_timeout_seconds": 0.6, "idle_timeout_seconds": 1.2}
PER_AE, WAITING = 5, 64
IMAGE = encode_data_set(data_set(), False, True)
STORING = store_command() + data_pdus(IMAGE)

Vanish = Callable[[RawPeer], None]


@pytest.fixture
def node(settings: Settings) -> Iterator[Node]:
    changes = {**TIMERS, "max_associations": 60, "max_associations_per_ae": PER_AE, "commit_grace_seconds": 0}
    with running_node(settings.model_copy(update=changes)) as running:
        running.register(ApplicationEntity("PEER", max_associations=50))
        running.register(ApplicationEntity("FLOOD"))
        yield running


@pytest.fixture
def watch(node: Node) -> Iterator[Watch]:
    with undisturbed(node) as watching:
        yield watching


@pytest.fixture
def peers() -> Iterator[list[RawPeer]]:
    """Those that were made; their sockets are closed when all is over."""
    made: list[RawPeer] = []
    yield made
    for peer in made:
        peer.sock.close()


def associated(node: Node, peers: list[RawPeer], *contexts: str, roles: Sequence[RoleSelection] = ()) -> RawPeer:
    """A peer with an association; its contexts are 1, 3, ..."""
    peers.append(RawPeer(node.server.address))
    proposed = [ProposedContext(2 * number + 1, uid, (EXPLICIT,)) for number, uid in enumerate(contexts or (CT,))]
    answer = peers[-1].associate(calling="PEER", contexts=proposed, roles=roles)
    assert isinstance(answer, AssociateAC), answer
    return peers[-1]


# --- Stalling and closing ---------------------------------------------------------------------------------------------

ASKING = encode(AssociateRQ("RADSVC", "PEER", ()))
BEFORE_ASSOCIATING = (b"", ASKING[:3], ASKING[:-1])
AFTER_ASSOCIATING = (b"", STORING[:3], STORING[:20], store_command(), STORING[:-10])
"""Nothing; in the header of a PDU; in a command; before the data set; in it."""


def stopped_short(node: Node, peers: list[RawPeer]) -> None:
    for before in BEFORE_ASSOCIATING:
        peers.append(RawPeer(node.server.address))
        peers[-1].send(before)
    for before in AFTER_ASSOCIATING:
        associated(node, peers).send(before)


def test_peers_that_stall_are_aborted_in_time(node: Node, watch: Watch, peers: list[RawPeer]) -> None:
    began = time.monotonic()
    stopped_short(node, peers)
    watch.wait_for_rest()
    assert time.monotonic() - began < BOUND_SECONDS
    assert watch.refused == {"timed out": len(BEFORE_ASSOCIATING)}
    assert watch.ended == {"timed out": len(AFTER_ASSOCIATING)}
    assert sum(line["count"] for line in watch.lines("association.refused")) == len(BEFORE_ASSOCIATING)
    assert [line["result"] for line in watch.lines("association.closed")] == ["timed out"] * len(AFTER_ASSOCIATING)
    assert {type(peer.receive()) for peer in peers[len(BEFORE_ASSOCIATING) :]} == {Abort}


def test_peers_that_close_one_direction_are_let_go(node: Node, watch: Watch, peers: list[RawPeer]) -> None:
    stopped_short(node, peers)
    for peer in peers:
        peer.sock.shutdown(socket.SHUT_WR)
    watch.wait_for_rest()
    assert watch.refused == {"closed by peer": len(BEFORE_ASSOCIATING)}
    assert watch.ended == {"closed by peer": len(AFTER_ASSOCIATING)}


# --- Garbage ----------------------------------------------------------------------------------------------------------

NO_REQUEST = (
    b"GET / HTTP/1.1\r\nHost: radsvc\r\n\r\n",
    b"\x4d\x5a\0\0\0\4abcd",
    b"\1\0\x7f\xff\xff\xff",
    b"\4\0\x7f\xff\xff\xff",
    STORING,
    encode(ReleaseRQ()),
)
NO_MESSAGE = (
    b"\x4d\x5a\0\0\0\4abcd",
    b"\4\0\x7f\xff\xff\xff",
    b"\4\0\0\0\0\6\0\0\xff\xff\1\2",
    b"\4\0\0\0\0\4\0\0\0\1",
    b"\5\0\0\0\0\5abcde",
    data_pdus(b"x", 99),
    data_pdus(b"x"),
    ASKING,
    store_command() + store_command(2),
    store_command() + encode(ReleaseRQ()),
)


def test_garbage_is_answered_with_an_abort(node: Node, watch: Watch, peers: list[RawPeer]) -> None:
    for garbage in NO_REQUEST:
        peers.append(RawPeer(node.server.address))
        peers[-1].send(garbage)
    for garbage in NO_MESSAGE:
        associated(node, peers).send(garbage)
    answers = [peer.receive() for peer in peers]
    assert [type(answer) for answer in answers] == [Abort] * len(peers)
    watch.wait_for_rest()
    assert watch.refused == {"protocol error": len(NO_REQUEST)}
    assert watch.ended == {"protocol error": len(NO_MESSAGE)}
    assert all(line["reason"] for line in watch.lines("association.closed"))


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_random_bytes_end_in_order(node: Node, watch: Watch, peers: list[RawPeer]) -> None:
    rng = random.Random(13)  # noqa: S311 - repeatable garbage, not secrets.
    rounds, at_once = (60, 20) if WHOLE else (2, 10)
    for _ in range(rounds):
        some = [RawPeer(node.server.address) for _ in range(at_once)]
        some += [associated(node, []) for _ in range(at_once)]
        for peer in some:
            kind = bytes([rng.choice((rng.randrange(256), 1, 4, 4))])
            length = rng.choice((rng.randrange(200), rng.randrange(2**32))).to_bytes(4, "big")
            with suppress(OSError):
                peer.send(kind + b"\0" + length + rng.randbytes(rng.randrange(300)))
                peer.sock.shutdown(socket.SHUT_WR)
        watch.wait_for_rest()
        for peer in some:
            peer.sock.close()
    assert watch.ended.keys() <= {"protocol error", "closed by peer", "aborted by peer", "released"}
    assert sum(watch.ended.values()) == rounds * at_once
    assert sum(watch.refused.values()) == rounds * at_once


# --- Asking for too much ----------------------------------------------------------------------------------------------


def asking_for(contexts: int) -> bytes:
    """An A-ASSOCIATE-RQ with so many contexts; there are 128 odd numbers for them, so the others come again."""
    proposed = tuple(ProposedContext(2 * number % 256 + 1, CT, (EXPLICIT,)) for number in range(contexts))
    return encode(AssociateRQ("RADSVC", "PEER", proposed))


def test_128_contexts_are_answered_and_10000_are_not(node: Node, watch: Watch, peers: list[RawPeer]) -> None:
    peers.append(RawPeer(node.server.address))
    peers[-1].send(asking_for(128))
    answer = peers[-1].receive()
    assert isinstance(answer, AssociateAC)
    assert len(answer.contexts) == 128
    before = peak_kib()
    for _ in range(5):
        peers.append(RawPeer(node.server.address))
        peers[-1].send(asking_for(10_000))
        assert isinstance(peers[-1].receive(), Abort)
    assert peak_kib() - before < 16 * 1024
    assert watch.refused == {"protocol error": 5}
    peers[0].reset()
    watch.wait_for_rest()


@pytest.mark.slow
def test_a_flood_of_connections_pushes_out_its_own(node: Node, watch: Watch, peers: list[RawPeer]) -> None:
    count = 600 if WHOLE else 200
    before = peak_kib()
    peers.extend(RawPeer(node.server.address) for _ in range(count))
    associated(node, peers)
    assert threading.active_count() < 2 * WAITING
    watch.wait_for_rest()
    assert set(watch.refused) == {"pushed out", "timed out"}
    assert sum(watch.refused.values()) == count
    assert len(watch.lines("association.refused")) < 10
    assert peak_kib() - before < 128 * 1024


def test_a_flood_of_associations_of_one_title_is_its_own_trouble(
    node: Node, watch: Watch, peers: list[RawPeer]
) -> None:
    answers = []
    for _ in range(40):
        peers.append(RawPeer(node.server.address))
        answers.append(peers[-1].associate(calling="FLOOD"))
    assert [type(answer) for answer in answers[:PER_AE]] == [AssociateAC] * PER_AE
    assert answers[PER_AE:] == [AssociateRJ(2, 3, 2)] * (40 - PER_AE)
    associated(node, peers)
    assert watch.refused == {"too_many_associations": 40 - PER_AE}
    assert sum(line["count"] for line in watch.lines("association.refused")) == 40 - PER_AE
    watch.wait_for_rest()


# --- Dripping ---------------------------------------------------------------------------------------------------------


def test_what_drips_for_ever_is_broken_off(node: Node, watch: Watch, peers: list[RawPeer]) -> None:
    """A byte of a request, of a PDU and of a command at a time, and PDUs that are whole and hold a byte."""
    peers.append(RawPeer(node.server.address))
    streams = [asking_for(100), STORING, data_pdus(bytes(10_000)), encode(DataTF([PDV(1, 0, b"x")])) * 10_000]
    beginnings = [b"", b"", store_command(), store_command()]
    sizes = [1, 1, 1, len(encode(DataTF([PDV(1, 0, b"x")])))]
    for beginning in beginnings[1:]:
        associated(node, peers).send(beginning)
    began, position = time.monotonic(), 0
    while node.server.counters.open > 1 or watch.refused.get("timed out", 0) == 0:
        assert time.monotonic() - began < BOUND_SECONDS
        for peer, stream, size in zip(peers, streams, sizes, strict=True):
            with suppress(OSError):
                peer.send(stream[position * size : (position + 1) * size])
        position += 1
        time.sleep(0.05)
    watch.wait_for_rest()
    assert (watch.refused, watch.ended) == ({"timed out": 1}, {"timed out": 3})


# --- Vanishing in the middle of a service -----------------------------------------------------------------------------

SILENT = "SILENT"
INSTANCE = generate_uid()


def encoded(ds: object) -> bytes:
    return encode_data_set(ds, False, True)


def identifier(study_instance_uid: str) -> bytes:
    keys = {"00080052": {"vr": "CS", "Value": ["STUDY"]}, "0020000D": {"vr": "UI", "Value": [study_instance_uid]}}
    return attributes.encode(keys, EXPLICIT)


def requests(study: str, instance: str) -> dict[str, bytes]:
    """A whole request of each service, by its SOP class."""
    field, instance_uid = Element.COMMAND_FIELD, Element.AFFECTED_SOP_INSTANCE_UID
    asked = identifier(study)
    performed = {
        CT: ({field: CommandField.C_STORE_RQ, instance_uid: INSTANCE}, IMAGE),
        STUDY_ROOT_FIND: ({field: CommandField.C_FIND_RQ}, asked),
        STUDY_ROOT_GET: ({field: CommandField.C_GET_RQ}, asked),
        STUDY_ROOT_MOVE: ({field: CommandField.C_MOVE_RQ, Element.MOVE_DESTINATION: SILENT}, asked),
        MODALITY_WORKLIST_FIND: ({field: CommandField.C_FIND_RQ}, encoded(worklist_query())),
        MODALITY_PERFORMED_PROCEDURE_STEP: (
            {field: CommandField.N_CREATE_RQ, instance_uid: generate_uid()},
            encoded(begun()),
        ),
        PUSH: ({field: CommandField.N_CREATE_RQ, instance_uid: generate_uid()}, encoded(task())),
    }
    commitment = {
        Element.REQUESTED_SOP_CLASS_UID: STORAGE_COMMITMENT_PUSH,
        Element.REQUESTED_SOP_INSTANCE_UID: STORAGE_COMMITMENT_PUSH_INSTANCE,
        field: CommandField.N_ACTION_RQ,
        Element.ACTION_TYPE_ID: 1,
    }
    action = attributes.encode(asking(generate_uid(), [Reference(CT, instance)]), EXPLICIT)
    return {
        STORAGE_COMMITMENT_PUSH: request(1, commitment, action),
        **{
            uid: request(1, {Element.AFFECTED_SOP_CLASS_UID: uid, Element.PRIORITY: 0, **elements}, data)
            for uid, (elements, data) in performed.items()
        },
    }


def stay_silent(_peer: RawPeer) -> None:
    """The network is cut: nothing more comes, and nobody says so."""


@pytest.mark.parametrize("vanish", [RawPeer.reset, stay_silent], ids=["reset", "silently"])
@pytest.mark.parametrize("left_out", [10, 0], ids=["in the request", "before the answer"])
def test_peers_that_vanish_in_the_middle_of_a_service(
    node: Node, watch: Watch, peers: list[RawPeer], left_out: int, vanish: Vanish
) -> None:
    stored = node.wait(make.a_study(node.app, instances=3))
    with socket.create_server(("127.0.0.1", 0)) as silent:
        register(node, SILENT, silent.getsockname()[1])
        asked = requests(stored.study_instance_uid, stored.sop_instance_uid)
        for uid, whole in asked.items():
            roles = [RoleSelection(CT, scu=False, scp=True)] if uid == STUDY_ROOT_GET else []
            associated(node, peers, uid, *([CT] if roles else []), roles=roles).send(whole[: len(whole) - left_out])
        for peer in peers:
            vanish(peer)
        watch.wait_for_rest()
    assert sum(watch.ended.values()) == len(asked)
    assert watch.ended.keys() <= {"timed out", "closed by peer"}
    assert len(watch.lines("association.closed")) == len(asked)
    half = node.value("SELECT count(*) FROM instances WHERE sop_instance_uid = %(uid)s", uid=INSTANCE)
    assert half == 0 if left_out else half in (0, 1)


# --- Taking nothing ---------------------------------------------------------------------------------------------------


def test_a_peer_that_takes_an_image_drop_by_drop_is_let_go(node: Node, watch: Watch, peers: list[RawPeer]) -> None:
    stored = node.wait(make.a_study(node.app, Rows=2048, Columns=2048, PixelData=bytes(8 * 1024 * 1024)))
    peer = RawPeer(node.server.address, receive_buffer_bytes=4096)
    peers.append(peer)
    contexts = [ProposedContext(1, STUDY_ROOT_GET, (EXPLICIT,)), ProposedContext(3, CT, (EXPLICIT,))]
    peer.associate(calling="PEER", contexts=contexts, roles=[RoleSelection(CT, scu=False, scp=True)])
    peer.send(requests(stored.study_instance_uid, "")[STUDY_ROOT_GET])
    began = time.monotonic()
    with suppress(OSError):
        while node.server.counters.open > 1 and time.monotonic() - began < BOUND_SECONDS:
            peer.sock.recv(1)
            time.sleep(0.02)
    watch.wait_for_rest()
    assert watch.ended == {"timed out": 1}


def peak_kib() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
