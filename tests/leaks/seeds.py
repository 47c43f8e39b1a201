"""What else tells of a study, each with a text of its own: worklist entries, workitems, moves, films and more."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from pydicom.dataset import Dataset
from pydicom.uid import generate_uid

from leaks.bookings import seed_booking
from leaks.charges import seed_charge
from procedure_steps import task
from radiology.access.model import application_entity
from radiology.app import App
from radiology.kit.db import Transaction
from radiology.kit.ids import uuid7
from radiology.modality_worklist.actions.place import place_item
from radiology.modality_worklist.schemas import WorklistItemIn
from radiology.orders.actions.place import place_in
from radiology.orders.schemas import OrderIn
from radiology.workitems.actions import create_workitem

_INSERTS = {
    "job_id": """
        INSERT INTO moves (id, study_id, destination, priority, status, sentence, asked_by)
        VALUES (%(id)s, %(study_id)s, 'STATION', 'low', 'failed', %(secret)s || ' move', 'account:writer')
    """,
    "order_id": """
        INSERT INTO film_orders (id, study_id, printer, film, pictures, state, sheets, sentence, asked_by)
        VALUES (%(id)s, %(study_id)s, 'PRINTER', '{"format": "1x1", "size": "14INX17IN", "copies": 1}', '[]', 'failed',
            1, %(secret)s || ' film', 'account:writer')
    """,
    "delivery_id": """
        INSERT INTO deliveries (id, study_id, study_instance_uid, facility_code, ae_title, rule_name, priority, state,
            sentence, caused_at, next_attempt_at)
        VALUES (%(id)s, %(study_id)s, %(uid)s, %(facility)s, 'STATION', %(secret)s || ' rule', 1, 'failed',
            %(secret)s || ' delivery', now(), now())
    """,
    "pull_id": """
        INSERT INTO pulls (id, remote, study_instance_uid, facility_code, priority, status, sentence, reason, asked_by)
        VALUES (%(id)s, 'STATION', %(uid)s, %(facility)s, 'low', 'failed', %(secret)s || ' pull',
            %(secret)s || ' reason', 'account:writer')
    """,
    "performed_id": """
        INSERT INTO performed_procedure_steps (id, sop_instance_uid, facility_code, source_ae_title, status,
            study_instance_uids, modality, started_at, attributes)
        VALUES (%(id)s, %(step)s, %(facility)s, '', 'IN PROGRESS', ARRAY[%(uid)s], 'CT', now(),
            jsonb_build_object('00400254', jsonb_build_object('vr', 'LO', 'Value', ARRAY[%(secret)s || ' performed'])))
    """,
    "damage_id": """
        INSERT INTO damaged_objects (id, object_key, sop_instance_uid, study_id, study_instance_uid, facility_code,
            problem, found_at, changed_at)
        SELECT %(id)s, object_key, sop_instance_uid, study_id, %(uid)s, %(facility)s, 'altered', now(), now()
        FROM instances
        WHERE study_id = %(study_id)s
    """,
    "outdated_id": """
        INSERT INTO outdated_reports (id, report_id, study_id, report_version, cause, instances, priority, assigned_to,
            since, due_at)
        SELECT %(id)s, report.id, %(study_id)s, 1, 'late-images', 1, 'routine', %(secret)s || ' reader', now(), now()
        FROM radiology_reports AS report
        WHERE report.study_id = %(study_id)s
    """,
    "rejection_id": """
        INSERT INTO rejections (id, study_instance_uid, facility_code, title, category, reason, actor, rejected_at)
        VALUES (%(id)s, %(uid)s, %(facility)s, '113001', 'motion', %(secret)s || ' rejected', 'account:writer', now())
    """,
    "reading_id": """
        INSERT INTO reading_items (study_id, study_instance_uid, facility_code, patient_id, sensitive,
            sensitive_classes, state, priority, modality, modalities, region, subspecialty, rvu, age_group, arriving,
            received_at, sla_hours, completed_at, half_at, deadline, claimed_by, locked_until)
        SELECT id, study_instance_uid, facility_code, patient_id, sensitive, sensitive_classes, 'claimed', 'routine',
            'CT', ARRAY['CT'], %(secret)s || ' region', %(secret)s || ' subspecialty', 4, 'adult', false, now(), 6,
            now(), now(), now(), %(secret)s || ' reader', 'infinity'
        FROM imaging_studies
        WHERE id = %(study_id)s
    """,
    "reading_note_id": """
        INSERT INTO reading_notes (id, study_id, author, author_display, written_at, text)
        VALUES (%(id)s, %(study_id)s, 'account:writer', %(secret)s || ' writer', now(), %(secret)s || ' note')
    """,
    "opinion_id": """
        INSERT INTO second_opinions (id, study_id, facility_code, status, asked_by, asked_of, asked_at, question)
        VALUES (%(id)s, %(study_id)s, %(facility)s, 'asked', 'account:writer', 'account:other', now(),
            %(secret)s || ' question')
    """,
    "dose_id": """
        INSERT INTO dose_examinations (study_id, source, events, performed_at, ae_title, modality, protocol,
            patient_group, standard_size, doses, effective_dose_method, explain, read_at)
        VALUES (%(study_id)s, 'rdsr', 1, '2026-01-20T00:00:00Z', 'STATION', 'CT', %(secret)s || ' protocol of dose',
            'adult', true, '{"DLP": 800}', 'unknown', '[]', now())
    """,
    "dose_event_id": """
        INSERT INTO dose_events (study_id, event_uid, told_by, region)
        VALUES (%(study_id)s, %(id)s::text, %(id)s::text, %(secret)s || ' region')
    """,
    "dose_note_id": """
        INSERT INTO dose_notes (id, study_id, kind, quantity, value, over, made_at, comment)
        VALUES (%(id)s, %(study_id)s, 'over-twice-reference', 'DLP', 2000, 790, now(), %(secret)s || ' comment')
    """,
    "image_exposure_id": """
        INSERT INTO image_exposures (study_id, sop_instance_uid, ae_title, modality, body_part, taken_at, stored_at,
            deviation_index)
        VALUES (%(study_id)s, %(id)s::text, 'STATION', 'DX', %(secret)s || ' body part', '2026-01-20T00:00:00Z', now(),
            1)
    """,
    "incident_id": """
        INSERT INTO incidents (id, facility_code, cause, status, study_id, occurred_at, description, found_by, found_at,
            foetal_estimate)
        VALUES (%(id)s, %(facility)s, 'other', 'open', %(study_id)s, now(), %(secret)s || ' incident', 'account:writer',
            now(), 'not-needed')
    """,
    "quarantine_id": """
        INSERT INTO quarantine (id, reason, detail, object_key, size_bytes, study_instance_uid, series_instance_uid,
            sop_instance_uid, data_set_sha256, facility_code)
        VALUES (%(id)s, 'patient_conflict', %(secret)s || ' held', %(id)s::text, 1, %(uid)s, '1.2', '1.3', '',
            %(facility)s)
    """,
    "repair_id": """
        INSERT INTO repairs (id, kind, facility_code, study_instance_uids, reason, actor, made_at)
        VALUES (%(id)s, 'confirm', %(facility)s, ARRAY[%(uid)s], %(secret)s || ' repaired', 'account:writer', now())
    """,
}


async def seed(app: App, study_id: UUID, image: Dataset, facility: str, secret: str) -> dict[str, str]:
    """One of each for a study; their identifiers by the path parameters that name them."""
    step, workitem = generate_uid(), generate_uid()
    made = {"step": step, "workitem": workitem}
    async with app.db.transaction() as tx:
        for parameter, statement in _INSERTS.items():
            row = uuid7()
            await tx.run(
                statement,
                id=row,
                study_id=study_id,
                uid=str(image.StudyInstanceUID),
                facility=facility,
                secret=secret,
                step=step,
            )
            made[parameter] = str(row)
    actor = application_entity("PLACER", facility_code=facility, may_read=True, may_write=True)
    async with app.db.transaction() as tx:
        order = await place_in(tx, app, actor, _order(image, secret))
        await _override(tx, order.id, secret)
    item, _, _ = await place_item(app, actor, _item(app, image, secret))
    await create_workitem(app, actor, workitem, _workitem(image, secret), facility_code=facility)
    async with app.db.transaction() as tx:
        made |= await seed_booking(tx, item, facility, secret)
        made |= await seed_charge(tx, order.id, study_id, facility, secret)
    return {**made, "item": str(item), "order": str(order.id)}


async def _override(tx: Transaction, order_id: UUID, secret: str) -> None:
    """Somebody overrode a rule for the order."""
    await tx.run(
        """
        UPDATE order_checks
        SET overrides = jsonb_build_array(jsonb_build_object('rule', 'PG1', 'reason', %(secret)s || ' override',
            'text', '', 'by', 'account:writer', 'role', 'consultant'))
        WHERE order_id = %(order_id)s
        """,
        order_id=order_id,
        secret=secret,
    )


def _item(app: App, image: Dataset, secret: str) -> WorklistItemIn:
    return WorklistItemIn.model_validate(
        {
            "patient": {"id": str(image.PatientID), "name": str(image.PatientName)},
            "modality": "CT",
            "start": (app.clock.now() + timedelta(hours=1)).isoformat(),
            "requestedProcedure": f"{secret} requested",
            "reason": f"{secret} reason",
            "referringPhysician": f"{secret}^Doctor",
            "studyInstanceUID": str(image.StudyInstanceUID),
        }
    )


def _order(image: Dataset, secret: str) -> OrderIn:
    """A draft for the study, which has its images already."""
    return OrderIn.model_validate(
        {
            "patient": {"id": str(image.PatientID), "name": str(image.PatientName)},
            "status": "draft",
            "placerNumber": f"{secret} placer",
            "reason": f"{secret} indication",
            "requester": {"display": f"{secret} requester"},
            "safety": {"medicalAlerts": f"{secret} alert", "allergies": [{"text": f"{secret} allergy"}]},
            "procedures": [
                {
                    "modality": "CT",
                    "code": {"text": f"{secret} ordered"},
                    "studyInstanceUID": str(image.StudyInstanceUID),
                }
            ],
        }
    )


def _workitem(image: Dataset, secret: str) -> dict[str, Any]:
    input_of = Dataset()
    input_of.TypeOfInstances, input_of.StudyInstanceUID = "DICOM", image.StudyInstanceUID
    input_of.ReferencedSOPSequence = [_reference(image)]
    return task(
        ProcedureStepLabel=f"{secret} label",
        WorklistLabel=f"{secret} list",
        PatientName=str(image.PatientName),
        PatientID=str(image.PatientID),
        InputInformationSequence=[input_of],
    ).to_json_dict()


def _reference(image: Dataset) -> Dataset:
    reference = Dataset()
    reference.ReferencedSOPClassUID, reference.ReferencedSOPInstanceUID = image.SOPClassUID, image.SOPInstanceUID
    return reference
