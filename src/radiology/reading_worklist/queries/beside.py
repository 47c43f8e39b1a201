"""SQL of what is said beside a study that is read: notes, second opinions, and the filters that people keep."""
# ruff: noqa: S608 - every piece is a literal and every value a parameter; the type checker proves it by LiteralString.

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, LiteralString
from uuid import UUID

from radiology.access.model import Actor
from radiology.errors import NotFound
from radiology.kit.db import Transaction, Where, as_json

MOST_FILTERS: Final = 50
_NAME: LiteralString = """coalesce((SELECT nullif(account.display, '') FROM accounts AS account
    WHERE 'account:' || account.name = {who}), {who})"""
_OPINION: LiteralString = (
    """json_strip_nulls(json_build_object('id', opinion.id, 'version', opinion.version, 'status', opinion.status,
        'studyId', study.study_id, 'studyInstanceUID', study.study_instance_uid,
        'askedBy', json_build_object('id', opinion.asked_by, 'display', """
    + _NAME.replace("{who}", "opinion.asked_by")
    + "), 'askedOf', json_build_object('id', opinion.asked_of, 'display', "
    + _NAME.replace("{who}", "opinion.asked_of")
    + """), 'askedAt', opinion.asked_at, 'question', opinion.question, 'answer', opinion.answer,
        'answeredAt', opinion.answered_at))"""
)


# --- Notes ---


async def insert_note(
    tx: Transaction, note_id: UUID, study_id: UUID, *, author: str, display: str, at: datetime, text: str
) -> None:
    """Write a note beside a study."""
    await tx.run(
        """
        INSERT INTO reading_notes (id, study_id, author, author_display, written_at, text)
        VALUES (%(id)s, %(study_id)s, %(author)s, %(display)s, %(at)s, %(text)s)
        """,
        id=note_id,
        study_id=study_id,
        author=author,
        display=display,
        at=at,
        text=text,
    )


async def notes_of(tx: Transaction, study_id: UUID, *, zone: str) -> bytes:
    """The notes beside a study that was resolved, oldest first, as a JSON array."""
    return await tx.json(
        """
        WITH shown AS MATERIALIZED (SELECT set_config('TimeZone', %(zone)s, true))
        SELECT coalesce(json_agg(json_build_object('id', note.id, 'text', note.text, 'writtenAt', note.written_at,
            'author', json_build_object('id', note.author, 'display', note.author_display))
            ORDER BY note.written_at, note.id), '[]')::text
        FROM shown, reading_notes AS note
        WHERE note.study_id = %(study_id)s
        """,
        study_id=study_id,
        zone=zone,
    )


# --- Second opinions ---


@dataclass(frozen=True, slots=True)
class Opinion:
    """A second opinion, locked for a change."""

    id: UUID
    study_id: UUID
    study_instance_uid: str
    facility_code: str
    status: str
    version: int
    asked_by: str
    asked_of: str


async def insert_opinion(tx: Transaction, opinion: Opinion, *, at: datetime, question: str) -> None:
    """Ask for a second opinion. Raises Conflict where the same person is asked already."""
    await tx.run(
        """
        INSERT INTO second_opinions (id, study_id, facility_code, status, asked_by, asked_of, asked_at, question)
        VALUES (%(id)s, %(study_id)s, %(facility_code)s, %(status)s, %(asked_by)s, %(asked_of)s, %(at)s, %(question)s)
        """,
        id=opinion.id,
        study_id=opinion.study_id,
        facility_code=opinion.facility_code,
        status=opinion.status,
        asked_by=opinion.asked_by,
        asked_of=opinion.asked_of,
        at=at,
        question=question,
    )


async def lock_opinion(tx: Transaction, opinion_id: UUID, *, visible_to: Actor) -> Opinion:
    """A second opinion on a study that the reader sees in full, kept from all others. Raises NotFound."""
    where = Where()
    where.add("opinion.id = {id}", id=opinion_id)
    visible_to.beyond_reading.staff_reach.add_to(where, "study")
    found = await tx.maybe(
        Opinion,
        """
        SELECT opinion.id, opinion.study_id, study.study_instance_uid, opinion.facility_code, opinion.status,
            opinion.version, opinion.asked_by, opinion.asked_of
        FROM second_opinions AS opinion
        JOIN imaging_studies AS study ON study.id = opinion.study_id
        WHERE """
        + where.condition
        + " FOR UPDATE OF opinion",
        **where.parameters,
    )
    if found is None:
        raise NotFound("There is no such second opinion.")
    return found


async def save_opinion(
    tx: Transaction, opinion_id: UUID, *, status: str, answer: str | None, at: datetime | None
) -> None:
    """What became of a second opinion that is locked."""
    await tx.run(
        """
        UPDATE second_opinions
        SET status = %(status)s,
            answer = %(answer)s,
            answered_at = %(at)s,
            version = version + 1
        WHERE id = %(id)s
        """,
        id=opinion_id,
        status=status,
        answer=answer,
        at=at,
    )


async def opinion_body(tx: Transaction, opinion_id: UUID, *, zone: str) -> bytes:
    """A second opinion that was resolved, as JSON."""
    return await tx.json(
        """
        WITH shown AS MATERIALIZED (SELECT set_config('TimeZone', %(zone)s, true))
        SELECT """
        + _OPINION
        + """::text
        FROM shown, second_opinions AS opinion
        JOIN imaging_studies AS study ON study.id = opinion.study_id
        WHERE opinion.id = %(id)s
        """,
        id=opinion_id,
        zone=zone,
    )


async def opinions_of(tx: Transaction, study_id: UUID, *, zone: str) -> bytes:
    """The second opinions on a study that was resolved, oldest first, as a JSON array."""
    return await tx.json(
        """
        WITH shown AS MATERIALIZED (SELECT set_config('TimeZone', %(zone)s, true))
        SELECT coalesce(json_agg("""
        + _OPINION
        + """ ORDER BY opinion.asked_at, opinion.id), '[]')::text
        FROM shown, second_opinions AS opinion
        JOIN imaging_studies AS study ON study.id = opinion.study_id
        WHERE opinion.study_id = %(study_id)s
        """,
        study_id=study_id,
        zone=zone,
    )


# --- Filters ---


async def filters_of(tx: Transaction, owner: str) -> bytes:
    """The filters that somebody keeps, by name, as a JSON array."""
    return await tx.json(
        """
        SELECT coalesce(json_agg(json_build_object('name', name, 'filter', filter) ORDER BY name), '[]')::text
        FROM reading_filters
        WHERE owner = %(owner)s
        """,
        owner=owner,
    )


async def count_filters(tx: Transaction, owner: str, *, but: str) -> int:
    """How many somebody keeps beside one."""
    return await tx.value(
        "SELECT count(*) FROM reading_filters WHERE owner = %(owner)s AND name <> %(but)s", owner=owner, but=but
    )


async def save_filter(tx: Transaction, owner: str, name: str, kept: Mapping[str, Any], *, at: datetime) -> None:
    """Keep a filter, in place of the one of the same name."""
    await tx.run(
        """
        INSERT INTO reading_filters (owner, name, filter, changed_at)
        VALUES (%(owner)s, %(name)s, %(filter)s, %(at)s)
        ON CONFLICT (owner, name) DO UPDATE
        SET filter = excluded.filter,
            changed_at = excluded.changed_at
        """,
        owner=owner,
        name=name,
        filter=as_json(dict(kept)),
        at=at,
    )


async def delete_filter(tx: Transaction, owner: str, name: str) -> bool:
    """Forget a filter; whether there was one."""
    return bool(
        await tx.run("DELETE FROM reading_filters WHERE owner = %(owner)s AND name = %(name)s", owner=owner, name=name)
    )
