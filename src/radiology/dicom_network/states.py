"""The upper layer state machine as one table: (state, event) -> action and next state (PS3.8 table 9-10)."""

from collections.abc import Mapping
from enum import IntEnum
from typing import Final, NamedTuple


class State(IntEnum):
    """The thirteen states of PS3.8 section 9.2.1."""

    IDLE = 1
    AWAIT_ASSOCIATE_RQ = 2
    AWAIT_LOCAL_ASSOCIATE_RESPONSE = 3
    AWAIT_TRANSPORT_OPEN = 4
    AWAIT_ASSOCIATE_ANSWER = 5
    ESTABLISHED = 6
    AWAIT_RELEASE_RP = 7
    AWAIT_LOCAL_RELEASE_RESPONSE = 8
    COLLISION_REQUESTOR_LOCAL = 9
    COLLISION_ACCEPTOR_PEER = 10
    COLLISION_REQUESTOR_PEER = 11
    COLLISION_ACCEPTOR_LOCAL = 12
    AWAIT_TRANSPORT_CLOSE = 13


class Event(IntEnum):
    """The nineteen events of PS3.8 table 9-10."""

    ASSOCIATE_REQUEST = 1
    TRANSPORT_CONNECTED = 2
    ASSOCIATE_AC_PDU = 3
    ASSOCIATE_RJ_PDU = 4
    TRANSPORT_INDICATED = 5
    ASSOCIATE_RQ_PDU = 6
    ASSOCIATE_ACCEPT = 7
    ASSOCIATE_REJECT = 8
    DATA_REQUEST = 9
    DATA_PDU = 10
    RELEASE_REQUEST = 11
    RELEASE_RQ_PDU = 12
    RELEASE_RP_PDU = 13
    RELEASE_RESPONSE = 14
    ABORT_REQUEST = 15
    ABORT_PDU = 16
    TRANSPORT_CLOSED = 17
    ARTIM_EXPIRED = 18
    INVALID_PDU = 19


class Action(IntEnum):
    """What table 9-10 asks for, folded to what differs for us; each names the standard's actions that it covers."""

    NOTHING = 0  # AA-6, and the first half of AE-1
    INDICATE = 1  # AE-3, AE-8 of indications, DT-2, AR-2, AR-6, AR-10, AA-3: tell the user
    START_ARTIM = 2  # AE-5
    OPEN = 3  # AE-2: send the A-ASSOCIATE-RQ
    SEND = 4  # AE-7, DT-1, AR-1, AR-7, AR-9: send the PDU of the primitive
    SEND_AND_WAIT = 5  # AE-8, AR-4, AA-1: send, start ARTIM, wait for the peer to close
    JUDGE = 6  # AE-6: stop ARTIM, indicate the request (whether it is acceptable decides `negotiate`)
    CLOSE = 7  # AA-2, AA-5, AR-5: close, nothing to tell
    INDICATE_AND_CLOSE = 8  # AE-4, AR-3, AA-3, AA-4
    ABORT = 9  # AA-8: send A-ABORT as provider, tell the user
    ABORT_SILENTLY = 10  # AA-1 and AA-7 for a PDU that does not belong here: nobody is there to be told
    COLLISION = 11  # AR-8


class Step(NamedTuple):
    """One cell of PS3.8 table 9-10."""

    action: Action
    following: State


def _table() -> dict[tuple[State, Event], Step]:
    s, e, a = State, Event, Action
    pdus = (e.ASSOCIATE_AC_PDU, e.ASSOCIATE_RJ_PDU, e.ASSOCIATE_RQ_PDU, e.DATA_PDU, e.RELEASE_RQ_PDU, e.RELEASE_RP_PDU)
    closing = s.AWAIT_TRANSPORT_CLOSE
    table: dict[tuple[State, Event], Step] = {}
    # In every state of a living association what does not belong there is answered by an abort (AA-8).
    for state in (
        s.AWAIT_LOCAL_ASSOCIATE_RESPONSE,
        *(state for state in s if s.AWAIT_ASSOCIATE_ANSWER <= state < closing),
    ):
        table |= {(state, event): Step(a.ABORT, closing) for event in (*pdus, e.INVALID_PDU)}
        table[state, e.ABORT_REQUEST] = Step(a.SEND_AND_WAIT, closing)
        table[state, e.ABORT_PDU] = Step(a.INDICATE_AND_CLOSE, s.IDLE)
        table[state, e.TRANSPORT_CLOSED] = Step(a.INDICATE_AND_CLOSE, s.IDLE)
    table |= {(s.AWAIT_ASSOCIATE_RQ, event): Step(a.ABORT_SILENTLY, closing) for event in (*pdus, e.INVALID_PDU)}
    table |= {(closing, event): Step(a.NOTHING, closing) for event in pdus}
    table |= {
        (s.IDLE, e.ASSOCIATE_REQUEST): Step(a.NOTHING, s.AWAIT_TRANSPORT_OPEN),
        (s.IDLE, e.TRANSPORT_INDICATED): Step(a.START_ARTIM, s.AWAIT_ASSOCIATE_RQ),
        (s.AWAIT_ASSOCIATE_RQ, e.ASSOCIATE_RQ_PDU): Step(a.JUDGE, s.AWAIT_LOCAL_ASSOCIATE_RESPONSE),
        (s.AWAIT_ASSOCIATE_RQ, e.ABORT_PDU): Step(a.CLOSE, s.IDLE),
        (s.AWAIT_ASSOCIATE_RQ, e.TRANSPORT_CLOSED): Step(a.CLOSE, s.IDLE),
        (s.AWAIT_ASSOCIATE_RQ, e.ARTIM_EXPIRED): Step(a.CLOSE, s.IDLE),
        (s.AWAIT_LOCAL_ASSOCIATE_RESPONSE, e.ASSOCIATE_ACCEPT): Step(a.SEND, s.ESTABLISHED),
        (s.AWAIT_LOCAL_ASSOCIATE_RESPONSE, e.ASSOCIATE_REJECT): Step(a.SEND_AND_WAIT, closing),
        (s.AWAIT_TRANSPORT_OPEN, e.TRANSPORT_CONNECTED): Step(a.OPEN, s.AWAIT_ASSOCIATE_ANSWER),
        (s.AWAIT_TRANSPORT_OPEN, e.ABORT_REQUEST): Step(a.CLOSE, s.IDLE),
        (s.AWAIT_TRANSPORT_OPEN, e.TRANSPORT_CLOSED): Step(a.INDICATE_AND_CLOSE, s.IDLE),
        (s.AWAIT_ASSOCIATE_ANSWER, e.ASSOCIATE_AC_PDU): Step(a.INDICATE, s.ESTABLISHED),
        (s.AWAIT_ASSOCIATE_ANSWER, e.ASSOCIATE_RJ_PDU): Step(a.INDICATE_AND_CLOSE, s.IDLE),
        (s.ESTABLISHED, e.DATA_REQUEST): Step(a.SEND, s.ESTABLISHED),
        (s.ESTABLISHED, e.DATA_PDU): Step(a.INDICATE, s.ESTABLISHED),
        (s.ESTABLISHED, e.RELEASE_REQUEST): Step(a.SEND, s.AWAIT_RELEASE_RP),
        (s.ESTABLISHED, e.RELEASE_RQ_PDU): Step(a.INDICATE, s.AWAIT_LOCAL_RELEASE_RESPONSE),
        (s.AWAIT_RELEASE_RP, e.DATA_PDU): Step(a.INDICATE, s.AWAIT_RELEASE_RP),
        (s.AWAIT_RELEASE_RP, e.RELEASE_RQ_PDU): Step(a.COLLISION, s.COLLISION_REQUESTOR_LOCAL),
        (s.AWAIT_RELEASE_RP, e.RELEASE_RP_PDU): Step(a.INDICATE_AND_CLOSE, s.IDLE),
        (s.AWAIT_LOCAL_RELEASE_RESPONSE, e.DATA_REQUEST): Step(a.SEND, s.AWAIT_LOCAL_RELEASE_RESPONSE),
        (s.AWAIT_LOCAL_RELEASE_RESPONSE, e.RELEASE_RESPONSE): Step(a.SEND_AND_WAIT, closing),
        (s.COLLISION_REQUESTOR_LOCAL, e.RELEASE_RESPONSE): Step(a.SEND, s.COLLISION_REQUESTOR_PEER),
        (s.COLLISION_ACCEPTOR_PEER, e.RELEASE_RP_PDU): Step(a.INDICATE, s.COLLISION_ACCEPTOR_LOCAL),
        (s.COLLISION_REQUESTOR_PEER, e.RELEASE_RP_PDU): Step(a.INDICATE_AND_CLOSE, s.IDLE),
        (s.COLLISION_ACCEPTOR_LOCAL, e.RELEASE_RESPONSE): Step(a.SEND_AND_WAIT, closing),
        (closing, e.ASSOCIATE_RQ_PDU): Step(a.ABORT_SILENTLY, closing),
        (closing, e.INVALID_PDU): Step(a.ABORT_SILENTLY, closing),
        (closing, e.ABORT_PDU): Step(a.CLOSE, s.IDLE),
        (closing, e.TRANSPORT_CLOSED): Step(a.CLOSE, s.IDLE),
        (closing, e.ARTIM_EXPIRED): Step(a.CLOSE, s.IDLE),
    }
    return table


TRANSITIONS: Final[Mapping[tuple[State, Event], Step]] = _table()
