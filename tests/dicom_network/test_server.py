"""The acceptor, asked by pynetdicom and DCMTK, and by peers that mean no good."""

import resource
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import generate_uid
from pynetdicom import AE, build_role, evt
from pynetdicom.dsutils import encode as peer_encode

from radiology.dicom_network.association import Offer, Policy
from radiology.dicom_network.connection import Association, DataSet, Outcome, Timers
from radiology.dicom_network.message import (
    Command,
    CommandField,
    Element,
    Response,
    Status,
    SubOperations,
    command_pdus,
    fragments,
)
from radiology.dicom_network.operations import OperationCancelledError
from radiology.dicom_network.pdu import (
    Abort,
    AssociateAC,
    AssociateRJ,
    AssociateRQ,
    ReleaseRP,
    ReleaseRQ,
    encode,
)
from radiology.dicom_network.server import Limits, Server
from raw_peer import RawPeer, data_pdus, status_of, store_command

VERIFICATION = "1.2.840.10008.1.1"
CT = "1.2.840.10008.5.1.4.1.1.2"
STUDY_FIND = "1.2.840.10008.5.1.4.1.2.2.1"
STUDY_GET = "1.2.840.10008.5.1.4.1.2.2.3"
MPPS = "1.2.840.10008.3.1.2.3.3"
IMPLICIT, EXPLICIT = "1.2.840.10008.1.2", "1.2.840.10008.1.2.1"

StartServer = Callable[..., Server]


def image(size_bytes: int = 128) -> Dataset:
    dataset = Dataset()
    dataset.SOPClassUID, dataset.SOPInstanceUID = CT, generate_uid()
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID = generate_uid(), generate_uid()
    dataset.PatientName, dataset.Rows, dataset.Columns = "রহমান^আব্দুর", 8, 8
    dataset.SpecificCharacterSet = "ISO_IR 192"
    dataset.BitsAllocated, dataset.SamplesPerPixel = 16, 1
    dataset.add_new(0x7FE00010, "OW", bytes(size_bytes))
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = EXPLICIT
    dataset.file_meta.MediaStorageSOPClassUID = CT
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    return dataset


def save(dataset: Dataset, path: Path) -> Path:
    dataset.save_as(path, enforce_file_format=True)
    return path


def dcmtk(tool: str) -> str:
    found = shutil.which(tool)
    if found is None:
        pytest.skip(f"DCMTK's {tool} is not installed")
    return found


def run(*command: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run([str(part) for part in command], capture_output=True, text=True, timeout=60, check=False)


# --- pynetdicom -------------------------------------------------------------------------------------------------------


def test_pynetdicom_echoes_stores_and_finds(server: Server, archive: Any) -> None:
    archive.matches = [b"\x08\x00\x50\x00\x02\x00\x00\x00A1", b"\x08\x00\x50\x00\x02\x00\x00\x00A2"]
    ae = AE("CT1")
    ae.add_requested_context(VERIFICATION)
    ae.add_requested_context(CT, [IMPLICIT, EXPLICIT])
    ae.add_requested_context(STUDY_FIND, IMPLICIT)
    association = ae.associate(*server.address, ae_title="RADSVC")
    assert association.is_established
    dataset = image(300_000)
    assert association.send_c_echo().Status == 0
    assert association.send_c_store(dataset).Status == 0
    identifier = Dataset()
    identifier.AccessionNumber = ""
    identifier.QueryRetrieveLevel = "STUDY"
    answers = [
        (status.Status, found and found.AccessionNumber)
        for status, found in association.send_c_find(identifier, STUDY_FIND)
    ]
    assert answers == [(0xFF00, "A1"), (0xFF00, "A2"), (0, None)]
    association.release()
    assert association.is_released
    assert len(archive.stored[dataset.SOPInstanceUID]) > 300_000
    assert archive.committed == [1]
    archive.wait_for(lambda: archive.ended)
    assert archive.ended == [(Outcome.RELEASED, "")]
    assert archive.opened == ["CT1"]
    assert archive.operations == [("C-ECHO", 0), ("C-STORE", 0), ("C-FIND", 0)]


def test_pynetdicom_creates_a_performed_procedure_step(server: Server, archive: Any) -> None:
    ae = AE("CT1")
    ae.add_requested_context(MPPS, EXPLICIT)
    association = ae.associate(*server.address, ae_title="RADSVC")
    step = Dataset()
    step.PerformedProcedureStepID = "P1"
    status, answer = association.send_n_create(step, MPPS, "1.2.3")
    assert (status.Status, answer.PerformedProcedureStepID) == (0, "P1")
    association.release()


def test_a_service_that_is_not_there(server: Server) -> None:
    ae = AE("CT1")
    ae.add_requested_context(MPPS, EXPLICIT)
    association = ae.associate(*server.address, ae_title="RADSVC")
    step = Dataset()
    step.PerformedProcedureStepStatus = "COMPLETED"
    status, _ = association.send_n_set(step, MPPS, "1.2.3")
    assert status.Status == Status.UNRECOGNIZED_OPERATION
    association.release()


def test_sub_operations_of_a_c_get(start_server: StartServer, archive: Any) -> None:
    """The acceptor stores to the requestor on the same association, where role selection allows it (PS3.4 C.4.3)."""
    instance = image(40_000)
    encoded = peer_encode(instance, False, True)

    def get(association: Association, _request: Command, data: DataSet) -> Iterator[Response]:
        data.drain()
        context = association.context_for(CT, EXPLICIT)
        assert context is not None
        assert context.requestor_is_scp
        elements = {
            Element.AFFECTED_SOP_CLASS_UID: CT,
            Element.AFFECTED_SOP_INSTANCE_UID: instance.SOPInstanceUID,
            Element.PRIORITY: 0,
        }
        for done in (1, 2):
            answer = association.invoke(context, CommandField.C_STORE_RQ, elements, encoded)
            assert answer.command.status == 0
            yield Response(Status.PENDING, sub_operations=SubOperations(done, 0, 0, 2 - done))
        yield Response(sub_operations=SubOperations(2, 0, 0))

    offers = {STUDY_GET: Offer(), CT: Offer(peer_scp=True)}
    archive.negotiate = lambda _request, _peer: Policy(offers)
    server = start_server({(STUDY_GET, CommandField.C_GET_RQ): get}, Timers(5, 5, 5))
    received: list[bytes] = []

    def store(event: evt.Event) -> int:
        received.append(event.request.DataSet.getvalue())
        return 0

    ae = AE("CT1")
    ae.add_requested_context(STUDY_GET, IMPLICIT)
    ae.add_requested_context(CT, EXPLICIT)
    association = ae.associate(
        *server.address,
        ae_title="RADSVC",
        ext_neg=[build_role(CT, scp_role=True)],
        evt_handlers=[(evt.EVT_C_STORE, store)],
    )
    identifier = Dataset()
    identifier.QueryRetrieveLevel = "STUDY"
    answers = [
        (status.Status, status.NumberOfCompletedSuboperations)
        for status, _ in association.send_c_get(identifier, STUDY_GET)
    ]
    association.release()
    assert answers == [(0xFF00, 1), (0xFF00, 2), (0, 2)]
    assert received == [encoded, encoded]


# --- DCMTK ------------------------------------------------------------------------------------------------------------


def test_echoscu(server: Server) -> None:
    assert run(dcmtk("echoscu"), "-aec", "RADSVC", *server.address).returncode == 0


@pytest.mark.parametrize("tool", ["storescu", "dcmsend"])
@pytest.mark.parametrize("max_pdu", [4096, 16384, 131072])
def test_dcmtk_stores(server: Server, archive: Any, tmp_path: Path, tool: str, max_pdu: int) -> None:
    images = [image(size) for size in (0, 2, 70_000, 500_000)]
    files = [save(dataset, tmp_path / f"{n}.dcm") for n, dataset in enumerate(images)]
    result = run(dcmtk(tool), "-aec", "RADSVC", "--max-send-pdu", max_pdu, *server.address, *files)
    assert result.returncode == 0, result.stderr
    assert set(archive.stored) == {dataset.SOPInstanceUID for dataset in images}
    for dataset, file in zip(images, files, strict=True):
        data = archive.stored[dataset.SOPInstanceUID]
        assert file.read_bytes().endswith(data[-100:])
        assert len(data) > len(dataset.PixelData)


def test_findscu(server: Server, archive: Any) -> None:
    archive.matches = [b"\x08\x00\x50\x00SH\x04\x00A123"] * 30
    result = run(dcmtk("findscu"), "-S", "-aec", "RADSVC", "-k", "0008,0052=STUDY", *server.address)
    assert result.returncode == 0
    assert (result.stdout + result.stderr).count("A123") == 30


def test_findscu_cancels(start_server: StartServer, archive: Any) -> None:
    thrown = threading.Event()

    def endless(_association: Association, _request: Command, _data: DataSet) -> Iterator[Response]:
        try:
            for _ in range(100_000):
                yield Response(Status.PENDING, b"\x08\x00\x50\x00\x04\x00\x00\x00A123")
        except OperationCancelledError:
            thrown.set()
            raise

    server = start_server({(STUDY_FIND, CommandField.C_FIND_RQ): endless}, Timers(5, 5, 5))
    result = run(dcmtk("findscu"), "-S", "--cancel", 5, "-aec", "RADSVC", "-k", "0008,0052=STUDY", *server.address)
    archive.wait_for(lambda: archive.operations)
    assert archive.operations == [("C-FIND", Status.CANCEL)], result.stderr
    assert thrown.is_set()


# --- Peers in raw bytes -----------------------------------------------------------------------------------------------


Connect = Callable[[Server], RawPeer]


@pytest.mark.parametrize("triple", [(1, 1, 3), (1, 1, 1), (2, 3, 1)])
def test_the_application_rejects(server: Server, archive: Any, connect: Connect, triple: tuple[int, int, int]) -> None:
    archive.rejection = AssociateRJ(*triple)
    assert connect(server).associate() == AssociateRJ(*triple)
    assert server.counters.rejected == {triple: 1}
    assert (server.counters.open, server.counters.accepted) == (0, 0)


def test_the_called_title_is_checked(server: Server, connect: Connect) -> None:
    assert connect(server).associate("OTHER") == AssociateRJ(1, 1, 7)
    assert server.counters.open == 0


def test_an_application_that_fails_rejects(start_server: StartServer, archive: Any, connect: Connect) -> None:
    archive.negotiate = lambda _request, _peer: 1 / 0
    assert connect(start_server()).associate() == AssociateRJ(2, 3, 1)


def test_too_many_associations(start_server: StartServer, connect: Connect) -> None:
    server = start_server(limits=Limits(max_associations=3, max_associations_per_ae=2), timers=Timers(5, 5, 5))
    first, second = connect(server), connect(server)
    assert isinstance(first.associate(), AssociateAC)
    assert isinstance(second.associate(), AssociateAC)
    assert connect(server).associate() == AssociateRJ(2, 3, 2)
    assert isinstance(connect(server).associate(calling="MR1"), AssociateAC)
    assert connect(server).associate(calling="MR2") == AssociateRJ(2, 3, 2)
    first.send(encode(ReleaseRQ()))
    assert first.receive() == ReleaseRP()
    deadline = time.monotonic() + 5
    while server.counters.open == 3 and time.monotonic() < deadline:
        time.sleep(0.01)
    assert isinstance(connect(server).associate(), AssociateAC)


def test_fragments_in_single_bytes(server: Server, archive: Any, connect: Connect) -> None:
    peer = connect(server)
    peer.associate()
    for byte in store_command() + b"".join(fragments(1, b"pixels", 32)):
        peer.send(bytes((byte,)))
    assert status_of(peer.receive()) == 0
    assert archive.stored == {"1.2.1": b"pixels"}


def test_requests_one_after_the_other_without_waiting(server: Server, archive: Any, connect: Connect) -> None:
    peer = connect(server)
    peer.associate()
    peer.send(b"".join(store_command(n) + data_pdus(bytes((n,)) * 40_000) for n in range(1, 20)))
    assert [status_of(peer.receive()) for _ in range(19)] == [0] * 19
    assert archive.stored == {f"1.2.{n}": bytes((n,)) * 40_000 for n in range(1, 20)}


def test_what_a_service_leaves_unread_is_skipped(start_server: StartServer, connect: Connect) -> None:
    def refuse(_association: Association, _request: Command, _data: DataSet) -> Response:
        return Response(0xA700)

    peer = connect(start_server({("*", CommandField.C_STORE_RQ): refuse}))
    peer.associate()
    for _ in range(2):
        peer.send(store_command() + data_pdus(bytes(300_000)))
        assert status_of(peer.receive()) == 0xA700


def test_a_service_that_raises(start_server: StartServer, archive: Any, connect: Connect) -> None:
    def fail(_association: Association, _request: Command, data: DataSet) -> Response:
        next(iter(data))
        raise RuntimeError("a bug")

    peer = connect(start_server({("*", CommandField.C_STORE_RQ): fail}))
    peer.associate()
    for _ in range(2):
        peer.send(store_command() + data_pdus(bytes(300_000)))
        assert status_of(peer.receive()) == Status.CANNOT_UNDERSTAND
    archive.wait_for(lambda: len(archive.operations) == 2)
    assert archive.operations == [("C-STORE", 0xC000)] * 2


def test_errors_become_the_applications_own_statuses(start_server: StartServer, connect: Connect) -> None:
    def fail(_association: Association, _request: Command, _data: DataSet) -> Iterator[Response]:
        raise PermissionError("not you")
        yield

    server = start_server(
        {("*", CommandField.C_STORE_RQ): fail},
        response_to_error=lambda _a, _r, error: Response(0x0124, error_comment=str(error)),
    )
    peer = connect(server)
    peer.associate()
    peer.send(store_command() + data_pdus(b"12"))
    assert status_of(peer.receive()) == 0x0124


def test_the_sop_class_must_be_that_of_the_context(server: Server, archive: Any, connect: Connect) -> None:
    peer = connect(server)
    peer.associate()
    peer.send(store_command(sop_class_uid="1.2.840.10008.5.1.4.1.1.4") + data_pdus(b"12"))
    assert status_of(peer.receive()) == Status.SOP_CLASS_NOT_SUPPORTED
    assert archive.stored == {}


def test_release_waits_for_the_commit(start_server: StartServer, connect: Connect) -> None:
    committed = threading.Event()
    server = start_server(before_release=lambda _association: committed.wait(5))
    peer = connect(server)
    peer.associate()
    peer.send(encode(ReleaseRQ()))
    peer.sock.settimeout(0.2)
    with pytest.raises(TimeoutError):
        peer.receive()
    peer.sock.settimeout(5)
    committed.set()
    assert peer.receive() == ReleaseRP()


def test_release_is_refused_when_the_commit_fails(start_server: StartServer, archive: Any, connect: Connect) -> None:
    def fail(_association: Association) -> None:
        raise RuntimeError("the index is away")

    peer = connect(start_server(before_release=fail))
    peer.associate()
    peer.send(encode(ReleaseRQ()))
    assert isinstance(peer.receive(), Abort)
    archive.wait_for(lambda: archive.ended)
    assert archive.ended[0][0] is Outcome.ABORTED


def test_a_service_that_aborts(start_server: StartServer, archive: Any, connect: Connect) -> None:
    def abort(association: Association, _request: Command, _data: DataSet) -> Response:
        association.abort()
        return Response()

    peer = connect(start_server({("*", CommandField.C_STORE_RQ): abort}))
    peer.associate()
    peer.send(store_command() + data_pdus(b"12"))
    assert peer.receive() == Abort()
    archive.wait_for(lambda: archive.ended)
    assert archive.ended[0][0] is Outcome.ABORTED


def test_batches_are_short_enough_for_writev(start_server: StartServer, connect: Connect) -> None:
    batches: list[list[int]] = []

    def measure(_association: Association, _request: Command, data: DataSet) -> Response:
        batches.extend([len(fragment) for fragment in batch] for batch in data.batches())
        return Response()

    peer = connect(start_server({("*", CommandField.C_STORE_RQ): measure}))
    peer.associate()
    peer.send(store_command() + b"".join(fragments(1, bytes(26 * 3000), 32)))
    assert status_of(peer.receive()) == 0
    assert sum(map(sum, batches)) == 26 * 3000
    assert max(map(len, batches)) <= 1024


BROKEN = {
    "unknown PDU": b"\x4d\x5a\0\0\0\4abcd",
    "over the PDU limit": b"\4\0\x7f\xff\xff\xff",
    "PDV overruns": b"\4\0\0\0\0\6\0\0\xff\xff\1\2",
    "context not accepted": data_pdus(b"x", 99),
    "data before command": data_pdus(b"x"),
    "second request": encode(AssociateRQ("RADSVC", "CT1", ())),
    "command in data": store_command() + store_command(2),
    "release in data": store_command() + encode(ReleaseRQ()),
    "broken command": command_pdus(1, Command({Element.MESSAGE_ID: 1}), 16384),
    "response": command_pdus(1, Response().to_command(Command({Element.COMMAND_FIELD: 1})), 16384),
    "data of another context": store_command() + data_pdus(b"x", 3),
}


@pytest.mark.parametrize("data", BROKEN.values(), ids=BROKEN.keys())
def test_a_broken_peer_is_aborted(server: Server, archive: Any, connect: Connect, data: bytes) -> None:
    peer = connect(server)
    assert isinstance(peer.associate(), AssociateAC)
    peer.send(data)
    answer = peer.receive()
    assert isinstance(answer, Abort)
    assert answer.source == 2
    archive.wait_for(lambda: archive.ended)
    [(outcome, sentence)] = archive.ended
    assert outcome is Outcome.PROTOCOL_ERROR
    assert sentence
    assert isinstance(connect(server).associate(), AssociateAC)


def test_garbage_instead_of_a_request(server: Server, archive: Any, connect: Connect) -> None:
    peer = connect(server)
    peer.send(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    assert isinstance(peer.receive(), Abort)
    assert archive.opened == []


@pytest.mark.parametrize("before", [b"", b"\1", encode(AssociateRQ("RADSVC", "CT1", ()))[:-3]])
def test_a_peer_that_never_asks_is_let_go(start_server: StartServer, connect: Connect, before: bytes) -> None:
    server = start_server()
    peer = connect(server)
    peer.send(before)
    assert peer.receive() is None
    assert server.counters.not_associated == {Outcome.TIMED_OUT: 1}


@pytest.mark.parametrize("before", [b"", store_command(), store_command() + data_pdus(bytes(70_000))[:-1], b"\4\0\0"])
def test_a_peer_that_stalls_is_aborted(
    start_server: StartServer, archive: Any, connect: Connect, before: bytes
) -> None:
    peer = connect(start_server())
    peer.associate()
    peer.send(before)
    assert isinstance(peer.receive(), Abort)
    archive.wait_for(lambda: archive.ended)
    assert archive.ended[0][0] is Outcome.TIMED_OUT
    assert archive.stored == {}


def test_a_peer_that_never_reads_is_let_go(start_server: StartServer, archive: Any, connect: Connect) -> None:
    archive.matches = [bytes(1_000_000)] * 50
    peer = connect(start_server())
    peer.associate()
    elements = {
        Element.AFFECTED_SOP_CLASS_UID: STUDY_FIND,
        Element.COMMAND_FIELD: CommandField.C_FIND_RQ,
        Element.MESSAGE_ID: 1,
        Element.DATA_SET_TYPE: 1,
    }
    peer.send(command_pdus(3, Command(elements), 16384) + data_pdus(b"12", 3))
    archive.wait_for(lambda: archive.ended)
    assert archive.ended[0][0] is Outcome.TIMED_OUT


@pytest.mark.parametrize("half", [True, False])
@pytest.mark.parametrize("before", [b"", store_command(), store_command() + data_pdus(bytes(70_000))[:-1]])
def test_a_peer_that_goes_away(
    start_server: StartServer, archive: Any, connect: Connect, before: bytes, half: bool
) -> None:
    peer = connect(start_server(timers=Timers(5, 5, 5)))
    peer.associate()
    peer.send(before)
    if half:
        peer.sock.shutdown(socket.SHUT_WR)
    else:
        peer.sock.close()
    archive.wait_for(lambda: archive.ended)
    assert archive.ended[0][0] is Outcome.CLOSED_BY_PEER
    assert (archive.stored, archive.committed) == ({}, [])


def test_abort_in_the_middle_of_a_message(server: Server, archive: Any, connect: Connect) -> None:
    peer = connect(server)
    peer.associate()
    peer.send(store_command() + data_pdus(bytes(70_000))[:40_000][: 2 * (16384 + 6)] + encode(Abort()))
    archive.wait_for(lambda: archive.ended)
    assert archive.ended[0][0] is Outcome.ABORTED_BY_PEER
    assert archive.stored == {}
    assert server.counters.ended == {Outcome.ABORTED_BY_PEER: 1}


def test_a_flood_of_connections_pushes_out_its_oldest(start_server: StartServer, connect: Connect) -> None:
    server = start_server(limits=Limits(max_waiting=5), timers=Timers(20, 5, 5))
    flood = [connect(server) for _ in range(40)]
    assert isinstance(connect(server).associate(), AssociateAC)
    assert flood[0].receive() is None
    assert server.counters.evicted >= 34
    assert threading.active_count() < 60


def test_stop_drains(start_server: StartServer, archive: Any, connect: Connect) -> None:
    server = start_server(timers=Timers(5, 5, 5))
    busy, finished = connect(server), []
    busy.associate()
    busy.send(store_command())
    stopping = threading.Thread(target=lambda: finished.append(server.stop(5)))
    stopping.start()
    while not server._draining:
        time.sleep(0.01)
    assert connect(server).associate() == AssociateRJ(2, 3, 1)
    busy.send(data_pdus(b"pixels"))
    assert status_of(busy.receive()) == 0
    busy.send(encode(ReleaseRQ()))
    assert busy.receive() == ReleaseRP()
    busy.sock.close()
    stopping.join(10)
    assert finished == [True]
    assert archive.stored == {"1.2.1": b"pixels"}
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(server.address, 5)


def test_stop_aborts_what_does_not_finish(start_server: StartServer, archive: Any, connect: Connect) -> None:
    server = start_server(timers=Timers(5, 5, 5))
    idle, stalled = connect(server), connect(server)
    idle.associate()
    stalled.associate()
    stalled.send(store_command())
    started = time.monotonic()
    assert server.stop(0.1) is False
    assert time.monotonic() - started < 4
    assert isinstance(idle.receive(), Abort)
    assert isinstance(stalled.receive(), Abort)
    assert {outcome for outcome, _ in archive.ended} == {Outcome.SHUT_DOWN}


def test_processes_share_a_listening_socket(start_server: StartServer, connect: Connect) -> None:
    first = start_server()
    with Server(first._application, listener=first._listener) as second:
        assert second.address == first.address
        first.stop(0, rejecting=False)
    # Neither end closed the other's socket: who was given one leaves it open.


def test_a_server_that_was_given_a_socket_leaves_it_listening(start_server: StartServer, connect: Connect) -> None:
    first = start_server()
    with Server(first._application, listener=first._listener):
        pass
    for _ in range(3):
        assert isinstance(connect(first).associate(), AssociateAC)


def test_the_state_of_the_policy_begins_the_association(
    start_server: StartServer, archive: Any, connect: Connect
) -> None:
    policy, seen = archive.negotiate(None, None), list[object]()
    archive.negotiate = lambda _request, _peer: replace(policy, state="the record of CT1")
    connect(start_server(on_open=lambda association: seen.append(association.state))).associate()
    assert seen == ["the record of CT1"]


def test_memory_does_not_grow_with_the_object(start_server: StartServer, connect: Connect) -> None:
    received: list[int] = []

    def count(_association: Association, _request: Command, data: DataSet) -> Response:
        data.drain()
        received.append(data.size_bytes)
        return Response()

    peer = connect(start_server({("*", CommandField.C_STORE_RQ): count}, Timers(20, 20, 20)))
    peer.associate()
    piece = data_pdus(bytes(16378 * 64)).replace(b"\1\2", b"\1\0", 64)
    peer.send(store_command())
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for _ in range(256):
        peer.send(piece)
    peer.send(data_pdus(b"12"))
    assert status_of(peer.receive()) == 0
    assert received == [256 * 64 * 16378 + 2]
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 16 * 1024
