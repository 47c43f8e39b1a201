"""Softcopy presentation states (PS3.3 A.33, PS3.4 annex N): which image they show, and how.

Values of interest, turning, displayed area, shutters, and annotations drawn over the image are applied.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from PIL import Image, ImageDraw

from radiology.kit import lettering
from radiology.pixels.decode import Array
from radiology.pixels.geometry import Geometry
from radiology.pixels.header import Item, items, number, numbers, texts
from radiology.standards.dicom.attributes import text_of

GRAYSCALE = "1.2.840.10008.5.1.4.1.1.11.1"
SOP_CLASSES: Final = frozenset(f"1.2.840.10008.5.1.4.1.1.11.{number}" for number in (1, 2, 3, 4))
_SERIES, _IMAGES, _INSTANCE, _FRAMES = "00081115", "00081140", "00081155", "00081160"
_WHITE = 255
_MOST_LETTERS = 200


@dataclass(frozen=True, slots=True)
class Shown:
    """An image that a presentation state shows: the frames it names, from 1; none where it means all."""

    series_instance_uid: str
    sop_instance_uid: str
    frames: tuple[int, ...] = ()


def images_shown(state: Item) -> list[Shown]:
    """The images a presentation state refers to, in its order (PS3.3 C.11.11)."""
    return [
        Shown(text_of(series, "0020000E"), text_of(image, _INSTANCE), tuple(map(int, numbers(image, _FRAMES))))
        for series in items(state, _SERIES)
        for image in items(series, _IMAGES)
    ]


def part_for(state: Item, sequence: str, sop_instance_uid: str, frame: int) -> Item | None:
    """The item of a sequence that is meant for an image: one that names it, or one that names none."""
    for item in items(state, sequence):
        named = items(item, _IMAGES)
        if not named or any(_names(reference, sop_instance_uid, frame) for reference in named):
            return item
    return None


def _names(reference: Item, sop_instance_uid: str, frame: int) -> bool:
    frames = numbers(reference, _FRAMES)
    return text_of(reference, _INSTANCE) == sop_instance_uid and (not frames or frame in frames)


def shuttered(image: Array, attributes: Item) -> Array:
    """The image with black where a shutter covers it (PS3.3 C.7.6.11)."""
    shapes = set(texts(attributes, "00181600"))
    if not shapes & {"RECTANGULAR", "CIRCULAR", "POLYGONAL"}:
        return image
    rows, columns = image.shape[:2]
    seen = np.ones((rows, columns), bool)
    if "RECTANGULAR" in shapes:
        left, right = int(number(attributes, "00181602", 1)), int(number(attributes, "00181604", columns))
        top, bottom = int(number(attributes, "00181606", 1)), int(number(attributes, "00181608", rows))
        inside = np.zeros_like(seen)
        inside[max(top - 1, 0) : bottom, max(left - 1, 0) : right] = True
        seen &= inside
    if "CIRCULAR" in shapes and len(center := numbers(attributes, "00181610")) == 2:
        y, x = np.ogrid[1 : rows + 1, 1 : columns + 1]
        seen &= (y - center[0]) ** 2 + (x - center[1]) ** 2 <= number(attributes, "00181612", 0) ** 2
    if "POLYGONAL" in shapes and len(vertices := numbers(attributes, "00181620")) >= 6:
        mask = Image.new("1", (columns, rows))
        points = [(x - 1, y - 1) for y, x in zip(vertices[::2], vertices[1::2], strict=False)]
        ImageDraw.Draw(mask).polygon(points, fill=1, outline=1)
        seen &= np.asarray(mask)
    shown = image.copy()
    shown[~seen] = 0
    return shown


def annotate(image: Image.Image, geometry: Geometry, state: Item, sop_instance_uid: str, frame: int) -> None:
    """Draw the graphics and texts that are meant for this image (PS3.3 C.10.5)."""
    pen = ImageDraw.Draw(image)
    colour = _WHITE if image.mode == "L" else (255, 255, 96)
    line = max(round(min(image.size) / 400), 1)
    for annotation in items(state, "00700001"):
        named = items(annotation, _IMAGES)
        if named and not any(_names(reference, sop_instance_uid, frame) for reference in named):
            continue
        for graphic in items(annotation, "00700009"):
            points = list(_points(graphic, "00700022", "00700005", geometry))
            _draw(pen, graphic, points, colour, line)
        for text in items(annotation, "00700008"):
            _write(image, text, geometry)


def _points(item: Item, data: str, units: str, geometry: Geometry) -> Iterator[tuple[float, float]]:
    values = numbers(item, data)
    for x, y in zip(values[::2], values[1::2], strict=False):
        if text_of(item, units) == "DISPLAY":
            yield x * geometry.width, y * geometry.height
        else:
            yield geometry.place(x, y)


def _draw(
    pen: ImageDraw.ImageDraw,
    graphic: Item,
    points: list[tuple[float, float]],
    colour: int | tuple[int, int, int],
    line: int,
) -> None:
    kind, fill = text_of(graphic, "00700023"), colour if text_of(graphic, "00700024") == "Y" else None
    if kind == "POINT" and points:
        (x, y), arm = points[0], 4 * line
        pen.line((x - arm, y, x + arm, y), colour, line)
        pen.line((x, y - arm, x, y + arm), colour, line)
    elif kind == "CIRCLE" and len(points) == 2:
        (x, y), (edge_x, edge_y) = points
        radius = ((edge_x - x) ** 2 + (edge_y - y) ** 2) ** 0.5
        pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill, colour, line)
    elif kind == "ELLIPSE" and len(points) == 4:
        _line(pen, _ellipse(points), fill, colour, line)
    elif len(points) >= 2:
        # The points of INTERPOLATED are joined straight: they lie close together.
        _line(pen, points, fill, colour, line)


def _line(
    pen: ImageDraw.ImageDraw,
    points: list[tuple[float, float]],
    fill: int | tuple[int, int, int] | None,
    colour: int | tuple[int, int, int],
    line: int,
) -> None:
    if fill is not None and len(points) >= 3:
        pen.polygon(points, fill)
    pen.line(points, colour, line, joint="curve")


def _ellipse(points: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """By the ends of its major and of its minor axis."""
    (ax, ay), (bx, by), (cx, cy), (dx, dy) = points
    x, y = (ax + bx) / 2, (ay + by) / 2
    angles = np.linspace(0, 2 * np.pi, 73)
    xs = x + np.cos(angles) * (ax - bx) / 2 + np.sin(angles) * (cx - dx) / 2
    ys = y + np.cos(angles) * (ay - by) / 2 + np.sin(angles) * (cy - dy) / 2
    return [(float(one), float(other)) for one, other in zip(xs, ys, strict=True)]


def _write(image: Image.Image, item: Item, geometry: Geometry) -> None:
    """A text beside its anchor, or in its box."""
    places = [*_points(item, "00700010", "00700003", geometry), *_points(item, "00700014", "00700004", geometry)]
    size = min(max(round(min(image.size) / 32), 10), 40)
    if places and min(image.size) >= size:
        x, y = places[0]
        for number_of_line, text in enumerate(text_of(item, "00700006").splitlines()):
            at = (round(x), round(y) + number_of_line * round(size * 1.3))
            lettering.draw(image, at, text[:_MOST_LETTERS], size)
