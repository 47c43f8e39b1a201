"""An order as ServiceRequest, and a ServiceRequest as an order. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import quote, unquote

from radiology.errors import FieldProblem, Unprocessable
from radiology.orders.fhir import safety
from radiology.orders.fhir.resource import (
    IMAGING,
    MODALITIES,
    PLACER,
    PLACER_SYSTEM,
    PROCEDURE_URL,
    REASON_URL,
    ContainedPatient,
    Extension,
    HumanName,
    Identifier,
    ServiceRequestIn,
)
from radiology.orders.model import LONGEST_REASON, Status
from radiology.patients.identifiers import HOSPITAL_SYSTEM, Kind, kind_of_system
from radiology.procedures.appropriateness.model import Decision
from radiology.standards.dicom.bangla import is_bangla
from radiology.studies.fhir import ACCESSION, ACCESSION_SYSTEM, UID, typed_identifier
from radiology.studies.schemas import MODALITY_ALIASES, CodeableConcept

_GENDERS: Final = {"male": "M", "female": "F", "other": "O"}
_SIDES: Final = {
    "L": {"system": "http://snomed.info/sct", "code": "7771000", "display": "Left"},
    "R": {"system": "http://snomed.info/sct", "code": "24028007", "display": "Right"},
    "B": {"system": "http://snomed.info/sct", "code": "51440002", "display": "Right and left"},
}
Procedure = Mapping[str, Any]


def service_request(order: Mapping[str, Any]) -> dict[str, Any]:
    """The resource of an order that was read over REST (`reading.body`)."""
    patient = {"reference": order["patient"]["reference"]}
    facts = list(safety.contained(order.get("safety", {}), patient))
    procedures: Sequence[Procedure] = order["procedures"]
    note = [{"text": order["note"]}] if "note" in order else []
    reasons = [*order.get("reasonCode", ()), *([{"text": order["reason"]}] if "reason" in order else ())]
    resource: dict[str, Any] = {
        "resourceType": "ServiceRequest",
        "id": order["id"],
        "meta": {"versionId": str(order["version"]), "lastUpdated": order["updatedAt"]},
        "contained": facts,
        "extension": [*(_extension(each) for each in procedures), *_held_because(order)],
        "identifier": _identifiers(order),
        "status": order["status"],
        "intent": order["intent"],
        "category": [{"coding": [IMAGING]}],
        "priority": order["priority"],
        "code": _code(procedures),
        "orderDetail": [
            {"coding": [{"system": MODALITIES, "code": code}]}
            for code in dict.fromkeys(each["modality"] for each in procedures)
        ],
        "subject": patient | _display(order["patient"]),
        "encounter": order.get("encounter"),
        "occurrenceDateTime": order.get("occurrence"),
        "authoredOn": order["authoredOn"],
        "requester": order.get("requester"),
        "reasonCode": reasons,
        "supportingInfo": [{"reference": f"#{each['id']}"} for each in facts],
        "bodySite": [each["bodySite"] for each in procedures if "bodySite" in each],
        "note": note,
    }
    return {name: value for name, value in resource.items() if value not in (None, [])}


def said(resource: ServiceRequestIn, present: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """What is ordered, for `OrderIn`. Of an order that is there, `present`, what R4 cannot say stays as it is."""
    before = dict(present or {})
    numbers = _numbers(resource.identifier)
    words = [each.text for each in resource.reasonCode if not each.coding and each.text]
    found: dict[str, Any] = {
        **before,
        **numbers,
        "patient": _patient(resource, before.get("patient", {})),
        "procedures": _procedures(resource, before.get("procedures", [])),
        "intent": resource.intent,
        "priority": resource.priority,
        "occurrence": _moment(resource),
        "authoredOn": _with_time(resource.authoredOn) or before.get("authoredOn"),
        "requester": resource.requester and resource.requester.model_dump(exclude_none=True),
        "encounter": resource.encounter and resource.encounter.model_dump(exclude_none=True),
        "reasonCode": [each.as_json() for each in resource.reasonCode if each.coding],
        "reason": "\n".join(words),
        "note": "\n".join(each.text for each in resource.note),
        "safety": safety.read(resource.contained, before.get("safety", {})),
    }
    found.pop("status", None)
    return {name: value for name, value in found.items() if value not in (None, "", [], {})}


def says_the_same(given: Mapping[str, Any], present: Mapping[str, Any]) -> bool:
    """Whether a resource asks for what the order asks for already, whatever its status."""
    return _asked(given) == _asked(present)


def _asked(resource: Mapping[str, Any]) -> dict[str, Any]:
    asked = {name: value for name, value in resource.items() if name not in ("meta", "text", "language", "status")}
    asked["extension"] = [each for each in resource.get("extension", ()) if each.get("url") != REASON_URL]
    return asked


def _identifiers(order: Mapping[str, Any]) -> list[dict[str, Any]]:
    found = [typed_identifier(ACCESSION, ACCESSION_SYSTEM + order["facilityCode"], order["accessionNumber"])]
    if "placerNumber" in order:
        placer: str = order["placer"]
        system = placer if ":" in placer else PLACER_SYSTEM + quote(placer, safe="")
        found.insert(0, typed_identifier(PLACER, system, order["placerNumber"]))
    return found


def _numbers(identifiers: Sequence[Identifier]) -> dict[str, str]:
    """Placer and accession number; a single number without a type is that of the placer."""
    untyped = [each for each in identifiers if each.type is None]
    placed = [each for each in identifiers if each.is_of(PLACER)] or (untyped if len(untyped) == 1 else [])
    found: dict[str, str] = {}
    if placed:
        found["placerNumber"] = placed[0].value
        if placed[0].system:
            system = placed[0].system
            mine = system.startswith(PLACER_SYSTEM)
            found["placer"] = unquote(system.removeprefix(PLACER_SYSTEM)) if mine else system
    accession = next((each.value for each in identifiers if each.is_of(ACCESSION)), None)
    return found | ({"accessionNumber": accession} if accession else {})


def _code(procedures: Sequence[Procedure]) -> dict[str, Any]:
    if len(procedures) == 1:
        return procedures[0]["code"]
    words = [each["code"].get("text") or each["code"]["coding"][0].get("display", "") for each in procedures]
    return {"text": " + ".join(words)}


def _extension(procedure: Procedure) -> dict[str, Any]:
    parts: list[dict[str, Any]] = [
        {"url": "code", "valueCodeableConcept": procedure["code"]},
        {"url": "modality", "valueCode": procedure["modality"]},
        {"url": "requestedProcedureId", "valueString": procedure["requestedProcedureId"]},
        {"url": "studyInstanceUID", "valueOid": UID + procedure["studyInstanceUID"]},
    ]
    if "laterality" in procedure:
        side = {"coding": [_SIDES[procedure["laterality"]]]}
        parts.append({"url": "laterality", "valueCodeableConcept": side})
    return {"url": PROCEDURE_URL, "extension": parts}


def _held_because(order: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Why the check of the order holds it: what its rules say (extension request-statusReason)."""
    check = order.get("check", {})
    if order["status"] != Status.ON_HOLD or not check.get("held"):
        return []
    said = dict.fromkeys(
        f"{each['rule']}: {each['text']['en']}"
        for procedure in check["procedures"]
        for each in procedure["findings"]
        if each["effect"] == Decision.BLOCKED and "overridden" not in each
    )
    return [{"url": REASON_URL, "valueCodeableConcept": {"text": " ".join(said)[:LONGEST_REASON]}}]


def _procedures(resource: ServiceRequestIn, before: Sequence[Procedure]) -> list[dict[str, Any]]:
    extensions = [each for each in resource.extension if each.url == PROCEDURE_URL]
    if not extensions:
        own = {"code": resource.code.as_json(), "modality": _modality(resource)}
        kept = dict(before[0]) if len(before) == 1 else {}
        return [kept | own | _body_site(resource)]
    found = [_procedure(each, before) for each in extensions]
    if len(found) == 1:  # The resource's own code is the one that somebody changes.
        found[0] |= {"code": resource.code.as_json()} | _body_site(resource)
    return found


def _procedure(extension: Extension, before: Sequence[Procedure]) -> dict[str, Any]:
    code, modality = extension.part("code"), extension.part("modality")
    if code is None or code.valueCodeableConcept is None or modality is None:
        raise _wrong("extension", f"{PROCEDURE_URL} needs the parts code and modality")
    number, uid, side = (extension.part(name) for name in ("requestedProcedureId", "studyInstanceUID", "laterality"))
    found: dict[str, Any] = {"code": code.valueCodeableConcept.as_json(), "modality": modality.valueCode}
    if number is not None:
        found["requestedProcedureId"] = number.valueString
    if uid is not None:
        found["studyInstanceUID"] = (uid.valueOid or "").removeprefix(UID)
    if side is not None:
        found["laterality"] = _side(side.valueCodeableConcept)
    same = [each for each in before if number and each.get("requestedProcedureId") == number.valueString]
    return {**(same[0] if same else {}), **found}


def _side(concept: CodeableConcept | None) -> str:
    codes = {each.code for each in concept.coding} if concept else set[str]()
    side = next((side for side, coding in _SIDES.items() if coding["code"] in codes), None)
    if side is None:
        raise _wrong("extension", "laterality is not 7771000, 24028007 or 51440002 of SNOMED CT")
    return side


def _body_site(resource: ServiceRequestIn) -> dict[str, Any]:
    return {"bodySite": resource.bodySite[0].as_json()} if resource.bodySite else {}


def _modality(resource: ServiceRequestIn) -> str:
    codings = [coding for each in resource.orderDetail for coding in each.coding]
    found = next((coding.code for coding in codings if coding.system == MODALITIES), None)
    if found is None:
        raise _wrong("orderDetail", f"needs a coding of {MODALITIES} with the modality, as CT (PS3.3 C.7.3.1.1.1)")
    return MODALITY_ALIASES.get(found, found)


def _patient(resource: ServiceRequestIn, before: Mapping[str, Any]) -> dict[str, Any]:
    reference, identifier = resource.subject.reference or "", resource.subject.identifier
    if reference.startswith("#"):
        patients = (each for each in resource.contained if isinstance(each, ContainedPatient))
        found = next((each for each in patients if each.id == reference[1:]), None)
        if found is None:
            raise _wrong("subject", f"{reference} is not contained")
        return _contained_patient(found)
    if not reference and identifier:
        return {"identifiers": [_number(Identifier.model_validate(identifier))]}
    if not reference.startswith("Patient/"):
        raise _wrong("subject", "must be a reference to a Patient, a contained one, or an identifier of one")
    return {**before, "reference": reference}


def _contained_patient(patient: ContainedPatient) -> dict[str, Any]:
    numbers = [_number(each) for each in patient.identifier]
    own = next((each for each in numbers if each["type"] == Kind.HOSPITAL), dict[str, str]())
    names = [_name(each) for each in patient.name]
    found: dict[str, Any] = {
        "id": own.get("value"),
        "issuer": own.get("issuer"),
        "identifiers": [each for each in numbers if each is not own],
        "name": next((name for name in names if name and not is_bangla(name)), None),
        "nameBangla": next((name for name in names if is_bangla(name)), None),
        "birthDate": patient.birthDate and patient.birthDate.isoformat(),
        "sex": _GENDERS.get(patient.gender or ""),
    }
    return {name: value for name, value in found.items() if value not in (None, [])}


def _number(identifier: Identifier) -> dict[str, str]:
    system = identifier.system or ""
    kind = kind_of_system(system)
    if kind is None:
        known = f"{HOSPITAL_SYSTEM}<facility> for hospital numbers"
        raise _wrong("subject", f"the identifier's system {system or '(none)'} is not known here; use {known}")
    issuer = {"issuer": system.removeprefix(HOSPITAL_SYSTEM)} if kind == Kind.HOSPITAL else {}
    return {"type": kind, "value": identifier.value, **issuer}


def _name(name: HumanName) -> str:
    parts = [name.family or "", " ".join(name.given), "", " ".join(name.prefix), " ".join(name.suffix)]
    return "^".join(parts).rstrip("^") or (name.text or "")


def _moment(resource: ServiceRequestIn) -> str | None:
    period = resource.occurrencePeriod
    return _with_time(resource.occurrenceDateTime or (period.start if period else None))


def _with_time(moment: str | None) -> str | None:
    """A date means its first moment, in the zone of the service."""
    return f"{moment}T00:00:00" if moment and len(moment) == len("2026-01-21") else moment


def _display(patient: Mapping[str, Any]) -> dict[str, str]:
    name = patient.get("name") or patient.get("nameBangla")
    return {"display": " ".join(name.replace("^", " ").split())} if name else {}


def _wrong(element: str, sentence: str) -> Unprocessable:
    return Unprocessable(
        f"ServiceRequest.{element}: {sentence}.", fields=[FieldProblem(f"ServiceRequest.{element}", sentence)]
    )
