"""What the check at order time says of a simulated order, and what the one who orders makes of it. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from random import Random
from typing import Final

from radiology.procedures.appropriateness.evaluate import evaluate
from radiology.procedures.appropriateness.model import Answer, Choice, Decision, Indication, Kidneys, Prior, Question
from radiology.procedures.appropriateness.ruleset import RuleSet
from radiology.procedures.model import Procedure
from radiology.simulation.model import Patient, Plan

FERTILE: Final = range(12, 56)
DAYS_AGO: Final = 5


@dataclass(frozen=True, slots=True)
class Advised:
    """What is done in the end: None where the order was given up, since the result was there already."""

    procedure: Procedure | None
    replaced: bool = False
    saved: Decimal = Decimal()
    saved_msv: float = 0.0


class Checking:
    """The rules, and people who take so much of their advice as the plan says."""

    def __init__(self, plan: Plan, rules: RuleSet, procedures: Mapping[str, Procedure]) -> None:
        self._plan, self._rules, self._procedures = plan, rules, procedures
        self._choices = {key: Choice(each, each.price_at("public")) for key, each in procedures.items()}

    def advise(self, patient: Patient) -> Advised:
        """The same patient always gets the same advice, and takes or leaves it, under every policy."""
        random = Random(f"advice {self._plan.seed} {patient.number}")  # noqa: S311
        answer = evaluate(self._question(patient, random), self._rules)
        follows = random.random() < self._plan.follows_advice
        if answer.decision is not Decision.SUGGEST or not follows:
            return Advised(patient.procedure)
        return self._taken(patient, answer)

    def _taken(self, patient: Patient, answer: Answer) -> Advised:
        ordered = patient.procedure
        cost = ordered.price_at("public") or Decimal()
        if any(finding.rule.startswith("DUP") for finding in answer.findings):
            return Advised(None, saved=cost, saved_msv=ordered.effective_dose_msv)
        if not answer.alternatives:
            return Advised(ordered)
        best = answer.alternatives[0]
        return Advised(
            best.procedure,
            replaced=True,
            saved=-(best.cost_difference_bdt or Decimal()),
            saved_msv=-best.dose_difference_msv,
        )

    def _question(self, patient: Patient, random: Random) -> Question:
        on = patient.at.date()
        repeated = random.random() < self._plan.repeated
        pregnant = patient.sex == "F" and patient.age in FERTILE and random.random() < self._plan.pregnant
        return Question(
            procedure=patient.procedure,
            on=on,
            priority=patient.priority,
            laterality="R" if patient.procedure.needs_laterality else "",
            indications=(Indication(patient.indication),) if patient.indication else (),
            born=date(on.year - patient.age, 1, 1),
            sex=patient.sex,
            pregnancy="yes" if pregnant else "no",
            kidneys=Kidneys(on, egfr=90.0),
            previous_reaction="none",
            implants=(),
            priors=(Prior(patient.procedure, on - timedelta(days=DAYS_AGO), laterality="R"),) if repeated else (),
            choices=self._choices,
        )
