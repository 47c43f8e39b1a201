"""From images to reports: the service's own assignment gives studies to readers, who read one after the other. Pure."""

import heapq
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from random import Random
from typing import Final
from uuid import UUID

from radiology.external.practitioners.model import Practitioner, Privilege
from radiology.practitioners.model import ALL, RADIOLOGY
from radiology.practitioners.readers.model import AGE_GROUPS, CERTIFICATES, Contract, Home, Reader, Scope, Shift
from radiology.procedures.model import Terms
from radiology.reading_worklist.assigning.assign import assign
from radiology.reading_worklist.assigning.model import Candidate, OnCall, Rules
from radiology.reading_worklist.batches.model import batches
from radiology.reading_worklist.model import Place, Priority, Waiting
from radiology.simulation.model import Country, Journey, Plan, Policy

ROUTINE_EVERY: Final = timedelta(minutes=30)
"""What nobody could be asked for is looked at again after so long, if it is routine."""
_EVERY_DAY: Final = frozenset(range(1, 8))
_SHIFTS: Final = ((time(8), time(16), 0.7), (time(14), time(22), 0.2), (time(22), time(6), 0.1))
_PULL: Final = {
    "Medical_College_Hospitals": 10, "Specialised_Institutes": 10, "District_Hospitals": 1.5, "Diagnostic_Centres": 2,
    "Private_Clinics": 0.2, "Nuclear_Medicine_Institutes": 2, "Upazila_Health_Complexes": 0.05,
}  # fmt: skip
_TRAINED: Final = (
    "neuro",
    "body",
    "musculoskeletal",
    "chest",
    "breast",
    "cardiac",
    "paediatric",
    "obstetric",
    "nuclear",
)
_ON_CALL: Final = 0.1
_CERTIFIED: Final = 0.5


def make_readers(plan: Plan, country: Country, policy: Policy) -> list[Reader]:
    """The readers of a plan: mostly at teaching hospitals. Under a policy without network they read at home only."""
    random = Random(f"readers {plan.seed}")  # noqa: S311
    facilities = list(country.facilities)
    pull = [_PULL.get(each.tier, 0.1) for each in facilities]
    made = list[Reader]()
    for number in range(1, plan.readers + 1):
        home = random.choices(facilities, pull)[0]
        begins, ends, _ = random.choices(_SHIFTS, [share for *_, share in _SHIFTS])[0]
        made.append(
            Reader(
                practitioner=Practitioner(
                    reference=f"Practitioner/S{number:04d}",
                    name=f"Reader {number}",
                    registration=f"A-{number}",
                    registered_until=date(2099, 12, 31),
                    specialties=RADIOLOGY,
                    privileges=(Privilege(ALL, frozenset({ALL})),),
                ),
                subspecialties=frozenset(random.sample(_TRAINED, random.choice((0, 1, 2)))) or frozenset({"general"}),
                sex="F" if random.random() < _CERTIFIED else "M",
                age_groups=frozenset(AGE_GROUPS),
                certificates=frozenset(each for each in CERTIFICATES if random.random() < _CERTIFIED),
                contracts=(Contract(Scope.NATIONAL) if policy.network else Contract(Scope.FACILITY, home.code),),
                home=Home(home.code, home.district, home.division),
                reads_sensitive=True,
                shifts=(Shift(_EVERY_DAY, begins, ends),),
            )
        )
    return made


@dataclass(frozen=True, slots=True)
class Lying:
    """A study that lies on a desk, with the journey that it is part of."""

    waiting: Waiting
    journey: Journey

    @property
    def turn(self) -> tuple[bool, bool, datetime, int]:
        """STAT first, then urgent, the earliest due of each."""
        priority, deadline = self.waiting.priority, self.waiting.deadline or self.waiting.received_at
        return priority != Priority.STAT, priority == Priority.ROUTINE, deadline, self.journey.patient.number


@dataclass(slots=True)
class Desk:
    """A reader with what lies on the desk. batch: what is read next of it, because it is alike."""

    reader: Reader
    on_call: bool
    free_at: datetime
    lies: dict[UUID, Lying] = field(default_factory=dict[UUID, Lying])
    batch: list[UUID] = field(default_factory=list[UUID])
    batched: int = 0
    open_rvu: float = 0.0
    rvu: float = 0.0
    last: datetime | None = None


class Reading:
    """The readers of a country from one midnight on. `advance` in steps; then everything that could be is read."""

    def __init__(
        self, plan: Plan, country: Country, policy: Policy, begins: datetime, told: Callable[[Journey], None]
    ) -> None:
        self._plan, self._country, self._told = plan, country, told
        random = Random(f"on call {plan.seed}")  # noqa: S311
        self.desks = {
            reader.reference: Desk(reader, random.random() < _ON_CALL, begins)
            for reader in make_readers(plan, country, policy)
        }
        self._coming = list[tuple[datetime, int, Journey]]()
        self._waiting = dict[UUID, tuple[Waiting, Journey]]()
        self._asked = begins
        self._rules = Rules(minutes_of_rvu=plan.reads_minutes)

    @property
    def is_done(self) -> bool:
        """Whether nothing comes, waits or lies on a desk."""
        return not self._coming and not self._waiting and not any(desk.lies for desk in self.desks.values())

    def images(self, journey: Journey) -> None:
        """Images are made; they can be read when they have been sent."""
        procedure = journey.procedure
        assert journey.images is not None and journey.ready is not None and procedure is not None  # noqa: S101, PT018
        hours = Terms(None, procedure.turnaround_hours, procedure.priority).hours_for(journey.patient.priority)
        journey.deadline = journey.images + timedelta(hours=hours)
        heapq.heappush(self._coming, (journey.ready, journey.patient.number, journey))

    def advance(self, now: datetime) -> None:
        """Read until now, then give what has come to readers."""
        for desk in self.desks.values():
            self._read(desk, now)
        while self._coming and self._coming[0][0] <= now:
            journey = heapq.heappop(self._coming)[2]
            waiting = self._of(journey)
            self._waiting[waiting.study_id] = (waiting, journey)
        self._assign(now)

    def _assign(self, now: datetime) -> None:
        all_of_them = now - self._asked >= ROUTINE_EVERY
        if all_of_them:
            self._asked = now
        asked = [
            waiting
            for waiting, _ in self._waiting.values()
            if all_of_them or waiting.priority != Priority.ROUTINE or now - waiting.received_at < ROUTINE_EVERY
        ]
        if not asked:
            return
        for decision in assign(asked, self._candidates(now), now, self._rules):
            if decision.chosen is None and decision.is_for_now:
                continue
            # Whom nobody may read today, nobody will: it leaves the list and is never reported.
            _, journey = self._waiting.pop(decision.waiting.study_id)
            if decision.chosen is not None:
                self._give(self.desks[decision.chosen.reader], journey, decision.waiting, now)

    def _candidates(self, now: datetime) -> list[Candidate]:
        return [
            Candidate(
                reader=desk.reader,
                open_rvu=desk.open_rvu,
                rvu_today=desk.rvu,
                last_assigned_at=desk.last,
                on_shift=desk.reader.is_on_shift(now, self._rules.zone),
                on_call=(OnCall("general"),) if desk.on_call else (),
            )
            for desk in self.desks.values()
        ]

    def _give(self, desk: Desk, journey: Journey, waiting: Waiting, now: datetime) -> None:
        journey.reader = desk.reader.reference
        desk.open_rvu += waiting.rvu
        desk.rvu += waiting.rvu
        desk.last = now
        desk.free_at = max(desk.free_at, now) if not desk.lies else desk.free_at
        desk.lies[waiting.study_id] = Lying(waiting, journey)

    def _read(self, desk: Desk, now: datetime) -> None:
        while desk.lies and desk.free_at < now:
            lying, follows = self._next(desk)
            del desk.lies[lying.waiting.study_id]
            minutes = lying.waiting.rvu * self._plan.reads_minutes * (1 - self._plan.batch_saves * follows)
            lying.journey.report = desk.free_at = desk.free_at + timedelta(minutes=minutes)
            desk.open_rvu = max(desk.open_rvu - lying.waiting.rvu, 0.0)
            desk.batched += follows
            self._told(lying.journey)

    def _next(self, desk: Desk) -> tuple[Lying, bool]:
        """What is read next, and whether it follows another one of its batch. What is urgent comes between."""
        first = min(desk.lies.values(), key=lambda each: each.turn)
        if first.waiting.priority != Priority.ROUTINE:
            return first, False
        if desk.batch:
            return desk.lies[desk.batch.pop(0)], True
        found = batches((each.waiting for each in desk.lies.values()), desk.free_at, reads_sensitive=True)
        if not found:
            return first, False
        chosen, *desk.batch = (each.study_id for each in found[0].studies)
        return desk.lies[chosen], False

    def _of(self, journey: Journey) -> Waiting:
        procedure, district = journey.procedure, self._country.home[journey.facility or ""]
        assert procedure is not None and journey.ready is not None  # noqa: S101, PT018
        return Waiting(
            study_id=UUID(int=journey.patient.number + 1),
            place=Place(journey.facility or "", district.name, district.division),
            priority=Priority(journey.patient.priority),
            modality=procedure.modality,
            received_at=journey.ready,
            sla_hours=((journey.deadline or journey.ready) - (journey.images or journey.ready)).total_seconds() / 3600,
            completed_at=journey.images,
            deadline=journey.deadline,
            procedure_key=procedure.key,
            subspecialty=procedure.subspecialty,
            rvu=procedure.rvu,
            patient_sex=journey.patient.sex,
            certificates=_certificates(procedure.modality, procedure.key),
        )


def _certificates(modality: str, key: str) -> frozenset[str]:
    if modality == "MG":
        return frozenset({"mammography"})
    return frozenset({"cardiac-ct"}) if "CORONARY" in key else frozenset()


def loads(desks: Iterable[Desk]) -> Sequence[float]:
    """The RVU that each reader was given, the least first."""
    return sorted(desk.rvu for desk in desks)
