"""SQL of visits."""
# ruff: noqa: S608 - every piece is a literal and every value a parameter; the type checker proves it by LiteralString.

from datetime import datetime
from typing import LiteralString
from uuid import UUID

from radiology.access.model import Actor
from radiology.kit.db import Transaction, Where
from radiology.patients.visits import Visit, VisitSaid

_BODY: LiteralString = """json_strip_nulls(json_build_object('id', v.id, 'reference', 'Encounter/' || v.id,
    'version', v.version, 'status', v.status, 'class', v.class, 'number', v.number, 'facilityCode', v.facility_code,
    'ward', nullif(v.ward, ''), 'bed', nullif(v.bed, ''), 'attending', nullif(v.attending, ''),
    'reason', nullif(v.reason, ''), 'beganAt', v.began_at, 'endedAt', v.ended_at))"""


async def insert(
    tx: Transaction, visit_id: UUID, patient_id: UUID, said: VisitSaid, *, facility_code: str, began_at: datetime
) -> None:
    """Add a visit; without a number it gets one. Raises Conflict where its number is another visit's."""
    await tx.run(
        """
        INSERT INTO encounters (id, patient_id, facility_code, number, class, status, ward, bed, attending, reason,
            began_at)
        VALUES (%(id)s, %(patient_id)s, %(facility_code)s,
            coalesce(nullif(%(number)s, ''), 'V' || lpad(nextval('patient_number')::text, 9, '0')), %(class)s,
            'in-progress', %(ward)s, %(bed)s, %(attending)s, %(reason)s, %(began_at)s)
        """,
        id=visit_id,
        patient_id=patient_id,
        facility_code=facility_code,
        number=said.number,
        ward=said.ward,
        bed=said.bed,
        attending=said.attending,
        reason=said.reason,
        began_at=began_at,
        **{"class": said.visit_class},
    )


async def lock(tx: Transaction, visit_id: UUID, patient_id: UUID, *, visible_to: Actor) -> Visit:
    """A visit of a patient at a facility of the reader. Raises NotFound."""
    where = Where()
    visible_to.staff_reach.add_facility(where, "facility_code")
    return await tx.one(
        Visit,
        """
        SELECT id, patient_id, facility_code, number, status, version
        FROM encounters
        WHERE id = %(id)s
          AND patient_id = %(patient_id)s
          AND """
        + where.condition
        + " FOR UPDATE",
        id=visit_id,
        patient_id=patient_id,
        **where.parameters,
    )


async def lock_by_number(tx: Transaction, number: str, *, facility_code: str) -> Visit | None:
    """The visit of a facility that has this number."""
    return await tx.maybe(
        Visit,
        """
        SELECT id, patient_id, facility_code, number, status, version
        FROM encounters
        WHERE number = %(number)s
          AND facility_code = %(facility_code)s
        FOR UPDATE
        """,
        number=number,
        facility_code=facility_code,
    )


async def save(tx: Transaction, visit_id: UUID, said: VisitSaid, *, keeps_what_is_not_said: bool) -> None:
    """What is said of a visit that is locked; its number stays."""
    await tx.run(
        """
        UPDATE encounters
        SET class = %(class)s,
            ward = CASE WHEN %(keeps)s AND %(ward)s = '' THEN ward ELSE %(ward)s END,
            bed = CASE WHEN %(keeps)s AND %(ward)s = '' THEN bed ELSE %(bed)s END,
            attending = CASE WHEN %(keeps)s AND %(attending)s = '' THEN attending ELSE %(attending)s END,
            reason = CASE WHEN %(keeps)s AND %(reason)s = '' THEN reason ELSE %(reason)s END,
            began_at = coalesce(%(began_at)s, began_at),
            version = version + 1,
            updated_at = now()
        WHERE id = %(id)s
        """,
        id=visit_id,
        keeps=keeps_what_is_not_said,
        ward=said.ward,
        bed=said.bed,
        attending=said.attending,
        reason=said.reason,
        began_at=said.began_at,
        **{"class": said.visit_class},
    )


async def save_status(tx: Transaction, visit_id: UUID, *, status: str, ended_at: datetime | None) -> None:
    """A new status of a visit that is locked."""
    await tx.run(
        """
        UPDATE encounters
        SET status = %(status)s,
            ended_at = %(ended_at)s,
            version = version + 1,
            updated_at = now()
        WHERE id = %(id)s
        """,
        id=visit_id,
        status=status,
        ended_at=ended_at,
    )


async def body(tx: Transaction, visit_id: UUID) -> bytes:
    """A visit as JSON."""
    return await tx.json("SELECT " + _BODY + "::text FROM encounters AS v WHERE v.id = %(id)s", id=visit_id)


async def of_patient(tx: Transaction, patient_id: UUID, *, visible_to: Actor, limit: int) -> bytes:
    """The visits of a patient at the facilities of the reader, newest first, as a JSON array."""
    where = Where()
    visible_to.staff_reach.add_facility(where, "v.facility_code")
    return await tx.json(
        """
        SELECT coalesce(json_agg(body ORDER BY began_at DESC, id DESC), '[]')::text
        FROM (
            SELECT v.id, v.began_at, """
        + _BODY
        + """ AS body
            FROM encounters AS v
            WHERE v.patient_id = %(patient_id)s
              AND """
        + where.condition
        + """
            ORDER BY v.began_at DESC, v.id DESC
            LIMIT %(limit)s
        ) AS listed""",
        patient_id=patient_id,
        limit=limit,
        **where.parameters,
    )
