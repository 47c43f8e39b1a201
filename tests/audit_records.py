"""What is in the audit record, once all that waits is written."""

import asyncio
from typing import Any

from fastapi import FastAPI

from radiology.app import App
from radiology.audit import sealing, search
from radiology.audit.model import Record
from radiology.audit.search import Criteria

OWN = ("service.", "account.", "token.")


async def records(app: App, service: FastAPI | None = None, *, sealed: bool = True, **criteria: Any) -> list[Record]:
    """Oldest first, without those of starting and stopping and of the accounts of the test."""
    if service is not None:
        trail = service.state.archive.trail
        for _ in range(400):
            trail.flush()
            if not trail.waiting_bytes:
                break
            await asyncio.sleep(0.01)
        assert not trail.waiting_bytes
    if sealed:
        await sealing.seal_arrivals(app)
    async with app.db.transaction() as tx:
        found = await search.find(tx, Criteria(limit=500, **criteria))
    return [record for record in reversed(found) if not record.action.startswith(OWN)]
