"""What is done to objects: profiles, and all that the engine is told for one project. Plain values, for any process."""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from radiology.standards.dicom.confidentiality import Option


class Profile(StrEnum):
    """What an export is for."""

    RESEARCH = "research"
    TEACHING = "teaching"
    TELERADIOLOGY = "teleradiology"


_CLEANED: Final = frozenset(
    {
        Option.BASIC,
        Option.CLEAN_PIXEL_DATA,
        Option.CLEAN_GRAPHICS,
        Option.CLEAN_STRUCTURED_CONTENT,
        Option.CLEAN_DESCRIPTORS,
    }
)
_RESEARCH: Final = _CLEANED | {Option.MODIFIED_DATES}

OPTIONS: Final[Mapping[Profile, frozenset[Option]]] = {
    Profile.RESEARCH: _RESEARCH,
    Profile.TEACHING: _RESEARCH | {Option.PATIENT_CHARACTERISTICS},
    Profile.TELERADIOLOGY: _CLEANED | {Option.FULL_DATES, Option.DEVICE_IDENTITY, Option.UIDS},
}

#: Those whose result is for many readers: nobody in it may stand out of a group.
NEEDS_GROUPS: Final = frozenset({Profile.RESEARCH, Profile.TEACHING})


@dataclass(frozen=True, slots=True)
class PrivateElement:
    """A private element that is known to be safe: its creator, group, and the element within its block."""

    creator: str
    group: int
    element: int


@dataclass(frozen=True, slots=True)
class Rectangle:
    """Pixels from `left`, `top` to `right`, `bottom`, the last ones included; counted from 0."""

    left: int
    top: int
    right: int
    bottom: int


@dataclass(frozen=True, slots=True)
class DeviceRegions:
    """Where one kind of device burns text into images of one size; an empty `rectangles` says that it burns in none."""

    manufacturer: str
    model: str
    rows: int
    columns: int
    rectangles: tuple[Rectangle, ...]


@dataclass(frozen=True, slots=True)
class Rules:
    """All that is decided for the objects of one project.

    `allowed_texts` are descriptions that are kept as they are, compared without regard to case. With `keep_faces` head
    CT and MR is passed on; otherwise it is withheld, because faces can be made of it.
    """

    profile: Profile
    key: bytes = field(repr=False)
    allowed_texts: frozenset[str] = frozenset()
    safe_private: tuple[PrivateElement, ...] = ()
    keep_institution: bool = False
    keep_faces: bool = False
    regions: tuple[DeviceRegions, ...] = ()

    @property
    def options(self) -> frozenset[Option]:
        """The options of the profile and those that the project adds."""
        added = {Option.SAFE_PRIVATE: bool(self.safe_private), Option.INSTITUTION_IDENTITY: self.keep_institution}
        return OPTIONS[self.profile] | {option for option, asked in added.items() if asked}

    def digest(self, purpose: str, text: str) -> bytes:
        """What the key makes of a text; the same text gives something else for each purpose."""
        return hmac.new(self.key, f"{purpose}\0{text}".encode(), hashlib.sha256).digest()
