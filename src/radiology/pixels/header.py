"""The attributes that say how an image is shown: of the whole image, or of one frame (PS3.3 C.7.6.16.1.2).

They are read from the DICOM JSON model. Long values, such as tables, are given beside it by their path.
"""

from base64 import b64decode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np

from radiology.pixels.decode import Array, Layout
from radiology.standards.dicom.attributes import text_of

SHARED_GROUPS, FRAME_GROUPS = "52009229", "52009230"
_PLACEHOLDER = "@/"
_LARGEST_NUMBER = 1e15

Item = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Header:
    """An object's attributes, and its long values by path. `find` looks where a frame's own values stand first."""

    attributes: Item
    bulk: Mapping[str, bytes]

    def places(self, frame: int, *sequences: str) -> list[Item]:
        """Where an attribute of a frame (from 1) may stand: its own functional group, the shared one, the top."""
        per_frame = items(self.attributes, FRAME_GROUPS)
        groups = [*per_frame[frame - 1 : frame], *items(self.attributes, SHARED_GROUPS)[:1]]
        found = [item for group in groups for sequence in sequences for item in items(group, sequence)[:1]]
        return [*found, self.attributes]

    def words(self, item: Item, tag: str) -> Array:
        """The numbers of a table, whatever its VR (US, SS, OW, OB): unsigned, as they lie."""
        element: Item = item.get(tag, {})
        if "Value" in element:
            values = np.array(numbers(item, tag), np.int64)
            return (values & 0xFFFF).astype(np.uint16)
        data = self.data(element)
        return np.frombuffer(data[: len(data) // 2 * 2], "<u2")

    def data(self, element: Item) -> bytes:
        """The bytes of a binary value."""
        if "InlineBinary" in element:
            return b64decode(element["InlineBinary"])
        return self.bulk.get(str(element.get("BulkDataURI", "")).removeprefix(_PLACEHOLDER), b"")


def items(item: Item, tag: str) -> Sequence[Item]:
    """The items of a sequence; empty where it is none."""
    value: list[Any] = item.get(tag, {}).get("Value") or []
    return [cast(Item, one) for one in value if isinstance(one, dict)]


def texts(item: Item, tag: str) -> list[str]:
    """The values of an attribute as text."""
    value: list[Any] = item.get(tag, {}).get("Value") or []
    return [str(one).strip() for one in value if one is not None]


def numbers(item: Item, tag: str) -> list[float]:
    """The values of a numeric attribute; those that are no numbers, or none that anything has, are left out."""
    value: list[Any] = item.get(tag, {}).get("Value") or []
    found: list[float] = []
    for one in value:
        try:
            found.append(float(one))
        except (TypeError, ValueError):
            continue
    return [one for one in found if abs(one) <= _LARGEST_NUMBER]


def number(item: Item, tag: str, default: float) -> float:
    """The first value of a numeric attribute."""
    return next(iter(numbers(item, tag)), default)


def count_of(attributes: Item) -> int:
    """Number of Frames (0028,0008), at least 1."""
    return max(int(number(attributes, "00280008", 1)), 1)


def layout_of(attributes: Item) -> Layout:
    """How the samples of an image lie (PS3.3 C.7.6.3)."""
    allocated = 32 if "7FE00008" in attributes else 64 if "7FE00009" in attributes else 0
    bits = allocated or int(number(attributes, "00280100", 16))
    stored = int(number(attributes, "00280101", bits))
    high = int(number(attributes, "00280102", stored - 1))
    return Layout(
        rows=int(number(attributes, "00280010", 0)),
        columns=int(number(attributes, "00280011", 0)),
        samples_per_pixel=int(number(attributes, "00280002", 1)),
        photometric_interpretation=text_of(attributes, "00280004").strip() or "MONOCHROME2",
        bits_allocated=bits,
        bits_stored=bits if allocated else stored,
        high_bit=high if stored <= high + 1 <= bits else stored - 1,
        is_signed=number(attributes, "00280103", 0) == 1,
        planar_configuration=int(number(attributes, "00280006", 0)),
        is_float=allocated > 0,
    )
