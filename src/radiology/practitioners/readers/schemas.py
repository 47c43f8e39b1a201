"""Bodies of readers over REST, and the rows of their spreadsheet."""

from datetime import date, time
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, StringConstraints, model_validator

from radiology.external.practitioners.model import Practitioner, Privilege, registration_number
from radiology.kit.sheets import several
from radiology.kit.validation import CONFIGURATION, Body
from radiology.practitioners.readers import wording
from radiology.practitioners.readers.model import (
    AGE_GROUPS,
    CERTIFICATES,
    DEFAULT_CAP_RVU,
    SUBSPECIALTIES,
    Absence,
    Contract,
    Reader,
    Scope,
    Shift,
)
from radiology.practitioners.schemas import Code, Modality, Name

EXAMPLE: dict[str, Any] = {
    "subspecialties": ["neuro"],
    "languages": ["bn", "en"],
    "sex": "F",
    "ageGroups": ["adult", "child"],
    "certificates": ["mammography"],
    "contracts": [{"scope": "division", "place": "30", "endsOn": "2027-12-31"}],
    "homeFacility": "10000033",
    "homeDistrict": "3026",
    "homeDivision": "30",
    "capRvu": 60,
    "readsSensitive": True,
    "shifts": [{"days": [7, 1, 2, 3, 4], "begins": "08:00", "ends": "14:30"}],
}


def _one_of(known: tuple[str, ...]) -> AfterValidator:
    def check(value: str) -> str:
        if value not in known:
            raise ValueError(f"must be one of {', '.join(known)}")
        return value

    return AfterValidator(check)


def _registration(value: str | None) -> str | None:
    number = registration_number(value) if value else None
    if value and number is None:
        raise ValueError("must be a BMDC registration, such as A-12345")
    return number


Day = Annotated[date, Field(ge=date(1950, 1, 1), le=date(2999, 12, 31))]
Place = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.-]{0,16}$")]
Language = Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}$")]
Subspecialty = Annotated[str, _one_of(SUBSPECIALTIES)]
AgeGroup = Annotated[str, _one_of(AGE_GROUPS)]
Certificate = Annotated[str, _one_of(CERTIFICATES)]


class PeriodIn(Body):
    """First and last day; one that is left out sets no limit."""

    begins_on: Day | None = None
    ends_on: Day | None = None

    @model_validator(mode="after")
    def _in_order(self) -> "PeriodIn":
        if self.begins_on and self.ends_on and self.ends_on < self.begins_on:
            raise ValueError("ends before it begins")
        return self


class ContractIn(PeriodIn):
    """Where somebody reads."""

    scope: Scope
    place: Place = Field(default="", description="Facility code or geocode; nothing for national.")

    @model_validator(mode="after")
    def _placed(self) -> "ContractIn":
        if (self.scope == Scope.NATIONAL) == bool(self.place):
            raise ValueError("a facility, district or division needs its code as place, and national has none")
        return self

    def contract(self) -> Contract:
        """As rules have it."""
        return Contract(self.scope, self.place, self.begins_on, self.ends_on)


class ShiftIn(Body):
    """Hours of days of the week; one that ends at or before it begins ends the next day."""

    days: list[Annotated[int, Field(ge=1, le=7)]] = Field(
        min_length=1, max_length=7, description="1 Monday to 7 Sunday."
    )
    begins: time
    ends: time

    @model_validator(mode="after")
    def _local(self) -> "ShiftIn":
        if self.begins.tzinfo or self.ends.tzinfo:
            raise ValueError("begins and ends are times of day, as 08:00, without an offset")
        return self

    def shift(self) -> Shift:
        """As rules have it."""
        return Shift(frozenset(self.days), self.begins, self.ends)


class AbsenceIn(Body):
    """Leave; both days are included."""

    begins_on: Day
    ends_on: Day

    @model_validator(mode="after")
    def _in_order(self) -> "AbsenceIn":
        if self.ends_on < self.begins_on:
            raise ValueError("ends before it begins")
        return self

    def absence(self) -> Absence:
        """As rules have it."""
        return Absence(self.begins_on, self.ends_on)


class ReaderIn(Body):
    """What the network knows of a reader, beside what the registry of practitioners says."""

    model_config = CONFIGURATION | ConfigDict(json_schema_extra={"examples": [EXAMPLE]})

    active: bool = True
    subspecialties: Annotated[list[Subspecialty], BeforeValidator(several)] = Field(
        default_factory=list[str], max_length=20, description="None is general."
    )
    languages: Annotated[list[Language], BeforeValidator(several)] = Field(default_factory=list[str], max_length=20)
    sex: Literal["F", "M", ""] = Field(default="", description="For patients who ask for a reader of their sex.")
    age_groups: Annotated[list[AgeGroup], BeforeValidator(several)] = Field(
        default_factory=lambda: ["adult"], min_length=1, max_length=3
    )
    certificates: Annotated[list[Certificate], BeforeValidator(several)] = Field(
        default_factory=list[str], max_length=20
    )
    contracts: Annotated[list[ContractIn], BeforeValidator(wording.from_cell(wording.contract))] = Field(
        default_factory=list[ContractIn], max_length=200
    )
    home_facility: Place = ""
    home_district: Place = ""
    home_division: Place = ""
    abroad: bool = False
    abroad_approval: Annotated[str, StringConstraints(max_length=64, strip_whitespace=True)] = Field(
        default="", description="By the data protection officer; without it nobody abroad is given a study."
    )
    cap_rvu: Annotated[float, Field(gt=0, le=1000)] = Field(
        default=DEFAULT_CAP_RVU, description="So many RVU may lie open with him or her."
    )
    reads_sensitive: bool = False
    shifts: Annotated[list[ShiftIn], BeforeValidator(wording.from_cell(wording.shift))] = Field(
        default_factory=list[ShiftIn], max_length=50
    )
    absences: Annotated[list[AbsenceIn], BeforeValidator(wording.from_cell(wording.absence))] = Field(
        default_factory=list[AbsenceIn], max_length=100
    )
    recused_patients: Annotated[list[UUID], BeforeValidator(several)] = Field(
        default_factory=list[UUID], max_length=500
    )
    recused_facilities: Annotated[list[Place], BeforeValidator(several)] = Field(
        default_factory=list[str], max_length=100
    )

    def columns(self) -> dict[str, Any]:
        """As the database has it."""
        return self.model_dump(mode="json", include=set(ReaderIn.model_fields))


class ReaderChange(ReaderIn):
    """A reader who is added or changed."""

    version: int | None = Field(default=None, description="Of the reader who is changed; or the header If-Match.")


class PrivilegeIn(PeriodIn):
    """What may be read at a facility, as the registry has it."""

    facility_code: Name
    modalities: list[Modality] = Field(min_length=1, max_length=50)

    def privilege(self) -> Privilege:
        """As rules have it."""
        return Privilege(self.facility_code, frozenset(self.modalities), self.begins_on, self.ends_on)


class ReaderRow(ReaderIn):
    """A row of the spreadsheet: the practitioner, too, where this service keeps the registry."""

    practitioner: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9.-]{1,64}$")]
    name: Annotated[str, StringConstraints(max_length=200)] = ""
    name_bangla: Annotated[str, StringConstraints(max_length=200)] = ""
    registration: Annotated[str | None, AfterValidator(_registration)] = None
    registered_from: Day | None = None
    registered_until: Day | None = None
    specialties: Annotated[list[Code], BeforeValidator(several)] = Field(default_factory=list[str], max_length=20)
    privileges: Annotated[list[PrivilegeIn], BeforeValidator(wording.from_cell(wording.privilege))] = Field(
        default_factory=list[PrivilegeIn], max_length=100
    )

    @property
    def reference(self) -> str:
        """As `Practitioner/<id>`."""
        return f"Practitioner/{self.practitioner}"

    def in_registry(self) -> Practitioner | None:
        """What it says for the registry; None where it names nobody, and the registry stays as it is."""
        if not self.name:
            return None
        return Practitioner(
            self.reference,
            self.name,
            self.name_bangla,
            self.active,
            self.registration,
            self.registered_from,
            self.registered_until,
            frozenset(self.specialties),
            tuple(each.privilege() for each in self.privileges),
        )


def cells(reader: Reader) -> dict[str, Any]:
    """A reader as a row of the spreadsheet, which can be read again."""
    known, home = reader.practitioner, reader.home
    return {
        "practitioner": reader.reference.removeprefix("Practitioner/"),
        "name": known.name,
        "name_bangla": known.name_bangla,
        "registration": known.registration,
        "registered_from": known.registered_from,
        "registered_until": known.registered_until,
        "specialties": _joined(known.specialties),
        "privileges": "; ".join(map(wording.privilege_told, known.privileges)),
        "active": reader.active,
        "subspecialties": _joined(reader.subspecialties),
        "languages": _joined(reader.languages),
        "sex": reader.sex,
        "age_groups": _joined(reader.age_groups),
        "certificates": _joined(reader.certificates),
        "contracts": "; ".join(map(wording.contract_told, reader.contracts)),
        "home_facility": home.facility_code,
        "home_district": home.district,
        "home_division": home.division,
        "abroad": home.abroad,
        "abroad_approval": reader.abroad_approval,
        "cap_rvu": reader.cap_rvu,
        "reads_sensitive": reader.reads_sensitive,
        "shifts": "; ".join(map(wording.shift_told, reader.shifts)),
        "absences": "; ".join(map(wording.absence_told, reader.absences)),
        "recused_patients": _joined(map(str, reader.recusals.patients)),
        "recused_facilities": _joined(reader.recusals.facilities),
    }


def _joined(values: Any) -> str:
    return "; ".join(sorted(values))
