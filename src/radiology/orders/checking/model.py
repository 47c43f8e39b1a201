"""What was answered of an order, and what somebody ordered all the same. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from radiology.errors import NotPermitted, OrderBlocked
from radiology.orders.model import RequestedProcedure
from radiology.orders.schemas import OverrideIn
from radiology.patients.model import Patient
from radiology.procedures.appropriateness.evaluate import with_overrides
from radiology.procedures.appropriateness.model import Answer, Choice, Decision, Finding
from radiology.procedures.model import Procedure

HELD: Final = "order-check"
"""Reason code of a hold by the check: such an order goes on by itself when nothing blocks it any more."""


@dataclass(frozen=True, slots=True)
class Asked:
    """An order as the check sees it. order_reference: ServiceRequest/<id>, whose own studies are no earlier ones."""

    facility_code: str
    priority: str
    content: Mapping[str, Any]
    patient: Patient
    procedures: Sequence[RequestedProcedure]
    occurrence: datetime | None = None
    order_reference: str = ""


@dataclass(frozen=True, slots=True)
class Override:
    """Why somebody orders what a rule blocks. `text`: what the rule said then; it holds as long as it says the same."""

    rule: str
    reason: str
    text: str = ""
    by: str = ""
    role: str = ""


@dataclass(frozen=True, slots=True)
class Earlier:
    """A study of the patient, as the register of studies has it. seen: whether who asks may know of it."""

    id: UUID
    study_instance_uid: str
    modalities: list[str]
    procedure_code: list[dict[str, Any]] | None
    study_description: str | None
    status: str
    on: date
    number_of_instances: int
    sensitive: bool
    seen: bool


@dataclass(frozen=True, slots=True)
class Circumstances:
    """Where an order comes from: from a ward or not, and whose prices hold."""

    inpatient: bool
    ownership: str


@dataclass(frozen=True, slots=True)
class Kept:
    """The last answer that is kept with an order."""

    decision: str
    overrides: list[dict[str, Any]]
    asked_at: datetime


@dataclass(frozen=True, slots=True)
class Alert:
    """What a rule told of a procedure beyond proceed, to be counted."""

    requested_procedure_id: str
    rule: str
    effect: str
    procedure_key: str
    modality: str
    cost_bdt: str | None
    dose_msv: float
    overridden: bool


@dataclass(frozen=True, slots=True)
class ProcedureChecked:
    """The answer of one procedure. `kept`: the same without earlier studies that only some may know of."""

    requested_procedure_id: str
    procedure: Procedure
    choice: Choice
    answer: Answer
    kept: Answer

    def told(self, answer: Answer) -> dict[str, Any]:
        """As a body holds it."""
        cost = self.choice.cost_bdt
        return {
            "requestedProcedureId": self.requested_procedure_id,
            "procedure": self.procedure.key or None,
            "modality": self.procedure.modality,
            "cost": None if cost is None else str(cost),
            "doseMSv": self.procedure.effective_dose_msv,
            **answer.told(),
        }


@dataclass(frozen=True, slots=True)
class Checked:
    """The answers of all procedures of an order. made: rules that are overridden just now, not before."""

    procedures: tuple[ProcedureChecked, ...]
    rule_set_version: str
    overrides: tuple[Override, ...] = ()
    made: tuple[str, ...] = ()

    @property
    def decision(self) -> Decision:
        """The most severe of all."""
        decisions = [each.answer.decision for each in self.procedures]
        return max(decisions, key=lambda each: each.severity, default=Decision.PROCEED)

    @property
    def blocking(self) -> tuple[Finding, ...]:
        """What blocks, and is not overridden."""
        return tuple(finding for each in self.procedures for finding in each.answer.blocking)

    @property
    def alerts(self) -> list[Alert]:
        """What is told beyond proceed."""
        return alerts_of(self.told())

    @property
    def sentence(self) -> str:
        """Why it is blocked, and what to do."""
        said = dict.fromkeys(f"{each.rule}: {each.text.english}" for each in self.blocking)
        return " ".join(said)

    def told(self) -> dict[str, Any]:
        """As the body of an answer holds it."""
        return {
            "decision": self.decision,
            "ruleSetVersion": self.rule_set_version,
            "procedures": [each.told(each.answer) for each in self.procedures],
        }

    def kept(self) -> list[dict[str, Any]]:
        """As it is kept with the order."""
        return [each.told(each.kept) for each in self.procedures]

    def refusal(self) -> OrderBlocked:
        """What is raised where it is blocked."""
        return OrderBlocked(f"The order is blocked. {self.sentence}", answer=self.told())


def overridden(checked: Checked, overrides: Sequence[Override], *, role: str, by: str) -> Checked:
    """The answers where somebody overrides rules. Raises NotPermitted for whose role may not override one."""
    said = {each.rule: each for each in overrides}
    made: dict[str, Override] = {}
    for finding in checked.blocking:
        override = said.get(finding.rule)
        if override is None:
            continue
        if role not in finding.override_by:
            raise NotPermitted(
                f"The rule {finding.rule} is overridden by {' or '.join(finding.override_by) or 'nobody'}, "
                "with a reason."
            )
        made[finding.rule] = replace(override, text=finding.text.english, by=by, role=role)
    return replace(_with(checked, made), made=tuple(made))


def carried_on(checked: Checked, before: Sequence[Override]) -> Checked:
    """The answers where rules say what they said when somebody overrode them."""
    texts = {(each.rule, each.text.english) for each in checked.blocking}
    return _with(checked, {each.rule: each for each in before if (each.rule, each.text) in texts})


def _with(checked: Checked, made: Mapping[str, Override]) -> Checked:
    if not made:
        return checked
    reasons = {rule: override.reason for rule, override in made.items()}
    procedures = tuple(
        replace(each, answer=with_overrides(each.answer, reasons), kept=with_overrides(each.kept, reasons))
        for each in checked.procedures
    )
    return replace(checked, procedures=procedures, overrides=(*checked.overrides, *made.values()))


def alerts_of(told: Mapping[str, Any]) -> list[Alert]:
    """What an answer, as a body holds it, tells beyond proceed."""
    return [
        Alert(
            requested_procedure_id=each["requestedProcedureId"],
            rule=finding["rule"],
            effect=finding["effect"],
            procedure_key=each["procedure"] or "",
            modality=each["modality"],
            cost_bdt=each["cost"],
            dose_msv=each["doseMSv"],
            overridden="overridden" in finding,
        )
        for each in told["procedures"]
        for finding in each["findings"]
        if finding["effect"] != Decision.PROCEED
    ]


def overrides_of(said: Iterable[OverrideIn]) -> list[Override]:
    """Overrides as they are sent."""
    return [Override(each.rule, each.reason) for each in said]
