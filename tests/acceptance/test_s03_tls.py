"""3. Given an entity that must use TLS, when it connects in plain, then it is refused and that is audited."""

import hashlib
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest
from pynetdicom import AE
from pynetdicom.association import Association

import certificates
from node import Node, running_node
from radiology.application_entities.model import ApplicationEntity
from radiology.settings import Settings
from radiology.standards.dicom.uids import VERIFICATION


@pytest.fixture
def tls_node(settings: Settings, tmp_path: Path) -> Iterator[Node]:
    for name in ("server", "scanner", "other"):
        certificates.make(tmp_path, name)
    files = {
        "tls_certificate": tmp_path / "server.pem",
        "tls_private_key": tmp_path / "server.key",
        "tls_authorities": certificates.together(tmp_path, "scanner", "other"),
    }
    with running_node(settings.model_copy(update=files)) as running:
        yield running


def register(node: Node, folder: Path) -> None:
    der = ssl.PEM_cert_to_DER_cert((folder / "scanner.pem").read_text())
    entity = ApplicationEntity("SCANNER", tls="required", certificate_fingerprint=hashlib.sha256(der).hexdigest())
    node.register(entity)


def call(port: int, context: ssl.SSLContext | None = None) -> Association:
    ae = AE(ae_title="SCANNER")
    ae.add_requested_context(VERIFICATION)
    return ae.associate("127.0.0.1", port, ae_title="RADSVC", tls_args=(context, None) if context else None)


@pytest.mark.peer("TLS (SCP)", "pynetdicom")
def test_s03_plain_is_refused_and_audited_and_tls_is_taken(tls_node: Node, tmp_path: Path) -> None:
    register(tls_node, tmp_path)
    for _ in range(3):
        plain = call(tls_node.port)
        answer = plain.acceptor.primitive
        assert answer is not None
        assert (answer.result, answer.result_source, answer.diagnostic) == (1, 1, 3)
    audited = "SELECT count(*) FROM audit_events WHERE action = 'association.refuse' AND subject = 'SCANNER'"
    assert tls_node.value(audited) == 1  # The same within a minute is kept once.
    cause = "SELECT detail->>'cause' FROM audit_events WHERE action = 'association.refuse'"
    assert tls_node.value(cause) == "plain_on_tls_port"

    tls_port = tls_node.app.settings.dicom_tls_port
    right = call(tls_port, certificates.client_context(tmp_path, "scanner", "server"))
    assert right.is_established
    right.release()
    wrong = call(tls_port, certificates.client_context(tmp_path, "other", "server"))
    assert wrong.is_rejected
    assert tls_node.value(cause + " ORDER BY occurred_at DESC LIMIT 1") == "certificate_refused"
