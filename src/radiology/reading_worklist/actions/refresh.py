"""Make rows of the worklist say what studies, orders and reports say: made anew from the truth, never added up.

A study is to be read when its images are complete, one that is STAT from its first image on. Old images that come from
an archive are priors, and nobody waits for their reports.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Final
from uuid import UUID

from radiology.facilities.known import Known
from radiology.kit.db import Transaction
from radiology.practitioners.model import DERIVED
from radiology.reading_worklist.actions.noting import save
from radiology.reading_worklist.clocks import Hours, hours_of
from radiology.reading_worklist.describing import OF_ITEM, Asked, Said, described
from radiology.reading_worklist.items import Item, Reported, Stage
from radiology.reading_worklist.model import Priority, State
from radiology.reading_worklist.queries import items
from radiology.reading_worklist.queries.items import Facts, ReportFacts
from radiology.studies.model import Status

FRESH: Final = timedelta(days=7)
"""Who waits for a report of images that are older than this has ordered one."""
GONE: Final = frozenset({Status.CANCELLED, Status.ENTERED_IN_ERROR})
AHEAD, BEHIND = timedelta(days=366), timedelta(days=31)


async def refresh(tx: Transaction, known: Known, study_ids: Sequence[UUID], trigger: str) -> int:
    """Make the rows of these studies say what is so now; returns how many changed.

    Rows are locked before anything is read, so that what is read is not older than what others wrote.
    """
    before = await items.lock(tx, study_ids)
    told = await items.facts(tx, study_ids)
    holidays = await _holidays(tx, known, {each.facility_code for each in told})
    count = 0
    for facts in told:
        row = before.get(facts.study_id)
        if row is None and not _is_to_be_made(facts, known):
            continue
        asked = described(_said(facts), known.procedures, ownership=_ownership(known, facts))
        hours = _hours(known, facts, asked, holidays)
        after = await _after(tx, row, facts, asked, hours, known.now)
        if after is not None and after != row:
            await save(tx, row, after, trigger)
            count += 1
    return count


async def follow_report(tx: Transaction, study_id: UUID, trigger: str, *, now: datetime) -> None:
    """Let the row of a study follow its reports, in the transaction of whoever wrote one."""
    row = await items.lock_one(tx, study_id)
    if row is not None and State(row.state) != State.REMOVED:
        reported = reported_by(await items.reports_of(tx, study_id))
        await save(tx, row, row.follows(reported, is_readable=True, now=now), trigger)


def reported_by(facts: ReportFacts) -> Reported:
    """How far the reports of a study are; of several the one that is least far."""
    statuses, stage = set(facts.statuses), Stage.NONE
    if statuses & {"registered", "partial"}:
        stage = Stage.DRAFTED
    elif "preliminary" in statuses:
        stage = Stage.PRELIMINARY
    elif statuses & {"final", "amended", "corrected", "appended"}:
        stage = Stage.FINAL
    return Reported(stage, facts.author, facts.by_resident, facts.first_issued)


def _is_readable(facts: Facts) -> bool:
    return bool(facts.number_of_instances and set(facts.modalities) - DERIVED) and facts.status not in GONE


def _is_to_be_made(facts: Facts, known: Known) -> bool:
    """Whether a study without a row gets one."""
    if not _is_readable(facts):
        return False
    fresh = facts.study_date is None or known.today - facts.study_date <= FRESH
    if not (fresh or facts.is_ordered or facts.is_outdated):
        return False
    return facts.status == Status.COMPLETED or _priority(facts) == Priority.STAT


def _priority(facts: Facts) -> str | None:
    """What was ordered; an item of the worklist that says nothing in particular leaves it to the catalogue."""
    return facts.order_priority or OF_ITEM.get(facts.item_priority or "")


def _said(facts: Facts) -> Said:
    return Said(
        facts.facility_code,
        frozenset(facts.modalities),
        facts.description,
        facts.procedures,
        facts.reasons,
        _priority(facts),
        _day(facts.birth_date),
        facts.study_date,
    )


def _day(text: str) -> date | None:
    """A date of birth as the registry has it; one that is not known to the day is none."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


async def _after(
    tx: Transaction, row: Item | None, facts: Facts, asked: Asked, hours: Hours | None, now: datetime
) -> Item | None:
    base = row or await _new(tx, facts, asked, now)
    is_complete = facts.status == Status.COMPLETED
    current = replace(
        base,
        study_instance_uid=facts.study_instance_uid,
        facility_code=facts.facility_code,
        patient_id=facts.patient_id,
        sensitive=facts.sensitive,
        sensitive_classes=facts.sensitive_classes,
        modalities=facts.modalities,
        patient_sex=facts.patient_sex,
        inpatient=facts.inpatient,
        arriving=not is_complete,
        completed_at=base.completed_at or (facts.completed or now if is_complete else None),
    ).asks(asked, hours)
    return current.follows(reported_by(facts), is_readable=_is_readable(facts), now=now)


async def _new(tx: Transaction, facts: Facts, asked: Asked, now: datetime) -> Item:
    return Item(
        study_id=facts.study_id,
        study_instance_uid=facts.study_instance_uid,
        facility_code=facts.facility_code,
        patient_id=facts.patient_id,
        sensitive=facts.sensitive,
        sensitive_classes=facts.sensitive_classes,
        modality=asked.modality,
        modalities=facts.modalities,
        subspecialty=asked.subspecialty,
        rvu=asked.rvu,
        age_group=asked.age_group,
        arriving=True,
        received_at=await items.first_stored_at(tx, facts.study_id) or now,
        sla_hours=asked.sla_hours,
    )


# --- The clock of a facility ---


def _ownership(known: Known, facts: Facts) -> str:
    facility = known.facilities.facility(facts.facility_code)
    return facility.ownership if facility else "public"


async def _holidays(tx: Transaction, known: Known, codes: set[str]) -> Mapping[str, set[date]]:
    if known.settings.sla_calendar != "business" or not codes:
        return {}
    return await items.holidays(tx, sorted(codes), first=known.today - BEHIND, last=known.today + AHEAD)


def _hours(known: Known, facts: Facts, asked: Asked, holidays: Mapping[str, set[date]]) -> Hours | None:
    """When the clock of a study runs; None for always: what is urgent, and where somebody is there at all hours."""
    facility = known.facilities.facility(facts.facility_code)
    is_open_always = facility is not None and facility.open_all_hours
    if known.settings.sla_calendar != "business" or asked.priority != Priority.ROUTINE or is_open_always:
        return None
    begins, ends = hours_of(known.settings.sla_business_hours)
    weekend = frozenset(int(day) for day in known.settings.sla_weekend.split(",") if day)
    return Hours(known.settings.zone, begins, ends, weekend, frozenset(holidays.get(facts.facility_code, ())))
