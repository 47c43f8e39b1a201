"""An MLLP server: reads messages, has each taken, and answers it before the next. Nothing here knows what they say.

A connection costs at most one message of memory and waits for nobody for ever: not for the rest of a message, not for
the next one, not for a peer that does not read its acknowledgements.
"""

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final, cast

from radiology.application_entities.addresses import is_among
from radiology.dicom_network.tls import certificate_of
from radiology.errors import Unavailable
from radiology.hl7.model import Peer
from radiology.kit import metrics
from radiology.kit.clock import monotonic_seconds
from radiology.kit.log import get_logger
from radiology.standards.hl7v2.errors import Code, HL7Error
from radiology.standards.hl7v2.mllp import FramingError, Reader, frame

CHUNK_BYTES: Final = 64 * 1024
HANDSHAKE_SECONDS: Final = 10.0
SEND_SECONDS: Final = 30.0

log = get_logger()


@dataclass(frozen=True, slots=True)
class Limits:
    """What a peer may take of us."""

    max_connections: int
    max_message_bytes: int
    message_timeout_seconds: float
    idle_timeout_seconds: float
    plain_networks: tuple[str, ...]


@dataclass(slots=True)
class Server:
    """A listening port and its connections.

    `take` gives the acknowledgement of a message and raises Unavailable where none may be given; `unreadable` gives the
    answer to what is no whole message.
    """

    take: Callable[[bytes, Peer], Awaitable[bytes]]
    unreadable: Callable[[HL7Error, bytes], bytes]
    limits: Limits
    connections: set[asyncio.Task[None]] = field(default_factory=set[asyncio.Task[None]])
    _stopping: asyncio.Event = field(default_factory=asyncio.Event)
    _listening: list[asyncio.Server] = field(default_factory=list[asyncio.Server])

    async def listen(self, address: str, port: int, *, encryption: ssl.SSLContext | None = None) -> None:
        """Take connections on a port, of 1 to 65535, from now on. Raises OSError."""
        self._listening.append(
            await asyncio.start_server(
                self._accepted,
                address,
                port,
                limit=CHUNK_BYTES,
                ssl=encryption,
                ssl_handshake_timeout=HANDSHAKE_SECONDS if encryption else None,
                backlog=256,
            )
        )

    async def stop(self, drain_seconds: float) -> None:
        """Take no more; messages that have begun may end and are answered, up to the limit."""
        for listening in self._listening:
            listening.close()
        self._stopping.set()
        if self.connections:
            await asyncio.wait(self.connections, timeout=drain_seconds)
        for connection in list(self.connections):
            connection.cancel()
        if self.connections:
            await asyncio.wait(self.connections, timeout=1)

    async def _accepted(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = cast("asyncio.Task[None]", asyncio.current_task())
        self.connections.add(task)
        metrics.hl7_connections_open.set(len(self.connections))
        peer, outcome = _peer_of(writer), "closed"
        try:
            outcome = await self._serve(peer, reader, writer)
        except asyncio.CancelledError:
            outcome = "stopped"
        except (OSError, ssl.SSLError) as error:
            outcome = "lost"
            log.info("hl7.connection-lost", peer=peer.host, reason=type(error).__name__)
        except Exception as error:  # A bug in one connection must not end the others.
            outcome = "failed"
            log.error("hl7.connection-failed", peer=peer.host, exc_info=error)
        finally:
            self.connections.discard(task)
            metrics.hl7_connections_open.set(len(self.connections))
            metrics.hl7_connection(outcome).inc()
            if outcome in ("stopped", "lost", "unread"):
                writer.transport.abort()
            else:
                writer.close()
        if outcome not in ("closed", "silent"):
            log.warning("hl7.connection-ended", peer=peer.host, reason=outcome)

    async def _serve(self, peer: Peer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> str:
        """Serve one connection until it ends; returns how it did."""
        if len(self.connections) > self.limits.max_connections:
            return "too many"
        if peer.certificate is None and not is_among(self.limits.plain_networks, peer.host):
            return "not encrypted"
        framing = Reader(self.limits.max_message_bytes)
        begun, until = 0, 0.0
        while True:
            if framing.begun != begun:
                begun, until = framing.begun, monotonic_seconds() + self.limits.message_timeout_seconds
            seconds = until - monotonic_seconds() if framing.is_within else self.limits.idle_timeout_seconds
            try:
                data = await self._read(reader, seconds, stops=not framing.is_within)
            except TimeoutError:
                return "half a message" if framing.is_within else "silent"
            if not data:
                return "half a message" if framing.is_within else "closed"
            try:
                for message in framing.feed(data):
                    if not await self._answer(message, peer, writer):
                        return "unavailable"
            except FramingError as error:
                return await self._garbage(error, writer)
            except TimeoutError:
                return "unread"

    async def _read(self, reader: asyncio.StreamReader, seconds: float, *, stops: bool) -> bytes:
        """What comes next; nothing where the peer closed, or where it `stops` because we do. Raises TimeoutError."""
        reading = asyncio.ensure_future(reader.read(CHUNK_BYTES))
        stopping = asyncio.ensure_future(self._stopping.wait())
        try:
            done, _ = await asyncio.wait(
                {reading, stopping} if stops else {reading},
                timeout=max(seconds, 0.0),
                return_when=asyncio.FIRST_COMPLETED,
            )
            if reading in done:
                return reading.result()
            if stopping in done:
                return b""
            raise TimeoutError
        finally:
            reading.cancel()
            stopping.cancel()

    async def _answer(self, message: bytes, peer: Peer, writer: asyncio.StreamWriter) -> bool:
        """Have a message taken, and answer it. False where it could not be kept: silence makes the peer send again."""
        try:
            acknowledgement = await self.take(message, peer)
        except Unavailable as error:
            log.warning("hl7.unavailable", peer=peer.host, reason=error.sentence)
            return False
        await _send(writer, acknowledgement)
        return True

    async def _garbage(self, error: FramingError, writer: asyncio.StreamWriter) -> str:
        if error.reason == "too long":
            sentence = f"The message is longer than {self.limits.max_message_bytes} bytes."
            with suppress(TimeoutError):
                await _send(writer, self.unreadable(HL7Error(Code.DATA_TYPE, sentence), error.beginning))
        return error.reason


async def _send(writer: asyncio.StreamWriter, message: bytes) -> None:
    """Send a message. Raises TimeoutError where the peer does not read."""
    writer.write(frame(message))
    async with asyncio.timeout(SEND_SECONDS):
        await writer.drain()


def _peer_of(writer: asyncio.StreamWriter) -> Peer:
    address: tuple[str, int] = writer.get_extra_info("peername") or ("", 0)
    encrypted: ssl.SSLObject | None = writer.get_extra_info("ssl_object")
    return Peer(address[0], None if encrypted is None else certificate_of(encrypted))
