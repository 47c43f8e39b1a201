"""What people are told, and who carries it to them. Pure."""

from dataclasses import dataclass
from typing import Protocol
from uuid import UUID


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
