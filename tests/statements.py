"""Which statements an action sends, as the driver is given them: for counting them, and to ask how they are planned."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from unittest import mock

import psycopg


@dataclass(frozen=True)
class Sent:
    """One statement with its parameters."""

    statement: str
    parameters: dict[str, Any]


@contextmanager
def sent_statements() -> Iterator[list[Sent]]:
    """What coroutines send while the block runs; BEGIN and COMMIT are not among them."""
    sent: list[Sent] = []
    execute = psycopg.AsyncCursor.execute

    async def noted(cursor: Any, query: Any, params: Any = None, **how: Any) -> Any:
        sent.append(Sent(str(query), dict(params or {})))
        return await execute(cursor, query, params, **how)

    with mock.patch.object(psycopg.AsyncCursor, "execute", noted):
        yield sent
