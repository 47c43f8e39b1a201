"""Calling a peer of the registry; the other end is pynetdicom."""

import hashlib
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest
from pynetdicom import AE

import certificates
from radiology.application_entities import calling
from radiology.application_entities.model import ApplicationEntity
from radiology.dicom_network.client import VERIFICATION, AssociationEndedError
from radiology.errors import Unavailable, Unprocessable
from radiology.settings import Settings

ECHO = [(VERIFICATION, ["1.2.840.10008.1.2"])]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path, tls_certificate=tmp_path / "us.pem", tls_private_key=tmp_path / "us.key",
                    tls_authorities=tmp_path / "peer.pem")  # fmt: skip


@pytest.fixture
def plain_port() -> Iterator[int]:
    ae = AE("PEER")
    ae.add_supported_context(VERIFICATION)
    server = ae.start_server(("127.0.0.1", 0), block=False)
    yield server.socket.getsockname()[1]
    server.shutdown()


@pytest.fixture
def tls_port(tmp_path: Path) -> Iterator[int]:
    certificates.make(tmp_path, "us")
    certificates.make(tmp_path, "peer")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_cert_chain(tmp_path / "peer.pem", tmp_path / "peer.key")
    context.load_verify_locations(tmp_path / "us.pem")
    ae = AE("PEER")
    ae.add_supported_context(VERIFICATION)
    server = ae.start_server(("127.0.0.1", 0), block=False, ssl_context=context)
    yield server.socket.getsockname()[1]
    server.shutdown()


def test_a_plain_peer_answers(settings: Settings, plain_port: int) -> None:
    peer = ApplicationEntity("PEER", "127.0.0.1", plain_port)
    with calling.open_association(settings, peer, ECHO) as association:
        assert association.echo().status == 0


def test_a_peer_with_the_registered_certificate_answers(settings: Settings, tls_port: int, tmp_path: Path) -> None:
    der = ssl.PEM_cert_to_DER_cert((tmp_path / "peer.pem").read_text())
    bound = hashlib.sha256(der).hexdigest()
    peer = ApplicationEntity("PEER", "127.0.0.1", tls_port, tls="required", certificate_fingerprint=bound)
    with calling.open_association(settings, peer, ECHO) as association:
        assert association.echo().status == 0


def test_a_peer_with_another_certificate_is_not_spoken_to(settings: Settings, tls_port: int) -> None:
    peer = ApplicationEntity("PEER", "127.0.0.1", tls_port, tls="required", certificate_fingerprint="0" * 64)
    with pytest.raises(AssociationEndedError, match="certificate"):
        calling.open_association(settings, peer, ECHO)


def test_one_association_only(settings: Settings, plain_port: int) -> None:
    peer = ApplicationEntity("PEER", "127.0.0.1", plain_port, outgoing_associations=1)
    with (
        calling.association(settings, peer, ECHO),
        pytest.raises(Unavailable, match="in use"),
        calling.association(settings, peer, ECHO, wait_seconds=0),
    ):
        pass
    with calling.association(settings, peer, ECHO, wait_seconds=0) as association:
        assert association.echo().status == 0


def test_a_record_without_address_says_so(settings: Settings) -> None:
    with pytest.raises(Unprocessable, match="host and port"):
        calling.open_association(settings, ApplicationEntity("PEER"), ECHO)
