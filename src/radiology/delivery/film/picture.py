"""One image as it lies on film: eight bits of grey, fitted into its place, with who and what it shows written on it."""

from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import numpy as np
from PIL import Image
from pydicom import Dataset, dcmread  # pyright: ignore[reportUnknownVariableType]
from pydicom.pixels.processing import apply_modality_lut, apply_voi_lut, convert_color_space
from pydicom.pixels.utils import pixel_array

from radiology.errors import NotFound, Unprocessable
from radiology.kit import lettering

_LINES_IN_HEIGHT = 42
_SMALLEST_LETTERS, _LARGEST_LETTERS = 11, 44
_LUMINANCE = (0.299, 0.587, 0.114)

Grey = np.ndarray[Any, np.dtype[np.uint8]]


@dataclass(frozen=True, slots=True)
class Corners:
    """The lines that are written over an image, by corner, top line first."""

    top_left: Sequence[str] = ()
    top_right: Sequence[str] = ()
    bottom_left: Sequence[str] = ()
    bottom_right: Sequence[str] = ()


def grey_of(file: bytes | str, frame: int) -> tuple[Grey, float]:
    """The frame in eight bits, 0 black, as its window shows it; and how much higher than wide a pixel is.

    Raises NotFound where there is no such frame, Unprocessable where it cannot be decoded. For a limited process.
    """
    data_set = dcmread(BytesIO(file) if isinstance(file, bytes) else file)
    count = int(data_set.get("NumberOfFrames") or 1)
    if "PixelData" not in data_set:
        raise Unprocessable("This object has no pixel data and cannot be printed.")
    if not 1 <= frame <= count:
        raise NotFound(f"There is no frame {frame}; the image has {count}.")
    try:
        return _grey(data_set, pixel_array(data_set, index=frame - 1)), _aspect(data_set)
    except Exception as error:
        raise Unprocessable(f"The image cannot be decoded: {error}.") from error


def _grey(data_set: Dataset, stored: np.ndarray[Any, Any]) -> Grey:
    kind = str(data_set.PhotometricInterpretation)
    if stored.ndim == 3:
        colour = convert_color_space(stored, kind, "RGB") if kind.startswith("YBR_FULL") else stored
        return np.clip(colour[..., :3] @ np.array(_LUMINANCE), 0, 255).astype(np.uint8)
    if kind == "PALETTE COLOR":
        raise Unprocessable("Palette colour is not printed in grey.")
    values = apply_voi_lut(apply_modality_lut(stored, data_set), data_set).astype(np.float64)
    low, high = _range(data_set, values)
    grey = np.clip((values - low) * (255.0 / max(high - low, 1e-9)), 0, 255)
    return (255 - grey if kind == "MONOCHROME1" else grey).astype(np.uint8)


def _range(data_set: Dataset, values: np.ndarray[Any, Any]) -> tuple[float, float]:
    """What is black and what is white: the range that the window fills, or that the image has."""
    if data_set.get("WindowWidth") is None and "VOILUTSequence" not in data_set:
        return float(values.min()), float(values.max())
    if "VOILUTSequence" in data_set:
        return 0.0, float(2 ** int(data_set.VOILUTSequence[0].LUTDescriptor[2] or 16) - 1)
    bits, signed = int(data_set.BitsStored), int(data_set.PixelRepresentation) == 1
    low, high = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if signed else (0, 2**bits - 1)
    slope, intercept = float(data_set.get("RescaleSlope") or 1), float(data_set.get("RescaleIntercept") or 0)
    return low * slope + intercept, high * slope + intercept


def _aspect(data_set: Dataset) -> float:
    for keyword in ("PixelSpacing", "ImagerPixelSpacing", "PixelAspectRatio"):
        value = data_set.get(keyword)
        if value and len(value) == 2 and float(value[1]) > 0:
            return float(value[0]) / float(value[1])
    return 1.0


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
        _write(place, corners)
    return np.asarray(place)


def _write(place: Image.Image, corners: Corners) -> None:
    letters = min(max(place.height // _LINES_IN_HEIGHT, _SMALLEST_LETTERS), _LARGEST_LETTERS)
    step, edge = round(letters * 1.3), letters // 2
    limit = place.width // 2 - 2 * edge
    bottom = place.height - edge
    for lines, right, top in (
        (corners.top_left, False, edge),
        (corners.top_right, True, edge),
        (corners.bottom_left, False, bottom - step * len(corners.bottom_left)),
        (corners.bottom_right, True, bottom - step * len(corners.bottom_right)),
    ):
        x = place.width - edge if right else edge
        for number, line in enumerate(lines):
            text = lettering.fitted(line, letters, limit)
            lettering.draw(place, (x, top + number * step), text, letters, right=right)


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
