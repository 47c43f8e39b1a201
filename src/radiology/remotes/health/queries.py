"""SQL of whether other archives answer."""
# ruff: noqa: S608 - every piece is a literal and every value a parameter; the type checker proves it by LiteralString.

from dataclasses import dataclass
from datetime import datetime
from typing import LiteralString

from radiology.kit.db import Transaction

_CALLABLE: LiteralString = "a.enabled AND (a.dicomweb_url <> '' OR (a.host <> '' AND a.port IS NOT NULL))"


@dataclass(frozen=True, slots=True)
class Checked:
    """What a check found. `answered_before` is None before the first."""

    ae_title: str
    answered: bool
    answered_before: bool | None


async def follow_registry(tx: Transaction) -> None:
    """Every record that says where it listens is checked from now on, and no other."""
    await tx.run(
        "INSERT INTO remote_health (ae_title) SELECT a.ae_title FROM application_entities AS a WHERE "
        + _CALLABLE
        + " ON CONFLICT DO NOTHING"
    )
    await tx.run(
        "DELETE FROM remote_health AS h USING application_entities AS a WHERE a.ae_title = h.ae_title AND NOT ("
        + _CALLABLE
        + ")"
    )


async def take_due(tx: Transaction, *, now: datetime, following: datetime, limit: int) -> list[str]:
    """Titles of those that are to be checked now; nobody else takes them before `following`."""
    return await tx.values(
        """
        UPDATE remote_health AS h
        SET due_at = %(following)s
        FROM (
            SELECT ae_title FROM remote_health WHERE due_at <= %(now)s
            ORDER BY due_at LIMIT %(limit)s FOR UPDATE SKIP LOCKED
        ) AS due
        WHERE h.ae_title = due.ae_title
        RETURNING h.ae_title
        """,
        now=now,
        following=following,
        limit=limit,
    )


async def save(
    tx: Transaction, ae_title: str, *, answered: bool, sentence: str, milliseconds: int, at: datetime
) -> Checked | None:
    """Keep what a check found; None where the record is gone."""
    return await tx.maybe(
        Checked,
        """
        WITH before AS (SELECT ae_title, answered FROM remote_health WHERE ae_title = %(ae_title)s FOR UPDATE)
        UPDATE remote_health AS h
        SET answered = %(answered)s, sentence = %(sentence)s, milliseconds = %(milliseconds)s, checked_at = %(at)s,
            answered_at = CASE WHEN %(answered)s THEN %(at)s ELSE h.answered_at END,
            since = CASE WHEN before.answered IS NOT DISTINCT FROM %(answered)s THEN h.since ELSE %(at)s END
        FROM before
        WHERE h.ae_title = before.ae_title
        RETURNING h.ae_title, h.answered, before.answered AS answered_before
        """,
        ae_title=ae_title,
        answered=answered,
        sentence=sentence,
        milliseconds=milliseconds,
        at=at,
    )


async def all_remotes(tx: Transaction) -> bytes:
    """Every record that says where it listens, with whether it answers, as a JSON array."""
    statement: LiteralString = (
        """
        SELECT coalesce(json_agg(json_build_object(
            'aeTitle', a.ae_title, 'protocol', CASE WHEN a.dicomweb_url <> '' THEN 'DICOMweb' ELSE 'DIMSE' END,
            'host', a.host, 'port', a.port, 'dicomwebUrl', a.dicomweb_url, 'facilityCode', a.facility_code,
            'services', a.services, 'moveDestination', a.move_destination, 'description', a.description,
            'answers', h.answered, 'sentence', coalesce(h.sentence, ''), 'milliseconds', h.milliseconds,
            'checkedAt', h.checked_at, 'answeredAt', h.answered_at, 'since', h.since) ORDER BY a.ae_title), '[]')::text
        FROM application_entities AS a
        LEFT JOIN remote_health AS h ON h.ae_title = a.ae_title
        WHERE """
        + _CALLABLE
    )
    return str(await tx.value(statement)).encode()


async def number_silent(tx: Transaction) -> int:
    """How many did not answer the last time."""
    return await tx.value("SELECT count(*) FROM remote_health WHERE NOT answered")
