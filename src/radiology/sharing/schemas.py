"""Bodies of sharing."""
# ruff: noqa: N815 - fields are named as they are sent.

from pydantic import BaseModel, ConfigDict, Field


class LinkIn(BaseModel):
    """What a new link is to be."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"hours": 72, "withPin": True, "mostOpenings": 5}]}
    )

    hours: int = Field(default=168, ge=1, le=24 * 90, description="Hours from now on.")
    withPin: bool = Field(default=False, description="Whether a PIN is needed; sensitive studies have one always.")
    mostOpenings: int | None = Field(default=None, ge=1, le=1000, description="How often it opens; null for always.")


class LinkOut(BaseModel):
    """A link that was made. Address, PIN and QR code are given this once. `lightUrl` is that of a study only."""

    id: str
    url: str
    lightUrl: str | None = None
    pin: str | None = None
    expiresAt: str
    qr: str


class OpeningOut(BaseModel):
    """One opening of a link."""

    at: str
    network: str


class LinkShown(BaseModel):
    """A link in a list: never its address."""

    id: str
    reportId: str | None = None
    madeBy: str
    madeAt: str
    expiresAt: str
    withPin: bool
    mostOpenings: int | None = None
    opened: int
    wrongPins: int
    closedUntil: str | None = None
    endedAt: str | None = None
    endedBy: str | None = None
    opens: bool
    openings: list[OpeningOut]


class LinksOut(BaseModel):
    """The links of a study or report, newest first."""

    results: list[LinkShown]
