"""Bodies of application entities over REST."""

from dataclasses import fields
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_validator
from pydantic.alias_generators import to_camel

from radiology.application_entities.model import DEFAULT_SERVICES, ApplicationEntity

EXAMPLE: dict[str, Any] = {
    "host": "192.168.10.21",
    "port": 104,
    "hosts": ["192.168.10.21", "192.168.12.0/24"],
    "services": ["echo", "store", "mwl", "mpps", "commit"],
    "facilityCode": "DMCH",
    "tls": "allowed",
    "description": "CT scanner of the emergency department",
}

Service = Literal[
    "echo",
    "store",
    "find",
    "move",
    "get",
    "mwl",
    "mpps",
    "commit",
    "ups",
    "ian",
    "print",
    "mpps-forward",
    "mpps-notify",
]
Host = Annotated[str, StringConstraints(max_length=255, strip_whitespace=True)]
Word = Annotated[str, StringConstraints(max_length=64, strip_whitespace=True)]


class ApplicationEntityIn(BaseModel):
    """What is known of a peer."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [EXAMPLE]}, alias_generator=to_camel, populate_by_name=True
    )

    host: Host = Field(default="", description="Where it listens: an address or a name.")
    port: int | None = Field(default=None, ge=1, le=65535, description="Where it listens; needed to send images to it.")
    hosts: list[Host] = Field(
        default_factory=list,
        max_length=100,
        description="Addresses, networks (CIDR) or names it may call from. Empty: from `host`, and where that is empty "
        "too, from anywhere.",
    )
    services: list[Service] = Field(
        default_factory=lambda: list[Any](DEFAULT_SERVICES),
        description="What it may use, and what it is used for: `ian` is told of availability, `print` prints, "
        "`mpps-forward` is sent the performed procedure steps that modalities report, `mpps-notify` is told of them.",
    )
    facility_code: Annotated[str, StringConstraints(max_length=16)] | None = None
    move_destination: bool = Field(default=False, description="Whether images may be sent to it on request (C-MOVE).")
    tls: Literal["required", "allowed", "off"] = "allowed"
    certificate_fingerprint: Annotated[str, StringConstraints(max_length=128)] = Field(
        default="", description="SHA-256 of its certificate, hexadecimal; colons may stand between."
    )
    certificate_subject: Annotated[str, StringConstraints(max_length=255, strip_whitespace=True)] = Field(
        default="", description="Common name or subject alternative name of its certificate."
    )
    max_associations: int | None = Field(default=None, ge=1, le=10_000, description="How many it may open at once.")
    outgoing_associations: int = Field(
        default=4, ge=1, le=100, description="How many we open to it at once; 1 for peers that take only one."
    )
    transfer_syntaxes: list[Word] = Field(
        default_factory=list, max_length=64, description="Transfer syntax UIDs in the order we prefer for it."
    )
    wide_area: bool = Field(default=False, description="Reached over a slow network: compressed is preferred.")
    default_charset: Word = Field(default="", description="Specific Character Set for it, as `ISO_IR 100`.")
    utc_offset: Word = Field(default="", description="Its offset from UTC, as `+0600`.")
    sensitive_access: Literal["none", "mask", "full"] = "none"
    trusted_for_rejection: bool = Field(default=False, description="Whether its rejection notes are followed at once.")
    wants_warnings: bool = Field(default=True, description="Whether it takes warning statuses; else it gets 0000.")
    auto_complete: bool = Field(
        default=True,
        description="Whether its studies are complete when nothing has come for a while; else by MPPS, or by a person.",
    )
    offers_commitment: bool = Field(
        default=False,
        description="Whether it is asked for storage commitment of what was sent to it. Most peers do not offer that.",
    )
    checks_user: bool = Field(
        default=False, description="Whether its associations must bring name and passcode of an account."
    )
    dicomweb_url: Host = Field(
        default="", description="The base of its DICOMweb; then it is called by that and not by DIMSE."
    )
    dicomweb_user: Host = Field(default="", description="The name there (Basic); empty for a bearer token.")
    dicomweb_secret: Annotated[str, StringConstraints(max_length=4096)] | None = Field(
        default=None, description="Password or token there. Never answered; null keeps it while the URL stays the same."
    )
    enabled: bool = True
    description: Annotated[str, StringConstraints(max_length=500, strip_whitespace=True)] = ""

    @field_validator("certificate_fingerprint")
    @classmethod
    def _bare_digits(cls, value: str) -> str:
        return value.replace(":", "").replace(" ", "").lower()

    def entity(self, ae_title: str) -> ApplicationEntity:
        """The peer of this title."""
        given: dict[str, Any] = self.model_dump()
        given["ae_title"], given["services"] = ae_title, list(dict.fromkeys(self.services))
        given["dicomweb_url"] = self.dicomweb_url.rstrip("/")
        given["dicomweb_secret"] = self.dicomweb_secret or ""
        return ApplicationEntity(**given)


class ApplicationEntityOut(ApplicationEntityIn):
    """A peer as it is answered."""

    ae_title: str


def shown(entity: ApplicationEntity) -> ApplicationEntityOut:
    """A peer as it is answered."""
    values = {each.name: getattr(entity, each.name) for each in fields(entity)}
    return ApplicationEntityOut.model_validate(values | {"dicomweb_secret": None})
