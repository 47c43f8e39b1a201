"""Facts of safety as contained Observation and AllergyIntolerance, there and back; codes of LOINC. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from radiology.errors import FieldProblem, Unprocessable
from radiology.orders.fhir.resource import ContainedAllergy, ContainedObservation

LOINC, UCUM, SNOMED = "http://loinc.org", "http://unitsofmeasure.org", "http://snomed.info/sct"
WEIGHT, HEIGHT, PREGNANCY, LMP = "29463-7", "8302-2", "82810-3", "8665-2"
CREATININE_MASS, CREATININE_MOLES = "2160-0", "14682-9"
EGFR: Final = ("98979-8", "33914-3", "62238-1", "77147-7", "88293-6", "88294-4", "69405-9")
_DISPLAY: Final = {
    WEIGHT: "Body weight",
    HEIGHT: "Body height",
    PREGNANCY: "Pregnancy status",
    LMP: "Last menstrual period start date",
    CREATININE_MASS: "Creatinine [Mass/volume] in Serum or Plasma",
    CREATININE_MOLES: "Creatinine [Moles/volume] in Serum or Plasma",
    EGFR[0]: "Glomerular filtration rate predicted by creatinine-based formula (CKD-EPI 2021)",
}
_PREGNANCY: Final = {
    "definitely": {"system": SNOMED, "code": "77386006", "display": "Pregnant"},
    "not-pregnant": {"system": SNOMED, "code": "60001007", "display": "Not pregnant"},
    "possibly": {"system": SNOMED, "code": "146799005", "display": "Possible pregnancy"},
    "unknown": {
        "system": "http://terminology.hl7.org/CodeSystem/v3-NullFlavor", "code": "UNK", "display": "unknown",
    },
}  # fmt: skip
"""The codes of the International Patient Summary."""
_ALSO_POSSIBLY: Final = frozenset({"102874004", "152231000119106"})
_METRES: Final = {"m": 1.0, "cm": 0.01}
_KILOGRAMS: Final = {"kg": 1.0, "g": 0.001}


def contained(safety: Mapping[str, Any], patient: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The facts that R4 has resources for, each with an id."""
    renal = safety.get("renalFunction", {})
    on = {"effectiveDateTime": renal["measuredOn"]} if renal else {}
    if "weightKg" in safety:
        yield _observation("weight", WEIGHT, _quantity(safety["weightKg"], "kg"), patient)
    if "sizeM" in safety:
        yield _observation("height", HEIGHT, _quantity(safety["sizeM"], "m"), patient)
    if "pregnancy" in safety:
        value = {"valueCodeableConcept": {"coding": [_PREGNANCY[safety["pregnancy"]]]}}
        yield _observation("pregnancy", PREGNANCY, value, patient)
    if "lastMenstrualPeriod" in safety:
        yield _observation("lmp", LMP, {"valueDateTime": safety["lastMenstrualPeriod"]}, patient)
    if "egfr" in renal:
        yield _observation("egfr", EGFR[0], _quantity(renal["egfr"], "mL/min/{1.73_m2}") | on, patient)
    if "creatinine" in renal:
        unit = renal.get("creatinineUnit", "umol/L")
        code = CREATININE_MASS if unit == "mg/dL" else CREATININE_MOLES
        yield _observation("creatinine", code, _quantity(renal["creatinine"], unit) | on, patient)
    for number, allergy in enumerate(safety.get("allergies", ())):
        concept = dict(allergy.get("code", {})) | ({"text": allergy["text"]} if "text" in allergy else {})
        found = {"resourceType": "AllergyIntolerance", "id": f"allergy-{number + 1}", "code": concept}
        category = {"category": ["medication"]} if allergy.get("contrast") else {}
        yield found | category | {"patient": patient} | _reaction(allergy)


def _reaction(allergy: Mapping[str, Any]) -> dict[str, Any]:
    if "severity" not in allergy:
        return {}
    return {"reaction": [{"manifestation": [{"text": "Allergy"}], "severity": allergy["severity"]}]}


def read(resources: Iterable[Any], present: Mapping[str, Any]) -> dict[str, Any]:
    """The facts with what contained resources say; what R4 has no resource for stays as it is."""
    facts: dict[str, Any] = dict(present)
    observed = [each for each in resources if isinstance(each, ContainedObservation)]
    for each in observed:
        _observe(facts, each)
    allergies = [_allergy(each, facts) for each in resources if isinstance(each, ContainedAllergy)]
    if allergies:
        facts["allergies"] = allergies
        facts.pop("noKnownAllergies", None)
    return facts


def _observe(facts: dict[str, Any], said: ContainedObservation) -> None:
    code = next((each.code for each in said.code.coding if each.system == LOINC), "")
    if code == WEIGHT:
        facts["weightKg"] = _measured(said, _KILOGRAMS)
    elif code == HEIGHT:
        facts["sizeM"] = _measured(said, _METRES)
    elif code == PREGNANCY:
        facts["pregnancy"] = _pregnancy(said)
    elif code == LMP:
        facts["lastMenstrualPeriod"] = (said.valueDateTime or "")[:10]
    elif code in (*EGFR, CREATININE_MASS, CREATININE_MOLES):
        facts["renalFunction"] = dict(facts.get("renalFunction", {})) | _renal(said, code)
    else:
        raise _refused(said, f"is of LOINC {code or '(none)'}, which is not known here as a fact of safety")


def _renal(said: ContainedObservation, code: str) -> dict[str, Any]:
    if said.valueQuantity is None or said.effectiveDateTime is None:
        raise _refused(said, "needs valueQuantity, and effectiveDateTime: kidneys change")
    found: dict[str, Any] = {"measuredOn": said.effectiveDateTime[:10]}
    if code in EGFR:
        return found | {"egfr": said.valueQuantity.value}
    unit = "mg/dL" if code == CREATININE_MASS else "umol/L"
    if (said.valueQuantity.code or said.valueQuantity.unit) not in (unit, None):
        raise _refused(said, f"needs the unit {unit} (UCUM), which is that of its code")
    return found | {"creatinine": said.valueQuantity.value, "creatinineUnit": unit}


def _measured(said: ContainedObservation, units: Mapping[str, float]) -> float:
    quantity = said.valueQuantity
    factor = units.get(quantity.code or quantity.unit or "") if quantity else None
    if quantity is None or factor is None:
        raise _refused(said, f"needs valueQuantity in one of the units {', '.join(units)} (UCUM)")
    return round(quantity.value * factor, 4)


def _pregnancy(said: ContainedObservation) -> str:
    concept = said.valueCodeableConcept
    codes = {each.code for each in concept.coding} if concept else set[str]()
    found = next((word for word, coding in _PREGNANCY.items() if coding["code"] in codes), None)
    if found is None and codes & _ALSO_POSSIBLY:
        return "possibly"
    if found is None:
        known = ", ".join(f"{coding['code']} ({coding['display']})" for coding in _PREGNANCY.values())
        raise _refused(said, f"needs one of these as valueCodeableConcept: {known}")
    return found


def _allergy(said: ContainedAllergy, present: Mapping[str, Any]) -> dict[str, Any]:
    """An allergy; whether it is to a contrast agent, R4 cannot say: it stays with one that is called the same."""
    concept = said.code.as_json()
    found: dict[str, Any] = {"text": concept["text"]} if "text" in concept else {}
    if said.code.coding:
        found["code"] = {"coding": concept["coding"]}
    severity = next((each["severity"] for each in said.reaction if "severity" in each), None)
    if severity:
        found["severity"] = severity
    same = (each for each in present.get("allergies", ()) if (each.get("code"), each.get("text")) == (
        found.get("code"), found.get("text")))  # fmt: skip
    return found | ({"contrast": True} if any(each.get("contrast") for each in same) else {})


def _observation(id: str, code: str, value: Mapping[str, Any], patient: Mapping[str, Any]) -> dict[str, Any]:
    coding = {"system": LOINC, "code": code, "display": _DISPLAY[code]}
    found = {"resourceType": "Observation", "id": id, "status": "final", "code": {"coding": [coding]}}
    return found | {"subject": patient} | dict(value)


def _quantity(value: float, unit: str) -> dict[str, Any]:
    return {"valueQuantity": {"value": value, "unit": unit, "system": UCUM, "code": unit}}


def _refused(said: ContainedObservation, sentence: str) -> Unprocessable:
    return Unprocessable(
        f"Observation {said.id} {sentence}.", fields=[FieldProblem(f"ServiceRequest.contained({said.id})", sentence)]
    )
