"""When the disk is full: the line through the samples, and what is told of it."""

import shutil
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

import make
from conftest import ClientAs
from radiology.access import accounts
from radiology.app import App
from radiology.kit.clock import SetClock
from radiology.retention import forecast, forecast_queries
from radiology.retention.forecast_model import Day, Part, days_left, growth, slope

FIRST = date(2026, 1, 1)
GIB = 1024**3


def days_of(*used_gib: float, total_gib: int = 100) -> list[Day]:
    return [
        Day(FIRST + timedelta(days=number), int((total_gib - used) * GIB), total_gib * GIB, 0, 0)
        for number, used in enumerate(used_gib)
    ]


@given(st.integers(-1000, 1000), st.integers(0, 10**9), st.integers(3, 60))
def test_the_line_through_points_on_a_line_is_that_line(rate: int, start: int, count: int) -> None:
    samples = [(FIRST + timedelta(days=day), start + rate * day) for day in range(count)]
    assert slope(samples) == pytest.approx(rate, abs=1e-3)


def test_too_few_days_say_nothing() -> None:
    assert slope([(FIRST, 1), (FIRST + timedelta(days=1), 2)]) is None
    assert days_left(days_of(10, 20), [], reserve_bytes=0) is None


@pytest.mark.parametrize(
    ("used", "reserve", "left"),
    [((50, 51, 52, 53), 0, 47), ((50, 51, 52, 53), 7, 40), ((50, 50, 50), 0, None), ((50, 40, 30), 0, None),
     ((97, 98, 99), 2, 0), ((50, 52, 54), 0, 23)],
)  # fmt: skip
def test_days_until_the_reserve(used: tuple[float, ...], reserve: int, left: int | None) -> None:
    assert days_left(days_of(*used), [], reserve_bytes=reserve * GIB) == left


def test_tidying_up_once_does_not_hide_what_is_stored_every_day() -> None:
    days = days_of(50, 51, 30, 31)
    parts = [Part(each.day, "LOCAL", "CT", number, number * GIB) for number, each in enumerate(days)]
    assert growth(days, parts) == GIB


@pytest.mark.anyio
async def test_a_sample_a_day_a_forecast_and_a_notice(app: App, client_as: ClientAs, clock: SetClock) -> None:
    admin = await client_as("administrator")
    assert (await admin.get("/api/radiology/storage/forecast")).status_code == 404
    await make.a_study(app, Modality="MG", StudyDate="20100301")
    clock.advance(60)
    assert [await forecast.sample(app), await forecast.sample(app)] == [1, 0]
    async with app.db.transaction() as tx:  # The days before, on a disk that is nearly full.
        await tx.run("UPDATE storage_days SET free_bytes = %(free)s, total_bytes = %(total)s", free=GIB, total=9 * GIB)
        for back in (1, 2, 3):
            before = Day(clock.now().date() - timedelta(days=back), GIB + back * GIB // 10, 9 * GIB, 0, 0)
            await forecast_queries.save(tx, before)
    told = (await admin.get("/api/radiology/storage/forecast")).json()
    assert told["daysUntilReserve"] == 10
    assert told["facilities"]["LOCAL"]["modalities"]["MG"]["studies"] == 1
    assert (told["wouldFree"]["retentionBytes"] > 0, told["wouldFree"]["recompressionBytes"] > 0) == (True, True)
    assert "radiology_disk_days_until_reserve 10.0" in (await admin.get("/metrics")).text
    assert (await (await client_as("radiologist")).get("/api/radiology/storage/forecast")).status_code == 403


@pytest.mark.anyio
async def test_administrators_are_told_in_good_time(app: App, clock: SetClock) -> None:
    await accounts.make_account(app, "boss", role="administrator")
    usage = shutil.disk_usage(app.objects.root)
    async with app.db.transaction() as tx:
        for back in (1, 2, 3):
            free = usage.free + back * usage.free // 10
            before = Day(clock.now().date() - timedelta(days=back), free, usage.total, 0, 0)
            await forecast_queries.save(tx, before)
    assert await forecast.sample(app) == 1
    async with app.db.transaction() as tx:
        assert await tx.values("SELECT kind FROM notices") == ["storage.full-soon"]
