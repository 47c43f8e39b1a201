"""SQL of offers, escalation, and what nobody can be offered. `o` is reading_offers, `item` reading_items."""
# ruff: noqa: S608 - every piece is a literal and every value a parameter; the type checker proves it by LiteralString.

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, LiteralString
from uuid import UUID

from radiology.access.model import Actor
from radiology.errors import NotFound
from radiology.kit.db import Transaction, Where, as_json


@dataclass(frozen=True, slots=True)
class Offer:
    """That a reader is or was asked for a study. step: of the escalation when it was made."""

    id: UUID
    study_id: UUID
    study_instance_uid: str
    facility_code: str
    reader: str
    account: str
    state: str
    step: int
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Load:
    """What a reader has now. works_at: None for all facilities."""

    practitioner: str
    open_rvu: float
    rvu_today: float
    last_assigned_at: datetime | None
    works_everywhere: bool
    works_at: list[str]


@dataclass(frozen=True, slots=True)
class Asked:
    """Who was asked for a study, and did not take it."""

    study_id: UUID
    reader: str
    state: str
    step: int


@dataclass(frozen=True, slots=True)
class Due:
    """A study whose escalation has reached a step that nobody was told of. state: where its reading stands."""

    study_id: UUID
    study_instance_uid: str
    facility_code: str
    subspecialty: str
    state: str
    deadline: datetime
    step: int


_OFFER: LiteralString = """
    SELECT o.id, o.study_id, item.study_instance_uid, item.facility_code, o.reader, o.account, o.state, o.step,
        o.expires_at
    FROM reading_offers AS o
    JOIN reading_items AS item ON item.study_id = o.study_id
    """


async def assigns_alone(tx: Transaction) -> bool:
    """Whether no other process assigns until the transaction ends: what one gives counts as load for the next."""
    return await tx.value("SELECT pg_try_advisory_xact_lock(hashtext('reading.assign'))")


async def loads(tx: Transaction, *, midnight: datetime) -> list[Load]:
    """What each active reader has open, was given since midnight, and where the account may read."""
    return await tx.all(
        Load,
        """
        SELECT r.practitioner, coalesce(held.rvu, 0) AS open_rvu, coalesce(given.rvu, 0) AS rvu_today,
            given.last_at AS last_assigned_at, coalesce(a.facility_code IS NULL AND a.name IS NOT NULL, false)
            AS works_everywhere, coalesce(array_remove(a.facility_codes || a.facility_code, NULL), '{}') AS works_at
        FROM readers AS r
        LEFT JOIN LATERAL (
            SELECT name, facility_code, facility_codes
            FROM accounts
            WHERE practitioner_reference = r.practitioner
              AND disabled_at IS NULL
              AND role IN ('consultant', 'radiologist')
            ORDER BY name
            LIMIT 1
        ) AS a ON true
        LEFT JOIN LATERAL (
            SELECT sum(item.rvu) AS rvu
            FROM reading_items AS item
            WHERE item.assigned_to = 'account:' || a.name
              AND item.state NOT IN ('final', 'removed')
        ) AS held ON true
        LEFT JOIN LATERAL (
            SELECT sum(o.rvu) FILTER (WHERE o.made_at >= %(midnight)s) AS rvu, max(o.made_at) AS last_at
            FROM reading_offers AS o
            WHERE o.reader = r.practitioner
              AND o.state IN ('open', 'accepted')
              AND o.made_at >= %(midnight)s - interval '7 days'
        ) AS given ON true
        WHERE r.active
        """,
        midnight=midnight,
    )


async def asked(tx: Transaction, study_ids: Sequence[UUID]) -> list[Asked]:
    """Who was asked for some studies and did not take them."""
    return await tx.all(
        Asked,
        """
        SELECT study_id, reader, state, step
        FROM reading_offers
        WHERE study_id = ANY(%(ids)s)
          AND state IN ('declined', 'expired')
        """,
        ids=list(study_ids),
    )


async def steps(tx: Transaction, study_ids: Sequence[UUID]) -> Mapping[UUID, int]:
    """The step of the escalation that some studies have reached, for those that have one."""
    rows = await tx.values(
        """
        SELECT json_build_array(e.study_id, max(e.step))
        FROM reading_escalations AS e
        JOIN reading_items AS item ON item.study_id = e.study_id AND item.deadline = e.deadline
        WHERE e.study_id = ANY(%(ids)s)
        GROUP BY e.study_id
        """,
        ids=list(study_ids),
    )
    return {UUID(study_id): step for study_id, step in rows}


async def insert(tx: Transaction, columns: Mapping[str, Any]) -> None:
    """A new offer. `columns` holds every parameter below."""
    await tx.run(
        """
        INSERT INTO reading_offers (id, study_id, reader, account, state, step, rvu, made_at, expires_at, score,
            explain, rule_set_version)
        VALUES (%(id)s, %(study_id)s, %(reader)s, %(account)s, 'open', %(step)s, %(rvu)s, %(now)s, %(expires_at)s,
            %(score)s, %(explain)s, %(rule_set_version)s)
        """,
        **{**columns, "explain": as_json(columns["explain"])},
    )


async def end(tx: Transaction, offer_id: UUID, *, state: str, now: datetime, reason_code: str = "") -> bool:
    """An open offer ends. False where it has already."""
    return bool(
        await tx.run(
            """
            UPDATE reading_offers
            SET state = %(state)s, ended_at = %(now)s, reason_code = %(reason_code)s
            WHERE id = %(offer_id)s
              AND state = 'open'
            """,
            offer_id=offer_id,
            state=state,
            now=now,
            reason_code=reason_code,
        )
    )


async def open_of(tx: Transaction, study_id: UUID) -> Offer | None:
    """The offer of a study that stands; whoever changes it has locked the row of the worklist."""
    return await tx.maybe(Offer, _OFFER + " WHERE o.study_id = %(study_id)s AND o.state = 'open'", study_id=study_id)


async def load(tx: Transaction, offer_id: UUID, account: str) -> Offer:
    """An offer to an account. Raises NotFound."""
    found = await tx.maybe(
        Offer, _OFFER + " WHERE o.id = %(offer_id)s AND o.account = %(account)s", offer_id=offer_id, account=account
    )
    if found is None:
        raise NotFound("There is no such offer to you.")
    return found


async def settled(tx: Transaction, *, limit: int) -> list[UUID]:
    """Studies whose offer stands although the worklist says that it is not offered to that reader any more."""
    return await tx.values(
        """
        SELECT o.study_id
        FROM reading_offers AS o
        JOIN reading_items AS item ON item.study_id = o.study_id
        WHERE o.state = 'open'
          AND (item.state <> 'offered' OR item.assigned_to IS DISTINCT FROM o.account)
        ORDER BY o.made_at
        LIMIT %(limit)s
        """,
        limit=limit,
    )


async def expired(tx: Transaction, *, now: datetime, limit: int) -> list[UUID]:
    """Studies whose offer nobody answered in time, the earliest first."""
    return await tx.values(
        """
        SELECT study_id
        FROM reading_offers
        WHERE state = 'open'
          AND expires_at <= %(now)s
        ORDER BY expires_at
        LIMIT %(limit)s
        """,
        now=now,
        limit=limit,
    )


_MOMENTS: LiteralString = """
    (VALUES (1, item.half_at), (2, item.half_at + (item.deadline - item.half_at) / 2), (3, item.deadline))
    AS reached (step, at)
    """


async def due(tx: Transaction, *, now: datetime, limit: int) -> list[Due]:
    """Studies at a step of the escalation of which nobody was told, the most urgent first; the highest step of each.

    What somebody has claimed is escalated at the end only.
    """
    return await tx.all(
        Due,
        "SELECT item.study_id, item.study_instance_uid, item.facility_code, item.subspecialty, "
        "item.state, item.deadline, max(reached.step) AS step FROM reading_items AS item CROSS JOIN LATERAL "
        + _MOMENTS
        + """
        WHERE item.state IN ('waiting', 'offered', 'claimed', 'drafted')
          AND item.deadline IS NOT NULL
          AND item.half_at <= %(now)s
          AND reached.at <= %(now)s
          AND (item.state IN ('waiting', 'offered') OR reached.step = 3)
          AND NOT EXISTS (
            SELECT
            FROM reading_escalations AS e
            WHERE e.study_id = item.study_id
              AND e.deadline = item.deadline
              AND e.step >= reached.step
          )
        GROUP BY item.study_id
        ORDER BY item.deadline, item.study_id
        LIMIT %(limit)s
        """,
        now=now,
        limit=limit,
    )


async def begin_step(tx: Transaction, due: Due, *, now: datetime) -> bool:
    """Whether this process is the one that escalates; it has locked the row of the worklist."""
    return bool(
        await tx.run(
            """
            INSERT INTO reading_escalations (study_id, deadline, step, reached_at)
            VALUES (%(study_id)s, %(deadline)s, %(step)s, %(now)s)
            ON CONFLICT DO NOTHING
            """,
            study_id=due.study_id,
            deadline=due.deadline,
            step=due.step,
            now=now,
        )
    )


_LOOKED: LiteralString = """
    u.looked_at > CASE WHEN item.priority = 'routine' THEN %(routine_since)s ELSE %(urgent_since)s END
    """


async def has_to_offer(tx: Transaction, *, urgent_since: datetime, routine_since: datetime, also_routine: bool) -> bool:
    """Whether something is complete and waits in nobody's queue, for which was not looked since then."""
    return await tx.value(
        """
        SELECT EXISTS (
            SELECT
            FROM reading_items AS item
            WHERE item.state NOT IN ('final', 'removed')
              AND item.state = 'waiting'
              AND item.assigned_to IS NULL
              AND item.completed_at IS NOT NULL
              AND (item.priority <> 'routine' OR %(also_routine)s)
              AND NOT EXISTS (
                SELECT
                FROM unassignable_studies AS u
                WHERE u.study_id = item.study_id
                  AND """
        + _LOOKED
        + "))",
        urgent_since=urgent_since,
        routine_since=routine_since,
        also_routine=also_routine,
    )


async def looked_at(tx: Transaction, *, urgent_since: datetime, routine_since: datetime) -> set[UUID]:
    """Studies for which was looked since then, and nobody found."""
    return set(
        await tx.values(
            "SELECT u.study_id FROM unassignable_studies AS u JOIN reading_items AS item ON item.study_id = u.study_id "
            "WHERE " + _LOOKED,
            urgent_since=urgent_since,
            routine_since=routine_since,
        )
    )


async def uid_of(tx: Transaction, study_id: UUID) -> str:
    """The Study Instance UID of what is in the worklist."""
    return await tx.value(
        "SELECT study_instance_uid FROM reading_items WHERE study_id = %(study_id)s", study_id=study_id
    )


async def note_unassignable(tx: Transaction, study_id: UUID, reasons: Mapping[str, int], *, now: datetime) -> bool:
    """Nobody can be offered a study. Whether that is new."""
    return bool(
        await tx.value(
            """
            INSERT INTO unassignable_studies AS u (study_id, since, looked_at, reasons)
            VALUES (%(study_id)s, %(now)s, %(now)s, %(reasons)s)
            ON CONFLICT (study_id) DO UPDATE SET looked_at = excluded.looked_at, reasons = excluded.reasons
            RETURNING u.since = %(now)s
            """,
            study_id=study_id,
            reasons=as_json(dict(reasons)),
            now=now,
        )
    )


async def begin_telling(tx: Transaction, study_id: UUID, *, now: datetime) -> bool:
    """Whether people are to be told that nobody can be offered a study: once for each time that it is so."""
    return bool(
        await tx.run(
            "UPDATE unassignable_studies SET told_at = %(now)s WHERE study_id = %(study_id)s AND told_at IS NULL",
            study_id=study_id,
            now=now,
        )
    )


async def forget_unassignable(tx: Transaction, study_id: UUID) -> None:
    """Somebody was found."""
    await tx.run("DELETE FROM unassignable_studies WHERE study_id = %(study_id)s", study_id=study_id)


_SHOWN: LiteralString = """json_build_object('id', o.id, 'study', item.study_instance_uid,
    'facilityCode', item.facility_code, 'state', o.state, 'step', o.step, 'priority', item.priority,
    'modality', CASE WHEN item.sensitive AND o.state <> 'open' THEN 'XX' ELSE item.modality END, 'rvu', o.rvu,
    'dueAt', item.deadline, 'madeAt', o.made_at, 'expiresAt', o.expires_at, 'endedAt', o.ended_at,
    'reasonCode', o.reason_code, 'score', o.score, 'explain', o.explain, 'ruleSetVersion', o.rule_set_version)"""


async def own_body(tx: Transaction, *, visible_to: Actor, open_only: bool, limit: int) -> bytes:
    """Offers to an actor, those that end first before, as a JSON array."""
    where = Where()
    where.add("o.account = {account}", account=visible_to.id)
    where.add("(o.state = 'open' OR NOT {open_only})", open_only=open_only)
    visible_to.staff_reach.add_facility(where, "item.facility_code")
    return await tx.json(
        "SELECT coalesce(json_agg(body), '[]')::text FROM (SELECT "
        + _SHOWN
        + """ AS body
            FROM reading_offers AS o
            JOIN reading_items AS item ON item.study_id = o.study_id
            WHERE """
        + where.condition
        + """
            ORDER BY o.state <> 'open', CASE o.state WHEN 'open' THEN o.expires_at END, o.made_at DESC, o.id
            LIMIT %(limit)s
        ) AS found
        """,
        limit=limit,
        **where.parameters,
    )


async def history(tx: Transaction, study_id: UUID) -> list[dict[str, Any]]:
    """All offers of a study, the earliest first, with what their scores are made of."""
    return await tx.values(
        """
        SELECT json_build_object('id', o.id, 'reader', o.reader, 'state', o.state, 'step', o.step,
            'madeAt', o.made_at, 'expiresAt', o.expires_at, 'endedAt', o.ended_at, 'reasonCode', o.reason_code,
            'score', o.score, 'explain', o.explain, 'ruleSetVersion', o.rule_set_version)
        FROM reading_offers AS o
        WHERE o.study_id = %(study_id)s
        ORDER BY o.made_at, o.id
        """,
        study_id=study_id,
    )


async def escalation(tx: Transaction, study_id: UUID) -> list[dict[str, Any]]:
    """The steps of the escalation of a study, in order."""
    return await tx.values(
        """
        SELECT json_build_object('step', step, 'reachedAt', reached_at, 'dueAt', deadline)
        FROM reading_escalations
        WHERE study_id = %(study_id)s
        ORDER BY reached_at, step
        """,
        study_id=study_id,
    )


async def unassignable_body(tx: Transaction, *, visible_to: Actor, limit: int) -> bytes:
    """What nobody can be offered now, with reasons, as a JSON array; sensitive studies by what they are not."""
    where = Where()
    visible_to.staff_reach.add_facility(where, "item.facility_code")
    return await tx.json(
        """
        SELECT coalesce(json_agg(json_build_object('study', found.study_instance_uid,
            'facilityCode', found.facility_code, 'priority', found.priority,
            'modality', CASE WHEN found.sensitive THEN 'XX' ELSE found.modality END, 'dueAt', found.deadline,
            'since', found.since, 'reasons', found.reasons) ORDER BY found.standing DESC, found.since), '[]')::text
        FROM (
            SELECT item.study_instance_uid, item.facility_code, item.priority, item.sensitive, item.modality,
                item.deadline, item.standing, u.since, u.reasons
            FROM unassignable_studies AS u
            JOIN reading_items AS item ON item.study_id = u.study_id AND item.state = 'waiting'
            WHERE """
        + where.condition
        + """
            ORDER BY item.standing DESC, u.since
            LIMIT %(limit)s
        ) AS found
        """,
        limit=limit,
        **where.parameters,
    )
