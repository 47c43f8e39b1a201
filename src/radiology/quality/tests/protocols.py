"""Which tests a device needs, how often, and which values pass. Pure.

The periods are those of the country's practice (IAEA Human Health Series 47 for radiography). A value outside its
limits fails the test; a question answered with no fails it too.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Any, Final

from radiology.errors import FieldProblem, Unprocessable
from radiology.kit.bilingual import Sentence

BLOCKED_AFTER: Final = timedelta(days=30)
"""A device that is overdue for longer is not booked any more."""

_RADIOGRAPHY = frozenset({"DX", "CR", "MG", "PX"})
_X_RAY = _RADIOGRAPHY | {"CT", "RF", "XA"}


class Period(StrEnum):
    """How often a test is due."""

    DAILY = "daily"
    WEEKLY = "weekly"
    MONTHLY = "monthly"
    QUARTERLY = "quarterly"
    ANNUAL = "annual"


DAYS: Final[Mapping[Period, int]] = {
    Period.DAILY: 1,
    Period.WEEKLY: 7,
    Period.MONTHLY: 31,
    Period.QUARTERLY: 92,
    Period.ANNUAL: 366,
}


@dataclass(frozen=True, slots=True)
class Measurement:
    """A number that is taken, and the limits between which it passes; None is no limit."""

    name: str
    unit: str
    least: float | None = None
    most: float | None = None

    def passes(self, value: float) -> bool:
        """Whether a value is within the limits, which belong to it."""
        return (self.least is None or value >= self.least) and (self.most is None or value <= self.most)


@dataclass(frozen=True, slots=True)
class Protocol:
    """One test: for devices of these modalities, None for all. questions: what is answered with yes or no."""

    key: str
    period: Period
    title: Sentence
    modalities: frozenset[str] | None
    measurements: tuple[Measurement, ...] = ()
    questions: tuple[str, ...] = ()

    @property
    def days(self) -> int:
        """So many days after one is done the next is due."""
        return DAYS[self.period]


PROTOCOLS: Final[Mapping[str, Protocol]] = {
    each.key: each
    for each in (
        Protocol(
            "ct-water",
            Period.DAILY,
            Sentence("CT: warm-up, and CT number of water", "সিটি: ওয়ার্ম-আপ ও পানির সিটি নম্বর"),
            frozenset({"CT"}),
            (Measurement("waterHU", "HU", -4, 4),),
            ("warmedUp",),
        ),
        Protocol(
            "warm-up",
            Period.DAILY,
            Sentence("Warm-up of the tube", "টিউব ওয়ার্ম-আপ"),
            _X_RAY - {"CT"},
            questions=("warmedUp",),
        ),
        Protocol(
            "display",
            Period.DAILY,
            Sentence("Display check: test pattern, dirt, light of the room", "ডিসপ্লে পরীক্ষা: টেস্ট প্যাটার্ন, ময়লা, ঘরের আলো"),
            None,
            questions=("patternVisible",),
        ),
        Protocol(
            "artefacts",
            Period.WEEKLY,
            Sentence("Flat field and artefacts", "ফ্ল্যাট ফিল্ড ও আর্টিফ্যাক্ট"),
            _RADIOGRAPHY | {"CT", "RF", "XA"},
            questions=("freeOfArtefacts",),
        ),
        Protocol(
            "mammography-phantom",
            Period.WEEKLY,
            Sentence("Mammography phantom: fibres, specks and masses", "ম্যামোগ্রাফি ফ্যান্টম: তন্তু, দানা ও পিণ্ড"),
            frozenset({"MG"}),
            (
                Measurement("fibres", "", 4),
                Measurement("specks", "", 3),
                Measurement("masses", "", 3),
            ),
        ),
        Protocol(
            "reject-analysis",
            Period.MONTHLY,
            Sentence("Analysis of rejects discussed with the team", "বাতিল ছবির বিশ্লেষণ দলের সঙ্গে আলোচনা"),
            frozenset({"DX", "CR", "MG"}),
            (Measurement("rejectRatePercent", "%", 0, 10),),
        ),
        Protocol(
            "kvp-output",
            Period.QUARTERLY,
            Sentence("Tube voltage and output", "টিউব ভোল্টেজ ও আউটপুট"),
            _X_RAY,
            (
                Measurement("kvpDeviationPercent", "%", -10, 10),
                Measurement("outputDeviationPercent", "%", -20, 20),
            ),
        ),
        Protocol(
            "aec",
            Period.QUARTERLY,
            Sentence("Automatic exposure control", "স্বয়ংক্রিয় এক্সপোজার নিয়ন্ত্রণ"),
            _RADIOGRAPHY | {"RF", "XA"},
            (Measurement("aecDeviationPercent", "%", -20, 20),),
        ),
        Protocol(
            "physicist",
            Period.ANNUAL,
            Sentence("Annual survey by a medical physicist", "চিকিৎসা পদার্থবিদের বার্ষিক পরীক্ষা"),
            _X_RAY | {"MR", "NM", "PT", "BMD", "US"},
            questions=("acceptable",),
        ),
    )
}
"""By key. The mammography phantom is that of the ACR."""


def protocols_of(modality: str) -> list[Protocol]:
    """The tests that a device of a modality needs."""
    return [each for each in PROTOCOLS.values() if each.modalities is None or modality in each.modalities]


@dataclass(frozen=True, slots=True)
class Judged:
    """What came out: each value with its limits and whether it passes, and whether all do."""

    results: Mapping[str, Any]
    passed: bool


def judge(protocol: Protocol, values: Mapping[str, float], answers: Mapping[str, bool]) -> Judged:
    """Whether a test passes. Raises Unprocessable for a value or an answer that is missing or not asked for."""
    asked, known = {each.name for each in protocol.measurements}, set(protocol.questions)
    problems = [FieldProblem(f"values.{name}", "is missing") for name in sorted(asked - set(values))]
    problems += [FieldProblem(f"values.{name}", "is not part of this test") for name in sorted(set(values) - asked)]
    problems += [FieldProblem(f"answers.{name}", "is missing") for name in sorted(known - set(answers))]
    problems += [FieldProblem(f"answers.{name}", "is not part of this test") for name in sorted(set(answers) - known)]
    if problems:
        told = "; ".join(f"{problem.field} {problem.message}" for problem in problems)
        raise Unprocessable(f"The results do not fit the test {protocol.key}: {told}.", fields=problems)
    measured = {
        each.name: {
            "value": values[each.name],
            "unit": each.unit,
            "least": each.least,
            "most": each.most,
            "passed": each.passes(values[each.name]),
        }
        for each in protocol.measurements
    }
    answered = {name: {"answer": answers[name], "passed": answers[name]} for name in protocol.questions}
    results = {**measured, **answered}
    return Judged(results, all(each["passed"] for each in results.values()))


@dataclass(frozen=True, slots=True)
class Standing:
    """How a test of a device stands. begun_on: since when it is asked for. last_on, last_passed: the newest result."""

    device_number: int
    test: str
    begun_on: date
    active: bool
    last_on: date | None
    last_passed: bool | None

    @property
    def due_on(self) -> date:
        """The day on which it is to be done; at once where it failed last."""
        if self.last_on is None:
            return self.begun_on
        days = PROTOCOLS[self.test].days if self.last_passed else 0
        return self.last_on + timedelta(days=days)

    def overdue_days(self, today: date) -> int:
        """How many days it is overdue; 0 where it is not, or is due today."""
        return max((today - self.due_on).days, 0) if self.active else 0

    def state(self, today: date) -> str:
        """`not-needed`, `failed`, `blocking`, `overdue`, `due` or `current`."""
        if not self.active:
            return "not-needed"
        if self.last_passed is False:
            return "failed"
        overdue = self.overdue_days(today)
        if overdue > BLOCKED_AFTER.days:
            return "blocking"
        if overdue:
            return "overdue"
        return "due" if self.due_on == today else "current"


def reason_to_block(standings: Sequence[Standing], today: date) -> str | None:
    """Why a device is not to be used for now: what failed, then what is overdue by more than 30 days."""
    failed = sorted(each.test for each in standings if each.state(today) == "failed")
    overdue = sorted(each.test for each in standings if each.state(today) == "blocking")
    if failed:
        return f"{BLOCK} failed: {', '.join(failed)}"
    return f"{BLOCK} overdue by more than {BLOCKED_AFTER.days} days: {', '.join(overdue)}" if overdue else None


BLOCK: Final = "Device test"
"""How every reason begins for which tests block a device: others block it for other reasons, and lift those."""
