"""The font of Bangla, for pages on machines that have none. It is the one that printed films use."""

import gzip
from functools import lru_cache
from importlib.resources import files

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from radiology.doors.http.negotiation import encoding_of

BANGLA = "/fonts/bangla.ttf"


async def bangla(request: Request) -> Response:
    """Noto Sans Bengali (SIL Open Font License)."""
    plain, compressed = _bangla()
    encoding = encoding_of(request, ["gzip"])
    headers = {
        "Cache-Control": "public, max-age=604800",
        "Vary": "Accept-Encoding",
        "Cross-Origin-Resource-Policy": "same-origin",
    }
    if encoding:
        headers["Content-Encoding"] = encoding
    return Response(compressed if encoding else plain, headers=headers, media_type="font/ttf")


@lru_cache(maxsize=1)
def _bangla() -> tuple[bytes, bytes]:
    plain = files("radiology.kit").joinpath("fonts", "NotoSansBengali-Regular.ttf").read_bytes()
    return plain, gzip.compress(plain, mtime=0)


routes = [Route(BANGLA, bangla)]
