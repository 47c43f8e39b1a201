"""Bodies of application entities over REST."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from radiology.application_entities.model import SERVICES, ApplicationEntity

EXAMPLE: dict[str, Any] = {"host": "192.168.10.21", "port": 104, "services": ["echo", "store"], "facilityCode": "DMCH"}


class ApplicationEntityIn(BaseModel):
    """What is known of a peer. An empty `host` means that it may call from any address."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [EXAMPLE]})

    host: Annotated[str, StringConstraints(max_length=255, strip_whitespace=True)] = ""
    port: int | None = Field(default=None, ge=1, le=65535, description="Where it listens; needed to move images to it.")
    services: list[Literal["echo", "store", "find", "move", "get"]] = Field(default_factory=lambda: list[Any](SERVICES))
    facilityCode: Annotated[str, StringConstraints(max_length=16)] | None = None  # noqa: N815
    maxAssociations: int | None = Field(default=None, ge=1, le=10_000)  # noqa: N815

    def entity(self, ae_title: str) -> ApplicationEntity:
        """The peer of this title."""
        services = list(dict.fromkeys(self.services))
        return ApplicationEntity(ae_title, self.host, self.port, [*services], self.facilityCode, self.maxAssociations)


class ApplicationEntityOut(ApplicationEntityIn):
    """A peer as it is answered."""

    aeTitle: str  # noqa: N815


def shown(entity: ApplicationEntity) -> ApplicationEntityOut:
    """A peer as it is answered."""
    return ApplicationEntityOut.model_validate(
        {
            "aeTitle": entity.ae_title,
            "host": entity.host,
            "port": entity.port,
            "services": entity.services,
            "facilityCode": entity.facility_code,
            "maxAssociations": entity.max_associations,
        }
    )
