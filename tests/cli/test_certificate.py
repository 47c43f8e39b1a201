"""`radi certificate`: what it makes is good for associations over TLS, and never replaces anything."""

import contextlib
import ssl
import subprocess
from pathlib import Path

import pytest

import certificates
from command_line import radi
from radiology.application_entities.authority import shown
from radiology.application_entities.certificates import is_bound
from radiology.application_entities.model import ApplicationEntity
from radiology.dicom_network.tls import Credentials, acceptor_context, certificate_of, requestor_context
from radiology.settings import Settings


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """No database is needed."""
    return Settings(data_dir=tmp_path / "data", database_url="postgresql://x@127.0.0.1:1/y")


@pytest.fixture
def folder(settings: Settings) -> Path:
    return settings.data_dir / "certificates"


def credentials(folder: Path, name: str) -> Credentials:
    return Credentials(folder / f"{name}.pem", folder / f"{name}.key", folder / "authority.pem")


def test_the_server_and_a_machine_trust_each_other_by_what_was_made(settings: Settings, folder: Path) -> None:
    made = radi(settings, "certificate", "make", "CT1", "--host", "radsvc.example.org", "--host", "10.1.2.3")
    assert (made.code, made.err) == (0, "")
    assert f"RADI_TLS_CERTIFICATE={folder}/server.pem" in made.out
    server, client = shown(folder / "server.pem")[0], shown(folder / "CT1.pem")[0]
    assert server.names == [settings.ae_title, "radsvc.example.org", "10.1.2.3"]
    assert f"radi ae set CT1 --tls required --certificate-fingerprint {client.sha256}" in made.out

    theirs, ours = handshake(
        requestor_context(credentials(folder, "CT1")), acceptor_context(credentials(folder, "server"))
    )
    assert is_bound(ApplicationEntity("CT1", certificate_fingerprint=client.sha256), certificate_of(ours))
    assert is_bound(ApplicationEntity("CT1"), certificate_of(ours))
    assert not is_bound(ApplicationEntity("CT2"), certificate_of(ours))
    assert is_bound(ApplicationEntity(settings.ae_title), certificate_of(theirs))


def handshake(client: ssl.SSLContext, server: ssl.SSLContext) -> tuple[ssl.SSLObject, ssl.SSLObject]:
    """Both ends of a connection in memory, after the handshake."""
    up, down = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = client.wrap_bio(down, up), server.wrap_bio(up, down, server_side=True)
    for _ in range(3):
        for end in ends:
            with contextlib.suppress(ssl.SSLWantReadError):
                end.do_handshake()
    return ends


def test_keys_are_for_their_owner_alone(settings: Settings, folder: Path) -> None:
    radi(settings, "certificate", "make", "CT1")
    assert {path.name: oct(path.stat().st_mode)[-3:] for path in folder.iterdir()} == {
        "authority.pem": "644", "authority.key": "600", "server.pem": "644", "server.key": "600",
        "CT1.pem": "644", "CT1.key": "600",
    }  # fmt: skip
    assert oct(folder.stat().st_mode)[-3:] == "700"


def test_nothing_is_replaced_and_the_authority_signs_again(settings: Settings, folder: Path) -> None:
    radi(settings, "certificate", "make", "CT1")
    before = {path: path.read_bytes() for path in folder.iterdir()}
    again = radi(settings, "certificate", "make", "CT1")
    assert again.code == 2
    assert "CT1.pem is there already" in again.err
    assert radi(settings, "certificate", "make", "CT2").code == 0
    assert {path: path.read_bytes() for path in before} == before
    assert shown(folder / "CT2.pem")[0].issuer == shown(folder / "authority.pem")[0].subject
    (folder / "authority.key").unlink()
    assert "only one is there" in radi(settings, "certificate", "make", "CT3").err


def test_names_that_are_no_files_are_refused(settings: Settings, folder: Path) -> None:
    assert radi(settings, "certificate", "make", "../CT").code == 2
    assert radi(settings, "certificate", "make", "CT1", "server").code == 2
    assert not folder.exists()


def test_a_request_is_one_that_openssl_takes(settings: Settings, folder: Path) -> None:
    made = radi(settings, "certificate", "make", "--request", "--host", "radsvc.example.org")
    assert made.code == 0, made
    assert sorted(path.name for path in folder.iterdir()) == ["server.csr", "server.key"]
    command = ["openssl", "req", "-in", folder / "server.csr", "-verify", "-noout", "-text"]
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    assert settings.ae_title in text
    assert "DNS:radsvc.example.org" in text
    assert radi(settings, "certificate", "make", "--request").code == 2


def test_show_says_names_end_and_sha256(settings: Settings, folder: Path, tmp_path: Path) -> None:
    radi(settings, "certificate", "make")
    said = radi(settings, "certificate", "show", folder / "server.pem")
    assert said.code == 0
    assert "824 days left" in said.out
    assert shown(folder / "server.pem")[0].sha256 in said.out
    verified = [
        "openssl",
        "verify",
        "-purpose",
        "sslclient",
        "-CAfile",
        folder / "authority.pem",
        folder / "server.pem",
    ]
    subprocess.run(verified, check=True, capture_output=True)
    expired = certificates.make(tmp_path, "old", days=-1)
    assert radi(settings, "certificate", "show", expired).code == 1
    assert "no certificate" in radi(settings, "certificate", "show", folder / "server.key").err
