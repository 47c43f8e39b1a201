"""Who and what an image shows, written over it; only what the image itself says, and nothing else."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from PIL import Image

from radiology.kit import lettering
from radiology.pixels.header import count_of

_LINES_IN_HEIGHT = 42
_SMALLEST_LETTERS, _LARGEST_LETTERS = 11, 44


@dataclass(frozen=True, slots=True)
class Corners:
    """The lines that are written over an image, by corner, top line first."""

    top_left: Sequence[str] = ()
    top_right: Sequence[str] = ()
    bottom_left: Sequence[str] = ()
    bottom_right: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Captions:
    """The facts of one image, from its attributes."""

    patient: tuple[str, ...]
    place: tuple[str, ...]
    series: tuple[str, ...]
    technique: tuple[str, ...]
    number_of_frames: int
    label: str

    def corners(self, frame: int) -> Corners:
        """The lines of the four corners; the frame is named where there are several."""
        of_frame = (f"Frame {frame}/{self.number_of_frames}",) if self.number_of_frames > 1 else ()
        return Corners(self.patient, self.place, self.series + of_frame, self.technique)


def write(picture: Image.Image, corners: Corners) -> None:
    """Write the lines into the corners, as large as the picture allows."""
    letters = min(max(picture.height // _LINES_IN_HEIGHT, _SMALLEST_LETTERS), _LARGEST_LETTERS)
    step, edge = round(letters * 1.3), letters // 2
    limit = picture.width // 2 - 2 * edge
    bottom = picture.height - edge
    for lines, right, top in (
        (corners.top_left, False, edge),
        (corners.top_right, True, edge),
        (corners.bottom_left, False, bottom - step * len(corners.bottom_left)),
        (corners.bottom_right, True, bottom - step * len(corners.bottom_right)),
    ):
        x = picture.width - edge if right else edge
        for number, line in enumerate(lines):
            text = lettering.fitted(line, letters, limit)
            lettering.draw(picture, (x, top + number * step), text, letters, right=right)


def captions_of(attributes: Mapping[str, Any]) -> Captions:
    """The captions of an image in the DICOM JSON model."""

    def text(tag: str) -> str:
        return _text(attributes, tag)

    person = " ".join(filter(None, (_day(text("00100030")), text("00100040"))))
    when = " ".join(filter(None, (_day(text("00080020")), _moment(text("00080030")))))
    series = " ".join(filter(None, (f"Se {text('00200011')}" if text("00200011") else "", text("0008103E"))))
    image = f"Im {text('00200013')}" if text("00200013") else ""
    side = text("00200062") or text("00200060")
    window = f"W {_number(text('00281051'))} C {_number(text('00281050'))}" if text("00281051") else ""
    return Captions(
        patient=_lines(*_names(attributes), text("00100020"), person, text("00080050")),
        place=_lines(text("00080080"), when, text("00081030")),
        series=_lines(series, image),
        technique=_lines(side, text("00180015"), window),
        number_of_frames=count_of(attributes),
        label=text("00200010") or text("00080050"),
    )


def _names(attributes: Mapping[str, Any]) -> list[str]:
    """The patient's name in Latin letters and, where it has them, in its own."""
    values: list[Any] = attributes.get("00100010", {}).get("Value") or [{}]
    name: Any = values[0] or {}
    groups: list[str] = [name.get("Alphabetic", ""), name.get("Ideographic", "") or name.get("Phonetic", "")]
    return [_shown(group) for group in groups if group]


def _shown(group: str) -> str:
    family, *rest = group.split("^")
    return " ".join(part for part in (family.upper() if family.isascii() else family, *rest) if part)


def _lines(*lines: str) -> tuple[str, ...]:
    return tuple(line for line in lines if line)


def _text(attributes: Mapping[str, Any], tag: str) -> str:
    values = attributes.get(tag, {}).get("Value") or [""]
    return "" if values[0] is None or isinstance(values[0], dict) else str(values[0]).strip()


def _day(text: str) -> str:
    return f"{text[6:8]}/{text[4:6]}/{text[:4]}" if len(text) == 8 and text.isdigit() else text


def _moment(text: str) -> str:
    return f"{text[:2]}:{text[2:4]}" if len(text) >= 4 and text[:4].isdigit() else ""


def _number(text: str) -> str:
    return text.removesuffix(".0")
