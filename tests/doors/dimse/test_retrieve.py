"""C-MOVE and C-GET by DCMTK and pynetdicom."""

import struct
import subprocess
import threading
import time

import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.uid import (
    CTImageStorage,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    MRImageStorage,
    TwelveLeadECGWaveformStorage,
)
from pynetdicom import build_role, evt
from pynetdicom.sop_class import (
    CompositeInstanceRetrieveWithoutBulkDataGet,
    CompositeInstanceRootRetrieveGet,
    PatientRootQueryRetrieveInformationModelMove,
    StudyRootQueryRetrieveInformationModelGet,
    StudyRootQueryRetrieveInformationModelMove,
)

import make
from node import running_node
from requestor import requestor
from storage_peers import receiver, register, storescp

MOVE, GET = StudyRootQueryRetrieveInformationModelMove, StudyRootQueryRetrieveInformationModelGet


@pytest.fixture
def node(settings):
    with running_node(settings) as running:
        yield running


def take(_event):
    return 0x0000


def warn(_event):
    return 0xB000


def a_study(node, instances=3, **attributes):
    return node.wait(make.a_study(node.app, instances=instances, **attributes))


def identifier(level="STUDY", **keys):
    ds = Dataset()
    ds.QueryRetrieveLevel = level
    for keyword, value in keys.items():
        setattr(ds, keyword, value)
    return ds


def answers_to_move(node, ds, destination="RECEIVER", model=MOVE):
    with requestor(node, [(model, ExplicitVRLittleEndian)]) as association:
        return list(association.send_c_move(ds, destination, model))


def data_set_bytes(file):
    """What follows the file meta information of a PS3.10 file."""
    length = struct.unpack_from("<L", file, 140)[0]
    return file[144 + length :]


def received_in(folder):
    files = [path for path in folder.iterdir() if path.is_file()]
    return {pydicom.dcmread(path).SOPInstanceUID: data_set_bytes(path.read_bytes()) for path in files}


@pytest.mark.peer("Query/Retrieve MOVE (SCP)", "DCMTK movescu")
@pytest.mark.peer("Storage (SCU)", "DCMTK storescp")
def test_movescu_moves_a_study_to_storescp_byte_for_byte(node, tmp_path):
    stored = a_study(node)
    with storescp(node, tmp_path / "received", "--bit-preserving") as folder:
        command = ["movescu", "-S", "-aet", "MODALITY1", "-aec", "RADSVC", "-aem", "STORESCP", "127.0.0.1",
                   str(node.port), "-k", "QueryRetrieveLevel=STUDY",
                   "-k", f"StudyInstanceUID={stored.study_instance_uid}"]  # fmt: skip
        subprocess.run(command, check=True, timeout=30)
        received = {
            pydicom.dcmread(path).SOPInstanceUID: data_set_bytes(path.read_bytes()) for path in folder.iterdir()
        }
    assert received == {uid: data_set_bytes(file) for uid, file in stored.files.items()}


@pytest.mark.peer("Query/Retrieve GET (SCP)", "DCMTK getscu")
def test_getscu_gets_a_study_byte_for_byte(node, tmp_path):
    stored = a_study(node)
    command = ["getscu", "-S", "-aet", "MODALITY1", "-aec", "RADSVC", "-od", tmp_path, "127.0.0.1", str(node.port),
               "--bit-preserving", "-k", "QueryRetrieveLevel=STUDY",
               "-k", f"StudyInstanceUID={stored.study_instance_uid}"]  # fmt: skip
    subprocess.run(command, check=True, timeout=30)
    received = {
        pydicom.dcmread(p).SOPInstanceUID: data_set_bytes(p.read_bytes()) for p in tmp_path.iterdir() if p.is_file()
    }
    assert received == {uid: data_set_bytes(file) for uid, file in stored.files.items()}


@pytest.mark.peer("Query/Retrieve MOVE (SCP)", "pynetdicom")
@pytest.mark.peer("Storage (SCU)", "pynetdicom")
def test_the_receiver_hears_who_asked(node):
    stored, heard = a_study(node, 1), []

    def on_store(event):
        heard.append((event.request.MoveOriginatorApplicationEntityTitle, event.request.MoveOriginatorMessageID))
        return 0x0000

    with receiver(node, on_store, classes=[CTImageStorage], syntaxes=[ExplicitVRLittleEndian]):
        *_, (final, _) = answers_to_move(node, identifier(StudyInstanceUID=stored.study_instance_uid))
    assert final.Status == 0x0000
    assert heard == [("MODALITY1", 1)]


def test_pending_responses_count(node):
    stored = a_study(node, 25)
    with receiver(node, take, classes=[CTImageStorage], syntaxes=[ExplicitVRLittleEndian]):
        *pending, (final, _) = answers_to_move(node, identifier(StudyInstanceUID=stored.study_instance_uid))
    assert all(status.Status == 0xFF00 for status, _ in pending)
    assert pending
    for status, _ in pending:
        done = status.NumberOfCompletedSuboperations + status.NumberOfRemainingSuboperations
        assert done + status.NumberOfFailedSuboperations == 25
    assert (final.Status, final.NumberOfCompletedSuboperations) == (0x0000, 25)


@pytest.mark.peer("Query/Retrieve MOVE (SCP)", "pynetdicom")
@pytest.mark.parametrize("model", [MOVE, PatientRootQueryRetrieveInformationModelMove])
def test_levels_and_lists(node, model):
    stored = a_study(node, 3, PatientID="LEVELS")
    a_study(node, 2, PatientID="LEVELS")
    received = []

    def on_store(event):
        received.append(event.request.AffectedSOPInstanceUID)
        return 0

    uids = [str(image.SOPInstanceUID) for image in stored.objects]
    series = {"StudyInstanceUID": stored.study_instance_uid, "SeriesInstanceUID": stored.series_instance_uid}
    patient = {"PatientID": "LEVELS"} if model is not MOVE else {}
    cases = [(identifier("SERIES", **patient, **series), 3), (identifier("STUDY", **patient, **series), 3),
             (identifier("IMAGE", **patient, **series, SOPInstanceUID=uids[:2]), 2)]  # fmt: skip
    if patient:
        cases.append((identifier("PATIENT", **patient), 5))
    with receiver(node, on_store, classes=[CTImageStorage], syntaxes=[ExplicitVRLittleEndian]):
        for ds, count in cases:
            received.clear()
            *_, (final, _) = answers_to_move(node, ds, model=model)
            assert (final.Status, len(received)) == (0x0000, count), ds


@pytest.mark.parametrize(
    "ds",
    [
        identifier("PATIENT", PatientID="1"),
        identifier("SERIES", SeriesInstanceUID="1.2.3"),
        identifier("STUDY"),
        identifier("SERIES", StudyInstanceUID=["1.2", "1.3"], SeriesInstanceUID="1.2.3"),
        identifier("FRAME", StudyInstanceUID="1.2"),
    ],
)
def test_an_identifier_that_is_not_valid_for_the_model_is_a900(node, ds):
    register(node, "RECEIVER", 104)
    assert [status.Status for status, _ in answers_to_move(node, ds)] == [0xA900]


def test_nothing_matched_is_success(node):
    register(node, "RECEIVER", 104)
    ((final, _),) = answers_to_move(node, identifier(StudyInstanceUID="1.2.3"))
    assert (final.Status, final.NumberOfCompletedSuboperations) == (0x0000, 0)


def test_what_the_destination_may_not_see_is_0124(node):
    stored = a_study(node)
    register(node, "ELSEWHERE", 104, facility_code="OTHER")
    ((final, _),) = answers_to_move(node, identifier(StudyInstanceUID=stored.study_instance_uid), "ELSEWHERE")
    assert final.Status == 0x0124


def test_a_destination_that_is_not_there_is_a702(node):
    stored = a_study(node)
    register(node, "RECEIVER", 1)
    *_, (final, failed) = answers_to_move(node, identifier(StudyInstanceUID=stored.study_instance_uid))
    assert (final.Status, final.NumberOfFailedSuboperations) == (0xA702, 3)
    assert sorted(failed.FailedSOPInstanceUIDList) == sorted(stored.files)


def test_a_warning_of_the_receiver_is_counted(node):
    stored = a_study(node, 2)
    with receiver(node, warn, classes=[CTImageStorage], syntaxes=[ExplicitVRLittleEndian]):
        *_, (final, _) = answers_to_move(node, identifier(StudyInstanceUID=stored.study_instance_uid))
    assert (final.Status, final.NumberOfWarningSuboperations) == (0xB000, 2)


def test_a_receiver_that_aborts_in_the_middle_gets_one_more_chance(node):
    stored, calls = a_study(node, 4), []

    def on_store(event):
        calls.append(event.request.AffectedSOPInstanceUID)
        if len(calls) == 2:
            event.assoc.abort()
        return 0

    with receiver(node, on_store, classes=[CTImageStorage], syntaxes=[ExplicitVRLittleEndian]):
        *_, (final, _) = answers_to_move(node, identifier(StudyInstanceUID=stored.study_instance_uid))
    assert (final.Status, final.NumberOfCompletedSuboperations) == (0x0000, 4)
    assert len(calls) == 5


def test_a_receiver_that_always_aborts_fails_the_rest(node):
    stored = a_study(node, 4)

    def on_store(event):
        event.assoc.abort()
        return 0

    with receiver(node, on_store, classes=[CTImageStorage], syntaxes=[ExplicitVRLittleEndian]):
        *_, (final, _) = answers_to_move(node, identifier(StudyInstanceUID=stored.study_instance_uid))
    assert (final.Status, final.NumberOfFailedSuboperations) == (0xA702, 4)


@pytest.mark.peer("Storage (SCU)", "pynetdicom")
def test_a_receiver_of_implicit_vr_only_gets_implicit_vr(node):
    stored, received = a_study(node, 1), []

    def on_store(event):
        received.append((event.context.transfer_syntax, event.dataset))
        return 0

    with receiver(node, on_store, classes=[CTImageStorage], syntaxes=[ImplicitVRLittleEndian]):
        *_, (final, _) = answers_to_move(node, identifier(StudyInstanceUID=stored.study_instance_uid))
    assert final.Status == 0
    ((syntax, ds),) = received
    assert syntax == ImplicitVRLittleEndian
    assert ds == stored.objects[0]


def get(node, ds, roles, on_store=take, model=GET):
    contexts = [(model, ExplicitVRLittleEndian), *((uid, ExplicitVRLittleEndian) for uid in roles)]
    ext_neg = [build_role(uid, scp_role=True) for uid, scp in roles.items() if scp]
    handlers = [(evt.EVT_C_STORE, on_store)]
    with requestor(node, contexts, ext_neg=ext_neg, evt_handlers=handlers) as association:
        return list(association.send_c_get(ds, model))


@pytest.mark.peer("Query/Retrieve GET (SCP)", "pynetdicom")
def test_composite_instance_root_gets_by_sop_instance_uid_alone(node):
    stored = a_study(node, 2)
    ds = identifier("IMAGE", SOPInstanceUID=list(stored.files))
    *_, (final, _) = get(node, ds, {CTImageStorage: True}, model=CompositeInstanceRootRetrieveGet)
    assert (final.Status, final.NumberOfCompletedSuboperations) == (0x0000, 2)


@pytest.mark.peer("Query/Retrieve GET (SCP)", "pynetdicom")
def test_c_get_waits_for_what_the_same_association_has_stored(node):
    image = make.an_object()
    contexts = [(GET, ExplicitVRLittleEndian), (CTImageStorage, ExplicitVRLittleEndian)]
    role = build_role(CTImageStorage, scu_role=True, scp_role=True)
    handlers = [(evt.EVT_C_STORE, take)]
    with requestor(node, contexts, ext_neg=[role], evt_handlers=handlers) as association:
        assert association.send_c_store(image).Status == 0
        *_, (final, _) = association.send_c_get(identifier(StudyInstanceUID=image.StudyInstanceUID), GET)
    assert (final.Status, final.NumberOfCompletedSuboperations) == (0x0000, 1)


def test_a_receiver_without_a_context_for_a_class_fails_that_one(node):
    stored = a_study(node, 1)
    node.wait(make.store(node.app, make.an_object(SOPClassUID=MRImageStorage, Modality="MR",
                                                  StudyInstanceUID=stored.study_instance_uid,
                                                  PatientID=stored.objects[0].PatientID)))  # fmt: skip
    with receiver(node, take, classes=[CTImageStorage], syntaxes=[ExplicitVRLittleEndian]):
        *_, (final, failed) = answers_to_move(node, identifier(StudyInstanceUID=stored.study_instance_uid))
    assert (final.Status, final.NumberOfFailedSuboperations) == (0xB000, 1)
    assert failed.FailedSOPInstanceUIDList


@pytest.mark.peer("Query/Retrieve MOVE (SCP)", "pynetdicom")
def test_c_cancel_stops_a_move_and_tells_the_counters(node):
    stored, stored_one, cancelled = a_study(node, 30), threading.Event(), threading.Event()

    def on_store(_event):
        stored_one.set()
        cancelled.wait(5)
        return 0

    with (
        receiver(node, on_store, classes=[CTImageStorage], syntaxes=[ExplicitVRLittleEndian]),
        requestor(node, [(MOVE, ExplicitVRLittleEndian)]) as association,
    ):
        ds = identifier(StudyInstanceUID=stored.study_instance_uid)
        responses = association.send_c_move(ds, "RECEIVER", MOVE, msg_id=7)
        assert stored_one.wait(5)
        association.send_c_cancel(7, query_model=MOVE)
        threading.Timer(0.3, cancelled.set).start()
        *_, (final, _) = responses
    assert final.Status == 0xFE00
    assert final.NumberOfRemainingSuboperations > 0
    assert final.NumberOfCompletedSuboperations + final.NumberOfRemainingSuboperations == 30


@pytest.mark.peer("Query/Retrieve GET (SCP)", "pynetdicom")
def test_c_cancel_stops_a_get(node):
    stored = a_study(node, 30)

    def on_store(event):
        event.assoc.send_c_cancel(7, query_model=GET)
        return 0

    with requestor(
        node,
        [(GET, ExplicitVRLittleEndian), (CTImageStorage, ExplicitVRLittleEndian)],
        ext_neg=[build_role(CTImageStorage, scp_role=True)],
        evt_handlers=[(evt.EVT_C_STORE, on_store)],
    ) as association:
        ds = identifier(StudyInstanceUID=stored.study_instance_uid)
        *_, (final, _) = association.send_c_get(ds, GET, msg_id=7)
    assert (final.Status, final.NumberOfCompletedSuboperations) == (0xFE00, 1)
    assert final.NumberOfRemainingSuboperations == 29


def test_a_requester_that_vanishes_stops_its_move(node):
    stored, calls, gone = a_study(node, 200), [], threading.Event()

    def on_store(event):
        calls.append(event.request.AffectedSOPInstanceUID)
        gone.wait(5)
        return 0

    with receiver(node, on_store, classes=[CTImageStorage], syntaxes=[ExplicitVRLittleEndian]):
        with requestor(node, [(MOVE, ExplicitVRLittleEndian)]) as association:
            association.send_c_move(identifier(StudyInstanceUID=stored.study_instance_uid), "RECEIVER", MOVE)
            association.abort()
        gone.set()
        wait_until(lambda: node.server.counters.open == 0)
    assert len(calls) < 200


def test_a_requester_that_vanishes_in_a_sub_operation_of_c_get_leaves_others_undisturbed(node):
    stored = a_study(node, 20)

    def on_store(event):
        event.assoc.abort()
        return 0

    contexts = [(GET, ExplicitVRLittleEndian), (CTImageStorage, ExplicitVRLittleEndian)]
    role = build_role(CTImageStorage, scp_role=True)
    ds = identifier(StudyInstanceUID=stored.study_instance_uid)
    with requestor(node, contexts, ext_neg=[role], evt_handlers=[(evt.EVT_C_STORE, on_store)]) as association:
        association.dimse_timeout = 0.5  # pynetdicom goes on waiting for answers on what it has aborted itself.
        list(association.send_c_get(ds, GET))
    wait_until(lambda: node.server.counters.open == 0)
    *_, (final, _) = get(node, ds, {CTImageStorage: True})
    assert (final.Status, final.NumberOfCompletedSuboperations) == (0x0000, 20)


def test_one_who_may_get_and_not_store(node):
    stored = a_study(node, 1)
    register(node, "MODALITY1", 104, services=["get"])
    role = build_role(CTImageStorage, scu_role=True, scp_role=True)
    contexts = [(GET, ExplicitVRLittleEndian), (CTImageStorage, ExplicitVRLittleEndian)]
    with requestor(node, contexts, ext_neg=[role], evt_handlers=[(evt.EVT_C_STORE, take)]) as association:
        *_, (final, _) = association.send_c_get(identifier(StudyInstanceUID=stored.study_instance_uid), GET)
        assert (final.Status, final.NumberOfCompletedSuboperations) == (0x0000, 1)
    with requestor(node, [(CTImageStorage, ExplicitVRLittleEndian)]) as association:
        assert association.send_c_store(make.an_object()).Status == 0x0124


def wait_until(condition):
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def received_without_bulk_data(node, uids, syntaxes):
    """What pynetdicom gets of instances by Composite Instance Retrieve Without Bulk Data."""
    received = []

    def on_store(event):
        received.append(event.dataset)
        return 0x0000

    model, classes = CompositeInstanceRetrieveWithoutBulkDataGet, [CTImageStorage, TwelveLeadECGWaveformStorage]
    contexts = [(model, ExplicitVRLittleEndian), *((each, syntax) for each in classes for syntax in syntaxes)]
    roles = [build_role(each, scp_role=True) for each in classes]
    handlers = [(evt.EVT_C_STORE, on_store)]
    with requestor(node, contexts, ext_neg=roles, evt_handlers=handlers) as association:
        *_, (final, _) = association.send_c_get(identifier("IMAGE", SOPInstanceUID=uids), model)
    return final, received


@pytest.mark.peer("Composite Instance Retrieve Without Bulk Data GET (SCP)", "pynetdicom")
@pytest.mark.parametrize("stored_as", [ExplicitVRLittleEndian, ImplicitVRLittleEndian, DeflatedExplicitVRLittleEndian])
@pytest.mark.parametrize("sent_as", [ExplicitVRLittleEndian, ImplicitVRLittleEndian, JPEG2000Lossless])
def test_headers_are_got_without_what_makes_them_large(node, stored_as, sent_as):
    icon = Dataset()
    icon.Rows = icon.Columns = 1
    icon.PixelData = b"\1\0"
    icon["PixelData"].VR = "OW"
    image = make.an_object(stored_as, IconImageSequence=[icon])
    image.add_new(0x60023000, "OW", b"\1\2")
    image.add_new(0x60020010, "US", 1)
    image.add_new(0x00091001, "UN", b"kept")
    image.add_new(0x00090010, "LO", "PRIVATE")
    store_file(node, image)
    final, (got,) = received_without_bulk_data(node, [image.SOPInstanceUID], [sent_as])
    assert (final.Status, final.NumberOfCompletedSuboperations) == (0x0000, 1)
    del image[0x7FE00010], image[0x60023000]
    assert got.to_json_dict() == image.to_json_dict()


@pytest.mark.peer("Composite Instance Retrieve Without Bulk Data GET (SCP)", "pynetdicom")
def test_a_waveform_comes_without_its_samples_and_an_unknown_instance_not_at_all(node):
    channel = Dataset()
    channel.WaveformBitsAllocated = 16
    channel.add_new(0x54001010, "OW", b"\1\2\3\4")
    ecg = make.an_object(SOPClassUID=TwelveLeadECGWaveformStorage, WaveformSequence=[channel], Modality="ECG")
    del ecg.PixelData
    store_file(node, ecg)
    final, (got,) = received_without_bulk_data(node, [ecg.SOPInstanceUID, "1.2.3"], [ExplicitVRLittleEndian])
    assert (final.Status, final.NumberOfCompletedSuboperations) == (0x0000, 1)
    assert [element.keyword for element in got.WaveformSequence[0]] == ["WaveformBitsAllocated"]
    with requestor(node, [(CompositeInstanceRetrieveWithoutBulkDataGet, ExplicitVRLittleEndian)]) as association:
        asked = identifier("STUDY", StudyInstanceUID=ecg.StudyInstanceUID)
        ((answer, _),) = association.send_c_get(asked, CompositeInstanceRetrieveWithoutBulkDataGet)
    assert answer.Status == 0xA900


def store_file(node, image):
    """Store a file as a modality does."""
    with requestor(node, [(image.SOPClassUID, image.file_meta.TransferSyntaxUID)]) as association:
        assert association.send_c_store(image).Status in (0x0000, 0xB007)
