"""An image as a picture that a browser shows: the grayscale and colour pipelines of PS3.4 annex N.

The functions here are called in a process with limits (`kit/cpu.py`): what they are given can be pickled.
"""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import orjson
from PIL import Image

from radiology.pixels import captions, overlays, presentation
from radiology.pixels.colour import in_colour, is_colour
from radiology.pixels.decode import Array, Layout, decode
from radiology.pixels.encode import JPEG, encoded, with_profile
from radiology.pixels.geometry import Viewport, aspect_of, geometry_of
from radiology.pixels.grey import Window, in_grey
from radiology.pixels.header import Header, Item, count_of, layout_of, number, numbers

QUALITY = 90
_USUAL_MILLISECONDS, _SHORTEST_MILLISECONDS = 100, 20
_LUMINANCE = (0.299, 0.587, 0.114)
_DISPLAYED_AREAS, _SOFTCOPY_VOI = "0070005A", "00283110"

Part = bytes | tuple[int, int]
"""Bytes, or an offset and a length in the file."""


@dataclass(frozen=True, slots=True)
class Material:
    """What is needed of a stored object: attributes as DICOM JSON, long values by path, and frames.

    `frames` has, by number from 1, the parts of the file that make it, or its bytes.
    """

    path: str
    transfer_syntax_uid: str
    sop_instance_uid: str
    attributes: bytes
    frames: Mapping[int, Sequence[Part]]
    bulk: Mapping[str, bytes] = field(default_factory=dict[str, bytes])


@dataclass(frozen=True, slots=True)
class StateMaterial:
    """A presentation state: attributes as DICOM JSON, and long values by path."""

    attributes: bytes
    bulk: Mapping[str, bytes] = field(default_factory=dict[str, bytes])


@dataclass(frozen=True, slots=True)
class Rendering:
    """How an image is wanted (PS3.18 8.3.5)."""

    media_type: str = JPEG
    window: Window | None = None
    viewport: Viewport | None = None
    quality: int = QUALITY
    annotations: tuple[str, ...] = ()
    has_profile: bool = False


def picture(material: Material, rendering: Rendering, state: StateMaterial | None = None) -> bytes:
    """The frames of the material as one picture, moving where they are several and the media type moves.

    Raises Invalid, NotSupported, Unprocessable.
    """
    subject = _Subject.of(material, state)
    numbers_of_frames = sorted(material.frames)
    with open(material.path, "rb") as file:
        shown = [_shown(subject, _read(file.fileno(), material.frames[n]), n, rendering) for n in numbers_of_frames]
    if rendering.has_profile:
        return with_profile(shown[0], rendering.media_type, rendering.quality)
    return encoded(shown, rendering.media_type, rendering.quality, _milliseconds(subject.header))


def grey(material: Material) -> tuple[Array, float]:
    """A single frame in eight bits of grey, as its own window shows it; and how many times higher than wide a pixel is.

    Raises NotSupported, Unprocessable.
    """
    subject = _Subject.of(material, None)
    ((frame, parts),) = material.frames.items()
    with open(material.path, "rb") as file:
        shown = _full(subject, _read(file.fileno(), parts), frame, None)
    if shown.ndim == 3:
        shown = np.clip(shown @ np.array(_LUMINANCE), 0, 255).astype(np.uint8)
    return shown, aspect_of(subject.header, frame)


@dataclass(frozen=True, slots=True)
class _Subject:
    """What is shown, read from its material."""

    sop_instance_uid: str
    transfer_syntax_uid: str
    layout: Layout
    header: Header
    state: Header | None

    @classmethod
    def of(cls, material: Material, state: StateMaterial | None) -> "_Subject":
        header = Header(orjson.loads(material.attributes), material.bulk)
        of_state = None if state is None else Header(orjson.loads(state.attributes), state.bulk)
        layout = layout_of(header.attributes)
        layout.check()
        return cls(material.sop_instance_uid, material.transfer_syntax_uid, layout, header, of_state)


def _read(descriptor: int, parts: Sequence[Part]) -> bytes:
    read = [part if isinstance(part, bytes) else os.pread(descriptor, part[1], part[0]) for part in parts]
    return read[0] if len(read) == 1 else b"".join(read)


def _full(subject: _Subject, data: bytes, number_of_frame: int, window: Window | None) -> Array:
    """A frame in eight bits, whole and not turned, with its overlays and without what a shutter covers."""
    frame = decode(data, subject.layout, subject.transfer_syntax_uid)
    header, state = subject.header, subject.state
    if is_colour(frame):
        shown = in_colour(frame, subject.layout, header)
    else:
        voi = None
        if state is not None:
            voi = presentation.part_for(state.attributes, _SOFTCOPY_VOI, subject.sop_instance_uid, number_of_frame)
        shown = in_grey(frame, subject.layout, header, number_of_frame, window=window, state=state, voi=voi)
    for source, groups in overlays.shown(header, state):
        shown = overlays.draw(shown, frame, subject.layout, source, number_of_frame, groups)
    return presentation.shuttered(shown, (state or header).attributes)


def _shown(subject: _Subject, data: bytes, number_of_frame: int, rendering: Rendering) -> Array:
    shown = _full(subject, data, number_of_frame, rendering.window)
    state = None if subject.state is None else subject.state.attributes
    area = None
    if state is not None:
        area = presentation.part_for(state, _DISPLAYED_AREAS, subject.sop_instance_uid, number_of_frame)
    size = (shown.shape[0], shown.shape[1])
    geometry = geometry_of(size, subject.header, number_of_frame, rendering.viewport, state, area)
    shown = geometry.apply(shown)
    if state is None and not rendering.annotations:
        return shown
    image = Image.fromarray(shown)
    if state is not None:
        presentation.annotate(image, geometry, state, subject.sop_instance_uid, number_of_frame)
    if rendering.annotations:
        captions.write(image, _corners(subject.header, number_of_frame, rendering.annotations))
    return np.asarray(image)


def _corners(header: Header, frame: int, wanted: Sequence[str]) -> captions.Corners:
    """The keywords of PS3.18 8.3.5.1.1: `patient` is above the image, `technique` below."""
    every = captions.captions_of(header.attributes).corners(frame)
    is_patient, is_technique = "patient" in wanted, "technique" in wanted
    return captions.Corners(
        every.top_left if is_patient else (),
        every.top_right if is_patient else (),
        every.bottom_left if is_technique else (),
        every.bottom_right if is_technique else (),
    )


def _milliseconds(header: Header) -> int:
    """How long each frame is shown: Frame Time, its vector, or a rate (PS3.3 C.7.6.5)."""
    attributes = header.attributes
    times = [time for time in numbers(attributes, "00181065")[1:] if time > 0]
    time = number(attributes, "00181063", 0) or (sum(times) / len(times) if times else 0)
    rate = number(attributes, "00082144", 0) or number(attributes, "00180040", 0)
    if time <= 0:
        time = 1000 / rate if rate > 0 else _USUAL_MILLISECONDS
    return max(round(min(time, 10_000)), _SHORTEST_MILLISECONDS)


def representative_frame(header: Item) -> int:
    """The frame that stands for all: the one the object names (0028,6010), else the one in the middle."""
    count = count_of(header)
    named = int(number(header, "00286010", 0))
    return named if 1 <= named <= count else (count + 1) // 2
