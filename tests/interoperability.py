"""Which test shows which service to work with which peer: a marker on the test, a table of what passed.

    @pytest.mark.peer("Query", "DCMTK findscu")

`./radi test -m peer --interoperability=docs/conformance/interoperability.md` runs them and writes the table.
"""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

HEAD = """# Interoperability

What our tests show to work with software of others. A number is how many tests passed with that peer at the other end;
the table is written from the results of a run (`make interoperability`).
"""


class Results:
    """What passed, by service and peer."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.passed: Counter[tuple[str, str]] = Counter()
        self.failed: list[str] = []

    def pytest_runtest_logreport(self, report: Any) -> None:
        """Count a test that passed for each of its markers."""
        marks = [tuple(value) for name, value in report.user_properties if name == "peer"]
        if report.failed and marks:
            self.failed.append(report.nodeid)
        if report.when == "call" and report.passed:
            self.passed.update(marks)

    def pytest_sessionfinish(self) -> None:
        """Write the table, unless something failed."""
        if not self.failed and self.passed:
            self.path.write_text(table(self.passed), encoding="utf-8")


def table(passed: Counter[tuple[str, str]]) -> str:
    """The document: a row for each service, a column for each peer."""
    peers = sorted({peer for _, peer in passed}, key=str.lower)
    lines = [HEAD, "| service | " + " | ".join(peers) + " |", "|---|" + "---|" * len(peers)]
    for service in sorted({service for service, _ in passed}):
        cells = [str(passed[service, peer] or "") for peer in peers]
        lines.append(f"| {service} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def install(config: pytest.Config) -> None:
    """Collect results where a file is asked for; only in the process that sees all of them."""
    path = config.getoption("--interoperability")
    if path and not hasattr(config, "workerinput"):
        config.pluginmanager.register(Results(Path(path)))


def note(items: list[pytest.Item]) -> None:
    """Let each test's report carry its markers, also from another process."""
    for item in items:
        for mark in item.iter_markers("peer"):
            item.user_properties.append(("peer", list(mark.args)))
