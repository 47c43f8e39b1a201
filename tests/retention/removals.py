"""Steps of a removal, through the doors, and looks into the database."""

from typing import Any

import httpx2

from radiology.app import App

BASE = "/api/radiology/retention"
OLD = {"StudyDate": "20100301", "PatientBirthDate": "19700101"}
REASON = {"reason": "The committee has decided so."}
DAY = 24 * 3600.0


async def switched_on(client: httpx2.AsyncClient, **more: int) -> None:
    answer = await client.put(f"{BASE}/switch", json={"removes": True, **REASON, **more})
    assert answer.status_code == 200, answer.text


async def approved(
    first: httpx2.AsyncClient, second: httpx2.AsyncClient, *, last_copies: bool = True, **body: Any
) -> str:
    """The id of a removal that two persons have agreed to."""
    proposed = await first.post(f"{BASE}/removals", json={**REASON, **body})
    assert proposed.status_code == 201, proposed.text
    path = f"{BASE}/removals/{proposed.json()['id']}"
    decision = {"approve": True, "lastCopies": last_copies, "answer": "Agreed by the head of department."}
    answer = await second.post(f"{path}/decision", json=decision)
    assert answer.status_code == 202, answer.text
    return path


async def items_of(client: httpx2.AsyncClient, path: str) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = (await client.get(path)).json()["items"]
    return items


async def states_of(client: httpx2.AsyncClient, path: str) -> list[str]:
    return [item["state"] for item in await items_of(client, path)]


async def value(app: App, statement: Any, **parameters: Any) -> Any:
    async with app.db.transaction() as tx:
        return await tx.value(statement, **parameters)


async def run(app: App, statement: Any, **parameters: Any) -> None:
    async with app.db.transaction() as tx:
        await tx.run(statement, **parameters)


def files_of(app: App) -> list[str]:
    return list(app.objects.keys())
