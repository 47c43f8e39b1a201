"""The bookings of a room as an iCalendar (RFC 5545): times, accession numbers and tokens, never a name."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from radiology.app import App
from radiology.kit.db import Transaction
from radiology.scheduling.queries import shown
from radiology.scheduling.queries.shown import FeedRow
from radiology.scheduling.rooms.queries import Room

SINCE: Final = timedelta(days=7)
LONGEST_LINE_BYTES: Final = 75

#: RFC 5545 3.8.1.11 for a VEVENT. Who did not come was to come, so his or her time stays where it was.
_STATUS: Final = {"held": "TENTATIVE", "cancelled": "CANCELLED"}


async def calendar_of(tx: Transaction, app: App, room: Room, *, host: str) -> bytes:
    """The calendar of a room, from a week ago on. `host` makes the UIDs of the events worldwide ones."""
    rows = await shown.feed(tx, room.id, since=app.clock.now() - SINCE)
    return written(rows, room.name, host=host, now=app.clock.now())


def written(rows: Sequence[FeedRow], name: str, *, host: str, now: datetime) -> bytes:
    """The text of a calendar; lines end with CRLF and are folded at 75 bytes (3.1)."""
    events = (line for row in rows for line in _event(row, name, host, now))
    lines = [
        "BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//radiology//scheduling//EN", "CALSCALE:GREGORIAN",
        "METHOD:PUBLISH", f"X-WR-CALNAME:{_text(name)}", *events,
        "END:VCALENDAR",
    ]  # fmt: skip
    return b"".join(piece + b"\r\n" for line in lines for piece in _folded(line))


def _event(row: FeedRow, name: str, host: str, now: datetime) -> Iterator[str]:
    token = f", token {row.token}" if row.token else ""
    yield "BEGIN:VEVENT"
    yield f"UID:{row.id}@{_text(host)}"
    yield f"DTSTAMP:{_moment(row.changed_at or now)}"
    yield f"LAST-MODIFIED:{_moment(row.changed_at or now)}"
    yield f"SEQUENCE:{row.version - 1}"
    yield f"DTSTART:{_moment(row.begins)}"
    yield f"DTEND:{_moment(row.ends)}"
    yield f"SUMMARY:{_text(f'{row.modality} {row.accession_number}{token}')}"
    yield f"LOCATION:{_text(f'{name}, {row.ae_title}')}"
    yield f"STATUS:{_STATUS.get(row.status, 'CONFIRMED')}"
    yield f"CATEGORIES:{_text(row.status.upper())}"
    yield "CLASS:PRIVATE"
    yield "END:VEVENT"


def _moment(moment: datetime) -> str:
    """UTC (3.3.5, form 2)."""
    return f"{moment.astimezone(UTC):%Y%m%dT%H%M%SZ}"


def _text(text: str) -> str:
    """3.3.11."""
    escaped = text.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,")
    return "\\n".join(escaped.splitlines())


def _folded(line: str) -> Iterator[bytes]:
    """Pieces of at most 75 bytes, none of which ends within a character; all but the first begin with a space."""
    piece = b""
    for character in line:
        encoded = character.encode()
        if len(piece) + len(encoded) > LONGEST_LINE_BYTES:
            yield piece
            piece = b" "
        piece += encoded
    yield piece
