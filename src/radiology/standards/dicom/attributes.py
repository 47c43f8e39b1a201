"""Attribute names on the wire: keyword, eight hexadecimal digits, or a path through sequences (PS3.18 8.3.4.1)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from radiology.standards.dicom import dictionary
from radiology.standards.dicom.plans import usual_vr

_TAG = re.compile(r"\(?([0-9A-Fa-f]{4}),?([0-9A-Fa-f]{4})\)?")


#: No object nests deeper where people search.
_DEEPEST = 16


class UnknownAttributeError(ValueError):
    """The name is neither a keyword nor a tag; `name` is the part that is not known."""

    def __init__(self, name: str) -> None:
        super().__init__(f"{name!r} is neither a DICOM keyword nor a tag of eight hexadecimal digits")
        self.name = name


@dataclass(frozen=True, slots=True)
class AttributePath:
    """An attribute, perhaps inside sequences. `tags` go from the outermost sequence to the attribute itself."""

    tags: tuple[str, ...]
    vr: str

    @property
    def tag(self) -> str:
        """The attribute itself, without the sequences around it."""
        return self.tags[-1]

    def __str__(self) -> str:
        return ".".join(keyword_of(tag) or tag for tag in self.tags)


def text_of(attributes: Mapping[str, Any], tag: str) -> str:
    """The first value of an attribute in the DICOM JSON model as text, empty where there is none."""
    values: list[Any] = attributes.get(tag, {}).get("Value") or [""]
    return str(values[0] or "")


@lru_cache(maxsize=512)
def tag_of(text: str) -> AttributePath:
    """Look up `PatientID`, `00100020`, `0010,0020` or a path such as `0040A730.ConceptNameCodeSequence.CodeValue`.

    Raises UnknownAttributeError, also for a path that goes on after something that is no sequence.
    """
    *sequences, tag = (_tag(part) for part in text.strip().split("."))
    if len(sequences) >= _DEEPEST or any(_vr(sequence) not in ("SQ", "UN") for sequence in sequences):
        raise UnknownAttributeError(text[:80])
    return AttributePath((*sequences, tag), _vr(tag))


def _tag(part: str) -> str:
    if (number := dictionary.tag_of_keyword(part)) is not None:
        return f"{number:08X}"
    if (match := _TAG.fullmatch(part)) is not None:
        return (match[1] + match[2]).upper()
    raise UnknownAttributeError(part[:80])


def _vr(tag: str) -> str:
    return usual_vr(dictionary.vr_of(int(tag, 16)) or "UN")


def keyword_of(tag: str) -> str:
    """The keyword of a tag of eight hexadecimal digits; "" for private and unknown ones."""
    return dictionary.keyword_of(int(tag, 16))
