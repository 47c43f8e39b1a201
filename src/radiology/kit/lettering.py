"""Text drawn into pictures, Bangla with its conjuncts: each run of letters in a font that has them."""

import re
from functools import lru_cache
from importlib.resources import files
from io import BytesIO
from typing import NamedTuple

from PIL import Image, ImageDraw, ImageFont

_BENGALI = re.compile(r"([\u0964\u0965\u0980-\u09ff\u200c\u200d]+)")

Font = ImageFont.FreeTypeFont


class Run(NamedTuple):
    """A piece of text in one script."""

    text: str
    font: Font


@lru_cache(maxsize=64)
def latin(size: int) -> Font:
    """The font for all but Bangla, of this height in pixels."""
    font = ImageFont.load_default(size)
    assert isinstance(font, ImageFont.FreeTypeFont)  # noqa: S101 - it is one whenever a size is asked for.
    return font


@lru_cache(maxsize=64)
def bengali(size: int) -> Font:
    """The font for Bangla, of this height in pixels."""
    data = (files("radiology.kit") / "fonts" / "NotoSansBengali-Regular.ttf").read_bytes()
    return ImageFont.truetype(BytesIO(data), size, layout_engine=ImageFont.Layout.RAQM)


def runs(text: str, size: int) -> list[Run]:
    """The text cut where the script changes."""
    pieces = (piece for piece in _BENGALI.split(text) if piece)
    return [Run(piece, bengali(size) if _BENGALI.match(piece) else latin(size)) for piece in pieces]


def width(text: str, size: int) -> int:
    """How wide a line is, in pixels."""
    return round(sum(run.font.getlength(run.text) for run in runs(text, size)))


def fitted(text: str, size: int, limit: int) -> str:
    """The text, or as much of its beginning as fits into `limit` pixels, with an ellipsis."""
    if width(text, size) <= limit:
        return text
    while text and width(text + "…", size) > limit:
        text = text[:-1].rstrip()
    return text + "…"


def draw(image: Image.Image, at: tuple[int, int], text: str, size: int, *, right: bool = False) -> None:
    """Draw one line, white with a black edge so that it can be read on any image. `at` is the top left or right."""
    pen = ImageDraw.Draw(image)
    x = float(at[0] - (width(text, size) if right else 0))
    baseline = at[1] + size
    for run in runs(text, size):
        pen.text(
            (x, baseline),
            run.text,
            font=run.font,
            fill=255,
            stroke_width=max(size // 12, 1),
            stroke_fill=0,
            anchor="ls",
        )
        x += run.font.getlength(run.text)
