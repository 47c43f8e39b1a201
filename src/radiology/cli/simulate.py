"""`radi simulate`: a day of the whole country under several policies, so that a manager can compare them."""

import os
import time
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo

import typer

from radiology.cli.running import say, say_more

if TYPE_CHECKING:
    from radiology.simulation.model import Plan
    from radiology.simulation.running import Outcome, World

DAY = "2026-03-04"


def simulate(
    seed: Annotated[int, typer.Option(help="The same seed gives the same figures.")] = 1,
    orders: Annotated[int, typer.Option(min=1, max=200_000, help="On the day, in the whole country.")] = 10_000,
    facilities: Annotated[int, typer.Option(min=64, max=5_000)] = 600,
    readers: Annotated[int, typer.Option(min=1, max=5_000)] = 300,
    policy: Annotated[
        list[str] | None, typer.Option(help="alone, nearest, cheapest, fastest, balanced; all of them, if left out.")
    ] = None,
    by: Annotated[
        str | None, typer.Option(help="Also each policy by division, district, priority, modality or facility.")
    ] = None,
    day: Annotated[str, typer.Option(help="The day, as 2026-03-04.")] = DAY,
    csv: Annotated[Path | None, typer.Option(help="Write all figures to this file.")] = None,
) -> None:
    """Simulate a day of 64 districts under several policies, and compare turnaround, cost, travel and load.

    The model is made up from the seed and says nothing of a real facility; docs/simulation.md tells what it assumes.
    """
    from radiology.simulation import telling
    from radiology.simulation.model import POLICIES, Plan
    from radiology.simulation.totals import GROUPS

    chosen = [each for each in POLICIES if policy is None or each.name in policy]
    if unknown := set(policy or ()) - {each.name for each in POLICIES}:
        raise typer.BadParameter(f"{', '.join(sorted(unknown))} is none: {', '.join(each.name for each in POLICIES)}")
    if by is not None and by not in GROUPS:
        raise typer.BadParameter(f"{by} is none: {', '.join(GROUPS)}")
    plan = Plan(seed=seed, orders=orders, facilities=facilities, readers=readers)
    outcomes = _run(plan, [each.name for each in chosen], day)
    say(telling.compared(outcomes))
    say(telling.EXPLAINED)
    for line in telling.remarks(plan, outcomes):
        say(line)
    for outcome in outcomes if by else ():
        say(f"\n{outcome.policy.name} by {by}")
        say(telling.grouped(outcome, by or ""))
    if csv is not None:
        csv.write_text(telling.as_csv(outcomes), encoding="utf-8")
        say(f"All figures are in {csv}.")


def _run(plan: "Plan", names: list[str], day: str) -> list["Outcome"]:
    """The outcomes in the order of the names, several policies at a time."""
    begun = time.monotonic()
    found: dict[str, Outcome] = {}
    with ProcessPoolExecutor(min(os.cpu_count() or 1, len(names))) as processes:
        running: dict[Future[Outcome], str] = {processes.submit(_outcome, plan, name, day): name for name in names}
        for done in as_completed(running):
            found[running[done]] = done.result()
            say_more(f"{running[done]}: done after {time.monotonic() - begun:.0f} s, {len(found)} of {len(names)}")
    return [found[name] for name in names]


def _outcome(plan: "Plan", name: str, day: str) -> "Outcome":
    from radiology.simulation.model import POLICIES
    from radiology.simulation.running import run

    return run(_world(plan, day), next(each for each in POLICIES if each.name == name))


def _world(plan: "Plan", day: str) -> "World":
    from radiology.procedures.appropriateness.ruleset import shipped as rules
    from radiology.procedures.entries import procedure_of, shipped
    from radiology.simulation.running import make_world

    begins = datetime.fromisoformat(day).replace(tzinfo=ZoneInfo("Asia/Dhaka"))
    return make_world(plan, [procedure_of(key, body) for key, body in shipped().items()], rules(), begins)
