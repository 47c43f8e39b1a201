"""From what the tables say of a study to what the indicators know of it. Pure."""

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from radiology.procedures.lookup import Catalogue
from radiology.quality.indicators.model import Fact
from radiology.reading_worklist.describing import OF_ITEM, Said, described
from radiology.reading_worklist.model import State

ERRONEOUS, CANCELLED, COMPLETED = "entered-in-error", "cancelled", "completed"
UNKNOWN_MODALITY: Final = "OT"


@dataclass(frozen=True, slots=True)
class Raw:
    """What the tables say of a study. first_completed: when all its images were there for the first time.

    What begins with `reading_` is its row in the reading worklist, and counts before all else; None where it has none.
    """

    study_id: UUID
    facility_code: str
    status: str
    modalities: list[str]
    procedure_code: list[dict[str, Any]] | None
    reason_code: list[dict[str, Any]] | None
    description: str
    sensitive: bool
    started: datetime | None
    completed: datetime | None
    has_images: bool
    ownership: str
    order_priority: str | None
    item_priority: str | None
    ordered_at: datetime | None
    scheduled_at: datetime | None
    arrived_at: datetime | None
    performed_at: datetime | None
    first_completed: datetime | None
    preliminary_at: datetime | None
    final_at: datetime | None
    reading_state: str | None
    reading_modality: str | None
    reading_priority: str | None
    reading_subspecialty: str | None
    reading_rvu: float | None
    reading_sla_hours: float | None
    reading_completed_at: datetime | None
    reading_deadline: datetime | None


def fact_of(raw: Raw, known: Catalogue) -> Fact | None:
    """What counts of a study, None where nothing does.

    Of a study that is cancelled only the cell is known, for what was booked for it.
    """
    if raw.status == ERRONEOUS:
        return None
    fact = _to_be_read(raw) or _described(raw, known)
    if raw.status == CANCELLED:
        return fact
    completed_at = _completed(raw)
    return replace(
        fact,
        ordered_at=raw.ordered_at,
        scheduled_at=raw.scheduled_at,
        arrived_at=raw.arrived_at,
        started_at=raw.performed_at or raw.started,
        completed_at=completed_at,
        preliminary_at=raw.preliminary_at,
        final_at=raw.final_at,
        deadline=_deadline(raw, fact, completed_at),
    )


def _to_be_read(raw: Raw) -> Fact | None:
    """As the reading worklist has it."""
    if raw.reading_state is None or raw.reading_sla_hours is None or raw.reading_rvu is None:
        return None
    return Fact(
        raw.study_id,
        (
            raw.facility_code, raw.reading_modality or UNKNOWN_MODALITY, raw.reading_priority or "routine",
            raw.reading_subspecialty or "general", raw.sensitive,
        ),
        raw.reading_sla_hours,
        raw.reading_rvu,
    )  # fmt: skip


def _described(raw: Raw, known: Catalogue) -> Fact:
    """As it would stand in the reading worklist, for a study that is not there."""
    of_item = OF_ITEM.get(raw.item_priority or "")
    said = Said(
        raw.facility_code,
        frozenset(raw.modalities),
        raw.description,
        raw.procedure_code or (),
        raw.reason_code or (),
        raw.order_priority or (of_item.value if of_item else None),
        on=_day(raw.started),
    )
    asked = described(said, known, ownership=raw.ownership)
    cell = (
        raw.facility_code, asked.modality or UNKNOWN_MODALITY, asked.priority.value, asked.subspecialty, raw.sensitive,
    )  # fmt: skip
    return Fact(raw.study_id, cell, asked.sla_hours, asked.rvu)


def _day(moment: datetime | None) -> date | None:
    return moment.date() if moment else None


def _completed(raw: Raw) -> datetime | None:
    """When all images were there for the first time; None while they come, and where there is nothing to read."""
    if raw.reading_completed_at is not None:
        return raw.reading_completed_at
    if raw.final_at is None and (raw.status != COMPLETED or not raw.has_images):
        return None
    return min((moment for moment in (raw.first_completed, raw.completed) if moment is not None), default=None)


def _deadline(raw: Raw, fact: Fact, completed_at: datetime | None) -> datetime | None:
    if raw.reading_state == State.REMOVED and raw.final_at is None:
        return None
    if raw.reading_deadline is not None or completed_at is None:
        return raw.reading_deadline
    return completed_at + timedelta(hours=fact.sla_hours)
