"""Bodies of repairs over REST."""

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

Reason = Annotated[str, StringConstraints(min_length=3, max_length=1_000, strip_whitespace=True)]
StudyName = Annotated[str, StringConstraints(min_length=1, max_length=64)]
Reference = Annotated[str, StringConstraints(pattern=r"^ServiceRequest/[A-Za-z0-9.\-]{1,64}$")]


class RepairIn(BaseModel):
    """Why something is put right, and the version of the study that was looked at."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"reason": "Asked the radiographer.", "version": 3}]}
    )

    reason: Reason
    version: int | None = Field(default=None, ge=1, le=2**31 - 1)

    @property
    def asked(self) -> dict[str, Any]:
        """What tells this request from others."""
        return self.model_dump(mode="json", exclude_none=True)


class AttachIn(RepairIn):
    """The worklist item, or the order with one item, to which a study belongs."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"reason": "Typed at the scanner.", "order": "ServiceRequest/111"}]},
    )

    item: UUID | None = None
    order: Reference | None = None


_Text = Annotated[str, StringConstraints(max_length=64, strip_whitespace=True, pattern=r"^[^\\\x00-\x1f\x7f]*$")]

_Name = Annotated[str, StringConstraints(max_length=200, strip_whitespace=True, pattern=r"^[^\\\x00-\x1f]*$")]


class PatientIn(BaseModel):
    """What is right about the patient; what is left out stays. An empty text is served as an empty value."""

    model_config = ConfigDict(extra="forbid")

    id: Annotated[_Text, StringConstraints(min_length=1)] | None = None
    issuer: _Text | None = None
    name: _Name | None = Field(
        default=None, description="Family^Given. A name in Bangla is given in Latin letters, too."
    )
    nameBangla: _Name | None = Field(  # noqa: N815
        default=None, description="Beside `name`. Where it is left out, no Bangla name is served."
    )
    birthDate: Annotated[str, StringConstraints(pattern=r"^(\d{4}-?\d{2}-?\d{2})?$")] | None = None  # noqa: N815
    sex: Literal["M", "F", "O", ""] | None = None

    @model_validator(mode="after")
    def _together(self) -> "PatientIn":
        if self.nameBangla is not None and self.name is None:
            raise ValueError("nameBangla is given together with name: both are served together")
        return self


class CorrectIn(RepairIn):
    """What is right about a study; what is left out stays."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"reason": "Typed wrong.", "patient": {"name": "KARIM^ABDUL"}}]},
    )

    patient: PatientIn | None = None
    accessionNumber: Annotated[_Text, StringConstraints(max_length=16)] | None = None  # noqa: N815
    referringPhysician: _Text | None = None  # noqa: N815
    studyDescription: _Text | None = None  # noqa: N815


_UID = Annotated[str, StringConstraints(pattern=r"^[0-9.]{1,64}$")]


class ToIn(BaseModel):
    """Where images belong: to a study, to what was ordered (an item of the worklist), or to a patient."""

    model_config = ConfigDict(extra="forbid")

    study: StudyName | None = None
    item: UUID | None = None
    patient: Annotated[str, StringConstraints(min_length=1, max_length=100)] | None = None


class SelectionIn(RepairIn):
    """Series and instances of a study."""

    series: list[_UID] = Field(default_factory=list, max_length=1_000)
    instances: list[_UID] = Field(default_factory=list, max_length=20_000)


class SplitIn(SelectionIn):
    """What is to be a study of its own."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"reason": "Another examination.", "series": ["1.2.3"]}]}
    )


class MoveIn(SelectionIn):
    """Series and instances of a study, all of it where none is named, and where they belong."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"reason": "Wrong entry selected.", "to": {"patient": "Patient/12345"}}]},
    )

    to: ToIn


class MergeIn(RepairIn):
    """The study with which another is one examination; `physical` moves the images there."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"reason": "One examination in two parts.", "with": "study-7"}]}
    )

    with_: StudyName = Field(alias="with")
    physical: bool = False


class UndoIn(BaseModel):
    """Why a repair is undone."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"reason": "It was right before."}]})

    reason: Reason
    version: int | None = Field(default=None, ge=1, le=2**31 - 1)
