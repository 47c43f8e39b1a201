"""The viewer below `/viewer/`: files that were made once, sent as they lie, compressed beforehand.

Files below the viewer's key never change and are kept by browsers for ever. Every other address below `/viewer/` is a
place inside the viewer, and gives its page.
"""

import asyncio
import hashlib
import mimetypes
import re
from collections.abc import Mapping
from functools import lru_cache
from importlib.resources import files
from pathlib import Path

import orjson
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from radiology.app import App
from radiology.doors.http.actors import actor_of
from radiology.doors.http.negotiation import encoding_of
from radiology.doors.http.templates import filled
from radiology.errors import NotFound
from radiology.viewer.package import NAME, VERSION
from radiology.viewer.patches import PAGE
from radiology.viewer.place import ROOT, built

#: `unsafe-eval`: the decoders of compressed images make functions of text. Styles are written by scripts.
_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self' 'wasm-unsafe-eval' 'unsafe-eval'",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "media-src 'self' blob:",
        "font-src 'self' data:",
        "connect-src 'self' data: blob:",
        "worker-src 'self' blob:",
        "frame-src 'self' blob:",
        "object-src 'self' blob:",
        "form-action 'self'",
        "frame-ancestors 'self'",
        "base-uri 'none'",
    )
)
#: Together they give the page memory that its workers share (SharedArrayBuffer).
_ISOLATED = {
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Embedder-Policy": "require-corp",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
}
_FOR_EVER = "private, max-age=31536000, immutable"
_ENCODINGS = {"br": ".br", "gzip": ".gz"}
_key = re.compile(r"[0-9.]{1,16}-[0-9a-f]{12}")
_types = {".js": "text/javascript", ".wasm": "application/wasm", ".woff2": "font/woff2"}


async def page(request: Request) -> Response:
    """The page of the viewer, whatever place in it the address names."""
    folder = await _folder(request)
    if folder is None:
        return _missing()
    return await _tagged(request, (folder / PAGE).read_bytes(), "text/html; charset=utf-8")


async def configuration(request: Request) -> Response:
    """How OHIF is set up, and what this session may do."""
    actor = await actor_of(request)
    session = orjson.dumps({"onlyStudy": actor.study_instance_uid is not None})
    return await _tagged(request, b"window.radiology = " + session + b";\n" + _own("app-config.js"), "text/javascript")


async def letters(request: Request) -> Response:
    """Letters that OHIF's own fonts lack."""
    return await _tagged(request, _own("letters.css"), "text/css")


async def file(request: Request) -> Response:
    """One of OHIF's files. Raises NotFound."""
    key, name = request.path_params["key"], request.path_params["path"]
    app: App = request.app.state.app
    if not _key.fullmatch(key):
        return await page(request)
    found = _files_of(app.settings.viewer_dir / key).get(name)
    if found is None:
        raise NotFound("The viewer has no such file.")
    offered = [encoding for encoding, ending in _ENCODINGS.items() if _beside(found, ending).is_file()]
    encoding = encoding_of(request, offered)
    body = await asyncio.to_thread((_beside(found, _ENCODINGS[encoding]) if encoding else found).read_bytes)
    headers = {**_ISOLATED, "Cache-Control": _FOR_EVER, "Vary": "Accept-Encoding"}
    if encoding:
        headers["Content-Encoding"] = encoding
    kind = _types.get(found.suffix) or mimetypes.guess_type(found.name)[0] or "application/octet-stream"
    return Response(body, headers=headers, media_type=kind)


async def to_page(_request: Request) -> Response:
    """`/viewer` is `/viewer/`."""
    return RedirectResponse(ROOT, 308)


async def _folder(request: Request) -> Path | None:
    app: App = request.app.state.app
    return await asyncio.to_thread(built, app.settings.viewer_dir)


@lru_cache(maxsize=4)
def _files_of(folder: Path) -> Mapping[str, Path]:
    """The files of a viewer by name. Only what is in this list is ever sent. A finished folder never changes."""
    return {str(each.relative_to(folder)): each for each in folder.rglob("*") if each.is_file()}


def _beside(path: Path, ending: str) -> Path:
    return path.with_name(path.name + ending)


@lru_cache(maxsize=4)
def _own(name: str) -> bytes:
    return files("radiology.viewer").joinpath("files", name).read_bytes()


async def _tagged(request: Request, body: bytes, kind: str) -> Response:
    headers = {**_ISOLATED, "Cache-Control": "private, no-cache", "Vary": "Cookie"}
    headers["ETag"] = f'"{hashlib.sha256(body).hexdigest()[:24]}"'
    if request.headers.get("if-none-match") == headers["ETag"]:
        return Response(status_code=304, headers=headers)
    return Response(body, headers=headers, media_type=kind)


def _missing() -> Response:
    headers = {
        "Cache-Control": "no-store",
        "Retry-After": "20",
        "Content-Security-Policy": "default-src 'none'; style-src 'self'; font-src 'self'",
    }
    body = filled("viewer-missing.html", {"package": f"{NAME}@{VERSION}"})
    return Response(body, 503, headers, "text/html; charset=utf-8")


routes = [
    Route("/viewer", to_page),
    Route("/viewer/", page),
    Route("/viewer/app-config.js", configuration),
    Route("/viewer/letters.css", letters),
    Route("/viewer/{key}/{path:path}", file),
    Route("/viewer/{place}", page),
]
