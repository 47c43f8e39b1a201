"""Studies that wait and readers, by a seed: `case(1000, 300)` for `assign`. `python -m bench.assigning` times it."""

import random
import time
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

from radiology.external.practitioners.model import Practitioner, Privilege
from radiology.practitioners.readers.model import CERTIFICATES, SUBSPECIALTIES, Contract, Home, Reader, Scope
from radiology.reading_worklist.assigning.assign import assign
from radiology.reading_worklist.assigning.model import Candidate, OnCall
from radiology.reading_worklist.model import AgeGroup, Place, Priority, Waiting, sla_hours

NOW = datetime(2026, 1, 21, 4, 30, tzinfo=UTC)
TODAY = date(2026, 1, 21)
MODALITIES = {"DX": 1.0, "US": 2.0, "CT": 4.0, "MR": 5.0, "MG": 3.0, "RF": 3.0, "NM": 4.0}
DISTRICTS = [(f"{division}{number:02}", str(division)) for division in range(10, 18) for number in range(8)]
FACILITIES = 600
HOURS = {Priority.STAT: 1, Priority.ASAP: 4, Priority.URGENT: 4, Priority.ROUTINE: 24}


def case(waiting: int, readers: int, *, seed: int = 1) -> tuple[list[Waiting], list[Candidate]]:
    """So many studies of 600 facilities and so many readers; the same for the same seed."""
    dice = random.Random(seed)  # noqa: S311 - nothing is kept secret by it.
    places = [Place(f"F{number:03}", *dice.choice(DISTRICTS)) for number in range(FACILITIES)]
    candidates = [_candidate(dice, number, places) for number in range(readers)]
    names = [each.reader.reference for each in candidates]
    return [_waiting(dice, number, places, names) for number in range(waiting)], candidates


def _candidate(dice: random.Random, number: int, places: list[Place]) -> Candidate:
    held = frozenset(dice.sample(list(MODALITIES), dice.randint(2, 5)))
    place = dice.choice(places)
    scope = dice.choice(list(Scope))
    where = {
        Scope.FACILITY: place.facility_code, Scope.DISTRICT: place.district, Scope.DIVISION: place.division
    }.get(scope, "")  # fmt: skip
    practitioner = Practitioner(
        f"Practitioner/{number:04}",
        f"Reader {number}",
        registration=f"A-{10000 + number}",
        registered_until=TODAY + timedelta(days=dice.randint(-20, 600)),
        specialties=frozenset({"radiology"}),
        privileges=(Privilege("*", held),),
    )
    reader = Reader(
        practitioner,
        f"account:reader-{number}",
        subspecialties=frozenset(dice.sample(SUBSPECIALTIES, dice.randint(1, 3))),
        sex=dice.choice(["F", "M"]),
        age_groups=frozenset({"adult", *dice.sample(["child", "neonate"], dice.randint(0, 2))}),
        certificates=frozenset(dice.sample(CERTIFICATES, dice.randint(0, 2))),
        contracts=(Contract(scope, where), *([Contract(Scope.NATIONAL)] if dice.random() < 0.5 else [])),
        home=Home(place.facility_code, place.district, place.division),
        cap_rvu=dice.choice([40.0, 60.0, 80.0]),
        reads_sensitive=dice.random() < 0.7,
    )
    return Candidate(
        reader,
        open_rvu=float(dice.randint(0, 60)),
        rvu_today=float(dice.randint(0, 40)),
        last_assigned_at=NOW - timedelta(minutes=dice.randint(0, 600)) if dice.random() < 0.8 else None,
        on_shift=dice.random() < 0.7,
        on_call=(OnCall(dice.choice(["neuro", "general"])),) if dice.random() < 0.1 else (),
        discrepancy_rate=dice.choice([None, 0.0, 0.02, 0.05]),
    )


def _waiting(dice: random.Random, number: int, places: list[Place], names: list[str]) -> Waiting:
    modality = dice.choice(list(MODALITIES))
    priority = dice.choices(list(Priority), [2, 1, 7, 90])[0]
    completed_at = NOW - timedelta(minutes=dice.randint(0, 600))
    hours = sla_hours(priority, HOURS[priority])
    return Waiting(
        UUID(int=dice.getrandbits(128)),
        dice.choice(places),
        priority,
        modality,
        completed_at - timedelta(minutes=5),
        hours,
        completed_at,
        completed_at + timedelta(hours=hours),
        modalities=frozenset({modality}),
        subspecialty=dice.choice(SUBSPECIALTIES),
        rvu=MODALITIES[modality],
        age_group=dice.choices(list(AgeGroup), [1, 9, 90])[0],
        patient_id=UUID(int=number),
        sensitive=dice.random() < 0.1,
        inpatient=dice.random() < 0.2,
        certificates=frozenset({"mammography"}) if modality == "MG" else frozenset(),
        reader_sex="F" if dice.random() < 0.05 else "",
        readers_of_patient=frozenset(dice.sample(names, min(len(names), dice.randint(0, 2)))),
        readers_of_region=frozenset(dice.sample(names, min(len(names), dice.randint(0, 1)))),
    )


def main() -> None:
    """Time 1,000 studies and 300 readers."""
    waiting, candidates = case(1000, 300)
    taken = list[float]()
    for _ in range(5):
        began = time.perf_counter()
        decisions = assign(waiting, candidates, NOW)
        taken.append(time.perf_counter() - began)
    given = sum(each.chosen is not None for each in decisions)
    print(f"1,000 studies, 300 readers: {min(taken):.3f} s at best, {max(taken):.3f} s at worst; {given} given")


if __name__ == "__main__":
    main()
