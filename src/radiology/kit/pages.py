"""Pages of finished JSON, one after the other by the key of the last row (never by OFFSET).

A statement gives one row more than the page holds, each as `json_build_array(body, moment, id)::text`.
"""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from radiology.errors import Invalid


def page(rows: Sequence[str], *, limit: int) -> tuple[bytes, str | None]:
    """The page as a JSON array, and the cursor of the page behind it, None behind the last."""
    shown = [_split(row) for row in rows[:limit]]
    more = len(rows) > limit and shown
    return b"[" + b",".join(body for body, _ in shown) + b"]", _cursor_of(shown[-1][1]) if more else None


def _cursor_of(key: str) -> str:
    """An opaque text for the place behind a row."""
    return base64.urlsafe_b64encode(key.encode()).decode().rstrip("=")


def cursor_behind(moment: datetime, key: UUID) -> str:
    """The same for a row that was read as a value."""
    return _cursor_of(f"{moment.astimezone(UTC).replace(tzinfo=None).isoformat()}|{key}")


def read_cursor(cursor: str) -> tuple[datetime, UUID]:
    """The place that `page` gave. Raises Invalid."""
    try:
        moment, key = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode().split("|")
        return datetime.fromisoformat(moment).replace(tzinfo=UTC), UUID(key)
    except ValueError as error:
        raise Invalid("cursor is not one that this service gave.") from error


def _split(row: str) -> tuple[bytes, str]:
    """`[body, "moment", "id"]` as body and `moment|id`, without parsing the body."""
    body, moment, key = row[1:-1].rsplit(", ", 2)
    return body.encode(), moment.strip('"') + "|" + key.strip('"')


@dataclass(frozen=True, slots=True)
class Keyed:
    """A row of a list that is in the order of a key of its own, which is no secret: a code, a number."""

    body: str
    key: str


def keyed(rows: Sequence[Keyed], *, limit: int) -> tuple[bytes, str | None]:
    """The page as a JSON array, and the key that it ends with, None for the last page."""
    shown = rows[:limit]
    results = ",".join(row.body for row in shown)
    return f"[{results}]".encode(), shown[-1].key if len(rows) > limit and shown else None
