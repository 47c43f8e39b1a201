"""What is known of one application entity."""

from dataclasses import dataclass, field

from radiology.access.model import Actor, application_entity

SERVICES = ("echo", "store", "find", "move", "get")


@dataclass(frozen=True, slots=True)
class ApplicationEntity:
    """One peer. An empty `host` means that it may call from any address."""

    ae_title: str
    host: str = ""
    port: int | None = None
    services: list[str] = field(default_factory=lambda: list(SERVICES))
    facility_code: str | None = None
    max_associations: int | None = None

    def may(self, service: str) -> bool:
        """Whether it may use a service."""
        return service in self.services

    def calls_from(self, address: str) -> bool:
        """Whether a peer address fits."""
        return self.host in {"", address}

    def actor(self) -> Actor:
        """The actor it stands for."""
        reads = any(self.may(service) for service in ("find", "move", "get"))
        return application_entity(
            self.ae_title, facility_code=self.facility_code, may_read=reads, may_write=self.may("store")
        )
