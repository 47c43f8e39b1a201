"""What is hidden of a study changes no answer: neither matches nor counts, pages, order or errors."""

import itertools
from collections.abc import Awaitable, Callable

import httpx2
import pytest

from leaks.conftest import World, belongs
from radiology.app import App

pytestmark = pytest.mark.anyio

REST = {
    "modality": ["", "MG", "CT", "MG,DX"],
    "procedure": ["", "24606-6"],
    "date_from": ["", "2026-01-21", "2026-01-21T14:00:00+06:00"],
    "status": ["", "available"],
    "limit": ["1", "50"],
}
QIDO = {
    "ModalitiesInStudy": ["", "MG"],
    "StudyDescription": ["", "*reast*"],
    "StudyTime": ["", "130000-140000"],
    "includefield": ["", "all"],
    "limit": ["1", "50"],
}


async def test_what_is_hidden_changes_no_answer(
    world: World, app: App, client_as: Callable[..., Awaitable[httpx2.AsyncClient]]
) -> None:
    client = await client_as("referrer")
    await belongs(app, "referrer")
    before = await asked(client)
    async with app.db.transaction() as tx:
        changed = await tx.run(
            """
            UPDATE imaging_studies
            SET started = started + interval '3 hours', study_time = '161722', modality = '[]',
                modalities_in_study = '{CT}', procedure_codes = '{24606-6}', study_description = 'Breast',
                number_of_instances = 7, number_of_series = 3, referrer = '[{"display": "Somebody"}]'
            WHERE sensitive
            """
        )
    assert any("cursor" in each for each in before)
    assert changed == len([study for study in world.studies if study.sensitive])
    assert await asked(client) == before


async def asked(client: httpx2.AsyncClient) -> dict[str, tuple[int, str]]:
    """Every combination of criteria, page after page; by the address, the status and what was answered."""
    answers: dict[str, tuple[int, str]] = {}
    for path, criteria in (("/api/radiology/studies", REST), ("/dicomweb/studies", QIDO)):
        for values in itertools.product(*criteria.values()):
            query = {name: value for name, value in zip(criteria, values, strict=True) if value}
            await follow(client, path, query, answers)
    await follow(client, "/api/radiology/reports", {"limit": "1"}, answers)
    return answers


async def follow(
    client: httpx2.AsyncClient, path: str, query: dict[str, str], answers: dict[str, tuple[int, str]]
) -> None:
    for _ in range(8):
        answer = await client.get(path, params=query)
        counted = repr(sorted((name, value) for name, value in answer.headers.items() if name != "x-request-id"))
        answers[f"{path} {sorted(query.items())}"] = (answer.status_code, answer.text + counted)
        following = answer.json().get("next") if path.startswith("/api") and answer.status_code == 200 else None
        if not following:
            return
        query = {**query, "cursor": str(following).rpartition("cursor=")[2]}
