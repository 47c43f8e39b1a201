"""Bodies of film orders over REST."""

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from radiology.delivery.film.model import FILM_SIZES, MOST_CELLS, Film, Picture
from radiology.errors import FieldProblem, Unprocessable

EXAMPLE: dict[str, Any] = {
    "study": "study-123",
    "printer": "FILM1",
    "film": {"sizeId": "14INX17IN", "columns": 2, "rows": 2, "mediumType": "BLUE FILM"},
}


class FilmIn(BaseModel):
    """The film: size, layout, medium."""

    model_config = ConfigDict(extra="forbid")

    sizeId: str = Field(default="14INX17IN", description=", ".join(FILM_SIZES))  # noqa: N815
    orientation: Literal["PORTRAIT", "LANDSCAPE"] = "PORTRAIT"
    columns: int = Field(default=1, ge=1, le=12)
    rows: int = Field(default=1, ge=1, le=12)
    mediumType: Literal["PAPER", "CLEAR FILM", "BLUE FILM", "MAMMO CLEAR FILM", "MAMMO BLUE FILM"] = "BLUE FILM"  # noqa: N815
    destination: Annotated[str, StringConstraints(pattern=r"MAGAZINE|PROCESSOR|BIN_\d{1,2}")] = "PROCESSOR"
    copies: int = Field(default=1, ge=1, le=10)
    dotsPerInch: int = Field(default=150, ge=40, le=600, description="How finely images are drawn.")  # noqa: N815
    annotate: bool = Field(default=True, description="Write patient, place, time and technique into the corners.")

    def film(self) -> Film:
        """The film. Raises Unprocessable for a size or a layout that cannot be."""
        if self.sizeId not in FILM_SIZES:
            sentence = f"one of {', '.join(FILM_SIZES)}"
            raise Unprocessable(f"sizeId must be {sentence}.", fields=[FieldProblem("film.sizeId", sentence)])
        if self.columns * self.rows > MOST_CELLS:
            sentence = f"together at most {MOST_CELLS} images"
            raise Unprocessable(f"columns and rows make {sentence}.", fields=[FieldProblem("film.columns", sentence)])
        return Film(self.sizeId, self.orientation, self.columns, self.rows, self.mediumType, self.destination,
                    self.copies, self.dotsPerInch, self.annotate)  # fmt: skip


class PictureIn(BaseModel):
    """One image: an instance of the study, and one of its frames."""

    model_config = ConfigDict(extra="forbid")

    sopInstanceUID: Annotated[str, StringConstraints(pattern=r"[0-9.]{1,64}")]  # noqa: N815
    frame: int = Field(default=1, ge=1)


class SheetsIn(BaseModel):
    """What is drawn: images of one study on a film."""

    model_config = ConfigDict(extra="forbid")

    study: str = Field(description="id, studyId or Study Instance UID")
    film: FilmIn = Field(default_factory=FilmIn)
    pictures: list[PictureIn] | None = Field(default=None, description="In order; all images where left out.")

    def chosen(self) -> list[Picture] | None:
        """The pictures that are named."""
        return None if self.pictures is None else [Picture(each.sopInstanceUID, each.frame) for each in self.pictures]


class FilmOrderIn(SheetsIn):
    """A film order."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [EXAMPLE]})

    printer: Annotated[str, StringConstraints(min_length=1, max_length=16)] = Field(description="Its AE title.")


class FilmOrderOut(BaseModel):
    """A film order as it is answered."""

    id: UUID
    studyInstanceUID: str  # noqa: N815
    printer: str
    state: Literal["queued", "printing", "printed", "failed", "cancelled"]
    sheets: int
    sheetsPrinted: int  # noqa: N815
    attempts: int
    sentence: str = Field(description="What the printer said, or why nothing was printed; empty where all went well.")
    askedBy: str  # noqa: N815
    askedAt: str  # noqa: N815
    changedAt: str  # noqa: N815
    film: FilmIn
