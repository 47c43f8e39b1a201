"""How good images are, and what they cost in dose: rejects, repeats, doses, exposure indices."""

from typing import Any, Final

import numpy as np

from radiology.kit.db import Where
from radiology.quality.dose.model import Cell as DoseCell
from radiology.quality.dose.model import Levels, compared
from radiology.quality.dose.queries import levels as all_levels
from radiology.quality.indicators.asking import Asked, Counted, Figures, rows, share, told
from radiology.quality.indicators.image_queries import CATEGORIES, DOSE
from radiology.quality.indicators.sheets import read
from radiology.studies.reject_rate import GOAL, INVESTIGATE_ABOVE, INVESTIGATE_BELOW

WITHIN: Final = (1, 3)
"""IEC 62494-1: a deviation index is good within ±1, and to be looked at beyond ±3."""


async def reject_rate(asked: Asked) -> Figures:
    """Original CR, DX and MG images rejected for quality (113001), of all, by reason."""
    accepted = await asked.read_sums("images.accepted")
    rejected = {category: await asked.read_sums(f"images.rejected.{category}") for category in CATEGORIES}
    answer: Figures = {"goal": GOAL, "byDevice": "/api/radiology/quality/rejects"}
    for by in asked.breakdowns:
        groups = asked.groups(by)
        good = groups.group(accepted)
        parts = {category: groups.group(each) for category, each in rejected.items()}
        numbers = {category: part.sums for category, part in parts.items()}
        total = Counted.of(good, *parts.values(), amounts=True)

        def figures(place: int, *, numbers: dict[str, list[int]] = numbers, total: Counted = total) -> Figures:
            bad = sum(each[place] for each in numbers.values())
            rate = share(bad, total.counts[place])
            return {
                "rejected": bad,
                "rate": rate,
                "investigate": rate is not None and not INVESTIGATE_BELOW <= rate <= INVESTIGATE_ABOVE,
                "byCategory": {category: each[place] for category, each in numbers.items() if each[place]},
            }

        told(by, answer, rows(groups, by, total, figures))
    return answer


async def repeat_rate(asked: Asked) -> Figures:
    """Exposures of a projection that was exposed before in the same study, of all whose projection is known."""
    projected, repeated = await asked.read_sums("images.projected"), await asked.read_sums("images.repeated")
    answer: Figures = {}
    for by in asked.breakdowns:
        groups = asked.groups(by)
        counted, again = Counted.of(groups.group(projected), amounts=True), groups.group(repeated).sums

        def figures(place: int, *, counted: Counted = counted, again: list[int] = again) -> Figures:
            return {"repeated": again[place], "rate": share(again[place], counted.counts[place])}

        told(by, answer, rows(groups, by, counted, figures))
    return answer


async def exposure_index(asked: Asked) -> Figures:
    """How far exposures are from what they should be (IEC 62494-1): shares within ±1 and ±3, and the median."""
    deviations = await asked.read("images.deviation", real=True)
    answer: Figures = {"byDevice": "/api/radiology/quality/exposure"}
    for by in asked.breakdowns:
        groups = asked.groups(by)
        grouped = groups.group(deviations)
        counts = grouped.counts
        within = {limit: grouped.count_where(np.abs(grouped.amounts) <= limit) for limit in WITHIN}
        medians = grouped.percentiles([50])

        def figures(place: int, *, counts: list[int] = counts, within: dict[int, list[int]] = within,
                    medians: list[list[float | None]] = medians) -> Figures:  # fmt: skip
            return {
                **{f"within{limit}": share(numbers[place], counts[place]) for limit, numbers in within.items()},
                "medianDeviation": medians[place][0],
            }

        told(by, answer, rows(groups, by, Counted.of(grouped), figures))
    return answer


async def dose(asked: Asked) -> Figures:
    """Medians and 75th percentiles of each protocol and facility against the reference levels of the last day."""
    protocols = await _protocols(asked)
    found = await read(asked.tx, DOSE, asked.window, real=True)
    levels = Levels(await all_levels(asked.tx), asked.reference_levels)
    compared_with = [
        each
        for number, values in _by_cell(found.cells, found.amounts).items()
        if (each := _compared(protocols.get(number), values, levels, asked)) is not None
    ]
    compared_with.sort(
        key=lambda each: (each["facilityCode"], each["protocol"], each["patientGroup"], each["quantity"])
    )
    return {
        "n": sum(each["n"] for each in compared_with),
        "investigate": sum(bool(each["investigate"]) for each in compared_with),
        "overTwiceReference": sum(each.get("overTwiceReference", 0) for each in compared_with),
        "protocols": compared_with,
    }


def _by_cell(cells: Any, amounts: Any) -> dict[int, Any]:
    """The values of each cell, in order."""
    # Short numbers are put into order by counting them, ten times as fast.
    short = cells.astype(np.uint16) if cells.max(initial=0) < 1 << 16 else cells
    order = np.argsort(short, kind="stable")
    numbers, values = cells[order], amounts[order]
    names, begins = np.unique(numbers, return_index=True)
    ends = [*begins, len(values)][1:]
    return {int(name): np.sort(values[begin:end]) for name, begin, end in zip(names, begins, ends, strict=True)}


def _between(in_order: Any, share_of_all: float) -> float:
    """A percentile as PostgreSQL's `percentile_cont` and ICRP 135 have it: between two values where it falls there."""
    place = (len(in_order) - 1) * share_of_all
    below = int(place)
    above = min(below + 1, len(in_order) - 1)
    return float(in_order[below] + (in_order[above] - in_order[below]) * (place - below))


def _compared(protocol: tuple[str, DoseCell] | None, values: Any, levels: Levels, asked: Asked) -> Figures | None:
    if protocol is None:
        return None
    modality, known = protocol
    level = levels.standing(
        known.procedure_key, known.quantity, known.patient_group, known.facility_code, asked.window.last
    )
    # Only what lies above the level is counted one by one.
    above: list[float] = [] if level is None else values[np.searchsorted(values, level.value, "right") :].tolist()
    cell = DoseCell(
        known.facility_code, known.protocol, known.procedure_key, known.patient_group, known.quantity, len(values), 0,
        _between(values, 0.5), _between(values, 0.75), above,
    )  # fmt: skip
    answer = compared(cell, level)
    del answer["withoutWeight"]
    return {"modality": modality, **answer}


async def _protocols(asked: Asked) -> dict[int, tuple[str, DoseCell]]:
    """The cells of doses of the facilities and modalities that are asked for."""
    where = Where(["NOT EXISTS (SELECT FROM facilities AS f WHERE f.code = p.facility_code AND f.test)"])
    asked.actor.add_facility(where, "p.facility_code")
    wanted = asked.question.wanted.values
    if "facility" in wanted:
        where.add("p.facility_code = ANY({facilities})", facilities=sorted(wanted["facility"]))
    if "modality" in wanted:
        where.add("p.modality = ANY({modalities})", modalities=sorted(wanted["modality"]))
    found = await asked.tx.binary(
        """
        SELECT p.id, p.modality, p.facility_code, p.protocol, p.procedure_key, p.patient_group, p.quantity
        FROM indicator_protocols AS p
        WHERE """  # noqa: S608 - literals of ours.
        + where.condition,
        **where.parameters,
    )
    return {
        number: (modality, DoseCell(facility, protocol, key, group, quantity, 0, 0, 0.0, 0.0, ()))
        for number, modality, facility, protocol, key, group, quantity in found
    }
