"""Whoever guesses waits: attempts are counted in the database per name and address, over processes and restarts.

An attempt is counted before it is looked at, so that many at once are no more than many one after the other.
"""

import hashlib
from datetime import datetime, timedelta
from typing import Final

from radiology.errors import TooManyAttempts
from radiology.kit.db import Transaction

FORGOTTEN_AFTER: Final = timedelta(days=1)
ALLOWED: Final = 10
"""Attempts until the first wait: a minute, then five, then fifteen for every further one."""


async def begin_attempt(tx: Transaction, name: str, address: str, *, now: datetime) -> None:
    """Count an attempt to be somebody. Raises TooManyAttempts for who must wait."""
    await tx.run("DELETE FROM sign_in_attempts WHERE last_at < %(before)s", before=now - FORGOTTEN_AFTER)
    counted = await tx.value(
        """
        INSERT INTO sign_in_attempts AS a (name_sha256, address, attempts, last_at, waits_until)
        VALUES (%(name_sha256)s, %(address)s, 1, %(now)s, %(now)s)
        ON CONFLICT (name_sha256, address) DO UPDATE
        SET attempts = a.attempts + 1,
            last_at = %(now)s,
            waits_until = %(now)s + make_interval(
                mins => coalesce((ARRAY[1, 5, 15])[least(a.attempts + 2 - %(allowed)s, 3)], 0))
        WHERE a.waits_until <= %(now)s
        RETURNING attempts
        """,
        name_sha256=_digest(name),
        address=address,
        now=now,
        allowed=ALLOWED,
    )
    if counted is None:
        await _refuse(tx, name, address, now)


async def forget_attempts(tx: Transaction, name: str, address: str | None = None) -> None:
    """The attempt was right; or, without an address, whoever waits for this name need not."""
    await tx.run(
        """
        DELETE FROM sign_in_attempts
        WHERE name_sha256 = %(name_sha256)s
          AND (%(address)s::text IS NULL OR address = %(address)s)
        """,
        name_sha256=_digest(name),
        address=address,
    )


async def _refuse(tx: Transaction, name: str, address: str, now: datetime) -> None:
    until: datetime = await tx.value(
        "SELECT waits_until FROM sign_in_attempts WHERE name_sha256 = %(name_sha256)s AND address = %(address)s",
        name_sha256=_digest(name),
        address=address,
    )
    minutes = max(1, -int((now - until).total_seconds() // 60))
    wait = "a minute" if minutes == 1 else f"{minutes} minutes"
    raise TooManyAttempts(f"Too many wrong passwords or codes for this name. Wait {wait} and try again.")


def of_codes(name: str) -> str:
    """The name by which codes of the second step are counted."""
    return f"{name}\0code"


def _digest(name: str) -> bytes:
    return hashlib.sha256(name.encode("utf-8", "surrogatepass")).digest()
