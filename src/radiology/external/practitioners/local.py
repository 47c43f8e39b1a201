"""The registry as tables of this service. What is changed in it holds at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from radiology.external.practitioners.model import Practitioner, Privilege
from radiology.kit.db import Database, Transaction, as_json


@dataclass(frozen=True, slots=True)
class _Row:
    reference: str
    name: str
    name_bangla: str
    active: bool
    registration: str | None
    registered_from: date | None
    registered_until: date | None
    specialties: list[str]
    privileges: list[dict[str, Any]]

    @property
    def practitioner(self) -> Practitioner:
        return Practitioner(
            self.reference,
            self.name,
            self.name_bangla,
            self.active,
            self.registration,
            self.registered_from,
            self.registered_until,
            frozenset(self.specialties),
            tuple(map(_privilege, self.privileges)),
        )


@dataclass(frozen=True, slots=True)
class LocalRegistry:
    """Practitioners of the table `practitioners`; those only noted for their family are none."""

    db: Database

    async def find(self, reference: str) -> Practitioner | None:
        """The practitioner of a reference."""
        async with self.db.transaction() as tx:
            return await find(tx, reference)

    async def find_all(self, references: Sequence[str]) -> dict[str, Practitioner]:
        """Those of some references that there are."""
        async with self.db.transaction() as tx:
            return await find_all(tx, references)


async def find(tx: Transaction, reference: str) -> Practitioner | None:
    """The same in a transaction."""
    row = await tx.maybe(
        _Row,
        """
        SELECT reference, name, name_bangla, active, registration, registered_from, registered_until, specialties,
            privileges
        FROM practitioners
        WHERE reference = %(reference)s
          AND name IS NOT NULL
        """,
        reference=reference,
    )
    return row.practitioner if row else None


async def find_all(tx: Transaction, references: Sequence[str]) -> dict[str, Practitioner]:
    """Those of some references that there are."""
    rows = await tx.all(
        _Row,
        """
        SELECT reference, name, name_bangla, active, registration, registered_from, registered_until, specialties,
            privileges
        FROM practitioners
        WHERE reference = ANY(%(references)s)
          AND name IS NOT NULL
        """,
        references=list(references),
    )
    return {row.reference: row.practitioner for row in rows}


async def page(tx: Transaction, *, after: str, limit: int) -> Sequence[Practitioner]:
    """Practitioners in the order of their references, behind one of them."""
    rows = await tx.all(
        _Row,
        """
        SELECT reference, name, name_bangla, active, registration, registered_from, registered_until, specialties,
            privileges
        FROM practitioners
        WHERE reference > %(after)s
          AND name IS NOT NULL
        ORDER BY reference
        LIMIT %(limit)s
        """,
        after=after,
        limit=limit,
    )
    return [row.practitioner for row in rows]


async def holder_of(tx: Transaction, registration: str) -> str | None:
    """The practitioner who has a registration."""
    return await tx.value(
        "SELECT reference FROM practitioners WHERE registration = %(registration)s", registration=registration
    )


async def save(tx: Transaction, practitioner: Practitioner) -> None:
    """Add a practitioner, or change the one of the same reference. Whose family is whose stays. Raises Conflict."""
    await tx.run(
        """
        INSERT INTO practitioners (reference, name, name_bangla, active, registration, registered_from,
            registered_until, specialties, privileges)
        VALUES (%(reference)s, %(name)s, %(name_bangla)s, %(active)s, %(registration)s, %(registered_from)s,
            %(registered_until)s, %(specialties)s, %(privileges)s)
        ON CONFLICT (reference) DO UPDATE
        SET name = excluded.name, name_bangla = excluded.name_bangla, active = excluded.active,
            registration = excluded.registration, registered_from = excluded.registered_from,
            registered_until = excluded.registered_until, specialties = excluded.specialties,
            privileges = excluded.privileges
        """,
        reference=practitioner.reference,
        name=practitioner.name,
        name_bangla=practitioner.name_bangla,
        active=practitioner.active,
        registration=practitioner.registration,
        registered_from=practitioner.registered_from,
        registered_until=practitioner.registered_until,
        specialties=sorted(practitioner.specialties),
        privileges=as_json([_stored(each) for each in practitioner.privileges]),
    )


async def disable(tx: Transaction, reference: str) -> bool:
    """A practitioner works no more. False where there is none."""
    return bool(
        await tx.run(
            "UPDATE practitioners SET active = false WHERE reference = %(reference)s AND name IS NOT NULL",
            reference=reference,
        )
    )


def _stored(privilege: Privilege) -> dict[str, Any]:
    return {
        "facility_code": privilege.facility_code,
        "modalities": sorted(privilege.modalities),
        "begins_on": privilege.begins_on and privilege.begins_on.isoformat(),
        "ends_on": privilege.ends_on and privilege.ends_on.isoformat(),
    }


def _privilege(stored: dict[str, Any]) -> Privilege:
    begins_on, ends_on = (stored[name] and date.fromisoformat(stored[name]) for name in ("begins_on", "ends_on"))
    return Privilege(stored["facility_code"], frozenset(stored["modalities"]), begins_on, ends_on)
