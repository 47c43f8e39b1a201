"""Charges follow orders and studies: planned, captured, credited, each once, whatever dies in between."""

import signal
import subprocess
import sys
from dataclasses import replace
from decimal import Decimal
from typing import Any
from uuid import UUID

import anyio
import orjson
import psycopg
import pytest

from billing.billed import charges_of, complete_without_images, completed, follow, history, moved, one_of
from ordering import a_patient, a_procedure, said
from radiology.access.model import SYSTEM
from radiology.app import App
from radiology.billing.following import follow_events
from radiology.kit import outbox
from radiology.orders.actions.change import change_order
from radiology.orders.model import Order
from radiology.orders.model import Status as OrderStatus
from radiology.studies.actions.reject import reject, withdraw
from radiology.studies.model import Status
from radiology.studies.rejection import Category, Title
from reading import HEAD_OF_DEPARTMENT, images_of, move, order_of
from waiting import until

pytestmark = pytest.mark.anyio

#: Whoever comes to the last statement waits there, so that it is killed with all others done.
STALL = """
    CREATE FUNCTION stall() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        PERFORM pg_sleep(60);
        RETURN NEW;
    END
    $$;
    CREATE TRIGGER stall BEFORE INSERT OR UPDATE ON worker_marks FOR EACH ROW EXECUTE FUNCTION stall()
    """
STALLED = "SELECT 1 FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND datname = current_database()"
FOLLOWER = """
import asyncio, sys
import orjson
from radiology.app import App
from radiology.billing.following import follow_events
from radiology.settings import Settings

async def follow(settings):
    app = App.of(Settings(**settings))
    await app.db.open()
    await follow_events(app)

asyncio.run(follow(orjson.loads(sys.argv[1])))
"""
D = Decimal


async def test_an_order_plans_a_charge_and_its_completed_study_captures_it(app: App) -> None:
    order = await order_of(app)
    planned = await one_of(app, order)
    assert (planned.state, planned.procedure_key, planned.list_price) == ("planned", "CT_HEAD_WO", D("2250.00"))
    assert planned.patient_share == D("2250.00")
    stored = await images_of(app, order)
    assert (await one_of(app, order)).state == "planned"
    await move(app, stored.study_instance_uid, Status.COMPLETED)
    captured = await one_of(app, order)
    assert (captured.state, captured.captured_at) == ("captured", app.clock.now())
    assert await history(app, captured) == ["plan", "capture"]


async def test_nothing_changes_when_it_is_followed_again(app: App) -> None:
    order = await completed(app)
    charge = await one_of(app, order)
    async with app.db.transaction() as tx:
        await outbox.had(tx, "billing", 0)
    assert await one_of(app, order) == charge


async def test_a_draft_is_charged_when_it_is_ordered(app: App) -> None:
    order = await order_of(app, status="draft")
    assert await charges_of(app, order) == []
    await moved(app, order, OrderStatus.ACTIVE)
    assert (await one_of(app, order)).state == "planned"


async def test_what_is_cancelled_is_credited_and_what_is_reinstated_planned_again(app: App) -> None:
    order = await order_of(app)
    await follow(app)
    await moved(app, order, OrderStatus.REVOKED)
    credited = await one_of(app, order)
    assert (credited.state, credited.owed) == ("credited", D(0))
    await moved(app, order, OrderStatus.ACTIVE)
    assert (await one_of(app, order)).state == "planned"
    assert await history(app, credited) == ["plan", "credit", "reinstate"]


async def test_what_was_entered_in_error_is_credited_and_what_is_restored_captured(app: App) -> None:
    order = await completed(app)
    uid = order.procedures[0].study_instance_uid
    await follow(app)
    await move(app, uid, Status.ENTERED_IN_ERROR, "Another patient lay on the table.")
    assert (await one_of(app, order)).state == "credited"


async def test_a_completed_study_without_images_is_charged_by_its_reason(app: App) -> None:
    order = await order_of(app)
    uid = order.procedures[0].study_instance_uid
    await move(app, uid, Status.IN_PROGRESS)
    await complete_without_images(app, uid)
    assert (await one_of(app, order)).state == "captured"


async def test_a_changed_order_is_priced_anew_and_what_is_taken_out_credited(app: App) -> None:
    order = await order_of(app, procedures=[a_procedure(), a_procedure("DX", "Chest X-ray")])
    first, second = await charges_of(app, order)
    body = said(patient=a_patient(1001), procedures=[a_procedure(text="HRCT chest")])
    body = body.model_copy(update={"placerNumber": order.placer_number})
    await change_order(
        app, replace(HEAD_OF_DEPARTMENT, id="account:clerk"), order.id, body, reason="Asked", version=None
    )
    changed, taken_out = await charges_of(app, order)
    assert (changed.procedure_key, taken_out.state) == ("CT_CHEST_HRCT", "credited")
    assert changed.list_price != first.list_price
    assert second.state == "planned"


async def test_what_the_catalogue_does_not_know_has_no_price_yet(app: App) -> None:
    charge = await one_of(app, await order_of(app, procedures=[a_procedure(text="Something of our own")]))
    assert (charge.list_price, charge.item, charge.patient_share) == (None, "Something of our own", D(0))


async def rejected(app: App, order: Order, title: Title = Title.QUALITY) -> Any:
    """All images of an order rejected."""
    uid = order.procedures[0].study_instance_uid
    actor = replace(SYSTEM, id="account:qa", role="qa")
    return await reject(
        app, actor, uid, title=title, category=Category.MOTION, reason="Blurred", series=[], instances=[]
    )


async def test_the_repeat_of_a_quality_reject_is_never_billed(app: App) -> None:
    first = await completed(app)
    await rejected(app, first)
    repeat, another = await order_of(app), await order_of(app)
    charge = await one_of(app, repeat)
    assert (charge.waived, charge.patient_share) == ("repeat", D(0))
    assert charge.repeats == (await one_of(app, first)).id
    assert (await one_of(app, another)).waived == "", "an examination is repeated once"


async def test_a_repeat_that_was_ordered_before_the_rejection_is_not_billed_either(app: App) -> None:
    first = await completed(app)
    await follow(app)
    repeat = await order_of(app)
    assert (await one_of(app, repeat)).patient_share == D("2250.00")
    rejection = await rejected(app, first)
    assert (await one_of(app, repeat)).patient_share == D(0)
    await withdraw(
        app,
        replace(SYSTEM, id="account:head", role="administrator"),
        UUID(orjson.loads(rejection)["id"]),
        reason="They are good.",
    )
    assert (await one_of(app, repeat)).patient_share == D("2250.00")


async def test_other_rejections_and_other_patients_are_no_repeats(app: App) -> None:
    first = await completed(app)
    await rejected(app, first, Title.PATIENT_SAFETY)
    assert (await one_of(app, await order_of(app))).waived == ""
    await rejected(app, await completed(app, 1002))
    assert (await one_of(app, await order_of(app, 1003))).waived == ""


async def test_more_images_of_the_same_study_are_charged_once(app: App) -> None:
    order = await completed(app)
    await follow(app)
    await rejected(app, order)
    await images_of(app, order, InstanceNumber=2)
    charge = await one_of(app, order)
    assert (charge.state, await history(app, charge)) == ("captured", ["capture"])


async def test_two_workers_charge_once(app: App) -> None:
    order = await completed(app)
    async with app.db.transaction() as tx:
        await outbox.place(tx)
    async with anyio.create_task_group() as tasks:
        for _ in range(4):
            tasks.start_soon(follow_events, app)
    charge = await one_of(app, order)
    assert (charge.state, charge.version) == ("captured", 1)


async def test_a_worker_that_is_killed_leaves_nothing_half_charged(app: App) -> None:
    order = await completed(app)
    async with app.db.transaction() as tx:
        await outbox.place(tx)
        await tx.run(STALL)
    settings = {"data_dir": str(app.settings.data_dir), "database_url": app.db.dsn}
    await anyio.to_thread.run_sync(_killed_when_stalled, app.db.dsn, orjson.dumps(settings).decode())
    async with app.db.transaction() as tx:
        await tx.run("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event = 'PgSleep'")
        await tx.run("DROP TRIGGER stall ON worker_marks")
        assert await tx.value("SELECT count(*) FROM charges") == 0
    charge = await one_of(app, order)
    assert (charge.state, await history(app, charge)) == ("captured", ["capture"])
    async with app.db.transaction() as tx:
        waiting = "SELECT count(*) FROM jobs.procrastinate_jobs WHERE task_name = 'billing.post'"
        assert await tx.value(waiting) == 1


def _killed_when_stalled(dsn: str, settings: str) -> None:
    with (
        psycopg.connect(dsn, autocommit=True) as connection,
        subprocess.Popen([sys.executable, "-c", FOLLOWER, settings]) as follower,
    ):
        until(lambda: bool(connection.execute(STALLED).fetchone()), seconds=60)
        follower.send_signal(signal.SIGKILL)
        follower.wait(10)
