"""Attach a file to an order, read it, and take it away again."""

import asyncio
import hashlib
from collections.abc import AsyncIterable
from itertools import islice
from typing import Final
from uuid import UUID

from radiology.access.model import Actor, Permission
from radiology.app import App
from radiology.audit import actions as audit
from radiology.errors import Conflict, Invalid, TooLarge
from radiology.kit.db import Transaction
from radiology.kit.ids import uuid7
from radiology.kit.objects import ObjectWriter
from radiology.orders import queries as orders
from radiology.orders.attachments import queries
from radiology.orders.attachments.model import LOOKED_AT, Attachment, file_name, media_type_of

MOST: Final = 50
"""Attachments of one order."""
ABANDONED_SECONDS: Final = 24 * 3600
AT_ONCE: Final = 1000


async def attach(
    app: App, actor: Actor, order_id: UUID | None, name: str, body: AsyncIterable[bytes]
) -> tuple[UUID, UUID]:
    """Attach what comes in; returns the ids of the order and of the attachment, which is the one with the same bytes.

    The bytes are durable before the row is there. Raises NotFound, TooLarge, NotSupported, Conflict, Invalid.
    """
    actor.must(Permission.WRITE)
    async with app.db.transaction() as tx:
        order = await orders.load(tx, order_id, visible_to=actor)
    with app.attachments.create() as writer:
        digest, media_type = await _received(app, writer, body)
        async with app.db.transaction() as tx:
            known = await queries.same(tx, order.id, sha256=digest)
            if known is not None:
                return order.id, known
            await _must_have_room(tx, order.id)
            key = await asyncio.to_thread(writer.commit)
            named = file_name(name, media_type)
            attachment = Attachment(uuid7(), named, media_type, writer.size_bytes, digest, key)
            await queries.insert(tx, order.id, attachment, actor=actor.id)
            await audit.record(tx, actor, "order.attach", str(order.id), detail={"attachment": str(attachment.id)})
    return order.id, attachment.id


async def _received(app: App, writer: ObjectWriter, body: AsyncIterable[bytes]) -> tuple[str, str]:
    digest, beginning, limit = hashlib.sha256(), b"", app.settings.max_attachment_bytes
    async for fragment in body:
        if writer.size_bytes + len(fragment) > limit:
            raise TooLarge(f"An attachment may have at most {limit} bytes. Photograph it with fewer pixels.")
        beginning += fragment[: LOOKED_AT - len(beginning)]
        digest.update(fragment)
        await asyncio.to_thread(writer.write, fragment)
    if not writer.size_bytes:
        raise Invalid("The body is empty: send the bytes of the file.")
    return digest.hexdigest(), media_type_of(beginning)


async def _must_have_room(tx: Transaction, order_id: UUID) -> None:
    if await queries.count(tx, order_id) >= MOST:
        raise Conflict(f"An order has at most {MOST} attachments.")


async def open_attachment(
    app: App, actor: Actor, order_id: UUID | None, attachment_id: UUID
) -> tuple[Attachment, bytes]:
    """An attachment with its bytes. Raises NotFound."""
    async with app.db.transaction() as tx:
        order = await orders.load(tx, order_id, visible_to=actor)
        attachment = await queries.load(tx, order.id, attachment_id)
        await audit.record(tx, actor, "order.attachment-read", str(order.id), detail={"attachment": str(attachment.id)})
    return attachment, await asyncio.to_thread(app.attachments.read, attachment.object_key)


async def detach(app: App, actor: Actor, order_id: UUID | None, attachment_id: UUID, *, reason: str) -> None:
    """Show an attachment no more, such as one of another patient; its bytes are kept. Raises NotFound."""
    actor.must(Permission.WRITE)
    async with app.db.transaction() as tx:
        order = await orders.lock(tx, order_id, visible_to=actor)
        attachment = await queries.load(tx, order.id, attachment_id)
        await queries.remove(tx, attachment.id, actor=actor.id, reason=reason)
        await audit.record(tx, actor, "order.detach", str(order.id), detail={"attachment": str(attachment.id)})


async def tidy(app: App) -> int:
    """Delete what a crash left without a row, and parts; returns how many."""
    removed = await asyncio.to_thread(app.attachments.discard_parts, older_than_seconds=ABANDONED_SECONDS)
    keys = iter(await asyncio.to_thread(_old, app))
    while some := list(islice(keys, AT_ONCE)):
        async with app.db.transaction() as tx:
            lost = set(some) - await queries.named(tx, some)
        for key in lost:
            await asyncio.to_thread(app.attachments.delete, key)
        removed += len(lost)
    return removed


def _old(app: App) -> list[str]:
    limit, files = app.clock.now().timestamp() - ABANDONED_SECONDS, app.attachments
    found = files.keys()
    return [key for key in found if files.path(key).stat().st_mtime < limit]
