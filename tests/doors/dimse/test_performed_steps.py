"""MPPS as modalities send it: refusals, what becomes of item and study, and data sets of any content."""

import contextlib
from io import BytesIO

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from pydicom.uid import ExplicitVRLittleEndian, generate_uid
from pynetdicom.dimse_primitives import N_CREATE

from data_sets import CT, data_set
from node import running_node
from radiology.dicom_network.message import Element
from radiology.doors.dimse.performed_steps import refusal
from radiology.errors import AttributesRefused
from radiology.modality_worklist import performed
from radiology.standards.dicom import data_set as data_sets
from radiology.studies.actions.transfers import follow_transfers
from requestor import requestor
from worklist import MPPS, MPPS_RETRIEVE, begun, ended, place

pytestmark = pytest.mark.peer("Modality Performed Procedure Step (SCP)", "pynetdicom")

CONTEXTS = [(uid, ExplicitVRLittleEndian) for uid in (MPPS, MPPS_RETRIEVE, CT)]


@pytest.fixture
def node(settings):
    with running_node(settings) as running:
        yield running


@pytest.fixture
def modality(node):
    with requestor(node, CONTEXTS) as association:
        yield association


def create(modality, ds, uid=None):
    return modality.send_n_create(ds, MPPS, uid or generate_uid())[0]


def status_of(node, item):
    return node.value("SELECT status FROM scheduled_procedure_steps WHERE id = %(id)s", id=item.id)


def study_of(node, item):
    return node.value("SELECT status FROM imaging_studies WHERE study_instance_uid = %(u)s", u=item.study_instance_uid)


@pytest.mark.parametrize(
    ("tag", "element", "status"),
    [
        ("00400241", None, 0x0120),
        ("00080060", None, 0x0120),
        ("00400253", {"vr": "SH"}, 0x0121),
        ("00400270", {"vr": "SQ"}, 0x0121),
        ("00400252", {"vr": "CS", "Value": ["COMPLETED"]}, 0x0106),
        ("00400244", {"vr": "DA", "Value": ["20261399"]}, 0x0106),
    ],
)
def test_a_creation_that_is_refused(modality, tag: str, element, status: int) -> None:
    attributes = {**JSON, tag: element}
    encoded = data_sets.encode({key: value for key, value in attributes.items() if value}, ExplicitVRLittleEndian)
    answer = raw_answer(modality, encoded)
    assert answer.Status == status


def test_a_refusal_names_the_attributes() -> None:
    answer = refusal(AttributesRefused("Modality is missing.", tags=["00080060"], dimse_status=0x0120))
    assert answer.elements[Element.ATTRIBUTE_IDENTIFIER_LIST] == answer.offending_elements == (0x00080060,)


def test_a_step_that_is_not_known_cannot_be_changed_or_read(modality) -> None:
    assert modality.send_n_set(ended("COMPLETED"), MPPS, generate_uid())[0].Status == 0x0112
    assert modality.send_n_get([], MPPS, generate_uid(), meta_uid=MPPS_RETRIEVE)[0].Status == 0x0112


def test_an_unscheduled_step_is_taken(modality, node) -> None:
    uid = generate_uid()
    assert create(modality, begun(), uid).Status == 0x0000
    assert modality.send_n_set(ended("COMPLETED"), MPPS, uid)[0].Status == 0x0000
    assert node.value("SELECT count(*) FROM performed_of_scheduled") == 0


def test_a_step_is_read_back_with_what_was_set(modality) -> None:
    uid = generate_uid()
    create(modality, begun(), uid)
    modality.send_n_set(ended("COMPLETED"), MPPS, uid)
    status, answer = modality.send_n_get([0x00400252, 0x00100020], MPPS, uid, meta_uid=MPPS_RETRIEVE)
    assert status.Status == 0x0000
    assert (answer.PerformedProcedureStepStatus, answer.PatientID, len(answer)) == ("COMPLETED", "DMC-1001", 2)


def test_the_study_is_in_progress_before_its_first_image(modality, node) -> None:
    item = place(node)
    create(modality, begun(item))
    assert (status_of(node, item), study_of(node, item)) == ("STARTED", "in-progress")


def test_a_study_whose_images_are_all_here_is_complete(modality, node) -> None:
    item = place(node)
    uid, image = generate_uid(), image_of(item)
    create(modality, begun(item), uid)
    assert modality.send_c_store(image).Status == 0x0000
    modality.send_n_set(ended("COMPLETED", images=[image]), MPPS, uid)
    assert (status_of(node, item), study_of(node, item)) == ("COMPLETED", "completed")


def test_a_study_whose_image_comes_after_the_end_is_complete_then(modality, node) -> None:
    item = place(node)
    uid, image = generate_uid(), image_of(item)
    create(modality, begun(item), uid)
    modality.send_n_set(ended("COMPLETED", images=[image]), MPPS, uid)
    assert node.value("SELECT number_missing FROM performed_procedure_steps") == 1
    assert (status_of(node, item), study_of(node, item)) == ("COMPLETED", "in-progress")
    with requestor(node, [(CT, ExplicitVRLittleEndian)]) as sender:
        assert sender.send_c_store(image).Status == 0x0000
    assert node.wait(follow_transfers(node.app)) == 1
    assert study_of(node, item) == "completed"
    assert node.value("SELECT number_missing FROM performed_procedure_steps") == 0
    assert node.wait(follow_transfers(node.app)) == 0


@pytest.mark.parametrize(
    ("reason", "item_status", "study_status"),
    [("110513", "DISCONTINUED", "cancelled"), ("110514", "SCHEDULED", "registered")],
)
def test_a_step_that_is_broken_off(modality, node, reason: str, item_status: str, study_status: str) -> None:
    item, uid = place(node), generate_uid()
    create(modality, begun(item), uid)
    assert modality.send_n_set(ended("DISCONTINUED", reason=reason), MPPS, uid)[0].Status == 0x0000
    assert (status_of(node, item), study_of(node, item)) == (item_status, study_status)
    assert node.value("SELECT discontinuation_code FROM performed_procedure_steps") == reason
    assert (node.value("SELECT unlinked_at FROM performed_of_scheduled") is not None) == (reason == "110514")


def image_of(item):
    return data_set(
        StudyInstanceUID=item.study_instance_uid, PatientName="Karim^Abdul", PatientID="DMC-1001",
        AccessionNumber=item.accession_number,
    )  # fmt: skip


TAGS = st.sampled_from([*performed.REQUIRED, "0020000D", "00400340", "00081140", "00081155", "00400281", "00080201"])
VALUES = st.recursive(
    st.none() | st.text(max_size=12) | st.integers() | st.floats(allow_nan=False),
    lambda inner: st.dictionaries(TAGS, st.fixed_dictionaries({"vr": st.just("SQ"), "Value": st.lists(inner)})),
    max_leaves=12,
)
ELEMENTS = st.fixed_dictionaries(
    {"vr": st.sampled_from(["SQ", "CS", "UI", "PN", "DA"])}, optional={"Value": st.lists(VALUES)}
)


@given(st.dictionaries(TAGS, ELEMENTS))
def test_attributes_of_any_shape_are_checked_without_a_crash(attributes) -> None:
    for check in (performed.check_creation, performed.check_change):
        with contextlib.suppress(AttributesRefused):
            check(attributes)
    performed.references(attributes)
    performed.discontinuation_code(attributes)


@hypothesis_settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_data_sets_of_any_bytes_are_answered(modality, data) -> None:
    whole = bytearray(data_sets.encode(JSON, ExplicitVRLittleEndian))
    for _ in range(data.draw(st.integers(1, 6))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    encoded = bytes(whole[: data.draw(st.integers(8, len(whole)))])
    assert raw_answer(modality, encoded).Status in EXPECTED


EXPECTED = {0x0000, 0x0106, 0x0110, 0x0120, 0x0121}
JSON = begun().to_json_dict()


def raw_answer(modality, encoded: bytes):
    """An N-CREATE with these bytes for its data set."""
    request = N_CREATE()
    request.MessageID = 1
    request.AffectedSOPClassUID, request.AffectedSOPInstanceUID = MPPS, generate_uid()
    request.AttributeList = BytesIO(encoded)
    context = next(each for each in modality.accepted_contexts if each.abstract_syntax == MPPS)
    modality.dimse.send_msg(request, context.context_id)
    _, answer = modality.dimse.get_msg(block=True)
    assert answer is not None
    return answer
