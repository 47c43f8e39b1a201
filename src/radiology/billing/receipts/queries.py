"""SQL of receipts. `t` is receipts."""
# ruff: noqa: S608 - every piece is a literal and every value a parameter; the type checker proves it by LiteralString.

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import LiteralString
from uuid import UUID

from radiology.access.model import Actor
from radiology.billing.model import Charge
from radiology.billing.receipts.model import Receipt
from radiology.kit.db import Transaction, Where, as_json

_COLUMNS: LiteralString = """
    t.id, t.number, t.order_id, t.facility_code, t.method, t.exact, t.total, t.body, t.issued_by, t.issued_at
    FROM receipts AS t
"""


@dataclass(frozen=True, slots=True)
class Done:
    """A charge that was captured on a day."""

    charge_id: UUID
    item: str
    sensitive: bool
    state: str
    captured_at: datetime
    patient_share: Decimal
    scheme_share: Decimal


async def next_number(tx: Transaction, facility_code: str, year: int) -> int:
    """The next number of a facility in a year, without gaps: whoever wants another waits until this one is issued."""
    return await tx.value(
        """
        INSERT INTO receipt_numbers (facility_code, year, last)
        VALUES (%(facility_code)s, %(year)s, 1)
        ON CONFLICT (facility_code, year) DO UPDATE SET last = receipt_numbers.last + 1
        RETURNING last
        """,
        facility_code=facility_code,
        year=year,
    )


async def insert(tx: Transaction, receipt: Receipt) -> None:
    """Add a receipt."""
    await tx.run(
        """
        INSERT INTO receipts (id, number, order_id, facility_code, method, exact, total, body, issued_by, issued_at)
        VALUES (%(id)s, %(number)s, %(order_id)s, %(facility_code)s, %(method)s, %(exact)s, %(total)s, %(body)s,
            %(issued_by)s, %(issued_at)s)
        """,
        id=receipt.id,
        number=receipt.number,
        order_id=receipt.order_id,
        facility_code=receipt.facility_code,
        method=receipt.method,
        exact=receipt.exact,
        total=receipt.total,
        body=as_json(receipt.body),
        issued_by=receipt.issued_by,
        issued_at=receipt.issued_at,
    )


async def insert_lines(tx: Transaction, receipt_id: UUID, charges: Iterable[Charge]) -> None:
    """Add what a receipt took for each charge, to the paisa."""
    for charge in charges:
        await tx.run(
            """
            INSERT INTO receipt_lines (receipt_id, charge_id, amount)
            VALUES (%(receipt_id)s, %(charge_id)s, %(amount)s)
            """,
            receipt_id=receipt_id,
            charge_id=charge.id,
            amount=charge.balance,
        )


async def load(tx: Transaction, receipt_id: UUID, *, visible_to: Actor) -> Receipt:
    """A receipt. Raises NotFound."""
    where = Where()
    where.add("t.id = {receipt_id}", receipt_id=receipt_id)
    visible_to.add_facility(where, "t.facility_code")
    return await tx.one(Receipt, "SELECT " + _COLUMNS + " WHERE " + where.condition, **where.parameters)


async def of_order(tx: Transaction, order_id: UUID) -> list[Receipt]:
    """The receipts of an order, the oldest first."""
    return await tx.all(
        Receipt, "SELECT " + _COLUMNS + " WHERE t.order_id = %(order_id)s ORDER BY t.id", order_id=order_id
    )


async def of_day(
    tx: Transaction, began: datetime, before: datetime, *, facility_code: str | None, visible_to: Actor
) -> list[Receipt]:
    """The receipts that were issued in a time, in the order of their issue."""
    where = Where()
    where.add("t.issued_at >= {began} AND t.issued_at < {before}", began=began, before=before)
    if facility_code is not None:
        where.add("t.facility_code = {facility}", facility=facility_code)
    visible_to.add_facility(where, "t.facility_code")
    statement: LiteralString = "SELECT " + _COLUMNS + " WHERE " + where.condition + " ORDER BY t.issued_at, t.id"
    return await tx.all(Receipt, statement, **where.parameters)


async def captured(
    tx: Transaction, began: datetime, before: datetime, *, facility_code: str | None, visible_to: Actor
) -> list[Done]:
    """What was captured in a time."""
    where = Where()
    where.add("c.captured_at >= {began} AND c.captured_at < {before}", began=began, before=before)
    if facility_code is not None:
        where.add("c.facility_code = {facility}", facility=facility_code)
    visible_to.add_facility(where, "c.facility_code")
    statement: LiteralString = (
        """
        SELECT c.id AS charge_id, c.item, c.sensitive OR coalesce(s.sensitive, false) AS sensitive, c.state,
            c.captured_at, c.patient_share, c.scheme_share
        FROM charges AS c
        LEFT JOIN imaging_studies AS s ON s.id = c.study_id
        WHERE """
        + where.condition
        + " ORDER BY c.captured_at, c.id"
    )
    return await tx.all(Done, statement, **where.parameters)
