"""Storage commitment asked of us by pynetdicom and Orthanc: what is committed, and for what reason something is not."""

from datetime import UTC, datetime, timedelta

import pytest
from pydicom.uid import CTImageStorage, MRImageStorage, generate_uid
from pynetdicom.sop_class import Verification

import make
from commitment_peers import Results, a_request, asked, listening
from node import Node, running_node
from orthanc import orthanc
from radiology.dicom_network.client import UNCOMPRESSED, Peer, connect
from radiology.dicom_network.message import CommandField, Element
from radiology.kit import jobs
from radiology.standards.dicom import data_set
from radiology.standards.dicom.uids import STORAGE_COMMITMENT_PUSH, STORAGE_COMMITMENT_PUSH_INSTANCE
from radiology.studies.actions import commit
from radiology.studies.commitment import Reference, asking
from storage_peers import register
from working import worker

pytestmark = pytest.mark.peer("Storage Commitment (SCP)", "pynetdicom")

ALL_COMMITTED, SOME_FAILED = 1, 2


@pytest.fixture
def settings(settings):
    return settings.model_copy(update={"commit_grace_seconds": 0})


@pytest.fixture
def node(settings):
    with running_node(settings) as running:
        yield running


def a_stored_instance(node: Node) -> str:
    return node.wait(make.a_study(node.app)).sop_instance_uid


def result_of(node: Node, *uids: str, **request):
    results = Results()
    with asked(node, [a_request(*uids, **request)], results):
        return results.next()


def change(node: Node, statement: str, **parameters) -> None:
    async def run() -> None:
        async with node.app.db.transaction() as tx:
            await tx.run(statement, **parameters)

    node.wait(run())


def test_what_is_stored_is_committed(node):
    uid = a_stored_instance(node)
    result = result_of(node, uid)
    assert (result.event_type, result.committed, result.failed) == (ALL_COMMITTED, [uid], {})
    assert node.value("SELECT state FROM commitment_requests") == "reported"


def test_a_file_that_is_gone_or_changed_is_not_committed(node):
    gone, changed, whole = (a_stored_instance(node) for _ in range(3))
    for uid, damage in ((gone, "unlink"), (changed, "write")):
        key = node.value("SELECT object_key FROM instances WHERE sop_instance_uid = %(uid)s", uid=uid)
        path = node.app.objects.path(key)
        data = bytearray(path.read_bytes())
        data[-1] ^= 0xFF
        path.unlink()
        if damage == "write":
            path.write_bytes(data)
    result = result_of(node, gone, changed, whole)
    assert (result.event_type, result.committed) == (SOME_FAILED, [whole])
    assert result.failed == {gone: 0x0110, changed: 0x0110}


def test_another_class_than_that_of_the_instance(node):
    uid = a_stored_instance(node)
    assert result_of(node, uid, sop_class=MRImageStorage).failed == {uid: 0x0119}


def test_a_class_that_is_not_taken(node):
    uid = generate_uid()
    assert result_of(node, uid, sop_class=Verification).failed == {uid: 0x0122}


def test_what_is_held_in_quarantine_is_not_committed(node):
    uid = a_stored_instance(node)
    with pytest.raises(AssertionError, match="held for a decision"):
        node.wait(make.a_study(node.app, SOPInstanceUID=uid, StudyDescription="Other content"))
    assert result_of(node, uid).failed == {uid: 0x0110}


def test_what_never_came_to_a_full_disk(node):
    node.app.objects.reserve_bytes = 2**62
    uid = generate_uid()
    assert result_of(node, uid).failed == {uid: 0x0213}


def test_the_same_transaction_while_it_is_open(settings):
    with running_node(settings.model_copy(update={"commit_grace_seconds": 2})) as node:
        uid, missing, transaction = a_stored_instance(node), generate_uid(), generate_uid()
        results = Results()
        first = a_request(uid, missing, transaction_uid=transaction)
        with asked(node, [first, a_request(uid, transaction_uid=transaction)], results):
            second = results.next()
            assert second.failed == {uid: 0x0131}
            assert results.next().committed == [uid]


def test_what_comes_in_time_is_committed(settings):
    with running_node(settings.model_copy(update={"commit_grace_seconds": 30})) as node:
        late, results = generate_uid(), Results()
        with asked(node, [a_request(late)], results):
            node.wait(make.a_study(node.app, SOPInstanceUID=late))
            assert results.next().committed == [late]


@pytest.mark.parametrize(
    ("request_changes", "action_type", "status"),
    [({}, 2, 0x0123), ({"TransactionUID": ""}, 1, 0x0115), ({"ReferencedSOPSequence": []}, 1, 0x0115)],
)
def test_what_is_no_request_is_refused(node, request_changes, action_type, status):
    request = a_request(generate_uid())
    for keyword, value in request_changes.items():
        setattr(request, keyword, value)
    with asked(node, [request], Results(), action_type=action_type, expected=status):
        pass
    assert node.value("SELECT count(*) FROM commitment_requests") == 0
    assert node.value("SELECT count(*) FROM jobs.procrastinate_jobs") == 0


def test_a_result_that_was_taken_is_not_reported_again(node, monkeypatch):
    monkeypatch.setattr(commit, "SAME_ASSOCIATION_SECONDS", 1.5)
    results = Results()
    with asked(node, [a_request(a_stored_instance(node))], results):
        results.next()
    with listening(node, results), worker(node):
        wait_until_the_queue_is_empty(node)
    assert results.is_empty


def wait_until_the_queue_is_empty(node: Node) -> None:
    until = datetime.now(UTC) + timedelta(seconds=15)
    while node.value("SELECT count(*) FROM jobs.procrastinate_jobs"):
        assert datetime.now(UTC) < until


def request_left_open(node: Node, results: Results) -> str:
    """A request whose association has ended before its result."""
    with asked(node, [a_request(a_stored_instance(node))], results):
        pass
    return str(node.value("SELECT id FROM commitment_requests"))


def attempt(node: Node, request_id: str) -> float | None:
    """The job once; after how many seconds it wants to be run again."""
    try:
        node.wait(commit.report(node.archive, {"request": request_id}))
    except jobs.Later as later:
        return later.seconds
    return None


def test_a_peer_that_is_away_is_tried_for_a_day(node):
    results = Results()
    request_id = request_left_open(node, results)
    register(node, "MODALITY1", 1, move_destination=False)
    assert [attempt(node, request_id) for _ in range(5)] == [60, 300, 900, 3600, 3600]
    assert "cannot be reached" in node.value("SELECT sentence FROM commitment_requests")
    change(node, "UPDATE commitment_requests SET requested_at = requested_at - interval '23 hours 30 minutes'")
    assert attempt(node, request_id) is None
    assert node.value("SELECT state FROM commitment_requests") == "given-up"


def test_a_peer_that_refuses_the_result_gets_it_again(node):
    results = Results(status=0x0110)
    request_id = request_left_open(node, results)
    with listening(node, results):
        assert attempt(node, request_id) == 60
        results.status = 0x0000
        assert attempt(node, request_id) is None
    assert results.next() == results.next()
    assert node.value("SELECT state FROM commitment_requests") == "reported"


def test_one_reports_at_a_time_and_a_claim_ends_by_itself(node):
    results = Results()
    request_id = request_left_open(node, results)
    change(node, "UPDATE commitment_requests SET claimed_until = now() + interval '1 minute'")
    with listening(node, results):
        assert attempt(node, request_id) == commit.LOOK_AGAIN_SECONDS
        change(node, "UPDATE commitment_requests SET claimed_until = now() - interval '1 second'")
        assert attempt(node, request_id) is None
    assert results.next().event_type == ALL_COMMITTED


def test_a_peer_that_goes_without_taking_the_result_gets_it_from_the_job(node):
    uid, results = a_stored_instance(node), Results()
    association = connect(
        Peer("127.0.0.1", node.port, "RADSVC", "MODALITY1"), [(STORAGE_COMMITMENT_PUSH, UNCOMPRESSED)]
    )
    context = association.context_for(STORAGE_COMMITMENT_PUSH)
    elements = {
        Element.REQUESTED_SOP_CLASS_UID: STORAGE_COMMITMENT_PUSH,
        Element.REQUESTED_SOP_INSTANCE_UID: STORAGE_COMMITMENT_PUSH_INSTANCE,
        Element.ACTION_TYPE_ID: 1,
    }
    request = data_set.encode(asking(generate_uid(), [Reference(CTImageStorage, uid)]), context.transfer_syntax_uid)
    assert association.invoke(context, CommandField.N_ACTION_RQ, elements, request).command.status == 0
    until = datetime.now(UTC) + timedelta(seconds=10)
    while node.value("SELECT claimed_until FROM commitment_requests") is None:
        assert datetime.now(UTC) < until
    association.release()
    while node.server.counters.open:
        assert datetime.now(UTC) < until
    assert node.value("SELECT claimed_until FROM commitment_requests") is None
    with listening(node, results):
        assert attempt(node, str(node.value("SELECT id FROM commitment_requests"))) is None
    assert results.next().committed == [uid]


def test_orthanc_asks_and_takes_the_result(node, tmp_path, monkeypatch):
    monkeypatch.setattr(commit, "SAME_ASSOCIATION_SECONDS", 0.0)
    uid, missing = a_stored_instance(node), generate_uid()
    with orthanc(node, tmp_path / "orthanc") as peer, worker(node):
        register(node, "ORTHANC", peer.dicom_port, move_destination=False)
        named = [{"SOPClassUID": CTImageStorage, "SOPInstanceUID": each} for each in (uid, missing)]
        asked_for = peer.call("POST", "/modalities/radsvc/storage-commitment", {"DicomInstances": named})
        said = peer.wait_for(asked_for["Path"], lambda answer: answer["Status"] != "Pending")
    assert said["Status"] == "Failure"
    assert [each["SOPInstanceUID"] for each in said["Success"]] == [uid]
    (failure,) = said["Failures"]
    assert failure["SOPInstanceUID"] == missing
    assert failure["Description"].endswith("was not available"), "its words for 0112"
