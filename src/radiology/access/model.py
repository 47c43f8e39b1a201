"""Actor, permissions and roles."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import LiteralString

from radiology.errors import NotPermitted
from radiology.kit.db import Where


class Permission(StrEnum):
    """What somebody may do."""

    READ = "radiology.read"
    WRITE = "radiology.write"
    INTERPRET = "radiology.interpret"
    APPROVE = "radiology.approve"
    ADMINISTER = "radiology.administer"
    SENSITIVE = "radiology.sensitive"
    BREAK_GLASS = "radiology.break-glass"
    SHARE = "radiology.share"
    EXPORT = "radiology.export"
    AUDIT = "radiology.audit"
    PRIVACY = "radiology.privacy"


class Role(StrEnum):
    """What somebody is; the role decides the permissions."""

    ADMINISTRATOR = "administrator"
    CONSULTANT = "consultant"
    RADIOLOGIST = "radiologist"
    RESIDENT = "resident"
    RADIOGRAPHER = "radiographer"
    REFERRER = "referrer"
    QA = "qa"
    RECORDS = "records"
    PRIVACY_OFFICER = "privacy-officer"
    PATIENT = "patient"
    SERVICE = "service"


_READ, _WRITE, _BREAK_GLASS, _SHARE = Permission.READ, Permission.WRITE, Permission.BREAK_GLASS, Permission.SHARE
_RADIOLOGIST = frozenset({_READ, _WRITE, Permission.INTERPRET, Permission.APPROVE, _BREAK_GLASS, _SHARE})

#: `radiology.sensitive` is held by nobody because of other rights: who has it sees sensitive studies without treating
#: the patient.
ROLES: dict[Role, frozenset[Permission]] = {
    Role.ADMINISTRATOR: frozenset(Permission) - {Permission.SENSITIVE, _BREAK_GLASS},
    Role.CONSULTANT: _RADIOLOGIST,
    Role.RADIOLOGIST: _RADIOLOGIST,
    Role.RESIDENT: frozenset({_READ, _WRITE, Permission.INTERPRET, _BREAK_GLASS}),
    Role.RADIOGRAPHER: frozenset({_READ, _WRITE}),
    Role.REFERRER: frozenset({_READ, _BREAK_GLASS}),
    Role.QA: frozenset({_READ, _WRITE}),
    Role.RECORDS: frozenset({_READ, _WRITE, _SHARE, Permission.EXPORT}),
    Role.PRIVACY_OFFICER: frozenset(
        {_READ, Permission.SENSITIVE, Permission.AUDIT, Permission.PRIVACY, Permission.EXPORT}
    ),
    Role.PATIENT: frozenset({_READ}),
    Role.SERVICE: frozenset({_READ, _WRITE}),
}


@dataclass(frozen=True, slots=True)
class Reach:
    """Which studies a reader may see: of one facility, and only one study; None means every."""

    facility_code: str | None
    study_instance_uid: str | None

    def add_to(self, where: Where, *, facility: LiteralString, study: LiteralString) -> None:
        """The condition, with the columns that hold the facility and the Study Instance UID."""
        if self.facility_code is not None:
            where.add(facility + " = {facility}", facility=self.facility_code)
        if self.study_instance_uid is not None:
            where.add(study + " = {study}", study=self.study_instance_uid)


@dataclass(frozen=True, slots=True)
class Actor:
    """Whoever acts. `facility_code` None means every facility, `study_instance_uid` None every study.

    `authenticated_at` is when a person last proved who it is; None for programs and machines, which prove it each time.
    """

    id: str
    display: str
    permissions: frozenset[Permission]
    role: str = ""
    facility_code: str | None = None
    practitioner_reference: str | None = None
    study_instance_uid: str | None = None
    authenticated_at: datetime | None = None

    def may(self, permission: Permission) -> bool:
        """Whether the permission is held."""
        return permission in self.permissions

    def must(self, permission: Permission) -> None:
        """Raise NotPermitted unless the permission is held."""
        if permission not in self.permissions:
            raise NotPermitted(
                f"This needs the permission {permission.value}. Ask an administrator for a role that has it."
            )

    @property
    def reach(self) -> Reach:
        """The studies that this actor may see. Raises NotPermitted for who may not read."""
        self.must(Permission.READ)
        return Reach(self.facility_code, self.study_instance_uid)

    @property
    def reader_facility(self) -> str | None:
        """The facility of which this actor may see what is more than studies, None for all. Raises NotPermitted."""
        reach = self.reach
        if reach.study_instance_uid is not None:
            raise NotPermitted("This link opens one study, and nothing else.")
        return reach.facility_code


SYSTEM = Actor("system", "The service itself", frozenset(Permission), role="system")


def application_entity(ae_title: str, *, facility_code: str | None, may_read: bool, may_write: bool) -> Actor:
    """A calling AE title as an actor."""
    granted = {_READ: may_read, _WRITE: may_write}
    permissions = frozenset(permission for permission, held in granted.items() if held)
    return Actor(f"ae:{ae_title}", ae_title, permissions, role="application-entity", facility_code=facility_code)
