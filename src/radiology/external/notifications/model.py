"""What people are told, and who carries it to them. Pure."""

import re
from dataclasses import dataclass
from typing import Final, Protocol
from uuid import UUID

from radiology.standards.dicom.bangla import latin_digits

_MOBILE: Final = re.compile(r"(?:\+?88)?(01[3-9]\d{8})")


@dataclass(frozen=True, slots=True)
class Message:
    """What somebody is told. `about` says of what, as BreakGlass/<id>."""

    kind: str
    subject: str
    text: str
    about: str


@dataclass(frozen=True, slots=True)
class Letter:
    """A message of the inbox on its way to an address."""

    id: UUID
    email: str
    subject: str
    text: str


class Courier(Protocol):
    """Carries letters out of the house. The inbox has each of them already, so losing one loses nothing."""

    async def carry(self, letter: Letter) -> None:
        """Hand a letter over. Raises Unavailable where it may be tried again, Unprocessable where it never can be."""
        ...


@dataclass(frozen=True, slots=True)
class ShortMessage:
    """A text for a mobile phone. A gateway that is given the same id twice sends it once."""

    id: UUID
    mobile: str
    text: str


class Gateway(Protocol):
    """Carries short messages to mobile phones."""

    async def send(self, message: ShortMessage) -> str:
        """Hand a message over; returns what the gateway calls it. Raises Unavailable, or Unprocessable for never."""
        ...


def mobile_number(text: str) -> str | None:
    """A mobile number of Bangladesh as +8801XXXXXXXXX, however it is written; None for what is none."""
    found = _MOBILE.fullmatch(re.sub(r"[\s()-]", "", latin_digits(text)))
    return f"+88{found[1]}" if found else None
