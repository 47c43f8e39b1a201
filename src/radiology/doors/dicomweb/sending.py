"""Send bodies piece by piece: what is small in one go, what is large a chunk at a time, never whole in memory."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from uuid import uuid4

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from radiology.kit.log import get_logger
from radiology.kit.objects import LocalObjects
from radiology.studies.retrieve import Content, Piece, Span

CHUNK_BYTES = 1024 * 1024
#: Small pieces gather to about this size, so that many small parts do not become many small packets.
GATHERED_BYTES = 256 * 1024
#: A client that takes no chunk for so long has stalled: its answer is given up, and what is held for it let go.
STALLED_SECONDS = 300.0


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a multipart body."""

    media_type: str
    content: Content
    location: str | None = None

    def head(self, boundary: str) -> bytes:
        """The delimiter and the headers (RFC 2046 5.1.1)."""
        lines = [f"--{boundary}", f"Content-Type: {self.media_type}"]
        if self.content.size_bytes is not None:
            lines.append(f"Content-Length: {self.content.size_bytes}")
        if self.location is not None:
            lines.append(f"Content-Location: {self.location}")
        return ("\r\n".join(lines) + "\r\n\r\n").encode()


class Streamed(Response):
    """An answer whose body is made while it is sent. When the client has gone, so is what was being made for it."""

    def __init__(
        self,
        chunks: AsyncIterator[bytes],
        *,
        media_type: str,
        size_bytes: int | None,
        status: int = 200,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """`size_bytes` becomes Content-Length; None where it shows only when everything is made."""
        super().__init__(None, status_code=status, headers=dict(headers or {}))
        # Set here, because Starlette would add a charset to a text type and a length to an empty body.
        self.raw_headers = [pair for pair in self.raw_headers if pair[0] != b"content-length"]
        self.headers["content-type"] = media_type
        if size_bytes is not None:
            self.headers["content-length"] = str(size_bytes)
        self._chunks = chunks

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it."""
        start = {"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers}
        if scope["method"] == "HEAD":
            await send(start)
            await send({"type": "http.response.body", "body": b""})
            return
        sending = asyncio.current_task()
        assert sending is not None  # noqa: S101 - coroutines run in tasks.
        gone = asyncio.create_task(_gone(receive))
        stop: Callable[[object], object] = lambda _: sending.cancel()  # noqa: E731 - it is taken away again below.
        gone.add_done_callback(stop)
        try:
            await self._send(start, send, gone)
        except asyncio.CancelledError:
            if not gone.done() or sending.uncancel():
                raise
        finally:
            gone.remove_done_callback(stop)
            gone.cancel()
            with suppress(asyncio.CancelledError):
                await gone

    async def _send(self, start: Mapping[str, object], send: Send, gone: "asyncio.Task[None]") -> None:
        """The first chunk is made before the status is sent, so that what fails at once is still told by a status."""
        chunk = await anext(self._chunks, b"")
        await send(dict(start))
        while True:
            following = await anext(self._chunks, None)
            try:
                async with asyncio.timeout(STALLED_SECONDS):
                    await send({"type": "http.response.body", "body": chunk, "more_body": following is not None})
            except TimeoutError:
                get_logger().warning("http.reader-stalled")
                return
            if following is None or gone.done():
                return
            chunk = following


class Released(Response):
    """Another answer, made of something that is let go when it is sent, or when its reader has gone."""

    def __init__(self, answer: Response, release: Callable[[], object]) -> None:
        super().__init__(None, status_code=answer.status_code)
        self.raw_headers = answer.raw_headers
        self._answer, self._release = answer, release

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it."""
        try:
            await self._answer(scope, receive, send)
        finally:
            self._release()


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def of_content(
    objects: LocalObjects,
    content: Content,
    media_type: str,
    *,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """A single part answer."""
    return _of_pieces(objects, content.pieces, media_type, content.size_bytes, status=status, headers=headers)


def of_parts(
    objects: LocalObjects, parts: Sequence[Part], part_type: str, *, headers: Mapping[str, str] | None = None
) -> Response:
    """A multipart/related answer (RFC 2387). Its length is told where that of every part is known."""
    boundary = uuid4().hex
    pieces: list[Piece] = []
    for number, part in enumerate(parts):
        pieces += [(b"\r\n" if number else b"") + part.head(boundary), *part.content.pieces]
    pieces.append(f"\r\n--{boundary}--\r\n".encode())
    sizes = [part.content.size_bytes for part in parts]
    framing = sum(len(piece) for piece in pieces if isinstance(piece, bytes))
    inside = sum(len(piece) for part in parts for piece in part.content.pieces if isinstance(piece, bytes))
    known = [size for size in sizes if size is not None]
    size_bytes = framing - inside + sum(known) if len(known) == len(sizes) else None
    media_type = f'multipart/related; type="{part_type}"; boundary={boundary}'
    return _of_pieces(objects, pieces, media_type, size_bytes, headers=headers)


def _of_pieces(
    objects: LocalObjects,
    pieces: Sequence[Piece],
    media_type: str,
    size_bytes: int | None,
    *,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """In one go where it is small and lies in memory, as a frame that is looked at does; else streamed."""
    if size_bytes is not None and size_bytes <= CHUNK_BYTES:
        body = _read_at_once(objects, pieces)
        if body is not None:
            answer = Response(body, status, dict(headers or {}))
            answer.headers["content-type"] = media_type
            return answer
    return Streamed(
        _chunks(objects, pieces), media_type=media_type, size_bytes=size_bytes, status=status, headers=headers
    )


def _read_at_once(objects: LocalObjects, pieces: Sequence[Piece]) -> bytes | memoryview | None:
    """All pieces joined; None where one would have to be made, or waited for from the disk."""
    read: list[bytes | bytearray] = []
    for piece in pieces:
        data: bytes | bytearray | None = piece if isinstance(piece, bytes) else None
        if isinstance(piece, Span):
            data = objects.read_from_memory(piece.object_key, piece.offset, piece.length)
        if data is None:
            return None
        read.append(data)
    return memoryview(read[0]) if len(read) == 1 else b"".join(read)


async def _chunks(objects: LocalObjects, pieces: Sequence[Piece]) -> AsyncIterator[bytes]:
    """Chunks to send. A small file is read on the spot, because a change of threads costs more than the page cache."""
    gathered: list[bytes] = []
    size = 0
    for piece in pieces:
        async for chunk in _piece_chunks(objects, piece):
            gathered.append(chunk)
            size += len(chunk)
            if size >= GATHERED_BYTES:
                yield gathered[0] if len(gathered) == 1 else b"".join(gathered)
                gathered, size = [], 0
    if gathered:
        yield b"".join(gathered)


async def _piece_chunks(objects: LocalObjects, piece: Piece) -> AsyncIterator[bytes]:
    if isinstance(piece, bytes):
        yield piece
    elif isinstance(piece, Span):
        if piece.length <= CHUNK_BYTES:
            yield objects.read(piece.object_key, piece.offset, piece.length)
            return
        async for chunk in _file_chunks(objects, piece):
            yield chunk
    else:
        made = piece()
        if isinstance(made, AsyncIterator):
            async for chunk in made:
                yield chunk
            return
        while (chunk := await asyncio.to_thread(_next, made)) is not None:
            yield chunk


def _next(chunks: Iterator[bytes]) -> bytes | None:
    return next(chunks, None)


async def _file_chunks(objects: LocalObjects, span: Span) -> AsyncIterator[bytes]:
    descriptor = objects.open(span.object_key)
    try:
        at, end = span.offset, span.offset + span.length
        while at < end:
            chunk = await asyncio.to_thread(os.pread, descriptor, min(CHUNK_BYTES, end - at), at)
            if not chunk:
                raise OSError("A stored object is shorter than the index says.")
            yield chunk
            at += len(chunk)
    finally:
        os.close(descriptor)
