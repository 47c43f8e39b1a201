"""What is wrong about codes that arrive, by the catalogue: they are kept as sent, the right ones are added, it is said.

LOINC codes have a check digit. Four codes of the specification fail it; they stay accepted and mean procedures of the
catalogue. Nothing is ever done on a code whose words say something else. Pure.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, cast

from radiology.errors import FieldProblem
from radiology.procedures.entries import shipped
from radiology.procedures.lookup import Catalogue
from radiology.procedures.meanings import INSTEAD
from radiology.procedures.model import LOCAL_SYSTEM, LOINC, Coding
from radiology.sensitivity.evidence import system_of
from radiology.standards import loinc

Concept = Mapping[str, Any]
"""A CodeableConcept (FHIR R4)."""


@dataclass(frozen=True, slots=True)
class CodingWarning:
    """Something that was accepted and should be looked at."""

    code: str
    field: str
    message: str

    def as_json(self) -> dict[str, str]:
        """As it stands in an answer."""
        return {"code": self.code, "field": self.field, "message": self.message}


def corrected(known: Catalogue, concept: Concept, field: str) -> tuple[dict[str, Any], list[CodingWarning]]:
    """A CodeableConcept with the right codings added behind those that were sent, and what is to be said about them."""
    given: list[dict[str, Any]] = concept.get("coding") or []
    there = {(coding.get("system"), coding.get("code")) for coding in given}
    added: list[dict[str, Any]] = []
    warnings: list[CodingWarning] = []
    for number, coding in enumerate(given):
        place = f"{field}.coding[{number}]"
        right = _right_one(known, coding) if _is_impossible(coding) else None
        if _is_impossible(coding):
            warnings.append(_not_in_system(coding, right, place))
        warnings += _mismatch(known, coding, concept.get("text") or "", place)
        if right and (right.system, right.code) not in there:
            added.append({"system": right.system, "code": right.code, "display": right.display})
    return ({**concept, "coding": [*given, *added]} if added else dict(concept)), warnings


def all_corrected(
    known: Catalogue, concepts: Iterable[Concept], field: str
) -> tuple[list[dict[str, Any]], list[CodingWarning]]:
    """The same of each of a list."""
    both = [corrected(known, concept, f"{field}[{number}]") for number, concept in enumerate(concepts)]
    return [concept for concept, _ in both], [warning for _, said in both for warning in said]


def with_right_codes(known: Catalogue, value: Any) -> Any:
    """A resource in which every CodeableConcept has the right codings, too."""
    if isinstance(value, list):
        return [with_right_codes(known, each) for each in cast("list[Any]", value)]
    if not isinstance(value, dict):
        return value
    inner = {name: with_right_codes(known, each) for name, each in cast("dict[str, Any]", value).items()}
    return corrected(known, inner, "")[0] if isinstance(inner.get("coding"), list) else inner


def impossible_codes(known: Catalogue, resource: Mapping[str, Any], path: str) -> list[FieldProblem]:
    """Every code of a resource that LOINC cannot have, but for those of the specification that the catalogue knows."""
    sentence = "is not a LOINC code, its check digit is wrong"
    return [
        FieldProblem(place, f"{coding['code']} {sentence}")
        for place, coding in _codings(resource, path)
        if _is_impossible(coding) and not _right_one(known, coding)
    ]


def as_others_may_read(value: Any) -> Any:
    """A resource in which no impossible code is said to be of LOINC: it is local where it is known, else of nothing."""
    if isinstance(value, list):
        return [as_others_may_read(each) for each in cast("list[Any]", value)]
    if not isinstance(value, dict):
        return value
    told = {name: as_others_may_read(each) for name, each in cast("dict[str, Any]", value).items()}
    if not _is_impossible(told):
        return told
    del told["system"]
    return {"system": LOCAL_SYSTEM, **told} if told["code"] in _local_codes() else told


def _codings(value: Any, path: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    if isinstance(value, list):
        for number, each in enumerate(cast("list[Any]", value)):
            yield from _codings(each, f"{path}[{number}]")
    elif isinstance(value, dict):
        told = cast("dict[str, Any]", value)
        if isinstance(told.get("code"), str) and isinstance(told.get("system"), str):
            yield path, told
        for name, each in told.items():
            yield from _codings(each, f"{path}.{name}")


def _is_impossible(coding: Mapping[str, Any]) -> bool:
    system, code = coding.get("system"), coding.get("code")
    return (
        isinstance(system, str)
        and isinstance(code, str)
        and system_of(system) == LOINC
        and not loinc.could_exist(code.strip())
    )


def _right_one(known: Catalogue, coding: Mapping[str, Any]) -> Coding | None:
    """The code of LOINC for the procedure that a code of the specification means."""
    procedure = known.local(str(coding.get("code", "")))
    codings = procedure.codings if procedure else ()
    return next((each for each in codings if each.system == LOINC), None)


def _not_in_system(coding: Mapping[str, Any], right: Coding | None, place: str) -> CodingWarning:
    hint = f"; added {right.code} ({right.display})" if right else ""
    sentence = f"{coding['code']} is not a LOINC code, its check digit is wrong{hint}."
    return CodingWarning("code-not-in-system", place, sentence)


def _mismatch(known: Catalogue, coding: Mapping[str, Any], text: str, place: str) -> Iterator[CodingWarning]:
    system, code = str(coding.get("system") or ""), str(coding.get("code") or "")
    said = Coding(system, code, str(coding.get("display") or text))
    if not known.disagrees(said):
        return
    instead = INSTEAD.get((system_of(system), code.strip()), ())
    others = "".join(f"; {display} is {other}" for _, other, display in instead)
    meaning = f"{code} means {known.meaning(said)}{others}"
    yield CodingWarning("display-mismatch", place, f"{meaning}; the text is shown, the code not acted on.")


@cache
def _local_codes() -> frozenset[str]:
    """Codes that the specification has for LOINC, and that are none."""
    codings = (coding for body in shipped().values() for coding in body["codings"])
    return frozenset(coding["code"] for coding in codings if coding["system"] == LOCAL_SYSTEM)
