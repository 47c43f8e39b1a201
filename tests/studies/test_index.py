"""The index: what only it can decide, decided once, with nothing lost."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from data_sets import data_set, part10
from node import Node, running_node
from radiology.settings import Settings
from radiology.studies.index import Stored
from radiology.studies.receive import Source


@pytest.fixture
def node(settings: Settings) -> Iterator[Node]:
    with running_node(settings) as running:
        yield running


def store(node: Node, *files: bytes, facility_code: str = "LOCAL") -> list[Stored]:
    futures = []
    for file in files:
        with node.archive.receive_file(Source(facility_code)) as reception:
            reception.write(file)
            futures.append(node.archive.arrivals.submit(reception.finish()))
    node.archive.arrivals.flush()
    return [future.result(10) for future in futures]


def test_the_same_object_again_adds_nothing(node):
    file = part10(data_set())
    first, again = store(node, file)[0], store(node, file)[0]
    assert not first.duplicate
    assert again.duplicate
    assert again.study_id == first.study_id
    assert node.value("SELECT number_of_instances FROM imaging_studies") == 1
    assert node.value("SELECT count(*) FROM outbox WHERE type = 'radiology.study.instances-stored.v1'") == 1
    assert len(list(node.app.objects.keys())) == 1


def test_the_same_object_twice_in_one_batch_adds_nothing(node):
    file = part10(data_set())
    first, again = store(node, file, file)
    assert (first.duplicate, again.duplicate) == (False, True)
    assert len(list(node.app.objects.keys())) == 1


def test_other_content_under_the_same_uid_is_held_and_the_first_stays_served(node):
    ds = data_set()
    first = part10(ds)
    ds.PixelData = bytes(128)
    store(node, first)
    held = store(node, part10(ds))[0]
    assert held.quarantined == "conflicting_duplicate"
    assert node.stored_bytes(ds.SOPInstanceUID) == first
    assert node.value("SELECT reason FROM quarantine") == "conflicting_duplicate"
    assert node.value("SELECT count(*) FROM outbox WHERE type = 'radiology.instance.quarantined.v1'") == 1
    assert len(list(node.app.objects.keys())) == 2


def test_an_object_that_names_no_issuer_means_the_number_of_its_study(node):
    """Measurements that a viewer saves carry the Patient ID of the images, and not its issuer."""
    ds = data_set(IssuerOfPatientID="ANOTHER_HOSPITAL")
    store(node, part10(ds))
    measured = data_set(StudyInstanceUID=ds.StudyInstanceUID, PatientID=ds.PatientID)
    assert store(node, part10(measured))[0].quarantined is None
    assert node.value("SELECT flags FROM imaging_studies") == []


def test_an_object_of_another_patient_is_held(node):
    ds = data_set()
    store(node, part10(ds))
    other = data_set(StudyInstanceUID=ds.StudyInstanceUID, PatientName="Begum^Rahima", PatientID="X-9", PatientSex="F",
                     PatientBirthDate="20010203")  # fmt: skip
    assert store(node, part10(other))[0].quarantined == "patient_conflict"
    assert node.value("SELECT number_of_instances FROM imaging_studies") == 1
    assert node.value("SELECT count(*) FROM instances") == 1


def test_a_small_difference_of_the_patient_is_accepted_and_flagged(node):
    ds = data_set(PatientName="Rahman^Md. Abdur", PatientBirthDate="19800101")
    store(node, part10(ds))
    similar = data_set(
        StudyInstanceUID=ds.StudyInstanceUID, PatientName="Rahman^Abdur", PatientBirthDate="19800715", PatientID=""
    )
    assert store(node, part10(similar))[0].quarantined is None
    assert node.value("SELECT number_of_instances FROM imaging_studies") == 2


def test_a_series_of_another_study_is_held(node):
    ds = data_set()
    store(node, part10(ds))
    stray = data_set(SeriesInstanceUID=ds.SeriesInstanceUID)
    assert store(node, part10(stray))[0].quarantined == "series_conflict"


def test_patients_without_a_number_are_never_made_one(node):
    store(node, part10(data_set(PatientID="")), part10(data_set(PatientID="")))
    assert node.value("SELECT count(*) FROM patients") == 2


def test_one_number_of_two_issuers_is_two_patients(node):
    store(node, part10(data_set(IssuerOfPatientID="DMC")), part10(data_set(IssuerOfPatientID="CMC")))
    assert node.value("SELECT count(*) FROM patients") == 2


def test_one_number_with_two_people_is_two_patients(node):
    other = data_set(PatientName="Begum^Rahima", PatientSex="F", PatientBirthDate="20010203")
    store(node, part10(data_set()), part10(other))
    assert node.value("SELECT count(*) FROM patients") == 2
    assert node.value("SELECT flags FROM imaging_studies ORDER BY created_at, id DESC LIMIT 1") == ["identity_review"]


def test_sixty_four_first_sights_of_a_patient_make_one(node):
    files = [part10(data_set()) for _ in range(64)]
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda file: store(node, file), files))
    assert node.value("SELECT count(*) FROM patients") == 1
    assert node.value("SELECT count(*) FROM imaging_studies") == 64


def test_what_the_index_cannot_hold_is_kept_and_does_not_stop_the_others(node, monkeypatch):
    from radiology.errors import Invalid
    from radiology.studies import facts

    series_columns = facts.series_columns

    def spoilt(header, zone):
        if header.text("00100020") == "SPOILT":
            raise Invalid("no")
        return series_columns(header, zone)

    monkeypatch.setattr(facts, "series_columns", spoilt)
    files = [part10(data_set(PatientID=number)) for number in ("A", "B", "SPOILT", "C", "D")]
    outcomes = store(node, *files)
    assert [outcome.quarantined for outcome in outcomes] == [None, None, "unindexable", None, None]
    assert node.value("SELECT count(*) FROM instances") == 4
    assert len(list(node.app.objects.keys())) == 5


def test_a_later_instance_reopens_a_completed_study(node):
    ds = data_set()
    store(node, part10(ds))
    node.value("UPDATE imaging_studies SET status = 'completed' RETURNING 1")
    store(node, part10(data_set(StudyInstanceUID=ds.StudyInstanceUID)))
    assert node.value("SELECT status FROM imaging_studies") == "in-progress"
    assert node.value("SELECT trigger FROM study_transitions ORDER BY id DESC LIMIT 1") == "late-instance"
