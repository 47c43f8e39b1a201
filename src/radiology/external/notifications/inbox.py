"""The inbox of each account: a row, in the transaction of what it tells of, and a job where it is sent, too."""

from collections.abc import Iterable
from typing import Final
from uuid import UUID

from radiology.external.notifications.model import Letter, Message
from radiology.kit import jobs
from radiology.kit.db import Transaction
from radiology.kit.ids import uuid7

JOB: Final = "notices.mail"
"""The job that sends a message by e-mail, too."""


async def place(tx: Transaction, recipients: Iterable[str], message: Message) -> int:
    """Put a message into the inbox of each recipient (as `account:rahim`); returns how many there are."""
    several = list(dict.fromkeys(recipients))
    mailed = set(await tx.values("SELECT recipient FROM notice_addresses WHERE recipient = ANY(%(all)s)", all=several))
    for recipient in several:
        notice_id = uuid7()
        await tx.run(
            """
            INSERT INTO notices (id, recipient, kind, subject, text, about)
            VALUES (%(id)s, %(recipient)s, %(kind)s, %(subject)s, %(text)s, %(about)s)
            """,
            id=notice_id,
            recipient=recipient,
            kind=message.kind,
            subject=message.subject,
            text=message.text,
            about=message.about,
        )
        if recipient in mailed:
            await jobs.enqueue(tx, JOB, {"notice": str(notice_id)})
    return len(several)


async def address_of(tx: Transaction, recipient: str) -> str | None:
    """The address to which somebody's messages are sent, too."""
    return await tx.value("SELECT email FROM notice_addresses WHERE recipient = %(recipient)s", recipient=recipient)


async def save_address(tx: Transaction, recipient: str, email: str | None) -> None:
    """Send somebody's messages to an address, too; None ends it."""
    if email is None:
        await tx.run("DELETE FROM notice_addresses WHERE recipient = %(recipient)s", recipient=recipient)
        return
    await tx.run(
        """
        INSERT INTO notice_addresses (recipient, email)
        VALUES (%(recipient)s, %(email)s)
        ON CONFLICT (recipient) DO UPDATE SET email = excluded.email
        """,
        recipient=recipient,
        email=email,
    )


async def letter_of(tx: Transaction, notice_id: UUID) -> Letter | None:
    """A message that is still to be sent to an address: not sent, not refused, not read meanwhile."""
    return await tx.maybe(
        Letter,
        """
        SELECT id, email, subject, text
        FROM notices
        JOIN notice_addresses USING (recipient)
        WHERE id = %(notice_id)s
          AND mailed_at IS NULL
          AND mail_refused_at IS NULL
          AND read_at IS NULL
        """,
        notice_id=notice_id,
    )


async def note_mailed(tx: Transaction, notice_id: UUID) -> None:
    """A mail server took the message."""
    await tx.run("UPDATE notices SET mailed_at = now() WHERE id = %(notice_id)s", notice_id=notice_id)


async def note_refused(tx: Transaction, notice_id: UUID) -> None:
    """A mail server said that it never takes the message."""
    await tx.run("UPDATE notices SET mail_refused_at = now() WHERE id = %(notice_id)s", notice_id=notice_id)


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
