"""Attachments of orders over REST."""

from typing import Annotated
from urllib.parse import quote
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response

from radiology.doors.http.actors import CurrentActor, CurrentApp
from radiology.doors.http.answers import JSON
from radiology.kit.ids import uuid_of
from radiology.orders import queries as orders
from radiology.orders.attachments import queries
from radiology.orders.attachments.actions import attach, detach, open_attachment

PATH = "/api/radiology/orders/{order}/attachments"

router = APIRouter(prefix=PATH, tags=["orders"])

#: A browser shows nothing of it by itself, and runs nothing in it.
_SAFE = {"Content-Security-Policy": "default-src 'none'; sandbox", "Cache-Control": "private, no-store"}
_BODY = {
    "requestBody": {
        "required": True,
        "content": {kind: {"schema": {"type": "string", "format": "binary"}} for kind in (
            "application/pdf", "image/jpeg", "image/png", "application/octet-stream")},
    }
}  # fmt: skip
Name = Annotated[str, Query(max_length=200, description="What the file is called.")]
Reason = Annotated[str, Query(min_length=1, max_length=400, description="Why, for the record.")]


@router.post("", status_code=201, response_model=None, openapi_extra=_BODY)
async def post_attachment(
    order: str, request: Request, app: CurrentApp, actor: CurrentActor, name: Name = "request"
) -> Response:
    """Attach a PDF, JPEG or PNG: the body is the file. The same file twice is one attachment."""
    order_id, attachment_id = await attach(app, actor, uuid_of(order), name, request.stream())
    location = f"{PATH.format(order=order_id)}/{attachment_id}"
    return Response(f'{{"id":"{attachment_id}"}}', 201, {"Location": location}, JSON)


@router.get("", response_model=None)
async def get_attachments(order: str, app: CurrentApp, actor: CurrentActor) -> Response:
    """What is attached to an order, oldest first."""
    async with app.db.transaction() as tx:
        found = await orders.load(tx, uuid_of(order), visible_to=actor)
        answer = await queries.listed(tx, found.id, zone=app.settings.time_zone)
    return Response(b'{"results":' + answer + b"}", media_type=JSON)


@router.get("/{attachment_id}", response_model=None)
async def get_attachment(order: str, attachment_id: UUID, app: CurrentApp, actor: CurrentActor) -> Response:
    """The file, byte for byte as it came."""
    attachment, body = await open_attachment(app, actor, uuid_of(order), attachment_id)
    disposition = f"attachment; filename*=UTF-8''{quote(attachment.name, safe='')}"
    return Response(body, 200, _SAFE | {"Content-Disposition": disposition}, attachment.media_type)


@router.delete("/{attachment_id}", status_code=204, response_model=None)
async def delete_attachment(
    order: str, attachment_id: UUID, app: CurrentApp, actor: CurrentActor, reason: Reason
) -> Response:
    """Show an attachment no more, such as one of another patient. It is kept."""
    await detach(app, actor, uuid_of(order), attachment_id, reason=reason)
    return Response(status_code=204)
