"""`python -m bench [WHAT]`: measure, write the results, compare them with the budgets."""

import argparse
import sys

from bench import (
    access,
    associations,
    audit,
    deciding,
    finding,
    footprint,
    forwarding,
    kpis,
    large,
    orders,
    reading,
    repair,
    retrieving,
    storing,
    viewer,
    web,
    worklist,
)
from bench.peers import SERVERS

WHAT = (
    "storing", "finding", "worklist", "retrieving", "forwarding", "associations", "web", "viewer", "large", "repair",
    "orders", "deciding", "reading", "audit", "access", "kpis", "footprint", "all",
)  # fmt: skip


def arguments(argv: list[str]) -> argparse.Namespace:
    """What was asked for on the command line."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("what", nargs="?", default="all", choices=WHAT)
    parser.add_argument("--rounds", type=int, default=3, help="rounds of storing and retrieving; the median counts")
    parser.add_argument("--quick", action="store_true", help="one round of a tenth: shows that the harness works")
    parser.add_argument("--only", choices=sorted(SERVERS), help="one server alone; nothing is written or judged")
    parser.add_argument("--case", action="append", default=[], choices=[case.key for case in storing.CASES])
    parser.add_argument("--web-case", action="append", default=[], choices=[case.key for case in web.CASES])
    asked = parser.parse_args(argv)
    if asked.rounds < 1:
        parser.error("--rounds must be 1 or more")
    return asked


def main(argv: list[str]) -> int:
    """Run what was asked for; 1 when a budget is broken."""
    asked = arguments(argv)
    rounds = 1 if asked.quick else asked.rounds
    broken = 0
    if asked.what in ("storing", "all"):
        broken |= storing.run(only=asked.only, rounds=rounds, quick=asked.quick, cases=asked.case)
    if asked.what in ("finding", "all"):
        broken |= finding.run(only=asked.only, quick=asked.quick)
    if asked.what == "worklist" or (asked.what == "all" and not asked.only):
        broken |= worklist.run(quick=asked.quick)
    if asked.what in ("retrieving", "all"):
        broken |= retrieving.run(only=asked.only, rounds=rounds, quick=asked.quick)
    if asked.what == "forwarding" or (asked.what == "all" and asked.only in (None, "ours")):
        broken |= forwarding.run(rounds=rounds, quick=asked.quick)
    if asked.what == "orders" or (asked.what == "all" and asked.only in (None, "ours")):
        broken |= orders.run(quick=asked.quick)
    if asked.what == "associations" or (asked.what == "all" and asked.only in (None, "ours")):
        broken |= associations.run(quick=asked.quick)
    if asked.what in ("web", "all"):
        broken |= web.run(only=asked.only, rounds=rounds, quick=asked.quick, cases=asked.web_case)
    if asked.what in ("viewer", "all"):
        broken |= viewer.run(only=asked.only, rounds=rounds, quick=asked.quick)
    if asked.what in ("large", "all"):
        broken |= large.run(only=asked.only, quick=asked.quick)
    if asked.what == "repair" or (asked.what == "all" and asked.only in (None, "ours")):
        broken |= repair.run(rounds=rounds, quick=asked.quick)
    if asked.what == "deciding" or (asked.what == "all" and not asked.only):
        broken |= deciding.run(quick=asked.quick)
    if asked.what == "reading" or (asked.what == "all" and not asked.only and not asked.quick):
        broken |= reading.run()
    if asked.what == "audit" or (asked.what == "all" and not asked.only and not asked.quick):
        broken |= audit.run()
    if asked.what == "access" or (asked.what == "all" and not asked.only and not asked.quick):
        broken |= access.run()
    if asked.what == "kpis" or (asked.what == "all" and asked.only in (None, "ours")):
        broken |= kpis.run(quick=asked.quick)
    if asked.what == "footprint" or (asked.what == "all" and not asked.only and not asked.quick):
        broken |= footprint.run()
    return broken


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
