"""The question that is asked of an order, and its answer. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final

from radiology.kit import explaining
from radiology.kit.bilingual import Sentence
from radiology.kit.explaining import Factor
from radiology.procedures.model import Coding, Procedure

STAT: Final = "stat"


class Decision(StrEnum):
    """What is answered, from the mildest to the most severe."""

    PROCEED = "proceed"
    WARNING = "proceed_with_warning"
    SUGGEST = "suggest_alternative"
    CONSULT = "consult_radiologist"
    BLOCKED = "blocked"

    @property
    def severity(self) -> int:
        """0 for the mildest."""
        return _SEVERITY[self]


_SEVERITY: Final[Mapping[Decision, int]] = {decision: number for number, decision in enumerate(Decision)}


@dataclass(frozen=True, slots=True)
class Kidneys:
    """A measurement of the kidneys: eGFR in mL/min/1.73 m², creatinine in µmol/L."""

    measured_on: date | None = None
    egfr: float | None = None
    creatinine: float | None = None
    dialysis: bool = False
    acute_injury: bool = False


@dataclass(frozen=True, slots=True)
class Implant:
    """Something in the body; `mr_safety` as ASTM F2503 marks devices: safe, conditional, unsafe, unknown."""

    text: str
    mr_safety: str = "unknown"


@dataclass(frozen=True, slots=True)
class Indication:
    """A part of the reason: words, and the code that was sent with them."""

    text: str
    coding: Coding | None = None


@dataclass(frozen=True, slots=True)
class Prior:
    """An earlier examination of the patient.

    state: done (all images are there), begun, or ordered. confidential: only some may know of it, so an answer that is
    kept for others leaves it out.
    """

    procedure: Procedure
    on: date
    state: str = "done"
    laterality: str = ""
    study_instance_uid: str = ""
    link: str = ""
    confidential: bool = False


@dataclass(frozen=True, slots=True)
class Choice:
    """A procedure that could be ordered instead, with its price in BDT where one is known."""

    procedure: Procedure
    cost_bdt: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Question:
    """All that is known of an order. None is what nobody has said.

    is_known: whether the catalogue knows the procedure; of one it does not, only its modality counts.
    sex: F, M, None. pregnancy: no, possibly, yes, unknown. previous_reaction: to contrast: none, mild, moderate,
    severe, unstated (how severe). priors: of 24 months. dose_msv: estimate of the effective dose of 12 months.
    choices: by key, for what is suggested. on: the day of the question. examined_on: for when it is asked, where that
    is later; by then another period may be due.
    """

    procedure: Procedure
    on: date
    examined_on: date | None = None
    is_known: bool = True
    priority: str = "routine"
    laterality: str = ""
    contrast_planned: bool | None = None
    indications: tuple[Indication, ...] = ()
    born: date | None = None
    sex: str | None = None
    pregnancy: str = "unknown"
    pregnancy_weeks: int | None = None
    last_menstrual_period: date | None = None
    kidneys: Kidneys | None = None
    previous_reaction: str | None = None
    implants: tuple[Implant, ...] | None = None
    mr_cleared: bool = False
    medications: tuple[str, ...] = ()
    history: tuple[str, ...] = ()
    weight_kg: float | None = None
    size_m: float | None = None
    inpatient: bool = False
    priors: tuple[Prior, ...] = ()
    dose_msv: float = 0.0
    facility_code: str = ""
    choices: Mapping[str, Choice] = field(default_factory=dict[str, Choice])


@dataclass(frozen=True, slots=True)
class Finding:
    """What one rule says. `asks`: facts that nobody has said; `overridden`: why somebody orders it all the same."""

    rule: str
    effect: Decision
    text: Sentence
    source: str
    explain: tuple[Factor, ...] = ()
    score: int | None = None
    asks: tuple[str, ...] = ()
    suggests: tuple[str, ...] = ()
    override_by: tuple[str, ...] = ()
    prior: Prior | None = None
    overridden: str | None = None

    @property
    def counts_as(self) -> Decision:
        """Its effect; a block that is overridden is a warning."""
        return Decision.WARNING if self.overridden and self.effect == Decision.BLOCKED else self.effect

    def told(self) -> dict[str, Any]:
        """As an answer holds it."""
        found: dict[str, Any] = {
            "rule": self.rule,
            "effect": self.effect,
            "text": self.text.told(),
            "source": self.source,
            "asks": list(self.asks),
            "explain": explaining.told(self.explain),
        }
        if self.effect == Decision.BLOCKED:
            found["overrideBy"] = list(self.override_by)
        if self.overridden:
            found["overridden"] = self.overridden
        if self.prior is not None:
            found["prior"] = _prior(self.prior)
        return found


@dataclass(frozen=True, slots=True)
class Alternative:
    """What could be ordered instead. Differences are those to what is ordered: negative is cheaper, and less dose."""

    procedure: Procedure
    score: int | None
    cost_bdt: Decimal | None
    cost_difference_bdt: Decimal | None
    dose_msv: float
    dose_difference_msv: float

    def told(self) -> dict[str, Any]:
        """As an answer holds it."""
        procedure = self.procedure
        return {
            "procedure": procedure.key,
            "display": {"en": procedure.display, "bn": procedure.display_bangla},
            "modality": procedure.modality,
            "score": self.score,
            "cost": None if self.cost_bdt is None else str(self.cost_bdt),
            "costDifference": None if self.cost_difference_bdt is None else str(self.cost_difference_bdt),
            "doseMSv": self.dose_msv,
            "doseDifferenceMSv": self.dose_difference_msv,
        }


@dataclass(frozen=True, slots=True)
class Answer:
    """What the rules say of an order: the most severe of their effects, and all of them."""

    decision: Decision
    score: int | None
    guidance: Sentence
    findings: tuple[Finding, ...]
    alternatives: tuple[Alternative, ...]
    rule_set_version: str

    @property
    def blocking(self) -> tuple[Finding, ...]:
        """What blocks, and is not overridden."""
        return tuple(each for each in self.findings if each.counts_as == Decision.BLOCKED)

    @property
    def explain(self) -> tuple[Factor, ...]:
        """All that was looked at."""
        return tuple(factor for finding in self.findings for factor in finding.explain)

    def told(self) -> dict[str, Any]:
        """As a body of the API holds it."""
        asks = (name for finding in self.findings for name in finding.asks)
        return {
            "decision": self.decision,
            "score": self.score,
            "guidance": self.guidance.told(),
            "findings": [each.told() for each in self.findings],
            "asks": list(dict.fromkeys(asks)),
            "alternatives": [each.told() for each in self.alternatives],
            "explain": explaining.told(self.explain),
            "ruleSetVersion": self.rule_set_version,
        }


def _prior(prior: Prior) -> dict[str, Any]:
    found: dict[str, Any] = {
        "procedure": prior.procedure.key,
        "display": {"en": prior.procedure.display, "bn": prior.procedure.display_bangla},
        "on": prior.on.isoformat(),
        "state": prior.state,
    }
    if prior.link:
        found |= {"studyInstanceUID": prior.study_instance_uid, "link": prior.link}
    return found
