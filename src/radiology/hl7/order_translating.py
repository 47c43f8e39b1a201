"""An order of a message as an order of ours. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, cast

from pydantic import ValidationError

from radiology.hl7 import mappings, translating
from radiology.hl7.refusals import of_validation
from radiology.hl7.translating import Person, Reading
from radiology.orders.schemas import OrderIn
from radiology.patients.identifiers import Kind
from radiology.standards.dicom.names import PersonName, display_name
from radiology.standards.dicom.uids import is_valid_uid
from radiology.standards.hl7v2 import orders, segments, values
from radiology.standards.hl7v2.errors import Code, HL7Error, Place
from radiology.standards.hl7v2.orders import Order, Procedure, Step
from radiology.standards.hl7v2.segments import Observation
from radiology.standards.hl7v2.values import Coded

LO, SH, PROSE = 64, 16, 4000
"""Characters of the value representations that texts become (PS3.5 6.2), and of what people read."""

#: PV1-15 (table 0009) and OBR-30 (table 0124) as mobility.
_MOBILITY: Final = {
    "A1": "walking", "A2": "wheelchair", "A3": "stretcher", "WALK": "walking", "WHLC": "wheelchair",
    "CART": "stretcher", "PORT": "bed",
}  # fmt: skip
_PREGNANT: Final = "B6"
#: LOINC codes, and what senders without codes write.
_WEIGHT: Final = (frozenset({"29463-7", "3141-9", "8335-2"}), "BODY WEIGHT")
_HEIGHT: Final = (frozenset({"8302-2", "3137-7"}), "BODY HEIGHT")
_CREATININE: Final = {"2160-0": "mg/dL", "14682-9": "umol/L"}
_EGFR: Final = frozenset({"33914-3", "62238-1", "88293-6", "88294-4", "98979-8", "77147-7", "69405-9"})
_LMP: Final = "8665-2"
_PREGNANCY_STATUS: Final = frozenset({"82810-3", "11449-6"})
_PREGNANCY: Final = {
    "77386006": "definitely", "pregnant": "definitely", "yes": "definitely", "y": "definitely",
    "60001007": "not-pregnant", "not pregnant": "not-pregnant", "no": "not-pregnant", "n": "not-pregnant",
    "146799005": "possibly", "possible pregnancy": "possibly", "possibly pregnant": "possibly",
    "possibly": "possibly", "unknown": "unknown", "u": "unknown", "unk": "unknown",
}  # fmt: skip
_KILOGRAMS: Final = {"KG": 1.0, "G": 0.001, "LB": 0.45359237, "LBS": 0.45359237, "[LB_AV]": 0.45359237}
_METRES: Final = {"M": 1.0, "CM": 0.01, "MM": 0.001, "IN": 0.0254, "[IN_I]": 0.0254}
_SEVERITY: Final = {"SV": "severe", "MO": "moderate", "MI": "mild"}


def order_said(read: Reading, order: Order, person: Person) -> OrderIn:
    """An order as it is placed. Raises HL7Error, which names the field."""
    number = order.placer_number.number or next((each.placer_number.number for each in order.procedures), "")
    if not number:
        place = Place("ORC", field=2)
        raise HL7Error(Code.REQUIRED_FIELD_MISSING, "ORC-2 is empty: the placer's order number is needed.", place)
    if not order.procedures:
        raise HL7Error(
            Code.SEGMENT_SEQUENCE, f"The order {number} has no OBR, which says what is to be done.", Place("OBR")
        )
    said: dict[str, Any] = {
        "patient": patient_said(person),
        "procedures": list(_procedures(read, order)),
        "placer": (order.placer_number.authority or read.sender.name)[:LO],
        "placerNumber": number,
        "accessionNumber": _accession_number(read, order),
        "priority": _priority(read, order),
        "occurrence": _iso(order.start_at or next((each.start_at for each in order.procedures if each.start_at), None)),
        "authoredOn": _iso(order.entered_at),
        "requester": _requester(order),
        "requestingService": (order.organization.text or order.organization.code or order.location)[:LO],
        "reasonCode": [concept(each) for each in _reasons(order)],
        "reason": "\n".join(dict.fromkeys(each.clinical_information for each in order.procedures))[:PROSE],
        "note": order.notes[:PROSE],
        "safety": _safety(read, order),
        **_visit(read, person),
    }
    try:
        return OrderIn.model_validate({name: value for name, value in said.items() if value not in ("", None, [], {})})
    except ValidationError as error:
        raise of_validation(error) from error


def patient_said(person: Person) -> dict[str, Any]:
    """The patient of an order."""
    said, name = person.demographics, PersonName.parse(person.demographics.name)
    born = said.birth_date
    found: dict[str, Any] = {
        "id": said.patient_id,
        "issuer": said.issuer,
        "identifiers": [
            {"type": each.kind, "value": each.value} | ({"issuer": each.issuer} if each.kind == Kind.HOSPITAL else {})
            for each in said.identifiers
        ],
        "name": name.alphabetic,
        "nameBangla": name.ideographic,
        "birthDate": f"{born[:4]}-{born[4:6]}-{born[6:]}" if born else "",
        "birthDateEstimated": said.birth_date_estimated,
        "sex": said.sex,
    }
    return {name: value for name, value in found.items() if value not in ("", [])}


def _procedures(read: Reading, order: Order) -> Iterable[dict[str, Any]]:
    """One for each OBR; with IPC, one for each requested procedure that they name (IHE RAD-4)."""
    for number, asked in enumerate(order.procedures):
        steps = _steps_of(order.steps) if number == 0 else []
        for step in steps or [None]:
            yield _procedure(read, order, asked, step)


def _steps_of(steps: Sequence[Step]) -> list[Step]:
    """The first step of each requested procedure."""
    first: dict[str, Step] = {}
    for step in steps:
        first.setdefault(step.study_instance_uid or step.requested_procedure_id or step.modality, step)
    return list(first.values())


def _procedure(read: Reading, order: Order, asked: Procedure, step: Step | None) -> dict[str, Any]:
    mapped = translating.mapped_procedure(read, asked.procedure, asked.service)
    place = Place("OBR", field=4)
    if not (asked.service or asked.procedure):
        raise HL7Error(Code.REQUIRED_FIELD_MISSING, "OBR-4 is empty: it says what is to be done.", place)
    codes = [step.modality if step else "", asked.section]
    coded = mapped.modality if mapped else translating.modality(read, codes, asked.service or asked.procedure, place)
    code = concept(asked.service or asked.procedure)
    if mapped and (mapped.code or mapped.display):
        own = {"system": mapped.system, "code": mapped.code or asked.service.code, "display": mapped.display}
        code = {"coding": [{name: value for name, value in own.items() if value}, *code.get("coding", [])]}
    found: dict[str, Any] = {
        "code": code,
        "modality": coded,
        "laterality": mapped.laterality if mapped else None,
        "protocolCode": [concept(step.protocol)] if step and step.protocol else [],
        "stationAETitles": _stations(read, step),
        "location": _short(read, step.location if step else "", "IPC-8"),
        "performingPhysician": asked.technician.name[:LO],
        "note": asked.notes[:PROSE],
        "requestedProcedureId": _requested_procedure_id(read, order, step),
        "scheduledProcedureStepId": _short(read, step.scheduled_procedure_step_id if step else "", "IPC-4"),
        "studyInstanceUID": _study(read, order, step),
    }  # fmt: skip
    return {name: value for name, value in found.items() if value not in ("", None, [])}


def _requested_procedure_id(read: Reading, order: Order, step: Step | None) -> str:
    said = mappings.at(order.group, read.mappings.requestedProcedureId)
    return said or _short(read, step.requested_procedure_id if step else "", "IPC-2")


def _study(read: Reading, order: Order, step: Step | None) -> str:
    said = mappings.at(order.group, read.mappings.studyInstanceUID) or (step.study_instance_uid if step else "")
    uid = said or order.study_instance_uid
    if uid and not is_valid_uid(uid):
        place = Place("IPC", field=3) if step and step.study_instance_uid else Place("ZDS", field=1)
        raise HL7Error(Code.DATA_TYPE, f"{place} is no DICOM UID: digits and full stops, at most 64.", place)
    return uid


def _stations(read: Reading, step: Step | None) -> list[str]:
    if step is None:
        return []
    known = read.mappings.stations
    titles = [known.get(each, each) for each in step.station_ae_titles] or [
        title for title in (known.get(step.station_name),) if title
    ]
    fitting = [title for title in titles if len(title) <= SH and title.isascii() and "\\" not in title]
    if len(fitting) < len(titles):
        read.remarks.append("IPC-9: a station is no AE title, and is left out. Map it in stations.")
    return fitting


def _accession_number(read: Reading, order: Order) -> str:
    said = mappings.at(order.group, read.mappings.accessionNumber)
    return said or _short(read, next((each.accession_number for each in order.steps), ""), "IPC-1")


def _priority(read: Reading, order: Order) -> str:
    timing = read.message.find("TQ1")
    place = Place("TQ1", field=9) if timing else Place("OBR", field=27, component=6)
    return translating.priority(
        read, order.priority or next((each.priority for each in order.procedures if each.priority), ""), place
    )


def _requester(order: Order) -> dict[str, Any]:
    who = order.ordering or next((each.ordering for each in order.procedures if each.ordering), None)
    if not who:
        return {}
    name = display_name(who.name) or who.number
    return {"display": name, "identifier": {"value": who.number}} if who.number else {"display": name}


def _reasons(order: Order) -> list[Coded]:
    found = [order.reason, *(reason for each in order.procedures for reason in each.reasons)]
    return list(dict.fromkeys(each for each in found if each))


def concept(coded: Coded) -> dict[str, Any]:
    """A coded field as FHIR CodeableConcept."""
    pairs = [(coded.code, coded.text, coded.system)]
    pairs += [(coded.alternate_code, coded.alternate_text, coded.alternate_system)]
    codings: list[dict[str, str]] = []
    for code, text, system in pairs:
        if code:
            one = {"system": mappings.system_of(system) or "", "code": code[:200], "display": text[:400]}
            codings.append({name: value for name, value in one.items() if value})
    text = (coded.text or coded.alternate_text)[:400]
    return {name: value for name, value in {"coding": codings, "text": text}.items() if value}


def _visit(read: Reading, person: Person) -> dict[str, Any]:
    visit = segments.visit(read.message.find("PV1"), zone=read.zone)
    if visit is None:
        return {"admissionId": person.account[:LO]}
    return {
        "admissionId": (visit.number.number or person.account)[:LO],
        "patientLocation": str(visit.location)[:LO],
    }


def _safety(read: Reading, order: Order) -> dict[str, Any]:
    """What OBX, AL1, PV1-15, OBR-12 and OBR-30 say."""
    said = [each for asked in order.procedures for each in asked.observations]
    visit = segments.visit(read.message.find("PV1"), zone=read.zone)
    ambulatory = list(visit.ambulatory_status) if visit else []
    carried = [*(each.transport for each in order.procedures), *ambulatory]
    found: dict[str, Any] = {
        "weightKg": _measured(read, said, _WEIGHT, _KILOGRAMS, most=1000),
        "sizeM": _measured(read, said, _HEIGHT, _METRES, most=3),
        "pregnancy": "definitely" if _PREGNANT in ambulatory else _pregnancy(read, said),
        "lastMenstrualPeriod": _last_menstrual_period(said),
        "allergies": _allergies(read),
        "renalFunction": _renal(said),
        "mobility": next((_MOBILITY[each] for each in carried if each in _MOBILITY), None),
        "medicalAlerts": "; ".join(dict.fromkeys(each.danger for each in order.procedures if each.danger))[:400],
    }
    return {name: value for name, value in found.items() if value not in (None, "", [], {})}


def _allergies(read: Reading) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for each in read.message.all("AL1"):
        if coded := values.coded(each.field(3)):
            severity = _SEVERITY.get(each.text(4).upper())
            found.append({"code": concept(coded)} | ({"severity": severity} if severity else {}))
    return found


def _measured(
    read: Reading,
    said: Sequence[Observation],
    what: tuple[frozenset[str], str],
    units: Mapping[str, float],
    *,
    most: int,
) -> float | None:
    codes, name = what
    for each in said:
        if each.code.code in codes or name in each.code.text.upper():
            factor = units.get(each.unit.upper(), 1.0 if not each.unit else None)
            try:
                number = float(each.value) * (factor or 0)
            except ValueError:
                number = 0.0
            if 0 < number < most:
                return round(number, 3)
            read.remarks.append(f"OBX-5: {name.lower()} cannot be used: {each.value[:20]} {each.unit[:20]}.")
    return None


def _pregnancy(read: Reading, said: Sequence[Observation]) -> str | None:
    """The answer to LOINC 82810-3, as code or words."""
    for each in said:
        if each.code.code in _PREGNANCY_STATUS:
            answer = _PREGNANCY.get(each.value.strip().casefold())
            if answer is None:
                read.remarks.append(f"OBX-5: pregnancy status cannot be used: {each.value[:40]}.")
            return answer
    return None


def _last_menstrual_period(said: Sequence[Observation]) -> str | None:
    """The day of LOINC 8665-2, YYYYMMDD and whatever follows."""
    value = next((each.value for each in said if each.code.code == _LMP), "")[:8]
    return f"{value[:4]}-{value[4:6]}-{value[6:]}" if len(value) == 8 and value.isdecimal() else None


def _renal(said: Sequence[Observation]) -> dict[str, Any]:
    """Creatinine and eGFR of the newest day that is known; without a day they say nothing."""
    dated = sorted((each for each in said if each.observed_on), key=lambda each: str(each.observed_on))
    found: dict[str, Any] = {}
    for each in dated:
        try:
            if each.code.code in _CREATININE:
                found |= {"creatinine": float(each.value), "creatinineUnit": _CREATININE[each.code.code]}
            elif each.code.code in _EGFR:
                found["egfr"] = float(each.value)
            else:
                continue
        except ValueError:
            continue
        found["measuredOn"] = str(each.observed_on)
    return found


def _short(read: Reading, text: str, place: str) -> str:
    """A text that becomes an SH; one that is too long is left out, so that the service makes its own."""
    if len(text) <= SH and text.isprintable() and "\\" not in text:
        return text
    read.remarks.append(f"{place} is longer than {SH} characters, and is left out.")
    return ""


def _iso(moment: Any) -> str:
    return cast("str", moment.isoformat()) if moment else ""


def all_orders(read: Reading) -> list[Order]:
    """The orders of a message. Raises HL7Error."""
    return orders.orders(read.message, zone=read.zone)
