"""SQL of what waits for a person: one statement over the states of studies, quarantine and performed steps."""
# ruff: noqa: S608 - every piece is a literal and every value a parameter; the type checker proves it by LiteralString.

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import LiteralString
from uuid import UUID

from radiology.access.model import Actor, Reach
from radiology.kit.db import Transaction, Where
from radiology.patients.queries.duplicates import UNDECIDED
from radiology.patients.queries.read import add_reach
from radiology.reconciliation.waiting.model import HOURS, QUARANTINED, STAT_HOURS, Kind, Waiting

MOST_COUNTED = 10_000
"""Of more of a kind than this it is only said that there are so many."""
MISSING_AFTER_MINUTES = 15


@dataclass(frozen=True, slots=True)
class Criteria:
    """Which kinds wait at this moment, of which facility and modality; all that are given must hold."""

    kinds: Collection[Kind]
    now: datetime
    facility_code: str | None = None
    modality: str | None = None
    study_instance_uid: str | None = None


_STUDY: LiteralString = """
    SELECT {kind}::text AS kind, study.id, study.facility_code, study.created_at AS since,
        CASE item.priority WHEN 'STAT' THEN 'stat' WHEN 'HIGH' THEN 'urgent' ELSE 'routine' END AS priority,
        study.created_at + make_interval(hours =>
            CASE WHEN item.priority = 'STAT' THEN {stat_hours} ELSE {hours} END) AS due,
        jsonb_build_object('studyInstanceUID', study.study_instance_uid, 'studyId', study.study_id,
            'patientId', study.dicom_patient_id, 'patientName', study.patient_name,
            'accessionNumber', study.accession_number, 'studyDescription', study.study_description,
            'modalities', study.modalities_in_study, 'numberOfInstances', study.number_of_instances,
            'serviceRequest', study.service_request, 'match', study.match, 'flags', study.flags) AS facts
    FROM imaging_studies AS study
    LEFT JOIN LATERAL (
        SELECT scheduled.details->>'priority' AS priority
        FROM scheduled_procedure_steps AS scheduled
        WHERE scheduled.study_instance_uid IN (study.study_instance_uid, study.planned_study_instance_uid)
        ORDER BY scheduled.id
        LIMIT 1
    ) AS item ON true
    WHERE """
_NO_ORDER: LiteralString = """
    SELECT {kind}::text AS kind, study.id, study.facility_code, study.created_at AS since, 'routine' AS priority,
        study.created_at + make_interval(hours => {hours}) AS due,
        jsonb_build_object('studyInstanceUID', study.study_instance_uid, 'studyId', study.study_id,
            'patientId', study.dicom_patient_id, 'patientName', study.patient_name,
            'accessionNumber', study.accession_number, 'studyDescription', study.study_description,
            'modalities', study.modalities_in_study, 'numberOfInstances', study.number_of_instances,
            'match', study.match, 'flags', study.flags) AS facts
    FROM imaging_studies AS study
    WHERE """
_HELD: LiteralString = """
    SELECT {kind}::text AS kind, (array_agg(held.id ORDER BY held.received_at, held.id))[1] AS id, held.facility_code,
        min(held.received_at) AS since, 'routine' AS priority,
        min(held.received_at) + make_interval(hours => {hours}) AS due,
        jsonb_build_object('studyInstanceUID', held.study_instance_uid, 'sourceAETitle', held.source_ae_title,
            'numberOfInstances', count(*), 'detail', min(held.detail)) AS facts
    FROM quarantine AS held
    WHERE held.resolved_at IS NULL AND held.reason = {reason} AND """
_STEP: LiteralString = """
    SELECT {kind}::text AS kind, step.id, step.facility_code, step.received_end_at AS since, 'urgent' AS priority,
        step.received_end_at + make_interval(hours => {hours}) AS due,
        jsonb_build_object('studyInstanceUID', step.study_instance_uids[1], 'sourceAETitle', step.source_ae_title,
            'numberOfInstances', step.number_of_instances, 'numberMissing', step.number_missing) AS facts
    FROM performed_procedure_steps AS step
    WHERE step.number_missing > 0
      AND step.received_end_at < {now} - make_interval(mins => {minutes}) AND """

_DUPLICATE: LiteralString = (
    """
    SELECT {kind}::text AS kind, p.id, p.facility_code, p.created_at AS since,
        'routine' AS priority, p.created_at + make_interval(hours => {hours}) AS due,
        jsonb_build_object('because', min(pair.because), 'patients',
            jsonb_agg(DISTINCT 'Patient/' || older.id) || to_jsonb('Patient/' || p.id)) AS facts"""
    + UNDECIDED
    + " AND "
)
"""One entry for each patient who came later, with all who were there before."""

_CONDITIONS: Mapping[Kind, LiteralString] = {
    Kind.NO_ORDER: "study.match IN ('probable', 'none') AND study.match = 'none'",
    Kind.PROBABLE_MATCH: "study.match IN ('probable', 'none') AND study.match = 'probable'",
    Kind.IDENTITY_REVIEW: "study.flags && '{identity_review,wrong_worklist_entry}'"
    " AND 'identity_review' = ANY(study.flags)",
    Kind.WRONG_WORKLIST_ENTRY: "study.flags && '{identity_review,wrong_worklist_entry}'"
    " AND 'wrong_worklist_entry' = ANY(study.flags)",
}


async def waiting(
    tx: Transaction,
    criteria: Criteria,
    *,
    visible_to: Actor,
    after: tuple[datetime, UUID] | None,
    limit: int,
) -> list[Waiting]:
    """What waits, in the order of when it is due; `limit` and one more where there is one."""
    where = Where()
    limited: list[LiteralString] = []
    for kind in criteria.kinds:
        branch = _branch(where, kind, criteria, visible_to, after)
        limited.append("(" + branch + " ORDER BY due, id LIMIT %(limit)s)")
    return await tx.all(
        Waiting,
        "SELECT kind, id, facility_code, since, due, priority, facts FROM ("
        + " UNION ALL ".join(limited)
        + ") AS waiting ORDER BY due, id LIMIT %(limit)s",
        limit=limit + 1,
        **where.parameters,
    )


async def counts(tx: Transaction, criteria: Criteria, *, visible_to: Actor) -> dict[str, int]:
    """How many wait, by kind, MOST_COUNTED at most."""
    where = Where()
    counted: list[LiteralString] = []
    for kind in criteria.kinds:
        branch = _branch(where, kind, criteria, visible_to, None)
        counted.append("SELECT (SELECT count(*) FROM (" + branch + " LIMIT %(most)s) AS waiting)")
    numbers: list[int] = await tx.value(
        "SELECT ARRAY(" + " UNION ALL ".join(counted) + ")", most=MOST_COUNTED, **where.parameters
    )
    return {kind.value: number for kind, number in zip(criteria.kinds, numbers, strict=True)}


def _branch(
    where: Where,
    kind: Kind,
    criteria: Criteria,
    visible_to: Actor,
    after: tuple[datetime, UUID] | None,
) -> LiteralString:
    """The rows of one kind, behind a place; all branches share the parameters of `where`."""
    own = Where(parameters=where.parameters)
    if kind == Kind.PATIENT_DUPLICATE:
        rows = _duplicate(own, criteria, visible_to)
    else:
        build = _held if kind in QUARANTINED else _step if kind == Kind.INCOMPLETE_TRANSFER else _study
        rows = build(own, kind, criteria, visible_to.staff_reach)
    if after is None:
        return "SELECT * FROM (" + rows + ") AS rows"
    behind = own.expression("(due, id) > ({moment}, {id})", moment=after[0], id=after[1])
    return "SELECT * FROM (" + rows + ") AS rows WHERE " + behind


def _study(own: Where, kind: Kind, criteria: Criteria, reach: Reach) -> LiteralString:
    own.clauses.append("study.number_of_instances > 0 AND study.status <> 'entered-in-error' AND " + _CONDITIONS[kind])
    reach.add_to(own, "study")
    if criteria.facility_code is not None:
        own.add("study.facility_code = {code}", code=criteria.facility_code)
    if criteria.modality is not None:
        own.add("{modality} = ANY(study.modalities_in_study)", modality=criteria.modality)
    if criteria.study_instance_uid is not None:
        own.add("study.study_instance_uid = {uid}", uid=criteria.study_instance_uid)
    if kind == Kind.NO_ORDER:
        return own.expression(_NO_ORDER, kind=kind.value, hours=HOURS[kind]) + own.condition
    head = own.expression(_STUDY, kind=kind.value, hours=HOURS[kind], stat_hours=STAT_HOURS)
    return head + own.condition


def _held(own: Where, kind: Kind, criteria: Criteria, reach: Reach) -> LiteralString:
    reach.add_to_row(own, facility="held.facility_code", uid="held.study_instance_uid")
    _add_row(own, criteria, "held.facility_code", "held.study_instance_uid")
    head = own.expression(_HELD, kind=kind.value, hours=HOURS[kind], reason=QUARANTINED[kind])
    return head + own.condition + " GROUP BY held.study_instance_uid, held.facility_code, held.source_ae_title"


def _step(own: Where, kind: Kind, criteria: Criteria, reach: Reach) -> LiteralString:
    reach.add_to_row(own, facility="step.facility_code", uid="step.study_instance_uids[1]")
    _add_row(own, criteria, "step.facility_code", "step.study_instance_uids[1]")
    head = own.expression(_STEP, kind=kind.value, hours=HOURS[kind], now=criteria.now, minutes=MISSING_AFTER_MINUTES)
    return head + own.condition


def _duplicate(own: Where, criteria: Criteria, visible_to: Actor) -> LiteralString:
    add_reach(own, visible_to)
    add_reach(own, visible_to, "older")
    if criteria.facility_code is not None:
        own.add("p.facility_code = {code}", code=criteria.facility_code)
    if criteria.modality is not None or criteria.study_instance_uid is not None:
        own.clauses.append("FALSE")
    head = own.expression(_DUPLICATE, kind=Kind.PATIENT_DUPLICATE.value, hours=HOURS[Kind.PATIENT_DUPLICATE])
    return head + own.condition + " GROUP BY p.id"


def _add_row(own: Where, criteria: Criteria, facility: LiteralString, uid: LiteralString) -> None:
    if criteria.facility_code is not None:
        own.add(facility + " = {code}", code=criteria.facility_code)
    if criteria.study_instance_uid is not None:
        own.add(uid + " = {uid}", uid=criteria.study_instance_uid)
    if criteria.modality is not None:
        own.clauses.append("FALSE")
