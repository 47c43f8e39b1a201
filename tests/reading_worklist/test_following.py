"""What is to be read follows studies, orders and reports."""

import asyncio
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

import make
from conftest import ClientAs
from ordering import a_procedure
from radiology.app import App
from radiology.events import OrderChanged, ReadingBreached, ReadingChanged, ReadingHalfTime, emit
from radiology.kit.clock import SetClock
from radiology.reading_worklist.clocks import Hours, elapsed_hours
from radiology.reading_worklist.following import follow_events, tell_late
from radiology.reading_worklist.items import Item
from radiology.reading_worklist.queries import items
from radiology.settings import Settings
from radiology.studies.model import Status
from reading import HEAD, PATH, id_of, images_of, move, order_of, row_of, told, waiting_study

pytestmark = pytest.mark.anyio
OFFICE = Hours(ZoneInfo("Asia/Dhaka"), time(9), time(17), frozenset({5}), frozenset({date(2026, 1, 22)}))


async def followed(app: App, uid: str) -> Item:
    await follow_events(app)
    row = await row_of(app, uid)
    assert row is not None
    return row


async def test_a_study_is_to_be_read_when_its_images_are_complete(app: App) -> None:
    stored = await make.a_study(app, **HEAD)
    await follow_events(app)
    assert await row_of(app, stored.study_instance_uid) is None, "not while images come"
    await move(app, stored.study_instance_uid, Status.COMPLETED)
    row = await followed(app, stored.study_instance_uid)
    assert (row.state, row.arriving, row.modality, row.region) == ("waiting", False, "CT", "head")
    assert row.completed_at == app.clock.now()
    assert row.deadline == app.clock.now() + timedelta(hours=row.sla_hours)
    assert [each["state"] for each in await told(app, ReadingChanged.type)] == ["waiting"]
    await follow_events(app)
    assert len(await told(app, ReadingChanged.type)) == 1


async def test_priority_hours_and_subspecialty_are_those_of_order_and_catalogue(app: App) -> None:
    loinc = {"coding": [{"system": "http://loinc.org", "code": "30799-1", "display": "CT Head WO contrast"}]}
    order = await order_of(app, priority="urgent", procedures=[a_procedure(code=loinc)])
    stored = await images_of(app, order)
    await move(app, stored.study_instance_uid, Status.COMPLETED)
    row = await followed(app, stored.study_instance_uid)
    assert (row.priority, row.subspecialty, row.rvu) == ("urgent", "neuro", 4)
    assert row.procedure_key != ""
    assert 0 < row.sla_hours <= 4


async def test_a_stat_study_is_there_with_its_first_image(app: App) -> None:
    order = await order_of(app, priority="stat", reason="Road traffic accident", reasonCode=None)
    stored = await images_of(app, order)
    row = await followed(app, stored.study_instance_uid)
    assert (row.state, row.priority, row.arriving, row.deadline) == ("waiting", "stat", True, None)
    await move(app, stored.study_instance_uid, Status.COMPLETED)
    row = await followed(app, stored.study_instance_uid)
    assert (row.arriving, row.sla_hours, row.at_once) == (False, 0.5, True)
    assert [each["arriving"] for each in await told(app, ReadingChanged.type)] == [True, False]


async def test_late_images_make_it_arrive_again_and_the_clock_runs_on(app: App, clock: SetClock) -> None:
    uid = await waiting_study(app, PatientID="7")
    first = await followed(app, uid)
    clock.advance(600)
    await make.a_study(app, StudyInstanceUID=uid, PatientID="7", **HEAD)
    row = await followed(app, uid)
    assert (row.arriving, row.state, row.deadline) == (True, "waiting", first.deadline)
    await move(app, uid, Status.COMPLETED)
    row = await followed(app, uid)
    assert (row.arriving, row.completed_at, row.deadline) == (False, first.completed_at, first.deadline)


async def test_old_images_of_an_archive_are_priors_that_nobody_waits_for(app: App) -> None:
    old = await waiting_study(app, StudyDate="20190121")
    assert await row_of(app, old) is None
    order = await order_of(app)
    ordered = await images_of(app, order, StudyDate="20251201")
    await move(app, ordered.study_instance_uid, Status.COMPLETED)
    assert (await followed(app, ordered.study_instance_uid)).state == "waiting"


async def test_what_has_nothing_to_see_is_not_to_be_read(app: App) -> None:
    stored = await make.a_study(app, Modality="SR", **HEAD)
    await move(app, stored.study_instance_uid, Status.COMPLETED)
    assert await row_of(app, stored.study_instance_uid) is None


async def test_entered_in_error_removes_it_and_restoring_brings_it_back(app: App) -> None:
    uid = await waiting_study(app)
    study_id = await id_of(app, uid)
    await move(app, uid, Status.ENTERED_IN_ERROR, "Wrong patient.")
    async with app.db.transaction() as tx:
        removed = await items.lock_one(tx, study_id)
    assert removed is not None
    assert (removed.state, removed.claimed_by) == ("removed", None)
    await move(app, uid, Status.COMPLETED, "It was right.")
    assert (await followed(app, uid)).state == "waiting"


async def test_another_priority_of_the_order_is_another_clock(app: App, clock: SetClock) -> None:
    order = await order_of(app, priority="routine")
    stored = await images_of(app, order)
    await move(app, stored.study_instance_uid, Status.COMPLETED)
    row = await followed(app, stored.study_instance_uid)
    clock.advance(row.sla_hours * 1800)
    assert await tell_late(app) == 1
    async with app.db.transaction() as tx:
        await tx.run("UPDATE orders SET priority = 'stat' WHERE id = %(id)s", id=order.id)
        await emit(tx, OrderChanged(**order.told))
    row = await followed(app, stored.study_instance_uid)
    assert (row.priority, row.sla_hours, row.half_told_at) == ("stat", 1, None)
    clock.advance(1)
    await tell_late(app)
    assert len(await told(app, ReadingHalfTime.type)) == 2, "once for each clock"


async def test_half_time_and_breach_are_told_once_each_by_whoever_comes_first(app: App, clock: SetClock) -> None:
    uid = await waiting_study(app)
    row = await followed(app, uid)
    assert await tell_late(app) == 0
    clock.advance(row.sla_hours * 1800)
    assert [await tell_late(app), await tell_late(app)] == [1, 0]
    clock.advance(row.sla_hours * 1800)
    assert await tell_late(app) == 0, "at the deadline it is in time"
    clock.advance(1)
    assert sum(await asyncio.gather(*(tell_late(app) for _ in range(4)))) == 1
    [half], [breach] = await told(app, ReadingHalfTime.type), await told(app, ReadingBreached.type)
    assert half["due_at"] == breach["due_at"] == row.deadline.isoformat()
    clock.advance(row.sla_hours * 36000)
    assert await tell_late(app) == 0


async def test_a_worker_that_was_away_tells_of_both_at_once(app: App, clock: SetClock) -> None:
    row = await followed(app, await waiting_study(app))
    clock.advance(row.sla_hours * 7200)
    assert await tell_late(app) == 1
    assert len(await told(app, ReadingHalfTime.type)) == len(await told(app, ReadingBreached.type)) == 1


async def test_a_routine_study_waits_in_office_hours_where_the_settings_say_so(settings: Settings, app: App) -> None:
    office = replace(app, settings=settings.model_copy(update={"sla_calendar": "business"}))
    async with app.db.transaction() as tx:
        await tx.run("INSERT INTO calendar_days (facility_code, day, kind) VALUES ('LOCAL', '2026-01-22', 'holiday')")
    row = await followed(office, await waiting_study(office, Modality="MR", StudyDescription="MRI knee"))
    assert (row.priority, row.sla_hours) == ("routine", 24)
    opened = datetime(2026, 1, 21, 10, 30, tzinfo=settings.zone)
    assert row.deadline > opened + timedelta(days=2), "Thursday is a holiday, Friday the weekend"
    assert elapsed_hours(opened, row.deadline, OFFICE) == pytest.approx(row.sla_hours)


async def test_events_that_are_read_again_change_nothing(app: App) -> None:
    uid = await waiting_study(app)
    order = await order_of(app, priority="stat")
    await images_of(app, order)
    await follow_events(app)
    before, row = await told(app, ReadingChanged.type), await row_of(app, uid)
    async with app.db.transaction() as tx:
        await tx.run("DELETE FROM worker_marks WHERE name = 'reading-worklist'")
    assert await follow_events(app) == 0
    assert (await told(app, ReadingChanged.type), await row_of(app, uid)) == (before, row)


async def test_the_row_follows_a_merge_of_patients(app: App, client_as: ClientAs) -> None:
    clerk = await client_as("records")
    for number, name in (("P1", "Rahman^Abdur"), ("P2", "Rohman^Abdur")):
        body = {"identifiers": [{"type": "MR", "value": number}], "name": name}
        assert (await clerk.post("/api/radiology/patients", json=body)).status_code == 201
    uid = await waiting_study(app, PatientID="P2", PatientName="Rohman^Abdur")
    before = await followed(app, uid)
    merge = {"reason": "Registered twice.", "into": "P1"}
    assert (await clerk.post("/api/radiology/patients/P2/merge", json=merge)).status_code == 201
    merged = await followed(app, uid)
    assert merged.patient_id != before.patient_id
    [row] = (await clerk.get(PATH)).json()["results"]
    assert row["patient"]["display"].startswith("Rahman")
    assert (await clerk.post("/api/radiology/patients/P2/unmerge", json={"reason": "They are two."})).status_code == 200
    assert (await followed(app, uid)).patient_id == before.patient_id


async def test_what_becomes_sensitive_is_masked_at_once_and_counted_so_when_the_row_follows(
    app: App, client_as: ClientAs
) -> None:
    uid = await waiting_study(app)
    consultant, reader = await client_as("consultant"), await client_as("radiologist")
    said = {"classes": ["S7"], "reason": "A minister."}
    raised = await consultant.post(f"/api/radiology/studies/{uid}/labels/raise", json=said)
    assert raised.status_code < 300, raised.text
    [row] = (await reader.get(PATH)).json()["results"]
    assert row["masked"] is True
    assert (await followed(app, uid)).sensitive is True
    assert (await reader.get(PATH, params={"modality": "CT"})).json()["results"] == []


async def test_a_study_whose_images_are_rejected_is_not_to_be_read_until_others_come(
    app: App, client_as: ClientAs
) -> None:
    uid = await waiting_study(app, PatientID="9")
    client = await client_as("administrator")
    body = {"title": "113001", "category": "motion", "reason": "Blurred."}
    rejected = await client.post(f"/api/radiology/studies/{uid}/reject", json=body)
    assert rejected.status_code == 201, rejected.text
    assert (await followed(app, uid)).state == "removed"
    assert (await client.get(PATH)).json()["results"] == []
    withdrawn = f"/api/radiology/studies/rejections/{rejected.json()['id']}/withdraw"
    assert (await client.post(withdrawn, json={"reason": "A mistake."})).status_code == 200
    assert (await followed(app, uid)).state == "waiting"
