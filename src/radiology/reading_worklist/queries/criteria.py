"""What readers ask the reading worklist for, as conditions on its rows: `item` is reading_items.

A sensitive study that is not seen in full has its place by its priority and by days, and is found by nothing that it
does not show.
"""

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, LiteralString
from uuid import UUID

import orjson

from radiology.access.model import Actor, Reach
from radiology.errors import Invalid
from radiology.kit.db import Where
from radiology.studies.queries.read import either_form

CLOSED: Final = frozenset({"final"})
OPEN: LiteralString = "item.state NOT IN ('final', 'removed')"
_ASKED: LiteralString = """EXISTS (SELECT FROM second_opinions AS opinion WHERE opinion.study_id = item.study_id
    AND opinion.status = 'asked' AND opinion.asked_of = {me})"""
_ADDENDUM: LiteralString = """EXISTS (SELECT FROM outdated_reports AS task WHERE task.study_id = item.study_id
    AND task.closed_at IS NULL AND (task.assigned_to IS NULL OR task.assigned_to = {me}))"""


@dataclass(frozen=True, slots=True)
class Queue:
    """One of the left rail. is_hidden: it asks for what a masked study does not show; of_closed: not only of open."""

    condition: LiteralString
    is_hidden: bool = False
    of_closed: bool = False


QUEUES: Final[Mapping[LiteralString, Queue]] = {
    "all": Queue("TRUE"),
    "mine": Queue("(item.assigned_to = {me} OR item.claimed_by = {me})"),
    "unassigned": Queue("(item.state = 'waiting' AND item.assigned_to IS NULL)"),
    "stat": Queue("item.priority = 'stat'"),
    "second-opinions": Queue(_ASKED, of_closed=True),
    "drafts": Queue("(item.state IN ('drafted', 'preliminary') AND item.author = {me})"),
    "addenda": Queue(_ADDENDUM, of_closed=True),
    "critical": Queue("item.critical", is_hidden=True),
    "breached": Queue("item.deadline < {now}", is_hidden=True),
    "locked": Queue("item.locked_until > {now}", is_hidden=True),
}
"""The queues of the left rail, by the name that they are asked for."""


@dataclass(frozen=True, slots=True)
class Place:
    """The place behind a row of the list as it was at a moment, which all its pages are of."""

    now: datetime
    urgency: float
    received_at: datetime
    study_id: UUID

    @property
    def cursor(self) -> str:
        """An opaque text for it."""
        key = [self.now.isoformat(), self.urgency, self.received_at.isoformat(), str(self.study_id)]
        return base64.urlsafe_b64encode(orjson.dumps(key)).decode().rstrip("=")

    @classmethod
    def read(cls, cursor: str) -> "Place":
        """The place that such a text names. Raises Invalid."""
        try:
            now, urgency, received, study = orjson.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
            moments = datetime.fromisoformat(now), datetime.fromisoformat(received)
            if None in (moments[0].tzinfo, moments[1].tzinfo):
                raise ValueError
            return cls(moments[0], float(urgency), moments[1], UUID(study))
        except (ValueError, TypeError, AttributeError) as error:
            raise Invalid("cursor is not one that this service gave.") from error


@dataclass(frozen=True, slots=True)
class Criteria:
    """All that are given must hold; of the values of one, any. `patient` and `accession_number` find one by number."""

    queue: str = "all"
    state: tuple[str, ...] = ()
    priority: tuple[str, ...] = ()
    facility: tuple[str, ...] = ()
    modality: tuple[str, ...] = ()
    subspecialty: tuple[str, ...] = ()
    age_group: tuple[str, ...] = ()
    assigned_to: str | None = None
    inpatient: bool | None = None
    arriving: bool | None = None
    patient: str | None = None
    after: Place | None = None
    limit: int = 50


@dataclass(frozen=True, slots=True)
class Conditions:
    """The conditions of a list, and what its order is made of."""

    where: Where
    reach: Reach
    masked: LiteralString
    urgency: LiteralString
    received: LiteralString


def conditions(
    criteria: Criteria, visible_to: Actor, *, now: datetime, parameters: dict[str, Any] | None = None
) -> Conditions:
    """What a reader asks for, as far as he or she may see it. `parameters`: those of a statement that it is a part of.

    Raises Invalid for a queue that there is not.
    """
    reach, where = visible_to.beyond_reading.staff_reach, Where(parameters={} if parameters is None else parameters)
    queue = next((each for name, each in QUEUES.items() if name == criteria.queue), None)
    if queue is None:
        raise Invalid(f"There is no queue {criteria.queue[:40]!r}; there are: {', '.join(QUEUES)}.")
    where.add("item.state <> 'removed'" if queue.of_closed or set(criteria.state) & CLOSED else OPEN)
    reach.add_to(where, "item", also_masked=True)
    masked = masked_in(where, reach, "item")
    hidden = Where(parameters=where.parameters)
    (hidden if queue.is_hidden else where).add(queue.condition, **values_in(queue.condition, visible_to, now))
    _add_shown(where, criteria)
    _add_hidden(hidden, criteria)
    if hidden.clauses:
        where.clauses.extend(hidden.clauses if reach.sees_sensitive else ["NOT " + masked, *hidden.clauses])
    return Conditions(where, reach, masked, _urgency(where, reach, now), _received(reach))


def masked_in(where: Where, reach: Reach, name: LiteralString) -> LiteralString:
    """The SQL of whether a row, or its study, is to be masked."""
    return "FALSE" if reach.sees_sensitive else "(NOT " + reach.seen(where, name) + ")"


def values_in(condition: LiteralString, reader: Actor, now: datetime) -> dict[str, Any]:
    """What the names in the condition of a queue stand for."""
    known: dict[str, Any] = {"me": reader.id, "now": now}
    return {name: value for name, value in known.items() if "{" + name + "}" in condition}


def _add_shown(where: Where, criteria: Criteria) -> None:
    if criteria.state:
        where.add("item.state = ANY({states})", states=list(criteria.state))
    if criteria.priority:
        where.add("item.priority = ANY({priorities})", priorities=list(criteria.priority))
    if criteria.facility:
        where.add("item.facility_code = ANY({facilities})", facilities=list(criteria.facility))
    if criteria.patient is not None:
        where.add(
            """item.patient_id IN (SELECT surviving_patient(known.id) FROM patients AS known
                WHERE known.reference = ANY({references}) OR known.id::text = {number})""",
            references=either_form(criteria.patient, "Patient"),
            number=criteria.patient.removeprefix("Patient/"),
        )


def _add_hidden(where: Where, criteria: Criteria) -> None:
    """What a masked study does not show."""
    if criteria.modality:
        where.add("item.modalities && {modalities}::text[]", modalities=list(criteria.modality))
    if criteria.subspecialty:
        where.add("item.subspecialty = ANY({subspecialties})", subspecialties=list(criteria.subspecialty))
    if criteria.age_group:
        where.add("item.age_group = ANY({groups})", groups=list(criteria.age_group))
    if criteria.assigned_to is not None:
        where.add("item.assigned_to = {assigned}", assigned=criteria.assigned_to)
    if criteria.inpatient is not None:
        where.add("item.inpatient = {inpatient}", inpatient=criteria.inpatient)
    if criteria.arriving is not None:
        where.add("item.arriving = {arriving}", arriving=criteria.arriving)


#: `ranked` is rows of which it is known whether they are masked. date_part gives float8, and is quicker than extract.
_URGENCY: LiteralString = """(ranked.standing + 100 * greatest(coalesce(date_part('epoch', {now} - ranked.completed_at)
    / date_part('epoch', ranked.deadline - ranked.completed_at), 0), 0))"""
_MASKED_URGENCY: LiteralString = """(ranked.standing - CASE WHEN ranked.inpatient THEN 30 ELSE 0 END
    - CASE WHEN ranked.critical THEN 50 ELSE 0 END + CASE WHEN ranked.deadline < {today} THEN 100 ELSE 0 END)"""
_MASKED_RECEIVED: LiteralString = "date_trunc('day', ranked.received_at, %(zone)s)"


def _urgency(where: Where, reach: Reach, now: datetime) -> LiteralString:
    """How urgent a row is, as `Waiting.urgency` has it; a masked one by its priority, and whether it is days late.

    `now` is of the zone whose days count.
    """
    whole = where.expression(_URGENCY, now=now)
    if reach.sees_sensitive:
        return whole
    shown = where.expression(_MASKED_URGENCY, today=now.replace(hour=0, minute=0, second=0, microsecond=0))
    return "CASE WHEN ranked.is_masked THEN " + shown + " ELSE " + whole + " END"


def _received(reach: Reach) -> LiteralString:
    """When its first image came; of a masked one the begin of that day."""
    if reach.sees_sensitive:
        return "ranked.received_at"
    return "CASE WHEN ranked.is_masked THEN " + _MASKED_RECEIVED + " ELSE ranked.received_at END"
