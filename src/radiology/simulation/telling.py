"""What a simulation came to, as a person reads it and as a file keeps it. Pure."""

import csv
import io
from collections.abc import Iterator, Sequence
from typing import Any, Final

from radiology.quality.indicators.model import nearest_rank
from radiology.simulation.model import Plan
from radiology.simulation.running import Outcome
from radiology.simulation.totals import GROUPS, Sums, by, total

_COLUMNS: Final = (
    ("orders", "orders"), ("avoided", "given up"), ("replaced", "replaced"), ("examined", "examined"),
    ("nowhere", "nowhere"), ("elsewhere", "elsewhere"), ("reported", "reported"), ("in_time", "in time"),
    ("read_p50", "read p50"), ("read_p90", "p90 h"), ("whole_p50", "all p50"), ("whole_p90", "p90 h"),
    ("cost", "BDT"), ("travel", "min away"),
)  # fmt: skip
_WIDTH: Final = 10
EXPLAINED: Final = """\
given up, replaced: orders whose result was there already, or for which another examination was suggested and taken.
nowhere: no facility could do it. elsewhere: not where the patient was seen. in time: of all that was examined.
read: hours from images to report; all: from order to report; the median, and what nine of ten do not exceed.
BDT: what an examination costs the patient with travel and lost wages. min away: one way."""


def figures(sums: Sums) -> dict[str, Any]:
    """The figures of some journeys; hours with two digits, money in BDT as text."""
    return {
        "orders": sums.orders,
        "avoided": sums.avoided,
        "replaced": sums.replaced,
        "examined": sums.examined,
        "nowhere": sums.nowhere,
        "elsewhere": sums.referred,
        "reported": sums.reported,
        "in_time": f"{100 * sums.share_in_time:.1f}%",
        "read_p50": _hours(sums.turnaround_hours, 50),
        "read_p90": _hours(sums.turnaround_hours, 90),
        "whole_p50": _hours(sums.whole_hours, 50),
        "whole_p90": _hours(sums.whole_hours, 90),
        "cost": f"{sums.mean_cost:.0f}",
        "travel": f"{sums.mean_travel:.0f}",
    }


def table(rows: Sequence[tuple[str, Sums]]) -> str:
    """Rows of figures under their names."""
    first = max((len(name) for name, _ in rows), default=0) + 2
    head = " " * first + "".join(title.rjust(_WIDTH) for _, title in _COLUMNS)
    lines = [head]
    for name, sums in rows:
        told = figures(sums)
        lines.append(name.ljust(first) + "".join(str(told[key]).rjust(_WIDTH) for key, _ in _COLUMNS))
    return "\n".join(lines)


def compared(outcomes: Sequence[Outcome]) -> str:
    """All policies beside one another."""
    return table([(each.policy.name, total(each.journeys)) for each in outcomes])


def remarks(plan: Plan, outcomes: Sequence[Outcome]) -> Iterator[str]:
    """What does not fit into the table: what was saved, how much devices and readers worked."""
    for each in outcomes:
        sums, loads = total(each.journeys), each.loads
        yield (
            f"{each.policy.name}: {each.policy.says}. Saved by the check: BDT {sums.saved:,.0f} and "
            f"{sums.saved_msv:,.0f} mSv. Devices worked {100 * each.used:.1f} % of their hours. RVU by reader: median "
            f"{loads[len(loads) // 2]:g}, most {loads[-1]:g}, of {plan.readers}. "
            f"{each.batched} studies were read right behind another one of their batch."
        )


def grouped(outcome: Outcome, group: str) -> str:
    """One policy by division, district, priority, modality or facility, and all of it in the last line."""
    rows = list(by(group, outcome.journeys).items())
    return table([*rows, ("all", total(outcome.journeys))])


def as_csv(outcomes: Sequence[Outcome]) -> str:
    """Every figure of every policy and group as CSV."""
    text = io.StringIO()
    names = [key for key, _ in _COLUMNS]
    writer = csv.DictWriter(
        text, ["policy", "group", "name", *names, "travel_minutes", "cost_bdt"], lineterminator="\n"
    )
    writer.writeheader()
    for outcome in outcomes:
        rows = [("all", "all", total(outcome.journeys))]
        rows += [(group, name, sums) for group in GROUPS for name, sums in by(group, outcome.journeys).items()]
        for group, name, sums in rows:
            whole = {"travel_minutes": f"{sums.travel_minutes:.2f}", "cost_bdt": f"{sums.cost:.2f}"}
            writer.writerow({"policy": outcome.policy.name, "group": group, "name": name, **figures(sums), **whole})
    return text.getvalue()


def _hours(values: Sequence[float], percentile: int) -> str:
    found = nearest_rank(sorted(values), percentile)
    return "-" if found is None else f"{found:.2f}"
