"""What is known to be wrong about codes that arrive: they are kept as sent, the right coding is added, and it is said.

LOINC codes carry a mod-10 (Luhn) check digit. The specification's own codes below fail it; they stay accepted.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

LOINC = "http://loinc.org"
SNOMED = "http://snomed.info/sct"

CORRECT_CODING: dict[tuple[str, str], dict[str, str]] = {
    (LOINC, "34839-5"): {"system": LOINC, "code": "42272-5", "display": "Chest X-ray PA and lateral"},
    (LOINC, "39026-1"): {"system": LOINC, "code": "24558-9", "display": "Abdomen US"},
    (LOINC, "24603-0"): {"system": LOINC, "code": "30799-1", "display": "Head CT WO contrast"},
    (LOINC, "39625-0"): {"system": LOINC, "code": "30691-0", "display": "Knee MRI WO contrast"},
}
"""The specification's codes that are not LOINC codes, and what they mean."""

OTHER_MEANING: dict[tuple[str, str], tuple[str, str]] = {
    (SNOMED, "267036007"): ("chest pain", "Dyspnea; chest pain is 29857009"),
    (SNOMED, "40199007"): ("pelvic ultrasound", "Supine body position; pelvic ultrasound is LOINC 24869-0"),
}
"""Codes that the specification shows with the display of something else."""

_loinc = re.compile(r"(\d{1,7})-(\d)")


@dataclass(frozen=True, slots=True)
class CodingWarning:
    """Something that was accepted and should be looked at."""

    code: str
    field: str
    message: str

    def as_json(self) -> dict[str, str]:
        """As it stands in an answer."""
        return {"code": self.code, "field": self.field, "message": self.message}


def corrected(concept: dict[str, Any], field: str) -> tuple[dict[str, Any], list[CodingWarning]]:
    """A CodeableConcept with the right codings added behind those that were sent, and what is to be said about them."""
    given: list[dict[str, Any]] = concept.get("coding") or []
    there = {(coding.get("system"), coding.get("code")) for coding in given}
    added: list[dict[str, Any]] = []
    warnings: list[CodingWarning] = []
    for number, coding in enumerate(given):
        warnings += _warnings_of(coding, f"{field}.coding[{number}]")
        right = CORRECT_CODING.get((coding.get("system", ""), coding.get("code", "")))
        if right and (right["system"], right["code"]) not in there:
            added.append(right)
    return ({**concept, "coding": [*given, *added]} if added else concept), warnings


def _warnings_of(coding: dict[str, Any], field: str) -> Iterable[CodingWarning]:
    system, code, display = coding.get("system", ""), coding.get("code", ""), coding.get("display", "")
    if system == LOINC and not is_loinc(code):
        right = CORRECT_CODING.get((system, code))
        hint = f"; added {right['code']} ({right['display']})" if right else ""
        yield CodingWarning("code-not-in-system", field, f"{code} is not a LOINC code, its check digit is wrong{hint}.")
    shown, meaning = OTHER_MEANING.get((system, code), ("", ""))
    if shown and display.strip().lower() == shown:
        yield CodingWarning(
            "display-mismatch", field, f"{code} means {meaning}; the text is shown, the code not acted on."
        )


def is_loinc(code: str) -> bool:
    """Whether the check digit is right."""
    match = _loinc.fullmatch(code)
    return match is not None and _check_digit(match[1]) == int(match[2])


def _check_digit(digits: str) -> int:
    doubled = "".join(str(int(digit) * 2) if place % 2 == 0 else digit for place, digit in enumerate(reversed(digits)))
    return -sum(map(int, doubled)) % 10
