"""A practitioner as a registry knows him or her. Pure."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final, Protocol

BMDC_SYSTEM: Final = "https://fhir.dghs.gov.bd/core/identifier/bmdc-registration"
"""The register of the Bangladesh Medical and Dental Council."""

_REGISTRATION: Final = re.compile(r"([AD]?)-?(\d{1,6})", re.IGNORECASE)
_DIGITS: Final = str.maketrans("০১২৩৪৫৬৭৮৯", "0123456789")


def registration_number(text: str) -> str | None:
    """A BMDC registration as `A-12345`, of dentists as `D-12345`; None for what is none."""
    found = _REGISTRATION.fullmatch(text.strip().translate(_DIGITS))
    return None if found is None else f"{found[1].upper() or 'A'}-{found[2]}"


@dataclass(frozen=True, slots=True)
class Privilege:
    """What somebody may read at a facility, and on which days; a day that is None sets no limit.

    `modalities` are codes of Modality (0008,0060); `*` stands for all of them, and as a facility for all facilities.
    """

    facility_code: str
    modalities: frozenset[str]
    begins_on: date | None = None
    ends_on: date | None = None

    def holds(self, facility_code: str, on: date) -> bool:
        """Whether it is one for this facility, on this day."""
        return self.facility_code in (facility_code, "*") and self.is_valid(on)

    def is_valid(self, on: date) -> bool:
        """Whether this is one of its days."""
        return _within(self.begins_on, self.ends_on, on)


@dataclass(frozen=True, slots=True)
class Practitioner:
    """A practitioner. `registration` is that of the BMDC as `A-12345`; the days of its validity are included."""

    reference: str
    name: str
    name_bangla: str = ""
    active: bool = True
    registration: str | None = None
    registered_from: date | None = None
    registered_until: date | None = None
    specialties: frozenset[str] = frozenset()
    privileges: tuple[Privilege, ...] = ()

    def is_registered(self, on: date) -> bool:
        """Whether the registration is valid on this day."""
        return self.registration is not None and _within(self.registered_from, self.registered_until, on)

    def modalities_at(self, facility_code: str, on: date) -> frozenset[str]:
        """The modalities that he or she has the privilege for, at a facility on a day."""
        return frozenset[str]().union(*(each.modalities for each in self.privileges if each.holds(facility_code, on)))


def _within(begins_on: date | None, ends_on: date | None, on: date) -> bool:
    return (begins_on is None or begins_on <= on) and (ends_on is None or on <= ends_on)


class Registry(Protocol):
    """Where practitioners are looked up."""

    async def find(self, reference: str) -> Practitioner | None:
        """The practitioner of `Practitioner/<id>`, None where there is none. Raises Unavailable."""
        ...

    async def find_all(self, references: Sequence[str]) -> dict[str, Practitioner]:
        """Those of some references that there are. Raises Unavailable."""
        ...
