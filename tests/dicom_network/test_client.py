"""The requestor, answered by pynetdicom, by DCMTK's storescp, and by our own server."""

import os
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.uid import generate_uid
from pynetdicom import AE, evt
from pynetdicom.dsutils import encode as peer_encode

from radiology.dicom_network.client import (
    AssociationRejectedError,
    ContextNotAcceptedError,
    FileSlice,
    Peer,
    Requestor,
    connect,
)
from radiology.dicom_network.connection import AssociationEndedError, Outcome, Timers
from radiology.dicom_network.message import CommandField, Element, Response, Status
from radiology.dicom_network.pdu import AssociateRJ
from radiology.dicom_network.server import Server

VERIFICATION = "1.2.840.10008.1.1"
CT = "1.2.840.10008.5.1.4.1.1.2"
STUDY_FIND = "1.2.840.10008.5.1.4.1.2.2.1"
MPPS = "1.2.840.10008.3.1.2.3.3"
IMPLICIT, EXPLICIT = "1.2.840.10008.1.2", "1.2.840.10008.1.2.1"
SHORT = Timers(2, 2, 2)
CONTEXTS = [(VERIFICATION, [IMPLICIT]), (CT, [EXPLICIT]), (CT, [IMPLICIT]), (STUDY_FIND, [IMPLICIT])]


def encoded(size_bytes: int) -> tuple[str, bytes]:
    dataset = Dataset()
    dataset.SOPClassUID, dataset.SOPInstanceUID = CT, generate_uid()
    dataset.BitsAllocated, dataset.SamplesPerPixel, dataset.Rows, dataset.Columns = 16, 1, 1, 1
    dataset.add_new(0x7FE00010, "OW", os.urandom(size_bytes))
    data = peer_encode(dataset, False, True)
    assert data is not None
    return dataset.SOPInstanceUID, data


@pytest.fixture
def file_slice(tmp_path: Path) -> Iterator[Callable[[bytes], FileSlice]]:
    descriptors: list[int] = []

    def file_slice(data: bytes) -> FileSlice:
        path = tmp_path / f"{len(descriptors)}.dcm"
        path.write_bytes(bytes(132) + data)
        descriptors.append(os.open(path, os.O_RDONLY))
        return FileSlice(descriptors[-1], 132, len(data))

    yield file_slice
    for descriptor in descriptors:
        os.close(descriptor)


def call(server: Server, called: str = "RADSVC", **options: Any) -> Requestor:
    return connect(Peer(*server.address, called, "RADI"), CONTEXTS, timers=SHORT, **options)


@pytest.fixture
def peer() -> Iterator[tuple[Peer, dict[str, bytes]]]:
    """A pynetdicom acceptor with small PDUs, and what was stored in it."""
    stored: dict[str, bytes] = {}

    def store(event: evt.Event) -> int:
        stored[event.request.AffectedSOPInstanceUID] = event.request.DataSet.getvalue()
        return 0

    def find(event: evt.Event) -> Iterator[tuple[int, Dataset | None]]:
        for n in range(5):
            if event.is_cancelled:
                yield 0xFE00, None
                return
            answer = Dataset()
            answer.AccessionNumber = f"A{n}"
            yield 0xFF00, answer

    def create(event: evt.Event) -> tuple[int, Dataset]:
        return 0, event.attribute_list

    ae = AE("PACS")
    ae.maximum_pdu_size = 4096
    for uid in (VERIFICATION, CT, STUDY_FIND, MPPS):
        ae.add_supported_context(uid, [EXPLICIT, IMPLICIT])
    handlers = [(evt.EVT_C_STORE, store), (evt.EVT_C_FIND, find), (evt.EVT_N_CREATE, create)]
    server = ae.start_server(("127.0.0.1", 0), block=False, evt_handlers=handlers)
    yield Peer(*server.socket.getsockname(), "PACS", "RADI"), stored
    server.shutdown()


@pytest.mark.parametrize("size", [0, 1000, 4090, 60_000, 3_000_000])
def test_pynetdicom_is_sent_bytes_and_files(
    peer: tuple[Peer, dict[str, bytes]], file_slice: Callable[[bytes], FileSlice], size: int
) -> None:
    address, stored = peer
    (first, data), (second, other) = encoded(size), encoded(size)
    with connect(address, CONTEXTS, timers=SHORT) as association:
        assert association.echo().status == 0
        assert association.store(CT, first, data, EXPLICIT).status == 0
        assert association.store(CT, second, file_slice(other), EXPLICIT).status == 0
    assert stored == {first: data, second: other}


def test_pynetdicom_is_asked(peer: tuple[Peer, dict[str, bytes]]) -> None:
    identifier = b"\x08\x00\x52\x00\x06\x00\x00\x00STUDY "
    with connect(peer[0], [*CONTEXTS, (MPPS, [IMPLICIT])], timers=SHORT) as association:
        answers = [(command.status, found and found[8:]) for command, found in association.find(STUDY_FIND, identifier)]
        step = b"\x40\x00\x53\x02\x02\x00\x00\x00P1"
        elements = {Element.AFFECTED_SOP_CLASS_UID: MPPS, Element.AFFECTED_SOP_INSTANCE_UID: "1.2.3"}
        created, answer = association.request_once(MPPS, CommandField.N_CREATE_RQ, elements, step)
    assert answers == [*((0xFF00, f"A{n}".encode()) for n in range(5)), (0, None)]
    assert (created.status, answer) == (0, step)


def test_leaving_a_search_cancels_it(peer: tuple[Peer, dict[str, bytes]]) -> None:
    with connect(peer[0], CONTEXTS, timers=SHORT) as association:
        answers = association.find(STUDY_FIND, b"\x08\x00\x52\x00\x06\x00\x00\x00STUDY ")
        assert next(answers)[0].status == Status.PENDING
        answers.close()
        assert association.echo().status == 0


def test_storescp(tmp_path: Path, file_slice: Callable[[bytes], FileSlice]) -> None:
    tool = shutil.which("storescp")
    if tool is None:
        pytest.skip("DCMTK's storescp is not installed")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen([tool, "-od", tmp_path, "+B", "-pdu", "16384", str(port)])
    try:
        uid, data = encoded(500_000)
        with connect_soon(Peer("127.0.0.1", port, "ANY", "RADI")) as association:
            assert association.store(CT, uid, file_slice(data), EXPLICIT).status == 0
        [received] = [path for path in tmp_path.iterdir() if uid in path.name]
        assert received.read_bytes().endswith(data)
        assert dcmread(BytesIO(received.read_bytes())).SOPInstanceUID == uid
    finally:
        process.terminate()
        process.wait()


def connect_soon(peer: Peer) -> Requestor:
    """Connect to a peer that is just starting."""
    for _ in range(100):
        try:
            return connect(peer, CONTEXTS, timers=SHORT)
        except ConnectionRefusedError:
            time.sleep(0.05)
    return connect(peer, CONTEXTS, timers=SHORT)


def test_our_own_server(server: Server, archive: Any, file_slice: Callable[[bytes], FileSlice]) -> None:
    uid, data = encoded(1_500_000)
    with call(server) as association:
        assert association.peer_max_pdu_length == 131072
        assert association.store(CT, uid, file_slice(data), EXPLICIT).status == 0
        assert association.store(CT, "1.2.3", data, EXPLICIT).sop_instance_uid == "1.2.3"
    assert archive.stored == {uid: data, "1.2.3": data}
    assert archive.committed == [2]


def test_rejection_is_told(server: Server, archive: Any) -> None:
    with pytest.raises(AssociationRejectedError, match="1/1/7") as raised:
        call(server, "OTHER")
    assert raised.value.rejection == AssociateRJ(1, 1, 7)
    assert raised.value.outcome is Outcome.REJECTED


def test_nobody_there() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with pytest.raises(ConnectionRefusedError):
        connect(Peer("127.0.0.1", port, "PACS", "RADI"), CONTEXTS, timers=SHORT)


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (b"", Outcome.TIMED_OUT),
        (b"HTTP/1.1 400\r\n", Outcome.PROTOCOL_ERROR),
        (b"\7\0\0\0\0\4\0\0\0\0", Outcome.ABORTED_BY_PEER),
    ],
)
def test_peers_that_do_not_answer_right(answer: bytes, outcome: Outcome) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(5)
        started = time.monotonic()

        def answer_once() -> None:
            sock, _ = listener.accept()
            with sock:
                sock.sendall(answer)
                while sock.recv(65536):
                    pass

        thread = threading.Thread(target=answer_once)
        thread.start()
        with pytest.raises(AssociationEndedError) as raised:
            connect(Peer(*listener.getsockname(), "PACS", "RADI"), CONTEXTS, timers=Timers(0.3, 0.3, 0.3))
        thread.join(5)
    assert raised.value.outcome is outcome
    assert time.monotonic() - started < 3


def test_what_was_not_accepted_cannot_be_sent(server: Server) -> None:
    with call(server) as association:
        with pytest.raises(ContextNotAcceptedError):
            association.store("1.2.840.10008.5.1.4.1.1.4", "1.2.3", b"", EXPLICIT)
        with pytest.raises(ContextNotAcceptedError):
            association.store(CT, "1.2.3", b"", "1.2.840.10008.1.2.2")
        assert association.echo().status == 0


def test_a_file_that_is_too_short_aborts(
    server: Server, archive: Any, file_slice: Callable[[bytes], FileSlice]
) -> None:
    whole = file_slice(bytes(1000))
    with pytest.raises(EOFError), call(server) as association:
        association.store(CT, "1.2.3", FileSlice(whole.descriptor, 132, 2000), EXPLICIT)
    archive.wait_for(lambda: archive.ended)
    assert archive.ended[0][0] is Outcome.ABORTED_BY_PEER
    assert archive.stored == {}


def test_a_statement_of_failure_comes_back(start_server: Callable[..., Server]) -> None:
    server = start_server(
        {("*", CommandField.C_STORE_RQ): lambda _a, _r, _d: Response(0xA700, error_comment="disk full")}
    )
    with call(server) as association:
        answer = association.store(CT, "1.2.3", bytes(400_000), EXPLICIT)
    assert (answer.status, answer.error_comment) == (0xA700, "disk full")


def test_too_many_contexts_are_a_mistake_of_ours() -> None:
    with pytest.raises(ValueError, match="at most 128"):
        connect(Peer("127.0.0.1", 1, "A", "B"), [(CT, [IMPLICIT])] * 129)
