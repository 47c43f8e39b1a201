"""Messages of HIS, taken as they come over a connection."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

import hl7_peer as peers
from radiology.app import App
from radiology.hl7.model import Peer
from radiology.hl7.receiving import receive

Send = Callable[[bytes], Awaitable[peers.Said]]
Value = Callable[..., Awaitable[Any]]


@pytest.fixture
async def send(app: App) -> Send:
    """Sends a message of HIS, which is registered."""
    await peers.register(app, peers.HIS)

    async def ask(raw: bytes) -> peers.Said:
        return peers.Said((await receive(app, raw, Peer("127.0.0.1"))).acknowledgement)

    return ask


@pytest.fixture
async def value(app: App) -> Value:
    """One value of the database."""

    async def ask(statement: Any, **parameters: Any) -> Any:
        async with app.db.transaction() as tx:
            return await tx.value(statement, **parameters)

    return ask
