"""What every action is given: settings, database, objects and clock of one process."""

from dataclasses import dataclass, field

from radiology.external.billing.http import HTTPBilling
from radiology.external.billing.local import LocalBilling
from radiology.external.billing.model import BillingService
from radiology.external.patients.fhir import FHIRPatients
from radiology.external.patients.model import PatientRegistry
from radiology.external.practitioners.fhir import FHIRRegistry
from radiology.external.practitioners.local import LocalRegistry
from radiology.external.practitioners.model import Registry
from radiology.kit.clock import Clock, SystemClock
from radiology.kit.db import Database
from radiology.kit.objects import LocalObjects
from radiology.settings import Settings


@dataclass(frozen=True, slots=True)
class App:
    """One process of the product. Open it once, close it at the end."""

    settings: Settings
    db: Database
    objects: LocalObjects
    clock: Clock = field(default_factory=SystemClock)
    practitioners: Registry = field(init=False)
    patients: PatientRegistry | None = field(init=False)
    billing: BillingService = field(init=False)
    attachments: LocalObjects = field(init=False)

    def __post_init__(self) -> None:
        url, secret = self.settings.practitioner_registry_url, self.settings.practitioner_registry_token
        token = secret.get_secret_value() if secret else None
        object.__setattr__(self, "practitioners", FHIRRegistry(url, token=token) if url else LocalRegistry(self.db))
        url, secret = self.settings.patient_registry_url, self.settings.patient_registry_token
        token = secret.get_secret_value() if secret else None
        object.__setattr__(self, "patients", FHIRPatients(url, token=token) if url else None)
        url, secret = self.settings.billing_service_url, self.settings.billing_service_token
        token = secret.get_secret_value() if secret else None
        object.__setattr__(self, "billing", HTTPBilling(url, token=token) if url else LocalBilling(self.db))
        attachments = LocalObjects(self.settings.attachments_dir, reserve_bytes=self.settings.disk_reserve_bytes)
        object.__setattr__(self, "attachments", attachments)

    @classmethod
    def of(cls, settings: Settings, *, connections: int = 10) -> "App":
        """Everything that the settings name, not yet opened."""
        objects = LocalObjects(settings.objects_dir, reserve_bytes=settings.disk_reserve_bytes)
        return cls(settings, Database(settings.database_dsn, connections=connections), objects)
