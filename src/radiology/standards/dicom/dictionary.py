"""The data dictionary of PS3.6 as the header reader needs it: tag -> VR, from pydicom's tables."""

from typing import cast

from pydicom._dicom_dict import DicomDictionary, RepeatersDictionary
from pydicom._private_dict import private_dictionaries

#: VR by tag, for the tags that do not repeat. An ambiguous one reads like "US or SS".
VR_OF: dict[int, str] = {tag: entry[0] for tag, entry in DicomDictionary.items()}

_MASKS: list[tuple[int, int, str]] = [
    (
        int("".join("0" if c == "x" else "F" for c in mask), 16),
        int(mask.replace("x", "0"), 16),
        entry[0],
    )
    for mask, entry in RepeatersDictionary.items()
]
_PRIVATE = cast("dict[str, dict[str, tuple[str, ...]]]", private_dictionaries)


def vr_of(tag: int) -> str | None:
    """The VR of a standard tag, also of a repeating group such as 60xx; None when the standard does not define it."""
    vr = VR_OF.get(tag)
    if vr is None and not tag & 0x10000:
        if tag & 0xFFFF == 0:
            return "UL"
        vr = next((name for mask, base, name in _MASKS if tag & mask == base), None)
    return vr or None


def private_vr_of(tag: int, creator: str) -> str | None:
    """The VR of a private tag by its creator, where pydicom's private dictionary knows it."""
    entries = _PRIVATE.get(creator)
    if entries is None:
        return None
    group, element = tag >> 16, tag & 0xFF
    entry = entries.get(f"{group:04X}xx{element:02X}") or entries.get(f"{group:04x}xx{element:02x}")
    return entry[0] if entry else None
