"""The data dictionary of PS3.6 as the readers need it: tag -> VR, keyword -> tag, and the VRs of known private tags."""

from functools import cache

from radiology.standards.dicom._dictionary_tables import PRIVATE, REPEATING, STANDARD


def _rows(table: str) -> list[tuple[str, str, str]]:
    """Tag or mask, VR and keyword of each line."""
    return [(line[:8], *_two(line[9:])) for line in table.splitlines()]


def _two(text: str) -> tuple[str, str]:
    vr, _, keyword = text.partition(" ")
    return "" if vr == "-" else vr, keyword


_STANDARD = {int(tag, 16): (vr, keyword) for tag, vr, keyword in _rows(STANDARD)}
_BY_KEYWORD = {keyword: tag for tag, (_, keyword) in _STANDARD.items() if keyword}


def _mask(pattern: str) -> tuple[int, int]:
    """The bits that a repeating tag fixes, and what they are."""
    return int("".join("0" if c == "x" else "F" for c in pattern), 16), int(pattern.replace("x", "0"), 16)


_REPEATING = [(*_mask(pattern), vr) for pattern, vr, _ in _rows(REPEATING)]


def vr_of(tag: int) -> str | None:
    """The VR of a standard tag, also of a repeating group such as 60xx; None when the standard defines none.

    An ambiguous one has its alternatives joined by slashes, such as "US/SS".
    """
    if (entry := _STANDARD.get(tag)) is not None:
        return entry[0] or None
    if tag & 0x10000:
        return None
    if tag & 0xFFFF == 0:
        return "UL"
    return next((vr for mask, base, vr in _REPEATING if tag & mask == base), None) or None


def keyword_of(tag: int) -> str:
    """The keyword of a tag; "" for private and unknown ones."""
    return _STANDARD.get(tag, ("", ""))[1]


def tag_of_keyword(keyword: str) -> int | None:
    """The tag that has this keyword, or None."""
    return _BY_KEYWORD.get(keyword)


@cache
def _private() -> dict[str, dict[str, str]]:
    """VR by group and element (without its block), by private creator. Read when the first private tag asks for it."""
    creators: dict[str, dict[str, str]] = {}
    tags: dict[str, str] = {}
    for line in PRIVATE.splitlines():
        if line.startswith("="):
            tags = creators.setdefault(line[1:], {})
        else:
            vr, *elements = line.split(" ")
            tags.update(dict.fromkeys(elements, vr))
    return creators


def private_vr_of(tag: int, creator: str) -> str | None:
    """The VR of a private tag by its creator (PS3.5 7.8.1), where a private dictionary knows it."""
    tags = _private().get(creator)
    return tags.get(f"{tag >> 16:04X}{tag & 0xFF:02X}") if tags is not None else None
