"""Large objects to receivers that take nothing more, and to those that speak TLS."""

import hashlib
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian
from pynetdicom import AE, evt

import certificates
import make
from node import Node, running_node
from radiology.access.model import SYSTEM
from radiology.application_entities.model import ApplicationEntity
from radiology.delivery import sending
from radiology.delivery.lines import OPEN_LINES
from radiology.delivery.results import Sent
from radiology.delivery.sending import send
from radiology.settings import Settings
from radiology.studies.queries.retrieve import StoredInstance, Target, instances_of
from storage_peers import receiver, register

SIDE = 2048
PIXELS = bytes(range(256)) * (SIDE * SIDE * 2 // 256)
ENOUGH_BYTES = 200_000


@pytest.fixture
def node(settings: Settings, tmp_path: Path) -> Iterator[Node]:
    for name in ("server", "receiver"):
        certificates.make(tmp_path, name)
    files = {
        "tls_certificate": tmp_path / "server.pem",
        "tls_private_key": tmp_path / "server.key",
        "tls_authorities": tmp_path / "receiver.pem",
    }
    with running_node(settings.model_copy(update=files)) as running:
        yield running
    OPEN_LINES.close()


def a_large_object(node: Node) -> list[StoredInstance]:
    stored = node.wait(make.a_study(node.app, Rows=SIDE, Columns=SIDE, PixelData=PIXELS))

    async def ask() -> list[StoredInstance]:
        async with node.app.db.transaction() as tx:
            return await instances_of(tx, Target(stored.study_instance_uid), visible_to=SYSTEM)

    return node.wait(ask())


def sent(
    node: Node, entity: ApplicationEntity, is_stopped: Callable[[], bool] = lambda: False
) -> list[tuple[str, Sent]]:
    told: list[tuple[str, Sent]] = []
    send(node.archive, entity, a_large_object(node), is_stopped=is_stopped,
         on_sent=lambda instance, result: told.append((instance.sop_instance_uid, result)))  # fmt: skip
    return told


@contextmanager
def clogged(port: int) -> Iterator[tuple[int, threading.Event]]:
    """A way to a receiver that passes some bytes on and nothing more, and when it has come to that."""
    full, end = threading.Event(), threading.Event()

    def carry(source: socket.socket, target: socket.socket, most_bytes: float) -> None:
        while most_bytes > 0 and (data := source.recv(4096)):
            target.sendall(data)
            most_bytes -= len(data)
        if most_bytes <= 0:
            full.set()
            end.wait(30)

    def run() -> None:
        ours, _ = listening.accept()
        with ours, socket.create_connection(("127.0.0.1", port)) as theirs:
            back = threading.Thread(target=carry, args=(theirs, ours, float("inf")))
            back.start()
            carry(ours, theirs, ENOUGH_BYTES)
            theirs.shutdown(socket.SHUT_RDWR)
            back.join()

    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        thread = threading.Thread(target=run)
        thread.start()
        try:
            yield listening.getsockname()[1], full
        finally:
            end.set()
            thread.join()


def test_a_receiver_that_takes_nothing_more_is_left_soon_after_sending_was_stopped(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "STOPPED_SECONDS", 0.1)
    with (
        receiver(node, lambda _event: 0, classes=[CTImageStorage], syntaxes=[ExplicitVRLittleEndian]) as entity,
        clogged(entity.port or 0) as (port, full),
    ):
        began = time.monotonic()
        told = sent(node, register(node, "RECEIVER", port), is_stopped=full.is_set)
        assert time.monotonic() - began < 10, "the DIMSE timer has 120 s"
    assert told == []


def test_a_receiver_that_does_not_answer_the_call_is_left_once_sending_is_stopped(node: Node) -> None:
    called = threading.Event()

    def answer_nothing() -> None:
        connection, _ = silent.accept()
        with connection:
            called.set()
            connection.recv(1)
            over.wait(30)

    over = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as silent:
        thread = threading.Thread(target=answer_nothing)
        thread.start()
        began = time.monotonic()
        told = sent(node, register(node, "SILENT", silent.getsockname()[1]), is_stopped=called.is_set)
        assert time.monotonic() - began < 10, "the ARTIM timer has 30 s"
        over.set()
        thread.join()
    assert told == []


@pytest.mark.peer("TLS (SCU)", "pynetdicom")
def test_a_large_object_arrives_whole_over_tls(node: Node, tmp_path: Path) -> None:
    came: list[bytes] = []

    def on_store(event: evt.Event) -> int:
        came.append(event.dataset.PixelData)
        return 0

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(tmp_path / "server.pem")
    context.load_cert_chain(tmp_path / "receiver.pem", tmp_path / "receiver.key")
    ae = AE(ae_title="RECEIVER")
    ae.add_supported_context(CTImageStorage, ExplicitVRLittleEndian)
    server = ae.start_server(
        ("127.0.0.1", 0), block=False, ssl_context=context, evt_handlers=[(evt.EVT_C_STORE, on_store)]
    )
    try:
        der = ssl.PEM_cert_to_DER_cert((tmp_path / "receiver.pem").read_text())
        entity = register(node, "RECEIVER", server.socket.getsockname()[1], tls="required",
                          certificate_fingerprint=hashlib.sha256(der).hexdigest())  # fmt: skip
        ((_, result),) = sent(node, entity)
    finally:
        OPEN_LINES.close()
        server.shutdown()
    assert result.is_success, result.sentence
    assert came == [PIXELS]
