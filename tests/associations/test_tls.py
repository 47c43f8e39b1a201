"""What goes wrong with TLS, caused for real, and named: no TLS, an expired certificate, none, a stranger's."""

import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

import certificates
from node import Node, running_node
from radiology.associations.texts import TEXTS
from radiology.settings import Settings


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Certificates: `server` is ours, `scanner` and `expired` are trusted, `stranger` is not."""
    certificates.make(tmp_path, "server")
    certificates.make(tmp_path, "scanner")
    certificates.make(tmp_path, "stranger")
    certificates.make(tmp_path, "expired", days=-1)
    return tmp_path


@pytest.fixture
def node(settings: Settings, folder: Path) -> Iterator[Node]:
    files = {
        "tls_certificate": folder / "server.pem",
        "tls_private_key": folder / "server.key",
        "tls_authorities": certificates.together(folder, "scanner", "expired"),
    }
    with running_node(settings.model_copy(update=files)) as running:
        yield running


def refusal(node: Node) -> str:
    """The code of the last refusal, waited for."""
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        node.recorder.flush()
        code = node.value("SELECT refusal FROM associations ORDER BY opened_at DESC LIMIT 1")
        if code:
            return code
        time.sleep(0.02)
    return ""


def shake_hands(node: Node, folder: Path, name: str | None) -> None:
    """Connect to the TLS port, and read until it is closed."""
    context = certificates.client_context(folder, name, "server")
    with (
        socket.create_connection(("127.0.0.1", node.app.settings.dicom_tls_port), timeout=5) as sock,
        suppress(ssl.SSLError, OSError),
        context.wrap_socket(sock) as encrypted,
    ):
        encrypted.recv(1)


def test_plain_bytes_on_the_port_of_tls(node: Node) -> None:
    with socket.create_connection(("127.0.0.1", node.app.settings.dicom_tls_port), timeout=5) as sock:
        sock.sendall(b"\x01\x00\x00\x00\x00\x10" + bytes(16))
        with suppress(OSError):
            sock.recv(64)
    assert refusal(node) == "plain_on_tls_port"


@pytest.mark.parametrize(
    ("name", "code"),
    [("expired", "certificate_expired"), (None, "certificate_refused"), ("stranger", "certificate_refused")],
)
def test_a_certificate_that_cannot_be_taken(node: Node, folder: Path, name: str | None, code: str) -> None:
    shake_hands(node, folder, name)
    assert refusal(node) == code
    assert code in TEXTS
