"""Send the sealed record to audit repositories: syslog over TLS (PS3.15 A.6, RFC 5425), at least once, in order.

Syslog knows no acknowledgement. A batch counts as sent when the repository has read it to the end and closed the
connection too; what is in doubt is sent again. Each repository has its own mark, so one that is away holds up no other.
"""

import asyncio
import os
import socket
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Self

from radiology.app import App
from radiology.audit import queries
from radiology.audit.messages import syslog_frame
from radiology.audit.model import Record
from radiology.kit.log import get_logger
from radiology.settings import Settings

BATCH: Final = 500
MOST_BATCHES: Final = 20
CONNECT_SECONDS: Final = 10.0
AGAIN_SECONDS: Final = 30

log = get_logger()


@dataclass(frozen=True, slots=True)
class Repository:
    """One audit repository."""

    host: str
    port: int

    @property
    def name(self) -> str:
        """As the settings name it."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @classmethod
    def all_of(cls, settings: Settings) -> list[Self]:
        """Those that the settings name."""
        named = (each.strip().rpartition(":") for each in settings.audit_repositories.split(",") if each.strip())
        return [cls(host.strip("[]"), int(port)) for host, _, port in named]


async def forward(app: App) -> int:
    """Send each repository what it has not had, up to a limit; returns how many messages."""
    sent = await asyncio.gather(*(_forward_to(app, repository) for repository in Repository.all_of(app.settings)))
    return sum(sent)


async def _forward_to(app: App, repository: Repository) -> int:
    sent = 0
    for _ in range(MOST_BATCHES):
        async with app.db.transaction() as tx:
            mark = await queries.lock_repository(tx, repository.name, again_seconds=AGAIN_SECONDS)
            if mark is None:
                return sent
            rows = await queries.sealed_after(tx, mark, limit=BATCH)
            if not rows:
                return sent
            try:
                await asyncio.to_thread(send, app.settings, repository, rows)
            except OSError as error:
                log.warning("audit.not-forwarded", host=repository.host, port=repository.port, exc_info=error)
                await queries.note_failure(tx, repository.name, _sentence(error))
                return sent
            await queries.move_repository(tx, repository.name, rows[-1].sequence)
        sent += len(rows)
        if len(rows) < BATCH:
            break
    return sent


def _sentence(error: OSError) -> str:
    return f"{type(error).__name__}: {error.strerror or error}"[:200]


def send(settings: Settings, repository: Repository, records: Sequence[Record]) -> None:
    """Send messages over one connection, and wait until the other side has read them. Raises OSError."""
    source_id, host = f"{settings.ae_title}@{settings.facility_code}", socket.gethostname()
    frames = b"".join(
        syslog_frame(record, source_id, ae_title=settings.ae_title, host=host, process_id=os.getpid())
        for record in records
    )
    address = (repository.host, repository.port)
    with (
        socket.create_connection(address, CONNECT_SECONDS) as plain,
        _context(settings).wrap_socket(plain, server_hostname=repository.host) as secure,
    ):
        secure.sendall(frames)
        _wait_until_read(secure)


def _context(settings: Settings) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=settings.audit_tls_authorities)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if settings.audit_tls_certificate is not None:
        context.load_cert_chain(settings.audit_tls_certificate)
    return context


def _wait_until_read(secure: ssl.SSLSocket) -> None:
    """Say that nothing follows, and wait for the end of the other side. Raises OSError where it breaks off instead."""
    plain: Any = None
    try:
        plain = secure.unwrap()
    except (ssl.SSLEOFError, ssl.SSLZeroReturnError):  # It closed without a word of TLS: it had read ours.
        return
    plain.shutdown(socket.SHUT_WR)
    while plain.recv(4096):
        pass
