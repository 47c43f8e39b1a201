"""Frames of an instance (PS3.18 10.4.1.1.6): as they are stored, or in another lossless transfer syntax on request.

As they are stored they are parts of the file. Else each is coded anew by a process with limits, when the one before it
has been sent; who goes away gives the place up.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from radiology import __version__
from radiology.app import App
from radiology.doors.dicomweb.media_types import OCTET_STREAM, MediaRange, accepted
from radiology.doors.dicomweb.rendered import CLIENT_CLOSED_REQUEST, unless_gone
from radiology.doors.dicomweb.sending import Part, of_parts
from radiology.doors.dicomweb.wado import audited, caching, frame_numbers, ranged, target_of, unchanged, url_of
from radiology.errors import NotAcceptable, NotSupported, Unprocessable
from radiology.kit.cache import ByteCache
from radiology.kit.cpu import LimitedProcesses
from radiology.pixels.frames import StoredFrame, transcoded
from radiology.standards.dicom.uids import EXPLICIT_VR_LITTLE_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN
from radiology.studies import pictures, retrieve
from radiology.studies.queries.retrieve import StoredInstance, instance_with_attributes
from radiology.studies.retrieve import AS_STORED, Content
from radiology.studies.transcoding import sendable_syntaxes

#: Media types of compressed frames (PS3.18 table 8.7.3-5); as application/octet-stream the bytes are the same.
_MEDIA_TYPES: Final = {
    "1.2.840.10008.1.2.4.50": "image/jpeg",
    "1.2.840.10008.1.2.4.51": "image/jpeg",
    "1.2.840.10008.1.2.4.57": "image/jpeg",
    "1.2.840.10008.1.2.4.70": "image/jpeg",
    "1.2.840.10008.1.2.4.80": "image/jls",
    "1.2.840.10008.1.2.4.81": "image/jls",
    "1.2.840.10008.1.2.4.90": "image/jp2",
    "1.2.840.10008.1.2.4.91": "image/jp2",
    "1.2.840.10008.1.2.4.92": "image/jpx",
    "1.2.840.10008.1.2.4.93": "image/jpx",
    "1.2.840.10008.1.2.4.110": "image/jxl",
    "1.2.840.10008.1.2.4.111": "image/jxl",
    "1.2.840.10008.1.2.4.112": "image/jxl",
    "1.2.840.10008.1.2.4.201": "image/jphc",
    "1.2.840.10008.1.2.4.202": "image/jphc",
    "1.2.840.10008.1.2.4.203": "image/jphc",
    "1.2.840.10008.1.2.5": "image/dicom-rle",
}
#: What is meant by a media type that comes without a transfer syntax, where frames are not stored so.
_DEFAULTS: Final = {
    "image/jls": "1.2.840.10008.1.2.4.80",
    "image/jp2": "1.2.840.10008.1.2.4.90",
    "image/jphc": "1.2.840.10008.1.2.4.201",
    "image/dicom-rle": "1.2.840.10008.1.2.5",
}


@dataclass(frozen=True, slots=True)
class _Form:
    """How frames are sent. The transfer syntax is None where they are sent as they are stored."""

    media_type: str
    is_multipart: bool
    transfer_syntax_uid: str | None = None

    @property
    def name(self) -> str:
        """What the bytes depend on beside the object; those that are coded anew may differ in another version."""
        coded = f"{self.transfer_syntax_uid} {__version__}" if self.transfer_syntax_uid else ""
        return f"{self.media_type}{self.is_multipart}{coded}"


async def retrieve_frames(request: Request) -> Response:
    """`GET .../frames/{numbers}`: in the order asked. One that comes bare may be asked for by a range of its bytes."""
    numbers = frame_numbers(request.path_params["frames"])
    actor, target = await target_of(request)
    app: App = request.app.state.app
    async with app.db.reading(planned_once=True) as tx:
        instance, attributes = await instance_with_attributes(tx, target, visible_to=actor)
    audited(request, actor, target, 1)
    form = _form(accepted(request), instance, len(numbers))
    headers = caching([instance.bytes_id], f"frames{numbers}{form.name}", immutable=True)
    if unchanged(request, headers):
        return Response(status_code=304, headers=headers)
    if retrieve.is_plain(instance):
        stored = retrieve.frames(app.objects, instance, attributes, numbers)
    else:
        stored = await asyncio.to_thread(retrieve.frames, app.objects, instance, attributes, numbers)
    contents = stored
    if form.transfer_syntax_uid is not None:
        coding = _Coding(request, instance, attributes, form.transfer_syntax_uid)
        contents = [coding.content(number, one) for number, one in zip(numbers, stored, strict=True)]
        if not form.is_multipart:
            made = await unless_gone(request, coding.bytes_of(numbers[0], stored[0]))
            if made is None:
                return Response(status_code=CLIENT_CLOSED_REQUEST)
            contents = [Content((made,), len(made), form.transfer_syntax_uid)]
    return _answer(request, instance, numbers, contents, form, headers)


def _answer(
    request: Request,
    instance: StoredInstance,
    numbers: Sequence[int],
    contents: Sequence[Content],
    form: _Form,
    headers: dict[str, str],
) -> Response:
    app: App = request.app.state.app
    if not form.is_multipart:
        return ranged(request, contents[0], headers, form.media_type)
    url = url_of(request, instance)
    parts = [
        Part(f"{form.media_type}; transfer-syntax={content.transfer_syntax_uid}", content, f"{url}/frames/{number}")
        for number, content in zip(numbers, contents, strict=True)
    ]
    return of_parts(app.objects, parts, form.media_type, headers=headers)


# --- In which form ----------------------------------------------------------------------------------------------------


def _form(ranges: Sequence[MediaRange], instance: StoredInstance, count: int) -> _Form:
    """What the client likes best of what we can give. Raises NotAcceptable."""
    for entry in ranges:
        is_bare = not entry.multipart and entry.type != "*/*"
        if is_bare and count > 1:
            continue
        if (media_type := _as_stored(entry, instance)) is not None:
            return _Form(media_type, not is_bare)
        if (coded := _coded(entry, instance)) is not None:
            return _Form(coded[0], not is_bare, coded[1])
    kinds = sorted({_MEDIA_TYPES.get(uid, OCTET_STREAM) for uid in _possible(instance)})
    raise NotAcceptable(
        f"The frames of this instance, stored in {instance.transfer_syntax_uid}, are sent as {', '.join(kinds)}; "
        "several of them in multipart/related. Ask for transfer-syntax=* to get them as they are."
    )


def _as_stored(entry: MediaRange, instance: StoredInstance) -> str | None:
    """The media type of frames that are sent as they lie, where the client takes it."""
    stored, asked = instance.transfer_syntax_uid, entry.transfer_syntax
    is_native = instance.pixel_data_length is not None
    if asked is None and entry.content != _MEDIA_TYPES.get(stored) and instance.original_transfer_syntax_uid:
        return None  # Who names no form is given what was received.
    offers = [OCTET_STREAM] if is_native else [_MEDIA_TYPES.get(stored, OCTET_STREAM), OCTET_STREAM]
    fits = asked in (None, AS_STORED, stored) or (is_native and asked == EXPLICIT_VR_LITTLE_ENDIAN)
    return next((offer for offer in offers if fits and entry.takes(offer)), None)


def _coded(entry: MediaRange, instance: StoredInstance) -> tuple[str, str] | None:
    """Media type and transfer syntax of frames that are coded anew: only where the client names one of both."""
    received = EXPLICIT_VR_LITTLE_ENDIAN if instance.original_transfer_syntax_uid else None
    uid = entry.transfer_syntax or _DEFAULTS.get(entry.content, received)
    if uid is None or uid not in _possible(instance):
        return None
    media_type = _MEDIA_TYPES.get(uid, OCTET_STREAM)
    return next(((offer, uid) for offer in (media_type, OCTET_STREAM) if entry.takes(offer)), None)


def _possible(instance: StoredInstance) -> Sequence[str]:
    return [uid for uid in sendable_syntaxes(instance.transfer_syntax_uid) if uid != IMPLICIT_VR_LITTLE_ENDIAN]


# --- Coded anew -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Coding:
    """Frames of one instance in another transfer syntax."""

    request: Request
    instance: StoredInstance
    attributes: bytes
    transfer_syntax_uid: str

    def content(self, number: int, stored: Content) -> Content:
        """A frame that is made when it is sent."""
        return Content((partial(self._chunks, number, stored),), None, self.transfer_syntax_uid)

    async def _chunks(self, number: int, stored: Content) -> AsyncIterator[bytes]:
        yield await self.bytes_of(number, stored)

    async def bytes_of(self, number: int, stored: Content) -> bytes:
        """A frame as it was made before, or made now. Raises NotAcceptable, Unavailable."""
        kept: ByteCache = self.request.app.state.pictures
        key = (self.instance.data_set_sha256, "frame", number, self.transfer_syntax_uid)
        if (made := kept.get(key)) is not None:
            return made
        app: App = self.request.app.state.app
        frame = StoredFrame(
            str(app.objects.path(self.instance.object_key)),
            pictures.places(stored),
            stored.transfer_syntax_uid,
            self.attributes,
        )
        decoders: LimitedProcesses = self.request.app.state.decoders
        try:
            made = await decoders.call(transcoded, frame, self.transfer_syntax_uid)
        except (NotSupported, Unprocessable) as error:
            raise NotAcceptable(error.sentence) from error
        kept.put(key, made)
        return made
