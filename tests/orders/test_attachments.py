"""Photographs and scans of request forms: what is taken, what is refused, and that nothing is half there."""

import hashlib
import os
from io import BytesIO
from typing import Any
from uuid import UUID

import httpx2
import pytest
from PIL import Image

from ordering import PATH, an_order, placer
from radiology.app import App
from radiology.errors import Unavailable
from radiology.orders.attachments import actions

pytestmark = pytest.mark.anyio

PDF = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"


def picture(kind: str) -> bytes:
    buffer = BytesIO()
    Image.new("RGB", (8, 8), "white").save(buffer, kind)
    return buffer.getvalue()


@pytest.fixture
async def client(client_as: Any) -> httpx2.AsyncClient:
    return await client_as("radiographer")


@pytest.fixture
async def address(client: httpx2.AsyncClient) -> str:
    order = await client.post(PATH, json=an_order())
    return f"{PATH}/{order.json()['id']}/attachments"


@pytest.mark.parametrize(
    ("body", "media_type", "name"),
    [
        (PDF, "application/pdf", "request.pdf"),
        (picture("JPEG"), "image/jpeg", "request.jpg"),
        (picture("PNG"), "image/png", "request.png"),
    ],
    ids=["PDF", "JPEG", "PNG"],
)
async def test_a_form_comes_back_byte_for_byte(
    client: httpx2.AsyncClient, address: str, app: App, body: bytes, media_type: str, name: str
) -> None:
    made = await client.post(address, content=body, headers={"content-type": "text/html"})
    assert made.status_code == 201, made.text
    (listed,) = (await client.get(address)).json()["results"]
    assert (listed["mediaType"], listed["sizeBytes"], listed["name"]) == (media_type, len(body), name)
    assert listed["sha256"] == hashlib.sha256(body).hexdigest()
    found = await client.get(made.headers["location"])
    assert found.content == body
    assert found.headers["content-type"] == media_type
    assert found.headers["content-disposition"] == f"attachment; filename*=UTF-8''{name}"
    assert found.headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in found.headers["content-security-policy"]
    async with app.db.transaction() as tx:
        acts = await tx.values("SELECT action FROM audit_arrivals WHERE starts_with(action, 'order.at') ORDER BY id")
    assert acts == ["order.attach", "order.attachment-read"]


async def test_the_same_file_twice_is_one(client: httpx2.AsyncClient, address: str, app: App) -> None:
    first = await client.post(address, content=PDF, params={"name": "ফরম.pdf"})
    again = await client.post(address, content=PDF)
    assert first.headers["location"] == again.headers["location"]
    (listed,) = (await client.get(address)).json()["results"]
    assert listed["name"].endswith(".pdf")
    assert len(list(app.attachments.keys())) == 1


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"<html><script>alert(1)</script></html>", 415),
        (b"MZ\x90\x00", 415),
        (b"x" * 2000 + PDF, 415),
        (picture("GIF"), 415),
    ],
    ids=["nothing", "HTML", "a program", "a PDF that begins late", "GIF"],
)
async def test_what_is_not_taken_leaves_nothing(
    client: httpx2.AsyncClient, address: str, app: App, body: bytes, status: int
) -> None:
    refused = await client.post(address, content=body, headers={"content-type": "application/pdf"})
    assert refused.status_code == status, refused.text
    assert (await client.get(address)).json()["results"] == []
    assert list(app.attachments.root.glob("**/*.*")) == []


async def test_a_file_that_is_too_long(client: httpx2.AsyncClient, address: str, app: App) -> None:
    refused = await client.post(address, content=PDF + b" " * app.settings.max_attachment_bytes)
    assert refused.status_code == 413
    assert list(app.attachments.root.glob("**/*.*")) == []


async def test_one_of_another_patient_is_shown_no_more_and_kept(
    client: httpx2.AsyncClient, address: str, app: App
) -> None:
    location = (await client.post(address, content=PDF)).headers["location"]
    assert (await client.delete(location)).status_code == 400, "why is missing"
    assert (await client.delete(location, params={"reason": "Of another patient"})).status_code == 204
    assert (await client.get(location)).status_code == 404
    assert (await client.get(address)).json()["results"] == []
    assert len(list(app.attachments.keys())) == 1


async def test_who_may_not_see_the_order_sees_no_attachment(
    client: httpx2.AsyncClient, client_as: Any, address: str, app: App
) -> None:
    location = (await client.post(address, content=PDF)).headers["location"]
    stranger = await client_as("radiologist", name="stranger")
    async with app.db.transaction() as tx:
        await tx.run("UPDATE accounts SET facility_code = 'OTHER' WHERE name = 'stranger'")
    for path in (address, location):
        assert (await stranger.get(path)).status_code == 404
    assert (await stranger.post(address, content=PDF)).status_code == 404
    referrer = await client_as("referrer")
    assert (await referrer.get(location)).status_code == 200
    assert (await referrer.post(address, content=PDF)).status_code == 403


async def test_what_a_crash_left_is_tidied_away(client: httpx2.AsyncClient, address: str, app: App) -> None:
    """The database is lost between the bytes and their row."""
    await client.post(address, content=PDF)
    async with app.db.transaction() as tx:
        await tx.run("CREATE FUNCTION lost() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
                     " RAISE EXCEPTION 'gone' USING ERRCODE = '57P01'; END $$")  # fmt: skip
        await tx.run("CREATE TRIGGER lost BEFORE INSERT ON order_attachments FOR EACH ROW EXECUTE FUNCTION lost()")

    async def body() -> Any:
        yield picture("PNG")

    with pytest.raises(Unavailable):
        await actions.attach(app, placer(), UUID(address.split("/")[-2]), "form", body())
    assert len(list(app.attachments.keys())) == 2
    assert await actions.tidy(app) == 0, "it may be about to get its row"
    for key in list(app.attachments.keys()):
        os.utime(app.attachments.path(key), (0, 0))
    assert await actions.tidy(app) == 1
    assert len(list(app.attachments.keys())) == 1
