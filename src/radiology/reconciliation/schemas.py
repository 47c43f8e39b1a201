"""Bodies of repairs over REST."""

from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

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


class UndoIn(BaseModel):
    """Why a repair is undone."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"reason": "It was right before."}]})

    reason: Reason
    version: int | None = Field(default=None, ge=1, le=2**31 - 1)
