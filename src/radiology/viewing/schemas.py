"""Bodies of viewing."""
# ruff: noqa: N815 - fields are named as they are sent.

from pydantic import BaseModel, ConfigDict, Field


class LinkIn(BaseModel):
    """How long a link opens its study."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"hours": 72}]})

    hours: int = Field(default=168, ge=1, le=24 * 90, description="Hours from now on.")


class LinkOut(BaseModel):
    """A link that was made. Its address is given this once."""

    id: str
    url: str
    lightUrl: str
    expiresAt: str


class ViewerOut(BaseModel):
    """Where a study is looked at."""

    studyInstanceUID: str
    priors: list[str]
    url: str
    lightUrl: str
