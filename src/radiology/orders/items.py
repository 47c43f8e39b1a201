"""What is made of an order for each procedure: a study that waits for images, and an item of the worklist. Pure.

The attributes of the item are those of PS3.4 table K.6-1.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from radiology.modality_worklist.schemas import WorklistItemIn
from radiology.orders import safety as facts
from radiology.orders.model import Order, Priority, RequestedProcedure
from radiology.orders.safety import Safety, fitted, words_of
from radiology.patients.model import Patient
from radiology.procedures.model import LOINC
from radiology.standards import loinc
from radiology.standards.dicom.names import PersonName
from radiology.studies.schemas import DCM, CodeableConcept, StudyIn

PRIORITIES: Final[Mapping[str, str]] = {
    Priority.STAT: "STAT",
    Priority.ASAP: "HIGH",
    Priority.URGENT: "HIGH",
    Priority.ROUTINE: "ROUTINE",
}
"""Requested Procedure Priority (0040,1003), PS3.3 C.4.11."""

SCHEMES: Final[Mapping[str, str]] = {
    "http://loinc.org": "LN",
    "http://snomed.info/sct": "SCT",
    "http://radlex.org": "RADLEX",
    "http://playbook.radlex.org": "RPID",
    DCM: "DCM",
    "http://hl7.org/fhir/sid/icd-10": "I10",
}
"""FHIR system -> Coding Scheme Designator (PS3.16 8); all others are of this hospital."""
LOCAL_SCHEME: Final = "99LOCAL"
LONGEST_CODE: Final = 16
LONGEST_COMMENT: Final = 1024


def study_of(order: Order, procedure: RequestedProcedure) -> StudyIn:
    """The study that a procedure is to become."""
    content = order.content
    return StudyIn.model_validate(
        _given(
            modality=[{"coding": [{"code": procedure.modality}]}],
            subject={"reference": order.patient_reference},
            encounter=content.get("encounter"),
            basedOn=[{"reference": order.reference}],
            referrer=content.get("requester"),
            reasonCode=_reasons(content),
            procedureCode=[procedure.content["code"]],
            studyDescription=description_of(procedure),
            accessionNumber=order.accession_number,
            studyInstanceUID=procedure.study_instance_uid,
            flags=content.get("flags"),
        )
    )


def item_of(order: Order, procedure: RequestedProcedure, patient: Patient, *, start: str) -> WorklistItemIn:
    """The item by which a modality is told of a procedure. `start` is ISO 8601."""
    content, said = order.content, procedure.content
    safety = Safety.model_validate(content.get("safety", {}))
    referrer = fitted(content.get("requester", {}).get("display", "").replace("=", " "), facts.LINE)
    return WorklistItemIn.model_validate(
        _given(
            patient=_patient(patient, safety),
            modality=procedure.modality,
            start=start,
            requestedProcedure=description_of(procedure),
            requestedProcedureCode=_codes([said["code"]])[:1],
            protocolCode=_codes(said.get("protocolCode", ())),
            stationAETitles=said.get("stationAETitles"),
            stationPool=said.get("stationPool"),
            location=said.get("location"),
            performingPhysician=said.get("performingPhysician"),
            referringPhysician=referrer,
            requestingPhysician=referrer,
            requestingService=content.get("requestingService"),
            priority=PRIORITIES[order.priority],
            reason=indication(content),
            admissionId=content.get("admissionId"),
            patientLocation=content.get("patientLocation"),
            contrastAgent=said.get("contrastAgent") or fitted((safety.contrast and safety.contrast.agent) or "", 64),
            premedication=fitted((safety.contrast and safety.contrast.premedication) or "", facts.LINE),
            transport=facts.TRANSPORT.get(safety.mobility or ""),
            placerOrderNumber=order.placer_number,
            fillerOrderNumber=order.accession_number,
            comments=fitted(said.get("note", ""), LONGEST_COMMENT),
            procedureComments=_comments(content, safety),
            serviceRequest=order.reference,
            accessionNumber=order.accession_number,
            requestedProcedureId=procedure.requested_procedure_id,
            scheduledProcedureStepId=said.get("scheduledProcedureStepId"),
            studyInstanceUID=procedure.study_instance_uid,
        )
    )


def description_of(procedure: RequestedProcedure) -> str:
    """Requested Procedure Description (0032,1060), with the side where one is said."""
    words = words_of(CodeableConcept.model_validate(procedure.content["code"]))
    side = {"L": "left", "R": "right", "B": "both sides"}.get(procedure.content.get("laterality", ""), "")
    return fitted(f"{words}, {side}" if side else words, facts.LINE) or procedure.modality


def indication(content: Mapping[str, Any]) -> str | None:
    """Reason for the Requested Procedure (0040,1002): the words, otherwise the codes."""
    coded = (words_of(CodeableConcept.model_validate(each)) for each in content.get("reasonCode", ()))
    return fitted(content.get("reason", ""), facts.LINE) or facts.line(coded)


def _patient(patient: Patient, safety: Safety) -> dict[str, Any]:
    name, born = PersonName.parse(patient.patient_name), patient.birth_date
    return _given(
        id=patient.patient_id,
        issuer=patient.issuer_of_patient_id,
        name=name.alphabetic or name.ideographic,
        nameBangla=name.ideographic,
        reference=patient.reference,
        birthDate=f"{born[:4]}-{born[4:6]}-{born[6:]}" if len(born) == len("YYYYMMDD") else None,
        sex=patient.sex,
        weightKg=safety.weightKg,
        sizeM=safety.sizeM,
        pregnancyStatus=safety.pregnancy,
        allergies=facts.allergies(safety),
        medicalAlerts=facts.alerts(safety),
        specialNeeds=facts.needs(safety),
    )


def _comments(content: Mapping[str, Any], safety: Safety) -> str | None:
    sentences = [*facts.everything(safety), content.get("note", ""), content.get("reason", "")]
    return fitted(". ".join(sentence for sentence in sentences if sentence), LONGEST_COMMENT)


def _reasons(content: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The indication as codes, and the words as one more, so that who reads the images sees both."""
    words = fitted(content.get("reason", ""), 400)
    return [*content.get("reasonCode", ()), *([{"text": words}] if words else ())]


def _codes(concepts: Iterable[Mapping[str, Any]]) -> list[dict[str, str]]:
    """The first coding of each that a code sequence can hold (PS3.3 8.8: 16 characters)."""
    return [coding for concept in concepts for coding in _sequence_items(concept)[:1]]


def _sequence_items(concept: Mapping[str, Any]) -> list[dict[str, str]]:
    return [
        _given(code=code, scheme=_scheme(coding.get("system", ""), code), display=display)
        for coding in concept.get("coding", ())
        if (code := fitted(coding["code"], facts.LINE)) and len(code) <= LONGEST_CODE
        for display in [fitted(coding.get("display", ""), facts.LINE)]
    ]


def _scheme(system: str, code: str) -> str:
    """The Coding Scheme Designator; what cannot be a code of LOINC is of this hospital."""
    return LOCAL_SCHEME if system == LOINC and not loinc.could_exist(code) else SCHEMES.get(system, LOCAL_SCHEME)


def _given(**values: Any) -> dict[str, Any]:
    """What is said: nothing that is empty."""
    return {name: value for name, value in values.items() if value not in (None, "", [], ())}
