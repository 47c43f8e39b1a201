"""Which part of an image is shown, how it is turned, and how large (PS3.3 C.10.4 and C.10.6, PS3.18 8.3.5.1.3)."""

from dataclasses import dataclass, replace

import numpy as np
from PIL import Image

from radiology.errors import FieldProblem, Invalid
from radiology.pixels.decode import Array
from radiology.pixels.header import Header, Item, number, numbers, texts

LARGEST_SIDE, MOST_PIXELS = 16_384, 64 * 1024 * 1024
#: Pixels are not taken to be longer than so many times their width, whatever an object says.
_MOST_ASPECT = 16.0
_PIXEL_MEASURES = "00289110"


@dataclass(frozen=True, slots=True)
class Viewport:
    """Into how many pixels the image is fitted, and a region of it where not all is wanted (PS3.18 8.3.5.1.3).

    The region is in pixels of the image from its top left; None goes to the end. A negative size turns it round.
    """

    width: int
    height: int
    left: float = 0.0
    top: float = 0.0
    region_width: float | None = None
    region_height: float | None = None
    enlarge: bool = True


@dataclass(frozen=True, slots=True)
class Area:
    """A part of an image in its pixels: left and top inside, right and bottom outside."""

    left: int
    top: int
    right: int
    bottom: int


@dataclass(frozen=True, slots=True)
class Geometry:
    """Area, then turned clockwise by quarters, then mirrored, then made so many pixels wide and high."""

    area: Area
    quarters: int = 0
    is_mirrored: bool = False
    width: int = 0
    height: int = 0

    def place(self, x: float, y: float) -> tuple[float, float]:
        """Where a point of the image (pixels from its top left) lies in what is shown."""
        wide, high = self.area.right - self.area.left, self.area.bottom - self.area.top
        x, y = (x - self.area.left) / wide, (y - self.area.top) / high
        for _ in range(self.quarters):
            x, y = 1 - y, x
        return (1 - x if self.is_mirrored else x) * self.width, y * self.height

    def apply(self, image: Array) -> Array:
        """The image as it is shown."""
        part = image[self.area.top : self.area.bottom, self.area.left : self.area.right]
        if self.quarters:
            part = np.rot90(part, -self.quarters)
        if self.is_mirrored:
            part = part[:, ::-1]
        part = np.ascontiguousarray(part)
        if part.shape[:2] == (self.height, self.width):
            return part
        smaller = self.width < part.shape[1] or self.height < part.shape[0]
        way = Image.Resampling.LANCZOS if smaller else Image.Resampling.BICUBIC
        return np.asarray(Image.fromarray(part).resize((self.width, self.height), way))


def geometry_of(
    shape: tuple[int, int],
    header: Header,
    frame: int,
    viewport: Viewport | None,
    state: Item | None,
    shown: Item | None,
) -> Geometry:
    """How a frame of this shape (rows, columns) is shown. `shown` is the displayed area of a presentation state."""
    whole = Area(0, 0, shape[1], shape[0])
    quarters = round(number(state or {}, "00700042", 0) / 90) % 4
    is_mirrored = texts(state or {}, "00700041") == ["Y"]
    geometry = Geometry(whole if shown is None else _displayed(shown, whole), quarters, is_mirrored)
    if viewport is not None:
        geometry = _region(geometry, viewport)
    width, height = _square(geometry, aspect_of(header, frame, shown))
    scale = 1.0
    if viewport is not None:
        scale = min(viewport.width / width, viewport.height / height)
        scale = scale if viewport.enlarge else min(scale, 1.0)
    scale = min(scale, LARGEST_SIDE / max(width, height), (MOST_PIXELS / (width * height)) ** 0.5)
    return replace(geometry, width=max(round(width * scale), 1), height=max(round(height * scale), 1))


def aspect_of(header: Header, frame: int, shown: Item | None = None) -> float:
    """How many times higher than wide a pixel is."""
    values = numbers(shown or {}, "00700101") or numbers(shown or {}, "00700102")
    for place in [] if values else header.places(frame, _PIXEL_MEASURES):
        values = next(
            (found for tag in _SPACINGS if len(found := numbers(place, tag)) == 2 and min(found) > 0), list[float]()
        )
        if values:
            break
    if len(values) != 2 or min(values) <= 0:
        return 1.0
    return min(max(values[0] / values[1], 1 / _MOST_ASPECT), _MOST_ASPECT)


_SPACINGS = ("00280030", "00181164", "00280034")


def _displayed(shown: Item, whole: Area) -> Area:
    """Displayed Area (PS3.3 C.10.4); the corners are columns and rows from 1, as they lie after turning."""
    first, last = numbers(shown, "00700052"), numbers(shown, "00700053")
    if len(first) != 2 or len(last) != 2:
        return whole
    (left, right), (top, bottom) = sorted((first[0], last[0])), sorted((first[1], last[1]))
    return _inside(Area(int(left) - 1, int(top) - 1, int(right), int(bottom)), whole) or whole


def _region(geometry: Geometry, viewport: Viewport) -> Geometry:
    """The part of the displayed area that the viewport names. Raises Invalid where it lies outside."""
    area = geometry.area
    wide, high = area.right - area.left, area.bottom - area.top
    region_width = viewport.region_width if viewport.region_width is not None else wide - viewport.left
    region_height = viewport.region_height if viewport.region_height is not None else high - viewport.top
    left, top = area.left + round(viewport.left), area.top + round(viewport.top)
    wanted = Area(left, top, left + max(round(abs(region_width)), 1), top + max(round(abs(region_height)), 1))
    part = _inside(wanted, area)
    if part is None:
        sentence = f"has a region outside the image, which is {wide} x {high} pixels"
        raise Invalid(f"viewport {sentence}.", fields=[FieldProblem("viewport", sentence)])
    is_mirrored, quarters = geometry.is_mirrored, geometry.quarters
    if region_width < 0:
        is_mirrored = not is_mirrored
    if region_height < 0:
        is_mirrored, quarters = not is_mirrored, (quarters + 2) % 4
    return replace(geometry, area=part, is_mirrored=is_mirrored, quarters=quarters)


def _inside(area: Area, whole: Area) -> Area | None:
    left, top = max(area.left, whole.left), max(area.top, whole.top)
    right, bottom = min(area.right, whole.right), min(area.bottom, whole.bottom)
    return Area(left, top, right, bottom) if left < right and top < bottom else None


def _square(geometry: Geometry, aspect: float) -> tuple[float, float]:
    """Width and height with square pixels: the shorter side of a pixel is made as long as the other."""
    wide, high = float(geometry.area.right - geometry.area.left), float(geometry.area.bottom - geometry.area.top)
    wide, high = (wide, high * aspect) if aspect >= 1 else (wide / aspect, high)
    return (high, wide) if geometry.quarters % 2 else (wide, high)
