"""Is this the same patient? The score that decides between match, review and conflict."""

from collections.abc import Mapping
from dataclasses import dataclass

from radiology.standards.dicom.bangla import latin_digits
from radiology.standards.dicom.names import name_similarity

MATCH = 0.85
REVIEW = 0.60
#: The score where one side says nothing at all about its patient: neither match nor conflict, a person looks at it.
NEUTRAL = REVIEW

_ID, _NAME, _BIRTH_DATE, _SEX = 0.50, 0.25, 0.15, 0.10
_UNKNOWN = 0.5
WEIGHTS: Mapping[str, float] = {"patient_id": _ID, "name": _NAME, "birth_date": _BIRTH_DATE, "sex": _SEX}
"""How much each part counts."""


@dataclass(frozen=True, slots=True)
class PatientIdentity:
    """Who a data set, an order or a study says its patient is. Empty text means that it does not say.

    `name` is a PN or a plain name; `birth_date` is a DICOM date (YYYYMMDD); `sex` is M, F or O. `aliases` are other
    (patient ID, issuer) pairs that this patient is or was known by.
    """

    patient_id: str = ""
    issuer: str = ""
    name: str = ""
    birth_date: str = ""
    sex: str = ""
    aliases: frozenset[tuple[str, str]] = frozenset()

    @property
    def says_nothing(self) -> bool:
        """Whether there is no demographic at all."""
        return not (self.patient_id or self.name or self.birth_date or self.sex)

    @property
    def is_only_a_number(self) -> bool:
        """Whether nothing is said beside a patient ID."""
        return bool(self.patient_id) and not (self.name or self.birth_date or self.sex)


@dataclass(frozen=True, slots=True)
class IdentityParts:
    """How much each part of two entries agrees, 0 to 1."""

    patient_id: float
    name: float
    birth_date: float
    sex: float

    @property
    def score(self) -> float:
        """How likely the two entries are one patient."""
        return _ID * self.patient_id + _NAME * self.name + _BIRTH_DATE * self.birth_date + _SEX * self.sex


def identity_parts(a: PatientIdentity, b: PatientIdentity) -> IdentityParts:
    """What of two entries agrees, part by part."""
    return IdentityParts(
        _id_score(a, b),
        _name_score(a.name, b.name),
        _birth_date_score(a.birth_date, b.birth_date),
        _sex_score(a.sex, b.sex),
    )


def identity_score(a: PatientIdentity, b: PatientIdentity) -> float:
    """How likely two entries are one patient, 0 to 1: at least MATCH is a match, below REVIEW a conflict."""
    return NEUTRAL if a.says_nothing or b.says_nothing else identity_parts(a, b).score


def _id_score(a: PatientIdentity, b: PatientIdentity) -> float:
    if not a.patient_id or not b.patient_id:
        return _UNKNOWN
    if _number(a.patient_id) == _number(b.patient_id) and _same_issuer(a.issuer, b.issuer):
        return 1.0
    known = (a.patient_id, a.issuer) in b.aliases or (b.patient_id, b.issuer) in a.aliases
    return _UNKNOWN if known else 0.0


def _number(patient_id: str) -> str:
    return latin_digits(patient_id.strip())


def _same_issuer(one: str, other: str) -> bool:
    # Modalities seldom send the issuer; one that is not named does not contradict.
    return not one or not other or one == other


def _name_score(one: str, other: str) -> float:
    if not one.strip("^= ") or not other.strip("^= "):
        return _UNKNOWN
    return max(name_similarity(first, second) for first in _groups(one) for second in _groups(other))


def _groups(name: str) -> list[str]:
    return [group for group in name.split("=") if group.strip("^ ")]


def _birth_date_score(one: str, other: str) -> float:
    if not one or not other:
        return _UNKNOWN
    if one == other:
        return 1.0
    if one[:4] != other[:4]:
        return 0.0
    estimated = "0101" in (one[4:], other[4:])
    swapped = one[4:] == other[6:8] + other[4:6]
    return 0.7 if estimated or swapped else 0.0


def _sex_score(one: str, other: str) -> float:
    if one in ("", "O") or other in ("", "O"):
        return 1.0 if one == other != "" else _UNKNOWN
    return 1.0 if one == other else 0.0
