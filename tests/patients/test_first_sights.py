"""One patient stays one, by whatever way the first words of it come in."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from data_sets import data_set, part10
from node import Node, running_node
from radiology.access.model import SYSTEM
from radiology.patients.actions.register import find_or_register
from radiology.patients.identifiers import Identifier, Kind
from radiology.patients.model import Demographics, Patient
from radiology.settings import Settings
from radiology.studies.actions.register import register_study
from radiology.studies.receive import Source
from radiology.studies.schemas import StudyIn

NID = Identifier(Kind.NID, "1234567890")


@pytest.fixture
def node(settings: Settings) -> Iterator[Node]:
    with running_node(settings) as running:
        yield running


def store(node: Node, **attributes: str) -> None:
    with node.archive.receive_file(Source("LOCAL")) as reception:
        reception.write(part10(data_set(**attributes)))
        arrived = node.archive.arrivals.submit(reception.finish())
    node.archive.arrivals.flush()
    assert arrived.result(20).study_id


def request(node: Node, patient_id: str) -> None:
    study = {"subject": {"reference": f"Patient/{patient_id}"}, "status": "registered",
             "modality": [{"coding": [{"code": "CT"}]}]}  # fmt: skip
    node.wait(register_study(node.app, SYSTEM, StudyIn.model_validate(study)))


def register(node: Node, said: Demographics) -> Patient:
    async def within() -> Patient:
        async with node.app.db.transaction() as tx:
            return await find_or_register(tx, said)

    return node.wait(within())


def test_sixty_four_first_sights_by_images_requests_and_numbers_make_one(node):
    ds = data_set()
    said = {
        "patient_id": str(ds.PatientID),
        "issuer": "LOCAL",
        "name": str(ds.PatientName),
        "birth_date": str(ds.PatientBirthDate),
        "sex": str(ds.PatientSex),
    }

    def sight(number: int) -> None:
        match number % 4:
            case 0:
                store(node)
            case 1:
                request(node, str(ds.PatientID))
            case 2:
                register(node, Demographics(**said))
            case _:
                register(node, Demographics(**said, identifiers=(NID,)))

    with ThreadPoolExecutor(16) as threads:
        list(threads.map(sight, range(64)))
    assert node.value("SELECT count(*) FROM patients") == 1
    assert node.value("SELECT count(DISTINCT patient_id) FROM imaging_studies") == 1
    assert node.value("SELECT count(*) FROM imaging_studies") == 32
    assert node.value("SELECT patient_name FROM patients") == str(ds.PatientName)
    assert node.value("SELECT reference FROM patients") == f"Patient/{ds.PatientID}"
    assert node.value("SELECT count(*) FROM patient_identifiers WHERE value = '1234567890'") == 1


def test_a_national_number_finds_the_patient_of_another_hospital(node):
    here = register(node, Demographics("7", "DMC", name="Rahman^Abdur", birth_date="19800101", identifiers=(NID,)))
    there = register(node, Demographics("99", "CMC", name="Rohman^Abdur", birth_date="19800101", identifiers=(NID,)))
    assert there.id == here.id
    other = register(node, Demographics("98", "CMC", name="Khatun^Rahela", birth_date="19910607", identifiers=(NID,)))
    assert other.id != here.id
    assert other.doubtful


def test_the_number_of_a_merged_patient_leads_to_the_survivor(node):
    gone = register(node, Demographics("7", "DMC", name="Rahman^Abdur"))
    kept = register(node, Demographics("8", "DMC", name="Rahman^Abdur Karim"))
    node.value(
        "UPDATE patients SET merged_into = %(kept)s WHERE id = %(gone)s RETURNING id", kept=kept.id, gone=gone.id
    )
    assert register(node, Demographics("7", "DMC")).id == kept.id
    assert register(node, Demographics("7", "DMC", name="Rahman^Abdur")).id == kept.id
    assert register(node, Demographics.of_reference("Patient/7", "DMC")).id == kept.id
    store(node, PatientID="7", IssuerOfPatientID="DMC", PatientName="Rahman^Abdur")
    assert node.value("SELECT patient_id FROM imaging_studies") == kept.id
    assert node.value("SELECT count(*) FROM patients") == 2


def test_who_only_has_a_number_is_given_the_name_that_comes_later(node):
    first = register(node, Demographics.of_reference("Patient/7", "DMC"))
    named = register(node, Demographics("7", "DMC", name="Rahman^Abdur", sex="M"))
    assert (named.id, named.patient_name, named.reference) == (first.id, "Rahman^Abdur", "Patient/7")
    assert node.value("SELECT name_keys FROM patients") == ["rahman", "abdur"]


def test_another_reference_of_a_known_number_is_the_same_patient(node):
    """A registry that calls the patient otherwise than by the hospital number."""
    first = register(node, Demographics("7", "DMC", reference="Patient/registry-1", name="Rahman^Abdur"))
    again = register(node, Demographics("7", "DMC", reference="Patient/7", name="Rahman^Abdur"))
    assert (again.id, again.reference) == (first.id, "Patient/registry-1")
