"""Certificates for a hospital that has no authority: one of its own, and what it signs. Files in PEM.

Keys are RSA, which machines of any age take. Files are written once: nothing that is there is replaced.
"""

import hashlib
import ipaddress
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from radiology.errors import Conflict, Invalid

KEY_BITS: Final = 3072
AUTHORITY_DAYS: Final = 3653
#: Clocks of machines are off, and a certificate that is not valid yet is refused.
BACKDATED: Final = timedelta(days=1)
AUTHORITY: Final = "authority"
SERVER: Final = "server"
_SECRET, _PUBLIC = 0o600, 0o644
_ANY_PURPOSE: Final = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH])
"""Each end of an association calls and is called."""


@dataclass(frozen=True, slots=True)
class Shown:
    """What a certificate says. `names` are its common name and subject alternative names, as a record binds them."""

    subject: str
    issuer: str
    names: list[str]
    valid_from: datetime
    valid_until: datetime
    sha256: str

    def is_valid(self, at: datetime) -> bool:
        """Whether it is valid at a moment."""
        return self.valid_from <= at <= self.valid_until


@dataclass(frozen=True, slots=True)
class Signer:
    """An authority: its certificate and the key that signs."""

    certificate: x509.Certificate
    key: rsa.RSAPrivateKey


def open_authority(folder: Path, name: str, *, now: datetime) -> tuple[Signer, list[Path]]:
    """The authority of a folder, made where there is none, and the files that were written.

    Raises Conflict for one without its key, Invalid for files that are something else.
    """
    certificate, key = _files(folder, AUTHORITY)
    if not certificate.exists() and not key.exists():
        made = _make_authority(name, now)
        return made, _write_pair(folder, AUTHORITY, made.certificate, made.key)
    if not (certificate.exists() and key.exists()):
        raise Conflict(f"Of {certificate} and {key} only one is there. Put the other beside it, or use another folder.")
    try:
        signer = serialization.load_pem_private_key(key.read_bytes(), None)
        found = x509.load_pem_x509_certificate(certificate.read_bytes())
    except (ValueError, TypeError) as error:
        raise Invalid(f"{certificate} and {key} are no certificate and key in PEM: {error}.") from error
    if not isinstance(signer, rsa.RSAPrivateKey) or signer.public_key() != found.public_key():
        raise Invalid(f"{key} is not the RSA key of {certificate}.")
    if found.not_valid_after_utc < now:
        raise Conflict(f"{certificate} was valid until {found.not_valid_after_utc:%Y-%m-%d}. Use another folder.")
    return Signer(found, signer), []


def make_certificate(
    folder: Path, file_name: str, common_name: str, hosts: Sequence[str], signer: Signer, *, days: int, now: datetime
) -> list[Path]:
    """A key and a certificate that an authority has signed, for both ends of an association; the files written.

    It ends with its authority at the latest. Raises Conflict where a file is there already.
    """
    _must_be_new(folder, file_name)
    key = rsa.generate_private_key(65537, KEY_BITS)
    until = min(now + timedelta(days=days), signer.certificate.not_valid_after_utc)
    builder = _certificate(_named(common_name), signer.certificate.subject, key.public_key(), now, until)
    builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    builder = builder.add_extension(_usage(signs=False), critical=True).add_extension(_ANY_PURPOSE, critical=False)
    builder = builder.add_extension(_alternative_names([common_name, *hosts]), critical=False)
    authority_key = x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.key.public_key())
    certificate = builder.add_extension(authority_key, critical=False).sign(signer.key, hashes.SHA256())
    return _write_pair(folder, file_name, certificate, key)


def make_request(folder: Path, file_name: str, common_name: str, hosts: Sequence[str]) -> list[Path]:
    """A key, and a request to an authority elsewhere (PKCS #10); the files written. Raises Conflict."""
    _must_be_new(folder, file_name)
    request = folder / f"{file_name}.csr"
    if request.exists():
        raise Conflict(f"{request} is there already. Move it away to make another.")
    key = rsa.generate_private_key(65537, KEY_BITS)
    builder = x509.CertificateSigningRequestBuilder().subject_name(_named(common_name))
    builder = builder.add_extension(_alternative_names([common_name, *hosts]), critical=False)
    made = builder.add_extension(_ANY_PURPOSE, critical=False).sign(key, hashes.SHA256())
    _, key_file = _files(folder, file_name)
    _write(key_file, _key_bytes(key), _SECRET)
    _write(request, made.public_bytes(serialization.Encoding.PEM), _PUBLIC)
    return [key_file, request]


def shown(path: Path) -> list[Shown]:
    """The certificates of a file, in PEM or DER. Raises Invalid where there is none."""
    content = path.read_bytes()
    try:
        if b"-----BEGIN" in content:
            return [_shown(each) for each in x509.load_pem_x509_certificates(content)]
        return [_shown(x509.load_der_x509_certificate(content))]
    except ValueError as error:
        raise Invalid(f"{path} is no certificate in PEM or DER.") from error


def _make_authority(name: str, now: datetime) -> Signer:
    key = rsa.generate_private_key(65537, KEY_BITS)
    until = now + timedelta(days=AUTHORITY_DAYS)
    builder = _certificate(_named(name), _named(name), key.public_key(), now, until)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    certificate = builder.add_extension(_usage(signs=True), critical=True).sign(key, hashes.SHA256())
    return Signer(certificate, key)


def _certificate(
    subject: x509.Name, issuer: x509.Name, key: rsa.RSAPublicKey, now: datetime, until: datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - BACKDATED)
        .not_valid_after(until)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _usage(*, signs: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs, content_commitment=False, key_encipherment=not signs, data_encipherment=False,
        key_agreement=False, key_cert_sign=signs, crl_sign=signs, encipher_only=False, decipher_only=False,
    )  # fmt: skip


def _named(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _alternative_names(names: Iterable[str]) -> x509.SubjectAlternativeName:
    """Addresses as such, all others as names; a name that DNS does not allow stays the common name alone."""
    found: list[x509.GeneralName] = []
    for name in dict.fromkeys(names):
        try:
            found.append(x509.IPAddress(ipaddress.ip_address(name)))
        except ValueError:
            if name.replace("-", "").replace(".", "").replace("_", "").isalnum() and name.isascii():
                found.append(x509.DNSName(name))
    return x509.SubjectAlternativeName(found)


def _shown(certificate: x509.Certificate) -> Shown:
    names = [str(each.value) for each in certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)]
    try:
        others = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        names += [str(each.value) for each in others]
    except x509.ExtensionNotFound:
        pass
    return Shown(
        subject=certificate.subject.rfc4514_string(),
        issuer=certificate.issuer.rfc4514_string(),
        names=list(dict.fromkeys(names)),
        valid_from=certificate.not_valid_before_utc,
        valid_until=certificate.not_valid_after_utc,
        sha256=hashlib.sha256(certificate.public_bytes(serialization.Encoding.DER)).hexdigest(),
    )


def _files(folder: Path, name: str) -> tuple[Path, Path]:
    return folder / f"{name}.pem", folder / f"{name}.key"


def _must_be_new(folder: Path, name: str) -> None:
    for path in _files(folder, name):
        if path.exists():
            raise Conflict(f"{path} is there already. Move it away to make another.")


def _write_pair(folder: Path, name: str, certificate: x509.Certificate, key: rsa.RSAPrivateKey) -> list[Path]:
    """The key first: a certificate without its key is of no use to anybody."""
    certificate_file, key_file = _files(folder, name)
    _write(key_file, _key_bytes(key), _SECRET)
    _write(certificate_file, certificate.public_bytes(serialization.Encoding.PEM), _PUBLIC)
    return [certificate_file, key_file]


def _key_bytes(key: rsa.RSAPrivateKey) -> bytes:
    pem, pkcs8 = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    return key.private_bytes(pem, pkcs8, serialization.NoEncryption())


def _write(path: Path, content: bytes, mode: int) -> None:
    """A new file with this mode from its first byte on. Raises Conflict where it is there already."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    except FileExistsError as error:
        raise Conflict(f"{path} is there already. Move it away to make another.") from error
    with open(descriptor, "wb") as file:
        file.write(content)
