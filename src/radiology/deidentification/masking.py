"""Paint over parts of a frame."""

from typing import Any

import numpy as np

from radiology.deidentification.pixel_policy import Mask
from radiology.pixels.decode import Array


def painted(pixels: Array, mask: Mask, photometric_interpretation: str, bits_stored: int) -> Array:
    """A copy of a frame with one colour where the mask is: black, or what comes nearest to it."""
    covered = np.zeros(pixels.shape[:2], bool)
    if mask.kept:
        covered[:] = True
        for each in mask.kept:
            covered[each.top : each.bottom + 1, each.left : each.right + 1] = False
    for each in mask.rectangles:
        covered[max(each.top, 0) : each.bottom + 1, max(each.left, 0) : each.right + 1] = True
    result = np.array(pixels)
    result[covered] = _black(pixels, photometric_interpretation, bits_stored)
    return result


def _black(pixels: Array, photometric_interpretation: str, bits_stored: int) -> Any:
    if photometric_interpretation.startswith("YBR") and pixels.ndim == 3:
        middle = 1 << bits_stored - 1
        return np.array([0, middle, middle], pixels.dtype)
    if photometric_interpretation == "MONOCHROME1":
        return (1 << (bits_stored - 1 if pixels.dtype.kind == "i" else bits_stored)) - 1
    return 0
