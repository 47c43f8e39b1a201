"""Peers that are too slow: whatever they drip, and however little they take, they are let go in the end."""

import contextlib
import socket
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from radiology.dicom_network import client
from radiology.dicom_network.client import Peer
from radiology.dicom_network.connection import Outcome, Timers
from radiology.dicom_network.message import CommandField, Element
from radiology.dicom_network.pdu import PDV, AnsweredContext, AssociateAC, DataTF, encode
from radiology.dicom_network.server import Server
from radiology.dicom_network.transport import AssociationEndedError, Patience
from raw_peer import CT, EXPLICIT, STUDY_FIND, RawPeer, request, status_of, store_command

TIMERS = Timers(artim_seconds=0.4, dimse_seconds=0.6, idle_seconds=1.0)

StartServer = Callable[..., Server]
Connect = Callable[[Server], RawPeer]


def drip(peer: RawPeer, data: bytes, every_seconds: float = 0.02) -> None:
    """Send a byte at a time until the other end has had enough."""
    with contextlib.suppress(OSError):
        for number in range(len(data)):
            peer.send(data[number : number + 1])
            time.sleep(every_seconds)


def test_a_peer_that_drips_single_bytes_is_aborted(start_server: StartServer, archive: Any, connect: Connect) -> None:
    """Every PDU is whole within the timer, and the message never ends: 13 bytes for each byte of a data set."""
    peer = connect(start_server(timers=TIMERS))
    peer.associate()
    began = time.monotonic()
    whole = encode(DataTF([PDV(1, 0, b"x")]))
    peer.send(store_command())
    with contextlib.suppress(OSError):
        while time.monotonic() - began < 20:
            peer.send(whole)
            time.sleep(0.1)
    archive.wait_for(lambda: archive.ended)
    assert archive.ended[0][0] is Outcome.TIMED_OUT
    assert TIMERS.dimse_seconds < time.monotonic() - began < 5
    assert archive.stored == {}


def test_a_command_that_is_dripped_ends(start_server: StartServer, archive: Any, connect: Connect) -> None:
    peer = connect(start_server(timers=TIMERS))
    peer.associate()
    drip(peer, store_command() * 20)
    archive.wait_for(lambda: archive.ended)
    assert archive.ended[0][0] is Outcome.TIMED_OUT


def test_a_slow_line_is_fast_enough(start_server: StartServer, archive: Any, connect: Connect) -> None:
    """Three times the DIMSE timer, but more than a KiB a second."""
    server = start_server(timers=Timers(5, 0.3, 5))
    peer = connect(server)
    peer.associate()
    peer.send(store_command())
    for piece in range(10):
        peer.send(encode(DataTF([PDV(1, 2 if piece == 9 else 0, bytes(200))])))
        time.sleep(0.1)
    assert status_of(peer.receive()) == 0
    assert len(archive.stored["1.2.1"]) == 2000


def test_patience_is_renewed_by_what_moves() -> None:
    patience = Patience(10)
    patience.waited(8, 1024)
    assert patience.seconds == 3
    patience.waited(2, 1024 * 1024)
    assert patience.seconds == 10
    patience.waited(11, 0)
    assert patience.seconds < 0


def test_a_peer_that_reads_single_bytes_is_let_go(start_server: StartServer, archive: Any, connect: Connect) -> None:
    archive.matches = [bytes(1_000_000)] * 50
    peer = connect(start_server(timers=TIMERS))
    peer.associate()
    elements = {Element.AFFECTED_SOP_CLASS_UID: STUDY_FIND, Element.COMMAND_FIELD: CommandField.C_FIND_RQ}
    peer.send(request(3, elements, b"12"))
    began = time.monotonic()
    with contextlib.suppress(OSError):
        while not archive.ended and time.monotonic() - began < 20:
            peer.sock.recv(1)
            time.sleep(0.01)
    archive.wait_for(lambda: archive.ended)
    assert archive.ended[0][0] is Outcome.TIMED_OUT


def test_a_peer_that_never_answers_a_release_with_its_answer_is_let_go() -> None:
    """It sends P-DATA for ever instead, each within the timer."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=_talks_on, args=(listener,))
        thread.start()
        opened = client.connect(Peer(*listener.getsockname(), "TALKER", "CT1"), [(CT, [EXPLICIT])], timers=TIMERS)
        began = time.monotonic()
        with pytest.raises(AssociationEndedError):
            opened.release()
        assert time.monotonic() - began < 3
        thread.join()


def _talks_on(listener: socket.socket) -> None:
    sock, _ = listener.accept()
    with sock, contextlib.suppress(OSError):
        sock.recv(65536)
        sock.sendall(encode(AssociateAC("TALKER", "CT1", (AnsweredContext(1, 0, EXPLICIT),))))
        while True:
            sock.sendall(encode(DataTF([PDV(1, 0, b"x")])))
            time.sleep(0.1)
