"""SQL of the list that readers see, of one of its rows, and of the counts beside it.

Rows are chosen and sorted by the worklist alone; what is shown of the few on a page is read from study and patient, and
masked by what the study says itself.
"""
# ruff: noqa: S608 - every piece is a literal and every value a parameter; the type checker proves it by LiteralString.

from dataclasses import dataclass
from datetime import datetime
from typing import Any, LiteralString
from uuid import UUID
from zoneinfo import ZoneInfo

from radiology.access.model import Actor, Reach
from radiology.kit.db import Transaction, Where
from radiology.reading_worklist.queries.criteria import (
    QUEUES,
    Conditions,
    Criteria,
    Place,
    conditions,
    masked_in,
    values_in,
)
from radiology.studies.masking import DESCRIPTION

_PERSON: LiteralString = """(SELECT json_build_object('id', item.{who},
        'display', coalesce(nullif(account.display, ''), item.{who}))
    FROM (SELECT 1) AS one LEFT JOIN accounts AS account ON 'account:' || account.name = item.{who}
    WHERE item.{who} IS NOT NULL)"""
_KEPT: LiteralString = """'studyId', study.study_id, 'studyInstanceUID', study.study_instance_uid,
        'facilityCode', study.facility_code, 'accessionNumber', study.accession_number, 'state', item.state,
        'priority', item.priority, 'version', item.version,
        'patient', json_build_object('reference', patient.reference, 'display', nullif(patient.patient_name, ''))"""
_MASKED: LiteralString = (
    "json_strip_nulls(json_build_object("
    + _KEPT
    + ", 'masked', true, 'receivedOn', (item.received_at AT TIME ZONE %(zone)s)::date, 'modality', 'XX',"
    + " 'description', %(masked_as)s::text))"
)


def _whole(priors: LiteralString) -> LiteralString:
    return (
        "json_strip_nulls(json_build_object("
        + _KEPT
        + """,
        'urgency', round(listed.urgency::numeric, 2), 'receivedAt', item.received_at,
        'completedAt', item.completed_at, 'halfAt', item.half_at, 'dueAt', item.deadline,
        'overdue', coalesce(item.deadline < %(now)s, false), 'arriving', item.arriving, 'inpatient', item.inpatient,
        'critical', item.critical, 'modality', item.modality, 'modalities', study.modalities_in_study,
        'description', study.study_description, 'procedureCode', study.procedure_code,
        'procedureKey', nullif(item.procedure_key, ''), 'region', nullif(item.region, ''),
        'subspecialty', item.subspecialty, 'rvu', item.rvu, 'ageGroup', item.age_group,
        'certificates', item.certificates, 'reasonCode', study.reason_code,
        'birthDate', nullif(patient.birth_date, ''), 'sex', nullif(patient.sex, ''),
        'hospitalNumber', nullif(patient.patient_id, ''), 'started', study.started,
        'numberOfSeries', study.number_of_series, 'numberOfInstances', study.number_of_instances,
        'flags', study.flags, 'priors', """
        + priors
        + """,
        'assignedTo', """
        + _PERSON.replace("{who}", "assigned_to")
        + ", 'offerExpiresAt', item.offer_expires_at, 'claimedBy', "
        + _PERSON.replace("{who}", "claimed_by")
        + ", 'claimedAt', item.claimed_at, 'lockedUntil', item.locked_until, 'author', "
        + _PERSON.replace("{who}", "author")
        + """,
        'secondOpinionsAsked', (SELECT count(*) FROM second_opinions AS opinion
            WHERE opinion.study_id = item.study_id AND opinion.status = 'asked'),
        'notes', (SELECT count(*) FROM reading_notes AS note WHERE note.study_id = item.study_id),
        'reportOutdated', EXISTS (SELECT FROM outdated_reports AS task
            WHERE task.study_id = item.study_id AND task.closed_at IS NULL),
        'finishedAt', item.finished_at
    ))"""
    )


def _priors(where: Where, reach: Reach) -> LiteralString:
    """What is known of earlier studies of the patient, as far as the reader sees them."""
    earlier = Where(parameters=where.parameters)
    reach.add_to(earlier, "prior")
    return (
        """(SELECT json_build_object('number', count(*), 'newest', max(prior.study_date),
            'sameModality', coalesce(bool_or(prior.modalities_in_study && study.modalities_in_study), false),
            'sameRegion', coalesce(bool_or(known.region = item.region AND item.region <> ''), false))
        FROM imaging_studies AS prior
        LEFT JOIN reading_items AS known ON known.study_id = prior.id
        WHERE prior.patient_id = study.patient_id
          AND prior.findable
          AND prior.id <> study.id
          AND """
        + earlier.condition
        + ")"
    )


@dataclass(frozen=True, slots=True)
class Row:
    """A row as it is shown, and its place."""

    body: str
    version: int
    urgency: float
    received_at: datetime
    study_id: UUID


async def listed(
    tx: Transaction, criteria: Criteria, *, visible_to: Actor, now: datetime, zone: str
) -> tuple[bytes, str | None]:
    """One page as a JSON array, the most urgent first, and the cursor of the page behind it.

    All pages are of the moment of the first one, so that nothing changes its place between them.
    """
    moment = criteria.after.now if criteria.after else now
    asked = conditions(criteria, visible_to, now=moment.astimezone(ZoneInfo(zone)))
    statement = _page(_chosen(asked, asked.where.condition), asked)
    known = {**asked.where.parameters, **_behind(criteria.after), "zone": zone, "now": now, "masked_as": DESCRIPTION}
    rows = await tx.all(Row, statement, limit=criteria.limit + 1, **known)
    shown = rows[: criteria.limit]
    body = f"[{','.join(row.body for row in shown)}]".encode()
    if len(rows) <= criteria.limit or not shown:
        return body, None
    last = shown[-1]
    return body, Place(moment, last.urgency, last.received_at, last.study_id).cursor


async def one(tx: Transaction, study_id: UUID, *, visible_to: Actor, now: datetime, zone: str) -> Row | None:
    """The row of a study that was resolved, also of one that is read."""
    asked = conditions(Criteria(), visible_to, now=now.astimezone(ZoneInfo(zone)))
    statement = _page(_chosen(asked, "item.study_id = %(one)s AND item.state <> 'removed'"), asked)
    known = {**asked.where.parameters, **_behind(None), "zone": zone, "now": now, "masked_as": DESCRIPTION}
    return await tx.maybe(Row, statement, one=study_id, limit=1, **known)


def _behind(place: Place | None) -> dict[str, Any]:
    return {
        "behind": place is not None,
        "urgency": place.urgency if place else 0.0,
        "received": place.received_at if place else None,
        "study_id": place.study_id if place else None,
    }


def _chosen(asked: Conditions, condition: LiteralString) -> LiteralString:
    """The places of a page. Whether a row is masked is found out once for each."""
    return (
        """
        SELECT study_id, urgency, received_at, is_masked
        FROM (
            SELECT ranked.study_id, ("""
        + asked.urgency
        + ")::float8 AS urgency, "
        + asked.received
        + """ AS received_at, ranked.is_masked
            FROM (
                SELECT item.study_id, item.standing, item.inpatient, item.critical, item.received_at,
                    item.completed_at, item.deadline, """
        + asked.masked
        + """ AS is_masked
                FROM reading_items AS item
                WHERE """
        + condition
        + """
                OFFSET 0
            ) AS ranked
            OFFSET 0
        ) AS placed
        WHERE NOT %(behind)s
           OR (-urgency, received_at, study_id) > (-%(urgency)s::float8, %(received)s::timestamptz, %(study_id)s::uuid)
        ORDER BY urgency DESC, received_at, study_id
        LIMIT %(limit)s
        """
    )


def _page(chosen: LiteralString, asked: Conditions) -> LiteralString:
    where, reach = asked.where, asked.reach
    outer = Where(parameters=where.parameters)
    reach.add_to(outer, "study", also_masked=True)
    body = _whole(_priors(where, reach))
    if not reach.sees_sensitive:
        masked = masked_in(where, reach, "study")
        body = "CASE WHEN listed.is_masked OR " + masked + " THEN " + _MASKED + " ELSE " + body + " END"
    return (
        """
        WITH shown AS MATERIALIZED (SELECT set_config('TimeZone', %(zone)s, true)),
        listed AS MATERIALIZED ("""
        + chosen
        + """)
        SELECT ("""
        + body
        + """)::text AS body, item.version, listed.urgency, listed.received_at, listed.study_id
        FROM shown, listed
        JOIN reading_items AS item ON item.study_id = listed.study_id
        JOIN imaging_studies AS study ON study.id = listed.study_id
        JOIN patients AS patient ON patient.id = study.patient_id
        WHERE """
        + outer.condition
        + """
        ORDER BY listed.urgency DESC, listed.received_at, listed.study_id
        """
    )


async def counts(tx: Transaction, *, visible_to: Actor, now: datetime) -> bytes:
    """How many there are in each queue of the left rail, as a JSON object."""
    asked = conditions(Criteria(), visible_to, now=now)
    where, parts = asked.where, list[LiteralString]()
    for name, queue in QUEUES.items():
        if queue.of_closed:
            beside = conditions(Criteria(queue=name), visible_to, now=now, parameters=where.parameters)
            number: LiteralString = "(SELECT count(*) FROM reading_items AS item WHERE " + beside.where.condition + ")"
        else:
            condition = where.expression(queue.condition, **values_in(queue.condition, visible_to, now))
            if queue.is_hidden and not asked.reach.sees_sensitive:
                condition = "NOT " + asked.masked + " AND " + condition
            number = "count(*) FILTER (WHERE " + condition + ")"
        parts.append("'" + name + "', " + number)
    statement: LiteralString = (
        "SELECT json_build_object(" + ", ".join(parts) + ")::text FROM reading_items AS item WHERE " + where.condition
    )
    return await tx.json(statement, **where.parameters)
