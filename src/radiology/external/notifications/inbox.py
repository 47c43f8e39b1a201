"""The inbox of each account: a row, in the transaction of what it tells of."""

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from radiology.kit.db import Transaction
from radiology.kit.ids import uuid7


@dataclass(frozen=True, slots=True)
class Message:
    """What somebody is told. `about` says of what, as BreakGlass/<id>."""

    kind: str
    subject: str
    text: str
    about: str


async def place(tx: Transaction, recipients: Iterable[str], message: Message) -> int:
    """Put a message into the inbox of each recipient (as `account:rahim`); returns how many there are."""
    count = 0
    for recipient in dict.fromkeys(recipients):
        count += await tx.run(
            """
            INSERT INTO notices (id, recipient, kind, subject, text, about)
            VALUES (%(id)s, %(recipient)s, %(kind)s, %(subject)s, %(text)s, %(about)s)
            """,
            id=uuid7(),
            recipient=recipient,
            kind=message.kind,
            subject=message.subject,
            text=message.text,
            about=message.about,
        )
    return count


async def messages_of(tx: Transaction, recipient: str, *, limit: int) -> bytes:
    """The newest messages of somebody, as a JSON array."""
    return await tx.json(
        """
        SELECT coalesce(json_agg(json_build_object('id', id, 'kind', kind, 'subject', subject, 'text', text,
            'about', about, 'madeAt', made_at, 'readAt', read_at) ORDER BY made_at DESC, id DESC), '[]')::text
        FROM (
            SELECT id, kind, subject, text, about, made_at, read_at
            FROM notices
            WHERE recipient = %(recipient)s
            ORDER BY made_at DESC, id DESC
            LIMIT %(limit)s
        ) AS newest
        """,
        recipient=recipient,
        limit=limit,
    )


async def note_read(tx: Transaction, recipient: str, notice_id: UUID) -> bool:
    """Somebody has read a message. False where it is not his or hers."""
    return bool(
        await tx.run(
            """
            UPDATE notices
            SET read_at = coalesce(read_at, now())
            WHERE id = %(notice_id)s
              AND recipient = %(recipient)s
            """,
            notice_id=notice_id,
            recipient=recipient,
        )
    )
