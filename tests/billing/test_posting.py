"""The billing service hears of each change of a charge once, though its answers are lost and it is away."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from uuid import UUID

import orjson
import pytest

from billing.billed import PATH, completed, follow, moved, one_of
from conftest import ClientAs
from radiology.app import App
from radiology.billing import posting
from radiology.errors import Unavailable, Unprocessable
from radiology.external.billing.http import HTTPBilling
from radiology.external.billing.local import LocalBilling
from radiology.external.billing.model import BillingService, ChargeItem
from radiology.kit.ids import uuid7
from radiology.orders.model import Status as OrderStatus
from reading import order_of

pytestmark = pytest.mark.anyio


@dataclass
class Ledger:
    """A billing service on a socket of its own: it knows every id again, and loses the answers that it is told to."""

    url: str = ""
    items: dict[str, dict[str, Any]] = field(default_factory=dict)
    calls: Counter[str] = field(default_factory=Counter)
    tokens: set[str] = field(default_factory=set)
    lose: int = 0
    status: int = 201

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        headers = dict(line.split(": ", 1) for line in head.split("\r\n")[1:] if line)
        named = {name.lower(): value for name, value in headers.items()}
        body = orjson.loads(await reader.readexactly(int(named["content-length"])))
        key = named["idempotency-key"]
        self.calls[key] += 1
        self.tokens.add(named.get("authorization", ""))
        before = self.items.get(key)
        status = 422 if before not in (None, body) else self.status
        if status == 201:
            self.items[key] = body
        if self.lose:
            self.lose -= 1
        else:
            answer = orjson.dumps({"reference": f"B-{len(self.items)}"})
            writer.write(b"HTTP/1.1 %d X\r\nContent-Length: %d\r\nConnection: close\r\n\r\n" % (status, len(answer)))
            writer.write(answer)
            await writer.drain()
        writer.close()


@asynccontextmanager
async def ledger() -> AsyncIterator[Ledger]:
    """The service, on loopback."""
    other = Ledger()
    server = await asyncio.start_server(other.serve, "127.0.0.1", 0)
    other.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/billing"
    async with server:
        yield other


def an_item(**changes: Any) -> ChargeItem:
    said: dict[str, Any] = {
        "id": uuid7(), "charge_id": uuid7(), "number": 1, "state": "captured", "facility_code": "LOCAL",
        "accession_number": "A1", "patient_reference": "Patient/1", "code": "CT_HEAD_WO", "text": "CT head",
        "price": Decimal("2250.00"), "discount": Decimal("0.00"), "vat": Decimal("0.00"), "scheme": "",
        "scheme_share": Decimal("0.00"), "patient_share": Decimal("2250.00"),
        "occurred_at": "2026-01-21T04:30:00+00:00",
    }  # fmt: skip
    return ChargeItem(**{**said, **changes})


@pytest.fixture(params=["local", "http"])
async def service_of_billing(request: pytest.FixtureRequest, app: App) -> AsyncIterator[BillingService]:
    """Either of the two."""
    if request.param == "local":
        yield LocalBilling(app.db)
        return
    async with ledger() as other:
        yield HTTPBilling(other.url)


async def test_both_take_an_item_once_and_refuse_another_under_its_id(service_of_billing: BillingService) -> None:
    item = an_item()
    assert await service_of_billing.post(item)
    assert await service_of_billing.post(item)
    with pytest.raises(Unprocessable):
        await service_of_billing.post(an_item(id=item.id, number=2))


async def waiting(app: App) -> list[UUID]:
    async with app.db.transaction() as tx:
        return await tx.values(
            """
            SELECT id FROM charge_entries AS e
            WHERE NOT EXISTS (SELECT FROM charge_postings AS p WHERE p.entry_id = e.id)
            ORDER BY charge_id, number
            """
        )


async def told(app: App) -> None:
    """Do the jobs that wait, each until it is done, as the worker does."""
    for entry_id in await waiting(app):
        for _ in range(10):
            try:
                await posting.post(app, {"entry_id": str(entry_id)})
                break
            except Unavailable:
                continue


async def test_lost_answers_are_asked_for_again_and_nothing_is_billed_twice(app: App) -> None:
    async with ledger() as other:
        object.__setattr__(app, "billing", HTTPBilling(other.url, token="secret"))
        order = await order_of(app)
        charge = await one_of(app, order)
        await moved(app, order, OrderStatus.REVOKED)
        await follow(app)
        other.lose = 3
        await told(app)
        assert await waiting(app) == []
        bodies = list(other.items.values())
        assert [(body["number"], body["state"]) for body in bodies] == [(1, "planned"), (2, "credited")]
        assert {body["chargeId"] for body in bodies} == {str(charge.id)}
        assert (bodies[0]["patientShare"], bodies[0]["currency"]) == ("2250.00", "BDT")
        assert sum(other.calls.values()) == 5, "three answers were lost"
        assert other.tokens == {"Bearer secret"}
        await posting.post(app, {"entry_id": next(iter(other.items))})
        assert sum(other.calls.values()) == 5, "a job that is done twice tells nothing twice"


async def test_a_service_that_is_away_is_told_later_and_one_that_refuses_is_on_record(
    app: App, client_as: ClientAs
) -> None:
    cashier = await client_as("cashier")
    async with ledger() as other:
        object.__setattr__(app, "billing", HTTPBilling(other.url))
        charge = await one_of(app, await completed(app))
        (entry,) = await waiting(app)
        other.status = 503
        with pytest.raises(Unavailable):
            await posting.post(app, {"entry_id": str(entry)})
        other.status = 409
        await told(app)
        assert await waiting(app) == []
    history = (await cashier.get(f"{PATH}/charges/{charge.id}/history")).json()["results"]
    assert (history[0]["posting"], "409" in history[0]["postingSentence"]) == ("refused", True)
    async with app.db.transaction() as tx:
        await tx.run("DELETE FROM charge_postings")
    with pytest.raises(Unavailable):
        await posting.post(app, {"entry_id": str(entry)})


async def test_a_sensitive_examination_is_told_by_a_generic_text(app: App) -> None:
    await one_of(app, await completed(app))
    async with app.db.transaction() as tx:
        await tx.run("UPDATE imaging_studies SET sensitive_classes = '{S1}'")
    await told(app)
    async with app.db.transaction() as tx:
        item = await tx.value("SELECT body->'item' FROM billing_items")
    assert item == {"code": "", "text": "Imaging examination"}
