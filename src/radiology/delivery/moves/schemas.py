"""Bodies of moves over REST."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from radiology.delivery.commitment.schemas import CommitmentOut
from radiology.delivery.moves.model import Status
from radiology.studies.queries.retrieve import Target

EXAMPLE: dict[str, Any] = {"studyInstanceUID": "1.2.840.113619.2.55.3.1", "destinationAE": "WORKSTATION1"}

UID = Annotated[str, StringConstraints(pattern=r"^[0-9.]{1,64}$")]


class MoveIn(BaseModel):
    """What is to be moved, and where to."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [EXAMPLE]})

    studyInstanceUID: UID  # noqa: N815
    seriesInstanceUID: UID | None = None  # noqa: N815
    sopInstanceUID: UID | None = None  # noqa: N815
    destinationAE: Annotated[str, StringConstraints(min_length=1, max_length=16)] = Field(  # noqa: N815
        description="The AE title of a registered application entity that is a move destination."
    )
    priority: Literal["low", "medium", "high"] = "medium"

    def target(self) -> Target:
        """What is to be moved."""
        return Target(self.studyInstanceUID, self.seriesInstanceUID, self.sopInstanceUID)


class InstanceOut(BaseModel):
    """What became of one instance."""

    sopInstanceUID: str  # noqa: N815
    result: Literal["remaining", "completed", "warning", "failed"]
    status: str | None = Field(description="Of the C-STORE, four hexadecimal digits.")
    sentence: str


class MoveOut(BaseModel):
    """A move, and how far it has come."""

    jobId: UUID  # noqa: N815
    status: Status
    studyInstanceUID: str  # noqa: N815
    seriesInstanceUID: str | None  # noqa: N815
    sopInstanceUID: str | None  # noqa: N815
    destinationAE: str  # noqa: N815
    priority: Literal["low", "medium", "high"]
    attempts: int = Field(description="How many attempts have ended.")
    sentence: str = Field(description="Why it waits or failed.")
    nextAttemptAt: datetime | None  # noqa: N815
    askedBy: str  # noqa: N815
    askedAt: datetime  # noqa: N815
    changedAt: datetime  # noqa: N815
    total: int
    remaining: int
    completed: int
    warning: int
    failed: int
    failedSOPInstanceUIDs: list[str]  # noqa: N815
    commitment: CommitmentOut
    instances: list[InstanceOut] | None = Field(default=None, description="Left out in lists.")
