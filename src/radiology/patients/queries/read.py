"""Read patients, for who may see them."""
# ruff: noqa: S608 - every piece is a literal and every value a parameter; the type checker proves it by LiteralString.

from collections.abc import Sequence
from typing import LiteralString
from uuid import UUID

from radiology.access.model import Actor
from radiology.errors import Conflict, NotFound
from radiology.kit.db import Transaction, Where
from radiology.kit.ids import uuid_of
from radiology.patients.record import Record

COLUMNS: LiteralString = """p.id, p.reference, p.patient_id, p.issuer_of_patient_id, p.patient_name, p.birth_date,
    p.birth_date_estimated, p.sex, p.phone, p.details, p.temporary, p.facility_code, p.version, p.created_at,
    p.updated_at, p.checked_at,
    (
        SELECT coalesce(jsonb_agg(jsonb_build_object('kind', n.kind, 'value', n.value, 'issuer', n.issuer)
            ORDER BY n.created_at, n.kind, n.value), '[]')
        FROM patient_identifiers AS n
        WHERE n.patient_id = p.id
    ) AS numbers,
    (
        WITH RECURSIVE merged AS (
            SELECT id, patient_id, issuer_of_patient_id FROM patients WHERE merged_into = p.id
            UNION
            SELECT m.id, m.patient_id, m.issuer_of_patient_id
            FROM patients AS m
            JOIN merged ON m.merged_into = merged.id
        )
        SELECT coalesce(jsonb_agg(jsonb_build_object('kind', old.kind, 'value', old.value, 'issuer', old.issuer)), '[]')
        FROM (
            SELECT 'MR' AS kind, patient_id AS value, issuer_of_patient_id AS issuer FROM merged WHERE patient_id <> ''
            UNION
            SELECT n.kind, n.value, n.issuer FROM patient_identifiers AS n JOIN merged ON merged.id = n.patient_id
        ) AS old
    ) AS old_numbers"""


_REACH: LiteralString = """({p}.facility_code = ANY({facilities})
    OR {p}.issuer_of_patient_id = ANY({facilities})
    OR EXISTS (
        SELECT FROM patient_identifiers AS n
        WHERE n.patient_id = {p}.id AND n.kind = 'MR' AND n.issuer = ANY({facilities})
    )
    OR EXISTS (SELECT FROM imaging_studies AS s WHERE s.patient_id = {p}.id AND s.facility_code = ANY({facilities}))
    OR EXISTS (SELECT FROM encounters AS v WHERE v.patient_id = {p}.id AND v.facility_code = ANY({facilities})))"""


def add_reach(where: Where, actor: Actor, patient: LiteralString = "p") -> None:
    """The condition on patients: registered, numbered, seen or imaged at a facility of the reader."""
    reach = actor.staff_reach
    if reach.facility_codes is not None:
        where.add(_REACH.replace("{p}", patient), facilities=sorted(reach.facility_codes))


async def find(tx: Transaction, text: str, *, visible_to: Actor) -> UUID:
    """Whom `Patient/<id>`, an id, or a hospital number names; the survivor of who was merged.

    Raises NotFound, and Conflict where several patients have the number.
    """
    return _only({survivor for _, survivor in await _named(tx, text, visible_to)})


async def named(tx: Transaction, text: str, *, visible_to: Actor) -> UUID:
    """The same, but who was merged is not led on: for what is done about the merge itself."""
    return _only({patient for patient, _ in await _named(tx, text, visible_to)})


def _only(found: set[UUID]) -> UUID:
    if not found:
        raise NotFound("There is no such patient.")
    if len(found) > 1:
        raise Conflict("Several patients have this number. Name the one that you mean by its id.")
    return found.pop()


async def _named(tx: Transaction, text: str, visible_to: Actor) -> list[tuple[UUID, UUID]]:
    """Each patient that is named, with its survivor."""
    where = Where()
    add_reach(where, visible_to)
    number = text.removeprefix("Patient/")
    rows: list[list[str]] = await tx.values(
        """
        SELECT json_build_array(named.id, p.id)
        FROM (
            SELECT id, merged_into FROM patients WHERE reference = %(reference)s OR id = %(id)s
            UNION
            SELECT id, merged_into FROM patients
            WHERE patient_id = %(number)s
              AND NOT EXISTS (SELECT FROM patients AS sure WHERE sure.reference = %(reference)s OR sure.id = %(id)s)
        ) AS named
        JOIN patients AS p ON p.id = coalesce(surviving_patient(named.merged_into), named.id)
        WHERE """
        + where.condition
        + " LIMIT 10",
        reference=f"Patient/{number}",
        id=uuid_of(number),
        number=number,
        **where.parameters,
    )
    return [(UUID(patient), UUID(survivor)) for patient, survivor in rows]


async def record(tx: Transaction, patient_id: UUID) -> Record:
    """The whole record of a patient that was found."""
    return await tx.one(Record, "SELECT " + COLUMNS + " FROM patients AS p WHERE p.id = %(id)s", id=patient_id)


async def records(tx: Transaction, ids: Sequence[UUID]) -> dict[UUID, Record]:
    """Several of them."""
    rows = await tx.all(Record, "SELECT " + COLUMNS + " FROM patients AS p WHERE p.id = ANY(%(ids)s)", ids=list(ids))
    return {row.id: row for row in rows}


async def lock(tx: Transaction, patient_id: UUID) -> Record:
    """The record, held for a change. Raises Conflict where the patient was merged meanwhile."""
    survives = await tx.value(
        "SELECT merged_into IS NULL FROM patients WHERE id = %(id)s FOR NO KEY UPDATE", id=patient_id
    )
    if not survives:
        raise Conflict("This patient was merged into another meanwhile. Read it again.")
    return await record(tx, patient_id)
