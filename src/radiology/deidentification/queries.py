"""SQL of projects and exports."""
# ruff: noqa: S608 - every piece is a literal and every value a parameter; the type checker proves it by LiteralString.

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, LiteralString
from uuid import UUID

from radiology.access.model import Actor, Permission
from radiology.deidentification.model import Export, Person, Project
from radiology.errors import NotFound
from radiology.kit import jobs, pages
from radiology.kit.db import Transaction, Where, as_json

_PROJECT: LiteralString = """
    SELECT id, name, purpose, profile, options, sealed_key, created_by, approved_by, approved_at, ended_at
    FROM deidentification_projects
    WHERE """
_PROJECT_BODY: LiteralString = """json_build_object(
    'id', p.id, 'name', p.name, 'purpose', p.purpose, 'profile', p.profile, 'options', p.options,
    'createdBy', p.created_by, 'createdAt', p.created_at, 'approvedBy', p.approved_by, 'approvedAt', p.approved_at,
    'endedAt', p.ended_at)"""
_EXPORT_BODY: LiteralString = """json_build_object(
    'id', x.id, 'project', p.name, 'profile', p.profile, 'status', x.status, 'sentence', x.sentence,
    'askedBy', x.asked_by, 'askedAt', x.asked_at, 'changedAt', x.changed_at, 'expiresAt', x.expires_at,
    'sizeBytes', x.size_bytes, 'sha256', x.sha256, 'skipped', x.skipped, 'total', counted.total,
    'remaining', counted.remaining, 'written', counted.written, 'withheld', counted.withheld"""
_EXPORTS: LiteralString = """
    FROM exports x
    JOIN deidentification_projects p ON p.id = x.project_id
    CROSS JOIN LATERAL (
        SELECT count(*) AS total,
            count(*) FILTER (WHERE result = 'remaining') AS remaining,
            count(*) FILTER (WHERE result = 'written') AS written,
            count(*) FILTER (WHERE result = 'withheld') AS withheld
        FROM export_instances
        WHERE export_id = x.id
    ) counted
    WHERE """
_WITHHELD: LiteralString = """, 'withheldInstances', (
        SELECT coalesce(json_agg(json_build_object('studyInstanceUID', i.study_instance_uid,
            'sopInstanceUID', i.sop_instance_uid, 'reason', i.reason) ORDER BY i.place), '[]')
        FROM export_instances i
        WHERE i.export_id = x.id
          AND i.result = 'withheld'
    ))"""


# --- Projects ---------------------------------------------------------------------------------------------------------


async def insert_project(
    tx: Transaction, *, id: UUID, name: str, purpose: str, profile: str, options: Mapping[str, Any],
    sealed_key: bytes, created_by: str,
) -> None:  # fmt: skip
    """A new project. Raises Conflict for a name that is taken."""
    await tx.run(
        """
        INSERT INTO deidentification_projects (id, name, purpose, profile, options, sealed_key, created_by)
        VALUES (%(id)s, %(name)s, %(purpose)s, %(profile)s, %(options)s, %(sealed_key)s, %(created_by)s)
        """,
        id=id,
        name=name,
        purpose=purpose,
        profile=profile,
        options=as_json(options),
        sealed_key=sealed_key,
        created_by=created_by,
    )


async def project(tx: Transaction, name: str) -> Project:
    """A project by its name or id. Raises NotFound."""
    found = await tx.maybe(Project, _PROJECT + "name = %(name)s OR id::text = %(name)s", name=name)
    if found is None:
        raise NotFound("There is no such project.")
    return found


async def lock_project(tx: Transaction, id: UUID) -> Project:
    """A project, locked for a change. Raises NotFound."""
    found = await tx.maybe(Project, _PROJECT + "id = %(id)s FOR UPDATE", id=id)
    if found is None:
        raise NotFound("There is no such project.")
    return found


async def approve_project(tx: Transaction, id: UUID, *, by: str, at: datetime) -> None:
    """It may be used from now on."""
    await tx.run(
        "UPDATE deidentification_projects SET approved_by = %(by)s, approved_at = %(at)s WHERE id = %(id)s",
        id=id,
        by=by,
        at=at,
    )


async def end_project(tx: Transaction, id: UUID, *, at: datetime) -> None:
    """It may not be used any more."""
    await tx.run("UPDATE deidentification_projects SET ended_at = %(at)s WHERE id = %(id)s", id=id, at=at)


async def project_body(tx: Transaction, id: UUID) -> bytes:
    """One project as JSON, without its key. Raises NotFound."""
    statement: LiteralString = "SELECT " + _PROJECT_BODY + "::text FROM deidentification_projects p WHERE p.id = %(id)s"
    found = await tx.value(statement, id=id)
    if found is None:
        raise NotFound("There is no such project.")
    return str(found).encode()


async def projects_body(tx: Transaction) -> bytes:
    """All projects, newest first."""
    return await tx.json(
        "SELECT coalesce(json_agg("
        + _PROJECT_BODY
        + " ORDER BY p.created_at DESC, p.id DESC), '[]')::text FROM deidentification_projects p"
    )


async def save_person(tx: Transaction, project_id: UUID, pseudonym: str, sealed: bytes) -> None:
    """Who a pseudonym is, for who may know it."""
    await tx.run(
        """
        INSERT INTO reidentifications (project_id, pseudonym, sealed)
        VALUES (%(project_id)s, %(pseudonym)s, %(sealed)s)
        ON CONFLICT DO NOTHING
        """,
        project_id=project_id,
        pseudonym=pseudonym,
        sealed=sealed,
    )


async def sealed_person(tx: Transaction, project_id: UUID, pseudonym: str) -> bytes:
    """Who a pseudonym is, sealed. Raises NotFound."""
    found = await tx.value(
        "SELECT sealed FROM reidentifications WHERE project_id = %(project_id)s AND pseudonym = %(pseudonym)s",
        project_id=project_id,
        pseudonym=pseudonym,
    )
    if found is None:
        raise NotFound("No export of this project has this pseudonym.")
    return bytes(found)


# --- What is asked for ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Asked(Person):
    """A study that was asked for, and whether it is marked sensitive."""

    sensitive: bool = False


async def asked_studies(tx: Transaction, study_instance_uids: Sequence[str], *, visible_to: Actor) -> list[Asked]:
    """Those of the studies that the actor may see, with what they say of their patients."""
    where = Where(["s.findable"])
    where.add("s.study_instance_uid = ANY({uids})", uids=list(study_instance_uids))
    visible_to.reach.add_to(where, "s")
    return await tx.all(
        Asked,
        """
        SELECT s.study_instance_uid, s.patient_id::text AS patient, s.patient_birth_date AS birth_date,
            coalesce(s.dicom #>> '{00101010,Value,0}', '') AS age, s.patient_sex AS sex, s.study_date, s.sensitive
        FROM imaging_studies s
        WHERE """
        + where.condition,
        **where.parameters,
    )


async def insert_export(
    tx: Transaction, *, id: UUID, project_id: UUID, asked_by: str, skipped: Sequence[Mapping[str, str]],
    study_instance_uids: Sequence[str], sop_instance_uids: Sequence[str],
) -> None:  # fmt: skip
    """A new export of these instances, queued."""
    await tx.run(
        """
        INSERT INTO exports (id, project_id, asked_by, skipped)
        VALUES (%(id)s, %(project_id)s, %(asked_by)s, %(skipped)s)
        """,
        id=id,
        project_id=project_id,
        asked_by=asked_by,
        skipped=as_json(list(skipped)),
    )
    await tx.run(
        """
        INSERT INTO export_instances (export_id, place, study_instance_uid, sop_instance_uid)
        SELECT %(id)s, place, study, instance
        FROM unnest(%(studies)s::text[], %(instances)s::text[]) WITH ORDINALITY AS asked (study, instance, place)
        """,
        id=id,
        studies=list(study_instance_uids),
        instances=list(sop_instance_uids),
    )


async def save_job(tx: Transaction, id: UUID, job: int) -> None:
    """The job of this number makes it."""
    await tx.run("UPDATE exports SET job = %(job)s WHERE id = %(id)s", id=id, job=job)


# --- The job ----------------------------------------------------------------------------------------------------------


async def lock_export(tx: Transaction, id: UUID) -> Export:
    """An export, locked for a change. Raises NotFound."""
    return await tx.one(
        Export,
        "SELECT id, project_id, status, asked_by FROM exports WHERE id = %(id)s FOR UPDATE",
        id=id,
    )


async def change(tx: Transaction, id: UUID, status: str, sentence: str = "") -> None:
    """How far it has come."""
    await tx.run(
        "UPDATE exports SET status = %(status)s, sentence = %(sentence)s, changed_at = now() WHERE id = %(id)s",
        id=id,
        status=status,
        sentence=sentence,
    )


async def complete(tx: Transaction, id: UUID, *, size_bytes: int, sha256: str, expires_at: datetime) -> None:
    """The file lies there until it expires."""
    await tx.run(
        """
        UPDATE exports
        SET status = 'completed', sentence = '', changed_at = now(), size_bytes = %(size_bytes)s,
            sha256 = %(sha256)s, expires_at = %(expires_at)s
        WHERE id = %(id)s
        """,
        id=id,
        size_bytes=size_bytes,
        sha256=sha256,
        expires_at=expires_at,
    )


@dataclass(frozen=True, slots=True)
class Owed:
    """An instance that has no result yet."""

    place: int
    sop_instance_uid: str


async def owed(tx: Transaction, id: UUID, *, limit: int) -> list[Owed]:
    """The next instances without a result."""
    return await tx.all(
        Owed,
        """
        SELECT place, sop_instance_uid
        FROM export_instances
        WHERE export_id = %(id)s
          AND result = 'remaining'
        ORDER BY place
        LIMIT %(limit)s
        """,
        id=id,
        limit=limit,
    )


async def sensitive_among(tx: Transaction, sop_instance_uids: Sequence[str]) -> set[str]:
    """Those of the instances whose study is marked sensitive by now."""
    found = await tx.values(
        """
        SELECT i.sop_instance_uid
        FROM instances i
        JOIN imaging_studies s ON s.id = i.study_id
        WHERE i.sop_instance_uid = ANY(%(uids)s)
          AND s.sensitive
        """,
        uids=list(sop_instance_uids),
    )
    return set(found)


async def note_written(tx: Transaction, id: UUID, place: int, written: Mapping[str, Any], sealed: bytes) -> None:
    """An instance was written."""
    await tx.run(
        """
        UPDATE export_instances
        SET result = 'written', written = %(written)s, sealed = %(sealed)s
        WHERE export_id = %(id)s
          AND place = %(place)s
        """,
        id=id,
        place=place,
        written=as_json(written),
        sealed=sealed,
    )


async def note_withheld(tx: Transaction, id: UUID, place: int, reason: str) -> None:
    """An instance is not passed on."""
    await tx.run(
        """
        UPDATE export_instances
        SET result = 'withheld', reason = %(reason)s
        WHERE export_id = %(id)s
          AND place = %(place)s
        """,
        id=id,
        place=place,
        reason=reason,
    )


async def written(tx: Transaction, id: UUID) -> list[Mapping[str, Any]]:
    """The lines of the manifest."""
    return await tx.values(
        "SELECT written FROM export_instances WHERE export_id = %(id)s AND result = 'written' ORDER BY place", id=id
    )


@dataclass(frozen=True, slots=True)
class Reason:
    """Why so many instances were withheld."""

    reason: str
    instances: int


async def reasons(tx: Transaction, id: UUID) -> list[Reason]:
    """Why instances were withheld, without saying which."""
    return await tx.all(
        Reason,
        """
        SELECT reason, count(*) AS instances
        FROM export_instances
        WHERE export_id = %(id)s
          AND result = 'withheld'
        GROUP BY reason
        ORDER BY reason
        """,
        id=id,
    )


async def sealed_of(tx: Transaction, id: UUID) -> list[bytes]:
    """What was replaced in each instance, sealed."""
    found = await tx.values(
        "SELECT sealed FROM export_instances WHERE export_id = %(id)s AND result = 'written' ORDER BY place", id=id
    )
    return [bytes(each) for each in found]


# --- Upkeep -----------------------------------------------------------------------------------------------------------


async def abandoned(tx: Transaction) -> list[UUID]:
    """Exports under way that no job makes any more."""
    statement: LiteralString = (
        "SELECT id FROM exports WHERE status IN ('queued', 'running') AND NOT "
        + jobs.is_live("exports.job")
        + " AND NOT "
        + jobs.has_failed("exports.job")
        + " ORDER BY asked_at LIMIT 100 FOR UPDATE SKIP LOCKED"
    )
    return await tx.values(statement)


async def given_up(tx: Transaction) -> list[UUID]:
    """Exports under way whose job was left as failed."""
    statement: LiteralString = (
        "SELECT id FROM exports WHERE status IN ('queued', 'running') AND "
        + jobs.has_failed("exports.job")
        + " ORDER BY asked_at LIMIT 100"
    )
    return await tx.values(statement)


async def expired(tx: Transaction, *, now: datetime) -> list[UUID]:
    """Exports whose file may go."""
    return await tx.values(
        """
        SELECT id
        FROM exports
        WHERE status = 'completed'
          AND expires_at <= %(now)s
        ORDER BY asked_at
        LIMIT 100
        FOR UPDATE SKIP LOCKED
        """,
        now=now,
    )


# --- Shown ------------------------------------------------------------------------------------------------------------


async def export_body(tx: Transaction, id: UUID, *, visible_to: Actor) -> bytes:
    """One export with the instances that were withheld, as JSON. Raises NotFound."""
    where = _visible(visible_to)
    where.add("x.id = {id}", id=id)
    statement: LiteralString = "SELECT (" + _EXPORT_BODY + _WITHHELD + ")::text" + _EXPORTS
    found = await tx.value(statement + where.condition, **where.parameters)
    if found is None:
        raise NotFound("There is no such export.")
    return str(found).encode()


async def page_of(tx: Transaction, *, limit: int, cursor: str | None, visible_to: Actor) -> tuple[bytes, str | None]:
    """Exports, newest first, and the cursor of the page behind."""
    where = _visible(visible_to)
    if cursor is not None:
        moment, before = pages.read_cursor(cursor)
        where.add("(x.asked_at, x.id) < ({moment}, {before})", moment=moment, before=before)
    rows = await tx.values(
        "SELECT json_build_array("
        + _EXPORT_BODY
        + "), x.asked_at AT TIME ZONE 'UTC', x.id)::text"
        + _EXPORTS
        + where.condition
        + " ORDER BY x.asked_at DESC, x.id DESC LIMIT %(rows)s",
        rows=limit + 1,
        **where.parameters,
    )
    return pages.page(rows, limit=limit)


def _visible(actor: Actor) -> Where:
    """The exports of who asks; all of them for who watches over privacy."""
    where = Where(["true"])
    if not actor.may(Permission.PRIVACY):
        where.add("x.asked_by = {asker}", asker=actor.id)
    return where
