"""The MLLP door with peers that behave, and with those that do not."""

import asyncio
import socket
import ssl
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import psycopg
import pytest
from hl7.mllp import open_hl7_connection

import certificates
import hl7
import hl7_peer as peers
from hl7_peer import HL7Door, running_door
from radiology.hl7.model import Sender
from radiology.settings import Settings
from waiting import until

ADMISSION = "ADT^A04"


@pytest.fixture
def door(settings: Settings) -> Iterator[HL7Door]:
    with running_door(settings, hl7_message_timeout_seconds=1, hl7_max_message_bytes=8192, drain_seconds=1) as running:
        yield running


def _admission(number: str = "1001") -> bytes:
    return peers.message(peers.header(ADMISSION), peers.pid(number))


def _patients(door: HL7Door) -> int:
    return door.value("SELECT count(*) FROM patients")


def test_messages_are_answered_one_after_the_other(door: HL7Door):
    with door.connect() as client:
        for number in range(3):
            assert client.ask(_admission(str(number))).code == "AA"
        for number in range(3, 6):
            client.send(_admission(str(number)))
        assert [peers.Said(client.receive()).code for _ in range(3)] == ["AA"] * 3
    assert _patients(door) == 6


@pytest.mark.peer("HL7 messages (receiver)", "python-hl7")
def test_another_library_sends(door: HL7Door):
    async def send() -> hl7.Message:
        reader, writer = await open_hl7_connection("127.0.0.1", door.settings.hl7_port, encoding="utf-8")
        writer.writemessage(hl7.parse(peers.order("P1").decode()))
        await writer.drain()
        answer = await reader.readmessage()
        writer.close()
        return answer

    answer = asyncio.run(send())
    assert str(answer["MSA.F1"]) == "AA"
    assert door.value("SELECT patient_name FROM patients") == "Karim^Abdul=করিম^আব্দুল"


def test_a_hundred_connections_at_once(door: HL7Door):
    def one(number: int) -> str:
        with door.connect() as client:
            barrier.wait(30)
            return client.ask(_admission(str(number % 10))).code

    barrier = threading.Barrier(100)
    with ThreadPoolExecutor(100) as pool:
        assert list(pool.map(one, range(100))) == ["AA"] * 100
    assert _patients(door) == 10
    assert door.value("SELECT count(*) FROM hl7_messages WHERE state = 'processed'") == 100


def test_one_more_connection_than_allowed_is_closed(settings: Settings):
    with running_door(settings, hl7_max_connections=2) as door, door.connect() as one, door.connect() as two:
        assert one.ask(_admission()).code == two.ask(_admission()).code == "AA"
        with door.connect() as three:
            assert three.receive() == b""
        assert one.ask(_admission()).code == "AA"


def test_half_a_message_is_closed_and_changes_nothing(door: HL7Door):
    with door.connect() as client:
        client.connection.sendall(b"\x0b" + _admission()[:60])
        assert client.receive() == b""
    assert _patients(door) == 0


def _drip(client: peers.Client) -> None:
    """A byte every twentieth of a second, until the door has enough."""
    client.connection.settimeout(0.05)
    for _ in range(200):
        client.connection.sendall(b"M")
        try:
            if client.connection.recv(1) == b"":
                raise ConnectionResetError
        except TimeoutError:
            continue


def test_a_message_in_drops_has_a_limit(door: HL7Door):
    with door.connect() as client:
        client.connection.sendall(b"\x0b")
        with pytest.raises(ConnectionError):
            _drip(client)


def test_a_message_that_was_begun_anew(door: HL7Door):
    with door.connect() as client:
        client.connection.sendall(b"\x0b" + _admission("1")[:60])
        assert client.ask(_admission("2")).code == "AA"
    assert door.value("SELECT patient_id FROM patients") == "2"


def test_a_silent_connection_is_closed(settings: Settings):
    with running_door(settings, hl7_idle_timeout_seconds=1) as door, door.connect() as client:
        assert client.receive() == b""


@pytest.mark.parametrize("garbage", [b"GET / HTTP/1.1\r\nHost: x\r\n\r\n" + b"x" * 2000, b"\x16\x03\x01" + bytes(2000)])
def test_a_peer_that_speaks_something_else_is_closed(door: HL7Door, garbage: bytes):
    with door.connect() as client:
        client.connection.sendall(garbage)
        assert client.receive() == b""


def test_a_message_that_is_too_long_is_refused_by_name(door: HL7Door):
    with door.connect() as client:
        client.connection.sendall(b"\x0b" + peers.header(ADMISSION, "C77").encode() + b"\rNTE|1||" + b"x" * 9000)
        said = peers.Said(client.receive())
    assert said.lines["MSA"][1:] == ["AR", "C77", "The message is longer than 8192 bytes."]


def test_a_peer_that_does_not_read_costs_nobody_else(door: HL7Door):
    with door.connect() as deaf, door.connect() as other:
        deaf.connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        for number in range(50):
            deaf.send(_admission(str(number)))
        assert other.ask(_admission("other")).code == "AA"


def test_what_cannot_be_kept_is_not_acknowledged(door: HL7Door):
    with psycopg.connect(door.settings.database_dsn, autocommit=True) as connection:
        connection.execute("ALTER TABLE hl7_messages RENAME TO away")
        with door.connect() as client:
            client.send(_admission("1"))
            assert client.receive() == b""
        connection.execute("ALTER TABLE away RENAME TO hl7_messages")
    assert _patients(door) == 0
    with door.connect() as client:
        assert client.ask(_admission("1")).code == "AA"


def test_a_stop_lets_messages_end(settings: Settings):
    with running_door(settings) as door, ExitStack() as stack:
        clients = [stack.enter_context(door.connect()) for _ in range(5)]
        for number, client in enumerate(clients):
            assert client.ask(_admission(str(number))).code == "AA"
        begun = stack.enter_context(door.connect())
        begun.connection.sendall(b"\x0b" + _admission("begun")[:40])
        until(lambda: len(door.server.connections) == 6)
        stopping = asyncio.run_coroutine_threadsafe(door.server.stop(10), door.loop)
        assert all(client.receive() == b"" for client in clients)
        begun.connection.sendall(_admission("begun")[40:] + b"\x1c\r")
        assert peers.Said(begun.receive()).code == "AA"
        assert begun.receive() == b""
        stopping.result(10)


def test_plain_messages_from_foreign_networks_are_not_taken(settings: Settings):
    with running_door(settings, plain_hl7_networks="192.0.2.0/24") as door, door.connect() as client:
        assert client.receive() == b""


@pytest.fixture
def encrypted(settings: Settings, tmp_path: Path) -> Settings:
    for name in ("server", "his", "stranger"):
        certificates.make(tmp_path, name)
    return settings.model_copy(
        update={
            "tls_certificate": tmp_path / "server.pem",
            "tls_private_key": tmp_path / "server.key",
            "tls_authorities": certificates.together(tmp_path, "his"),
        }
    )


def test_tls_with_certificates(encrypted: Settings, tmp_path: Path):
    with running_door(encrypted) as door:
        context = certificates.client_context(tmp_path, "his", "server")
        with door.connect(context) as client:
            assert client.ask(_admission()).code == "AA"
        door.register(Sender("HIS", "HIS", "DMCH", certificate_subject="another"))
        with door.connect(context) as client:
            said = client.ask(_admission())
            assert (said.code, said.sentence[-14:]) == ("AR", "(certificate).")
        for name in ("stranger", None):
            assert not _gets_an_answer(door, certificates.client_context(tmp_path, name, "server"))
        with door.connect() as client:
            assert client.ask(_admission()).code == "AA"


def _gets_an_answer(door: HL7Door, context: ssl.SSLContext) -> bool:
    """In TLS 1.3 a client learns only when it reads that its certificate was refused."""
    try:
        with door.connect(context) as client:
            client.send(_admission())
            return client.receive() != b""
    except OSError:
        return False
