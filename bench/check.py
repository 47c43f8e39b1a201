"""Compare what was measured with `budgets.toml`. `python -m bench.check [NAME ...]` exits 1 when a budget is broken."""

import sys
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from bench import results

BUDGETS = Path(__file__).with_name("budgets.toml")


@dataclass(frozen=True)
class Budget:
    """A limit of one figure: at least, or at most."""

    name: str
    limit: float
    at_least: bool

    def kept_by(self, figure: float | None) -> bool:
        """Whether the figure keeps the budget; what was not measured does not."""
        if figure is None:
            return False
        return figure >= self.limit if self.at_least else figure <= self.limit

    def sentence(self, figure: float | None) -> str:
        """One line of the report."""
        verdict = "ok    " if self.kept_by(figure) else "FAILED"
        measured = "not measured" if figure is None else f"{figure:g}"
        return f"{verdict} {self.name}: {measured}, {'at least' if self.at_least else 'at most'} {self.limit:g}"


def load(path: Path = BUDGETS) -> dict[str, dict[str, Budget]]:
    """The budgets by benchmark and figure. A line without exactly one of `at_least`, `at_most` is an error."""
    sections = tomllib.loads(path.read_text())
    return {
        name: {key: _budget(f"{name}.{key}", line) for key, line in lines.items()} for name, lines in sections.items()
    }


def _budget(name: str, line: Mapping[str, float]) -> Budget:
    if len(line) != 1 or not line.keys() <= {"at_least", "at_most"}:
        raise ValueError(f"{name} in budgets.toml must be {{ at_least = N }} or {{ at_most = N }}, not {dict(line)}")
    [(kind, limit)] = line.items()
    return Budget(name, float(limit), kind == "at_least")


def judge(budgets: Mapping[str, Budget], figures: Mapping[str, float]) -> tuple[list[str], int]:
    """A line for every budget, and how many are broken."""
    lines = [budget.sentence(figures.get(key)) for key, budget in budgets.items()]
    broken = sum(not budget.kept_by(figures.get(key)) for key, budget in budgets.items())
    return lines, broken


def check(names: Iterable[str]) -> int:
    """Print the judgement of the written results of `names`; 1 when any budget is broken, else 0."""
    budgets = load()
    broken = 0
    for name in names:
        lines, failed = judge(budgets[name], results.figures(name))
        print("\n".join(lines))
        broken += failed
    print(f"{broken} of the budgets broken" if broken else "all budgets kept")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(check(sys.argv[1:] or load()))
