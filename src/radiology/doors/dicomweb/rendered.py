"""Retrieve Rendered and Thumbnail (PS3.18 10.4.1.1.3 and 10.4.1.1.4): what a browser shows of stored objects.

Images become JPEG, PNG or GIF, reports a page, documents and video what they hold. Whether the reader may see the
object is asked first, each time; then the client's own copy counts, then what was rendered before.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Final, TypeVar
from uuid import uuid4

import orjson
from starlette.requests import Request
from starlette.responses import Response

from radiology import __version__
from radiology.access.model import Actor
from radiology.app import App
from radiology.doors.dicomweb import presented
from radiology.doors.dicomweb.media_types import MediaRange, accepted
from radiology.doors.dicomweb.permitted import Permitted
from radiology.doors.dicomweb.presented import is_state
from radiology.doors.dicomweb.rendering import rendering_of, thumbnail_of
from radiology.doors.dicomweb.sending import Streamed
from radiology.doors.dicomweb.wado import (
    MOST_FRAMES,
    audited,
    caching,
    frame_numbers,
    ranged,
    target_of,
    unchanged,
    url_of,
)
from radiology.doors.http import fonts
from radiology.doors.http.feed import Feed
from radiology.errors import FieldProblem, Invalid, NotAcceptable, NotFound, RadiologyError
from radiology.kit.cache import ByteCache
from radiology.kit.cpu import LimitedProcesses
from radiology.pixels.encode import GIF, JPEG, MEDIA_TYPES, PNG
from radiology.pixels.presentation import Shown
from radiology.pixels.render import Material, Rendering, picture
from radiology.standards.dicom.uids import TRANSFER_SYNTAXES, sop_class_name
from radiology.studies import pictures, retrieve, sr_html
from radiology.studies.queries.representative import representative_of
from radiology.studies.queries.retrieve import (
    StoredInstance,
    Target,
    attributes_of,
    instance_with_attributes,
    instances_of,
)

T = TypeVar("T")

HTML, PDF = "text/html", "application/pdf"
_ENCAPSULATED_PDF: Final = "1.2.840.10008.5.1.4.1.1.104.1"
_ENCAPSULATED_DOCUMENT: Final = "00420011"
_REPORTS = "1.2.840.10008.5.1.4.1.1.88."
#: The client went away before it was answered. Nobody reads this.
CLIENT_CLOSED_REQUEST = 499

ParseRendering = Callable[..., Rendering]


@dataclass(frozen=True, slots=True)
class _Seen:
    """An instance that the reader may see, and its attributes where they came with it."""

    instance: StoredInstance
    attributes: bytes | None = None


@dataclass(frozen=True, slots=True)
class _Wanted:
    """A picture of one instance: these frames, the one that stands for all (None), or all of them (empty).

    Of a presentation state, `shown` is the image that is meant; its first where it is None.
    """

    seen: _Seen
    frames: tuple[int, ...] | None
    rendering: Rendering
    shown: Shown | None = None

    @property
    def instance(self) -> StoredInstance:
        """The object that is shown."""
        return self.seen.instance

    @property
    def form(self) -> str:
        """How it is wanted, in words: for the entity tag."""
        return f"{self.frames}{self.rendering}{self.shown or ''}"

    @property
    def key(self) -> tuple[bytes, tuple[int, ...] | None, Rendering]:
        """What the picture depends on: the object, and how it is wanted."""
        return self.instance.header_id, self.frames, self.rendering


async def retrieve_rendered(request: Request) -> Response:
    """`GET .../rendered` of a study, a series or an instance."""
    actor, target = await target_of(request)
    if target.sop_instance_uid is not None:
        return await _of_instance(request, actor, await _instance(request, actor, target))
    if any(entry.multipart for entry in accepted(request)[:1]):
        return await _of_each_instance(request, actor, target)
    seen = await _representative(request, actor, target)
    rendering = rendering_of(request.query_params, _single(request, MEDIA_TYPES))
    return await _picture_answer(request, actor, _Wanted(seen, _frames_for(rendering), rendering), immutable=False)


async def retrieve_presented(request: Request, image: Shown) -> Response:
    """An image as the presentation state that the path names shows it (PS3.4 N.1). Raises Invalid where it does not."""
    actor, target = await target_of(request)
    state = await _instance(request, actor, target)
    if not is_state(state.instance):
        sentence = "names an object that is no presentation state that can be applied"
        raise Invalid(f"presentationUID {sentence}.", fields=[FieldProblem("presentationUID", sentence)])
    rendering = rendering_of(request.query_params, _single(request, MEDIA_TYPES))
    return await _picture_answer(request, actor, _Wanted(state, None, rendering, image), immutable=True)


async def retrieve_thumbnail(request: Request) -> Response:
    """`GET .../thumbnail` of a study, a series or an instance: of the one image that stands for it."""
    actor, target = await target_of(request)
    rendering = thumbnail_of(request.query_params, _single(request, (JPEG, PNG)))
    is_instance = target.sop_instance_uid is not None
    seen = await (_instance if is_instance else _representative)(request, actor, target)
    if not _has_picture(seen.instance):
        raise NotFound("This object is no image, so there is no thumbnail of it.")
    return await _picture_answer(request, actor, _Wanted(seen, None, rendering), immutable=is_instance)


async def retrieve_rendered_frames(request: Request) -> Response:
    """`GET .../frames/{numbers}/rendered`: one frame bare, several as multipart/related."""
    return await _of_frames(request, rendering_of, MEDIA_TYPES)


async def retrieve_frame_thumbnails(request: Request) -> Response:
    """`GET .../frames/{numbers}/thumbnail`."""
    return await _of_frames(request, thumbnail_of, (JPEG, PNG))


async def _of_frames(request: Request, parse: ParseRendering, offers: Sequence[str]) -> Response:
    numbers = frame_numbers(request.path_params["frames"])
    actor, target = await target_of(request)
    seen = await _instance(request, actor, target)
    media_type, is_multipart = _form(request, offers, alone=len(numbers) == 1)
    rendering = parse(request.query_params, media_type)
    if is_multipart:
        return _parts_answer(request, actor, [_Wanted(seen, (number,), rendering) for number in numbers])
    return await _picture_answer(request, actor, _Wanted(seen, (numbers[0],), rendering), immutable=True)


async def _of_instance(request: Request, actor: Actor, seen: _Seen) -> Response:
    """What an instance shows, by what it is (PS3.18 table 8.7.4-1)."""
    instance = seen.instance
    syntax = TRANSFER_SYNTAXES.get(instance.transfer_syntax_uid)
    if syntax is not None and syntax.video:
        return await _video(request, instance)
    if instance.sop_class_uid == _ENCAPSULATED_PDF:
        return await _document(request, instance)
    if instance.sop_class_uid.startswith(_REPORTS):
        return await _report(request, seen)
    if not _has_picture(instance):
        name = sop_class_name(instance.sop_class_uid) or instance.sop_class_uid
        raise NotAcceptable(f"{name}: nothing of it can be shown in a browser. Retrieve the object.")
    media_type, is_multipart = _form(request, MEDIA_TYPES, alone=True)
    rendering = rendering_of(request.query_params, media_type)
    wanted = _Wanted(seen, _frames_for(rendering), rendering)
    if not is_multipart:
        return await _picture_answer(request, actor, wanted, immutable=True)
    if not is_state(instance):
        return _parts_answer(request, actor, [wanted])
    attributes = await _attributes(request.app.state.app, seen)
    shown = presented.images_of(attributes)[:MOST_FRAMES]
    return _parts_answer(request, actor, [replace(wanted, frames=None, shown=image) for image in shown])


async def _of_each_instance(request: Request, actor: Actor, target: Target) -> Response:
    """One picture of each object of a study or series that has one."""
    media_type, _ = _form(request, MEDIA_TYPES, alone=False)
    rendering = rendering_of(request.query_params, media_type)
    app: App = request.app.state.app
    async with app.db.reading(planned_once=True) as tx:
        instances = await instances_of(tx, target, visible_to=actor)
    shown = [instance for instance in instances if _has_picture(instance)]
    audited(request, actor, target, len(shown), by="rendered")
    if not shown:
        raise NotFound("There is no image that could be shown.")
    return _parts_answer(request, actor, [_Wanted(_Seen(instance), None, rendering) for instance in shown])


# --- Which ------------------------------------------------------------------------------------------------------------


async def _instance(request: Request, actor: Actor, target: Target) -> _Seen:
    """The instance, as far as the reader may see it. Raises NotPermitted, NotFound."""
    app: App = request.app.state.app
    permitted: Permitted = request.app.state.permitted
    reach = actor.reach
    attributes = None
    instance = permitted.get(reach, target)
    if instance is None:
        feed: Feed = request.app.state.feed
        happened = feed.woken
        async with app.db.reading(planned_once=True) as tx:
            instance, attributes = await instance_with_attributes(tx, target, visible_to=actor)
        permitted.put(reach, target, instance, happened)
    audited(request, actor, target, 1, by="rendered")
    return _Seen(instance, attributes)


async def _representative(request: Request, actor: Actor, target: Target) -> _Seen:
    app: App = request.app.state.app
    async with app.db.reading(planned_once=True) as tx:
        instance = await representative_of(tx, target, visible_to=actor)
    audited(request, actor, target, 1, by="rendered")
    return _Seen(instance)


def _has_picture(instance: StoredInstance) -> bool:
    syntax = TRANSFER_SYNTAXES.get(instance.transfer_syntax_uid)
    has_pixels = instance.pixel_data_offset is not None or instance.pixel_data_length is not None
    is_still = has_pixels and not (syntax is not None and syntax.video)
    return is_still or is_state(instance)


def _frames_for(rendering: Rendering) -> tuple[int, ...] | None:
    return () if rendering.media_type == GIF else None


def _single(request: Request, offers: Sequence[str]) -> str:
    media_type, is_multipart = _form(request, offers, alone=True)
    if is_multipart:
        raise NotAcceptable(f"This is one picture: {' or '.join(offers)}.")
    return media_type


def _form(request: Request, offers: Sequence[str], *, alone: bool) -> tuple[str, bool]:
    """The media type that the client likes best, and whether it comes as multipart. Raises NotAcceptable."""
    ranges: Sequence[MediaRange] = accepted(request)
    for entry in ranges:
        for offer in offers:
            if entry.takes(offer) and (entry.multipart or alone or entry.type == "*/*"):
                return offer, entry.multipart or not alone
    if any(entry.content.startswith("video/") for entry in ranges):
        raise NotAcceptable(f"Only what was stored as video is sent as video. What moves can be had as {GIF}.")
    raise NotAcceptable(f"Pictures are sent as {', '.join(offers)}; several of them in multipart/related.")


# --- Pictures ---------------------------------------------------------------------------------------------------------


async def _picture_answer(request: Request, actor: Actor, wanted: _Wanted, *, immutable: bool) -> Response:
    # What is written on a picture comes from the header, which may be put right.
    immutable = immutable and not wanted.rendering.annotations
    headers = caching([wanted.instance.header_id], f"rendered{__version__}{wanted.form}", immutable=immutable)
    if unchanged(request, headers):
        return Response(status_code=304, headers=headers)
    made = _kept(request, wanted) or await unless_gone(request, _picture(request, actor, wanted))
    if made is None:
        return Response(status_code=CLIENT_CLOSED_REQUEST)
    return Response(made, headers=headers, media_type=wanted.rendering.media_type)


def _parts_answer(request: Request, actor: Actor, wanted: Sequence[_Wanted]) -> Response:
    """Pictures in multipart/related, each made when the one before it has been sent."""
    media_type = wanted[0].rendering.media_type
    digests = [one.instance.header_id for one in wanted]
    headers = caching(digests, f"parts{__version__}{wanted[0].form}{[one.frames for one in wanted]}", immutable=False)
    if unchanged(request, headers):
        return Response(status_code=304, headers=headers)
    boundary = uuid4().hex
    return Streamed(
        _parts(request, actor, wanted, boundary),
        media_type=f'multipart/related; type="{media_type}"; boundary={boundary}',
        size_bytes=None,
        headers=headers,
    )


async def _parts(request: Request, actor: Actor, wanted: Sequence[_Wanted], boundary: str) -> AsyncIterator[bytes]:
    sent = 0
    for one in wanted:
        try:
            made = await _picture(request, actor, one)
        except RadiologyError:
            # What is first tells by its status. Of several, those that can be shown are sent.
            if len(wanted) == 1 or (one is wanted[-1] and not sent):
                raise
            continue
        frames = f"/frames/{one.frames[0]}" if one.frames else ""
        location = f"{url_of(request, one.instance)}{frames}/rendered"
        head = (
            f"--{boundary}\r\nContent-Type: {one.rendering.media_type}\r\nContent-Length: {len(made)}\r\n"
            f"Content-Location: {location}\r\n\r\n"
        )
        yield (b"\r\n" if sent else b"") + head.encode() + made
        sent += 1
    yield f"\r\n--{boundary}--\r\n".encode()


def _kept(request: Request, wanted: _Wanted) -> bytes | None:
    """The picture as it was made before."""
    pictures_made: ByteCache = request.app.state.pictures
    return pictures_made.get(wanted.key)


async def _picture(request: Request, actor: Actor, wanted: _Wanted) -> bytes:
    """The picture as it was made before, or made now. Raises NotFound, NotSupported, Unprocessable, Unavailable."""
    if (made := _kept(request, wanted)) is not None:
        return made
    app: App = request.app.state.app
    attributes = await _attributes(app, wanted.seen)
    decoders: LimitedProcesses = request.app.state.decoders
    if is_state(wanted.instance):
        # Not kept: it shows another object, which each reader must be allowed to see as well.
        shown, state = await presented.materials(app, actor, wanted.instance, attributes, wanted.shown)
        return await decoders.call(picture, shown, wanted.rendering, state)
    made = await decoders.call(picture, await _material(app, wanted, attributes), wanted.rendering)
    pictures_made: ByteCache = request.app.state.pictures
    pictures_made.put(wanted.key, made)
    return made


async def _attributes(app: App, seen: _Seen) -> bytes:
    if seen.attributes is not None:
        return seen.attributes
    async with app.db.reading(planned_once=True) as tx:
        (row,) = await attributes_of(tx, [seen.instance.sop_instance_uid])
    return row.attributes


async def _material(app: App, wanted: _Wanted, attributes: bytes) -> Material:
    instance, frames = wanted.instance, wanted.frames
    numbers = pictures.frames_of(attributes, frames)
    if retrieve.is_plain(instance) and not pictures.has_tables(attributes):
        return pictures.material(app.objects, instance, attributes, numbers)
    return await asyncio.to_thread(pictures.material, app.objects, instance, attributes, numbers)


async def unless_gone(request: Request, work: Awaitable[T]) -> T | None:
    """What the work gives; None where the client has gone before: what waits then gives its place up."""
    task = asyncio.ensure_future(work)
    gone = asyncio.create_task(_gone(request))
    try:
        await asyncio.wait((task, gone), return_when=asyncio.FIRST_COMPLETED)
        return await task if task.done() else None
    finally:
        for one in (task, gone):
            one.cancel()
            with suppress(asyncio.CancelledError, Exception):
                await one


async def _gone(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


# --- Reports, documents, video ----------------------------------------------------------------------------------------


async def _report(request: Request, seen: _Seen) -> Response:
    _must_take(request, HTML)
    headers = caching([seen.instance.header_id], f"report{__version__}", immutable=False)
    if unchanged(request, headers):
        return Response(status_code=304, headers=headers)
    app: App = request.app.state.app
    attributes = await _attributes(app, seen)
    page = await asyncio.to_thread(lambda: sr_html.page(orjson.loads(attributes), fonts.BANGLA))
    headers |= {
        "Content-Security-Policy": sr_html.content_security_policy(fonts.BANGLA),
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
    }
    return Response(page, headers=headers, media_type="text/html; charset=utf-8")


async def _document(request: Request, instance: StoredInstance) -> Response:
    """The document of an Encapsulated PDF (PS3.3 A.45.1), or a range of its bytes."""
    _must_take(request, PDF)
    app: App = request.app.state.app
    content = await asyncio.to_thread(retrieve.bulk_data, app.objects, instance, _ENCAPSULATED_DOCUMENT)
    return _bytes_answer(request, instance, content, PDF)


async def _video(request: Request, instance: StoredInstance) -> Response:
    """The stream of an encapsulated video (PS3.5 8.2.5 to 8.2.8) as it is stored, or a range of its bytes."""
    app: App = request.app.state.app
    content = await asyncio.to_thread(retrieve.bulk_data, app.objects, instance, retrieve.PIXEL_DATA)
    media_type = await asyncio.to_thread(pictures.media_type_of_video, app.objects, instance, content)
    _must_take(request, media_type)
    return _bytes_answer(request, instance, content, media_type)


def _bytes_answer(request: Request, instance: StoredInstance, content: retrieve.Content, media_type: str) -> Response:
    headers = caching([instance.data_set_sha256], f"rendered{media_type}", immutable=True)
    headers |= {"X-Content-Type-Options": "nosniff", "Content-Disposition": "inline"}
    headers["Cross-Origin-Embedder-Policy"] = "require-corp"  # Else the viewer's page may not hold it.
    if unchanged(request, headers):
        return Response(status_code=304, headers=headers)
    return ranged(request, content, headers, media_type)


def _must_take(request: Request, media_type: str) -> None:
    if not any(entry.takes(media_type) and not entry.multipart for entry in accepted(request)):
        raise NotAcceptable(f"This object is shown as {media_type}. Ask for that in Accept.")
