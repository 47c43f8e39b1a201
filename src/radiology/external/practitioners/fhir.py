"""The registry as a FHIR R4 server: Practitioner and PractitionerRole."""

import asyncio
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import Final

from radiology.external.fhir import FHIRServer, Get, Resource, in_scripts, objects, official_name
from radiology.external.practitioners.model import BMDC_SYSTEM, Practitioner, Privilege, registration_number

DCM: Final = "http://dicom.nema.org/resources/ontology/DCM"
FACILITY_SYSTEM: Final = "http://hrm.dghs.gov.bd/facilities/code"
SNOMED: Final = "http://snomed.info/sct"
#: SNOMED CT codes of specialties (FHIR R4 c80-practice-codes), in the words of this service.
_SPECIALTIES: Final[Mapping[str, str]] = {"394914008": "radiology"}
REMEMBERED_SECONDS: Final = 60.0
REMEMBERED: Final = 10_000
ROLES_AT_ONCE: Final = 200
AT_ONCE: Final = 8


class FHIRRegistry:
    """Practitioners of a FHIR server. What it said is believed for a minute; what it did not say is not remembered.

    A privilege is a PractitionerRole: its organization is the facility, its codes of the system DCM are modalities (a
    role without such a code gives none), its period the days. Specialties are taken from all active roles.
    """

    def __init__(self, url: str, *, token: str | None = None, remembered_seconds: float = REMEMBERED_SECONDS) -> None:
        self._server = FHIRServer(url, token=token, noun="practitioner registry")
        self._remembered_seconds = remembered_seconds
        self._remembered: dict[str, tuple[float, Practitioner | None]] = {}

    async def find(self, reference: str) -> Practitioner | None:
        """The practitioner of a reference. Raises Unavailable where the server does not answer as it should."""
        until, known = self._remembered.get(reference, (0.0, None))
        if until > time.monotonic():
            return known
        asked_at = time.monotonic()
        found = await self._server.ask(lambda get: _asked(get, reference))
        if len(self._remembered) >= REMEMBERED:
            self._remembered.clear()
        self._remembered[reference] = (asked_at + self._remembered_seconds, found)
        return found

    async def find_all(self, references: Sequence[str]) -> dict[str, Practitioner]:
        """Those of some references that there are, a few asked at once. Raises Unavailable."""
        at_once = asyncio.Semaphore(AT_ONCE)

        async def ask(reference: str) -> Practitioner | None:
            async with at_once:
                return await self.find(reference)

        found = await asyncio.gather(*(ask(reference) for reference in references))
        return {each.reference: each for each in found if each is not None}


async def _asked(get: Get, reference: str) -> Practitioner | None:
    resource = await get(reference, {})
    if resource is None:
        return None
    if resource.get("resourceType") != "Practitioner":
        raise ValueError("no Practitioner")
    query = {"practitioner": reference, "_include": "PractitionerRole:organization", "_count": str(ROLES_AT_ONCE)}
    bundle = await get("PractitionerRole", query) or {}
    return practitioner_of(reference, resource, [entry["resource"] for entry in objects(bundle.get("entry"))])


def practitioner_of(reference: str, resource: Resource, others: Iterable[Resource]) -> Practitioner:
    """A Practitioner with its PractitionerRoles, and the Organizations that they name."""
    resources = list(others)
    number, begins_on, ends_on = _registration(resource)
    places = {f"Organization/{each.get('id')}": each for each in resources if each["resourceType"] == "Organization"}
    roles = [each for each in resources if each["resourceType"] == "PractitionerRole" and each.get("active", True)]
    name, name_bangla = _names(resource)
    return Practitioner(
        reference,
        name,
        name_bangla,
        bool(resource.get("active", True)),
        number,
        begins_on,
        ends_on,
        frozenset(_specialty(coding) for role in roles for coding in _codings(role, "specialty")),
        tuple(_privileges(roles, places)),
    )


def _privileges(roles: Iterable[Resource], places: Mapping[str, Resource]) -> Iterator[Privilege]:
    for role in roles:
        facility = _facility(role.get("organization") or {}, places)
        modalities = frozenset(coding["code"] for coding in _codings(role, "code") if coding.get("system") == DCM)
        if facility and modalities:
            yield Privilege(facility, modalities, *_period(role))


def _facility(organization: Resource, places: Mapping[str, Resource]) -> str:
    """The code of the facility: of the reference itself, of what it refers to, or the id in it."""
    reference: str = organization.get("reference", "")
    named = places.get(reference, {})
    for identifier in (*objects(organization.get("identifier")), *objects(named.get("identifier"))):
        if identifier.get("system") == FACILITY_SYSTEM:
            return str(identifier.get("value", ""))
    return reference.removeprefix("Organization/")


def _registration(resource: Resource) -> tuple[str | None, date | None, date | None]:
    """BMDC registration and its validity, of the practitioner or of a qualification."""
    for qualification in (resource, *objects(resource.get("qualification"))):
        for identifier in objects(qualification.get("identifier")):
            if identifier.get("system") == BMDC_SYSTEM:
                held = identifier if "period" in identifier or qualification is resource else qualification
                return registration_number(str(identifier.get("value", ""))), *_period(held)
    return None, None, None


def _names(resource: Resource) -> tuple[str, str]:
    """The name in English, and in Bangla: by the extensions nameEn and nameBn, else as it is given."""
    name = official_name(resource)
    said = in_scripts(name)
    whole = name.get("text") or " ".join([*name.get("prefix", ()), *name.get("given", ()), name.get("family", "")])
    return said.get("nameEn") or whole.strip(), said.get("nameBn", "")


def _specialty(coding: Resource) -> str:
    code = str(coding.get("code", ""))
    return _SPECIALTIES.get(code, code) if coding.get("system") == SNOMED else code


def _codings(resource: Resource, name: str) -> list[Resource]:
    return [coding for concept in objects(resource.get(name)) for coding in objects(concept.get("coding"))]


def _period(resource: Resource) -> tuple[date | None, date | None]:
    period: Resource = resource.get("period") or {}
    return _day(period.get("start"), first=True), _day(period.get("end"), first=False)


def _day(moment: str | None, *, first: bool) -> date | None:
    """The day of a FHIR dateTime; of one that names a year or month only, the first or last day."""
    if not moment:
        return None
    parts = [int(part) for part in moment[:10].split("-")]
    if len(parts) == 3:
        return date(*parts)
    year, month = parts[0], parts[1] if len(parts) > 1 else (1 if first else 12)
    if first:
        return date(year, month, 1)
    following = date(year + month // 12, month % 12 + 1, 1)
    return date.fromordinal(following.toordinal() - 1)
