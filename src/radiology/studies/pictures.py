"""What is handed to a process with limits so that it can show a stored image: places in the file, and what it says."""

import re
from collections.abc import Sequence

import orjson

from radiology.errors import NotFound
from radiology.kit.objects import LocalObjects
from radiology.pixels.header import count_of, layout_of
from radiology.pixels.render import Material, Part, StateMaterial, representative_frame
from radiology.standards.dicom.uids import TRANSFER_SYNTAXES
from radiology.studies import retrieve
from radiology.studies.queries.retrieve import StoredInstance
from radiology.studies.retrieve import Content, Span

_PATH = re.compile(rb'"BulkDataURI":"@/([0-9A-F/]+)"')
#: Tables of palettes, modality, values of interest and presentation, and overlays: all that is long and shows.
_SHOWN = re.compile(r"(?:^|/)(?:002812[0-2][1-3]|00283006|60[01][0-9A-F]3000)$")
#: An object with more tables than this is not asked for all of them.
_MOST_TABLES = 64
_LONGEST_TABLE_BYTES = 64 * 1024 * 1024
#: Of a moving picture: its frames, and their pixel data as it lies in the file.
MOST_MOVING_FRAMES, MOST_MOVING_BYTES = 500, 128 * 1024 * 1024


def material(objects: LocalObjects, instance: StoredInstance, attributes: bytes, frames: Sequence[int]) -> Material:
    """Frames (from 1) of an instance, ready to be shown. Raises NotFound. Blocks: for a thread, unless it is plain."""
    contents = retrieve.frames(objects, instance, attributes, frames)
    return Material(
        str(objects.path(instance.object_key)),
        instance.transfer_syntax_uid,
        instance.sop_instance_uid,
        attributes,
        {number: places(content) for number, content in zip(frames, contents, strict=True)},
        _tables(objects, instance, attributes),
    )


def frames_of(attributes: bytes, asked: Sequence[int] | None) -> Sequence[int]:
    """The frames that are meant: those asked for, for None the one that stands for all, for an empty list all.

    Of very many only each second is meant, or each third, and so on.
    """
    if asked:
        return asked
    header = orjson.loads(attributes)
    if asked is None:
        return [representative_frame(header)]
    count = count_of(header)
    step = max(-(-count // MOST_MOVING_FRAMES), -(-count * layout_of(header).frame_bytes // MOST_MOVING_BYTES), 1)
    return range(1, count + 1, step)


def media_type_of_video(objects: LocalObjects, instance: StoredInstance, content: Content) -> str:
    """What the stream of a video is, by its first bytes: browsers play MP4. Blocks: for a thread."""
    first = content.pieces[0] if content.pieces else b""
    head = objects.read(first.object_key, first.offset, min(first.length, 12)) if isinstance(first, Span) else b""
    if head[4:8] == b"ftyp":
        return "video/mp4"
    if head[:1] == b"G":  # The synchronisation byte of an MPEG-2 transport stream.
        return "video/mp2t"
    name = TRANSFER_SYNTAXES[instance.transfer_syntax_uid].name
    return "video/mpeg" if "MPEG2" in name else "video/h265" if "HEVC" in name else "video/h264"


def state_material(objects: LocalObjects, instance: StoredInstance, attributes: bytes) -> StateMaterial:
    """A presentation state, ready to be applied. Blocks: for a thread."""
    return StateMaterial(attributes, _tables(objects, instance, attributes))


def places(content: Content) -> list[Part]:
    """Where the bytes of a frame lie in the file of its object, or the bytes where they had to be made."""
    return [_part(piece) for piece in content.pieces]


def has_tables(attributes: bytes) -> bool:
    """Whether long values have to be read from the file as well."""
    return any(_SHOWN.search(path.decode()) for path in _PATH.findall(attributes))


def _tables(objects: LocalObjects, instance: StoredInstance, attributes: bytes) -> dict[str, bytes]:
    paths = [path for found in _PATH.findall(attributes) if _SHOWN.search(path := found.decode())]
    tables: dict[str, bytes] = {}
    for path in paths[:_MOST_TABLES]:
        try:
            content = retrieve.bulk_data(objects, instance, path)
        except NotFound:
            continue  # What is not there is not shown.
        if content.size_bytes is not None and content.size_bytes <= _LONGEST_TABLE_BYTES:
            tables[path] = _bytes(objects, content)
    return tables


def _bytes(objects: LocalObjects, content: Content) -> bytes:
    read = (objects.read(piece.object_key, piece.offset, piece.length) if isinstance(piece, Span) else piece
            for piece in content.pieces)  # fmt: skip
    return b"".join(one for one in read if isinstance(one, bytes))


def _part(piece: retrieve.Piece) -> Part:
    if isinstance(piece, Span):
        return piece.offset, piece.length
    assert isinstance(piece, bytes)  # noqa: S101 - frames and bulk data are never made while they are sent.
    return piece
