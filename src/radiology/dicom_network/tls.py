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


def _prepared(context: ssl.SSLContext, credentials: Credentials) -> ssl.SSLContext:
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(CIPHERS)
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_cert_chain(credentials.certificate, credentials.private_key)
    context.load_verify_locations(credentials.authorities)
    return context


class TLSSocket:
    """An encrypted connection with the calls that a plain socket has for `Transport`.

    Waiting ends after a tick (receiving) or the limit (sending) with BlockingIOError, as with SO_RCVTIMEO and
    SO_SNDTIMEO, which OpenSSL would not heed.
    """

    def __init__(self, encrypted: ssl.SSLSocket, send_limit_seconds: float) -> None:
        self.encrypted = encrypted
        self._send_limit_seconds = send_limit_seconds

    def recv_into(self, buffer: memoryview | bytearray, nbytes: int = 0, flags: int = 0) -> int:
        """As a socket's; MSG_DONTWAIT is understood. Raises BlockingIOError, OSError."""
        self.encrypted.settimeout(0 if flags & socket.MSG_DONTWAIT else TICK_SECONDS)
        with _waiting_ends():
            return self.encrypted.recv_into(buffer, nbytes or None)

    def sendall(self, data: bytes | memoryview) -> None:
        """As a socket's. Raises BlockingIOError, OSError."""
        self.encrypted.settimeout(self._send_limit_seconds)
        with _waiting_ends():
            self.encrypted.sendall(data)

    def sendmsg(self, buffers: Sequence[bytes | memoryview]) -> int:
        """As a socket's, but takes everything: the records of TLS are made from one piece of memory."""
        data = b"".join(buffers)
        self.sendall(data)
        return len(data)

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
