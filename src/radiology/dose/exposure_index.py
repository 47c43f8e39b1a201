"""Exposure index, target and deviation of digital radiography (IEC 62494-1). Pure."""

import math
from enum import StrEnum
from typing import Final

from radiology.kit.bilingual import Sentence

GREEN_UP_TO, AMBER_UP_TO = 1.0, 3.0


class Colour(StrEnum):
    """What a deviation asks for: nothing; attention; and whether the image is diagnostic, since only then it stays."""

    GREEN = "green"
    AMBER = "amber"
    RED = "red"


TOLD: Final = {
    Colour.GREEN: Sentence("As intended.", "ঠিক আছে।"),
    Colour.AMBER: Sentence("Look at the technique.", "এক্সপোজার কৌশল দেখুন।"),
    Colour.RED: Sentence(
        "Far from the target. Repeat only if the image is not diagnostic.",
        "লক্ষ্য থেকে অনেক দূরে। ছবি রোগ নির্ণয়ের অযোগ্য হলেই কেবল আবার তুলুন।",
    ),
}


def deviation(exposure_index: float | None, target: float | None) -> float | None:
    """DI = 10·log10(EI / EI_T), to one digit behind the point; None where either is missing or is not above zero."""
    if not exposure_index or not target or exposure_index < 0 or target < 0:
        return None
    return round(10 * math.log10(exposure_index / target), 1)


def colour(deviation_index: float) -> Colour:
    """Green up to 1 either way, amber up to 3, red beyond."""
    distance = abs(deviation_index)
    if distance <= GREEN_UP_TO:
        return Colour.GREEN
    return Colour.AMBER if distance <= AMBER_UP_TO else Colour.RED
