"""Every indicator through the door, with figures that were counted by hand."""

from datetime import UTC, date, datetime, timedelta

import pytest

import make
from radiology.quality.indicators.counting import BOOKINGS, DEVICES, SOURCES, count_due, mark_days_of_devices
from radiology.quality.indicators.devices import Changed, DeviceDay, seconds_of
from radiology.quality.indicators.fact_queries import mark_due
from radiology.quality.indicators.following import recount
from radiology.quality.indicators.page import INDICATORS as ALL
from radiology.quality.indicators.watching import watch
from radiology.scheduling.model import Span
from reading import id_of

pytestmark = pytest.mark.anyio

PATH = "/api/radiology/quality/indicators"
TODAY = date(2026, 1, 21)


async def counted(app):
    await recount(app)
    async with app.db.transaction() as tx:
        for source in SOURCES:
            await mark_due(tx, source, [TODAY - timedelta(days=n) for n in range(3)], due_at=app.clock.now())
    await count_due(app)


async def asked(client, key, **parameters):
    answer = await client.get(f"{PATH}/{key}", params=parameters)
    assert answer.status_code == 200, answer.text
    return answer.json()["indicators"][key]


async def test_there_are_sixteen_and_each_says_of_how_many_and_when(app, client_as):
    manager = await client_as("manager")
    answer = (await manager.get(PATH)).json()
    assert len(answer["indicators"]) == len(ALL) == 16
    assert answer["window"] == {"from": "2025-12-23", "to": "2026-01-21"}
    assert all(each["n"] == 0 for each in answer["indicators"].values())
    assert all(each["title"]["bn"] for each in answer["indicators"].values())
    assert (await manager.get(f"{PATH}/profit")).status_code == 404
    assert (await manager.get(PATH, params={"by": "reader"})).status_code == 400
    assert (await manager.get(PATH, params={"from": "2026-02-01", "to": "2026-01-01"})).status_code == 400


async def test_rejects_repeats_and_deviations(app, client_as):
    stored = await make.a_study(app, Modality="DX", StudyTime="100000")
    study = await id_of(app, stored.study_instance_uid)
    images = [("PA", "", 0.4), ("PA", "motion", -2.0), ("PA", "", 3.5), ("LAT", "", None), ("", "", 1.0)]
    async with app.db.transaction() as tx:
        await tx.run("DELETE FROM image_exposures")
        for number, (view, rejected, deviation) in enumerate(images):
            await tx.run(
                """
                INSERT INTO image_exposures (study_id, sop_instance_uid, ae_title, modality, view, taken_at, stored_at,
                    rejected, deviation_index)
                VALUES (%(study)s, %(uid)s, 'DX1', 'DX', %(view)s, %(at)s, %(at)s, %(rejected)s, %(deviation)s)
                """,
                study=study,
                uid=f"1.2.{number}",
                view=view,
                rejected=rejected,
                deviation=deviation,
                at=app.clock.now() - timedelta(minutes=number),
            )
    await counted(app)
    manager = await client_as("manager")
    rejects = await asked(manager, "reject-rate")
    assert (rejects["n"], rejects["rejected"], rejects["rate"], rejects["investigate"]) == (5, 1, 0.2, True)
    assert rejects["byCategory"] == {"motion": 1}
    repeats = await asked(manager, "repeat-rate")
    assert (repeats["n"], repeats["repeated"], repeats["rate"]) == (4, 2, 0.5)
    deviations = await asked(manager, "exposure-index")
    assert (deviations["n"], deviations["within1"], deviations["within3"]) == (4, 0.5, 0.75)
    assert deviations["medianDeviation"] == 0.4
    by = await asked(manager, "reject-rate", by="modality", modality="DX,CT")
    assert [(row["group"], row["n"]) for row in by["rows"]] == [({"modality": "DX"}, 5)]


async def test_doses_are_compared_from_twenty_examinations_on(app, client_as):
    async def examine(count):
        for _ in range(count):
            stored = await make.a_study(app, StudyTime="100000")
            async with app.db.transaction() as tx:
                await tx.run(
                    """
                    INSERT INTO dose_examinations (study_id, source, events, performed_at, ae_title, modality,
                        procedure_key, protocol, patient_group, standard_size, doses, effective_dose_method, explain,
                        read_at)
                    VALUES (%(id)s, 'header', 1, %(at)s, 'CT1', 'CT', 'CT_HEAD', 'HEAD', 'adult', true,
                        '{"DLP": 1000}', '', '[]', %(at)s)
                    """,
                    id=await id_of(app, stored.study_instance_uid),
                    at=app.clock.now(),
                )

    manager = await client_as("manager")
    await examine(19)
    await counted(app)
    (few,) = (await asked(manager, "dose"))["protocols"]
    assert (few["status"], few["n"], few["median"]) == ("insufficient", 19, None)
    await examine(1)
    await counted(app)
    (enough,) = (await asked(manager, "dose"))["protocols"]
    assert (enough["n"], enough["median"], enough["thirdQuartile"]) == (20, 1000, 1000)


def at(hour, minute=0):
    return datetime(2026, 1, 21, hour, minute, tzinfo=UTC)


def test_a_device_is_down_only_while_its_room_works_and_nothing_was_planned():
    day = Span(at(0), at(23, 59))
    known = DeviceDay(
        open=(Span(at(8), at(16)),),
        planned=(Span(at(7), at(9)),),
        states=(Changed(1, "down", at(8, 30)), Changed(1, "up", at(10))),
        used=(Span(at(10), at(11)), Span(at(10, 30), at(11, 30)), Span(at(15), at(15, 30))),
    )
    assert seconds_of(day, known, at(23)) == (8 * 3600, 3600, 3600, 2 * 3600, 3)
    # At noon the afternoon is not over: it is neither open nor used yet.
    assert seconds_of(day, known, at(12)) == (4 * 3600, 3600, 3600, 90 * 60, 3)
    assert seconds_of(day, known, at(0)) == (0, 0, 0, 0, 3)


async def test_devices_and_bookings_of_a_facility(app, client_as):
    async with app.db.transaction() as tx:
        await tx.run(
            "INSERT INTO facilities (code, name, ownership, open_all_hours) VALUES ('LOCAL', 'L', 'public', true)"
        )
        await tx.run(
            "INSERT INTO devices (facility_code, ae_title, name, modality) VALUES ('LOCAL', 'CT1', 'CT one', 'CT')"
        )
        await tx.run(
            """
            INSERT INTO performed_procedure_steps (id, sop_instance_uid, facility_code, source_ae_title, status,
                study_instance_uids, modality, started_at, ended_at, attributes)
            VALUES (gen_random_uuid(), '1.2.3', 'LOCAL', 'CT1', 'COMPLETED', '{}', 'CT', %(at)s, %(end)s, '{}')
            """,
            at=app.clock.now() - timedelta(hours=2),
            end=app.clock.now() - timedelta(hours=1),
        )
    assert await mark_days_of_devices(app) == 3
    await count_due(app)
    used = await asked(await client_as("manager"), "utilisation", **{"from": "2026-01-20"})
    # Ten and a half hours of today and all of yesterday, in which an hour was used.
    assert (used["devices"], used["n"], used["openMinutes"], used["occupiedMinutes"]) == (1, 1, 1440 + 630, 60)
    assert used["share"] == round(60 / 2070, 4)
    assert {BOOKINGS, DEVICES} <= set(SOURCES)


async def test_availability_counts_what_nobody_saw_as_away(app, client_as, clock):
    states = iter(("up", "up", "down", "down", "up", "up"))

    async def check(_app):
        worker = next(states)
        return {"database": {"status": "up"}, "worker": {"status": worker}, "hl7_engine": {"status": "not configured"}}

    for _ in range(5):
        await watch(app, check)
        clock.advance(60)
    clock.advance(540)
    await watch(app, check)
    manager = await client_as("manager")
    parts = {each["component"]: each for each in (await asked(manager, "availability"))["components"]}
    # Of 14 minutes: the database was seen for 4, the worker up for 2.
    assert parts["database"]["share"] == round(4 / 14, 4)
    assert parts["worker"]["share"] == round(2 / 14, 4)
    assert set(parts) == {"database", "worker"}
