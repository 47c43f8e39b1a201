"""One image as it lies on film: eight bits of grey, fitted into its place, with who and what it shows written on it."""

from collections.abc import Sequence
from io import BytesIO
from typing import Any

import numpy as np
from PIL import Image

from radiology.pixels.captions import Corners, write

Grey = np.ndarray[Any, np.dtype[np.uint8]]


def cell(grey: Grey, aspect: float, size: tuple[int, int], corners: Corners | None) -> Grey:
    """The image fitted into a place of this width and height, black around it, with its lines in the corners."""
    width, height = size
    wide, high = grey.shape[1], grey.shape[0] * aspect
    scale = min(width / wide, height / high)
    fitted = Image.fromarray(grey).resize(
        (max(round(wide * scale), 1), max(round(high * scale), 1)), Image.Resampling.LANCZOS
    )
    place = Image.new("L", size)
    place.paste(fitted, ((width - fitted.width) // 2, (height - fitted.height) // 2))
    if corners:
        write(place, corners)
    return np.asarray(place)


def sheet_png(cells: Sequence[Grey], columns: int, rows: int, *, width: int = 1000) -> bytes:
    """The whole sheet as a PNG, as it will look."""
    high, wide = cells[0].shape
    sheet = Image.new("L", (wide * columns, high * rows))
    for number, one in enumerate(cells):
        sheet.paste(Image.fromarray(one), (number % columns * wide, number // columns * high))
    sheet.thumbnail((width, width * 2))
    out = BytesIO()
    sheet.save(out, "PNG")
    return out.getvalue()
