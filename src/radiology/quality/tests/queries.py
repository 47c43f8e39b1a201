"""SQL of tests of devices. `d` is devices."""
# ruff: noqa: S608 - every piece is a literal and every value a parameter; the type checker proves it by LiteralString.

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, LiteralString
from uuid import UUID

from radiology.access.model import Actor
from radiology.kit import pages
from radiology.kit.db import Transaction, Where, as_json
from radiology.quality.tests.protocols import PROTOCOLS, Standing

_STANDING: LiteralString = """
    SELECT plan.device_number, plan.test, plan.begun_on, plan.active, last.done_on AS last_on,
        last.passed AS last_passed
    FROM device_test_plans AS plan
    LEFT JOIN LATERAL (
        SELECT done_on, passed
        FROM device_tests
        WHERE device_number = plan.device_number
          AND test = plan.test
        ORDER BY done_on DESC, recorded_at DESC, id DESC
        LIMIT 1
    ) AS last ON true
"""


@dataclass(frozen=True, slots=True)
class Tested:
    """A device that tests are asked of."""

    number: int
    facility_code: str
    name: str
    modality: str
    blocked: str | None


async def devices(tx: Transaction, *, visible_to: Actor, facility: str | None = None) -> list[Tested]:
    """The devices in use of the reader's facilities."""
    where = Where(["d.state <> 'retired'", "d.active"])
    visible_to.add_facility(where, "d.facility_code")
    if facility is not None:
        where.add("d.facility_code = {facility}", facility=facility)
    return await tx.all(
        Tested,
        """
        SELECT d.number, d.facility_code, coalesce(nullif(d.name, ''), d.ae_title, '') AS name, d.modality, d.blocked
        FROM devices AS d
        WHERE """
        + where.condition
        + """
        ORDER BY d.number
        """,
        **where.parameters,
    )


async def begin_plans(tx: Transaction, plans: Sequence[tuple[int, str]], *, on: date) -> int:
    """Ask for tests from a day on, where they are not asked for yet; returns how many are new."""
    return await tx.run(
        """
        INSERT INTO device_test_plans (device_number, test, begun_on)
        SELECT number, test, %(on)s
        FROM unnest(%(numbers)s::bigint[], %(tests)s::text[]) AS given (number, test)
        ON CONFLICT DO NOTHING
        """,
        numbers=[number for number, _ in plans],
        tests=[test for _, test in plans],
        on=on,
    )


async def standings(tx: Transaction, device_numbers: Sequence[int]) -> list[Standing]:
    """How every test of these devices stands that there still is."""
    return await tx.all(
        Standing,
        _STANDING
        + """
        WHERE plan.device_number = ANY(%(numbers)s)
          AND plan.test = ANY(%(tests)s)
        ORDER BY plan.device_number, plan.test
        """,
        numbers=list(device_numbers),
        tests=list(PROTOCOLS),
    )


async def set_plan(tx: Transaction, number: int, test: str, *, active: bool, reason: str, by: str, on: date) -> None:
    """Ask for a test of a device, or no more; one that is asked for again begins anew."""
    await tx.run(
        """
        INSERT INTO device_test_plans (device_number, test, begun_on, active, reason, changed_by)
        VALUES (%(number)s, %(test)s, %(on)s, %(active)s, %(reason)s, %(by)s)
        ON CONFLICT (device_number, test) DO UPDATE
        SET begun_on = CASE WHEN device_test_plans.active THEN device_test_plans.begun_on ELSE excluded.begun_on END,
            active = excluded.active,
            reason = excluded.reason,
            changed_by = excluded.changed_by
        """,
        number=number,
        test=test,
        active=active,
        reason=reason,
        by=by,
        on=on,
    )


async def insert_test(tx: Transaction, columns: Mapping[str, Any]) -> None:
    """Keep what came out of a test. `columns` holds every parameter below."""
    await tx.run(
        """
        INSERT INTO device_tests (id, device_number, test, done_on, results, passed, remark, done_by, recorded_at)
        VALUES (%(id)s, %(device_number)s, %(test)s, %(done_on)s, %(results)s, %(passed)s, %(remark)s, %(done_by)s,
            %(recorded_at)s)
        """,
        **{**columns, "results": as_json(columns["results"])},
    )


async def note_tested(tx: Transaction, number: int) -> None:
    """The registry of devices says when a device last passed a test."""
    await tx.run(
        """
        UPDATE devices
        SET tested_on = last.done_on
        FROM (
            SELECT max(done_on) AS done_on
            FROM device_tests
            WHERE device_number = %(number)s
              AND passed
        ) AS last
        WHERE number = %(number)s
          AND last.done_on IS NOT NULL
          AND tested_on IS DISTINCT FROM last.done_on
        """,
        number=number,
    )


async def tests(
    tx: Transaction, number: int, *, test: str | None, after: tuple[datetime, UUID] | None, limit: int, zone: str
) -> tuple[bytes, str | None]:
    """One page of what came out of the tests of a device, the newest first, as a JSON array, and the next cursor."""
    where = Where()
    where.add("device_number = {number}", number=number)
    if test is not None:
        where.add("test = {test}", test=test)
    if after is not None:
        where.add("(recorded_at, id) < ({at}, {id})", at=after[0], id=after[1])
    rows = await tx.values(
        """
        WITH shown AS MATERIALIZED (SELECT set_config('TimeZone', %(zone)s, true))
        SELECT json_build_array(json_build_object('id', id, 'test', test, 'doneOn', done_on, 'results', results,
            'passed', passed, 'remark', remark, 'doneBy', done_by, 'recordedAt', recorded_at),
            recorded_at AT TIME ZONE 'UTC', id)::text
        FROM shown, device_tests
        WHERE """
        + where.condition
        + """
        ORDER BY recorded_at DESC, id DESC
        LIMIT %(limit)s
        """,
        zone=zone,
        limit=limit + 1,
        **where.parameters,
    )
    return pages.page(rows, limit=limit)


async def take_unwarned(tx: Transaction, device_numbers: Sequence[int], *, on: date) -> list[int]:
    """Of these devices with overdue tests those of which nobody was told on this day; told from now on."""
    return await tx.values(
        """
        WITH warned AS (
            UPDATE device_test_plans
            SET warned_on = %(on)s
            WHERE device_number = ANY(%(numbers)s)
              AND warned_on IS DISTINCT FROM %(on)s
            RETURNING device_number
        )
        SELECT DISTINCT device_number
        FROM warned
        ORDER BY 1
        """,
        numbers=list(device_numbers),
        on=on,
    )
