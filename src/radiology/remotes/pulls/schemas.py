"""Bodies of pulls over REST."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, StringConstraints

EXAMPLE: dict[str, Any] = {"studyInstanceUID": "1.2.840.113619.2.55.3.1"}

UID = Annotated[str, StringConstraints(pattern=r"^[0-9.]{1,64}$")]


class PullIn(BaseModel):
    """Which study is to be fetched."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [EXAMPLE]})

    studyInstanceUID: UID  # noqa: N815
    priority: Literal["low", "medium", "high"] = "medium"
