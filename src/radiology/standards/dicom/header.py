"""The header of a DICOM object in the DICOM JSON model (PS3.18 Annex F), read without its pixels."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import orjson

from radiology.standards.dicom.inflate import Inflater
from radiology.standards.dicom.limits import HeaderError, Limits
from radiology.standards.dicom.reader import Attributes, Reader
from radiology.standards.dicom.uids import EXPLICIT_VR_LITTLE_ENDIAN, TRANSFER_SYNTAXES

__all__ = ["Header", "HeaderError", "Limits", "read_header"]

_DEFAULT_LIMITS = Limits()


@dataclass(frozen=True, slots=True)
class Header:
    """The attributes of one object, in DICOM JSON form, and where its pixel data lies.

    `attributes` maps eight hexadecimal digits to `{"vr": ..., "Value": [...]}`, in the order of tags.
    `pixel_data_offset` is the place in the file of the first byte of the value of (7FE0,0010), (7FE0,0008) or
    (7FE0,0009), `pixel_data_length` its declared length in bytes, None when encapsulated. Both are None without pixel
    data; of a deflated data set only the length is known. `flags` are remarks on what was read: see `reader`.
    """

    transfer_syntax_uid: str
    character_set: tuple[str, ...]
    attributes: Attributes
    pixel_data_offset: int | None
    pixel_data_length: int | None
    flags: frozenset[str]

    def json(self) -> bytes:
        """The attributes as one DICOM JSON object, keys in the order of tags."""
        return orjson.dumps(self.attributes)

    def values(self, tag: str) -> list[Any]:
        """The values of an attribute by its eight hexadecimal digits; empty when absent or empty."""
        element = self.attributes.get(tag)
        return element.get("Value", []) if element is not None else []

    def text(self, tag: str) -> str:
        """The first value as text without padding, a name as `Alphabetic=Ideographic=Phonetic`; "" when absent."""
        values = self.values(tag)
        if not values or values[0] is None:
            return ""
        if isinstance(values[0], dict):
            # Of a sequence nothing is text.
            groups = self.names(tag)
            return "=".join(groups.get(name, "") for name in ("Alphabetic", "Ideographic", "Phonetic")).rstrip("=")
        return str(values[0]).strip()

    def number(self, tag: str) -> int | float | None:
        """The first value as a number; None when absent, or when it is no number."""
        values = self.values(tag)
        return values[0] if values and isinstance(values[0], int | float) else None

    def names(self, tag: str) -> dict[str, str]:
        """The component groups of the first person name; empty when absent."""
        element = self.attributes.get(tag, {})
        return element["Value"][0] or {} if element.get("vr") == "PN" and "Value" in element else {}


def read_header(
    window: bytes | bytearray | memoryview,
    *,
    data_set_offset: int,
    transfer_syntax_uid: str,
    size: int,
    read_at: Callable[[int, int], bytes] | None = None,
    limits: Limits = _DEFAULT_LIMITS,
) -> Header:
    """Read the data set that begins at `data_set_offset` of a file of `size` bytes, of which `window` is the beginning.

    What the window does not hold is asked from `read_at(offset, length)`, which may give less at the end of the file.
    Without it a header that leaves the window is an error. Raises HeaderError, with the element, when the data set
    cannot be followed or exceeds a limit.
    """
    syntax = TRANSFER_SYNTAXES.get(transfer_syntax_uid, TRANSFER_SYNTAXES[EXPLICIT_VR_LITTLE_ENDIAN])
    if syntax.deflated:
        inflater = Inflater(window, data_set_offset, size, read_at, limits)
        reader = Reader(b"", 0, limits.max_inflated_bytes + 1, inflater.read_at, limits)
        reader.deflated = True
    else:
        reader = Reader(window, data_set_offset, size, read_at, limits)
    attributes = reader.read(implicit=syntax.implicit_vr, big=syntax.big_endian)
    return Header(
        transfer_syntax_uid=transfer_syntax_uid,
        character_set=reader.character_set,
        attributes=attributes,
        pixel_data_offset=reader.pixel_data_offset,
        pixel_data_length=reader.pixel_data_length,
        flags=frozenset(reader.flags),
    )
