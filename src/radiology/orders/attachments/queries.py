"""SQL of attachments. Whether the order may be seen is asked before (`orders.queries.load`)."""

from collections.abc import Sequence
from uuid import UUID

from radiology.errors import NotFound
from radiology.kit.db import Transaction
from radiology.orders.attachments.model import Attachment


async def insert(tx: Transaction, order_id: UUID, attachment: Attachment, *, actor: str) -> None:
    """Add an attachment, whose bytes are durable."""
    await tx.run(
        """
        INSERT INTO order_attachments (id, order_id, name, media_type, size_bytes, sha256, object_key, attached_by)
        VALUES (%(id)s, %(order_id)s, %(name)s, %(media_type)s, %(size_bytes)s, %(sha256)s, %(object_key)s, %(actor)s)
        """,
        order_id=order_id,
        id=attachment.id,
        name=attachment.name,
        media_type=attachment.media_type,
        size_bytes=attachment.size_bytes,
        sha256=attachment.sha256,
        object_key=attachment.object_key,
        actor=actor,
    )


async def same(tx: Transaction, order_id: UUID, *, sha256: str) -> UUID | None:
    """The attachment of an order that has the same bytes."""
    return await tx.value(
        """
        SELECT id
        FROM order_attachments
        WHERE order_id = %(order_id)s
          AND sha256 = %(sha256)s
          AND removed_at IS NULL
        """,
        order_id=order_id,
        sha256=sha256,
    )


async def load(tx: Transaction, order_id: UUID, attachment_id: UUID) -> Attachment:
    """One attachment of an order. Raises NotFound."""
    found = await tx.maybe(
        Attachment,
        """
        SELECT id, name, media_type, size_bytes, sha256, object_key
        FROM order_attachments
        WHERE id = %(attachment_id)s
          AND order_id = %(order_id)s
          AND removed_at IS NULL
        """,
        order_id=order_id,
        attachment_id=attachment_id,
    )
    if found is None:
        raise NotFound("There is no such attachment of this order.")
    return found


async def listed(tx: Transaction, order_id: UUID, *, zone: str) -> bytes:
    """The attachments of an order as a JSON array, oldest first."""
    return await tx.json(
        """
        WITH shown AS MATERIALIZED (SELECT set_config('TimeZone', %(zone)s, true))
        SELECT coalesce(jsonb_agg(jsonb_build_object('id', id, 'name', name, 'mediaType', media_type, 'sizeBytes',
            size_bytes, 'sha256', sha256, 'attachedBy', attached_by, 'attachedAt', attached_at)
            ORDER BY attached_at, id), '[]')::text
        FROM shown, order_attachments
        WHERE order_id = %(order_id)s
          AND removed_at IS NULL
        """,
        order_id=order_id,
        zone=zone,
    )


async def count(tx: Transaction, order_id: UUID) -> int:
    """How many attachments an order has; it is kept from all others until the transaction ends."""
    await tx.run("SELECT FROM orders WHERE id = %(order_id)s FOR NO KEY UPDATE", order_id=order_id)
    return await tx.value(
        "SELECT count(*) FROM order_attachments WHERE order_id = %(order_id)s AND removed_at IS NULL", order_id=order_id
    )


async def remove(tx: Transaction, attachment_id: UUID, *, actor: str, reason: str) -> None:
    """Show an attachment no more."""
    await tx.run(
        """
        UPDATE order_attachments
        SET removed_at = now(), removed_by = %(actor)s, removal_reason = %(reason)s
        WHERE id = %(attachment_id)s
        """,
        attachment_id=attachment_id,
        actor=actor,
        reason=reason,
    )


async def named(tx: Transaction, keys: Sequence[str]) -> set[str]:
    """Those of these objects that a row names."""
    return set(
        await tx.values("SELECT object_key FROM order_attachments WHERE object_key = ANY(%(keys)s)", keys=list(keys))
    )
