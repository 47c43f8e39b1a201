"""Accession numbers: how they are written, and that no two are alike."""

from datetime import date

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ordering import a_patient, placer, said
from radiology.app import App
from radiology.errors import Conflict, Unprocessable
from radiology.kit.db import Database
from radiology.orders import accession
from radiology.orders.actions.place import place_in
from radiology.settings import Settings, SettingsError

DAY = date(2026, 1, 21)
DEFAULT = Settings.model_fields["accession_number_format"].default


@pytest.mark.parametrize(
    ("written", "setting"),
    [
        ("LOCAL2601000007", DEFAULT),
        ("D2600000007", '{"LOCAL": "D{yy}{number:08}", "*": "{number:06}"}'),
        ("0007/21.01.2026", "{number:04}/{dd}.{mm}.{yyyy}"),
    ],
)
def test_a_number_is_written_as_the_facility_wants_it(written: str, setting: str) -> None:
    assert accession.number(setting, "LOCAL", DAY, 7) == written


@pytest.mark.parametrize(
    ("setting", "why"),
    [
        ("A{yy}", "needs one {number:06}"),
        ("{number:06}{number:06}", "needs one"),
        ("{number}", "is none of"),
        ("{number:03}", "is none of"),
        ("{number!r:06}", "is none of"),
        ("{name:06}{number:06}", "is none of"),
        ("{facility.__class__}{number:06}", "is none of"),
        ("A\\{number:06}", "is more than letters"),
        ("{", "Single '{'"),
        ('{"LOCAL": "{number:06}"}', '"*" for all others'),
        ("{facility}{yyyy}{mm}{number:06}", "which has 17 characters"),
    ],
)
def test_a_format_that_cannot_be_used_ends_the_start(setting: str, why: str) -> None:
    with pytest.raises(SettingsError, match="RADI_ACCESSION_NUMBER_FORMAT") as refused:
        accession.check(setting, "LOCAL")
    assert why in str(refused.value)


def test_a_facility_with_a_long_name_is_told_what_to_do() -> None:
    with pytest.raises(Unprocessable, match="accession_number_format"):
        accession.number("{facility}{number:06}", "SAVAR-UPAZILA", DAY, 1)


@given(
    st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-", min_size=1, max_size=16),
    st.dates(date(2020, 1, 1), date(2099, 12, 31)),
    st.integers(0, 10**12),
)
def test_the_usual_format_fits_every_facility_day_and_number(facility: str, on: date, sequence: int) -> None:
    assert 1 <= len(accession.number(DEFAULT, facility, on, sequence)) <= accession.LONGEST


@given(st.integers(0, 10**9), st.integers(1, 999_999))
def test_numbers_that_follow_each_other_are_not_alike(sequence: int, distance: int) -> None:
    assert accession.number(DEFAULT, "LOCAL", DAY, sequence) != accession.number(
        DEFAULT, "LOCAL", DAY, sequence + distance
    )


@pytest.mark.anyio
async def test_64_orders_at_once_have_64_numbers(app: App) -> None:
    """Some bring a number that the service was about to make: it is stepped over."""
    soon = [accession.number(DEFAULT, "LOCAL", app.clock.now().date(), number) for number in range(5, 200, 10)]
    made: list[str] = []

    async def place(number: int) -> None:
        brought = {"accessionNumber": soon.pop()} if number % 8 == 0 else {}
        async with many.transaction() as tx:
            order = await place_in(tx, app, placer(), said(patient=a_patient(number % 10), **brought))
        made.append(order.accession_number)

    many = Database(app.settings.database_dsn, connections=16, wait_seconds=60)
    await many.open()
    try:
        async with anyio.create_task_group() as tasks:
            for number in range(64):
                tasks.start_soon(place, number)
    finally:
        await many.close()
    assert len(made) == len(set(made)) == 64


@pytest.mark.anyio
async def test_one_order_that_comes_16_times_at_once_is_one(app: App) -> None:
    body, made = said(patient=a_patient()), []

    async def place() -> None:
        async with many.transaction() as tx:
            made.append(await place_in(tx, app, placer(), body))

    many = Database(app.settings.database_dsn, connections=16, wait_seconds=60)
    await many.open()
    try:
        async with anyio.create_task_group() as tasks:
            for _ in range(16):
                tasks.start_soon(place)
    finally:
        await many.close()
    assert len({order.id for order in made}) == 1
    assert [order.repeated for order in made].count(False) == 1
    async with app.db.transaction() as tx:
        assert await tx.value("SELECT count(*) FROM scheduled_procedure_steps") == 1
        assert await tx.value("SELECT count(*) FROM patients") == 1


@pytest.mark.anyio
async def test_numbers_begin_again_and_step_over_what_is_taken(app: App) -> None:
    async with app.db.transaction() as tx:
        first = await place_in(tx, app, placer(), said(patient=a_patient()))
        await tx.run("SELECT setval('order_number', 1000000)")
        again = await place_in(tx, app, placer(), said(patient=a_patient()))
    assert first.accession_number == "LOCAL2601000001"
    assert again.accession_number == "LOCAL2601000002", "1 is that of the first order"


@pytest.mark.anyio
async def test_a_number_from_elsewhere_is_kept_where_it_is_free(app: App) -> None:
    async with app.db.transaction() as tx:
        kept = await place_in(tx, app, placer(), said(patient=a_patient(1), accessionNumber="HIS-77"))
    assert kept.accession_number == "HIS-77"
    for number, why in ((1, "Another order of this patient"), (2, "belongs to another patient")):
        with pytest.raises(Conflict, match=why):
            async with app.db.transaction() as tx:
                await place_in(tx, app, placer(), said(patient=a_patient(number), accessionNumber="HIS-77"))
    async with app.db.transaction() as tx:
        other = await place_in(tx, app, placer("OTHER"), said(patient=a_patient(2), accessionNumber="HIS-77"))
    assert other.accession_number == "HIS-77", "unique per facility"
