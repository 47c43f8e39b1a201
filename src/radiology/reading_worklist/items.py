"""A study in the reading worklist as its row holds it, and what becomes of it. Pure: each step gives a new value."""

from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

from radiology.errors import StaleVersion
from radiology.reading_worklist.clocks import Hours, after
from radiology.reading_worklist.describing import Asked
from radiology.reading_worklist.model import OPEN, REPORTED, Priority, State, Verb, step


class Stage(StrEnum):
    """How far the reports of a study are, the one that is least far where there are several."""

    NONE = "none"
    DRAFTED = "drafted"
    PRELIMINARY = "preliminary"
    FINAL = "final"


_VERBS: Final = {Stage.DRAFTED: Verb.DRAFT, Stage.PRELIMINARY: Verb.PRESENT, Stage.FINAL: Verb.SIGN}
_REACHED: Final = {
    Stage.DRAFTED: State.DRAFTED,
    Stage.PRELIMINARY: State.PRELIMINARY,
    Stage.FINAL: State.FINAL,
}


@dataclass(frozen=True, slots=True)
class Reported:
    """What the reports of a study say. author: who began the open one; by_resident: a resident wrote in it."""

    stage: Stage = Stage.NONE
    author: str | None = None
    by_resident: bool = False
    first_issued: datetime | None = None


@dataclass(frozen=True, slots=True)
class Item:
    """A row of reading_items; see its columns. `version` goes up with every step that somebody sees."""

    study_id: UUID
    study_instance_uid: str
    facility_code: str
    patient_id: UUID
    sensitive: bool
    sensitive_classes: list[str]
    modality: str
    modalities: list[str]
    subspecialty: str
    rvu: float
    age_group: str
    arriving: bool
    received_at: datetime
    sla_hours: float
    state: str = State.WAITING
    version: int = 1
    priority: str = Priority.ROUTINE
    at_once: bool = False
    procedure_key: str = ""
    region: str = ""
    certificates: list[str] = field(default_factory=list[str])
    patient_sex: str = ""
    inpatient: bool = False
    critical: bool = False
    completed_at: datetime | None = None
    half_at: datetime | None = None
    deadline: datetime | None = None
    half_told_at: datetime | None = None
    breach_told_at: datetime | None = None
    assigned_to: str | None = None
    offer_expires_at: datetime | None = None
    claimed_by: str | None = None
    claimed_at: datetime | None = None
    locked_until: datetime | None = None
    author: str | None = None
    approver_differs: bool = False
    finished_at: datetime | None = None

    def must_have_version(self, version: int | None) -> None:
        """Raises StaleVersion where somebody else changed it first."""
        if version is not None and version != self.version:
            raise StaleVersion(f"The study has version {self.version} in the worklist by now. Read it again.")

    def holder(self, now: datetime) -> str | None:
        """Whose claim keeps others out now."""
        return self.claimed_by if self.locked_until is not None and self.locked_until > now else None

    def is_held_from(self, who: str, now: datetime) -> bool:
        """Whether somebody else's claim keeps this person out."""
        return self.holder(now) not in (None, who)

    def asks(self, asked: Asked, hours: Hours | None) -> "Item":
        """The same with what the study asks of its reader now; another due time is a new clock."""
        known = replace(
            self,
            priority=asked.priority,
            at_once=asked.at_once,
            modality=asked.modality,
            procedure_key=asked.procedure_key,
            region=asked.region,
            subspecialty=asked.subspecialty,
            rvu=asked.rvu,
            certificates=sorted(asked.certificates),
            age_group=asked.age_group,
            sla_hours=asked.sla_hours,
        )
        if asked.sla_hours != self.sla_hours:
            known = replace(known, half_told_at=None, breach_told_at=None)
        return known.timed(hours)

    def timed(self, hours: Hours | None) -> "Item":
        """The same with the moments of its clock, which runs from when all images were there."""
        if self.completed_at is None:
            return replace(self, half_at=None, deadline=None)
        return replace(
            self,
            half_at=after(self.completed_at, self.sla_hours / 2, hours),
            deadline=after(self.completed_at, self.sla_hours, hours),
        )

    def claimed(self, by: str, *, now: datetime, until: datetime) -> "Item":
        """Somebody reads it now. Raises TransitionRefused."""
        began = self.claimed_at if self.claimed_by == by else now
        return replace(
            self,
            state=step(State(self.state), Verb.CLAIM),
            assigned_to=by if State(self.state) not in REPORTED else self.assigned_to,
            offer_expires_at=None,
            claimed_by=by,
            claimed_at=began,
            locked_until=until,
        )

    def released(self, *, to: str | None = None) -> "Item":
        """Nobody reads it now; it stands in the queue of `to`, else of who began its report, else of nobody."""
        state = State(self.state)
        after_it = step(state, Verb.RELEASE) if state not in (State.WAITING, State.OFFERED) else State.WAITING
        return replace(
            self,
            state=after_it,
            assigned_to=to or (self.author if after_it in REPORTED else None),
            offer_expires_at=None,
            claimed_by=None,
            claimed_at=None,
            locked_until=None,
        )

    def offered(self, to: str, *, until: datetime) -> "Item":
        """Somebody is asked whether he or she takes it. Raises TransitionRefused."""
        return replace(self, state=step(State(self.state), Verb.OFFER), assigned_to=to, offer_expires_at=until)

    def declined(self) -> "Item":
        """Whoever was asked does not take it, or did not answer in time. Raises TransitionRefused."""
        return replace(self, state=step(State(self.state), Verb.DECLINE), assigned_to=None, offer_expires_at=None)

    def follows(self, reported: Reported, *, is_readable: bool, now: datetime) -> "Item":
        """The same as its reports and images have it."""
        state = State(self.state)
        if not is_readable:
            return self if state == State.REMOVED else self._ended(Verb.REMOVE)
        if state == State.REMOVED:
            return replace(self, state=step(state, Verb.RESTORE)).follows(reported, is_readable=True, now=now)
        if reported.stage == Stage.NONE:
            return self._ended(Verb.RETURN) if state in REPORTED else self
        known = replace(self, author=reported.author, approver_differs=reported.by_resident)
        if reported.stage == Stage.FINAL:
            known = replace(known, author=known.author or self.author, finished_at=reported.first_issued or now)
            return known if state == State.FINAL else known._ended(Verb.SIGN)
        known = replace(known, offer_expires_at=None, finished_at=None)
        if state in OPEN[:3]:
            known = replace(known, assigned_to=reported.author)
        if state == _REACHED[reported.stage]:
            return known
        return replace(known, state=step(state, _VERBS[reported.stage]))

    def _ended(self, verb: Verb) -> "Item":
        """Nobody reads it; who signed it last stays named where it is signed."""
        signed = verb == Verb.SIGN
        return replace(
            self,
            state=step(State(self.state), verb),
            assigned_to=self.assigned_to if signed else None,
            offer_expires_at=None,
            claimed_by=None,
            claimed_at=None,
            locked_until=None,
            author=self.author if signed else None,
            approver_differs=self.approver_differs and signed,
            finished_at=self.finished_at if signed else None,
        )
