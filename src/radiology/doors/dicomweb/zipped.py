"""A study, or a series of it, as a ZIP to take away: a file-set with DICOMDIR, and a page that shows its images.

Names are those of IHE PDI (RAD TF-2 4.47): `DICOM/00000001`, `DICOMDIR`, `INDEX.HTM`, `README.TXT`. Files are stored as
they lie; each is read once for its CRC and once to be sent, so that nothing is held and readers need not seek.
"""

import asyncio
import zlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import orjson
from starlette.requests import Request
from starlette.responses import Response

from radiology.access.model import Actor
from radiology.app import App
from radiology.doors.dicomweb.media_types import accepted
from radiology.doors.dicomweb.sending import Streamed
from radiology.doors.dicomweb.takeaway import Picture, Shown, page_of, read_me
from radiology.doors.dicomweb.wado import audited, target_of
from radiology.errors import RadiologyError
from radiology.kit.cpu import LimitedProcesses
from radiology.kit.zipping import ZipWriter
from radiology.pixels.encode import JPEG
from radiology.pixels.geometry import Viewport
from radiology.pixels.render import Rendering, picture
from radiology.standards.dicom import dicomdir
from radiology.standards.dicom.attributes import text_of
from radiology.standards.dicom.dicomdir import FileReference
from radiology.studies import pictures
from radiology.studies.converting import Received, received
from radiology.studies.queries.retrieve import StoredInstance, Target, attributes_of, instances_of

ZIP: Final = "application/zip"
CHUNK_BYTES: Final = 1024 * 1024
#: So many instances' attributes are read at a time.
PAGE: Final = 50
#: Pictures of one page; of more images every second, every third and so on has one.
MOST_PICTURES: Final = 300
PICTURE: Final = Rendering(JPEG, viewport=Viewport(1024, 1024, enlarge=False), quality=85)


def wants_zip(request: Request) -> bool:
    """Whether a ZIP is what the client likes best."""
    return [entry.type for entry in accepted(request)[:1]] == [ZIP]


async def retrieve_zip(request: Request) -> Response:
    """`GET /studies/{study}` or a series of it, with `Accept: application/zip`."""
    actor, target = await target_of(request)
    return await zip_answer(request, actor, target)


async def zip_answer(request: Request, actor: Actor, target: Target) -> Response:
    """The ZIP, made while it is sent. Raises NotFound."""
    app: App = request.app.state.app
    async with app.db.reading(planned_once=True) as tx:
        instances = await instances_of(tx, target, visible_to=actor.beyond_reading)
    audited(request, actor, target, len(instances), by="zip")
    taken = _Taken(app, request.app.state.decoders, instances)
    name = target.series_instance_uid or target.study_instance_uid
    headers = {"Content-Disposition": f'attachment; filename="{name}.zip"', "Cache-Control": "private, no-store"}
    return Streamed(taken.chunks(), media_type=ZIP, size_bytes=None, headers=headers)


@dataclass(slots=True)
class _Taken:
    """One ZIP on its way."""

    app: App
    decoders: LimitedProcesses
    instances: Sequence[StoredInstance]
    _writer: ZipWriter = field(init=False)
    _files: list[FileReference] = field(default_factory=list[FileReference])
    _shown: list[Shown] = field(default_factory=list[Shown])
    _count: int = 0

    def __post_init__(self) -> None:
        self._writer = ZipWriter(self.app.clock.now().astimezone(self.app.settings.zone))

    async def chunks(self) -> AsyncIterator[bytes]:
        yield self._whole("README.TXT", read_me(self.app.settings.facility_code, len(self.instances)))
        for start in range(0, len(self.instances), PAGE):
            page = self.instances[start : start + PAGE]
            async with self.app.db.reading(planned_once=True) as tx:
                rows = await attributes_of(tx, [instance.sop_instance_uid for instance in page])
            for instance, row in zip(page, rows, strict=True):
                async for chunk in self._instance(instance, row.attributes):
                    yield chunk
        yield self._whole("INDEX.HTM", page_of(self._shown))
        yield self._whole("DICOMDIR", await asyncio.to_thread(dicomdir.encode, self._files, "STUDY"))
        yield self._writer.end()

    async def _instance(self, instance: StoredInstance, attributes: bytes) -> AsyncIterator[bytes]:
        self._count += 1
        number = f"{self._count:08d}"
        header: dict[str, Any] = orjson.loads(attributes)
        kind = dicomdir.record_type_of(instance.sop_class_uid, has_pixels=instance.pixel_data_offset is not None)
        folder = "DICOM" if kind else "OTHER"
        async for chunk in self._object(f"{folder}/{number}", instance):
            yield chunk
        if kind is not None:
            keys = dicomdir.keys_of(header, kind)
            self._files.append(FileReference((folder, number), instance.sop_class_uid, instance.sop_instance_uid,
                                             instance.original_transfer_syntax_uid or instance.transfer_syntax_uid,
                                             kind, keys))  # fmt: skip
        made = await self._picture(instance, attributes)
        shown = Picture(f"IHE_PDI/{number}.JPG", text_of(header, "00200013")) if made else None
        if shown is not None:
            yield self._whole(shown.name, made)
        self._shown.append(Shown.of(header, f"{folder}/{number}", shown))

    async def _object(self, name: str, instance: StoredInstance) -> AsyncIterator[bytes]:
        given = await asyncio.to_thread(received, self.app.objects, instance)
        with given.file:
            yield self._writer.head(name, given.size_bytes, await asyncio.to_thread(_crc, given))
            pieces = given.chunks(CHUNK_BYTES)
            while (chunk := await asyncio.to_thread(next, pieces, None)) is not None:
                yield chunk

    def _whole(self, name: str, content: bytes) -> bytes:
        return self._writer.head(name, len(content), zlib.crc32(content)) + content

    async def _picture(self, instance: StoredInstance, attributes: bytes) -> bytes:
        """A picture of the frame that stands for an image; nothing where there is none, or too many have one."""
        every = -(-len(self.instances) // MOST_PICTURES)
        if instance.pixel_data_offset is None or (self._count - 1) % every:
            return b""
        try:
            numbers = pictures.frames_of(attributes, None)
            material = await asyncio.to_thread(pictures.material, self.app.objects, instance, attributes, numbers)
            return await self.decoders.call(picture, material, PICTURE)
        except RadiologyError:
            return b""  # What cannot be shown is listed.


def _crc(given: Received) -> int:
    crc = 0
    for chunk in given.chunks(CHUNK_BYTES):
        crc = zlib.crc32(chunk, crc)
    return crc
