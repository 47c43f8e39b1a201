"""The rules that hold, of those that were published here and those that come with the product."""
# ruff: noqa: S608 - every piece is a literal and every value a parameter; the type checker proves it by LiteralString.

from collections import OrderedDict
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from radiology.access.model import Actor
from radiology.kit.db import Transaction, Where
from radiology.orders.queries import add_visible
from radiology.procedures.appropriateness.ruleset import RuleSet, read, shipped

_MOST_KEPT: Final = 8
_read: OrderedDict[str, RuleSet] = OrderedDict()
"""Sets by version and content's digest: a set is never changed, so it need not be read again."""


async def effective(tx: Transaction, on: date) -> RuleSet:
    """The set that holds on a day."""
    found: list[Any] | None = await tx.value(
        """
        SELECT jsonb_build_array(version, md5(content::text))
        FROM appropriateness_rules
        WHERE withdrawn_at IS NULL
          AND effective_from <= %(day)s
        ORDER BY effective_from DESC, made_at DESC
        LIMIT 1
        """,
        day=on,
    )
    return shipped() if found is None else await _of(tx, *found)


async def by_version(tx: Transaction, version: str) -> RuleSet | None:
    """A set by its version, whether it holds or not."""
    if version == shipped().version:
        return shipped()
    digest: str | None = await tx.value(
        "SELECT md5(content::text) FROM appropriateness_rules WHERE version = %(version)s", version=version
    )
    return None if digest is None else await _of(tx, version, digest)


async def _of(tx: Transaction, version: str, digest: str) -> RuleSet:
    key = f"{version} {digest}"
    if key not in _read:
        content = await tx.value(
            "SELECT content FROM appropriateness_rules WHERE version = %(version)s", version=version
        )
        _read[key] = read(content)
        while len(_read) > _MOST_KEPT:
            _read.popitem(last=False)
    return _read[key]


async def insert(
    tx: Transaction,
    *,
    version: str,
    effective_from: date,
    content: Any,
    reason: str,
    accepted_cases: Sequence[str],
    by: str,
    at: datetime,
) -> bool:
    """Add a set; False where there is one of that version."""
    return bool(
        await tx.run(
            """
            INSERT INTO appropriateness_rules (version, effective_from, content, reason, accepted_cases, made_by,
                made_at)
            VALUES (%(version)s, %(effective_from)s, %(content)s, %(reason)s, %(accepted)s, %(by)s, %(at)s)
            ON CONFLICT DO NOTHING
            """,
            version=version,
            effective_from=effective_from,
            content=content,
            reason=reason,
            accepted=list(accepted_cases),
            by=by,
            at=at,
        )
    )


async def withdraw(tx: Transaction, version: str, *, by: str, at: datetime) -> bool:
    """Let a set hold no more; False where there is none that could."""
    return bool(
        await tx.run(
            """
            UPDATE appropriateness_rules
            SET withdrawn_by = %(by)s, withdrawn_at = %(at)s
            WHERE version = %(version)s
              AND withdrawn_at IS NULL
            """,
            version=version,
            by=by,
            at=at,
        )
    )


async def published(tx: Transaction, *, zone: str) -> bytes:
    """All sets that were published, the newest first, as a JSON array without their content."""
    return await tx.json(
        """
        WITH shown AS MATERIALIZED (SELECT set_config('TimeZone', %(zone)s, true))
        SELECT coalesce(jsonb_agg(jsonb_strip_nulls(jsonb_build_object('version', version,
            'effectiveFrom', effective_from, 'reason', reason, 'acceptedCases', accepted_cases, 'madeBy', made_by,
            'madeAt', made_at, 'withdrawnBy', withdrawn_by, 'withdrawnAt', withdrawn_at))
            ORDER BY effective_from DESC, made_at DESC), '[]')::text
        FROM shown, appropriateness_rules
        """,
        zone=zone,
    )


async def last_orders(tx: Transaction, limit: int, *, visible_to: Actor) -> list[UUID]:
    """The last orders that were placed and not withdrawn."""
    where = Where(["o.status <> 'entered-in-error'"])
    add_visible(where, visible_to)
    return await tx.values(
        "SELECT o.id FROM orders AS o WHERE "
        + where.condition
        + " ORDER BY o.created_at DESC, o.id DESC LIMIT %(limit)s",
        limit=limit,
        **where.parameters,
    )
