"""Patients who are perhaps one: by the same number, or the same name and birth date. A person decides."""
# ruff: noqa: S608 - every piece is a literal and every value a parameter; the type checker proves it by LiteralString.

from dataclasses import dataclass
from typing import LiteralString
from uuid import UUID

from radiology.access.model import Actor
from radiology.kit.db import Transaction, Where
from radiology.patients.queries.read import add_reach

#: Pairs of patients `older` and `p` that nobody has decided about, with the reason as `pair.because`.
UNDECIDED: LiteralString = """
    FROM (
        SELECT a.patient_id AS one, b.patient_id AS other, 'number' AS because
        FROM patient_identifiers AS a
        JOIN patient_identifiers AS b USING (kind, value, issuer)
        WHERE a.patient_id < b.patient_id
        UNION ALL
        SELECT a.id, b.id, 'number'
        FROM patients AS a
        JOIN patients AS b USING (patient_id, issuer_of_patient_id)
        WHERE a.id < b.id AND a.patient_id <> ''
        UNION ALL
        SELECT a.id, b.id, 'name'
        FROM patients AS a
        JOIN patients AS b USING (birth_date, name_keys)
        WHERE a.id < b.id AND a.birth_date <> '' AND a.name_keys <> '{}' AND (a.sex = b.sex OR '' IN (a.sex, b.sex))
    ) AS pair
    JOIN patients AS p ON p.id = pair.other AND p.merged_into IS NULL
    JOIN patients AS older ON older.id = pair.one AND older.merged_into IS NULL
    WHERE NOT EXISTS (
        SELECT FROM patient_links AS l
        WHERE l.kind = 'different'
          AND l.patient_id = pair.one AND l.other_id = pair.other
    )
"""


@dataclass(frozen=True, slots=True)
class Pair:
    """Two patients who are perhaps one, the older first. because: number, name."""

    one: UUID
    other: UUID
    because: str


async def of_patient(tx: Transaction, patient_id: UUID, *, visible_to: Actor, limit: int) -> list[UUID]:
    """Who shares a number with a patient, or has all words of the name by their sound."""
    where = Where()
    add_reach(where, visible_to)
    return await tx.values(
        """
        WITH asked AS (SELECT id, patient_id, issuer_of_patient_id, name_keys FROM patients WHERE id = %(id)s)
        SELECT p.id
        FROM (
            SELECT same.id FROM asked JOIN patients AS same USING (patient_id, issuer_of_patient_id)
            WHERE asked.patient_id <> ''
            UNION
            SELECT theirs.patient_id
            FROM patient_identifiers AS ours
            JOIN patient_identifiers AS theirs USING (kind, value, issuer)
            WHERE ours.patient_id = %(id)s
            UNION
            SELECT named.id FROM asked JOIN patients AS named ON named.name_keys @> asked.name_keys
            WHERE asked.name_keys <> '{}'
        ) AS found
        JOIN patients AS p ON p.id = found.id
        WHERE p.id <> %(id)s
          AND p.merged_into IS NULL
          AND NOT EXISTS (
              SELECT FROM patient_links AS l
              WHERE l.kind = 'different'
                AND l.patient_id = least(p.id, %(id)s) AND l.other_id = greatest(p.id, %(id)s)
          )
          AND """
        + where.condition
        + " LIMIT %(limit)s",
        id=patient_id,
        limit=limit,
        **where.parameters,
    )


async def pairs(tx: Transaction, *, visible_to: Actor, limit: int) -> list[Pair]:
    """Pairs of the whole registry that nobody has decided about, the newest first."""
    where = Where()
    add_reach(where, visible_to)
    add_reach(where, visible_to, "older")
    return await tx.all(
        Pair,
        "SELECT pair.one, pair.other, min(pair.because) AS because"
        + UNDECIDED
        + " AND "
        + where.condition
        + " GROUP BY pair.one, pair.other ORDER BY pair.other DESC, pair.one LIMIT %(limit)s",
        limit=limit,
        **where.parameters,
    )
