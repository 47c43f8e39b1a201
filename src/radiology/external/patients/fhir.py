"""The patient registry as a FHIR R4 server: Patient, read by reference and searched by identifier."""

from typing import Final

from radiology.external.fhir import FHIRServer, Get, Resource, in_scripts, objects, official_name
from radiology.external.patients.model import ForeignPatient

MOST_FOUND: Final = 20
_SEX: Final = {"male": "M", "female": "F", "other": "O"}


class FHIRPatients:
    """Patients of a FHIR server."""

    def __init__(self, url: str, *, token: str | None = None) -> None:
        self._server = FHIRServer(url, token=token, noun="patient registry")

    async def find(self, reference: str) -> ForeignPatient | None:
        """The patient of `Patient/<id>`. Raises Unavailable where the server does not answer as it should."""
        return await self._server.ask(lambda get: _read(get, reference))

    async def search(self, system: str, value: str) -> list[ForeignPatient]:
        """The patients that have a number. Raises Unavailable."""
        return await self._server.ask(lambda get: _search(get, f"{_escaped(system)}|{_escaped(value)}"))


async def _read(get: Get, reference: str) -> ForeignPatient | None:
    resource = await get(reference, {})
    return None if resource is None else patient_of(resource)


async def _search(get: Get, identifier: str) -> list[ForeignPatient]:
    bundle = await get("Patient", {"identifier": identifier, "_count": str(MOST_FOUND)})
    if bundle is None or bundle.get("resourceType") != "Bundle":
        raise ValueError("no Bundle")
    found = [entry["resource"] for entry in objects(bundle.get("entry"))]
    return [patient_of(each) for each in found if each.get("resourceType") == "Patient"]


def patient_of(resource: Resource) -> ForeignPatient:
    """A resource Patient. Raises ValueError for another."""
    if resource.get("resourceType") != "Patient":
        raise ValueError("no Patient")
    name = official_name(resource)
    said = in_scripts(name)
    birth_date, estimated = _born(str(resource.get("birthDate") or ""))
    links = (link for link in objects(resource.get("link")) if link.get("type") == "replaced-by")
    return ForeignPatient(
        reference=f"Patient/{resource['id']}",
        identifiers=tuple(
            (str(each["system"]), str(each["value"]))
            for each in objects(resource.get("identifier"))
            if each.get("system") and each.get("value") and each.get("use") != "old"
        ),
        name=_name(name) or said.get("nameEn", ""),
        name_bangla=said.get("nameBn", ""),
        birth_date=birth_date,
        birth_date_estimated=estimated,
        sex=_SEX.get(str(resource.get("gender", "")), ""),
        phone=next(
            (str(each["value"]) for each in objects(resource.get("telecom")) if each.get("system") == "phone"), ""
        ),
        address=next((str(each.get("text", "")) for each in objects(resource.get("address"))), ""),
        replaced_by=next((str(link["other"].get("reference", "")) for link in links), ""),
    )


def _name(name: Resource) -> str:
    """A HumanName as a PN group; one without parts as it is spoken."""
    family, given = str(name.get("family") or ""), " ".join(map(str, name.get("given") or ()))
    return f"{family}^{given}".rstrip("^") if family else given or str(name.get("text") or "")


def _born(text: str) -> tuple[str, bool]:
    """A FHIR date as YYYYMMDD; of a year or a month its first day, estimated."""
    digits = text.replace("-", "")
    if digits and not (digits.isascii() and digits.isdigit() and len(digits) in (4, 6, 8)):
        raise ValueError("no date")
    is_partial = 0 < len(digits) < 8
    return (digits + "0101"[len(digits) - 4 :] if is_partial else digits), is_partial


def _escaped(text: str) -> str:
    """A value of a search parameter (FHIR R4 3.1.1.4.0.1)."""
    for letter in "\\$,|":
        text = text.replace(letter, f"\\{letter}")
    return text
