"""`radi serve hl7`: one process that takes HL7 messages on its ports."""

import asyncio
import math
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field

from radiology.access.model import SYSTEM
from radiology.app import App
from radiology.application_entities.calling import credentials_of
from radiology.audit.context import Circumstances, begin
from radiology.audit.model import SERIOUS_FAILURE
from radiology.audit.trail import Access, Trail, open_trail
from radiology.dicom_network.tls import acceptor_context
from radiology.doors.hl7.server import Limits, Server
from radiology.hl7.model import Peer
from radiology.hl7.receiving import HANDLERS, Outcome, receive, unreadable
from radiology.kit import metrics
from radiology.kit.clock import monotonic_seconds
from radiology.kit.log import get_logger
from radiology.kit.processes import stop_asked
from radiology.settings import Settings
from radiology.standards.hl7v2.errors import HL7Error

CONNECTIONS = 8
"""Of the database: so many messages are worked on at once."""
AUDITED_EVERY_SECONDS, AUDITED_AT_MOST = 60.0, 1_000

log = get_logger()


@dataclass(slots=True)
class Door:
    """What becomes of messages, told to metrics, log and audit record."""

    app: App
    trail: Trail
    audited: dict[tuple[str, str], float] = field(default_factory=dict[tuple[str, str], float])
    """When a refusal was last kept in the audit record, by host and cause."""

    async def take(self, content: bytes, peer: Peer) -> bytes:
        """The acknowledgement of a message. Raises Unavailable."""
        begin(Circumstances(source="hl7", address=peer.host))
        began = monotonic_seconds()
        outcome = await receive(self.app, content, peer)
        self._tell(outcome, peer, monotonic_seconds() - began)
        return outcome.acknowledgement

    def unreadable(self, error: HL7Error, beginning: bytes) -> bytes:
        """The answer to what is no whole message."""
        outcome = unreadable(self.app, error, beginning)
        metrics.hl7_message("other", outcome.verdict).inc()
        return outcome.acknowledgement

    def _tell(self, outcome: Outcome, peer: Peer, seconds: float) -> None:
        known = outcome.type if outcome.type in HANDLERS else "other"
        metrics.hl7_message(known, outcome.verdict).inc()
        metrics.hl7_seconds.observe(seconds)
        level = log.debug if outcome.verdict == "AA" else log.warning
        more = {"reason": outcome.refused, "state": "again" if outcome.again else ""}
        said = {name: value for name, value in more.items() if value}
        level("hl7.message", kind=known, result=outcome.verdict, peer=peer.host, seconds=round(seconds, 4), **said)
        if outcome.refused:
            self._audit(peer.host, outcome.refused)

    def _audit(self, host: str, cause: str) -> None:
        """Keep that a sender was turned away; the same again within a minute is kept once (PS3.15 A.5.3.11)."""
        at = monotonic_seconds()
        if at - self.audited.get((host, cause), -math.inf) < AUDITED_EVERY_SECONDS:
            return
        if len(self.audited) >= AUDITED_AT_MOST:
            self.audited.clear()
        self.audited[host, cause] = at
        detail = {"host": host, "cause": cause}
        self.trail.keep(
            Access(SYSTEM.id, "hl7.refuse", host, 0, detail, SERIOUS_FAILURE), after_the_fact=True
        )  # fmt: skip


def run(settings: Settings) -> None:
    """Take messages until SIGTERM; then those that have begun are answered, up to `drain_seconds`."""
    asyncio.run(_serve(settings))


async def _serve(settings: Settings) -> None:
    app = App.of(settings, connections=CONNECTIONS)
    await app.db.open()
    stopped = stop_asked()
    with _kept_trail(settings) as trail:
        trail.keep(Access(SYSTEM.id, "service.start", "hl7"), after_the_fact=True)
        server = await serve(Door(app, trail))
        await stopped.wait()
        await server.stop(settings.drain_seconds)
        trail.keep(Access(SYSTEM.id, "service.stop", "hl7"), after_the_fact=True)
    await app.db.close()


async def serve(door: Door) -> Server:
    """A server on the ports of the settings, started. Raises OSError for a port or certificate that cannot be used."""
    settings = door.app.settings
    limits = Limits(
        settings.hl7_max_connections,
        settings.hl7_max_message_bytes,
        settings.hl7_message_timeout_seconds,
        settings.hl7_idle_timeout_seconds,
        tuple(settings.plain_hl7_networks.split(",")),
    )
    server = Server(door.take, door.unreadable, limits)
    if settings.hl7_port:
        await server.listen(settings.bind_address, settings.hl7_port)
    if settings.hl7_tls_port:
        context = acceptor_context(credentials_of(settings))
        await server.listen(settings.bind_address, settings.hl7_tls_port, encryption=context)
    return server


@contextmanager
def _kept_trail(settings: Settings) -> Generator[Trail]:
    trail = open_trail(settings)
    trail.start()
    try:
        yield trail
    finally:
        trail.stop()
