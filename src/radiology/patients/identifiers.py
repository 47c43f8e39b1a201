"""Numbers by which a patient is known: national ones, checked, and those of hospitals. Pure."""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from radiology.errors import FieldProblem, Unprocessable
from radiology.standards.dicom.bangla import latin_digits

LONGEST: Final = 64
"""Characters of a number, as of Patient ID (0010,0020), VR LO."""
OLDEST_BIRTH_YEAR: Final = 1890
_BIRTH_YEAR_DIGITS: Final = 17


class Kind(StrEnum):
    """What a number is. `MR` is the hospital number (HL7 table 0203); only it has an issuer."""

    NID = "NID"
    BRN = "BRN"
    UHID = "UHID"
    HOSPITAL = "MR"


SYSTEMS: Final = {
    Kind.NID: "http://dghs.gov.bd/identifier/nid",
    Kind.BRN: "http://dghs.gov.bd/identifier/brn",
    Kind.UHID: "http://dghs.gov.bd/identifier/uhid",
}
"""The systems of the national profile of FHIR; the system of a hospital number is `urn:radiology:facility:<issuer>`."""
HOSPITAL_SYSTEM: Final = "urn:radiology:facility:"

_SEPARATORS: Final = re.compile(r"[\s\-\u2010-\u2015]+")
_UHID: Final = re.compile(r"[A-Z0-9]{6,32}")
_DIGITS_OF: Final = {Kind.NID: (10, 13, _BIRTH_YEAR_DIGITS), Kind.BRN: (_BIRTH_YEAR_DIGITS,)}


@dataclass(frozen=True, slots=True)
class Identifier:
    """A number as it is kept: made by `identifier`, so its form is right. `issuer` is a facility, of MR only."""

    kind: Kind
    value: str
    issuer: str = ""

    @property
    def system(self) -> str:
        """The FHIR system of the number."""
        return SYSTEMS.get(self.kind) or f"{HOSPITAL_SYSTEM}{self.issuer}"


def identifier(kind: Kind, text: str, *, issuer: str = "", field: str = "identifier") -> Identifier:
    """A number that somebody typed, Bangla digits and separators made one form. Raises Unprocessable."""
    if kind == Kind.HOSPITAL:
        return Identifier(kind, _hospital_number(text, field), issuer)
    value = _SEPARATORS.sub("", latin_digits(text))
    if kind == Kind.UHID:
        if not _UHID.fullmatch(value.upper()):
            raise _wrong(field, "A UHID has 6 to 32 letters and digits.")
        return Identifier(kind, value.upper())
    lengths = _DIGITS_OF[kind]
    if not (value.isascii() and value.isdigit() and len(value) in lengths):
        raise _wrong(field, f"A {kind} has {_listed(lengths)} digits.")
    if len(value) == _BIRTH_YEAR_DIGITS and not OLDEST_BIRTH_YEAR <= int(value[:4]) <= 2100:
        raise _wrong(field, f"A {kind} of 17 digits begins with the year of birth.")
    return Identifier(kind, value)


def kind_of_system(system: str) -> Kind | None:
    """The kind that a FHIR system stands for."""
    national = {system: kind for kind, system in SYSTEMS.items()}
    return national.get(system) or (Kind.HOSPITAL if system.startswith(HOSPITAL_SYSTEM) else None)


def birth_year(number: Identifier) -> str | None:
    """The year of birth that a number of 17 digits begins with."""
    has_one = number.kind in _DIGITS_OF and len(number.value) == _BIRTH_YEAR_DIGITS
    return number.value[:4] if has_one else None


def searched(text: str) -> str:
    """A number as it was typed into a search, as it would be kept."""
    return latin_digits(text).strip()


def compact(text: str) -> str:
    """The same without separators, as national numbers are kept."""
    return _SEPARATORS.sub("", latin_digits(text)).upper()


def _hospital_number(text: str, field: str) -> str:
    value = latin_digits(text).strip()
    if not value or len(value) > LONGEST or "\\" in value or not value.isprintable():
        raise _wrong(field, f"A hospital number has 1 to {LONGEST} printable characters and no backslash.")
    return value


def _listed(lengths: tuple[int, ...]) -> str:
    *first, last = map(str, lengths)
    return f"{', '.join(first)} or {last}" if first else last


def _wrong(field: str, sentence: str) -> Unprocessable:
    return Unprocessable(sentence, fields=[FieldProblem(field, sentence)])
