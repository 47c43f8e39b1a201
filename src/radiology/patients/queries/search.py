"""Search patients by number, telephone or name. Each way is one index; the rank is decided by `patients.search`."""
# ruff: noqa: S608 - every piece is a literal and every value a parameter; the type checker proves it by LiteralString.

from collections.abc import Sequence
from dataclasses import dataclass
from typing import LiteralString
from uuid import UUID

from radiology.access.model import Actor
from radiology.kit.db import Transaction, Where
from radiology.kit.ids import uuid_of
from radiology.patients.queries.read import add_reach

_SURVIVORS: LiteralString = """
    JOIN patients AS known ON known.id = found.id
    JOIN patients AS p ON p.id = coalesce(surviving_patient(known.merged_into), known.id)
    WHERE """


@dataclass(frozen=True, slots=True)
class Hit:
    """A patient that was found, and by which name: of the patient or of one that was merged into it."""

    id: UUID
    name: str


@dataclass(frozen=True, slots=True)
class Narrowing:
    """What beside the words of a search must hold, and for whom."""

    visible_to: Actor
    birth_date: str | None = None
    sex: str | None = None


async def by_number(tx: Transaction, texts: Sequence[str], narrowing: Narrowing, *, limit: int) -> list[Hit]:
    """Whose reference, hospital number or other number is one of these texts."""
    where = _narrowed(narrowing)
    return await tx.all(
        Hit,
        """
        SELECT p.id, min(known.patient_name) AS name
        FROM (
            SELECT id FROM patients WHERE patient_id = ANY(%(texts)s)
            UNION
            SELECT id FROM patients WHERE reference = ANY(%(references)s)
            UNION
            SELECT id FROM patients WHERE id = ANY(%(ids)s)
            UNION
            SELECT patient_id FROM patient_identifiers WHERE value = ANY(%(texts)s)
        ) AS found
        """
        + _SURVIVORS
        + where.condition
        + " GROUP BY p.id ORDER BY p.id LIMIT %(limit)s",
        texts=list(texts),
        references=[f"Patient/{text.removeprefix('Patient/')}" for text in texts],
        ids=[known for text in texts if (known := uuid_of(text.removeprefix("Patient/")))],
        limit=limit,
        **where.parameters,
    )


async def by_phone(tx: Transaction, phone: str, narrowing: Narrowing, *, limit: int) -> list[Hit]:
    """Who has this telephone."""
    where = _narrowed(narrowing)
    return await tx.all(
        Hit,
        "SELECT p.id, min(known.patient_name) AS name FROM (SELECT id FROM patients WHERE phone = %(phone)s) AS found"
        + _SURVIVORS
        + where.condition
        + " GROUP BY p.id ORDER BY p.id LIMIT %(limit)s",
        phone=phone,
        limit=limit,
        **where.parameters,
    )


async def by_sound(tx: Transaction, keys: Sequence[str], text: str, narrowing: Narrowing, *, limit: int) -> list[Hit]:
    """Whose name has all these words by their sound, those written most alike first."""
    where = _narrowed(narrowing)
    return await tx.all(
        Hit,
        """
        SELECT p.id, known.patient_name AS name
        FROM (
            SELECT id FROM patients WHERE name_keys @> %(keys)s::text[]
        ) AS found
        """
        + _SURVIVORS
        + where.condition
        + " ORDER BY similarity(known.name_search, %(text)s) DESC, known.id DESC LIMIT %(limit)s",
        keys=list(keys),
        text=text,
        limit=limit,
        **where.parameters,
    )


async def by_likeness(tx: Transaction, text: str, narrowing: Narrowing, *, limit: int) -> list[Hit]:
    """Whose name is written alike (trigrams): for what sounds otherwise, as a slip of the keyboard does."""
    where = _narrowed(narrowing)
    return await tx.all(
        Hit,
        """
        SELECT p.id, known.patient_name AS name
        FROM (SELECT id FROM patients WHERE %(text)s <%% name_search) AS found
        """
        + _SURVIVORS
        + where.condition
        + " ORDER BY word_similarity(%(text)s, known.name_search) DESC, known.id DESC LIMIT %(limit)s",
        text=text,
        limit=limit,
        **where.parameters,
    )


def _narrowed(narrowing: Narrowing) -> Where:
    where = Where()
    add_reach(where, narrowing.visible_to)
    if narrowing.birth_date:
        where.add("p.birth_date = {birth_date}", birth_date=narrowing.birth_date)
    if narrowing.sex:
        where.add("p.sex = {sex}", sex=narrowing.sex)
    return where
