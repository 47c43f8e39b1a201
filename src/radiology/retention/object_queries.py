"""SQL of the verification of objects, of what was found damaged, and of its repair."""
# ruff: noqa: S608 - every piece is a literal and every value a parameter; the type checker proves it by LiteralString.

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, LiteralString
from uuid import UUID

from radiology.access.model import Actor
from radiology.errors import NotFound
from radiology.kit import pages
from radiology.kit.db import Transaction, Where
from radiology.studies.integrity import StoredBytes
from radiology.studies.receive import Arrival

_OBJECT: LiteralString = """object_key, size_bytes, data_set_offset, coalesce(object_sha256, data_set_sha256) AS sha256,
        transfer_syntax_uid"""


_EACH_ONCE: LiteralString = (
    "SELECT DISTINCT ON (object_key) object_key, size_bytes, data_set_offset, sha256, transfer_syntax_uid FROM "
)


@dataclass(frozen=True, slots=True)
class Pass:
    """One way through all objects, in the order of their keys."""

    id: UUID
    began_at: datetime
    last_key: str


async def open_pass(tx: Transaction) -> Pass | None:
    """The pass that is not at its end."""
    return await tx.maybe(
        Pass,
        """
        SELECT id, began_at, last_key
        FROM verification_passes
        WHERE ended_at IS NULL
        ORDER BY began_at DESC
        LIMIT 1
        """,
    )


async def last_began(tx: Transaction) -> datetime | None:
    """When the newest pass began."""
    return await tx.value("SELECT max(began_at) FROM verification_passes")


async def begin_pass(tx: Transaction, id: UUID, *, at: datetime) -> None:
    """Begin a pass."""
    await tx.run("INSERT INTO verification_passes (id, began_at) VALUES (%(id)s, %(at)s)", id=id, at=at)


async def next_objects(tx: Transaction, *, after: str, limit: int) -> list[StoredBytes]:
    """The objects behind a key that rows name, those that are hidden and former revisions included."""
    statement: LiteralString = (
        _EACH_ONCE
        + "((SELECT "
        + _OBJECT
        + " FROM instances WHERE object_key > %(after)s ORDER BY object_key LIMIT %(limit)s) UNION ALL (SELECT "
        + _OBJECT
        + """ FROM rejected_instances WHERE object_key > %(after)s ORDER BY object_key LIMIT %(limit)s) UNION ALL (
            SELECT object_key, size_bytes, NULL, data_set_sha256, ''
            FROM instance_revisions
            WHERE object_key > %(after)s
            ORDER BY object_key
            LIMIT %(limit)s
        )) AS found ORDER BY object_key LIMIT %(limit)s"""
    )
    return await tx.all(StoredBytes, statement, after=after, limit=limit)


async def objects_of(tx: Transaction, study_id: UUID) -> list[StoredBytes]:
    """The objects of a study, those that are hidden included."""
    statement: LiteralString = (
        _EACH_ONCE
        + "(SELECT "
        + _OBJECT
        + " FROM instances WHERE study_id = %(study_id)s UNION ALL SELECT "
        + _OBJECT
        + " FROM rejected_instances WHERE study_id = %(study_id)s) AS found ORDER BY object_key"
    )
    return await tx.all(StoredBytes, statement, study_id=study_id)


async def known_again(tx: Transaction, object_key: str) -> StoredBytes | None:
    """What a row says of an object now; None where none names it any more, or it is known to be damaged."""
    statement: LiteralString = (
        "SELECT * FROM (SELECT "
        + _OBJECT
        + " FROM instances WHERE object_key = %(key)s UNION ALL SELECT "
        + _OBJECT
        + """ FROM rejected_instances WHERE object_key = %(key)s UNION ALL
            SELECT object_key, size_bytes, NULL, data_set_sha256, '' FROM instance_revisions WHERE object_key = %(key)s
        ) AS named
        WHERE NOT EXISTS (SELECT FROM damaged_objects AS d WHERE d.object_key = %(key)s AND d.state = 'open')
        LIMIT 1"""
    )
    return await tx.maybe(StoredBytes, statement, key=object_key)


async def note_verified(tx: Transaction, results: Sequence[tuple[str, str]], *, at: datetime) -> None:
    """What was found of each object."""
    await tx.run(
        """
        INSERT INTO object_verifications (object_key, verified_at, result)
        SELECT key, %(at)s, result
        FROM unnest(%(keys)s::text[], %(results)s::text[]) AS seen (key, result)
        ON CONFLICT (object_key) DO UPDATE SET verified_at = excluded.verified_at, result = excluded.result
        """,
        keys=[key for key, _ in results],
        results=[result for _, result in results],
        at=at,
    )


async def note_progress(
    tx: Transaction, id: UUID, *, last_key: str, objects: int, size_bytes: int, damaged: int
) -> None:
    """How far a pass has come."""
    await tx.run(
        """
        UPDATE verification_passes
        SET last_key = %(last_key)s, objects = objects + %(objects)s, size_bytes = size_bytes + %(size_bytes)s,
            damaged = damaged + %(damaged)s
        WHERE id = %(id)s
        """,
        id=id,
        last_key=last_key,
        objects=objects,
        size_bytes=size_bytes,
        damaged=damaged,
    )


async def end_pass(tx: Transaction, ended: Pass, *, at: datetime) -> None:
    """A pass is at its end; what it did not meet any more is forgotten."""
    await tx.run("UPDATE verification_passes SET ended_at = %(at)s WHERE id = %(id)s", id=ended.id, at=at)
    await tx.run("DELETE FROM object_verifications WHERE verified_at < %(began_at)s", began_at=ended.began_at)


# --- Damage -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Named:
    """An instance that names an object."""

    sop_instance_uid: str
    study_id: UUID
    study_instance_uid: str
    facility_code: str


async def named_by(tx: Transaction, object_key: str) -> Named | None:
    """The instance that an object is of; of several the one that came so, before its copies."""
    return await tx.maybe(
        Named,
        """
        SELECT named.sop_instance_uid, named.study_id, s.study_instance_uid, s.facility_code
        FROM (
            SELECT sop_instance_uid, study_id, corrections IS NOT NULL AS is_copy, 0 AS place
            FROM instances WHERE object_key = %(key)s
            UNION ALL
            SELECT sop_instance_uid, study_id, corrections IS NOT NULL, 1
            FROM rejected_instances WHERE object_key = %(key)s
            UNION ALL
            SELECT sop_instance_uid, study_id, true, 2 FROM instance_revisions WHERE object_key = %(key)s
        ) AS named
        JOIN imaging_studies AS s ON s.id = named.study_id
        ORDER BY named.is_copy, named.place
        LIMIT 1
        """,
        key=object_key,
    )


async def insert_damage(
    tx: Transaction, *, id: UUID, object_key: str, named: Named, problem: str, at: datetime
) -> bool:
    """Keep that an object is damaged, and have it repaired. False where that is known."""
    return (
        await tx.run(
            """
            INSERT INTO damaged_objects (id, object_key, sop_instance_uid, study_id, study_instance_uid, facility_code,
                problem, next_attempt_at, found_at, changed_at)
            VALUES (%(id)s, %(object_key)s, %(sop_instance_uid)s, %(study_id)s, %(study_instance_uid)s,
                %(facility_code)s, %(problem)s, %(at)s, %(at)s, %(at)s)
            ON CONFLICT (object_key) WHERE state = 'open' DO NOTHING
            """,
            id=id,
            object_key=object_key,
            sop_instance_uid=named.sop_instance_uid,
            study_id=named.study_id,
            study_instance_uid=named.study_instance_uid,
            facility_code=named.facility_code,
            problem=problem,
            at=at,
        )
        == 1
    )


@dataclass(frozen=True, slots=True)
class Damage:
    """A damaged object, and what it was when it was received."""

    id: UUID
    object_key: str
    sop_instance_uid: str
    sop_class_uid: str
    series_instance_uid: str
    study_id: UUID
    study_instance_uid: str
    facility_code: str
    transfer_syntax_uid: str
    data_set_sha256: bytes
    source_ae_title: str
    attempts: int


async def due_damages(tx: Transaction, *, now: datetime, limit: int) -> list[Damage]:
    """What is to be repaired now, the longest due first."""
    return await tx.all(
        Damage,
        """
        SELECT d.id, d.object_key, d.sop_instance_uid, i.sop_class_uid, series.series_instance_uid, d.study_id,
            d.study_instance_uid, d.facility_code, d.attempts, i.data_set_sha256, i.source_ae_title,
            coalesce(i.original_transfer_syntax_uid, i.transfer_syntax_uid) AS transfer_syntax_uid
        FROM damaged_objects AS d
        CROSS JOIN LATERAL (
            SELECT series_id, sop_class_uid, data_set_sha256, original_transfer_syntax_uid, transfer_syntax_uid,
                source_ae_title
            FROM instances WHERE object_key = d.object_key
            UNION ALL
            SELECT series_id, sop_class_uid, data_set_sha256, original_transfer_syntax_uid, transfer_syntax_uid,
                source_ae_title
            FROM rejected_instances WHERE object_key = d.object_key
            LIMIT 1
        ) AS i
        JOIN imaging_series AS series ON series.id = i.series_id
        WHERE d.state = 'open'
          AND d.next_attempt_at <= %(now)s
        ORDER BY d.next_attempt_at
        LIMIT %(limit)s
        """,
        now=now,
        limit=limit,
    )


async def archives_with(tx: Transaction, damage: Damage) -> list[str]:
    """AE titles of archives that may have a copy: who committed to keep it, was sent it or gave it; then all others."""
    return await tx.values(
        """
        SELECT name
        FROM (
            SELECT inquiry.ae_title AS name, 0 AS place
            FROM commitment_outcomes AS said
            JOIN commitment_inquiries AS inquiry ON inquiry.id = said.inquiry_id
            WHERE said.sop_instance_uid = %(uid)s
              AND said.outcome = 'committed'
            UNION ALL
            SELECT ae_title, 1 FROM deliveries WHERE study_id = %(study_id)s AND state = 'sent'
            UNION ALL
            SELECT destination, 1 FROM moves WHERE study_id = %(study_id)s AND status = 'completed'
            UNION ALL
            SELECT remote, 1 FROM pulls WHERE study_instance_uid = %(study_uid)s
            UNION ALL
            SELECT %(source)s, 2
            UNION ALL
            SELECT ae_title, 3 FROM application_entities WHERE move_destination OR dicomweb_url <> ''
        ) AS known
        JOIN application_entities AS entity ON entity.ae_title = known.name AND entity.enabled
        GROUP BY name
        ORDER BY min(place), name
        LIMIT 8
        """,
        uid=damage.sop_instance_uid,
        study_id=damage.study_id,
        study_uid=damage.study_instance_uid,
        source=damage.source_ae_title,
    )


_SET: LiteralString = """
    SET object_key = %(new)s,
        size_bytes = %(size_bytes)s,
        data_set_offset = %(data_set_offset)s,
        pixel_data_offset = %(pixel_data_offset)s,
        pixel_data_length = %(pixel_data_length)s,
        transfer_syntax_uid = %(transfer_syntax_uid)s,
        original_transfer_syntax_uid = NULL,
        original_pixel_data_head = NULL,
        object_sha256 = NULL
    WHERE object_key = %(old)s
      AND data_set_sha256 = %(sha256)s
"""
_REPLACE: LiteralString = "UPDATE instances" + _SET
_REPLACE_HIDDEN: LiteralString = "UPDATE rejected_instances" + _SET


async def replace(tx: Transaction, damage: Damage, new: Arrival) -> int:
    """Let every row that names the damaged object name the new one, which is what was received. Returns how many."""
    parameters: dict[str, Any] = {
        "old": damage.object_key,
        "new": new.object_key,
        "size_bytes": new.size_bytes,
        "data_set_offset": new.data_set_offset,
        "pixel_data_offset": new.header.pixel_data_offset,
        "pixel_data_length": new.header.pixel_data_length,
        "transfer_syntax_uid": new.header.transfer_syntax_uid,
        "sha256": new.data_set_sha256,
    }
    await tx.run(
        """
        UPDATE imaging_studies AS study
        SET size_bytes = study.size_bytes + changed.by
        FROM (
            SELECT study_id, sum(%(size_bytes)s - size_bytes)::bigint AS by
            FROM instances
            WHERE object_key = %(old)s
            GROUP BY study_id
        ) AS changed
        WHERE study.id = changed.study_id
        """,
        **parameters,
    )
    return sum([await tx.run(statement, **parameters) for statement in (_REPLACE, _REPLACE_HIDDEN)])


async def close_damage(
    tx: Transaction, id: UUID, state: str, *, at: datetime, repaired_from: str | None = None, by: str | None = None,
    sentence: str = "",
) -> bool:  # fmt: skip
    """A damaged object is repaired, or a person says that it is lost. False where that was so already."""
    return (
        await tx.run(
            """
            UPDATE damaged_objects
            SET state = %(state)s, repaired_from = %(repaired_from)s, closed_by = %(by)s, sentence = %(sentence)s,
                next_attempt_at = NULL, changed_at = %(at)s
            WHERE id = %(id)s
              AND state = 'open'
            """,
            id=id,
            state=state,
            repaired_from=repaired_from,
            by=by,
            sentence=sentence,
            at=at,
        )
        == 1
    )


async def try_again(tx: Transaction, id: UUID, *, sentence: str, next_at: datetime, at: datetime) -> None:
    """It could not be repaired this time."""
    await tx.run(
        """
        UPDATE damaged_objects
        SET attempts = attempts + 1, sentence = %(sentence)s, next_attempt_at = %(next_at)s, changed_at = %(at)s
        WHERE id = %(id)s
          AND state = 'open'
        """,
        id=id,
        sentence=sentence,
        next_at=next_at,
        at=at,
    )


async def lock_damage(tx: Transaction, id: UUID, *, visible_to: Actor) -> str:
    """The state of a damaged object, locked; Raises NotFound."""
    where = Where(["id = %(id)s"])
    visible_to.add_facility(where, "facility_code")
    statement: LiteralString = "SELECT state FROM damaged_objects WHERE " + where.condition + " FOR UPDATE"
    found = await tx.value(statement, id=id, **where.parameters)
    if found is None:
        raise NotFound("There is no such damaged object.")
    return str(found)


async def number_damaged(tx: Transaction) -> int:
    """How many objects are damaged and neither repaired nor given up."""
    return await tx.value("SELECT count(*) FROM damaged_objects WHERE state = 'open'")


async def was_told(tx: Transaction, kind: str, *, since: datetime) -> bool:
    """Whether a notice of this kind was placed since then."""
    return await tx.value(
        "SELECT count(*) > 0 FROM notices WHERE kind = %(kind)s AND made_at >= %(since)s", kind=kind, since=since
    )


async def damages_page(
    tx: Transaction, *, visible_to: Actor, limit: int, cursor: str | None
) -> tuple[bytes, str | None]:
    """What was found damaged, newest first, and the cursor of the page behind."""
    where = Where(["TRUE"])
    visible_to.add_facility(where, "d.facility_code")
    if cursor is not None:
        moment, before = pages.read_cursor(cursor)
        where.add("(d.found_at, d.id) < ({moment}, {before})", moment=moment, before=before)
    statement: LiteralString = (
        """
        SELECT json_build_array(json_strip_nulls(json_build_object('id', d.id, 'objectKey', d.object_key,
            'studyInstanceUID', d.study_instance_uid,
            'sopInstanceUID', CASE WHEN NOT coalesce(s.sensitive, true) THEN d.sop_instance_uid END,
            'facilityCode', d.facility_code, 'problem', d.problem, 'state', d.state,
            'sentence', nullif(d.sentence, ''), 'repairedFrom', d.repaired_from, 'attempts', d.attempts,
            'nextAttemptAt', d.next_attempt_at, 'foundAt', d.found_at, 'changedAt', d.changed_at,
            'closedBy', d.closed_by)), d.found_at AT TIME ZONE 'UTC', d.id)::text
        FROM damaged_objects AS d
        LEFT JOIN imaging_studies AS s ON s.id = d.study_id
        WHERE """
        + where.condition
    )
    rows = await tx.values(
        statement + " ORDER BY d.found_at DESC, d.id DESC LIMIT %(rows)s", rows=limit + 1, **where.parameters
    )
    return pages.page(rows, limit=limit)


async def passes_body(tx: Transaction) -> bytes:
    """The newest passes through all objects, as JSON."""
    return await tx.json(
        """
        SELECT coalesce(json_agg(json_strip_nulls(json_build_object('id', id, 'beganAt', began_at, 'endedAt', ended_at,
            'objects', objects, 'sizeBytes', size_bytes, 'damaged', damaged)) ORDER BY began_at DESC), '[]')::text
        FROM (
            SELECT id, began_at, ended_at, objects, size_bytes, damaged
            FROM verification_passes
            ORDER BY began_at DESC
            LIMIT 20
        ) AS newest
        """
    )


async def verified_body(tx: Transaction, study_id: UUID) -> dict[str, Any]:
    """How many objects of a study were verified, and when the one was for which it is longest ago."""
    return await tx.value(
        """
        SELECT json_build_object('objects', count(*), 'verified', count(v.verified_at),
            'damaged', count(*) FILTER (WHERE v.result <> 'intact'), 'lastVerifiedAt', max(v.verified_at),
            'longestAgoAt', min(v.verified_at))
        FROM (SELECT DISTINCT object_key FROM instances WHERE study_id = %(study_id)s) AS named
        LEFT JOIN object_verifications AS v ON v.object_key = named.object_key
        """,
        study_id=study_id,
    )
