"""Performed procedure steps passed on to pynetdicom: in order, once, also after a restart, and what is refused."""

import queue
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from pydicom.dataset import Dataset
from pydicom.uid import ExplicitVRLittleEndian, generate_uid
from pynetdicom import AE, evt
from pynetdicom.association import Association

from node import Node, free_port, running_node
from radiology.application_entities.model import ApplicationEntity
from radiology.kit import jobs
from radiology.modality_worklist import forwarding
from radiology.settings import Settings
from requestor import requestor
from working import worker
from worklist import MPPS, begun, ended

NOTIFICATION = "1.2.840.10008.3.1.2.3.5"
PEER = "OTHERRIS"
STATES = "SELECT string_agg(operation || ' ' || state, ', ' ORDER BY id) FROM performed_step_messages"

Told = tuple[str, str, Any]


@pytest.fixture
def node(settings: Settings) -> Iterator[Node]:
    with running_node(settings) as running:
        yield running


@pytest.fixture
def modality(node: Node) -> Iterator[Association]:
    with requestor(node, [(MPPS, ExplicitVRLittleEndian)]) as association:
        yield association


@contextmanager
def other_system(
    node: Node,
    *,
    port: int = 0,
    services: tuple[str, ...] = ("mpps-forward",),
    status_of: Callable[[int], int] = lambda _: 0,
) -> Iterator["queue.Queue[Told]"]:
    """What pynetdicom is told: operation, SOP Instance UID, and data set or event. `status_of` counts from 1."""
    told: queue.Queue[Told] = queue.Queue()
    count = 0

    def take(event: evt.Event, operation: str, uid: str, said: Any) -> tuple[int, Dataset | None]:
        nonlocal count
        count += 1
        told.put((operation, uid, said))
        return status_of(count), None

    def on_create(event: evt.Event) -> Any:
        return take(event, "N-CREATE", event.request.AffectedSOPInstanceUID, event.attribute_list)

    def on_set(event: evt.Event) -> Any:
        return take(event, "N-SET", event.request.RequestedSOPInstanceUID, event.modification_list)

    def on_report(event: evt.Event) -> Any:
        return take(event, "N-EVENT-REPORT", event.request.AffectedSOPInstanceUID, event.request.EventTypeID)

    ae = AE(ae_title=PEER)
    ae.add_supported_context(MPPS)
    ae.add_supported_context(NOTIFICATION, scu_role=False, scp_role=True)
    handlers = [(evt.EVT_N_CREATE, on_create), (evt.EVT_N_SET, on_set), (evt.EVT_N_EVENT_REPORT, on_report)]
    server = ae.start_server(("127.0.0.1", port), block=False, evt_handlers=handlers)  # type: ignore[arg-type]
    try:
        node.register(ApplicationEntity(PEER, "127.0.0.1", server.socket.getsockname()[1], services=list(services)))
        yield told
    finally:
        server.shutdown()


def report(modality: Association, uid: str, **changes: Any) -> None:
    """A step from its beginning over a change to its end."""
    assert modality.send_n_create(begun(**changes), MPPS, uid)[0].Status == 0
    change = Dataset()
    change.PerformedProcedureStepStatus = "IN PROGRESS"
    change.PerformedProcedureStepDescription = "বুক"
    change.SpecificCharacterSet = "ISO_IR 192"
    assert modality.send_n_set(change, MPPS, uid)[0].Status == 0
    assert modality.send_n_set(ended("COMPLETED"), MPPS, uid)[0].Status == 0


def wait_for_states(node: Node, states: str) -> None:
    """Until the messages are in these states; the worker does them one after the other."""

    async def look() -> None:
        import asyncio

        while True:
            async with node.app.db.transaction() as tx:
                if await tx.value(STATES) == states:
                    return
            await asyncio.sleep(0.02)

    node.wait(look())


@pytest.mark.peer("Modality Performed Procedure Step (SCU)", "pynetdicom")
def test_a_step_reaches_the_other_system_in_order_and_once(node: Node, modality: Association) -> None:
    uid = generate_uid()
    with other_system(node) as told, worker(node):
        report(modality, uid, PatientName="Karim^Abdul")
        came = [told.get(timeout=15) for _ in range(3)]
        wait_for_states(node, "N-CREATE sent, N-SET sent, N-SET sent")
        assert told.empty()
    assert [(operation, about) for operation, about, _ in came] == [("N-CREATE", uid), ("N-SET", uid), ("N-SET", uid)]
    begin, change, end = (said for _, _, said in came)
    assert (begin.PatientName, begin.PerformedProcedureStepStatus) == ("Karim^Abdul", "IN PROGRESS")
    assert change.PerformedProcedureStepDescription == "বুক"
    assert end.PerformedProcedureStepStatus == "COMPLETED"


@pytest.mark.peer("Modality Performed Procedure Step Notification (SCP)", "pynetdicom")
def test_whoever_is_notified_hears_which_event_it_was(node: Node, modality: Association) -> None:
    uid = generate_uid()
    with other_system(node, services=("mpps-notify",)) as told, worker(node):
        report(modality, uid)
        assert [told.get(timeout=15) for _ in range(3)] == [("N-EVENT-REPORT", uid, event) for event in (1, 4, 2)]


@pytest.mark.peer("Modality Performed Procedure Step (SCU)", "pynetdicom")
def test_what_waits_while_the_system_is_away_comes_when_it_is_back(node: Node, modality: Association) -> None:
    port, uid = free_port(), generate_uid()
    node.register(ApplicationEntity(PEER, "127.0.0.1", port, services=["mpps-forward"]))
    report(modality, uid)
    with pytest.raises(jobs.Later):
        node.wait(forwarding.send(node.app, {"ae_title": PEER, "sop_instance_uid": uid}))
    assert node.value(STATES) == "N-CREATE open, N-SET open, N-SET open"
    with other_system(node, port=port) as told:
        node.wait(forwarding.send(node.app, {"ae_title": PEER, "sop_instance_uid": uid}))
        assert [told.get(timeout=15)[0] for _ in range(3)] == ["N-CREATE", "N-SET", "N-SET"]


@pytest.mark.peer("Modality Performed Procedure Step (SCU)", "pynetdicom")
def test_an_answer_that_was_lost_in_a_crash_is_heard_from_the_repetition(node: Node, modality: Association) -> None:
    """The peer has the step already (0111), so what follows it is sent."""
    uid = generate_uid()
    with other_system(node, status_of=lambda number: 0x0111 if number == 1 else 0):
        report(modality, uid)
        node.wait(forwarding.send(node.app, {"ae_title": PEER, "sop_instance_uid": uid}))
    assert node.value(STATES) == "N-CREATE sent, N-SET sent, N-SET sent"


@pytest.mark.peer("Modality Performed Procedure Step (SCU)", "pynetdicom")
def test_what_is_refused_does_not_hold_up_what_follows_and_a_passing_failure_does(
    node: Node, modality: Association
) -> None:
    uid = generate_uid()
    with other_system(node, status_of=lambda number: {1: 0x0106, 3: 0x0110}.get(number, 0)) as told:
        report(modality, uid)
        arguments = {"ae_title": PEER, "sop_instance_uid": uid}
        with pytest.raises(jobs.Later):
            node.wait(forwarding.send(node.app, arguments))
        assert node.value(STATES) == "N-CREATE refused, N-SET sent, N-SET open"
        node.wait(forwarding.send(node.app, arguments))
        assert [told.get(timeout=15)[0] for _ in range(4)] == ["N-CREATE", "N-SET", "N-SET", "N-SET"]
    assert node.value(STATES) == "N-CREATE refused, N-SET sent, N-SET sent"


def test_after_a_day_a_step_is_given_up_whole(node: Node, modality: Association) -> None:
    uid = generate_uid()
    node.register(ApplicationEntity(PEER, "127.0.0.1", free_port(), services=["mpps-forward"]))
    report(modality, uid)
    node.value("UPDATE performed_step_messages SET caused_at = now() - interval '25 hours' RETURNING 1")
    node.wait(forwarding.send(node.app, {"ae_title": PEER, "sop_instance_uid": uid}))
    assert node.value(STATES) == "N-CREATE given-up, N-SET given-up, N-SET given-up"


def test_nobody_is_told_of_its_own_steps_or_of_those_of_another_facility(node: Node, modality: Association) -> None:
    node.register(ApplicationEntity("MODALITY1", "127.0.0.1", 4242, services=["mpps", "mpps-forward"]))
    node.register(ApplicationEntity(PEER, "127.0.0.1", 4242, services=["mpps-forward"], facility_code="ELSEWHERE"))
    report(modality, generate_uid())
    assert node.value("SELECT count(*) FROM performed_step_messages") == 0
