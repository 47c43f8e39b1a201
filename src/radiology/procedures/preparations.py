"""How patients prepare: the sentences that they are given in two languages. Pure but for reading the shipped file.

What is said in a short message is neutral: whoever reads it over a shoulder learns of no examination and no condition.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from radiology.kit.bilingual import Sentence
from radiology.procedures.entries import shipped_preparations
from radiology.procedures.model import Procedure


def _sentence(told: Mapping[str, Any]) -> Sentence:
    return Sentence(told["en"], told["bn"])


def _short(told: Mapping[str, Any]) -> Sentence | None:
    if told.get("neutral"):
        return _sentence(told)
    return _sentence(told["short"]) if "short" in told else None


PREPARATIONS: Final[Mapping[str, Sentence]] = {code: _sentence(told) for code, told in shipped_preparations().items()}
FASTING_HOURS: Final[Mapping[str, int]] = {
    code: told["fasting_hours"] for code, told in shipped_preparations().items() if "fasting_hours" in told
}
_SHORT: Final[Mapping[str, Sentence]] = {
    code: short for code, told in shipped_preparations().items() if (short := _short(told))
}


def fasting_hours(codes: Iterable[str]) -> int:
    """How long nothing is eaten before all of these."""
    return max((FASTING_HOURS.get(code, 0) for code in codes), default=0)


def sentences(codes: Iterable[str]) -> list[Sentence]:
    """What the patient is told on paper."""
    return [PREPARATIONS[code] for code in dict.fromkeys(codes)]


def short_sentences(codes: Iterable[str]) -> list[Sentence]:
    """What a short message says: neutral, each once."""
    return list(dict.fromkeys(_SHORT[code] for code in codes if code in _SHORT))


def instructions(procedure: Procedure) -> list[Sentence]:
    """What a patient is told on paper before a procedure: its own sentence, else those of its preparations.

    The question for pregnancy is asked in either case.
    """
    if not procedure.preparation:
        return sentences(procedure.preparations)
    own = Sentence(procedure.preparation, procedure.preparation_bangla or procedure.preparation)
    return [own, *sentences(code for code in procedure.preparations if code == "PG")]


def message(procedure: Procedure) -> Sentence:
    """A short message that tells how to prepare: neither the examination nor a condition stands in it."""
    told = short_sentences(procedure.preparations)
    if not told:
        return Sentence("Please come in time for your appointment.", "আপনার অ্যাপয়েন্টমেন্টে সময়মতো আসুন।")
    return Sentence(
        " ".join(["Before your appointment:", *(f"{each.english}." for each in told)]),
        " ".join(["আপনার অ্যাপয়েন্টমেন্টের আগে:", *(f"{each.bangla}।" for each in told)]),
    )
