"""Bodies of the check of orders and of its rules."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from radiology.procedures.appropriateness.ruleset import RuleSetWritten
from radiology.studies.schemas import Body

MOST_ORDERS = 100

Reason = Annotated[str, StringConstraints(min_length=10, max_length=400, strip_whitespace=True)]
FACTS_EXAMPLE: dict[str, Any] = {
    "mrClearance": {"on": "2026-01-21", "note": "Medtronic Azure, MR conditional at 1.5 T, checked by cardiology"}
}


class CheckOut(BaseModel):
    """What the rules say of an order: the most severe decision, and the answer of each procedure."""

    decision: str
    ruleSetVersion: str  # noqa: N815
    procedures: list[dict[str, Any]]


class Checks(BaseModel):
    """All that was answered of an order, the newest first."""

    results: list[dict[str, Any]]


class RulesIn(Body):
    """A set of rules that takes the place of another one from its day on."""

    rules: RuleSetWritten
    reason: Reason
    acceptedCases: list[str] = Field(  # noqa: N815
        default_factory=list[str],
        max_length=1000,
        description="Golden cases that it answers otherwise, because that is what is meant.",
    )


class TryIn(Body):
    """A set of rules to be tried on the golden cases and on the last orders, without being used."""

    rules: RuleSetWritten
    orders: int = Field(default=50, ge=0, le=MOST_ORDERS)


class Tried(BaseModel):
    """What was tried. `failed`: what is not as a golden case wants it; `changed`: orders that would be answered
    otherwise than the rules of today do."""

    cases: int
    failed: dict[str, list[str]]
    orders: int
    changed: list[dict[str, Any]]


class RulesOut(BaseModel):
    """A set of rules, with who published it and why."""

    model_config = ConfigDict(extra="allow")

    version: str
    effectiveFrom: str  # noqa: N815
    holds: bool
