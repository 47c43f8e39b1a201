"""What is shown of storage commitment with what was sent."""

from typing import Literal

from pydantic import BaseModel, Field


class CommitmentOut(BaseModel):
    """Whether the receiver keeps what was sent to it."""

    state: Literal["none", "asked", "committed", "failed"] = Field(
        description="`none`: it was not asked, since its record does not say that it offers storage commitment, "
        "or since not all is sent."
    )
    sentence: str
    failedSOPInstanceUIDs: list[str] = Field(description="What it does not keep; retry sends it again.")  # noqa: N815
