"""How a picture is wanted: the query parameters of PS3.18 8.3.5, and what is said where one is wrong."""

import math
from collections.abc import Mapping

from radiology.errors import FieldProblem, Invalid
from radiology.pixels.geometry import LARGEST_SIDE, Viewport
from radiology.pixels.grey import FUNCTIONS, LINEAR, Window
from radiology.pixels.render import QUALITY, Rendering

ANNOTATIONS = ("patient", "technique")
PROFILES = ("no", "yes", "srgb")
THUMBNAIL_SIDE, THUMBNAIL_QUALITY = 256, 80


def rendering_of(parameters: Mapping[str, str], media_type: str) -> Rendering:
    """What the query of `.../rendered` asks for. Raises Invalid, naming the parameter."""
    profile = parameters.get("iccprofile", "no").lower()
    if profile not in PROFILES:
        raise _wrong("iccprofile", f"must be one of {', '.join(PROFILES)}")
    return Rendering(
        media_type,
        _window(parameters.get("window")),
        _viewport(parameters.get("viewport")),
        _quality(parameters.get("quality")),
        _annotations(parameters.get("annotation")),
        has_profile=profile != "no",
    )


def thumbnail_of(parameters: Mapping[str, str], media_type: str) -> Rendering:
    """What `.../thumbnail` gives (PS3.18 8.3.5.2): at most 256 pixels, unless a viewport asks for other sizes."""
    asked = _viewport(parameters.get("viewport")) if "viewport" in parameters else None
    if asked is not None and asked.region_width is not None:
        raise _wrong("viewport", "of a thumbnail has a width and a height, and no region")
    viewport = asked or Viewport(THUMBNAIL_SIDE, THUMBNAIL_SIDE, enlarge=False)
    return Rendering(media_type, viewport=viewport, quality=THUMBNAIL_QUALITY)


def _window(text: str | None) -> Window | None:
    """`center,width,function` (PS3.18 8.3.5.1.4)."""
    if text is None:
        return None
    center, width, function, *rest = [*text.split(","), LINEAR] if text.count(",") == 1 else text.split(",") + [""] * 2
    numbers = (_number(center), _number(width))
    function = function.strip().upper()
    if any(rest) or function not in FUNCTIONS or None in numbers:
        raise _wrong("window", f"is center,width,function; the function is one of {', '.join(FUNCTIONS)}")
    least = 1.0 if function == LINEAR else 0.0
    window = Window(numbers[0] or 0.0, numbers[1] or 0.0, function)
    if window.width < least or window.width == 0:
        raise _wrong("window", "has a width of at least 1 for LINEAR, and of more than 0 for the other functions")
    return window


def _viewport(text: str | None) -> Viewport | None:
    """`width,height` and perhaps `,left,top,width,height` of a region (PS3.18 8.3.5.1.3)."""
    if text is None:
        return None
    parts = text.split(",")
    if len(parts) not in (2, 6) or not all(part.isascii() and part.strip().isdigit() for part in parts[:2]):
        raise _wrong("viewport", "is width,height or width,height,left,top,width,height")
    width, height = (int(part) if len(part) < 9 else LARGEST_SIDE + 1 for part in parts[:2])
    if not (1 <= width <= LARGEST_SIDE and 1 <= height <= LARGEST_SIDE):
        raise _wrong("viewport", f"has a width and a height from 1 to {LARGEST_SIDE} pixels")
    region = [None if not part.strip() else _number(part) for part in parts[2:]] or [None] * 4
    if any(value is None and part.strip() for value, part in zip(region, parts[2:], strict=False)):
        raise _wrong("viewport", "has a region of four numbers")
    left, top, region_width, region_height = region
    if (left or 0) < 0 or (top or 0) < 0 or 0 in (region_width, region_height):
        raise _wrong("viewport", "has a region that begins inside the image and is not empty")
    return Viewport(width, height, left or 0.0, top or 0.0, region_width, region_height)


def _quality(text: str | None) -> int:
    if text is None:
        return QUALITY
    if not (text.isascii() and text.isdigit() and len(text) < 4 and 1 <= int(text) <= 100):
        raise _wrong("quality", "is a whole number from 1 to 100")
    return int(text)


def _annotations(text: str | None) -> tuple[str, ...]:
    if text is None:
        return ()
    asked = {part.strip() for part in text.split(",")}
    if not asked <= set(ANNOTATIONS):
        raise _wrong("annotation", f"is a list of {' and '.join(ANNOTATIONS)}")
    return tuple(sorted(asked))


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) and abs(value) < 1e12 else None


def _wrong(name: str, sentence: str) -> Invalid:
    return Invalid(f"{name} {sentence}.", fields=[FieldProblem(name, sentence)])
