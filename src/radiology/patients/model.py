"""A patient, what is said of one, and when two are the same. Pure."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from radiology.patients.identifiers import Identifier
from radiology.standards.dicom.identity import MATCH, PatientIdentity, identity_score

#: Stands for a number that both have, whatever it is: a hospital's or a national one.
_SHARED = "shared"


@dataclass(frozen=True, slots=True)
class Patient:
    """A patient of the registry, never one that was merged into another.

    `reference` is `Patient/<id>`; `patient_name` a PN whose groups are joined by =; `birth_date` YYYYMMDD or empty;
    `sex` M, F, O or empty. doubtful: found or made beside somebody else with the same number, so a person should look.
    by_merged: found by the number of a patient who was merged into this one.
    """

    id: UUID
    reference: str
    patient_id: str
    issuer_of_patient_id: str
    patient_name: str
    birth_date: str
    sex: str
    doubtful: bool = False
    by_merged: bool = False

    @property
    def identity(self) -> PatientIdentity:
        """Who it is."""
        return PatientIdentity(self.patient_id, self.issuer_of_patient_id, self.patient_name, self.birth_date, self.sex)


@dataclass(frozen=True, slots=True)
class Demographics:
    """What somebody says of a patient; empty text means that it is not said.

    `patient_id` is the hospital number of `issuer`; `reference` what another registry calls the patient, as
    `Patient/12345`; `name` a PN; `birth_date` YYYYMMDD. `facility_code` is where it is said.
    """

    patient_id: str = ""
    issuer: str = ""
    reference: str = ""
    name: str = ""
    birth_date: str = ""
    sex: str = ""
    birth_date_estimated: bool = False
    identifiers: tuple[Identifier, ...] = ()
    facility_code: str = ""

    @classmethod
    def of_reference(cls, reference: str, facility_code: str) -> "Demographics":
        """Only `Patient/<id>` is said, where the id may be the hospital number of the facility."""
        number = reference.removeprefix("Patient/")
        return cls(number, facility_code, reference, facility_code=facility_code)

    @property
    def demographics(self) -> PatientIdentity:
        """Name, birth date and sex, beside a number that whoever is compared has too."""
        return _of(self.name, self.birth_date, self.sex)

    @property
    def lock_keys(self) -> list[int]:
        """What to hold while the patient is looked for, so that 64 who see one for the first time make one."""
        numbers = [f"{each.kind} {each.value} {each.issuer}" for each in self.identifiers]
        return lock_keys(
            [*numbers, *([number_name(self.patient_id, self.issuer)] if self.patient_id else ()), self.reference]
        )


@dataclass(frozen=True, slots=True)
class Candidate:
    """A patient that shares a number with what was said. `known_...`: as whom the number knew it, before a merge."""

    id: UUID
    reference: str
    patient_id: str
    issuer_of_patient_id: str
    patient_name: str
    birth_date: str
    sex: str
    known_name: str
    known_birth_date: str
    known_sex: str
    by_reference: bool
    by_merged: bool

    @property
    def patient(self) -> Patient:
        """The patient that it leads to."""
        return Patient(
            self.id, self.reference, self.patient_id, self.issuer_of_patient_id, self.patient_name, self.birth_date,
            self.sex, by_merged=self.by_merged,
        )  # fmt: skip

    def is_same(self, said: Demographics) -> bool:
        """Whether what was said is said of this patient: nothing but the number is known, or all fits together."""
        if self.by_reference:
            return True
        told = said.demographics
        known = {
            _of(self.known_name, self.known_birth_date, self.known_sex),
            _of(self.patient_name, self.birth_date, self.sex),
        }
        if _is_only_number(told) or all(map(_is_only_number, known)):
            return True
        return any(identity_score(one, told) >= MATCH for one in known)


def choose(candidates: Sequence[Candidate], said: Demographics) -> Patient | None:
    """The patient that was meant, None where there is none; doubtful where only a number is said that several have."""
    chosen = next((each for each in candidates if each.is_same(said)), None)
    if chosen is None:
        return None
    others = {each.id for each in candidates} - {chosen.id}
    return replace(
        chosen.patient, doubtful=bool(others) and not chosen.by_reference and _is_only_number(said.demographics)
    )


def lock_keys(names: Iterable[str]) -> list[int]:
    """Keys of advisory locks, in the order in which everybody takes them."""
    digests = (hashlib.sha256(f"patient {name}".encode()).digest()[:8] for name in names if name)
    return sorted(int.from_bytes(digest, "big", signed=True) for digest in digests)


def number_name(patient_id: str, issuer: str) -> str:
    """What a hospital number is called among the locks."""
    return f"MR {patient_id} {issuer}"


def _of(name: str, birth_date: str, sex: str) -> PatientIdentity:
    return PatientIdentity(_SHARED, "", name, birth_date, sex)


def _is_only_number(identity: PatientIdentity) -> bool:
    return not (identity.name.strip("^= ") or identity.birth_date or identity.sex)
