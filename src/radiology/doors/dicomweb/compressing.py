"""Content codings of JSON and XML (RFC 9110 8.4): zstd or gzip for who takes them, where an answer is long enough.

Images and objects are never compressed again.
"""

import asyncio
import gzip
from collections.abc import Callable, Mapping

import imagecodecs
from starlette.requests import Request
from starlette.responses import Response

#: A shorter answer fits into one packet anyway.
LEAST_BYTES = 1400
#: A longer one is compressed in a thread.
INLINE_BYTES = 128 * 1024


def _zstd(body: bytes) -> bytes:
    return bytes(imagecodecs.zstd_encode(body, level=3))


def _gzip(body: bytes) -> bytes:
    return gzip.compress(body, 3, mtime=0)


#: In the order of our liking.
_CODINGS: Mapping[str, Callable[[bytes], bytes]] = {"zstd": _zstd, "gzip": _gzip}


def coding_of(accept_encoding: str) -> str | None:
    """The coding to use, the best liked of those that the client likes best; None for none (RFC 9110 12.5.3)."""
    qualities: dict[str, float] = {}
    for entry in accept_encoding.lower().split(","):
        name, _, parameter = entry.partition(";")
        qualities[name.strip()] = _quality(parameter)
    known = {coding: qualities.get(coding, qualities.get("*", 0.0)) for coding in _CODINGS}
    best = max(known, key=known.__getitem__)
    return best if known[best] > 0 else None


def _quality(parameter: str) -> float:
    name, _, value = parameter.partition("=")
    if name.strip() != "q":
        return 1.0
    try:
        return float(value)
    except ValueError:
        return 0.0


async def compressed(request: Request, response: Response) -> Response:
    """The same answer, compressed if the client takes that and it is long enough."""
    response.headers.append("Vary", "Accept-Encoding")
    body = bytes(response.body)
    coding = coding_of(request.headers.get("accept-encoding", "")) if len(body) >= LEAST_BYTES else None
    if coding is None:
        return response
    compress = _CODINGS[coding]
    response.body = compress(body) if len(body) <= INLINE_BYTES else await asyncio.to_thread(compress, body)
    response.headers["Content-Length"] = str(len(response.body))
    response.headers["Content-Encoding"] = coding
    return response
