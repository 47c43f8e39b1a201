"""The state machine is the table of PS3.8, negotiation follows the reject table, and no bytes can hurt either."""

import itertools
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pynetdicom import fsm

from radiology.dicom_network.association import (
    EXPLICIT_VR_LITTLE_ENDIAN,
    IMPLICIT_VR_LITTLE_ENDIAN,
    STORAGE_SERVICE_CLASS,
    AcceptedContext,
    IllegalPrimitiveError,
    Offer,
    Policy,
    ProtocolAbort,
    TransportClosed,
    UpperLayer,
    accepted_contexts,
    negotiate,
)
from radiology.dicom_network.items import AbortReason, PDUError
from radiology.dicom_network.pdu import (
    PDV,
    Abort,
    AnsweredContext,
    AssociateAC,
    AssociateRJ,
    AssociateRQ,
    DataTF,
    ProposedContext,
    ReleaseRP,
    ReleaseRQ,
    decode,
    encode,
)
from radiology.dicom_network.states import TRANSITIONS, Action, Event, State
from radiology.dicom_network.user_information import (
    AsyncWindow,
    RoleSelection,
    SOPClassCommonExtended,
    SOPClassExtended,
    UserIdentity,
    UserInformation,
)

CT, ECHO, FIND = "1.2.840.10008.5.1.4.1.1.2", "1.2.840.10008.1.1", "1.2.840.10008.5.1.4.1.2.2.1"
IMPLICIT, EXPLICIT = IMPLICIT_VR_LITTLE_ENDIAN, EXPLICIT_VR_LITTLE_ENDIAN
JPEG, JPEG_LS, JPIP = "1.2.840.10008.1.2.4.70", "1.2.840.10008.1.2.4.80", "1.2.840.10008.1.2.4.94"
REQUEST = AssociateRQ("RADSVC", "CT1", (ProposedContext(1, CT, (IMPLICIT,)), ProposedContext(3, ECHO, (IMPLICIT,))))
PLAIN = UserInformation()
POLICY = Policy({CT: Offer(frozenset({IMPLICIT, EXPLICIT, JPEG, JPEG_LS})), ECHO: Offer()}, frozenset({"RADSVC"}))

# --- The table --------------------------------------------------------------------------------------------------------

# What each event may not meet; everything else must be in the table (PS3.8 table 9-10, its empty cells).
REFUSED = {
    Event.ASSOCIATE_REQUEST: set(State) - {1},
    Event.TRANSPORT_CONNECTED: set(State) - {4},
    Event.ASSOCIATE_AC_PDU: {1, 4},
    Event.ASSOCIATE_RJ_PDU: {1, 4},
    Event.TRANSPORT_INDICATED: set(State) - {1},
    Event.ASSOCIATE_RQ_PDU: {1, 4},
    Event.ASSOCIATE_ACCEPT: set(State) - {3},
    Event.ASSOCIATE_REJECT: set(State) - {3},
    Event.DATA_REQUEST: set(State) - {6, 8},
    Event.DATA_PDU: {1, 4},
    Event.RELEASE_REQUEST: set(State) - {6},
    Event.RELEASE_RQ_PDU: {1, 4},
    Event.RELEASE_RP_PDU: {1, 4},
    Event.RELEASE_RESPONSE: set(State) - {8, 9, 12},
    Event.ABORT_REQUEST: {1, 2, 13},
    Event.ABORT_PDU: {1, 4},
    Event.TRANSPORT_CLOSED: {1},
    Event.ARTIM_EXPIRED: set(State) - {2, 13},
    Event.INVALID_PDU: {1, 4},
}
REFUSED_PAIRS = sorted((State(state), event) for event, states in REFUSED.items() for state in states)


def test_the_table_has_every_pair_but_the_refused() -> None:
    assert set(TRANSITIONS) == set(itertools.product(State, Event)) - set(REFUSED_PAIRS)


@pytest.mark.parametrize(("state", "event"), REFUSED_PAIRS)
def test_refused_pairs(state: State, event: Event) -> None:
    layer = UpperLayer(requestor=False, state=state)
    with pytest.raises(IllegalPrimitiveError):
        layer._step(event)
    assert layer.state is state


COVERS = {
    Action.NOTHING: {"AE-1", "AA-6"},
    Action.OPEN: {"AE-2"},
    Action.INDICATE: {"AE-3", "DT-2", "AR-2", "AR-6", "AR-10"},
    Action.INDICATE_AND_CLOSE: {"AE-4", "AR-3", "AA-3", "AA-4"},
    Action.START_ARTIM: {"AE-5"},
    Action.JUDGE: {"AE-6"},
    Action.SEND: {"AE-7", "DT-1", "AR-1", "AR-7", "AR-9"},
    Action.SEND_AND_WAIT: {"AE-8", "AR-4", "AA-1"},
    Action.COLLISION: {"AR-8"},
    Action.CLOSE: {"AA-2", "AA-5", "AR-5"},
    Action.ABORT: {"AA-8"},
    Action.ABORT_SILENTLY: {"AA-1", "AA-7"},
}


@pytest.mark.parametrize(("event", "state"), sorted(fsm.TRANSITION_TABLE))
def test_the_table_agrees_with_pynetdicom(event: str, state: str) -> None:
    number = int(re.sub(r"\D", "", state))
    name = fsm.TRANSITION_TABLE[event, state]
    following = fsm.ACTIONS[name][2]
    step = TRANSITIONS[State(number), Event(int(re.sub(r"\D", "", event)))]
    assert name in COVERS[step.action]
    assert f"Sta{step.following.value}" in (following if isinstance(following, tuple) else (following,))


# --- The life of an association ---------------------------------------------------------------------------------------


def feed(layer: UpperLayer, data: bytes, step: int = 2**30) -> list[object]:
    """Give the bytes in pieces and take every indication."""
    indications: list[object] = []
    position = 0
    while position < len(data):
        room = layer.writable()
        piece = data[position : position + min(step, len(room))]
        room[: len(piece)] = piece
        layer.received(len(piece))
        position += len(piece)
        while (indication := layer.next_indication()) is not None:
            if isinstance(indication, DataTF):
                indication = DataTF([PDV(p.context_id, p.control, bytes(p.fragment)) for p in indication.pdvs])
            indications.append(indication)
    return indications


def sent(layer: UpperLayer) -> object:
    data, pdu = bytes(layer.outgoing), None
    layer.outgoing.clear()
    if data:
        pdu = decode(data)
    return pdu


def acceptor() -> UpperLayer:
    layer = UpperLayer(requestor=False, max_pdu_length=16384)
    layer.accept_transport()
    return layer


def established() -> UpperLayer:
    layer = acceptor()
    assert feed(layer, encode(REQUEST)) == [REQUEST]
    layer.answer(negotiate(REQUEST, POLICY))
    assert isinstance(sent(layer), AssociateAC)
    return layer


@pytest.mark.parametrize("step", [1, 5, 6, 7, 1000, 2**30])
def test_accept_exchange_release(step: int) -> None:
    layer = established()
    data = DataTF([PDV(1, 3, b"command"), PDV(1, 2, bytes(16000))])
    assert feed(layer, encode(data) * 5 + encode(ReleaseRQ()), step) == [*[data] * 5, ReleaseRQ()]
    layer.data()
    layer.release_response()
    assert sent(layer) == ReleaseRP()
    assert (layer.state, layer.artim) == (State.AWAIT_TRANSPORT_CLOSE, True)
    layer.received(0)
    assert layer.next_indication() is None
    assert (layer.state, layer.artim, layer.close) == (State.IDLE, False, True)


def test_reject_waits_for_the_peer_to_close() -> None:
    layer = acceptor()
    feed(layer, encode(REQUEST))
    layer.answer(AssociateRJ(1, 1, 3))
    assert sent(layer) == AssociateRJ(1, 1, 3)
    layer.artim_expired()
    assert layer.close


def test_artim_closes_without_a_word() -> None:
    layer = acceptor()
    layer.artim_expired()
    assert (sent(layer), layer.close) == (None, True)


def test_a_request_larger_than_the_buffer_is_read() -> None:
    contexts = tuple(ProposedContext(2 * n + 1, CT, (IMPLICIT,) * 100) for n in range(128))
    request = AssociateRQ("RADSVC", "CT1", contexts)
    layer = acceptor()
    assert len(encode(request)) > 5 * len(layer.writable())
    assert feed(layer, encode(request), 5000) == [request]


def test_a_promised_length_takes_no_memory() -> None:
    layer = acceptor()
    feed(layer, b"\1\0\0\x0f\xff\xff")
    assert len(layer.writable()) < 40_000


def test_both_ask_for_release() -> None:
    requestor = UpperLayer(requestor=True)
    requestor.associate(REQUEST)
    assert sent(requestor) == REQUEST
    answer = negotiate(REQUEST, POLICY)
    assert isinstance(answer, AssociateAC)
    assert feed(requestor, encode(answer)) == [answer]
    requestor.release()
    assert sent(requestor) == ReleaseRQ()
    assert feed(requestor, encode(ReleaseRQ())) == [ReleaseRQ()]
    requestor.release_response()
    assert sent(requestor) == ReleaseRP()
    assert feed(requestor, encode(ReleaseRP())) == [ReleaseRP()]
    assert requestor.close


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (encode(REQUEST), AbortReason.UNEXPECTED_PDU),
        (encode(ReleaseRP()), AbortReason.UNEXPECTED_PDU),
        (b"GET / HTTP/1.1\r\n\r\n", AbortReason.UNRECOGNIZED_PDU),
        (b"\4\0\0\0\x40\1", AbortReason.INVALID_PARAMETER_VALUE),
        (b"\4\0\0\0\0\6\0\0\0\1\1\1", AbortReason.INVALID_PARAMETER_VALUE),
    ],
)
def test_what_does_not_belong_aborts(data: bytes, reason: AbortReason) -> None:
    layer = established()
    [indication] = feed(layer, data)
    assert isinstance(indication, ProtocolAbort)
    assert indication.reason == reason
    assert sent(layer) == Abort(2, reason)
    assert layer.state is State.AWAIT_TRANSPORT_CLOSE


def test_garbage_before_an_association_is_aborted_silently() -> None:
    layer = acceptor()
    assert feed(layer, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03") == []
    assert sent(layer) == Abort()
    assert feed(layer, bytes(100_000)) == []


def test_abort_and_close_by_the_peer() -> None:
    layer = established()
    assert feed(layer, encode(Abort(0, 0)) + b"more") == [Abort(0, 0)]
    assert layer.close
    layer = established()
    layer.received(0)
    assert layer.next_indication() == TransportClosed()


def test_p_data_needs_an_association() -> None:
    with pytest.raises(IllegalPrimitiveError):
        acceptor().data()


@given(st.lists(st.binary(max_size=60), max_size=8), st.integers(0, 2), st.booleans())
def test_any_bytes_in_any_state_end_in_order(pieces: list[bytes], stage: int, requestor: bool) -> None:
    layer = [acceptor, established, established][stage]()
    if stage == 2:
        layer.release()
    layer.requestor = requestor
    for piece in pieces:
        indications = feed(layer, piece)
        assert len(indications) <= len(piece) // 6 + 1
    layer.received(0)
    while layer.next_indication() is not None:
        pass
    assert layer.close or layer.state in (State.IDLE, State.AWAIT_LOCAL_ASSOCIATE_RESPONSE)


@given(st.lists(st.sampled_from([1, 2, 3, 4, 5, 6, 7]), max_size=6), st.integers(0, 2))
def test_any_order_of_pdus_is_survived(kinds: list[int], stage: int) -> None:
    answer = negotiate(REQUEST, POLICY)
    examples = {1: REQUEST, 2: answer, 3: AssociateRJ(1, 1, 1), 4: DataTF([PDV(1, 3, b"x")]), 5: ReleaseRQ()}
    layer = [acceptor, established, established][stage]()
    if stage == 2:
        layer.release()
    feed(layer, b"".join(encode(examples.get(kind, ReleaseRP() if kind == 6 else Abort())) for kind in kinds))
    layer.refuse(PDUError("enough"))
    assert len(layer.outgoing) < 1000


# --- Negotiation ------------------------------------------------------------------------------------------------------


def with_contexts(*contexts: tuple[str, tuple[str, ...]], user: UserInformation = PLAIN) -> AssociateRQ:
    return AssociateRQ(
        "RADSVC", "CT1", tuple(ProposedContext(2 * n + 1, uid, ts) for n, (uid, ts) in enumerate(contexts)), user
    )


def accept(request: AssociateRQ, policy: Policy = POLICY) -> AssociateAC:
    answer = negotiate(request, policy)
    assert isinstance(answer, AssociateAC)
    return answer


@pytest.mark.parametrize(
    ("request_", "triple"),
    [
        (AssociateRQ("OTHER", "CT1", REQUEST.contexts), (1, 1, 7)),
        (AssociateRQ("radsvc", "CT1", REQUEST.contexts), (1, 1, 7)),
        (AssociateRQ("RADSVC", "CT1", REQUEST.contexts, application_context="1.2.3"), (1, 1, 2)),
        (AssociateRQ("RADSVC", "CT1", REQUEST.contexts, protocol_version=2), (1, 2, 2)),
        (AssociateRQ("RADSVC", "CT1", REQUEST.contexts, UserInformation(max_pdu_length=6)), (1, 1, 1)),
    ],
)
def test_reject_table(request_: AssociateRQ, triple: tuple[int, int, int]) -> None:
    assert negotiate(REQUEST, POLICY) != AssociateRJ(*triple)
    assert negotiate(request_, POLICY) == AssociateRJ(*triple)


@pytest.mark.parametrize(
    ("proposed", "chosen"),
    [
        ((IMPLICIT,), IMPLICIT),
        ((IMPLICIT, EXPLICIT), EXPLICIT),
        ((JPEG, IMPLICIT), IMPLICIT),
        ((JPEG_LS, JPEG), JPEG_LS),
        ((JPEG, JPEG_LS), JPEG),
        ((JPIP, JPEG), JPEG),
    ],
)
def test_lan_order_of_transfer_syntaxes(proposed: tuple[str, ...], chosen: str) -> None:
    assert accept(with_contexts((CT, proposed))).contexts == (AnsweredContext(1, 0, chosen),)


def test_results_of_contexts() -> None:
    policy = Policy(POLICY.offers, forbidden=frozenset({FIND}))
    request = with_contexts((CT, (IMPLICIT,)), (FIND, (IMPLICIT,)), ("1.2.3", (IMPLICIT,)), (CT, (JPIP,)), (CT, ()))
    assert [c.result for c in accept(request, policy).contexts] == [0, 1, 3, 4, 4]


def test_unknown_storage_classes() -> None:
    private = "1.3.12.2.1107.5.9.1"
    request = with_contexts((private, (IMPLICIT,)))
    marked = with_contexts(
        (private, (IMPLICIT,)),
        user=UserInformation(common_extended=(SOPClassCommonExtended(private, STORAGE_SERVICE_CLASS),)),
    )
    assert accept(request, Policy({}, storage=Offer())).contexts[0].result == 3
    assert accept(marked, Policy({}, storage=Offer())).contexts[0].result == 0
    assert accept(marked, Policy({})).contexts[0].result == 3
    assert accept(request, Policy({}, storage=Offer(), private_roots=("1.3.12.2.1107",))).contexts[0].result == 0
    assert accept(request, Policy({}, storage=Offer(), private_roots=("1.3.12.2.11",))).contexts[0].result == 3
    assert accept(request, Policy({}, storage=Offer(), accept_unknown_storage=True)).contexts[0].result == 0


def test_roles_window_extended_and_identity_are_answered() -> None:
    user = UserInformation(
        async_window=AsyncWindow(0, 8),
        roles=(RoleSelection(CT, scu=True, scp=True), RoleSelection("1.2.3", scu=True, scp=True)),
        extended=(SOPClassExtended(FIND, b"\1\1\1"), SOPClassExtended(CT, b"\1")),
        user_identity=UserIdentity(4, b"assertion", response_requested=True),
    )
    offers = {CT: Offer(peer_scp=True, peer_scu=False), FIND: Offer(extended=b"\1\0\1\1")}
    request = with_contexts((CT, (IMPLICIT,)), (FIND, (IMPLICIT,)), user=user)
    answer = accept(request, Policy(offers, user_identity_response=b"ok"))
    information = answer.user_information
    assert information.async_window == AsyncWindow(1, 1)
    assert information.roles == (RoleSelection(CT, scu=False, scp=True),)
    assert information.extended == (SOPClassExtended(FIND, b"\1\0\1"),)
    assert information.user_identity_response == b"ok"
    assert accepted_contexts(request, answer)[1] == AcceptedContext(1, CT, IMPLICIT, False, True)
    plain = accept(with_contexts((CT, (IMPLICIT,)))).user_information
    assert (plain.async_window, plain.roles, plain.user_identity_response) == (None, (), None)


def test_answers_to_what_was_not_proposed_are_ignored() -> None:
    answer = AssociateAC("A", "B", (AnsweredContext(1, 0, JPEG), AnsweredContext(9, 0, IMPLICIT)))
    assert accepted_contexts(REQUEST, answer) == {}
