"""WADO-RS, the Retrieve transaction (PS3.18 10.4): study, series and instance are one value."""

import asyncio
import gzip
import hashlib
import re
from collections.abc import AsyncIterator, Sequence
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response

from radiology.access.model import Actor
from radiology.app import App
from radiology.audit.trail import Access
from radiology.doors.dicomweb.answers import list_type, xml_end, xml_parts, xml_parts_type
from radiology.doors.dicomweb.foreign import fetched
from radiology.doors.dicomweb.media_types import (
    DICOM,
    DICOM_JSON,
    DICOM_XML,
    JSON,
    OCTET_STREAM,
    MediaRange,
    accepted,
    choose,
)
from radiology.doors.dicomweb.parameters import base_url, path_uid
from radiology.doors.dicomweb.sending import Part, Streamed, of_content, of_parts
from radiology.doors.http.actors import actor_of
from radiology.doors.http.problems import problem
from radiology.errors import Invalid, NotAcceptable
from radiology.kit.cache import ByteCache
from radiology.studies import retrieve
from radiology.studies.archive import Archive
from radiology.studies.queries.retrieve import (
    Attributes,
    StoredInstance,
    Target,
    attributes_of,
    instances_of,
    version_of,
)
from radiology.studies.retrieve import Content

#: So many instances' attributes are read and sent at a time.
METADATA_PAGE = 100
#: The metadata of so many is kept, compressed.
METADATA_KEPT = 2_000
GZIP_LEVEL = 3
MOST_FRAMES = 10_000
_PLACEHOLDER = b'"BulkDataURI":"@/'
_IMMUTABLE = "private, max-age=86400"
_GROWING = "private, no-cache"
_RANGE = re.compile(r"bytes=(\d*)-(\d*)")


async def retrieve_instances(request: Request) -> Response:
    """`GET /studies/{study}` and below: whole objects."""
    target, instances = await _instances(request)
    ranges = [entry for entry in accepted(request) if entry.takes(DICOM)]
    # One object may come bare; everything is multipart where the client does not mind (PS3.18 8.7.4).
    single = bool(ranges) and target.sop_instance_uid is not None and ranges[0].type in (DICOM, "application/*")
    usable = [entry for entry in ranges if (entry.type in (DICOM, "application/*")) == single]
    syntaxes = [_syntax(instance, usable) for instance in instances]
    form = f"{single}{''.join(syntaxes)}"
    digests = [instance.bytes_id for instance in instances]
    headers = caching(digests, form, immutable=False)
    if unchanged(request, headers):
        return Response(status_code=304, headers=headers)
    app: App = request.app.state.app
    parts = [
        Part(media_type_of(syntax), retrieve.file_content(app.objects, instance, syntax), url_of(request, instance))
        for instance, syntax in zip(instances, syntaxes, strict=True)
    ]
    if single:
        return of_content(app.objects, parts[0].content, parts[0].media_type, headers=headers)
    return of_parts(app.objects, parts, DICOM, headers=headers)


async def retrieve_metadata(request: Request) -> Response:
    """`GET .../metadata`: all attributes as DICOM JSON or XML, bulk data by reference (PS3.18 10.4.1.1.2)."""
    media_type = list_type(request)
    actor, target = await target_of(request)
    if media_type == DICOM_XML:
        return await _xml_answer(request, target, actor)
    return await metadata_answer(request, target, actor)


async def _xml_answer(request: Request, target: Target, actor: Actor) -> Response:
    """The metadata of a target, each instance a part of its own; made while it is sent."""
    app: App = request.app.state.app
    async with app.db.reading(planned_once=True) as tx:
        instances = await instances_of(tx, target, visible_to=actor)
    audited(request, actor, target, len(instances), by="metadata")
    digests = [instance.header_id for instance in instances]
    form = f"metadata{base_url(request)}{DICOM_XML}"
    headers = caching(digests, form, immutable=False)
    if unchanged(request, headers):
        return Response(status_code=304, headers=headers)
    boundary = headers["ETag"].strip('"')
    chunks = _xml_chunks(_pages(app, base_url(request), instances), boundary)
    return Streamed(chunks, media_type=xml_parts_type(boundary), size_bytes=None, headers=headers)


async def _xml_chunks(pages: AsyncIterator[list[bytes]], boundary: str) -> AsyncIterator[bytes]:
    async for page in pages:
        yield await asyncio.to_thread(_as_xml, page, boundary)
    yield xml_end(boundary)


def _as_xml(page: Sequence[bytes], boundary: str) -> bytes:
    return b"".join(xml_parts(map(orjson.loads, page), boundary))


async def metadata_answer(request: Request, target: Target, actor: Actor) -> Response:
    """The metadata of a target: as it was made the last time where nothing has changed, streamed where there is much.

    It is kept as it is sent, compressed for who takes that (RFC 9110 12.5.3).
    """
    media_type = choose(accepted(request), (DICOM_JSON, JSON))
    app: App = request.app.state.app
    async with app.db.reading(planned_once=True) as tx:
        version = await version_of(tx, target, visible_to=actor)
    audited(request, actor, target, version.count, by="metadata")
    # The links in it are absolute, so the answer depends on how the service was called.
    base, gzipped = base_url(request), "gzip" in request.headers.get("accept-encoding", "")
    form = f"metadata{base}{media_type}{gzipped}"
    headers = caching([version.digest], form, immutable=False)
    headers["Vary"] += ", Accept-Encoding"
    if unchanged(request, headers):
        return Response(status_code=304, headers=headers)
    if gzipped and version.count <= METADATA_KEPT:
        headers["Content-Encoding"] = "gzip"
    kept: ByteCache = request.app.state.metadata
    key = (version.digest, base, gzipped)
    if (body := kept.get(key)) is None:
        async with app.db.reading(planned_once=True) as tx:
            instances = await instances_of(tx, target, visible_to=actor)
        chunks = _metadata(app, base, instances)
        if version.count > METADATA_KEPT:
            return Streamed(chunks, media_type=media_type, size_bytes=None, headers=headers)
        body = b"".join([chunk async for chunk in chunks])
        if gzipped:
            body = await asyncio.to_thread(gzip.compress, body, GZIP_LEVEL)
        kept.put(key, body)
    return Response(body, media_type=media_type, headers=headers)


async def _metadata(app: App, base: str, instances: Sequence[StoredInstance]) -> AsyncIterator[bytes]:
    before = b"["
    async for page in _pages(app, base, instances):
        yield before + b",".join(page)
        before = b","
    yield b"]"


async def _pages(app: App, base: str, instances: Sequence[StoredInstance]) -> AsyncIterator[list[bytes]]:
    study = f"{base}/studies/{instances[0].study_instance_uid}"
    for start in range(0, len(instances), METADATA_PAGE):
        uids = [instance.sop_instance_uid for instance in instances[start : start + METADATA_PAGE]]
        async with app.db.reading(planned_once=True) as tx:
            rows = await attributes_of(tx, uids)
        yield [_linked(row, study) for row in rows]


def _linked(row: Attributes, study: str) -> bytes:
    """Attributes with bulk data named by absolute URLs. The placeholder's quotes would be escaped inside a value."""
    url = f"{study}/series/{row.series_instance_uid}/instances/{row.sop_instance_uid}/bulkdata/"
    return row.attributes.replace(_PLACEHOLDER, b'"BulkDataURI":"' + url.encode())


async def retrieve_bulk_data(request: Request) -> Response:
    """`GET .../bulkdata/{path}`: one value, or a range of its bytes (PS3.18 10.4.1.1.5, RFC 9110 14)."""
    _, (instance, *_) = await _instances(request)
    path: str = request.path_params["path"]
    ranges = [entry for entry in accepted(request) if entry.takes(OCTET_STREAM)]
    if not ranges:
        raise NotAcceptable(f"Bulk data is sent as {OCTET_STREAM}.")
    multipart = ranges[0].multipart
    headers = caching([instance.data_set_sha256], f"bulkdata/{path}{multipart}", immutable=True)
    if unchanged(request, headers):
        return Response(status_code=304, headers=headers)
    app: App = request.app.state.app
    content = await asyncio.to_thread(retrieve.bulk_data, app.objects, instance, path)
    if multipart:
        location = f"{url_of(request, instance)}/bulkdata/{path}"
        return of_parts(app.objects, [Part(OCTET_STREAM, content, location)], OCTET_STREAM, headers=headers)
    return ranged(request, content, headers)


async def _instances(request: Request) -> tuple[Target, list[StoredInstance]]:
    """What the path names, and the instances of it. Raises Invalid, NotAuthenticated, NotPermitted, NotFound."""
    actor, target = await target_of(request)
    app: App = request.app.state.app
    async with app.db.reading(planned_once=True) as tx:
        instances = await instances_of(tx, target, visible_to=actor)
    audited(request, actor, target, len(instances))
    return target, instances


def audited(request: Request, actor: Actor, target: Target, count: int, by: str = "WADO-RS") -> None:
    """One record for a request; those of one reader for one study that come together become one (PS3.15 A.5.3.6)."""
    archive: Archive = request.app.state.archive
    archive.trail.keep(Access(actor.id, "study.retrieve", target.study_instance_uid, count, {"by": by}))


async def target_of(request: Request) -> tuple[Actor, Target]:
    """Who asks, and what the path names. Raises Invalid, NotAuthenticated."""
    actor: Actor = await actor_of(request)
    study = path_uid(request, "study")
    assert study is not None  # noqa: S101 - every path of these routes has it.
    await fetched(request, study, visible_to=actor)
    return actor, Target(study, path_uid(request, "series"), path_uid(request, "instance"))


def media_type_of(transfer_syntax_uid: str) -> str:
    """The media type of an object in a transfer syntax (PS3.18 8.7.3.5.2)."""
    return f"{DICOM}; transfer-syntax={transfer_syntax_uid}"


def url_of(request: Request, instance: StoredInstance) -> str:
    """Where an instance is retrieved."""
    series = f"{base_url(request)}/studies/{instance.study_instance_uid}/series/{instance.series_instance_uid}"
    return f"{series}/instances/{instance.sop_instance_uid}"


def _syntax(instance: StoredInstance, ranges: Sequence[MediaRange]) -> str:
    for entry in ranges:
        if (syntax := retrieve.sent_syntax(instance, entry.transfer_syntax)) is not None:
            return syntax
    raise NotAcceptable(
        f"Objects are sent as {DICOM}, alone or in multipart/related; this one is stored in transfer syntax "
        f"{instance.transfer_syntax_uid}. Ask for transfer-syntax=* to get it as it is."
    )


def frame_numbers(text: str) -> list[int]:
    """The frames that a path names, from 1, in its order. Raises Invalid."""
    parts = text.split(",")
    if len(parts) > MOST_FRAMES or not all(part.isascii() and part.isdigit() and len(part) < 10 for part in parts):
        raise Invalid("Frames are named by numbers from 1, with commas between them.")
    numbers = [int(part) for part in parts]
    if 0 in numbers:
        raise Invalid("Frames are counted from 1.")
    return numbers


def caching(digests: Sequence[bytes], form: str, *, immutable: bool) -> dict[str, str]:
    """ETag and Cache-Control. Pixels and values of an instance never change; its header may be put right."""
    digest = hashlib.sha256(form.encode())
    for one in digests:
        digest.update(one)
    return {
        "ETag": f'"{digest.hexdigest()[:32]}"',
        "Cache-Control": _IMMUTABLE if immutable else _GROWING,
        "Vary": "Accept, Authorization, Cookie",
    }


def unchanged(request: Request, headers: dict[str, str]) -> bool:
    """Whether the client has it already (RFC 9110 13.1.2)."""
    known = request.headers.get("if-none-match")
    return known is not None and (known.strip() == "*" or headers["ETag"] in re.findall(r'"[^"]*"', known))


def ranged(request: Request, content: Content, headers: dict[str, str], media_type: str = OCTET_STREAM) -> Response:
    """The whole value, or the one range of bytes that is asked for; several ranges give the whole (RFC 9110 14.2)."""
    app: App = request.app.state.app
    total: Any = content.size_bytes
    headers |= {"Accept-Ranges": "bytes"}
    match = _RANGE.fullmatch(request.headers.get("range", "").strip())
    if match is None or match.groups() == ("", "") or not _still_the_same(request, headers):
        return of_content(app.objects, content, media_type, headers=headers)
    first, last = _bounds(match[1], match[2], total)
    if first >= total or last < first:
        return problem(
            416,
            "range-not-satisfiable",
            "Range not satisfiable",
            detail=f"There are {total} bytes.",
            headers={"Content-Range": f"bytes */{total}"},
        )
    headers |= {"Content-Range": f"bytes {first}-{last}/{total}"}
    part = retrieve.ranged(content, first, last - first + 1)
    return of_content(app.objects, part, media_type, status=206, headers=headers)


def _bounds(first: str, last: str, total: int) -> tuple[int, int]:
    if not first:
        return max(total - int(last), 0) if int(last) else total, total - 1
    return int(first), min(int(last), total - 1) if last else total - 1


def _still_the_same(request: Request, headers: dict[str, str]) -> bool:
    condition = request.headers.get("if-range")
    return condition is None or condition == headers["ETag"]
