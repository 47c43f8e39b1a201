"""Content codings of JSON and XML (RFC 9110 8.4): zstd or gzip for who takes them, where an answer is long enough.

Images and objects are never compressed again.
"""

import asyncio
import gzip
from collections.abc import Callable, Mapping

import imagecodecs
from starlette.requests import Request
from starlette.responses import Response

from radiology.doors.http.negotiation import encoding_of

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


async def compressed(request: Request, response: Response) -> Response:
    """The same answer, compressed if the client takes that and it is long enough."""
    response.headers.append("Vary", "Accept-Encoding")
    body = bytes(response.body)
    coding = encoding_of(request, list(_CODINGS)) if len(body) >= LEAST_BYTES else None
    if coding is None:
        return response
    compress = _CODINGS[coding]
    response.body = compress(body) if len(body) <= INLINE_BYTES else await asyncio.to_thread(compress, body)
    response.headers["Content-Length"] = str(len(response.body))
    response.headers["Content-Encoding"] = coding
    return response
