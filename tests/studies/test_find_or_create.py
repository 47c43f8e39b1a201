"""Whose order is a new study? Steps 1 to 5 of finding it, and what its images decide."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from pydicom.dataset import Dataset
from pydicom.uid import generate_uid

from data_sets import data_set, part10
from node import Node, running_node
from radiology.modality_worklist.model import ScheduledProcedureStep
from radiology.settings import Settings
from radiology.studies.index import Stored, StudyIndex
from radiology.studies.queries import matching
from radiology.studies.receive import Arrival, Source
from worklist import place

PERSON = {"PatientName": "Karim^Abdul", "PatientBirthDate": "19800115", "PatientSex": "M"}


@pytest.fixture
def node(settings: Settings) -> Iterator[Node]:
    with running_node(settings) as running:
        yield running


def store(node: Node, *images: Any, is_reconciled: bool = False) -> list[Stored]:
    futures = []
    for image in images:
        with node.archive.receive_file(Source("LOCAL", is_reconciled=is_reconciled)) as reception:
            reception.write(part10(image))
            futures.append(node.archive.arrivals.submit(reception.finish()))
    node.archive.arrivals.flush()
    return [future.result(10) for future in futures]


def arrival(node: Node, ds: Any) -> Arrival:
    """An object whose bytes are there, not indexed yet."""
    with node.archive.receive_file(Source("LOCAL")) as reception:
        reception.write(part10(ds))
        return reception.finish()


def image(node: Node, item: ScheduledProcedureStep | None = None, **changes: Any) -> Any:
    """An image of now, with the accession number of an item."""
    now = node.app.clock.now().astimezone(node.app.settings.zone)
    said = {"StudyDate": f"{now:%Y%m%d}", "StudyTime": f"{now:%H%M%S}", "AccessionNumber": ""}
    return data_set(**{**PERSON, **said, **({"AccessionNumber": item.accession_number} if item else {}), **changes})


def study(node: Node, uid: str) -> dict[str, Any]:
    return node.value(
        """
        SELECT json_build_object('match', match, 'order', service_request, 'flags', flags,
            'planned', planned_study_instance_uid, 'status', status, 'id', id)
        FROM imaging_studies WHERE study_instance_uid = %(uid)s
        """,
        uid=str(uid),
    )


def register(node: Node, item: ScheduledProcedureStep) -> None:
    """The study of an order, before its images, as placing an order makes it."""
    node.value(
        """
        WITH patient AS (
            INSERT INTO patients (id, reference, patient_id, issuer_of_patient_id, patient_name, birth_date, sex)
            VALUES (gen_random_uuid(), 'Patient/77', 'DMC-1001', 'LOCAL', 'Karim^Abdul', '19800115', 'M')
            ON CONFLICT (reference) DO UPDATE SET reference = excluded.reference
            RETURNING id
        )
        INSERT INTO imaging_studies (patient_id, study_instance_uid, facility_code, service_request, dicom_patient_id,
            issuer_of_patient_id, patient_name, patient_birth_date, patient_sex)
        SELECT id, %(uid)s, 'LOCAL', %(order)s, 'DMC-1001', 'LOCAL', 'Karim^Abdul', '19800115', 'M' FROM patient
        RETURNING 1
        """,
        uid=item.study_instance_uid,
        order=item.service_request,
    )


def test_images_under_the_planned_uid_are_the_order_s(node):
    item = place(node, serviceRequest="ServiceRequest/1")
    ds = image(node, StudyInstanceUID=item.study_instance_uid)
    store(node, ds)
    found = study(node, item.study_instance_uid)
    assert (found["match"], found["order"], found["flags"]) == ("exact", "ServiceRequest/1", [])


def test_the_study_of_an_order_takes_the_uid_of_its_images(node):
    item = place(node, serviceRequest="ServiceRequest/1")
    register(node, item)
    ds = image(node, item)
    store(node, ds)
    found = study(node, ds.StudyInstanceUID)
    assert (found["match"], found["order"], found["status"]) == ("exact", "ServiceRequest/1", "in-progress")
    assert (found["planned"], found["flags"]) == (item.study_instance_uid, ["uid_mismatch"])
    assert node.value("SELECT count(*) FROM imaging_studies") == 1
    patients = "SELECT reference FROM patients JOIN imaging_studies AS s ON s.patient_id = patients.id"
    assert node.value(patients) == "Patient/77"
    assert node.stored_bytes(ds.SOPInstanceUID) == part10(ds)


def test_a_second_study_of_an_order_that_has_images_is_one_of_its_own(node):
    item = place(node, serviceRequest="ServiceRequest/1")
    register(node, item)
    first, second = image(node, item), image(node, item)
    store(node, first, second)
    found = study(node, second.StudyInstanceUID)
    assert (found["match"], found["order"], found["planned"]) == ("exact", "ServiceRequest/1", None)
    assert found["flags"] == ["uid_mismatch"]
    assert node.value("SELECT count(*) FROM imaging_studies") == 2


def test_images_of_both_uids_are_two_studies(node):
    item = place(node, serviceRequest="ServiceRequest/1")
    register(node, item)
    other, planned = image(node, item), image(node, item, StudyInstanceUID=item.study_instance_uid)
    store(node, other, planned)
    store(node, image(node, item, StudyInstanceUID=item.study_instance_uid))
    assert node.value("SELECT array_agg(number_of_instances ORDER BY number_of_instances) FROM imaging_studies") == [
        1,
        2,
    ]
    assert study(node, item.study_instance_uid)["order"] == "ServiceRequest/1"


def test_the_request_attributes_tell_the_order(node):
    item = place(node, serviceRequest="ServiceRequest/1")
    request = Dataset()
    request.RequestedProcedureID = item.requested_procedure_id
    request.ScheduledProcedureStepID = item.scheduled_procedure_step_id
    ds = image(node, RequestAttributesSequence=[request])
    store(node, ds)
    assert (study(node, ds.StudyInstanceUID)["match"], study(node, ds.StudyInstanceUID)["order"]) == (
        "exact",
        "ServiceRequest/1",
    )


def test_the_only_order_of_the_patient_that_is_near_is_probable(node):
    place(node, serviceRequest="ServiceRequest/1", hours=5)
    place(node, serviceRequest="ServiceRequest/2", hours=13)
    place(node, serviceRequest="ServiceRequest/3", modality="MR")
    ds = image(node)
    store(node, ds)
    assert (study(node, ds.StudyInstanceUID)["match"], study(node, ds.StudyInstanceUID)["order"]) == (
        "probable",
        "ServiceRequest/1",
    )
    again = image(node)
    store(node, again)
    assert study(node, again.StudyInstanceUID)["match"] == "none"


@pytest.mark.parametrize(
    "changes", [{"PatientName": "Begum^Rahima", "PatientSex": "F", "PatientBirthDate": "20010101"}, {}]
)
def test_two_orders_or_somebody_else_with_the_number_are_no_guess(node, changes):
    place(node, serviceRequest="ServiceRequest/1")
    if not changes:
        place(node, serviceRequest="ServiceRequest/2", hours=-2)
    ds = image(node, **changes)
    store(node, ds)
    assert (study(node, ds.StudyInstanceUID)["match"], study(node, ds.StudyInstanceUID)["order"]) == ("none", None)


def test_what_another_archive_answers_for_needs_no_order(node):
    ds = image(node)
    store(node, ds, is_reconciled=True)
    assert study(node, ds.StudyInstanceUID)["match"] is None


def test_another_patient_s_images_with_the_accession_number_are_held(node):
    item = place(node)
    ds = image(node, item, PatientID="X-9", PatientName="Begum^Rahima", PatientSex="F", PatientBirthDate="20010203")
    assert store(node, ds)[0].quarantined == "patient_conflict"
    assert node.value("SELECT count(*) FROM imaging_studies") == 0


def test_a_small_difference_to_the_order_s_patient_is_accepted_and_flagged(node):
    item = place(node)
    ds = image(node, item, PatientID="")
    store(node, ds)
    assert study(node, ds.StudyInstanceUID)["flags"] == ["identity_review", "uid_mismatch"]


def test_an_emergency_under_a_temporary_identity_flows(node):
    ds = image(node, PatientID="EMG-20260121-01", PatientName="Unknown^Male", PatientBirthDate="", PatientSex="M")
    assert (
        store(
            node,
            ds,
            image(
                node,
                StudyInstanceUID=ds.StudyInstanceUID,
                PatientID="EMG-20260121-01",
                PatientName="Unknown^Male",
                PatientBirthDate="",
                PatientSex="M",
            ),
        )[1].quarantined
        is None
    )
    assert node.value("SELECT number_of_instances FROM imaging_studies WHERE findable") == 2
    assert study(node, ds.StudyInstanceUID)["flags"] == []


def test_the_first_image_of_an_urgent_order_is_told_once(node):
    item = place(node, priority="STAT")
    ds = image(node, item)
    store(node, ds, image(node, item, StudyInstanceUID=ds.StudyInstanceUID))
    store(node, image(node, item, StudyInstanceUID=ds.StudyInstanceUID))
    assert node.value("SELECT count(*) FROM outbox WHERE type = 'radiology.study.first-image.v1'") == 1


def test_images_of_a_cancelled_study_reinstate_it(node):
    item = place(node)
    register(node, item)
    node.value("UPDATE imaging_studies SET status = 'cancelled' RETURNING 1")
    store(node, image(node, StudyInstanceUID=item.study_instance_uid))
    assert node.value("SELECT array_agg(from_status || ' ' || to_status ORDER BY id) FROM study_transitions") == [
        "cancelled registered",
        "registered in-progress",
    ]


def test_known_studies_ask_nothing_of_the_worklist(node, monkeypatch):
    ds = image(node)
    store(node, ds)
    asked = []
    monkeypatch.setattr(matching, "candidates", lambda *looked_for: asked.append(looked_for))
    store(node, image(node, StudyInstanceUID=ds.StudyInstanceUID))
    assert asked == []


def test_a_number_from_before_a_merge_is_the_patient_s(node):
    first = image(node, PatientID="OLD-1")
    store(node, first, image(node, PatientID="NEW-1", StudyInstanceUID="1.2.3.4", PatientBirthDate="19800115"))
    node.value(
        """
        UPDATE patients SET merged_into = (SELECT id FROM patients WHERE patient_id = 'NEW-1')
        WHERE patient_id = 'OLD-1' RETURNING 1
        """
    )
    assert store(node, image(node, PatientID="OLD-1", StudyInstanceUID="1.2.3.4"))[0].quarantined is None
    assert "identity_review" in study(node, "1.2.3.4")["flags"]
    stranger = image(node, PatientID="X-1", StudyInstanceUID="1.2.3.4")
    assert store(node, stranger)[0].quarantined == "patient_conflict"


def test_two_processes_with_two_uids_of_one_order_never_mix_them(node):
    """Each with a connection of its own, both at once, again and again."""
    indexes = [StudyIndex(node.app.settings, node.app.objects) for _ in range(2)]
    items = [place(node, serviceRequest=f"ServiceRequest/{number}", accessionNumber=f"RACE{number}", hours=number * 24)
             for number in range(12)]  # fmt: skip
    for item in items:
        register(node, item)
    uids = [[generate_uid(), item.study_instance_uid] for item in items]
    batches = [
        [
            [arrival(node, image(node, item, StudyInstanceUID=uid)) for _ in range(2)]
            for item, uid in zip(items, each, strict=True)
        ]
        for each in zip(*uids, strict=True)
    ]

    def write(index, batch):
        return [index.write(arrivals) for arrivals in batch]

    with ThreadPoolExecutor(2) as threads:
        outcomes = [stored for each in threads.map(write, indexes, batches) for batch in each for stored in batch]
    for index in indexes:
        index.close()
    assert all(isinstance(stored, Stored) and stored.quarantined is None for stored in outcomes)
    mixed = node.value(
        """
        SELECT count(*)
        FROM instances
        JOIN imaging_studies AS study ON study.id = instances.study_id
        WHERE convert_from(attributes, 'UTF8')::jsonb->'0020000D'->'Value'->>0 <> study.study_instance_uid
        """
    )
    assert mixed == 0
    assert node.value("SELECT json_build_array(count(*), sum(number_of_instances)) FROM imaging_studies") == [24, 48]
    assert node.value("SELECT count(DISTINCT service_request) FROM imaging_studies") == 12
