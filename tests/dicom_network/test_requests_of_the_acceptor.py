"""Requests that the acceptor sends between the messages of its peer (PS3.7 N-EVENT-REPORT)."""

import threading
from collections.abc import Callable
from typing import Any

import pytest

from radiology.dicom_network.client import Peer, connect
from radiology.dicom_network.connection import Association, DataSet, Outcome, Timers
from radiology.dicom_network.message import Command, CommandField, Element, Response
from radiology.dicom_network.server import Server

VERIFICATION, MPPS = "1.2.840.10008.1.1", "1.2.840.10008.3.1.2.3.3"
EXPLICIT = "1.2.840.10008.1.2.1"
CONTEXTS = [(VERIFICATION, [EXPLICIT]), (MPPS, [EXPLICIT])]
EVENT = {Element.AFFECTED_SOP_CLASS_UID: MPPS, Element.AFFECTED_SOP_INSTANCE_UID: "1.2.3", Element.EVENT_TYPE_ID: 1}


class Teller:
    """Tells of one event as soon as its peer has been silent for a moment, and notes the response."""

    def __init__(self, silence_seconds: float = 0.05) -> None:
        self.silence_seconds = silence_seconds
        self.calls = 0
        self.told = threading.Event()
        self.answers: list[int] = []

    def between_messages(self, association: Association) -> float | None:
        self.calls += 1
        if self.calls == 1:
            return self.silence_seconds
        if not self.told.is_set():
            context = association.context_for(MPPS)
            assert context is not None
            association.begin(context, CommandField.N_EVENT_REPORT_RQ, EVENT, b"event", self._answered)
            self.told.set()
        return None

    def _answered(self, response: Command) -> None:
        self.answers.append(response.status)


def peer_of(server: Server) -> Peer:
    return Peer(*server.address, called_ae_title="RADSVC", calling_ae_title="CT1")


def test_a_request_of_the_peer_may_come_before_its_response(start_server: Callable[..., Server], archive: Any) -> None:
    teller, events = Teller(), list[bytes]()

    def on_event(_request: Command, data: bytes) -> Response:
        events.append(data)
        return Response()

    server = start_server(timers=Timers(5, 5, 5), between_messages=teller.between_messages)
    with connect(peer_of(server), CONTEXTS) as association:
        association.on_event_report = on_event
        assert teller.told.wait(5)
        assert association.echo().status == 0
        assert association.echo().status == 0, "the response to the event was taken in between"
    assert (events, teller.answers) == ([b"event"], [0])
    archive.wait_for(lambda: archive.ended)
    assert archive.ended == [(Outcome.RELEASED, "")]


def test_the_peer_may_do_nothing_but_wait_for_it(start_server: Callable[..., Server]) -> None:
    teller, events = Teller(), list[bytes]()

    def on_event(_request: Command, data: bytes) -> Response:
        events.append(data)
        return Response()

    server = start_server(timers=Timers(5, 5, 5), between_messages=teller.between_messages)
    with connect(peer_of(server), CONTEXTS) as association:
        association.on_event_report = on_event
        assert association.take_event_report(5)
        assert not association.take_event_report(0.01), "there is one event"
    assert events == [b"event"]


def test_the_peer_may_go_without_its_response(start_server: Callable[..., Server], archive: Any) -> None:
    teller = Teller()
    server = start_server(timers=Timers(5, 5, 5), between_messages=teller.between_messages)
    association = connect(peer_of(server), CONTEXTS)
    assert teller.told.wait(5)
    association.release()
    archive.wait_for(lambda: archive.ended)
    assert archive.ended == [(Outcome.RELEASED, "")]
    assert teller.answers == []


def test_a_service_that_asks_the_peer_gets_its_own_response(start_server: Callable[..., Server]) -> None:
    teller, events = Teller(), list[bytes]()

    def create(association: Association, _request: Command, _data: DataSet) -> Response:
        context = association.context_for(MPPS)
        assert context is not None
        answer = association.invoke(context, CommandField.N_EVENT_REPORT_RQ, EVENT, b"of the service")
        return Response(answer.command.status)

    def on_event(_request: Command, data: bytes) -> Response:
        events.append(data)
        return Response(0x0000 if data == b"event" else 0x0107)

    server = start_server(
        {(MPPS, CommandField.N_CREATE_RQ): create}, timers=Timers(5, 5, 5), between_messages=teller.between_messages
    )
    with connect(peer_of(server), CONTEXTS) as association:
        association.on_event_report = on_event
        assert teller.told.wait(5)
        elements = {Element.AFFECTED_SOP_CLASS_UID: MPPS, Element.AFFECTED_SOP_INSTANCE_UID: "1.2.4"}
        answer, _ = association.request_once(MPPS, CommandField.N_CREATE_RQ, elements, b"step")
    assert answer.status == 0x0107
    assert (events, teller.answers) == ([b"event", b"of the service"], [0x0000])


def test_a_message_ends_the_waiting(start_server: Callable[..., Server]) -> None:
    teller = Teller(silence_seconds=60)
    server = start_server(timers=Timers(5, 5, 5), between_messages=teller.between_messages)
    with connect(peer_of(server), CONTEXTS) as association:
        association.on_event_report = lambda _request, _data: Response()
        assert association.echo().status == 0


def test_waiting_is_not_the_idle_time_of_the_peer(start_server: Callable[..., Server], archive: Any) -> None:
    teller = Teller(silence_seconds=0.6)
    server = start_server(timers=Timers(5, 5, 0.2), between_messages=teller.between_messages)
    association = connect(peer_of(server), CONTEXTS)
    assert teller.told.wait(5), "it waited longer than the idle limit"
    archive.wait_for(lambda: archive.ended)
    assert archive.ended[0][0] is Outcome.TIMED_OUT, "with nothing to come back for the limit holds"
    association.abort()


def test_a_response_that_nobody_waits_for_ends_the_association(
    start_server: Callable[..., Server], archive: Any
) -> None:
    server = start_server(timers=Timers(5, 5, 5))
    association = connect(peer_of(server), CONTEXTS)
    context = association.context_for(VERIFICATION)
    assert context is not None
    request = association.new_request(CommandField.C_ECHO_RQ, {}, with_data_set=False)
    association.send_message(context.context_id, Response().to_command(request))
    archive.wait_for(lambda: archive.ended)
    assert archive.ended[0][0] is Outcome.PROTOCOL_ERROR
    with pytest.raises(Exception, match="aborted"):
        association.echo()
    association.close()
