"""Unified procedure steps with pynetdicom as SCU of Push, Pull, Watch and Query, and as receiver of Event."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest
from pydicom.dataset import Dataset
from pydicom.uid import ImplicitVRLittleEndian, generate_uid

from node import running_node
from procedure_steps import (
    CONTEXTS,
    FILTERED,
    GLOBAL,
    PULL,
    PUSH,
    QUERY,
    SUSPEND,
    UNSUBSCRIBE,
    WATCH,
    Client,
    code,
    performed,
    subscriber,
)
from radiology.kit.clock import SetClock
from radiology.kit.jobs import Later
from radiology.standards.dicom.uids import VERIFICATION
from radiology.workitems.notices import send_reports
from requestor import requestor
from working import worker

pytestmark = pytest.mark.peer("Unified Procedure Step (SCP)", "pynetdicom")

LOCK = "1.2.3.4.5"


@pytest.fixture
def node(settings):
    with running_node(settings) as running:
        yield running


@pytest.fixture
def client(node):
    with requestor(node, CONTEXTS) as association:
        yield Client(association)


@pytest.fixture
def watcher(node):
    return subscriber(node)


# --- Push and Pull ----------------------------------------------------------------------------------------------------


def test_a_workitem_from_creation_to_completion(client) -> None:
    uid = client.created()
    assert client.create(uid) == 0x0111
    assert client.change_state(uid, "COMPLETED", LOCK) == 0xC310
    assert client.change_state(uid, "IN PROGRESS", None) == 0xC301
    assert client.change_state(uid, "IN PROGRESS", LOCK) == 0x0000
    assert client.change_state(uid, "IN PROGRESS", LOCK) == 0xC302
    assert client.change_state(uid, "COMPLETED", LOCK) == 0xC304
    assert client.set(uid, performed(LOCK)) == 0x0000
    assert client.change_state(uid, "COMPLETED", LOCK) == 0x0000
    assert client.change_state(uid, "COMPLETED", LOCK) == 0xB306
    assert client.change_state(uid, "CANCELED", LOCK) == 0xC300
    assert client.change_state(uid, "SCHEDULED", LOCK) == 0xC303
    assert client.set(uid, performed(LOCK)) == 0xC300


def test_every_state_is_an_event(node, client) -> None:
    uid = client.created()
    client.change_state(uid, "IN PROGRESS", LOCK)
    client.change_state(uid, "COMPLETED", LOCK)
    told = node.value(
        "SELECT string_agg(body->>'state', ', ' ORDER BY sequence) FROM outbox WHERE type = %(type)s AND key = %(uid)s",
        type="radiology.workitem.state-changed.v1", uid=uid,
    )  # fmt: skip
    assert told == "SCHEDULED, IN PROGRESS"


def test_a_workitem_that_is_not_known(client) -> None:
    uid = generate_uid()
    assert client.change_state(uid, "IN PROGRESS", LOCK) == 0xC307
    assert client.set(uid, performed(LOCK)) == 0xC307
    assert client.get(uid)[0] == 0xC307
    assert client.cancel(uid) == 0xC307
    assert client.end(UNSUBSCRIBE, uid, "NOBODY") == 0xC308


@pytest.mark.parametrize(
    ("attributes", "status"),
    [
        ({"ProcedureStepState": "IN PROGRESS"}, 0xC309),
        ({"ProcedureStepLabel": ""}, 0x0121),
        ({"InputReadinessState": "PERHAPS"}, 0x0106),
        ({"TransactionUID": LOCK}, 0x0106),
        ({"ScheduledProcedureStepStartDateTime": "20260301-20260302"}, 0x0106),
    ],
)
def test_a_creation_that_is_refused(client, attributes, status: int) -> None:
    assert client.create(generate_uid(), **attributes) == status


def test_a_workitem_without_a_uid_is_given_one(client) -> None:
    assert client.create() == 0x0000
    (found,) = client.find(SOPInstanceUID="")
    assert found.SOPInstanceUID.startswith("2.25.")


def test_the_transaction_uid_is_never_shown(client) -> None:
    uid = client.created()
    client.change_state(uid, "IN PROGRESS", LOCK)
    status, whole = client.get(uid)
    assert (status, whole.ProcedureStepState, whole.SOPClassUID) == (0x0000, "IN PROGRESS", PUSH)
    assert "TransactionUID" not in whole
    assert len(client.get(uid, 0x00081195, 0x00741000)[1]) == 1
    (found,) = client.find(PULL, TransactionUID="", ProcedureStepState="")
    assert not found.get("TransactionUID")


def test_each_class_has_its_own_actions(client) -> None:
    uid = client.created()
    for action, context in ((1, PUSH), (3, PUSH), (2, PULL), (1, WATCH), (9, WATCH)):
        assert client.action(Dataset(), action, uid, context) == 0x0123


def test_the_class_of_another_context_is_refused(client) -> None:
    uid = client.created()
    assert client.association.send_n_get([], VERIFICATION, uid, meta_uid=PULL)[0].Status == 0x0118


def test_two_that_claim_at_once(node) -> None:
    """One of them has it; the other has the wrong Transaction UID."""
    with requestor(node, CONTEXTS) as association:
        uid = Client(association).created()
    barrier = threading.Barrier(4)

    def claim(number: int) -> int:
        with requestor(node, CONTEXTS) as association:
            barrier.wait(10)
            return Client(association).change_state(uid, "IN PROGRESS", f"1.2.{number}")

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(claim, range(4))) == [0x0000, 0xC301, 0xC301, 0xC301]


# --- Query ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("keys", "labels"),
    [
        ({}, ["first", "second"]),
        ({"ProcedureStepState": "SCHEDULED"}, ["first"]),
        ({"ProcedureStepState": "IN PROGRESS", "WorklistLabel": "MR*"}, ["second"]),
        ({"PatientName": "rahman*"}, ["second"]),
        ({"PatientID": "DMC-1001"}, ["first"]),
        ({"ScheduledProcedureStepStartDateTime": "20260301"}, ["first"]),
        ({"ScheduledProcedureStepStartDateTime": "20260302-"}, ["second"]),
        ({"ScheduledWorkitemCodeSequence": [code("110005", "")]}, ["first"]),
        ({"ScheduledProcedureStepPriority": "LOW"}, []),
    ],
)
@pytest.mark.parametrize("by", [QUERY, PULL, WATCH])
def test_keys_that_are_matched(client, by: str, keys, labels) -> None:
    client.created(ProcedureStepLabel="first")
    uid = client.created(
        ProcedureStepLabel="second", PatientName="Rahman^Md", PatientID="DMC-2", WorklistLabel="MR READING",
        ScheduledProcedureStepStartDateTime="20260302100000", ScheduledWorkitemCodeSequence=[code("110004", "CAD")],
    )  # fmt: skip
    client.change_state(uid, "IN PROGRESS", LOCK)
    for item in keys.get("ScheduledWorkitemCodeSequence", []):
        item.CodeMeaning = ""
    assert client.labels(by, **keys) == labels


def test_what_is_asked_for_is_returned_empty_where_there_is_none(client) -> None:
    uid = client.created()
    (found,) = client.find(AdmissionID="", ScheduledWorkitemCodeSequence=[code("", "")])
    assert (found.AdmissionID, found.SOPInstanceUID) == ("", uid)
    assert found.ScheduledWorkitemCodeSequence[0].CodeValue == "110005"
    assert "PatientName" not in found


def test_a_key_that_cannot_be_matched(client) -> None:
    ds = Dataset()
    ds.add_new(0x00741000, "CS", ["SCHEDULED", "COMPLETED"])
    ((status, _),) = list(client.association.send_c_find(ds, QUERY))
    assert (status.Status, status.OffendingElement) == (0xA900, 0x00741000)


def test_implicit_vr(node) -> None:
    contexts = [(uid, ImplicitVRLittleEndian) for uid, _ in CONTEXTS]
    with requestor(node, contexts) as association:
        uid = Client(association).created()
        assert Client(association).change_state(uid, "IN PROGRESS", LOCK) == 0x0000
        assert Client(association).set(uid, performed(LOCK)) == 0x0000
        assert Client(association).change_state(uid, "COMPLETED", LOCK) == 0x0000


# --- Watch and Event --------------------------------------------------------------------------------------------------


def test_a_subscriber_is_told_of_every_change_in_order(node, client, watcher) -> None:
    uid = client.created()
    assert client.subscribe(uid, "WATCHER") == 0x0000
    client.change_state(uid, "IN PROGRESS", LOCK)
    progress, changes = Dataset(), Dataset()
    progress.ProcedureStepProgress = "50"
    changes.TransactionUID, changes.ProcedureStepProgressInformationSequence = LOCK, [progress]
    assert client.set(uid, changes) == 0x0000
    client.set(uid, performed(LOCK))
    client.change_state(uid, "COMPLETED", LOCK)
    with watcher.listening(), worker(node):
        told = [watcher.next() for _ in range(4)]
    assert [event for event, _, _ in told] == [1, 1, 3, 1]
    assert {instance for _, instance, _ in told} == {uid}
    states = [attributes.get("ProcedureStepState") for _, _, attributes in told]
    assert states == ["SCHEDULED", "IN PROGRESS", None, "COMPLETED"]
    assert told[2][2].ProcedureStepProgressInformationSequence[0].ProcedureStepProgress == 50


def test_a_request_to_cancel_what_nobody_has_claimed(node, client, watcher) -> None:
    uid = client.created()
    client.subscribe(uid, "WATCHER")
    assert client.cancel(uid, ReasonForCancellation="No longer needed") == 0x0000
    assert client.cancel(uid) == 0xB304
    with watcher.listening(), worker(node):
        assert watcher.states(3) == ["SCHEDULED", "IN PROGRESS", "CANCELED"]
    (progress,) = client.get(uid)[1].ProcedureStepProgressInformationSequence
    assert progress.ReasonForCancellation == "No longer needed"
    assert progress.ProcedureStepDiscontinuationReasonCodeSequence[0].CodeValue == "110513"
    assert progress.ProcedureStepCancellationDateTime


def test_a_request_to_cancel_what_is_in_progress(node, client, watcher) -> None:
    uid = client.created()
    client.change_state(uid, "IN PROGRESS", LOCK)
    assert client.cancel(uid, by=WATCH) == 0xC312
    client.subscribe(uid, "WATCHER")
    assert client.cancel(uid, by=WATCH, ReasonForCancellation="Wrong patient") == 0x0000
    with watcher.listening(), worker(node):
        watcher.next()
        event, _, attributes = watcher.next()
    assert (event, attributes.RequestingAE, attributes.ReasonForCancellation) == (2, "MODALITY1", "Wrong patient")
    assert client.get(uid)[1].ProcedureStepState == "IN PROGRESS"
    client.set(uid, performed(LOCK))
    client.change_state(uid, "COMPLETED", LOCK)
    assert client.cancel(uid) == 0xC311


def test_a_global_subscription(node, client, watcher) -> None:
    there = client.created()
    assert client.subscribe(GLOBAL, "WATCHER", lock="TRUE") == 0x0000
    new = client.created(ScheduledStationNameCodeSequence=[code("READER1", "Reading room 1")])
    assert client.end(SUSPEND, GLOBAL, "WATCHER") == 0x0000
    client.created()
    client.change_state(new, "IN PROGRESS", LOCK)
    assert client.end(UNSUBSCRIBE, GLOBAL, "WATCHER") == 0x0000
    client.change_state(there, "IN PROGRESS", LOCK)
    with watcher.listening(), worker(node):
        told = [watcher.next() for _ in range(4)]
    assert [(event, instance) for event, instance, _ in told] == [(1, there), (1, new), (5, new), (1, new)]
    assert node.value("SELECT count(*) FROM workitem_subscriptions") == 0


def test_a_filtered_subscription(node, client, watcher) -> None:
    assert client.subscribe(FILTERED, "WATCHER", WorklistLabel="MR*") == 0x0000
    client.created()
    wanted = client.created(WorklistLabel="MR READING")
    assert node.value("SELECT sop_instance_uid FROM workitem_subscriptions") == wanted
    with watcher.listening(), worker(node):
        assert watcher.next()[1] == wanted


def test_subscriptions_that_are_refused(client, watcher) -> None:
    uid = client.created()
    assert client.subscribe(uid, "NOBODY") == 0xC308
    assert client.subscribe(uid, "MODALITY1") == 0xC308
    assert client.subscribe(generate_uid(), "WATCHER") == 0xC307
    assert client.subscribe(uid, "WATCHER", lock="MAYBE") == 0x0115
    assert client.end(SUSPEND, uid, "WATCHER") == 0xC314
    assert client.end(UNSUBSCRIBE, uid, "WATCHER") == 0x0000


def test_what_a_subscriber_that_is_away_could_not_be_told_is_kept_and_then_given_up(node, client, watcher) -> None:
    client.subscribe(client.created(), "WATCHER")
    with pytest.raises(Later) as later:
        node.wait(send_reports(node.app, {"ae_title": "WATCHER"}))
    assert later.value.seconds == 5
    assert node.value("SELECT attempts FROM workitem_reports") == 1
    tomorrow = SetClock(node.app.clock.now() + timedelta(hours=25))
    node.wait(send_reports(replace(node.app, clock=tomorrow), {"ae_title": "WATCHER"}))
    assert node.value("SELECT count(*) FROM workitem_reports") == 0


def test_a_report_that_is_answered_with_a_failure_is_not_repeated(node, client, watcher) -> None:
    watcher.status = 0x0110
    uid = client.created()
    client.subscribe(uid, "WATCHER")
    with watcher.listening():
        node.wait(send_reports(node.app, {"ae_title": "WATCHER"}))
        assert watcher.next()[1] == uid
    assert node.value("SELECT count(*) FROM workitem_reports") == 0
