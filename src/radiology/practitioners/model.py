"""Who may write technical data, interpret and approve: the permission, and what the registry says. Pure.

The specification grants by permission or by a practitioner's specialty. Here a permission is needed and what the
registry knows must not speak against it; a radiology specialty alone lets somebody write technical data, no more.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final

from radiology.access.model import Actor, Permission, Role
from radiology.external.practitioners.model import Practitioner

RADIOLOGY: Final = frozenset({"radiology", "diagnostic_radiology"})
SONOLOGY: Final = frozenset({"sonology"})
ULTRASOUND: Final = frozenset({"US"})
ALL: Final = "*"
#: Modalities of what is made from images, or beside them: nobody needs a privilege for them.
DERIVED: Final = frozenset({"SR", "PR", "KO", "DOC", "SEG", "REG", "FID", "RWV", "AU", "OT"})
PERSONNEL: Final = frozenset({Role.RADIOGRAPHER, Role.RESIDENT, Role.RADIOLOGIST, Role.CONSULTANT})


class Refusal(StrEnum):
    """Why somebody may not; the audit keeps the word."""

    NO_PERMISSION = "no-permission"
    RESIDENT = "resident-never-approves"
    UNREACHABLE = "registry-unreachable"
    NOT_NAMED = "account-names-no-practitioner"
    UNKNOWN = "practitioner-unknown"
    INACTIVE = "practitioner-inactive"
    NOT_REGISTERED = "no-valid-registration"
    NO_SPECIALTY = "no-fitting-specialty"
    NO_PRIVILEGE = "no-modality-privilege"


SENTENCES: Final = {
    Refusal.NO_PERMISSION: "Your role does not allow it. Ask an administrator for one that does.",
    Refusal.RESIDENT: "A resident does not approve reports.",
    Refusal.UNREACHABLE: "The practitioner registry cannot be reached, so it is not known whether you may. "
    "Try again later.",
    Refusal.NOT_NAMED: "Your account names no practitioner. Ask an administrator to add it.",
    Refusal.UNKNOWN: "The practitioner registry does not know the practitioner of your account. Ask an administrator.",
    Refusal.INACTIVE: "The practitioner registry says that you do not practise any more.",
    Refusal.NOT_REGISTERED: "The practitioner registry has no BMDC registration of yours that is valid today.",
    Refusal.NO_SPECIALTY: "It needs the specialty radiology; for ultrasound sonology is enough.",
    Refusal.NO_PRIVILEGE: "You have no privilege for this modality at this facility. "
    "Ask its head, or a consultant to delegate.",
}


@dataclass(frozen=True, slots=True)
class Standing:
    """What is known of an actor as a practitioner. `demanded`: it is asked for; `reached`: the registry answered."""

    actor: Actor
    practitioner: Practitioner | None = None
    demanded: bool = False
    reached: bool = True


@dataclass(frozen=True, slots=True)
class Subject:
    """What is read or signed: the modalities of a study, where it was made, and the day."""

    facility_code: str
    modalities: Collection[str]
    on: date

    @property
    def read(self) -> frozenset[str]:
        """The modalities that somebody must be able to read."""
        return frozenset(self.modalities) - DERIVED


def is_radiology_personnel(standing: Standing) -> bool:
    """The specification's isRadiologyPersonnel: by role, or by an active practitioner's specialty."""
    by_role = standing.actor.role in PERSONNEL and standing.actor.may(Permission.WRITE)
    known = standing.practitioner
    return by_role or (known is not None and known.active and bool(known.specialties & (RADIOLOGY | SONOLOGY)))


def why_not_write_technical_data(standing: Standing) -> Refusal | None:
    """Why somebody may not write how images were made: technique, contrast, dose."""
    return None if is_radiology_personnel(standing) else Refusal.NO_PERMISSION


def why_not_interpret(standing: Standing, subject: Subject) -> Refusal | None:
    """Why somebody is no `isQualifiedRadiologist` for this study; None for who is one."""
    if not standing.actor.may(Permission.INTERPRET):
        return Refusal.NO_PERMISSION
    return _why_not_qualified(standing, subject) or _why_not_privileged(standing, subject)


def why_never_approve(actor: Actor) -> Refusal | None:
    """Why somebody approves no study at all: a resident, whatever else is granted, and who lacks the permission."""
    if actor.role == Role.RESIDENT:
        return Refusal.RESIDENT
    return None if actor.may(Permission.APPROVE) else Refusal.NO_PERMISSION


def why_not_approve(standing: Standing, subject: Subject, *, delegated: bool = False) -> Refusal | None:
    """Why somebody is no `isAuthorizedApprover` for this study; None for who is one.

    A delegation stands in for the privilege at the facility, for nothing else.
    """
    if refusal := why_never_approve(standing.actor):
        return refusal
    return _why_not_qualified(standing, subject) or (None if delegated else _why_not_privileged(standing, subject))


def _why_not_qualified(standing: Standing, subject: Subject) -> Refusal | None:
    known = standing.practitioner
    if not standing.demanded:
        return None
    if not standing.reached:
        return Refusal.UNREACHABLE
    if known is None:
        return Refusal.UNKNOWN if standing.actor.practitioner_reference else Refusal.NOT_NAMED
    if not known.active:
        return Refusal.INACTIVE
    if not known.is_registered(subject.on):
        return Refusal.NOT_REGISTERED
    # A resident interprets under supervision, without the specialty and privileges that he or she is training for.
    fits = known.specialties & RADIOLOGY or (known.specialties & SONOLOGY and subject.read <= ULTRASOUND)
    return None if fits or standing.actor.role == Role.RESIDENT else Refusal.NO_SPECIALTY


def _why_not_privileged(standing: Standing, subject: Subject) -> Refusal | None:
    if not standing.demanded or standing.practitioner is None or standing.actor.role == Role.RESIDENT:
        return None
    held = standing.practitioner.modalities_at(subject.facility_code, subject.on)
    return None if held and (ALL in held or subject.read <= held) else Refusal.NO_PRIVILEGE
