"""What rejected and repeated exposures come to. Pure; the reject rate itself is `studies.reject_rate`."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from radiology.studies.queries.reject_rate import Counted
from radiology.studies.reject_rate import reject_rate


@dataclass(frozen=True, slots=True)
class Exposures:
    """Original images of a machine, a month and a radiographer. `category` is empty for accepted ones."""

    month: str
    ae_title: str
    operator: str
    category: str
    instances: int


@dataclass(frozen=True, slots=True)
class Repeats:
    """Exposures whose projection is known, and how many of them had the same study and projection before."""

    month: str
    ae_title: str
    operator: str
    exposures: int
    repeated: int


def analysis(exposures: Sequence[Exposures], repeats: Sequence[Repeats], *, with_operators: bool) -> dict[str, Any]:
    """All of it: rates of all together, by reason, machine and month, and by radiographer for who may see that."""
    told = {
        **reject_rate(_counted(exposures)),
        "repeats": _repeat_rate(repeats),
        "byMonth": _by("month", exposures, repeats, lambda each: each.month),
        "byDevice": _by("aeTitle", exposures, repeats, lambda each: each.ae_title),
    }
    if with_operators:
        told["byRadiographer"] = _by("radiographer", exposures, repeats, lambda each: each.operator)
    return told


def _by(
    name: str,
    exposures: Sequence[Exposures],
    repeats: Sequence[Repeats],
    key: Callable[[Exposures | Repeats], str],
) -> list[dict[str, Any]]:
    told: list[dict[str, Any]] = []
    for value in sorted({key(each) for each in exposures}):
        rate = reject_rate(_counted(each for each in exposures if key(each) == value))
        told.append(
            {
                name: value,
                "rejected": rate["rejected"],
                "exposures": rate["exposures"],
                "rate": rate["rate"],
                "investigate": rate["investigate"],
                "byCategory": rate["byCategory"],
                "repeats": _repeat_rate([each for each in repeats if key(each) == value]),
            }
        )
    return told


def _counted(exposures: Iterable[Exposures]) -> list[Counted]:
    return [Counted(each.ae_title, each.category, each.instances) for each in exposures]


def _repeat_rate(repeats: Sequence[Repeats]) -> dict[str, Any]:
    exposures = sum(each.exposures for each in repeats)
    repeated = sum(each.repeated for each in repeats)
    return {
        "repeated": repeated,
        "exposures": exposures,
        "rate": round(repeated / exposures, 4) if exposures else None,
    }


def is_same_person(operator: str, display: str) -> bool:
    """Whether images name somebody as the account does: the same words, in whatever order."""
    return bool(operator) and sorted(operator.casefold().split()) == sorted(display.casefold().split())
