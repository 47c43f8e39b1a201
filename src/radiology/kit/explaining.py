"""Why a decision came out as it did: what was looked at, how much it weighs, and where that is written."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Factor:
    """One thing that a decision was made of.

    raw: what was looked at, as it is known. normalised: the same from 0 to 1, None where it is yes or no or not known.
    weight: how much it counts. contribution: what it added. source: the rule, table or standard that says so.
    """

    factor: str
    raw: str | float | bool | None
    normalised: float | None = None
    weight: float | None = None
    contribution: float | None = None
    source: str = ""

    def told(self) -> dict[str, Any]:
        """As an answer holds it."""
        return {
            "factor": self.factor,
            "raw": self.raw,
            "normalised": _rounded(self.normalised),
            "weight": self.weight,
            "contribution": _rounded(self.contribution),
            "source": self.source,
        }


def told(factors: Iterable[Factor]) -> list[dict[str, Any]]:
    """All of them, in their order."""
    return [factor.told() for factor in factors]


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)
