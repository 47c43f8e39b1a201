"""SQL of operators. `o` is operators."""
# ruff: noqa: S608 - every piece is a literal and every value a parameter; the type checker proves it by LiteralString.

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, LiteralString
from uuid import UUID

from radiology.access.model import Actor
from radiology.errors import NotFound
from radiology.kit import pages
from radiology.kit.db import Transaction, Where

BODY: LiteralString = """jsonb_strip_nulls(jsonb_build_object('id', o.id, 'version', o.version,
    'facilityCode', o.facility_code, 'name', o.name, 'sex', o.sex, 'modalities', o.modalities,
    'licenceNumber', o.licence_number, 'licenceUntil', o.licence_until, 'active', o.active))"""


@dataclass(frozen=True, slots=True)
class Known:
    """An operator who is about to change."""

    id: UUID
    facility_code: str
    version: int


async def load(tx: Transaction, operator_id: UUID, *, visible_to: Actor, lock: bool = False) -> Known:
    """An operator of the actor's facilities; `lock`: kept from others until the transaction ends. Raises NotFound."""
    where = Where()
    where.add("o.id = {id}", id=operator_id)
    visible_to.add_facility(where, "o.facility_code")
    locking: LiteralString = " FOR NO KEY UPDATE" if lock else ""
    statement = "SELECT o.id, o.facility_code, o.version FROM operators AS o WHERE " + where.condition + locking
    found = await tx.maybe(Known, statement, **where.parameters)
    if found is None:
        raise NotFound("There is no such operator.")
    return found


async def licensed(tx: Transaction, facility_code: str, licence_number: str) -> UUID | None:
    """The operator of a facility with this licence, kept from all others until the transaction ends."""
    return await tx.value(
        """
        SELECT id
        FROM operators
        WHERE facility_code = %(facility_code)s
          AND licence_number = %(licence_number)s
        FOR NO KEY UPDATE
        """,
        facility_code=facility_code,
        licence_number=licence_number,
    )


async def body(tx: Transaction, operator_id: UUID) -> bytes:
    """An operator who was loaded or written, as JSON."""
    return await tx.json("SELECT " + BODY + "::text FROM operators AS o WHERE o.id = %(id)s", id=operator_id)


@dataclass(frozen=True, slots=True)
class Criteria:
    """What a list is asked for; all that is given must hold."""

    facility_code: str | None = None
    modality: str | None = None
    active: bool | None = None
    after: UUID | None = None
    limit: int = 100


async def listed(tx: Transaction, criteria: Criteria, *, visible_to: Actor) -> tuple[bytes, str | None]:
    """One page of operators as a JSON array, as they came, and the key it ends with where there is another."""
    where = Where()
    visible_to.add_facility(where, "o.facility_code")
    if criteria.facility_code is not None:
        where.add("o.facility_code = {facility}", facility=criteria.facility_code)
    if criteria.modality is not None:
        where.add("{modality} = ANY(o.modalities)", modality=criteria.modality)
    if criteria.active is not None:
        where.add("o.active = {active}", active=criteria.active)
    if criteria.after is not None:
        where.add("o.id > {after}", after=criteria.after)
    rows = await tx.all(
        pages.Keyed,
        "SELECT " + BODY + "::text AS body, o.id::text AS key FROM operators AS o WHERE " + where.condition
        + " ORDER BY o.id LIMIT %(limit)s",
        limit=criteria.limit + 1,
        **where.parameters,
    )  # fmt: skip
    return pages.keyed(rows, limit=criteria.limit)


_COLUMNS: LiteralString = "facility_code, name, sex, modalities, licence_number, licence_until, active"
_VALUES: LiteralString = """%(facility_code)s, %(name)s, %(sex)s, %(modalities)s, %(licence_number)s,
    %(licence_until)s, %(active)s"""


async def insert(tx: Transaction, operator_id: UUID, columns: Mapping[str, Any]) -> None:
    """Add an operator. `columns` holds every parameter above. Raises Conflict for a licence that is there."""
    await tx.run("INSERT INTO operators (id, " + _COLUMNS + ") VALUES (%(id)s, " + _VALUES + ")", id=operator_id,
                 **columns)  # fmt: skip


async def save(tx: Transaction, operator_id: UUID, columns: Mapping[str, Any]) -> bool:
    """Change an operator who is locked; False where it says so already. `columns` holds every parameter above."""
    return bool(
        await tx.run(
            "UPDATE operators SET (" + _COLUMNS + ", version) = (" + _VALUES + ", version + 1) "
            "WHERE id = %(id)s AND (" + _COLUMNS + ") IS DISTINCT FROM (" + _VALUES + ")",
            id=operator_id,
            **columns,
        )
    )
