"""Decisions: the check of an order, the choice of a facility, and who reads what, in milliseconds.

The choice is asked as the route asks it: catalogue, network, figures and ways come from PostgreSQL, 600 facilities with
5,000 devices of which one in six can do it. The check and the assignment are asked as functions, since what they look
at is gathered by statements that their own tests and benchmarks measure.
"""

import random
import statistics
import time
from collections.abc import Awaitable, Callable
from decimal import Decimal

from bench import alone
from bench.assigning import NOW, case
from radiology.app import App
from radiology.facilities.choosing.actions import choose_facility
from radiology.facilities.choosing.model import Need
from radiology.facilities.choosing.travelling import Place
from radiology.kit.db import Transaction
from radiology.procedures.appropriateness.evaluate import evaluate
from radiology.procedures.appropriateness.golden import cases, question_of
from radiology.procedures.appropriateness.ruleset import shipped as rules
from radiology.procedures.catalogue import catalogue
from radiology.reading_worklist.assigning.assign import assign

FACILITIES, DEVICES, ROUNDS = 600, 5000, 200
MODALITIES = ("DX", "US", "CT", "MR", "MG", "RF")


def run(*, quick: bool = False) -> int:
    """Measure, print, write and judge. The exit status."""
    del quick
    return alone.run("deciding", _measure, form=".2f")


async def _measure(app: App, pid: int) -> dict[str, float]:
    del pid
    async with app.db.transaction() as tx:
        await _network(tx)
    known = await catalogue(app)
    chest = known.by_key("XR_CHEST_PA")
    assert chest is not None
    need = Need(chest, "routine", weight_kg=60, budget=Decimal(5000))
    choice = await choose_facility(app, need, Place("F000", 23.7, 90.4))
    chosen = await _each_ms(lambda: choose_facility(app, need, Place("F000", 23.7, 90.4)))
    by_key = {each.key: each for each in known.procedures}
    questions = [question_of(each, by_key) for each in cases()]
    checked = [_ms(lambda question=question: evaluate(question, rules())) for question in questions for _ in range(3)]
    waiting, readers = case(1000, 300)
    assigned = [_ms(lambda: assign(waiting, readers, NOW)) for _ in range(5)]
    return {
        "choose_suitable": float(choice.suitable),
        "choose_median_ms": statistics.median(chosen),
        "choose_p99_ms": _p99(chosen),
        "evaluate_median_ms": statistics.median(checked),
        "evaluate_p99_ms": _p99(checked),
        "assign_1000_to_300_ms": statistics.median(assigned),
    }


async def _network(tx: Transaction) -> None:
    """600 facilities all over the country, 5,000 devices, operators, figures of each modality, ways from the first."""
    dice = random.Random(1)  # noqa: S311 - nothing is kept secret by it.
    for number in range(FACILITIES):
        await tx.run(
            """
            INSERT INTO facilities (code, name, ownership, tier, latitude, longitude)
            VALUES (%(code)s, %(code)s, %(ownership)s, 'District_Hospitals', %(latitude)s, %(longitude)s)
            """,
            code=f"F{number:03}",
            ownership=dice.choice(("public", "private")),
            latitude=dice.uniform(21.5, 26),
            longitude=dice.uniform(88.5, 92),
        )
    for number in range(DEVICES):
        await tx.run(
            """
            INSERT INTO devices (facility_code, name, modality, licence_until)
            VALUES (%(code)s, %(name)s, %(modality)s, '2099-12-31')
            """,
            code=f"F{number % FACILITIES:03}",
            name=f"Device {number}",
            modality=MODALITIES[number // FACILITIES % len(MODALITIES)],
        )
    await tx.run(
        """
        INSERT INTO operators (id, facility_code, name, modalities, licence_number)
        SELECT gen_random_uuid(), code, 'Operator', %(modalities)s, 'L1' FROM facilities
        """,
        modalities=list(MODALITIES),
    )
    await tx.run(
        """
        INSERT INTO facility_figures
            (facility_code, modality, wait_minutes, turnaround_hours, reject_rate, sla_met, dose_ratio)
        SELECT code, modality, 1000 * random(), 24 * random(), 0.1 * random(), random(), 2 * random()
        FROM facilities, unnest(%(modalities)s::text[]) AS modality
        """,
        modalities=list(MODALITIES),
    )
    await tx.run(
        """
        INSERT INTO facility_ways (from_facility, to_facility, minutes, km)
        SELECT 'F000', code, 300 * random(), 100 * random() FROM facilities WHERE code > 'F000' AND code < 'F300'
        """
    )
    await tx.run("UPDATE network_version SET version = version + 1")


async def _each_ms(do: Callable[[], Awaitable[object]]) -> list[float]:
    taken = list[float]()
    for _ in range(ROUNDS):
        began = time.perf_counter()
        await do()
        taken.append((time.perf_counter() - began) * 1000)
    return taken


def _ms(do: Callable[[], object]) -> float:
    began = time.perf_counter()
    do()
    return (time.perf_counter() - began) * 1000


def _p99(values: list[float]) -> float:
    return sorted(values)[int(0.99 * (len(values) - 1))]
