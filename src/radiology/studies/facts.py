"""What the index knows of a study, a series and an instance, taken from the header of an object. Pure."""

from dataclasses import dataclass
from datetime import date, datetime, time, tzinfo
from functools import cached_property
from typing import Any

from radiology.patients.model import Demographics
from radiology.sensitivity.evidence import as_stored, evidence_of_attributes
from radiology.standards.dicom import levels
from radiology.standards.dicom.header import Header
from radiology.standards.dicom.identity import PatientIdentity
from radiology.standards.dicom.names import name_search_text
from radiology.standards.dicom.zones import parse_offset


@dataclass(frozen=True)
class StudyFacts:
    """Patient and study attributes of one object, as columns."""

    header: Header
    facility_code: str
    zone: tzinfo

    @cached_property
    def identity(self) -> PatientIdentity:
        """Who the object says its patient is. The issuer is the facility's where the object names none."""
        said = self.demographics
        return PatientIdentity(said.patient_id, said.issuer, said.name, said.birth_date, said.sex)

    @property
    def demographics(self) -> Demographics:
        """The same for the registry."""
        return said_of_patient(self.header, self.facility_code)

    @property
    def started(self) -> datetime | None:
        """When the study began, by its date and time."""
        text = self.header.text
        return moment_of(date_of(text("00080020")), time_of(text("00080030")), zone_of(text("00080201"), self.zone))

    @property
    def columns(self) -> dict[str, Any]:
        """The columns of imaging_studies that an object decides."""
        text = self.header.text
        study_date, study_time = date_of(text("00080020")), time_of(text("00080030"))
        return {
            "study_instance_uid": text("0020000D"),
            "study_date": study_date,
            "study_time": study_time,
            "started": self.started,
            "accession_number": text("00080050")[:50] or None,
            "study_description": text("00081030") or None,
            "dicom_study_id": text("00200010"),
            "referring_physician_search": name_search_text(text("00080090")),
            "procedure_codes": self.procedure_codes,
            "dicom": levels.patient_and_study(self.header.attributes),
            **patient_columns(self.identity),
        }

    @property
    def procedure_codes(self) -> list[str]:
        """Code values of the Procedure Code Sequence (0008,1032)."""
        items = [item for item in self.header.values("00081032") if item]
        return [str(value) for item in items for value in item.get("00080100", {}).get("Value", [])]


def said_of_patient(header: Header, facility_code: str) -> Demographics:
    """What an object says of its patient. The issuer is the facility's where the object names none."""
    text = header.text
    return Demographics(
        patient_id=text("00100020"),
        issuer=text("00100021") or facility_code,
        name=text("00100010"),
        birth_date=text("00100030"),
        sex=text("00100040"),
        facility_code=facility_code,
    )


def patient_columns(identity: PatientIdentity) -> dict[str, Any]:
    """The patient's columns of imaging_studies."""
    return {
        "dicom_patient_id": identity.patient_id,
        "issuer_of_patient_id": identity.issuer,
        "patient_name": identity.name,
        "patient_name_search": name_search_text(identity.name),
        "patient_birth_date": identity.birth_date,
        "patient_sex": identity.sex,
    }


def series_columns(header: Header, zone: tzinfo) -> dict[str, Any]:
    """The columns of imaging_series that an object decides."""
    text = header.text
    series_date = date_of(text("00080021")) or date_of(text("00080020"))
    series_time = time_of(text("00080031")) or time_of(text("00080030"))
    number = header.number("00200011")
    return {
        "series_instance_uid": text("0020000E"),
        "modality": text("00080060")[:16] or "OT",
        "series_description": text("0008103E") or None,
        "series_number": int(number) if number is not None and abs(number) < 2**31 else None,
        "laterality": text("00200060")[:16] or None,
        "protocol_name": text("00181030")[:200] or None,
        "started": moment_of(series_date, series_time, zone_of(text("00080201"), zone)),
        "body_site": {"text": body_part} if (body_part := text("00180015")) else None,
        "dicom": levels.series(header.attributes),
        "sensitivity_evidence": as_stored(evidence_of_attributes(header.attributes)),
    }


def date_of(text: str) -> date | None:
    """A DA value (PS3.5 6.2), also in the old form with dots; None where it is no date."""
    digits = text.replace(".", "")
    try:
        return datetime.strptime(digits, "%Y%m%d").date() if len(digits) == 8 else None  # noqa: DTZ007 - a date has none.
    except ValueError:
        return None


def time_of(text: str) -> time | None:
    """A TM value (PS3.5 6.2), also in the old form with colons; missing digits are zero; None where it is no time."""
    digits, _, fraction = text.replace(":", "").partition(".")
    padded = digits.ljust(6, "0")
    if not digits or len(digits) > 6 or not padded.isascii() or not padded.isdigit():
        return None
    hour, minute, second = int(padded[:2]), int(padded[2:4]), min(int(padded[4:6]), 59)
    micro = int(fraction[:6].ljust(6, "0")) if fraction.isascii() and fraction.isdigit() else 0
    try:
        return time(hour, minute, second, micro)
    except ValueError:
        return None


def moment_of(day: date | None, clock: time | None, zone: tzinfo) -> datetime | None:
    """Date and local time as an aware moment; midnight where the time is missing."""
    return datetime.combine(day, clock or time(), zone) if day else None


def zone_of(offset: str, default: tzinfo) -> tzinfo:
    """Timezone Offset From UTC (0008,0201), such as +0600; the default where it is missing or no offset."""
    try:
        return parse_offset(offset)
    except ValueError:
        return default
