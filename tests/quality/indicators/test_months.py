"""Months that were added up come to the same as their days."""

import random
from datetime import date, timedelta

import pytest

from radiology.quality.indicators.model import Window
from radiology.quality.indicators.sheets import add_up, read, read_sums

pytestmark = pytest.mark.anyio


async def test_whole_months_and_the_days_beside_them_are_the_sum_of_the_days(app):
    chance = random.Random(1)  # noqa: S311 - not for secrets.
    days = [date(2025, 11, 20) + timedelta(days=number) for number in range(110)]
    async with app.db.transaction() as tx:
        for day in days:
            await tx.run(
                """
                INSERT INTO indicator_days (measure, day, cells, amounts, counted_at)
                VALUES ('images.accepted', %(day)s, int4send(%(cell)s::integer) || int4send(7),
                    int4send(%(amount)s::integer) || int4send(2), now())
                """,
                day=day,
                cell=chance.randint(1, 9),
                amount=chance.randint(1, 500),
            )
        await add_up(tx, "images.accepted", days)
        windows = [Window(date(2025, 12, 1), date(2026, 2, 28)), Window(date(2025, 12, 31), date(2025, 12, 31))]
        for _ in range(40):
            first, last = sorted(chance.sample(days, 2))
            windows.append(Window(first, last))
        for window in windows:
            by_day, summed = await read(tx, "images.accepted", window), await read_sums(tx, "images.accepted", window)
            assert summed.amounts.sum() == by_day.amounts.sum()
            seven = [each.amounts[each.cells == 7].sum() for each in (by_day, summed)]
            assert seven[0] == seven[1]
            assert len(summed.amounts) <= len(by_day.amounts)
