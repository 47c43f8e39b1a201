"""Which readers may be given a study. Pure.

A set of readers is an integer with one bit for each, in the order of their references. So a filter of 300 readers is
one operation, and what depends on a facility or a modality is worked out once, however many studies come from there.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import TypeVar

from radiology.practitioners.model import ALL, DERIVED, RADIOLOGY, SONOLOGY, ULTRASOUND
from radiology.practitioners.readers.model import Scope
from radiology.reading_worklist.assigning.model import CALLED_FOR, Candidate, Exclusion, Round
from radiology.reading_worklist.model import Waiting

K = TypeVar("K")


class Filters:
    """All hard filters over some readers on one day. `at_cap` changes while studies are given."""

    def __init__(self, candidates: Sequence[Candidate], on: date) -> None:
        self.everybody = (1 << len(candidates)) - 1
        self.at_cap = self._where(each.open_rvu >= each.reader.cap_rvu for each in candidates)
        readers = [each.reader for each in candidates]
        self._bits = {each.reference: 1 << number for number, each in enumerate(readers)}
        self._bits |= {each.account: 1 << number for number, each in enumerate(readers) if each.account}
        self._works_anywhere = self._where(each.works_at is None for each in candidates)
        self._works_at = _by(each.works_at or () for each in candidates)
        self._known = self._where(each.known for each in candidates)
        self._active = self._where(each.active and each.practitioner.active for each in readers)
        self._registered = self._where(each.practitioner.is_registered(on) for each in readers)
        self._radiologists = self._where(bool(each.practitioner.specialties & RADIOLOGY) for each in readers)
        self._sonologists = self._where(bool(each.practitioner.specialties & SONOLOGY) for each in readers)
        self._at_home = self._where(not each.home.abroad for each in readers)
        self._approved = self._where(not each.home.abroad or bool(each.abroad_approval) for each in readers)
        self._sensitive = self._where(each.reads_sensitive for each in readers)
        self._on_shift = self._where(each.on_shift for each in candidates)
        self._on_call = [(1 << number, each.on_call) for number, each in enumerate(candidates) if each.on_call]
        self._of_age = _by(each.age_groups for each in readers)
        self._of_sex = _by([each.sex] for each in readers)
        self._certified = _by(each.certificates for each in readers)
        self._contracts = _by(
            [
                (held.scope, held.place if held.scope != Scope.NATIONAL else "")
                for held in each.contracts
                if held.holds(on)
            ]
            for each in readers
        )
        self._privileged = _by(
            [
                (held.facility_code, modality)
                for held in each.practitioner.privileges
                if held.is_valid(on)
                for modality in held.modalities
            ]
            for each in readers
        )
        self._recused_facilities = _by(each.recusals.facilities for each in readers)
        self._recused_patients = _by(each.recusals.patients for each in readers)

    def passed(self, waiting: Waiting, round: Round) -> tuple[int, dict[Exclusion, int]]:
        """Who may be given a study, and who not for which first reason."""
        left, out = self.everybody, dict[Exclusion, int]()
        for reason, may in self._each(waiting, round):
            if left & ~may:
                out[reason] = left & ~may
                left &= may
        return left, out

    def members(self, readers: int) -> list[int]:
        """The numbers of the readers of a set."""
        numbers = list[int]()
        while readers:
            lowest = readers & -readers
            numbers.append(lowest.bit_length() - 1)
            readers ^= lowest
        return numbers

    def named(self, names: Iterable[str]) -> int:
        """The set of readers of some references or accounts; others are no readers."""
        found = 0
        for name in names:
            found |= self._bits.get(name, 0)
        return found

    def _where(self, holds: Iterable[bool]) -> int:
        return sum(1 << number for number, held in enumerate(holds) if held)

    def _each(self, waiting: Waiting, round: Round) -> Iterator[tuple[Exclusion, int]]:
        """Each filter with whom it lets pass, in the order of `Exclusion`."""
        nobody, everybody = 0, self.everybody
        read = (waiting.modalities or frozenset({waiting.modality})) - DERIVED
        yield Exclusion.NO_ACCOUNT, self._works_anywhere | self._works_at.get(waiting.facility_code, nobody)
        yield Exclusion.UNKNOWN, self._known
        yield Exclusion.INACTIVE, self._active
        yield Exclusion.NOT_REGISTERED, self._registered
        yield Exclusion.NO_SPECIALTY, self._radiologists | (self._sonologists if read <= ULTRASOUND else nobody)
        yield Exclusion.NO_PRIVILEGE, self._privileged_for(waiting.facility_code, read)
        yield Exclusion.AGE_GROUP, self._of_age.get(waiting.age_group, nobody)
        yield Exclusion.NO_CERTIFICATE, self._all_of(self._certified, waiting.certificates)
        yield Exclusion.NO_CONTRACT, self._contracted(waiting)
        yield Exclusion.ABROAD, self._at_home if waiting.sensitive else self._approved
        yield Exclusion.RECUSED, everybody & ~self._recused(waiting)
        author = self.named([waiting.author]) if waiting.author and waiting.approver_differs else nobody
        yield Exclusion.AUTHOR, everybody & ~author
        yield Exclusion.SENSITIVE, self._sensitive if waiting.sensitive else everybody
        yield Exclusion.SEX, self._of_sex.get(waiting.reader_sex, nobody) if waiting.reader_sex else everybody
        called = self.named(round.called)
        yield Exclusion.OFF_DUTY, self._on_duty(waiting, round) | called
        yield Exclusion.AT_CAP, everybody & ~self.at_cap | called
        yield Exclusion.ASKED, everybody & ~self.named(round.asked)

    def _privileged_for(self, facility_code: str, modalities: frozenset[str]) -> int:
        held = self._privileged
        whole = held.get((facility_code, ALL), 0) | held.get((ALL, ALL), 0)
        may = self.everybody if modalities else whole
        for modality in modalities:
            may &= whole | held.get((facility_code, modality), 0) | held.get((ALL, modality), 0)
        return may

    def _contracted(self, waiting: Waiting) -> int:
        place, held = waiting.place, self._contracts
        may = held.get((Scope.NATIONAL, ""), 0) | held.get((Scope.FACILITY, place.facility_code), 0)
        if place.district:
            may |= held.get((Scope.DISTRICT, place.district), 0)
        return may | held.get((Scope.DIVISION, place.division), 0) if place.division else may

    def _recused(self, waiting: Waiting) -> int:
        of_patient = 0 if waiting.patient_id is None else self._recused_patients.get(waiting.patient_id, 0)
        return of_patient | self._recused_facilities.get(waiting.facility_code, 0)

    def _on_duty(self, waiting: Waiting, round: Round) -> int:
        may = self._on_shift
        if round.widened:
            may |= self._contracts.get((Scope.NATIONAL, ""), 0)
        if waiting.priority in CALLED_FOR:
            for bit, turns in self._on_call:
                if any(turn.covers(waiting.facility_code, waiting.subspecialty) for turn in turns):
                    may |= bit
        return may

    def _all_of(self, held: Mapping[str, int], wanted: Iterable[str]) -> int:
        may = self.everybody
        for each in wanted:
            may &= held.get(each, 0)
        return may


def _by(values: Iterable[Iterable[K]]) -> dict[K, int]:
    """Of values of each reader in their order, who has which."""
    found = defaultdict[K, int](int)
    for number, several in enumerate(values):
        for value in several:
            found[value] |= 1 << number
    return dict(found)
