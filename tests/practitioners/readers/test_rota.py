"""Gaps of a rota, and who is told of them."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from radiology.app import App
from radiology.practitioners.readers.rota.actions import warn_of_gaps
from radiology.practitioners.readers.rota.model import Gap, Turn, gaps
from radiology.practitioners.schemas import EXAMPLE

BEGIN = datetime(2026, 1, 21, 4, 30, tzinfo=UTC)
END = BEGIN + timedelta(hours=24)
ROTAS = "/api/radiology/rotas"


def at(hours: float) -> datetime:
    return BEGIN + timedelta(hours=hours)


def turn(line: int, begins: float, ends: float) -> Turn:
    return Turn(line, "Practitioner/1", at(begins), at(ends))


def test_gaps_of_both_lines() -> None:
    turns = [turn(1, -3, 8), turn(1, 10, 30), turn(2, 0, 24)]
    assert gaps(turns, BEGIN, END) == [Gap(1, at(8), at(10))]
    assert gaps([], BEGIN, END) == [Gap(1, BEGIN, END), Gap(2, BEGIN, END)]
    assert gaps([turn(1, 0, 24), turn(2, 0, 12), turn(2, 12, 24)], BEGIN, END) == []


@given(st.lists(st.tuples(st.integers(-10, 30), st.integers(1, 10)), max_size=8))
def test_each_hour_is_covered_or_in_a_gap(spans: list[tuple[int, int]]) -> None:
    turns = [turn(1, begin, begin + length) for begin, length in spans]
    found = [gap for gap in gaps(turns, BEGIN, END) if gap.line == 1]
    for hour in range(24):
        moment = at(hour + 0.5)
        is_covered = any(each.begins_at <= moment < each.ends_at for each in turns)
        assert is_covered != any(gap.begins_at <= moment < gap.ends_at for gap in found)


@pytest.mark.anyio
async def test_a_rota_is_kept_and_a_gap_is_told_once_a_day(app: App, client_as: Any, clock: Any) -> None:
    admin = await client_as("administrator")
    await admin.put("/api/radiology/practitioners/1", json=EXAMPLE)
    rota = {"name": "Neuro", "subspecialtyGroup": "neuro"}
    assert (await admin.put(f"{ROTAS}/neuro", json=rota)).status_code == 204
    assert (await admin.put(f"{ROTAS}/neuro", json={**rota, "subspecialtyGroup": "brains"})).status_code == 422
    given = {"reader": "Practitioner/1", "beginsAt": at(-1).isoformat(), "endsAt": at(20).isoformat()}
    assert (await admin.post(f"{ROTAS}/neuro/turns", json=given)).status_code == 404, "no reader yet"
    assert (await admin.put("/api/radiology/readers/1", json={})).status_code == 204
    added = await admin.post(f"{ROTAS}/neuro/turns", json=given)
    assert added.status_code == 201
    assert (await admin.post(f"{ROTAS}/neuro/turns", json=given)).status_code == 409
    assert (await admin.post(f"{ROTAS}/neuro/turns", json={**given, "line": "secondary"})).status_code == 201
    assert (await admin.post(f"{ROTAS}/other/turns", json=given)).status_code == 404
    reader = await client_as("radiologist")
    assert (await reader.post(f"{ROTAS}/neuro/turns", json=given)).status_code == 403
    now = (await reader.get(f"{ROTAS}/now")).json()["results"]
    assert [(each["line"], each["reader"]) for each in now] == [
        ("primary", "Practitioner/1"), ("secondary", "Practitioner/1")
    ]  # fmt: skip
    shown = (await reader.get(f"{ROTAS}/neuro")).json()
    assert [each["line"] for each in shown["gaps"]] == ["primary", "secondary"]

    assert await warn_of_gaps(app) == 2
    assert await warn_of_gaps(app) == 0, "once a day"
    notices = (await admin.get("/api/radiology/me/notices")).json()["results"]
    assert [each["kind"] for each in notices] == ["rota", "rota"]
    assert "22/01/2026 06:30" in notices[0]["text"]
    async with app.db.transaction() as tx:
        kinds = await tx.values("SELECT type FROM outbox WHERE key = 'rota:neuro'")
    assert kinds == ["radiology.on-call.gap-found.v1"] * 2
    clock.advance(24 * 3600)
    assert await warn_of_gaps(app) == 0, "the same gap, of which was told already, for the day that it begins on"
    clock.advance(24 * 3600)
    assert await warn_of_gaps(app) == 2

    path = f"{ROTAS}/neuro/turns/{added.json()['id']}"
    assert (await admin.delete(path)).status_code == 204
    assert (await admin.delete(path)).status_code == 404
