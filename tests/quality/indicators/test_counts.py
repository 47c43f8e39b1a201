"""Indicators of orders, bookings, reports and reviews, compared with values that were counted by hand."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from quality.indicators.test_page import PATH, asked, counted
from quality.peer_review.reviewed import a_final_report, draw
from radiology.reports.schemas import REPORT_EXAMPLE
from radiology.studies.schemas import STUDY_EXAMPLE
from scheduling.house import a_room, an_item, booked

pytestmark = pytest.mark.anyio


async def run(app: Any, statement: str, **values: Any) -> None:
    """One statement."""
    async with app.db.transaction() as tx:
        await tx.run(statement, **values)


async def test_of_five_alerts_two_were_taken_and_saved_what_they_would_have_cost(app, client_as) -> None:
    now = app.clock.now()
    alerts = [
        ("FL-biliary", "accepted", "3000.00", 8.0, 0),
        ("DUP", "accepted", "500.00", 0.5, 0),
        ("PG1", "overridden", None, None, 0),
        ("CM2", "refused", None, None, 1),
        ("CUM", "shown", None, None, 1),
        ("CUM", "shown", None, None, 400),  # Long before the window.
    ]
    for rule, outcome, bdt, msv, days in alerts:
        await run(
            app,
            """
            INSERT INTO order_alerts (id, facility_code, rule, rule_set_version, effect, procedure_key, modality,
                priority, dose_msv, outcome, shown_at, saved_bdt, saved_msv)
            VALUES (%(id)s, 'LOCAL', %(rule)s, '1', 'suggest_alternative', 'CT_HEAD_WO', 'CT', 'routine', 2,
                %(outcome)s, %(at)s, %(bdt)s, %(msv)s)
            """,
            id=uuid4(), rule=rule, outcome=outcome, at=now - timedelta(days=days), bdt=bdt, msv=msv,
        )  # fmt: skip
    found = await asked(await client_as("manager"), "appropriateness")
    told = ("n", "accepted", "overridden", "blocked", "duplicatesAvoided", "savedBDT", "savedMSv", "acceptedShare")
    assert {name: found[name] for name in told} == {
        "n": 5, "accepted": 2, "overridden": 1, "blocked": 1, "duplicatesAvoided": 1, "savedBDT": "3500.00",
        "savedMSv": 8.5, "acceptedShare": 0.4,
    }  # fmt: skip


async def test_of_four_bookings_one_came_and_one_did_not(app, client_as) -> None:
    await a_room(app, await client_as("administrator"))
    client = await client_as("radiographer")
    for number, hour in enumerate(("08:00", "08:30", "09:00", "09:30")):
        await booked(client, await an_item(client, number=number), "CT1", hour)
    await run(app, "UPDATE bookings SET begins = begins - interval '1 day', ends = ends - interval '1 day'")
    for status, hour in (("arrived", 2), ("no-show", 2.5), ("cancelled", 3)):
        # 08:00 of 21 January is 02:00 UTC.
        await run(
            app,
            "UPDATE bookings SET status = %(status)s WHERE extract(hour FROM begins AT TIME ZONE 'UTC') * 60 "
            "+ extract(minute FROM begins AT TIME ZONE 'UTC') = %(minute)s",
            status=status,
            minute=hour * 60,
        )
    await counted(app)
    found = await asked(await client_as("manager"), "bookings")
    # Three are booked: one to come, one who came, one who did not; the fourth was cancelled.
    assert (found["booked"], found["arrived"], found["noShow"], found["cancelled"]) == (3, 1, 1, 1)
    assert (found["noShowShare"], found["cancelledShare"]) == (round(1 / 3, 4), 0.25)


async def test_of_three_final_reports_one_was_amended_and_two_are_their_writers_own(app, client_as) -> None:
    radiographer, reader = await client_as("radiographer"), await client_as("consultant")
    reports = [await a_final_report(radiographer, reader) for _ in range(3)]
    ids = [each["id"] for each in reports]
    await run(app, "UPDATE radiology_reports SET self_approved = (id = ANY(%(ids)s))", ids=ids[:2])
    await run(
        app,
        """
        INSERT INTO report_versions (report_id, version_no, status, content_json, rendered_text, sha256, author_ids,
            signed_at)
        SELECT report_id, version_no + 1, 'amended', content_json, rendered_text, sha256, author_ids, signed_at
        FROM report_versions
        WHERE report_id = %(id)s AND status = 'final'
        """,
        id=ids[0],
    )
    await counted(app)
    found = await asked(await client_as("manager"), "report-quality")
    assert (found["n"], found["later"], found["laterRate"]) == (3, 1, round(1 / 3, 4))
    assert found["selfApprovedShare"] == round(2 / 3, 4)
    assert found["unsignedOver24Hours"] == 0


async def test_of_two_reviewed_reports_one_differs_once_the_committee_has_decided(app, client_as) -> None:
    radiographer, reader = await client_as("radiographer"), await client_as("consultant")
    for _ in range(4):
        await a_final_report(radiographer, reader)
    assert await draw(app) == 4
    score = """
        UPDATE peer_reviews
        SET score = %(score)s, scored_at = final_at, state = %(state)s, counted_score = %(counted)s,
            decided_by = %(by)s, counted_at = CASE WHEN %(state)s = 'counted' THEN final_at END
        WHERE id = (SELECT id FROM peer_reviews WHERE score IS NULL ORDER BY id LIMIT 1)
    """
    await run(app, score, score="1", state="counted", counted="1", by=None)
    await run(app, score, score="3b", state="arbitration", counted=None, by=None)
    await counted(app)
    manager = await client_as("manager")
    found = await asked(manager, "peer-review")
    # Two of four are reviewed; the 3b counts for nothing until it is decided.
    assert (found["n"], found["final"], found["coverage"]) == (2, 4, 0.5)
    assert (found["significant"], found["significantRate"], found["awaitingArbitration"]) == (0, 0.0, 1)
    await run(
        app,
        "UPDATE peer_reviews SET state = 'counted', counted_score = '3b', decided_by = 'account:qa', "
        "counted_at = final_at WHERE state = 'arbitration'",
    )
    found = await asked(manager, "peer-review")
    assert (found["significant"], found["significantRate"], found["awaitingArbitration"]) == (1, 0.5, 0)


async def test_what_waits_for_a_person_and_how_long_the_rest_had_waited(app, client_as) -> None:
    now = app.clock.now()
    waits: list[int | None] = [10, 30, 50, 400, None, None]
    for minutes in waits:
        await run(
            app,
            """
            INSERT INTO quarantine (id, reason, detail, object_key, size_bytes, study_instance_uid, series_instance_uid,
                sop_instance_uid, data_set_sha256, facility_code, received_at, resolved_at)
            VALUES (%(id)s, 'patient_conflict', '', %(id)s::text, 1, '1.2', '1.2.3', '1.2.3.4', 'x', 'LOCAL',
                %(now)s - make_interval(mins => %(minutes)s), CASE WHEN %(is_resolved)s THEN %(now)s END)
            """,
            id=uuid4(), now=now, minutes=minutes or 5, is_resolved=minutes is not None,
        )  # fmt: skip
    found = await asked(await client_as("manager"), "reconciliation")
    # Nearest rank of 10, 30, 50, 400: the second.
    assert (found["n"], found["quarantined"], found["medianMinutesToResolve"]) == (4, 2, 30)
    assert found["unmatchedOpen"] == 0
    await run(app, "INSERT INTO facilities (code, name, ownership, test) VALUES ('LOCAL', 'Training', 'public', true)")
    found = await asked(await client_as("manager"), "reconciliation")
    assert (found["n"], found["quarantined"]) == (0, 0), "what is for training counts nowhere"


async def test_of_three_reports_of_a_trainee_one_was_changed_much_and_one_not_at_all(app, client_as) -> None:
    radiographer, resident = await client_as("radiographer"), await client_as("resident")
    consultant, other = await client_as("consultant"), await client_as("consultant", name="another")
    left_out = ("studyInstanceUID", "accessionNumber")
    study = {name: value for name, value in STUDY_EXAMPLE.items() if name not in left_out}
    reports: list[str] = []
    for number in range(3):
        await radiographer.post("/api/radiology/studies", json={**study, "studyId": f"study-trainee-{number}"})
        report = {**REPORT_EXAMPLE, "studyId": f"study-trainee-{number}"}
        reports.append((await resident.post("/api/radiology/reports", json=report)).json()["id"])
    unsigned = await consultant.put(f"{PATH}/agreements/{reports[0]}", json={"difference": "none"})
    assert unsigned.status_code == 409, "nothing is signed yet"
    for report in reports:
        assert (await consultant.post(f"/api/radiology/reports/{report}/approve")).status_code == 200
    assert (await consultant.put(f"{PATH}/agreements/{reports[0]}", json={"difference": "major"})).status_code == 204
    assert (await consultant.put(f"{PATH}/agreements/{reports[1]}", json={"difference": "minor"})).status_code == 204
    assert (await other.put(f"{PATH}/agreements/{reports[1]}", json={"difference": "none"})).status_code == 403
    assert (await resident.put(f"{PATH}/agreements/{reports[1]}", json={"difference": "none"})).status_code == 403
    await counted(app)
    found = await asked(await client_as("manager"), "trainee-agreement")
    # Of the third nobody said anything, and it was signed word by word as it was.
    assert (found["none"], found["minor"], found["major"], found["notSaid"]) == (1, 1, 1, 0)
    assert (found["agreement"], found["majorShare"]) == (round(1 / 3, 4), round(1 / 3, 4))
