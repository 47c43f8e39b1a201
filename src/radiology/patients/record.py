"""The whole record of a patient, and how it is made of what somebody sent. Pure."""

import re
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from radiology.errors import FieldProblem, Unprocessable
from radiology.patients.identifiers import Identifier, Kind, birth_year, identifier
from radiology.patients.model import Demographics, Patient
from radiology.patients.schemas import PatientIn
from radiology.standards.dicom.bangla import latin_digits
from radiology.standards.dicom.names import PersonName

_SEPARATORS: Final = re.compile(r"[\s\-().]+")
_MOBILE: Final = re.compile(r"(?:\+?88)?(01[3-9]\d{8})")
_FOREIGN: Final = re.compile(r"\+[1-9]\d{6,14}|0\d{5,11}")


@dataclass(frozen=True, slots=True)
class Record:
    """All that the registry holds of one patient. `numbers` stand beside the one of `patient_id`.

    old_numbers: by which patients were known that were merged into this one.
    """

    id: UUID
    reference: str
    patient_id: str
    issuer_of_patient_id: str
    patient_name: str
    birth_date: str
    birth_date_estimated: bool
    sex: str
    phone: str
    details: dict[str, Any]
    temporary: bool
    facility_code: str
    version: int
    created_at: datetime
    updated_at: datetime
    checked_at: datetime | None
    numbers: list[dict[str, str]]
    old_numbers: list[dict[str, str]]

    @property
    def patient(self) -> Patient:
        """The same as others need it."""
        return Patient(
            self.id, self.reference, self.patient_id, self.issuer_of_patient_id, self.patient_name, self.birth_date,
            self.sex,
        )  # fmt: skip

    @property
    def identifiers(self) -> tuple[Identifier, ...]:
        """The numbers that hold, the hospital's own first."""
        own = (Identifier(Kind.HOSPITAL, self.patient_id, self.issuer_of_patient_id),) if self.patient_id else ()
        return (*own, *map(_identifier, self.numbers))

    @property
    def body(self) -> dict[str, Any]:
        """As it is answered."""
        name = PersonName.parse(self.patient_name)
        old = [each for each in map(_identifier, self.old_numbers) if each not in self.identifiers]
        said: dict[str, Any] = {
            "name": name.alphabetic,
            "nameBangla": name.ideographic or None,
            "birthDate": iso_date(self.birth_date),
            "birthDateEstimated": self.birth_date_estimated,
            "sex": self.sex or None,
            "phone": self.phone or None,
            **self.details,
        }
        return {
            "id": str(self.id),
            "reference": self.reference,
            "version": self.version,
            "identifiers": [
                *(_identifier_body(each, "official") for each in self.identifiers),
                *(_identifier_body(each, "old") for each in dict.fromkeys(old)),
            ],
            **{field: value for field, value in said.items() if value is not None},
            "temporary": self.temporary,
            "facilityCode": self.facility_code,
            "createdAt": self.created_at,
            "updatedAt": self.updated_at,
            **({"registryCheckedAt": self.checked_at} if self.checked_at else {}),
        }


def said_in(body: PatientIn, *, facility_code: str, today: date) -> Demographics:
    """What a request says of a patient. Raises Unprocessable where a number cannot be right."""
    numbers = [
        identifier(each.type, each.value, issuer=each.issuer or facility_code, field=f"identifiers[{place}]")
        for place, each in enumerate(body.identifiers)
    ]
    own = next((each for each in numbers if each.kind == Kind.HOSPITAL and each.issuer == facility_code), None)
    own = own or next((each for each in numbers if each.kind == Kind.HOSPITAL), None)
    birth_date, estimated = born(body, today)
    _must_fit(numbers, birth_date, estimated=estimated)
    return Demographics(
        patient_id=own.value if own else "",
        issuer=own.issuer if own else facility_code,
        name=body.encoded_name,
        birth_date=birth_date,
        sex=body.sex or "",
        birth_date_estimated=estimated,
        identifiers=tuple(each for each in dict.fromkeys(numbers) if each != own),
        facility_code=facility_code,
    )


def born(body: PatientIn, today: date) -> tuple[str, bool]:
    """The birth date as DICOM writes it, and whether it is estimated. Raises Unprocessable for one to come."""
    if body.ageYears is not None:
        return f"{today.year - body.ageYears:04}0101", True
    if body.birthDate is None:
        return "", False
    if body.birthDate > today:
        raise _wrong("birthDate", "The birth date is in the future.")
    return f"{body.birthDate:%Y%m%d}", body.birthDateEstimated


def phone_number(text: str, *, field: str = "phone") -> str:
    """A telephone number, mobiles of Bangladesh as +8801XXXXXXXXX. Raises Unprocessable."""
    number = _SEPARATORS.sub("", latin_digits(text))
    if mobile := _MOBILE.fullmatch(number):
        return f"+88{mobile[1]}"
    if not _FOREIGN.fullmatch(number):
        raise _wrong(field, "A telephone number is 01XXXXXXXXX, or begins with + and the code of its country.")
    return number


def iso_date(birth_date: str) -> str | None:
    """YYYYMMDD as JSON has it; None for what is no date."""
    try:
        return date(int(birth_date[:4]), int(birth_date[4:6]), int(birth_date[6:])).isoformat()
    except ValueError:
        return None


def _must_fit(numbers: list[Identifier], birth_date: str, *, estimated: bool) -> None:
    years = {year for each in numbers if (year := birth_year(each))}
    if birth_date and not estimated and years - {birth_date[:4]}:
        raise _wrong("birthDate", "The birth date is of another year than the one that a NID or BRN begins with.")


def _identifier(number: dict[str, str]) -> Identifier:
    return Identifier(Kind(number["kind"]), number["value"], number["issuer"])


def _identifier_body(each: Identifier, use: str) -> dict[str, Any]:
    body = {"type": each.kind, "value": each.value, "system": each.system, "use": use}
    return body | ({"issuer": each.issuer} if each.kind == Kind.HOSPITAL else {})


def _wrong(field: str, sentence: str) -> Unprocessable:
    return Unprocessable(sentence, fields=[FieldProblem(field, sentence)])
