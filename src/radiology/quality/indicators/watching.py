"""Whether the parts of the service work, minute by minute, kept as spans: the ground of its availability."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from typing import Any, Final

from radiology.app import App
from radiology.kit.db import Transaction

GAP: Final = timedelta(minutes=3)
"""Whoever looked so long ago says nothing of the time since."""
KEPT: Final = timedelta(days=3 * 366)
Check = Callable[[App], Awaitable[Mapping[str, Mapping[str, Any]]]]


async def watch(app: App, check: Check) -> int:
    """Look at every part and every link to a peer, and keep what was seen; returns how many there are.

    `check` tells of parts by name, each with a `status`: `up`, `down`, or something else where it is not there at all.
    """
    parts = await check(app)
    seen = {name: part["status"] == "up" for name, part in parts.items() if part["status"] in ("up", "down")}
    async with app.db.transaction() as tx:
        seen |= {
            f"link {title}": answered
            for title, answered in await tx.binary(
                "SELECT ae_title, answered FROM remote_health WHERE answered IS NOT NULL"
            )
        }
        for component, up in sorted(seen.items()):
            await _note(tx, app, component, up=up)
        await tx.run("DELETE FROM availability WHERE until < %(before)s", before=app.clock.now() - KEPT)
    return len(seen)


async def _note(tx: Transaction, app: App, component: str, *, up: bool) -> None:
    """Lengthen the last span where it says the same and is not old, else begin another; the last one ends here then."""
    now = app.clock.now()
    same = await tx.value(
        """
        WITH last AS (
            SELECT since, up FROM availability
            WHERE component = %(component)s AND until >= %(recent)s
            ORDER BY since DESC
            LIMIT 1
        )
        UPDATE availability AS span
        SET until = %(now)s
        FROM last
        WHERE span.component = %(component)s AND span.since = last.since
        RETURNING last.up = %(up)s
        """,
        component=component,
        recent=now - GAP,
        now=now,
        up=up,
    )
    if not same:
        await tx.run(
            """
            INSERT INTO availability (component, since, until, up)
            VALUES (%(component)s, %(now)s, %(now)s, %(up)s)
            ON CONFLICT DO NOTHING
            """,
            component=component,
            now=now,
            up=up,
        )
