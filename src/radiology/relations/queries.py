"""SQL of care relations. Moments are the database's, since it is the database that lets a relation end."""
# ruff: noqa: S608 - every piece is a literal and every value a parameter; the type checker proves it by LiteralString.

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import LiteralString
from uuid import UUID

from radiology.access.model import Actor
from radiology.kit.db import Transaction, Where
from radiology.kit.ids import uuid_of

_BODY: LiteralString = """json_build_object('id', r.id, 'actor', r.actor, 'kind', r.kind,
        'studyInstanceUID', r.study_instance_uid, 'facilityCode', r.facility_code, 'beginsAt', r.begins_at,
        'endsAt', coalesce(r.ended_at, r.ends_at), 'source', r.source, 'madeBy', r.made_by,
        'running', r.ended_at IS NULL AND r.begins_at <= now() AND r.ends_at > now())"""


@dataclass(frozen=True, slots=True)
class Relation:
    """A relation, locked for a change."""

    id: UUID
    kind: str
    actor: str


async def patient_of(tx: Transaction, reference: str, *, visible_to: Actor) -> UUID | None:
    """The patient of `Patient/<id>`, or who survived its merge, with a study at the facilities of the reader."""
    number = reference.removeprefix("Patient/")
    where = Where(["(p.reference = %(reference)s OR p.id = %(id)s)"])
    visible_to.staff_reach.add_facility(where, "s.facility_code")
    return await tx.value(
        """
        SELECT s.patient_id
        FROM patients AS p
        JOIN imaging_studies AS s ON s.patient_id = surviving_patient(p.id)
        WHERE """
        + where.condition
        + " LIMIT 1",
        reference=f"Patient/{number}",
        id=uuid_of(number),
        **where.parameters,
    )


async def treats(tx: Transaction, actor: Actor, patient_id: UUID) -> bool:
    """Whether somebody treats a patient now, other than by break-glass."""
    return await tx.value(
        """
        SELECT EXISTS (
            SELECT FROM care_relations
            WHERE actor = %(actor)s
              AND patient_id = %(patient_id)s
              AND kind NOT IN ('break-glass', 'self')
              AND ended_at IS NULL
              AND begins_at <= now()
              AND ends_at > now()
        )
        """,
        actor=actor.id,
        patient_id=patient_id,
    )


async def has_account(tx: Transaction, actor: str) -> bool:
    """Whether there is such an account, as `account:rahim`."""
    return await tx.value(
        "SELECT EXISTS (SELECT FROM accounts WHERE 'account:' || name = %(actor)s AND disabled_at IS NULL)", actor=actor
    )


async def insert(
    tx: Transaction,
    *,
    id: UUID,
    actor: str,
    kind: str,
    patient_id: UUID,
    facility_code: str | None,
    study_instance_uid: str | None,
    ends_at: datetime,
    source: str,
    made_by: str,
) -> None:
    """A new relation, from now on."""
    await tx.run(
        """
        INSERT INTO care_relations (id, actor, kind, patient_id, facility_code, study_instance_uid, ends_at, source,
            made_by)
        VALUES (%(id)s, %(actor)s, %(kind)s, %(patient_id)s, %(facility_code)s, %(study_instance_uid)s, %(ends_at)s,
            %(source)s, %(made_by)s)
        """,
        id=id,
        actor=actor,
        kind=kind,
        patient_id=patient_id,
        facility_code=facility_code,
        study_instance_uid=study_instance_uid,
        ends_at=ends_at,
        source=source,
        made_by=made_by,
    )


async def note(
    tx: Transaction, *, id: UUID, actor: str, kind: str, study_id: UUID, lasts: timedelta, source: str, made_by: str
) -> None:
    """Somebody does something with a study: the relation to it that runs is made longer, or a new one begins."""
    parameters = {"actor": actor, "kind": kind, "study_id": study_id, "lasts": lasts, "source": source}
    longer = await tx.run(
        """
        UPDATE care_relations AS r
        SET ends_at = greatest(r.ends_at, now() + %(lasts)s)
        FROM imaging_studies AS s
        WHERE s.id = %(study_id)s
          AND r.patient_id = s.patient_id
          AND r.study_instance_uid = s.study_instance_uid
          AND r.actor = %(actor)s
          AND r.kind = %(kind)s
          AND r.source = %(source)s
          AND r.ended_at IS NULL
          AND r.ends_at > now()
        """,
        **parameters,
    )
    if longer:
        return
    await tx.run(
        """
        INSERT INTO care_relations (id, actor, kind, patient_id, study_instance_uid, ends_at, source, made_by)
        SELECT %(id)s, %(actor)s, %(kind)s, patient_id, study_instance_uid, now() + %(lasts)s, %(source)s, %(made_by)s
        FROM imaging_studies
        WHERE id = %(study_id)s
        """,
        id=id,
        made_by=made_by,
        **parameters,
    )


async def people_of(tx: Transaction, study_id: UUID) -> list[tuple[str, str]]:
    """The accounts of those whom a study names as referrer, performer or interpreter, with the kind of each."""
    rows = await tx.values(
        """
        SELECT ARRAY[kind, 'account:' || a.name]
        FROM imaging_studies AS s
        CROSS JOIN LATERAL (
            SELECT 'orderer' AS kind, s.referrer->>'reference' AS reference
            UNION ALL SELECT 'performer', unnest(s.performers)
            UNION ALL SELECT 'reader', unnest(s.interpreters)
        ) AS named
        JOIN accounts AS a ON a.practitioner_reference = named.reference AND a.disabled_at IS NULL
        WHERE s.id = %(study_id)s
        """,
        study_id=study_id,
    )
    return [(kind, actor) for kind, actor in rows]


async def lock(tx: Transaction, relation_id: UUID, patient_id: UUID) -> Relation | None:
    """A relation of a patient that has not ended, locked for a change."""
    return await tx.maybe(
        Relation,
        """
        SELECT id, kind, actor
        FROM care_relations
        WHERE id = %(relation_id)s
          AND patient_id = %(patient_id)s
          AND ended_at IS NULL
        FOR UPDATE
        """,
        relation_id=relation_id,
        patient_id=patient_id,
    )


async def end(tx: Transaction, relation_id: UUID) -> None:
    """End a relation before its time."""
    await tx.run("UPDATE care_relations SET ended_at = now() WHERE id = %(relation_id)s", relation_id=relation_id)


async def relations_of(tx: Transaction, patient_id: UUID) -> bytes:
    """Every relation to a patient, the newest first, as a JSON array."""
    return await tx.json(
        "SELECT coalesce(json_agg("
        + _BODY
        + """ ORDER BY r.begins_at DESC, r.id DESC), '[]')::text
        FROM care_relations AS r
        WHERE r.patient_id = %(patient_id)s
        """,
        patient_id=patient_id,
    )


async def relation_body(tx: Transaction, relation_id: UUID) -> bytes:
    """One relation as JSON."""
    return await tx.json(
        "SELECT " + _BODY + "::text FROM care_relations AS r WHERE r.id = %(relation_id)s", relation_id=relation_id
    )
