"""The words by which somebody could be known in free text: gathered from an object, and looked for in what is left.

The table of the standard decides by attribute. This comes behind it: a name that somebody typed where no name belongs,
such as into a protocol or a kernel, is found because the same object says elsewhere whose name it is.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from pydicom.dataset import Dataset
from pydicom.valuerep import PersonName

_IDENTIFIERS: Final = frozenset(
    {
        0x00080050, 0x00080080, 0x00080081, 0x00080092, 0x00080094, 0x00081010, 0x00081040, 0x00100020, 0x00101000,
        0x00101001, 0x00101040, 0x00102154, 0x00102155, 0x00181000, 0x00200010, 0x00380010, 0x00380300, 0x00380400,
        0x00401001, 0x00402016, 0x00402017,
    }
)  # fmt: skip
"""Accession number, institution and its address and department, addresses, telephones, station, serial number, ids."""
_DEVICE: Final = frozenset({0x00081010, 0x00181000})
_INSTITUTION: Final = frozenset({0x00080080, 0x00080081, 0x00081040})
_PARTS = re.compile(r"[\s^=,;/\\]+")
#: Shorter ones are words of everybody's; of scripts with longer characters two are a name.
_SHORTEST_NAME, _SHORTEST_OTHER, _SHORTEST_ID = 3, 2, 4
#: Shorter ones are only looked for as whole words.
_WHOLE_WORD_BELOW = 6
#: Parts of names that are words of the trade too.
_COMMON: Final = frozenset(("anonymous", "anonymized", "unknown", "patient", "test", "phantom", "image", "none"))


@dataclass(frozen=True, slots=True)
class Words:
    """Looks for any of the words; of an object that names nobody there are none."""

    pattern: re.Pattern[str] | None
    raw: tuple[bytes, ...]

    def are_in(self, text: str) -> bool:
        """Whether one of them is in a text."""
        return self.pattern is not None and self.pattern.search(text.casefold()) is not None

    def are(self, text: str) -> bool:
        """Whether a text is one of them and nothing else."""
        return self.pattern is not None and self.pattern.fullmatch(text.casefold()) is not None

    def are_in_bytes(self, data: bytes) -> bool:
        """Whether one of the longer ones is in bytes."""
        folded = data.lower()
        return any(word in folded for word in self.raw)


def words_of(
    dataset: Dataset, *, keep_device: bool, keep_institution: bool, keep_dates: bool, keep_uids: bool
) -> Words:
    """The words of an object: of every person's name in it, of identifiers, dates and UIDs that are not kept."""
    kept = (_DEVICE if keep_device else frozenset[int]()) | (_INSTITUTION if keep_institution else frozenset[int]())
    found: set[str] = set()
    for element in _elements(dataset):
        for text in texts_of(element.value):
            if element.VR == "PN":
                found |= set(_names(text))
            elif element.tag in _IDENTIFIERS - kept:
                found |= set(_identifiers(text))
            elif element.tag == 0x00100030 or (element.VR == "DA" and not keep_dates):
                found |= set(_dates(text))
            elif element.VR == "UI" and not keep_uids and not text.startswith("1.2.840.10008."):
                found |= {text} if len(text) > 8 else set()
    words = {word.casefold() for word in found} - _COMMON
    if not words:
        return Words(None, ())
    raw = tuple(word.encode() for word in words if len(word) >= _WHOLE_WORD_BELOW)
    return Words(re.compile("|".join(sorted(map(_pattern, words), key=len, reverse=True))), raw)


def texts_of(value: Any) -> list[str]:
    """The values of an element as texts."""
    if value is None or isinstance(value, bytes):
        return []
    if isinstance(value, str | PersonName) or not isinstance(value, Iterable):
        value = [value]
    several: list[Any] = list(value)  # pyright: ignore[reportUnknownArgumentType] - pydicom has no types for it.
    return [str(each) for each in several if each is not None and str(each)]


def _elements(dataset: Dataset) -> Iterator[Any]:
    for element in dataset:
        if element.VR == "SQ":
            for item in element.value:
                yield from _elements(item)
        else:
            yield element


def _names(text: str) -> Iterator[str]:
    for part in _PARTS.split(text):
        part = part.strip(".()[]'\"")
        if len(part) >= (_SHORTEST_NAME if part.isascii() else _SHORTEST_OTHER) and not part.isdigit():
            yield part


def _identifiers(text: str) -> Iterator[str]:
    text = text.strip()
    if len(text) >= _SHORTEST_ID:
        yield text


def _dates(text: str) -> Iterator[str]:
    digits = text.strip().replace(".", "")
    if len(digits) == 8 and digits.isdigit():
        yield digits
        yield f"{digits[:4]}-{digits[4:6]}-{digits[6:]}"


def _pattern(word: str) -> str:
    escaped = re.escape(word)
    return escaped if len(word) >= _WHOLE_WORD_BELOW else rf"(?<!\w){escaped}(?!\w)"
