"""From objects in the archive to dose records: the best source counts, and reading again comes to the same."""

from typing import Any

import pytest
from pydicom.uid import (
    ComputedRadiographyImageStorage,
    DigitalXRayImageStorageForPresentation,
    generate_uid,
)

import dose_reports
import make
from dose_reading import settle
from radiology.access.model import SYSTEM
from radiology.app import App
from radiology.dose import queries
from radiology.dose.model import cumulative
from radiology.kit.db import as_json

pytestmark = pytest.mark.anyio


async def one(app: App, statement: Any, **parameters: Any) -> Any:
    async with app.db.transaction() as tx:
        return await tx.value(statement, **parameters)


async def examination(app: App, uid: str) -> Any:
    async with app.db.transaction() as tx:
        study_id = await tx.value("SELECT id FROM imaging_studies WHERE study_instance_uid = %(uid)s", uid=uid)
        return await queries.examination(tx, study_id)


async def a_head_ct(app: App, *events: tuple[float, float], **attributes: Any) -> make.Stored:
    study = generate_uid()
    shared = {"StudyInstanceUID": study, "PatientID": "P1", "StudyDescription": "CT head without contrast"} | attributes
    image = make.an_object(**shared, SeriesInstanceUID=generate_uid(), PatientWeight="62")
    report = dose_reports.ct_report(*events or ((2, 20), (48, 800)), **shared)
    return await make.store(app, image, report)


async def test_a_dose_report_becomes_a_record_for_each_irradiation_event(app: App):
    stored = await a_head_ct(app)

    assert await settle(app) == 1

    found = await examination(app, stored.study_instance_uid)
    assert (found.source, found.events, found.modality, found.procedure_key) == ("rdsr", 2, "CT", "CT_HEAD_WO")
    assert found.doses == {"DLP": 820, "CTDIvol": 48}
    assert (found.effective_dose_msv, found.effective_dose_method) == (pytest.approx(820 * 0.0021), "dlp")
    assert (found.patient_group, found.standard_size, found.weight_kg) == ("adult", True, 62)
    assert await one(app, "SELECT count(*) FROM dose_events WHERE phantom_cm = 16") == 2


async def test_reading_again_changes_nothing_and_tells_nobody(app: App):
    await a_head_ct(app)
    assert await settle(app) == 1
    told = await one(app, "SELECT count(*) FROM outbox WHERE type = 'radiology.dose.recorded.v1'")

    assert await settle(app) == 0

    assert told == 1
    assert await one(app, "SELECT count(*) FROM outbox WHERE type = 'radiology.dose.recorded.v1'") == 1
    assert await one(app, "SELECT count(*) FROM dose_events") == 2


async def test_a_report_that_goes_on_counts_what_both_list_once(app: App):
    uids = [generate_uid(), generate_uid()]
    stored = await a_head_ct(app, (2, 20), uids=uids)
    more = dose_reports.ct_report(
        (2, 20), (48, 800), uids=uids, StudyInstanceUID=stored.study_instance_uid, PatientID="P1"
    )
    await settle(app)
    await make.store(app, more)

    assert await settle(app) == 1

    found = await examination(app, stored.study_instance_uid)
    assert (found.events, found.doses["DLP"]) == (2, 820)


async def test_mpps_counts_where_there_is_no_report_and_headers_where_there_is_neither(app: App):
    header = await make.a_study(
        app,
        SOPClassUID=DigitalXRayImageStorageForPresentation,
        Modality="DX",
        StudyDescription="Chest X-ray PA",
        ImageAndFluoroscopyAreaDoseProduct="1.2",
        EntranceDoseInmGy="0.14",
        ViewPosition="PA",
    )
    performed = await make.a_study(app, Modality="RF", StudyDescription="Barium")
    await a_performed_step(app, performed.study_instance_uid)

    await settle(app)

    found = await examination(app, header.study_instance_uid)
    assert (found.source, found.doses) == ("header", {"DAP": 0.12, "ESD": 0.14, "ESD_PA": 0.14})
    assert (found.procedure_key, found.effective_dose_method) == ("XR_CHEST_PA", "typical")
    stepped = await examination(app, performed.study_instance_uid)
    assert (stepped.source, stepped.doses) == ("mpps", {"DAP": 25, "FLUORO": 95})


async def a_performed_step(app: App, study_instance_uid: str) -> None:
    attributes = {
        "00400300": {"vr": "US", "Value": [95]},
        "0018115E": {"vr": "DS", "Value": [250]},
        "0040030E": {"vr": "SQ", "Value": [{"00180060": {"vr": "DS", "Value": [80]}}]},
    }
    async with app.db.transaction() as tx:
        await tx.run(
            """
            INSERT INTO performed_procedure_steps (id, sop_instance_uid, facility_code, source_ae_title, status,
                study_instance_uids, modality, started_at, attributes)
            VALUES (gen_random_uuid(), '1.2.3', 'LOCAL', 'RF1', 'COMPLETED', ARRAY[%(uid)s], 'RF', now(),
                %(attributes)s)
            """,
            uid=study_instance_uid,
            attributes=as_json(attributes),
        )


async def test_slices_of_one_acquisition_are_one_event(app: App):
    stored = await make.a_study(app, instances=3, CTDIvol=12.5, AcquisitionNumber=2)

    await settle(app)

    found = await examination(app, stored.study_instance_uid)
    assert (found.source, found.events, found.doses) == ("header", 1, {"CTDIvol": 12.5})


async def test_images_keep_their_exposure_index_and_each_exposure_counts_once(app: App):
    shared: dict[str, Any] = {
        "StudyInstanceUID": generate_uid(), "SeriesInstanceUID": generate_uid(), "PatientID": "P7", "Modality": "CR",
        "SOPClassUID": ComputedRadiographyImageStorage, "BodyPartExamined": "CHEST", "ViewPosition": "PA",
        "OperatorsName": "AKTER^SALMA", "ExposureIndex": 176, "TargetExposureIndex": 876,
    }  # fmt: skip
    await make.store(
        app,
        make.an_object(**shared, ImageType=["DERIVED", "PRIMARY"], PresentationIntentType="FOR PRESENTATION"),
        make.an_object(**shared, ImageType=["ORIGINAL", "PRIMARY"], PresentationIntentType="FOR PROCESSING"),
        make.an_object(**shared, ImageType=["DERIVED", "SECONDARY"]),
    )

    await settle(app)

    row = await one(
        app,
        "SELECT json_agg(json_build_array(body_part, view, operator, exposure_index, deviation_index)) "
        "FROM image_exposures",
    )
    assert row == [["CHEST", "PA", "SALMA AKTER", 176, -7.0]]


async def test_a_report_that_is_rubbish_is_passed_over(app: App):
    stored = await a_head_ct(app)
    async with app.db.transaction() as tx:
        await tx.run(
            "UPDATE instances SET attributes = %(rubbish)s WHERE sop_class_uid LIKE '%%.88.67'",
            rubbish=b'{"0040A043": {"vr": "SQ", "Value": ["x", 3]}, "0040A730": 7}',
        )

    assert await settle(app) == 0

    assert await examination(app, stored.study_instance_uid) is None


async def test_the_doses_of_a_patient_add_up_over_a_year(app: App):
    await a_head_ct(app)
    await a_head_ct(app, (50, 1000), StudyDescription="CT head without contrast", StudyDate="20240101")
    await settle(app)
    async with app.db.transaction() as tx:
        await tx.run(
            "UPDATE dose_examinations SET performed_at = '2024-01-01T00:00:00Z' WHERE (doses ->> 'DLP')::float = 1000"
        )
        patient = await tx.value("SELECT patient_id FROM imaging_studies LIMIT 1")
        since = app.clock.now().replace(year=2025)
        found = await queries.received(tx, patient, since=since, visible_to=SYSTEM)

    assert cumulative(found).by_dlp_msv == pytest.approx(820 * 0.0021)
    assert cumulative(found).examinations == 1


@pytest.mark.parametrize(("title", "stays"), [("113039", True), ("113037", False), ("113038", False)])
async def test_doses_outlive_images_that_go_for_their_age_and_no_others(app: App, title: str, stays: bool):
    stored = await a_head_ct(app)
    await settle(app)
    async with app.db.transaction() as tx:
        rejection = await tx.value(
            """
            INSERT INTO rejections (id, study_instance_uid, facility_code, title, category, reason, actor, rejected_at)
            VALUES (gen_random_uuid(), %(uid)s, 'LOCAL', %(title)s, 'other', 'Over', 'system', now())
            RETURNING id
            """,
            uid=stored.study_instance_uid,
            title=title,
        )
        columns = await tx.value(
            "SELECT string_agg(quote_ident(column_name), ', ') FROM information_schema.columns "
            "WHERE table_name = 'instances'"
        )
        hide = f"INSERT INTO rejected_instances ({columns}, rejection_id) SELECT {columns}, %(id)s FROM instances"  # noqa: S608
        await tx.run(hide, id=rejection)
        await tx.run("DELETE FROM instances")
        await tx.run("UPDATE imaging_studies SET number_of_instances = 0")

    await settle(app)

    assert (await examination(app, stored.study_instance_uid) is not None) is stays


async def test_raw_images_tell_the_dose_where_there_are_no_others(app: App):
    stored = await make.a_study(
        app,
        instances=2,
        Modality="DX",
        SOPClassUID=DigitalXRayImageStorageForPresentation,
        PresentationIntentType="FOR PROCESSING",
        ImageAndFluoroscopyAreaDoseProduct="2",
    )

    await settle(app)

    assert (await examination(app, stored.study_instance_uid)).doses == {"DAP": pytest.approx(0.4)}
