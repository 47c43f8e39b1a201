"""Whatever a peer sends on an established association, message exchange ends in order and says how."""

import contextlib
import socket
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from radiology.dicom_network.association import Offer, Policy, UpperLayer, negotiate
from radiology.dicom_network.connection import Association
from radiology.dicom_network.items import PDUError
from radiology.dicom_network.message import Command, CommandField, Element, Response, command_pdus, fragments
from radiology.dicom_network.pdu import PDV, Abort, AssociateAC, AssociateRQ, DataTF, ProposedContext, ReleaseRQ, encode
from radiology.dicom_network.transport import Address, AssociationEndedError, Timers, Transport

CT, FIND = "1.2.840.10008.5.1.4.1.1.2", "1.2.840.10008.5.1.4.1.2.2.1"
REQUEST = AssociateRQ("RADSVC", "CT1", tuple(ProposedContext(n, CT, ("1.2.840.10008.1.2",)) for n in (1, 3)))


@contextlib.contextmanager
def association() -> Iterator[tuple[Association, socket.socket]]:
    """An association that was just accepted, and the socket of its peer."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        peer = socket.create_connection(listener.getsockname())
        ours, _ = listener.accept()
    with peer, ours:
        upper = UpperLayer(requestor=False, max_pdu_length=4096)
        transport = Transport(ours, upper, Timers(1, 1, 1))
        upper.accept_transport()
        peer.sendall(encode(REQUEST))
        request = transport.receive(1)
        answer = negotiate(REQUEST, Policy({CT: Offer()}))
        assert isinstance(request, AssociateRQ)
        assert isinstance(answer, AssociateAC)
        upper.answer(answer)
        yield Association(transport, request, answer, Address("127.0.0.1", 0)), peer


def command(message_id: int, field: int, *, data: bool) -> bytes:
    elements = {
        Element.COMMAND_FIELD: field,
        Element.MESSAGE_ID: message_id,
        Element.DATA_SET_TYPE: 1 if data else 0x101,
    }
    if field == CommandField.C_CANCEL_RQ:
        elements[Element.MESSAGE_ID_BEING_RESPONDED_TO] = elements.pop(Element.MESSAGE_ID)
    return command_pdus(1, Command(elements), 4096)


STORE, CANCEL = CommandField.C_STORE_RQ, CommandField.C_CANCEL_RQ
pieces = st.one_of(
    st.binary(max_size=30),
    st.sampled_from(
        [
            command(1, STORE, data=True),
            command(2, STORE, data=False),
            command(1, CANCEL, data=False),
            b"".join(fragments(1, bytes(9000), 4096)),
            b"".join(fragments(3, b"12", 4096)),
            encode(DataTF([PDV(1, 0, b""), PDV(1, 0, b"12")])),
            encode(DataTF([PDV(1, 1, b"12")])),
            encode(ReleaseRQ()),
            encode(Abort()),
            encode(REQUEST),
        ]
    ),
)


def exchange(ours: Association, limit: int, *, drain: bool) -> None:
    """Take messages until the peer asks for release; more than were sent cannot come."""
    for _ in range(limit):
        message = ours.next_message()
        if message is None:
            return
        ours.is_cancelled(message.command)
        if drain:
            message.data.drain()
    pytest.fail("more messages came than were sent")


@given(st.lists(pieces, max_size=8), st.booleans())
def test_any_sequence_ends_in_order(sent: list[bytes], drain: bool) -> None:
    with association() as (ours, peer):
        peer.sendall(b"".join(sent))
        peer.shutdown(socket.SHUT_WR)
        ended: list[AssociationEndedError] = []
        try:
            exchange(ours, len(sent) + 1, drain=drain)
        except AssociationEndedError as error:
            ended.append(error)
        for first in ended:
            with pytest.raises(AssociationEndedError) as again:
                ours.next_message()
            assert again.value is first
            with pytest.raises(AssociationEndedError):
                ours.send_message(1, Response().to_command(Command({Element.COMMAND_FIELD: STORE})))


def test_a_cancel_is_seen_without_waiting_and_the_next_request_is_kept() -> None:
    with association() as (ours, peer):
        peer.sendall(command(7, CommandField.C_FIND_RQ, data=False))
        message = ours.next_message()
        assert message is not None
        assert not ours.is_cancelled(message.command)
        peer.sendall(command(5, CANCEL, data=False) + command(7, CANCEL, data=False) + command(8, STORE, data=False))
        while not ours.is_cancelled(message.command):
            pass
        following = ours.next_message()
        assert following is not None
        assert following.command.message_id == 8


def test_a_release_during_pending_responses_waits_for_its_turn() -> None:
    with association() as (ours, peer):
        peer.sendall(command(7, CommandField.C_FIND_RQ, data=False))
        message = ours.next_message()
        assert message is not None
        peer.sendall(encode(ReleaseRQ()))
        for _ in range(3):
            assert not ours.is_cancelled(message.command)
        ours.send_message(1, Response(0xFF00).to_command(message.command))
        assert ours.next_message() is None
        ours.answer_release()


def test_an_identifier_has_a_limit() -> None:
    with association() as (ours, peer):
        peer.sendall(command(7, CommandField.C_FIND_RQ, data=True) + b"".join(fragments(1, bytes(9000), 4096)))
        message = ours.next_message()
        assert message is not None
        with pytest.raises(PDUError, match="longer than the 5000 bytes"):
            message.data.read(5000)
