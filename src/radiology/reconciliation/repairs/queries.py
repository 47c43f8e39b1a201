"""SQL of repairs and of the rows that they changed."""
# ruff: noqa: S608 - every piece is a literal and every value a parameter; the type checker proves it by LiteralString.

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, LiteralString
from uuid import UUID

from radiology.access.model import Actor
from radiology.errors import NotFound
from radiology.kit import pages
from radiology.kit.db import Transaction, Where, as_json
from radiology.reconciliation.repairs.model import Asked, Blocking, Repair
from radiology.reconciliation.repairs.relations import REJECTIONS, RELATIONS, Relation

_BODY: LiteralString = """json_strip_nulls(json_build_object(
        'id', repair.id, 'kind', repair.kind, 'version', repair.version, 'facilityCode', repair.facility_code,
        'studyInstanceUIDs', repair.study_instance_uids, 'reason', repair.reason, 'actor', repair.actor,
        'madeAt', repair.made_at, 'detail', repair.detail,
        'undone', CASE WHEN repair.undone_at IS NOT NULL THEN json_build_object(
            'at', repair.undone_at, 'by', repair.undone_by, 'reason', repair.undo_reason) END
    ))"""
_ROWS: LiteralString = """(
        SELECT coalesce(json_agg(json_build_object('relation', changed.relation, 'id', changed.row_id,
            'before', changed.before - 'attributes', 'after', changed.after - 'attributes')
            ORDER BY changed.relation, changed.row_id), '[]')
        FROM repair_rows AS changed
        WHERE changed.repair_id = repair.id
          AND changed.before IS NOT NULL
    )"""


@dataclass(frozen=True, slots=True)
class Before:
    """A repair that was asked for with the same idempotency key."""

    id: UUID
    request_sha256: bytes


async def insert(tx: Transaction, repair: Repair, asked: Asked, *, actor: str, at: datetime) -> None:
    """A repair begins."""
    await tx.run(
        """
        INSERT INTO repairs (id, kind, facility_code, study_instance_uids, reason, actor, idempotency_key,
            request_sha256, made_at)
        VALUES (%(id)s, %(kind)s, %(facility_code)s, %(uids)s, %(reason)s, %(actor)s, %(key)s, %(digest)s, %(at)s)
        """,
        id=repair.id,
        kind=repair.kind,
        facility_code=repair.facility_code,
        uids=repair.study_instance_uids,
        reason=asked.reason,
        actor=actor,
        key=asked.key,
        digest=asked.digest,
        at=at,
    )


async def with_key(tx: Transaction, actor: str, key: str) -> Before | None:
    """The repair that this actor asked for with this key; nobody else asks with it until the transaction ends."""
    await tx.run("SELECT pg_advisory_xact_lock(hashtextextended(%(name)s, 0))", name=f"repair {actor} {key}")
    return await tx.maybe(
        Before,
        "SELECT id, request_sha256 FROM repairs WHERE actor = %(actor)s AND idempotency_key = %(key)s",
        actor=actor,
        key=key,
    )


async def keep(tx: Transaction, repair_id: UUID, relation: Relation, ids: Sequence[Any]) -> None:
    """Keep rows as they are now, before they are changed."""
    await tx.run(relation.keep, repair_id=repair_id, ids=list(ids))


async def note_made(tx: Transaction, repair_id: UUID, relation: Relation, ids: Sequence[Any]) -> None:
    """Keep that a repair made these rows."""
    await tx.run(relation.made, repair_id=repair_id, ids=list(ids))


async def note_rejection(tx: Transaction, repair_id: UUID, rejection_id: UUID) -> None:
    """Keep that a repair rejected instances."""
    await tx.run(
        """
        INSERT INTO repair_rows (repair_id, relation, row_id, after)
        VALUES (%(repair_id)s, %(relation)s, %(row_id)s, '{}')
        """,
        repair_id=repair_id,
        relation=REJECTIONS,
        row_id=str(rejection_id),
    )


async def finish(tx: Transaction, repair_id: UUID, *, study_instance_uids: Sequence[str], detail: Any) -> int:
    """Keep the rows as they are after the repair: of each what changed. Returns how many rows it changed or made."""
    for relation in await _relations(tx, repair_id):
        await tx.run(relation.note_after, repair_id=repair_id)
    await tx.run(
        """
        UPDATE repair_rows AS kept
        SET before = changed.before,
            after = changed.after
        FROM (
            SELECT rows.relation, rows.row_id,
                coalesce(jsonb_object_agg(was.key, was.value) FILTER (WHERE was.key IS NOT NULL), '{}') AS before,
                coalesce(jsonb_object_agg(was.key, rows.after->was.key) FILTER (WHERE was.key IS NOT NULL), '{}')
                    AS after
            FROM repair_rows AS rows
            LEFT JOIN LATERAL jsonb_each(rows.before) AS was ON rows.after->was.key IS DISTINCT FROM was.value
            WHERE rows.repair_id = %(repair_id)s
              AND rows.before IS NOT NULL
            GROUP BY rows.relation, rows.row_id
        ) AS changed
        WHERE kept.repair_id = %(repair_id)s
          AND (kept.relation, kept.row_id) = (changed.relation, changed.row_id)
        """,
        repair_id=repair_id,
    )
    await tx.run("DELETE FROM repair_rows WHERE repair_id = %(repair_id)s AND before = '{}'", repair_id=repair_id)
    await tx.run(
        "UPDATE repairs SET study_instance_uids = %(uids)s, detail = %(detail)s WHERE id = %(repair_id)s",
        repair_id=repair_id,
        uids=list(study_instance_uids),
        detail=as_json(detail),
    )
    return await tx.value("SELECT count(*) FROM repair_rows WHERE repair_id = %(repair_id)s", repair_id=repair_id)


async def lock_repair(tx: Transaction, repair_id: UUID, *, visible_to: Actor) -> tuple[Repair, int]:
    """A repair and its version, kept from all others until the transaction ends. Raises NotFound."""
    where = _visible(visible_to)
    where.add("repair.id = {id}", id=repair_id)
    found = await tx.value(
        """
        SELECT json_build_object('id', repair.id, 'kind', repair.kind, 'facility_code', repair.facility_code,
            'study_instance_uids', repair.study_instance_uids, 'is_undone', repair.undone_at IS NOT NULL,
            'version', repair.version)
        FROM repairs AS repair
        WHERE """
        + where.condition
        + " FOR UPDATE OF repair",
        **where.parameters,
    )
    if found is None:
        raise NotFound("There is no such repair.")
    version = found.pop("version")
    return Repair(**found), version


async def blocking(tx: Transaction, repair_id: UUID) -> Blocking | None:
    """The newest later repair of the same rows that stands."""
    return await tx.maybe(
        Blocking,
        """
        SELECT later.id, later.kind, to_char(later.made_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI "UTC"') AS made_at,
            later.actor
        FROM repair_rows AS mine
        JOIN repair_rows AS others ON (others.relation, others.row_id) = (mine.relation, mine.row_id)
        JOIN repairs AS later ON later.id = others.repair_id
        JOIN repairs AS this ON this.id = mine.repair_id
        WHERE mine.repair_id = %(repair_id)s
          AND later.undone_at IS NULL
          AND later.id > this.id
        ORDER BY later.id DESC
        LIMIT 1
        """,
        repair_id=repair_id,
    )


async def changed_since(tx: Transaction, repair_id: UUID) -> list[str]:
    """What is not as the repair left it, changed by something that was no repair."""
    found: list[str] = []
    for relation in await _relations(tx, repair_id):
        columns: list[str] = await tx.values(relation.changed_since, repair_id=repair_id)
        found += [f"{column} of {relation.name}" for column in columns]
    return sorted(found)


@dataclass(frozen=True, slots=True)
class Since:
    """What happened to what a repair made: images and reports that came to its study, copies that are gone from it.

    used: whether its study was printed or sent by hand, so that its row stays.
    """

    instances: int
    reports: int
    gone: int
    used: bool


async def what_came_since(tx: Transaction, repair_id: UUID) -> Since:
    """What happened to the rows that a repair made."""
    return await tx.one(
        Since,
        """
        WITH made AS (
            SELECT row_id::uuid AS id
            FROM repair_rows
            WHERE repair_id = %(repair_id)s
              AND relation = 'imaging_studies'
              AND before IS NULL
        ), copied AS (
            SELECT rows.row_id AS uid, present.sop_instance_uid IS NULL AS is_gone
            FROM repair_rows AS rows
            LEFT JOIN instances AS present ON present.sop_instance_uid = rows.row_id
            WHERE rows.repair_id = %(repair_id)s
              AND rows.relation = 'instances'
              AND rows.before IS NULL
        )
        SELECT (
            SELECT count(*) FROM instances
            WHERE study_id IN (SELECT id FROM made) AND sop_instance_uid NOT IN (SELECT uid FROM copied)
        ) AS instances, (
            SELECT count(*) FROM radiology_reports WHERE study_id IN (SELECT id FROM made)
        ) AS reports, (
            SELECT count(*) FROM copied WHERE is_gone
        ) AS gone, (
            EXISTS (SELECT FROM film_orders WHERE study_id IN (SELECT id FROM made))
            OR EXISTS (SELECT FROM moves WHERE study_id IN (SELECT id FROM made))
        ) AS used
        """,
        repair_id=repair_id,
    )


async def leave_made_study(tx: Transaction, repair_id: UUID) -> None:
    """A study that a repair made and that was printed or sent stays as a row that is entered in error."""
    await tx.run(
        """
        WITH left_behind AS (
            DELETE FROM repair_rows
            WHERE repair_id = %(repair_id)s AND relation = 'imaging_studies' AND before IS NULL
            RETURNING row_id::uuid AS id
        )
        UPDATE imaging_studies
        SET status = 'entered-in-error', version = version + 1, updated_at = now()
        FROM left_behind
        WHERE imaging_studies.id = left_behind.id
        """,
        repair_id=repair_id,
    )


async def give_back(tx: Transaction, repair_id: UUID) -> None:
    """Give all rows back what they had before, and remove those that the repair made."""
    relations = await _relations(tx, repair_id)
    for relation in relations:
        await tx.run(relation.forget_made, repair_id=repair_id)
    for relation in relations:
        await tx.run(relation.give_back, repair_id=repair_id)


async def rejections_of(tx: Transaction, repair_id: UUID) -> list[UUID]:
    """The rejections that a repair made."""
    return await tx.values(
        "SELECT row_id::uuid FROM repair_rows WHERE repair_id = %(repair_id)s AND relation = %(relation)s",
        repair_id=repair_id,
        relation=REJECTIONS,
    )


async def rows_of(tx: Transaction, repair_id: UUID, relation: Relation) -> list[dict[str, Any]]:
    """The rows of a relation that a repair changed, each with id, before and after."""
    return await tx.values(
        """
        SELECT json_build_object('id', row_id, 'before', before, 'after', after)
        FROM repair_rows
        WHERE repair_id = %(repair_id)s
          AND relation = %(relation)s
          AND before IS NOT NULL
        ORDER BY row_id
        """,
        repair_id=repair_id,
        relation=relation.name,
    )


async def save_undone(tx: Transaction, repair_id: UUID, *, actor: str, reason: str, at: datetime) -> None:
    """A repair stands no more."""
    await tx.run(
        """
        UPDATE repairs
        SET undone_at = %(at)s, undone_by = %(actor)s, undo_reason = %(reason)s, version = version + 1
        WHERE id = %(repair_id)s
        """,
        repair_id=repair_id,
        actor=actor,
        reason=reason,
        at=at,
    )


async def body(tx: Transaction, repair_id: UUID, *, zone: str) -> bytes:
    """A repair that was made or locked, with the rows that it changed, as JSON."""
    await tx.run("SELECT set_config('TimeZone', %(zone)s, true)", zone=zone)
    return await tx.json(
        "SELECT (" + _BODY + "::jsonb || jsonb_build_object('rows', " + _ROWS + "))::text"
        " FROM repairs AS repair WHERE repair.id = %(repair_id)s",
        repair_id=repair_id,
    )


async def must_be_visible(tx: Transaction, repair_id: UUID, *, visible_to: Actor) -> None:
    """Raises NotFound."""
    where = _visible(visible_to)
    where.add("repair.id = {id}", id=repair_id)
    if not await tx.value("SELECT true FROM repairs AS repair WHERE " + where.condition, **where.parameters):
        raise NotFound("There is no such repair.")


async def listed(
    tx: Transaction,
    *,
    visible_to: Actor,
    study_instance_uid: str | None,
    kind: str | None,
    after: tuple[datetime, UUID] | None,
    limit: int,
    zone: str,
) -> tuple[bytes, str | None]:
    """One page of repairs as a JSON array, the newest first, and the cursor of the page behind it."""
    where = _visible(visible_to)
    if study_instance_uid is not None:
        where.add("repair.study_instance_uids @> ARRAY[{uid}::text]", uid=study_instance_uid)
    if kind is not None:
        where.add("repair.kind = {kind}", kind=kind)
    if after is not None:
        where.add("(repair.made_at, repair.id) < ({moment}, {id})", moment=after[0], id=after[1])
    await tx.run("SELECT set_config('TimeZone', %(zone)s, true)", zone=zone)
    rows = await tx.values(
        "SELECT json_build_array("
        + _BODY
        + ", repair.made_at AT TIME ZONE 'UTC', repair.id)::text FROM repairs AS repair WHERE "
        + where.condition
        + " ORDER BY repair.made_at DESC, repair.id DESC LIMIT %(limit)s",
        limit=limit + 1,
        **where.parameters,
    )
    return pages.page(rows, limit=limit)


async def _relations(tx: Transaction, repair_id: UUID) -> list[Relation]:
    names: list[str] = await tx.values(
        "SELECT DISTINCT relation FROM repair_rows WHERE repair_id = %(repair_id)s", repair_id=repair_id
    )
    return [relation for relation in RELATIONS if relation.name in names]


def _visible(visible_to: Actor) -> Where:
    where = Where()
    reach = visible_to.staff_reach
    reach.add_to_row(where, facility="repair.facility_code", uid="ANY(repair.study_instance_uids)")
    return where
