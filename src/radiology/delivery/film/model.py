"""Film orders: what is printed, on which film, how it is laid out, and how far it has come."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from uuid import UUID

from radiology.errors import Unprocessable

MILLIMETRES_PER_INCH = 25.4
MOST_SHEETS = 50
MOST_CELLS = 60

#: Film Size ID (2010,0050) and the sides in inches, short side first (PS3.3 table C.13-3).
FILM_SIZES: Mapping[str, tuple[float, float]] = {
    "8INX10IN": (8, 10),
    "8_5INX11IN": (8.5, 11),
    "10INX12IN": (10, 12),
    "10INX14IN": (10, 14),
    "11INX14IN": (11, 14),
    "11INX17IN": (11, 17),
    "14INX14IN": (14, 14),
    "14INX17IN": (14, 17),
    "24CMX24CM": (24 / 2.54, 24 / 2.54),
    "24CMX30CM": (24 / 2.54, 30 / 2.54),
    "A4": (210 / MILLIMETRES_PER_INCH, 297 / MILLIMETRES_PER_INCH),
    "A3": (297 / MILLIMETRES_PER_INCH, 420 / MILLIMETRES_PER_INCH),
}


class State(StrEnum):
    """How far a film order has come."""

    QUEUED = "queued"
    PRINTING = "printing"
    PRINTED = "printed"
    FAILED = "failed"
    CANCELLED = "cancelled"


TRANSITIONS: Mapping[State, frozenset[State]] = {
    State.QUEUED: frozenset({State.PRINTING, State.CANCELLED}),
    State.PRINTING: frozenset({State.PRINTED, State.QUEUED, State.FAILED, State.CANCELLED}),
    State.PRINTED: frozenset(),
    State.FAILED: frozenset({State.QUEUED}),
    State.CANCELLED: frozenset(),
}


@dataclass(frozen=True, slots=True)
class Film:
    """One kind of sheet: its size, how many images lie on it, and how fine they are drawn."""

    size_id: str = "14INX17IN"
    orientation: str = "PORTRAIT"
    columns: int = 1
    rows: int = 1
    medium_type: str = "BLUE FILM"
    destination: str = "PROCESSOR"
    copies: int = 1
    dots_per_inch: int = 150
    annotate: bool = True

    @property
    def cells(self) -> int:
        """How many images lie on a sheet."""
        return self.columns * self.rows

    @property
    def display_format(self) -> str:
        """Image Display Format (2010,0010), PS3.3 C.13.3.1: columns, then rows."""
        return f"STANDARD\\{self.columns},{self.rows}"

    @property
    def cell_pixels(self) -> tuple[int, int]:
        """Width and height of the place for one image, in pixels."""
        short, long = FILM_SIZES[self.size_id]
        wide, high = (long, short) if self.orientation == "LANDSCAPE" else (short, long)
        return int(wide * self.dots_per_inch) // self.columns, int(high * self.dots_per_inch) // self.rows


@dataclass(frozen=True, slots=True)
class Picture:
    """One image on film: an instance and one of its frames, from 1."""

    sop_instance_uid: str
    frame: int = 1


@dataclass(frozen=True, slots=True)
class FilmOrder:
    """What was asked for, and how far it has come."""

    id: UUID
    study_instance_uid: str
    printer: str
    film: Mapping[str, Any]
    pictures: Sequence[Mapping[str, Any]]
    state: str
    sheets_printed: int
    attempts: int
    sentence: str
    asked_by: str


def sheets_of(pictures: Sequence[Picture], cells: int) -> list[Sequence[Picture]]:
    """The pictures of each sheet, in order. Raises Unprocessable for none, and for more than a person would want."""
    if not pictures:
        raise Unprocessable("There is no image to print.")
    sheets = [pictures[start : start + cells] for start in range(0, len(pictures), cells)]
    if len(sheets) > MOST_SHEETS:
        raise Unprocessable(
            f"This would need {len(sheets)} sheets, at most {MOST_SHEETS} are printed at once. "
            "Choose fewer images, or more images on a sheet."
        )
    return sheets


def must_follow(state: State, following: State) -> None:
    """Raise Unprocessable where an order cannot go from one state to the other."""
    if following not in TRANSITIONS[state]:
        raise Unprocessable(f"A film order that is {state.value} cannot become {following.value}.")
