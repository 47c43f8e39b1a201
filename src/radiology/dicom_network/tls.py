"""TLS beneath an association (PS3.15 annex B, BCP 195): a context, and a socket that speaks it for `Transport`."""

import contextlib
import socket
import ssl
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

#: Of TLS 1.2 only the suites that BCP 195 recommends: forward secrecy and authenticated encryption.
CIPHERS: Final = "ECDHE+AESGCM:ECDHE+CHACHA20:DHE+AESGCM:!aNULL:!eNULL"
TICK_SECONDS: Final = 0.5
RECORD_BYTES: Final = 16 * 1024
"""The longest plaintext of a record (RFC 8446 5.1)."""
_EXPIRED: Final = 10
#: What OpenSSL calls the usual mistakes, and their codes in the trace of associations.
_CODES: Final = {
    "PEER_DID_NOT_RETURN_A_CERTIFICATE": "certificate_refused",
    "WRONG_VERSION_NUMBER": "plain_on_tls_port",
    "UNKNOWN_PROTOCOL": "plain_on_tls_port",
    "HTTP_REQUEST": "plain_on_tls_port",
    "UNSUPPORTED_PROTOCOL": "tls",
}


@dataclass(frozen=True, slots=True)
class Credentials:
    """Our certificate with its private key, and the authorities (or self-signed certificates) that we trust. PEM."""

    certificate: Path
    private_key: Path
    authorities: Path


def requestor_context(credentials: Credentials) -> ssl.SSLContext:
    """For associations that we open: mutual certificates. Raises OSError (of which SSLError is one).

    The name in the peer's certificate is not compared with the host: equipment is known by a bound certificate.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    return _prepared(context, credentials)


def acceptor_context(credentials: Credentials) -> ssl.SSLContext:
    """For associations that peers open to us: they must show a certificate that we trust. Raises OSError."""
    return _prepared(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), credentials)


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate that is trusted: its bytes (DER), common name and subject alternative names."""

    der: bytes
    names: frozenset[str]


def certificate_of(encrypted: ssl.SSLSocket | ssl.SSLObject) -> Certificate:
    """The certificate of the peer, which has been verified."""
    decoded: dict[str, Any] = encrypted.getpeercert() or {}
    names = [value for parts in decoded.get("subject", ()) for key, value in parts if key == "commonName"]
    names += [value for _, value in decoded.get("subjectAltName", ())]
    return Certificate(encrypted.getpeercert(binary_form=True) or b"", frozenset(names))


class HandshakeError(Exception):
    """A peer could not be spoken to over TLS: a code for the trace, and a sentence."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code


def accept(sock: socket.socket, context: ssl.SSLContext, *, limit_seconds: float) -> "TLSSocket":
    """Speak TLS with a peer that has connected. Raises HandshakeError."""
    sock.settimeout(limit_seconds)
    try:
        return TLSSocket(context.wrap_socket(sock, server_side=True))
    except TimeoutError as error:
        raise HandshakeError("timed out", "The peer did not finish the TLS handshake in time.") from error
    except ssl.SSLCertVerificationError as error:
        code = "certificate_expired" if error.verify_code == _EXPIRED else "certificate_refused"
        raise HandshakeError(code, f"The certificate of the peer was refused: {error.verify_message}.") from error
    except ssl.SSLError as error:
        code = _CODES.get(error.reason or "", "tls")
        raise HandshakeError(code, f"The TLS handshake failed: {error.reason or error}.") from error
    except OSError as error:
        raise HandshakeError("closed by peer", "The peer closed the connection in the TLS handshake.") from error


def _prepared(context: ssl.SSLContext, credentials: Credentials) -> ssl.SSLContext:
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(CIPHERS)
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_cert_chain(credentials.certificate, credentials.private_key)
    context.load_verify_locations(credentials.authorities)
    return context


class TLSSocket:
    """An encrypted connection with the calls that a plain socket has for `Transport`.

    Waiting ends after a tick with BlockingIOError, as with SO_RCVTIMEO and SO_SNDTIMEO, which OpenSSL would not heed.
    """

    def __init__(self, encrypted: ssl.SSLSocket) -> None:
        self.encrypted = encrypted

    @property
    def certificate(self) -> "Certificate":
        """The certificate that the peer showed."""
        return certificate_of(self.encrypted)

    def recv_into(self, buffer: memoryview | bytearray, nbytes: int = 0, flags: int = 0) -> int:
        """As a socket's; MSG_DONTWAIT is understood. Raises BlockingIOError, OSError."""
        self.encrypted.settimeout(0 if flags & socket.MSG_DONTWAIT else TICK_SECONDS)
        with _waiting_ends():
            return self.encrypted.recv_into(buffer, nbytes or None)

    def sendmsg(self, buffers: Sequence[bytes | memoryview]) -> int:
        """As a socket's, but takes one record at most, which is made from one piece of memory.

        What did not go out must be given again as it was. Raises BlockingIOError, OSError.
        """
        record = bytearray()
        for buffer in buffers:
            record += buffer[: RECORD_BYTES - len(record)]
            if len(record) == RECORD_BYTES:
                break
        self.encrypted.settimeout(TICK_SECONDS)
        with _waiting_ends():
            return self.encrypted.send(record)

    def settimeout(self, value: float | None) -> None:
        """Limits are set with each call."""

    def setsockopt(self, level: int, option: int, value: Any) -> None:
        """As a socket's."""
        self.encrypted.setsockopt(level, option, value)

    def shutdown(self, how: int) -> None:
        """Close one side, or both, without the closing words of TLS, which DICOM does without."""
        self.encrypted.shutdown(how)

    def close(self) -> None:
        """Close the connection."""
        self.encrypted.close()


@contextlib.contextmanager
def _waiting_ends() -> Generator[None]:
    try:
        yield
    except (ssl.SSLWantReadError, ssl.SSLWantWriteError, TimeoutError) as error:
        raise BlockingIOError(*error.args) from error
