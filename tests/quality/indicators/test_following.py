"""What is followed event by event is what counting everything anew gives, also when the past changes."""

from datetime import timedelta

import pytest

import make
from radiology.kit import outbox
from radiology.quality.indicators.counting import count_due
from radiology.quality.indicators.following import follow_events, follow_versions, recount
from radiology.quality.indicators.verifying import recount_all, verify
from radiology.reading_worklist import following as reading
from radiology.studies.model import Status
from reading import id_of, images_of, move, order_of

pytestmark = pytest.mark.anyio


async def follow(app):
    async with app.db.transaction() as tx:
        await outbox.place(tx)
    await reading.follow_events(app)
    await follow_events(app)
    await count_due(app)


async def days_of(app):
    """All sheets that hold something."""
    async with app.db.transaction() as tx:
        found = await tx.values(
            "SELECT measure || ' ' || day || ' ' || encode(amounts, 'hex') FROM indicator_days WHERE amounts <> ''"
        )
    return {text.split(" ", 2)[0]: text for text in found if text}, sorted(found)


async def counted_anew(app):
    async with app.db.transaction() as tx:
        await tx.run("DELETE FROM indicator_days")
        await tx.run("DELETE FROM indicator_studies")
    await recount(app)
    await count_due(app)
    return (await days_of(app))[1]


async def test_a_study_counts_from_its_order_to_its_completion(app, clock):
    order = await order_of(app)
    stored = await images_of(app, order, Modality="CT")
    await move(app, stored.study_instance_uid, Status.COMPLETED)
    await follow(app)
    named, found = await days_of(app)
    assert {"stage.start-completed", "studies.completed"} <= set(named)
    assert await counted_anew(app) == found


async def test_what_is_entered_in_error_counts_no_more_in_the_past_either(app):
    first = await make.a_study(app, Modality="CT", StudyTime="100000")
    other = await make.a_study(app, Modality="CT", StudyTime="100000")
    for stored in (first, other):
        await move(app, stored.study_instance_uid, Status.COMPLETED)
    await follow(app)
    before = (await days_of(app))[1]
    await move(app, first.study_instance_uid, Status.ENTERED_IN_ERROR, reason="Never made.")
    await follow(app)
    after = (await days_of(app))[1]
    assert after != before
    assert await counted_anew(app) == after


async def test_following_twice_changes_nothing(app):
    stored = await make.a_study(app, Modality="CT", StudyTime="100000")
    await move(app, stored.study_instance_uid, Status.COMPLETED)
    await follow(app)
    before = await days_of(app)
    await follow(app)
    assert await recount(app) == 0
    assert await days_of(app) == before


async def test_a_preliminary_report_that_left_no_event_is_found(app, clock):
    stored = await make.a_study(app, Modality="CT", StudyTime="100000")
    await move(app, stored.study_instance_uid, Status.COMPLETED)
    await follow(app)
    study = await id_of(app, stored.study_instance_uid)
    async with app.db.transaction() as tx:
        report = await tx.value(
            """
            INSERT INTO radiology_reports (study_id, patient_id, category, code, author)
            SELECT id, patient_id, '[]', '{}', 'account:reader' FROM imaging_studies WHERE id = %(id)s
            RETURNING id
            """,
            id=study,
        )
        await tx.run(
            """
            INSERT INTO report_versions (report_id, version_no, status, content_json, rendered_text, sha256, author_ids,
                signed_at)
            VALUES (%(report)s, 1, 'preliminary', '{}', '', '', '{}', %(at)s)
            """,
            report=report,
            at=clock.now() + timedelta(minutes=5),
        )
    assert await follow_versions(app) == 1
    await count_due(app)
    assert "stage.completed-preliminary" in (await days_of(app))[0]
    assert await follow_versions(app) == 0


async def test_what_was_tampered_with_is_found_and_counted_again(app):
    stored = await make.a_study(app, Modality="CT", StudyTime="100000")
    await move(app, stored.study_instance_uid, Status.COMPLETED)
    await follow(app)
    assert (await verify(app)).holds
    async with app.db.transaction() as tx:
        await tx.run("UPDATE indicator_studies SET final_at = completed_at, rvu = 99")
        await tx.run("UPDATE indicator_days SET amounts = int4send(7), cells = int4send(1) WHERE amounts <> ''")
    verdict = await verify(app)
    assert verdict.wrong_studies == 1
    assert any(each.startswith("studies.completed") for each in verdict.wrong_sheets)
    await recount_all(app)
    assert (await verify(app)).holds
