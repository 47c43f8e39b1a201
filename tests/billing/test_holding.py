"""A private facility may keep a report from the patient until it is paid; never STAT, critical, or of an inpatient."""

from datetime import timedelta
from typing import Any

import pytest

import make
from billing.billed import PATH, completed, follow
from conftest import ClientAs
from radiology.app import App
from radiology.orders.model import Order

pytestmark = pytest.mark.anyio

STUDIES = "/api/radiology/studies"
ISSUE = """
    INSERT INTO radiology_reports (study_id, patient_id, status, category, code, issued, author)
    SELECT id, patient_id, 'final', '[]', '{}', now() - interval '2 days', 'account:reader'
    FROM imaging_studies
    """
FACILITY = "INSERT INTO facilities (code, name, ownership) VALUES ('LOCAL', 'Our clinic', 'private')"
HOLD = {"hold": True, "reason": "Decided by the board"}


@pytest.fixture(autouse=True)
async def clinic(app: App) -> None:
    """The facility is a private one."""
    async with app.db.transaction() as tx:
        await tx.run(FACILITY)


async def released(app: App, client_as: ClientAs, order: Order) -> Any:
    """A client of the patient whose report was issued two days ago, at a private facility that holds reports."""
    async with app.db.transaction() as tx:
        await tx.run(ISSUE)
    chief, patient = await client_as("administrator"), await client_as("patient")
    assert (await chief.put(f"{PATH}/facilities/LOCAL/hold", json=HOLD)).status_code == 200
    await make.care(app, "account:patient", order.procedures[0].study_instance_uid, "self")
    await follow(app)
    return patient


async def seen(patient: Any) -> int:
    answer = await patient.get(STUDIES)
    assert answer.status_code == 200, answer.text
    return len(answer.json()["results"])


async def test_the_patient_sees_it_when_it_is_paid_and_who_treats_at_once(app: App, client_as: ClientAs) -> None:
    order = await completed(app)
    patient, doctor = await released(app, client_as, order), await client_as("consultant")
    cashier = await client_as("cashier")
    assert await seen(patient) == 0
    assert await seen(doctor) == 1
    account = (await cashier.get(f"{PATH}/orders/{order.id}")).json()
    assert account["charges"][0]["reportHeld"] is True
    await cashier.post(f"{PATH}/orders/{order.id}/receipts", json={})
    assert await seen(patient) == 1


async def test_a_stat_report_is_never_held(app: App, client_as: ClientAs) -> None:
    assert await seen(await released(app, client_as, await completed(app, priority="stat"))) == 1


async def test_a_critical_report_is_never_held(app: App, client_as: ClientAs) -> None:
    patient = await released(app, client_as, await completed(app))
    assert await seen(patient) == 0
    async with app.db.transaction() as tx:
        assert await tx.run("UPDATE reading_items SET critical = true") == 1
    assert await seen(patient) == 1


async def test_a_report_of_an_inpatient_is_never_held(app: App, client_as: ClientAs) -> None:
    order = await completed(app)
    patient = await released(app, client_as, order)
    async with app.db.transaction() as tx:
        await tx.run(
            """
            INSERT INTO encounters (id, patient_id, facility_code, number, class, status, began_at)
            VALUES (gen_random_uuid(), %(patient)s, 'LOCAL', 'A-1', 'IMP', 'in-progress', %(began)s)
            """,
            patient=order.patient_id,
            began=app.clock.now() - timedelta(days=400),
        )
    assert await seen(patient) == 1


async def test_a_public_facility_holds_nothing(app: App, client_as: ClientAs) -> None:
    patient = await released(app, client_as, await completed(app))
    async with app.db.transaction() as tx:
        await tx.run("UPDATE facilities SET ownership = 'public'")
    assert await seen(patient) == 1
