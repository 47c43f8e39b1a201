"""SQL of film orders."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any, LiteralString
from uuid import UUID

from radiology.access.model import Actor
from radiology.delivery.film.model import Film, FilmOrder, Picture, State
from radiology.errors import NotFound
from radiology.kit import pages
from radiology.kit.db import Transaction, Where, as_json
from radiology.studies.queries.retrieve import add_reach

_LISTED_AT_MOST = 200


def as_film(film: Mapping[str, Any]) -> Film:
    """A film as it lies in the database."""
    return Film(**film)


def as_pictures(pictures: Sequence[Mapping[str, Any]]) -> list[Picture]:
    """Pictures as they lie in the database."""
    return [Picture(**picture) for picture in pictures]


async def insert(
    tx: Transaction, *, id: UUID, study_id: UUID, printer: str, film: Film, pictures: Sequence[Picture], sheets: int,
    asked_by: str,
) -> None:  # fmt: skip
    """A new order, queued."""
    await tx.run(
        """
        INSERT INTO film_orders (id, study_id, printer, film, pictures, sheets, asked_by)
        VALUES (%(id)s, %(study_id)s, %(printer)s, %(film)s, %(pictures)s, %(sheets)s, %(asked_by)s)
        """,
        id=id,
        study_id=study_id,
        printer=printer,
        film=as_json(asdict(film)),
        pictures=as_json([asdict(picture) for picture in pictures]),
        sheets=sheets,
        asked_by=asked_by,
    )


async def take(tx: Transaction, id: UUID) -> FilmOrder | None:
    """The order, locked for a change; None where there is none."""
    return await tx.maybe(
        FilmOrder,
        """
        SELECT o.id, s.study_instance_uid, o.printer, o.film, o.pictures, o.state, o.sheets_printed, o.attempts,
            o.sentence, o.asked_by
        FROM film_orders o
        JOIN imaging_studies s ON s.id = o.study_id
        WHERE o.id = %(id)s
        FOR UPDATE OF o
        """,
        id=id,
    )


async def change(tx: Transaction, id: UUID, *, state: State, sentence: str, attempts: int) -> None:
    """Another state, and the sentence that says why."""
    await tx.run(
        """
        UPDATE film_orders
        SET state = %(state)s, sentence = %(sentence)s, attempts = %(attempts)s, changed_at = now()
        WHERE id = %(id)s
        """,
        id=id,
        state=state,
        sentence=sentence,
        attempts=attempts,
    )


async def count_sheet(tx: Transaction, id: UUID) -> bool:
    """The printer has taken one more sheet. False when the order was cancelled meanwhile."""
    await tx.run(
        "UPDATE film_orders SET sheets_printed = sheets_printed + 1, changed_at = now() WHERE id = %(id)s", id=id
    )
    return await tx.value("SELECT state = 'printing' FROM film_orders WHERE id = %(id)s", id=id)


_ORDERS: LiteralString = """
    FROM film_orders o
    JOIN imaging_studies s ON s.id = o.study_id
    WHERE """
_BODY: LiteralString = """json_build_object(
    'id', o.id, 'studyInstanceUID', s.study_instance_uid, 'printer', o.printer, 'state', o.state, 'sheets', o.sheets,
    'sheetsPrinted', o.sheets_printed, 'attempts', o.attempts, 'sentence', o.sentence, 'askedBy', o.asked_by,
    'askedAt', o.asked_at, 'changedAt', o.changed_at,
    'film', json_build_object('sizeId', o.film->'size_id', 'orientation', o.film->'orientation',
        'columns', o.film->'columns', 'rows', o.film->'rows', 'mediumType', o.film->'medium_type',
        'destination', o.film->'destination', 'copies', o.film->'copies', 'dotsPerInch', o.film->'dots_per_inch',
        'annotate', o.film->'annotate'))"""


async def body_of(tx: Transaction, id: UUID, *, visible_to: Actor) -> bytes:
    """One order as JSON. Raises NotFound."""
    where = _visible(visible_to)
    where.add("o.id = {id}", id=id)
    found = await tx.value("SELECT " + _BODY + "::text" + _ORDERS + where.condition, **where.parameters)
    if found is None:
        raise NotFound("There is no such film order.")
    return str(found).encode()


async def page_of(
    tx: Transaction, *, state: State | None, limit: int, cursor: str | None, visible_to: Actor
) -> tuple[bytes, str | None]:
    """Orders, newest first, and the cursor of the page behind."""
    where = _visible(visible_to)
    if state is not None:
        where.add("o.state = {state}", state=state)
    if cursor is not None:
        moment, before = pages.read_cursor(cursor)
        where.add("(o.asked_at, o.id) < ({moment}, {before})", moment=moment, before=before)
    limit = min(limit, _LISTED_AT_MOST)
    statement: LiteralString = (
        "SELECT json_build_array(" + _BODY + ", o.asked_at AT TIME ZONE 'UTC', o.id)::text" + _ORDERS + where.condition
    )
    rows = await tx.values(
        statement + " ORDER BY o.asked_at DESC, o.id DESC LIMIT %(rows)s", rows=limit + 1, **where.parameters
    )
    return pages.page(rows, limit=limit)


def _visible(actor: Actor) -> Where:
    where = Where(["true"])
    add_reach(where, actor)
    return where
