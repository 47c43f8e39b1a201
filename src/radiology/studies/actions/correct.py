"""Put right what is served of a study: searches and the header of every object, everywhere at once. Files stay."""

from dataclasses import replace
from typing import Any
from uuid import UUID

from radiology.app import App
from radiology.events import StudyCorrected, emit
from radiology.kit.db import Transaction
from radiology.standards.dicom import levels
from radiology.standards.dicom.header import Header
from radiology.standards.dicom.identity import PatientIdentity
from radiology.studies import corrections
from radiology.studies.corrections import Correction
from radiology.studies.facts import StudyFacts
from radiology.studies.queries import correct as queries

#: Attributes that tell of a patient and that a registry does not give: another patient's are served empty.
PERSONAL = {
    "00100032": "TM",  # PatientBirthTime
    "00100050": "SQ",  # PatientInsurancePlanCodeSequence
    "00101000": "LO",  # RETIRED_OtherPatientIDs
    "00101001": "PN",  # OtherPatientNames
    "00101002": "SQ",  # OtherPatientIDsSequence
    "00101005": "PN",  # PatientBirthName
    "00101010": "AS",  # PatientAge
    "00101020": "DS",  # PatientSize
    "00101030": "DS",  # PatientWeight
    "00101040": "LO",  # PatientAddress
    "00101060": "PN",  # PatientMotherBirthName
    "00102000": "LO",  # MedicalAlerts
    "00102110": "LO",  # Allergies
    "00102154": "SH",  # PatientTelephoneNumbers
    "00102180": "SH",  # Occupation
    "001021B0": "LT",  # AdditionalPatientHistory
    "001021C0": "US",  # PregnancyStatus
    "00104000": "LT",  # PatientComments
}


def patient_attributes(identity: PatientIdentity) -> dict[str, Any]:
    """The attributes that say who the patient is, in the DICOM JSON model."""
    known = {
        corrections.PATIENT_NAME: identity.name,
        corrections.PATIENT_ID: identity.patient_id,
        corrections.ISSUER: identity.issuer,
        corrections.BIRTH_DATE: identity.birth_date,
        corrections.SEX: identity.sex,
    }
    return {tag: corrections.element_of(tag, text) for tag, text in known.items()}


def empty_personal(stated: dict[str, Any]) -> dict[str, Any]:
    """Of what objects state of a patient, all that is another's, served empty."""
    return {tag: {"vr": vr} for tag, vr in PERSONAL.items() if tag in stated}


async def correct(tx: Transaction, app: App, study_id: UUID, correction: Correction) -> None:
    """Serve other attributes of patient and study than the objects say; what was put right before stays so.

    Only attributes of these levels (PS3.4 C.6.1.1) can be put right so. Raises NotFound.
    """
    served = await queries.lock_served(tx, study_id)
    before = Correction.of_json(served.corrections) if served.corrections else None
    replaced = corrections.replaced_by(correction, served.dicom)
    after = corrections.after(before, replace(correction, replaced=replaced))
    dicom = levels.patient_and_study(corrections.corrected(served.dicom, correction))
    facts = StudyFacts(Header("", (), dicom, None, None, frozenset()), served.facility_code, app.settings.zone)
    await queries.save_served(tx, study_id, facts.columns, after.as_json())
    await _tell(tx, served, study_id)


async def put_back(tx: Transaction, study_id: UUID, columns: dict[str, Any]) -> None:
    """Serve again what `queries.correct.served_columns` gave before a correction. Raises NotFound."""
    served = await queries.lock_served(tx, study_id)
    await queries.put_back(tx, study_id, columns)
    await _tell(tx, served, study_id)


async def _tell(tx: Transaction, served: queries.Served, study_id: UUID) -> None:
    corrected = StudyCorrected(
        facility_code=served.facility_code, study_id=str(study_id), study_instance_uid=served.study_instance_uid
    )
    await emit(tx, corrected)
