"""SQL of break-glass. Moments are the database's, since it is the database that lets a relation end."""
# ruff: noqa: S608 - every piece is a literal and every value a parameter; the type checker proves it by LiteralString.

from dataclasses import dataclass
from datetime import timedelta
from typing import LiteralString
from uuid import UUID

from radiology.access.model import Actor, Role
from radiology.kit.db import Transaction, Where
from radiology.kit.ids import uuid7, uuid_of
from radiology.standards.dicom.uids import is_valid_uid

_BODY: LiteralString = """json_build_object('id', u.id, 'actor', u.actor, 'display', u.display,
        'patient', p.reference, 'reasonCode', u.reason_code, 'text', u.reason_text, 'beginsAt', u.begins_at,
        'endsAt', coalesce(u.ended_at, u.ends_at), 'reviewDueAt', u.review_due_at,
        'overdue', u.outcome IS NULL AND u.review_due_at < now(), 'outcome', u.outcome, 'note', u.note,
        'reviewedBy', u.reviewed_by, 'reviewedAt', u.reviewed_at)"""


@dataclass(frozen=True, slots=True)
class Target:
    """The patient whose record is to be opened. `closed`: what was named is forensic, all of it."""

    patient_id: UUID
    reference: str
    closed: bool


@dataclass(frozen=True, slots=True)
class Use:
    """One use, locked for a change."""

    id: UUID
    relation_id: UUID
    actor: str
    facility_code: str | None
    is_running: bool
    outcome: str | None


async def find_target(tx: Transaction, actor: Actor, *, patient: str | None, study: str | None) -> Target | None:
    """The patient of a study, or of a reference, with studies at the facilities of the actor."""
    where = Where(["s.status <> 'entered-in-error'"])
    actor.staff_reach.add_facility(where, "s.facility_code")
    if study is not None:
        where.add(
            "(s.id = {id} OR s.study_id = {name} OR s.study_instance_uid = {uid})",
            id=uuid_of(study),
            name=study[:50],
            uid=study if is_valid_uid(study) else "",
        )
    if patient is not None:
        number = patient.removeprefix("Patient/")
        where.add("(p.reference = {reference} OR p.id = {id})", reference=f"Patient/{number}", id=uuid_of(number))
    statement: LiteralString = (
        """
        SELECT p.id AS patient_id, p.reference,
            bool_or(s.sensitive) AND bool_and(NOT s.sensitive OR s.sensitive_classes @> ARRAY['S4']) AS closed
        FROM imaging_studies AS s
        JOIN patients AS p ON p.id = s.patient_id
        WHERE """
        + where.condition
        + " GROUP BY p.id, p.reference LIMIT 1"
    )
    return await tx.maybe(Target, statement, **where.parameters)


async def is_own_or_family(tx: Transaction, actor: Actor, target: Target) -> bool:
    """Whether the patient is the actor, or one of those whom the registry names as family."""
    return await tx.value(
        """
        SELECT EXISTS (
            SELECT FROM practitioners
            WHERE reference = %(practitioner)s AND patient_references @> ARRAY[%(patient)s::text]
        ) OR EXISTS (
            SELECT FROM care_relations
            WHERE actor = %(actor)s AND patient_id = %(patient_id)s AND kind = 'self'
        )
        """,
        practitioner=actor.practitioner_reference,
        patient=target.reference,
        actor=actor.id,
        patient_id=target.patient_id,
    )


async def lock_actor(tx: Transaction, actor: Actor) -> None:
    """Let one use of somebody begin after the other."""
    await tx.run("SELECT pg_advisory_xact_lock(hashtext(%(name)s))", name=f"break-glass {actor.id}")


async def is_running(tx: Transaction, actor: Actor, patient_id: UUID) -> bool:
    """Whether the record is open to the actor already."""
    return await tx.value(
        """
        SELECT EXISTS (
            SELECT FROM break_glass_uses
            WHERE actor = %(actor)s AND patient_id = %(patient_id)s AND ended_at IS NULL AND ends_at > now()
        )
        """,
        actor=actor.id,
        patient_id=patient_id,
    )


async def begin(
    tx: Transaction, actor: Actor, patient_id: UUID, *, reason_code: str, text: str, lasts: timedelta, review: timedelta
) -> UUID:
    """Open the record: the relation that `access` asks for, and the use that is answered for. Returns the use."""
    use_id, relation_id = uuid7(), uuid7()
    await tx.run(
        """
        INSERT INTO care_relations (id, actor, kind, patient_id, begins_at, ends_at, source, made_by)
        VALUES (%(id)s, %(actor)s, 'break-glass', %(patient_id)s, now(), now() + %(lasts)s, 'break-glass', %(actor)s)
        """,
        id=relation_id,
        actor=actor.id,
        patient_id=patient_id,
        lasts=lasts,
    )
    await tx.run(
        """
        INSERT INTO break_glass_uses (id, relation_id, actor, display, patient_id, facility_code, reason_code,
            reason_text, begins_at, ends_at, review_due_at)
        VALUES (%(id)s, %(relation_id)s, %(actor)s, %(display)s, %(patient_id)s, %(facility_code)s, %(reason_code)s,
            %(text)s, now(), now() + %(lasts)s, now() + %(review)s)
        """,
        id=use_id,
        relation_id=relation_id,
        actor=actor.id,
        display=actor.display,
        patient_id=patient_id,
        facility_code=actor.facility_code,
        reason_code=reason_code,
        text=text,
        lasts=lasts,
        review=review,
    )
    return use_id


async def uses_of_week(tx: Transaction, actor: Actor) -> int:
    """How often somebody broke the glass within seven days."""
    return await tx.value(
        """
        SELECT count(*)
        FROM break_glass_uses
        WHERE actor = %(actor)s
          AND begins_at > now() - interval '7 days'
        """,
        actor=actor.id,
    )


async def treating_consultants(tx: Transaction, patient_id: UUID) -> list[str]:
    """The consultants who treat a patient."""
    return await tx.values(
        """
        SELECT DISTINCT r.actor
        FROM care_relations AS r
        JOIN accounts AS a ON 'account:' || a.name = r.actor
        WHERE r.patient_id = %(patient_id)s
          AND r.kind NOT IN ('break-glass', 'self')
          AND r.ended_at IS NULL
          AND r.ends_at > now()
          AND a.role = %(role)s
          AND a.disabled_at IS NULL
        """,
        patient_id=patient_id,
        role=Role.CONSULTANT,
    )


async def lock_use(tx: Transaction, use_id: UUID) -> Use | None:
    """A use, locked for a change."""
    return await tx.maybe(
        Use,
        """
        SELECT id, relation_id, actor, facility_code, ended_at IS NULL AND ends_at > now() AS is_running, outcome
        FROM break_glass_uses
        WHERE id = %(use_id)s
        FOR UPDATE
        """,
        use_id=use_id,
    )


async def end(tx: Transaction, use: Use) -> None:
    """Close the record before its time."""
    await tx.run("UPDATE care_relations SET ended_at = now() WHERE id = %(id)s", id=use.relation_id)
    await tx.run("UPDATE break_glass_uses SET ended_at = now(), stop_told_at = now() WHERE id = %(id)s", id=use.id)


async def lock_run_out(tx: Transaction) -> list[Use]:
    """Uses whose time is over and of which nobody was told yet; they count as told."""
    return await tx.all(
        Use,
        """
        UPDATE break_glass_uses
        SET stop_told_at = now()
        WHERE stop_told_at IS NULL
          AND ends_at <= now()
        RETURNING id, relation_id, actor, facility_code, false AS is_running, outcome
        """,
    )


async def lock_overdue(tx: Transaction) -> list[Use]:
    """Uses that were not reviewed in time and of which nobody was told yet; they count as told."""
    return await tx.all(
        Use,
        """
        UPDATE break_glass_uses
        SET overdue_told_at = now()
        WHERE outcome IS NULL
          AND overdue_told_at IS NULL
          AND review_due_at <= now()
        RETURNING id, relation_id, actor, facility_code, false AS is_running, outcome
        """,
    )


async def save_review(tx: Transaction, use_id: UUID, *, outcome: str, note: str, actor: str) -> None:
    """What the review of a use found."""
    await tx.run(
        """
        UPDATE break_glass_uses
        SET outcome = %(outcome)s, note = %(note)s, reviewed_by = %(actor)s, reviewed_at = now()
        WHERE id = %(use_id)s
        """,
        use_id=use_id,
        outcome=outcome,
        note=note,
        actor=actor,
    )


async def use_body(tx: Transaction, use_id: UUID) -> bytes:
    """One use as JSON."""
    return await tx.json(
        "SELECT "
        + _BODY
        + """::text FROM break_glass_uses AS u JOIN patients AS p ON p.id = u.patient_id WHERE u.id = %(use_id)s""",
        use_id=use_id,
    )


async def running_of(tx: Transaction, actor: Actor) -> bytes:
    """What is open to somebody by break-glass now, as a JSON array."""
    return await tx.json(
        "SELECT coalesce(json_agg("
        + _BODY
        + """ ORDER BY u.ends_at), '[]')::text
        FROM break_glass_uses AS u
        JOIN patients AS p ON p.id = u.patient_id
        WHERE u.actor = %(actor)s AND u.ended_at IS NULL AND u.ends_at > now()
        """,
        actor=actor.id,
    )


async def reviews(tx: Transaction, actor: Actor, *, limit: int) -> bytes:
    """Uses at the facilities of a privacy officer, those first that wait for a review, as a JSON array."""
    where = Where()
    actor.staff_reach.add_facility(where, "u.facility_code")
    return await tx.json(
        "SELECT coalesce(json_agg(body), '[]')::text FROM (SELECT "
        + _BODY
        + """ AS body
            FROM break_glass_uses AS u
            JOIN patients AS p ON p.id = u.patient_id
            WHERE """
        + where.condition
        + """
            ORDER BY (u.outcome IS NULL) DESC, u.review_due_at, u.id
            LIMIT %(limit)s
        ) AS page""",
        limit=limit,
        **where.parameters,
    )
