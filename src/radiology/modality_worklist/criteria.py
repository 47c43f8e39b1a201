"""From what is asked for, by REST or by C-FIND (PS3.4 C.2.2.2), to SQL conditions. Which of them are left out by
default is told in `model.why_not_shown`; both say the same.
"""
# ruff: noqa: S608 - every piece is a literal and every value a parameter; the type checker proves it by LiteralString.

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import LiteralString
from uuid import UUID
from zoneinfo import ZoneInfo

from radiology.errors import Invalid
from radiology.kit.db import Where
from radiology.modality_worklist.model import OPEN, days_shown
from radiology.modality_worklist.search import WorklistQuery
from radiology.standards.dicom.matching import (
    Condition,
    DateRange,
    DateTimeRange,
    PersonNameMatch,
    SingleValue,
    TimeRange,
    UIDList,
    Wildcard,
)
from radiology.standards.dicom.names import name_keys

_TEXT: dict[str, LiteralString] = {
    "00080050": "w.accession_number",
    "00100020": "w.patient_id",
    "0020000D": "w.study_instance_uid",
    "00401001": "w.requested_procedure_id",
    "00080060": "w.modality",
    "00400009": "w.scheduled_procedure_step_id",
    "00400020": "w.status",
}
_PATIENT_NAME, _PERFORMING_PHYSICIAN, _STATION, _STATUS = "00100010", "00400006", "00400001", "00400020"
_PATIENT_ID = "00100020"
#: A number leads to the patient who survived a merge, too.
_OF_NUMBER: LiteralString = """w.patient_id = ANY(ARRAY(
    SELECT {number}::text
    UNION ALL
    SELECT survivor.patient_id
    FROM patients AS merged
    JOIN patients AS survivor ON survivor.id = surviving_patient(merged.merged_into)
    WHERE merged.patient_id = {number}
      AND merged.merged_into IS NOT NULL
))"""

#: The stations of an item; without any, whoever asks.
_STATIONS: LiteralString = """(CASE WHEN w.station_ae_titles <> '{}' THEN w.station_ae_titles
    WHEN w.station_pool IS NOT NULL THEN coalesce(p.ae_titles, '{}') ELSE ARRAY[{asking}::text] END)"""

#: For this station, for a pool that it is in, or for any station of a modality that it has: that of its pools, or all.
_FOR_STATION: LiteralString = """CASE WHEN w.station_ae_titles <> '{}' THEN {asking} = ANY(w.station_ae_titles)
    WHEN w.station_pool IS NOT NULL THEN {asking} = ANY(p.ae_titles)
    ELSE w.modality = ANY(ARRAY(SELECT own.modality FROM station_pools AS own
            WHERE own.facility_code = {facility} AND {asking} = ANY(own.ae_titles)))
        OR NOT EXISTS (SELECT FROM station_pools AS own
            WHERE own.facility_code = {facility} AND {asking} = ANY(own.ae_titles)) END"""


@dataclass(frozen=True, slots=True)
class Criteria:
    """What a list over REST is asked for; all that is given must hold."""

    status: Sequence[str] = ()
    trigger: str | None = None
    modality: str | None = None
    station: str | None = None
    patient_id: str | None = None
    accession_number: str | None = None
    study_instance_uid: str | None = None
    service_request: str | None = None
    start_from: datetime | None = None
    start_before: datetime | None = None
    after: tuple[datetime, UUID] | None = None
    limit: int = 50


def conditions_of(where: Where, criteria: Criteria) -> None:
    """Add the conditions of a list."""
    texts: tuple[tuple[LiteralString, str | None], ...] = (
        ("w.status_trigger = {value}", criteria.trigger),
        ("w.modality = {value}", criteria.modality),
        ("{value} = ANY(w.station_ae_titles)", criteria.station),
        ("w.patient_id = {value}", criteria.patient_id),
        ("w.accession_number = {value}", criteria.accession_number),
        ("w.study_instance_uid = {value}", criteria.study_instance_uid),
        ("w.service_request = {value}", criteria.service_request),
    )
    for clause, value in texts:
        if value is not None:
            where.add(clause, value=value)
    if criteria.status:
        where.add("w.status = ANY({status}::text[])", status=list(criteria.status))
    if criteria.start_from is not None:
        where.add("w.scheduled_start >= {start}", start=criteria.start_from)
    if criteria.start_before is not None:
        where.add("w.scheduled_start < {before}", before=criteria.start_before)
    if criteria.after is not None:
        moment, key = criteria.after
        where.add("(w.scheduled_start, w.id) < ({moment}, {id})", moment=moment, id=key)


def conditions(query: WorklistQuery, ae_title: str, facility_code: str, *, at: datetime, zone: ZoneInfo) -> Where:
    """Everything that must hold for an item to be an answer: what was asked, and the defaults for what was not."""
    where = Where(["w.facility_code = %(facility_code)s"], {"facility_code": facility_code})
    if _STATUS not in query.step_keys:
        where.clauses.append(_open())
    _add_station(where, query, ae_title, facility_code)
    _add_start(where, query, at, zone)
    for tag, condition in {**query.keys, **query.step_keys}.items():
        if tag == _PATIENT_ID and isinstance(condition, SingleValue):
            where.add(_OF_NUMBER, number=condition.value)
        elif tag in _TEXT:
            _add_text(where, _TEXT[tag], condition)
        elif tag == _PATIENT_NAME and query.fuzzy and isinstance(condition, PersonNameMatch):
            keys = [key for group in condition.groups for key in name_keys(group.replace("*", " "))]
            where.add("w.patient_name_keys @> {keys}::text[]", keys=keys)
        elif tag == _PATIENT_NAME:
            _add_name(where, "w.patient_name_match", condition)
        elif tag == _PERFORMING_PHYSICIAN:
            _add_name(where, "w.performing_physician_match", condition)
    return where


def _open() -> LiteralString:
    # The words of the partial index, so that it is used.
    assert OPEN == ("SCHEDULED", "ARRIVED", "READY")  # noqa: S101
    return "w.status IN ('SCHEDULED', 'ARRIVED', 'READY')"


def _add_station(where: Where, query: WorklistQuery, ae_title: str, facility_code: str) -> None:
    match query.step_keys.get(_STATION):
        case None if query.any_station:
            return
        case None:
            where.add(_FOR_STATION, asking=ae_title, facility=facility_code)
        case SingleValue(value):
            where.add(_FOR_STATION, asking=value, facility=facility_code)
        case Wildcard() as pattern:
            where.add(
                "EXISTS (SELECT 1 FROM unnest(" + _STATIONS + ") AS title WHERE title LIKE {pattern})",
                asking=ae_title,
                pattern=pattern.to_like(),
            )
        case _:
            raise Invalid("Scheduled Station AE Title is matched by one value or a pattern.")


def _add_start(where: Where, query: WorklistQuery, at: datetime, zone: ZoneInfo) -> None:
    local: LiteralString = "(w.scheduled_start AT TIME ZONE make_interval(secs => {offset}))"
    given = query.start
    if not any(isinstance(condition, DateRange | DateTimeRange) for condition in given):
        first, last = days_shown(at, zone)
        _add_moments(where, datetime.combine(first, time.min, zone), datetime.combine(last, time.max, zone))
    for condition in given:
        match condition:
            case DateRange(start, end):
                first_moment = datetime.combine(start, time.min, query.zone) if start else None
                last_moment = datetime.combine(end, time.max, query.zone) if end else None
                _add_moments(where, first_moment, last_moment)
            case DateTimeRange(start, end):
                _add_moments(
                    where,
                    start.replace(tzinfo=query.zone) if start else None,
                    end.replace(tzinfo=query.zone) if end else None,
                )
            case TimeRange(start, end):
                offset = (at.astimezone(query.zone).utcoffset() or timedelta()).total_seconds()
                column: LiteralString = local + "::time"
                if start is not None:
                    where.add(column + " >= {start}", offset=offset, start=start)
                if end is not None:
                    where.add(column + " <= {end}", offset=offset, end=end)
            case _:
                raise Invalid("Start date and time are matched by a value or a range.")


def _add_moments(where: Where, start: datetime | None, end: datetime | None) -> None:
    if start is not None:
        where.add("w.scheduled_start >= {start}", start=start)
    if end is not None:
        where.add("w.scheduled_start <= {end}", end=end)


def _add_text(where: Where, column: LiteralString, condition: Condition) -> None:
    match condition:
        case SingleValue():
            where.add(column + " = {value}", value=condition.value)
        case UIDList():
            where.add(column + " = ANY({uids}::text[])", uids=list(condition.uids))
        case Wildcard():
            where.add(column + " LIKE {pattern}", pattern=condition.to_like())
        case _:
            raise Invalid("This attribute is matched by one value or a pattern.")


def _add_name(where: Where, column: LiteralString, condition: Condition) -> None:
    if not isinstance(condition, PersonNameMatch):
        raise Invalid("A name is matched by a name or a pattern.")
    if len(condition.groups) == 1:
        where.add(
            "EXISTS (SELECT 1 FROM unnest(" + column + ") AS name WHERE name LIKE {pattern})",
            pattern=condition.to_like(),
        )
        return
    for number, group in enumerate(condition.groups, 1):
        if group:
            pattern = PersonNameMatch((group,)).to_like()
            where.add(column + "[{number}] LIKE {pattern}", number=number, pattern=pattern)
