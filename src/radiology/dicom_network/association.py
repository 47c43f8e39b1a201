"""The upper layer of one association: negotiation and state machine (PS3.8 section 9.2), without I/O.

Bytes and primitives go in, indications and bytes come out; who owns the socket is somebody else. The receive buffer is
here, so that the fragments of P-DATA are slices of it and are never copied.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from radiology.dicom_network.items import AbortReason, PDUError
from radiology.dicom_network.pdu import (
    APPLICATION_CONTEXT,
    CONTROL_PDU_LIMIT,
    PDU,
    PDU_HEADER,
    Abort,
    AnsweredContext,
    AssociateAC,
    AssociateRJ,
    AssociateRQ,
    ContextResult,
    DataTF,
    PDUType,
    ProposedContext,
    ReleaseRP,
    ReleaseRQ,
    check_length,
    decode_body,
    decode_pdvs,
    encode,
)
from radiology.dicom_network.states import TRANSITIONS, Action, Event, State
from radiology.dicom_network.user_information import (
    DEFAULT_MAX_PDU_LENGTH,
    AsyncWindow,
    RoleSelection,
    SOPClassExtended,
    UserInformation,
)
from radiology.standards.dicom.uids import (
    EXPLICIT_VR_LITTLE_ENDIAN,
    IMPLEMENTATION_CLASS_UID,
    IMPLEMENTATION_VERSION_NAME,
    IMPLICIT_VR_LITTLE_ENDIAN,
)

LAN_PREFERENCE: Final = (EXPLICIT_VR_LITTLE_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN)
UNCOMPRESSED: Final = frozenset(LAN_PREFERENCE)
STORAGE_SERVICE_CLASS: Final = "1.2.840.10008.4.2"
MIN_PEER_PDU_LENGTH: Final = 32
"""A peer that takes less than this in one PDU could not even be given a response."""

REJECT_NO_REASON: Final = AssociateRJ(1, 1, 1)
REJECT_APPLICATION_CONTEXT: Final = AssociateRJ(1, 1, 2)
REJECT_CALLING_AE_TITLE: Final = AssociateRJ(1, 1, 3)
REJECT_CALLED_AE_TITLE: Final = AssociateRJ(1, 1, 7)
REJECT_PROTOCOL_VERSION: Final = AssociateRJ(1, 2, 2)
REJECT_UNAVAILABLE: Final = AssociateRJ(2, 3, 1)
REJECT_LOCAL_LIMIT: Final = AssociateRJ(2, 3, 2)


# --- Negotiation ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Offer:
    """What we take for one abstract syntax.

    Of the proposed transfer syntaxes the first of `preference` wins, then the proposer's own order. `peer_scu` and
    `peer_scp` are the roles that the requestor may have when it proposes a role selection. `extended` is our answer to
    SOP class extended negotiation: each proposed byte is limited to it.
    """

    transfer_syntax_uids: frozenset[str] = UNCOMPRESSED
    preference: tuple[str, ...] = LAN_PREFERENCE
    peer_scu: bool = True
    peer_scp: bool = False
    extended: bytes = b""

    def choose(self, proposed: tuple[str, ...]) -> str | None:
        """The transfer syntax for a context, or None when nothing proposed is acceptable."""
        acceptable = [uid for uid in proposed if uid in self.transfer_syntax_uids]
        preferred = (uid for uid in self.preference if uid in acceptable)
        return next(preferred, acceptable[0] if acceptable else None)


@dataclass(frozen=True, slots=True)
class Policy:
    """What this application entity allows one requestor; the input of `negotiate` beside the request.

    `called_ae_titles` empty means any. Abstract syntaxes in `forbidden` are known but not for this requestor (result
    1). `storage` is the offer for unknown SOP classes that the requestor marks as Storage by common extended
    negotiation, that lie under one of `private_roots`, or for all of them with `accept_unknown_storage`.
    `user_identity_response` is the server response to Kerberos or SAML; checking an identity is the caller's work.
    `max_associations` is how many this requestor may have at once, 0 for the server's own limit. `state` is where the
    state of the association begins: what was looked up for the policy need not be looked up again.
    """

    offers: Mapping[str, Offer]
    called_ae_titles: frozenset[str] = frozenset()
    forbidden: frozenset[str] = frozenset()
    storage: Offer | None = None
    private_roots: tuple[str, ...] = ()
    accept_unknown_storage: bool = False
    user_identity_response: bytes = b""
    max_associations: int = 0
    state: Any = None
    max_pdu_length: int = DEFAULT_MAX_PDU_LENGTH
    implementation_class_uid: str = IMPLEMENTATION_CLASS_UID
    implementation_version_name: str = IMPLEMENTATION_VERSION_NAME


def negotiate(request: AssociateRQ, policy: Policy) -> AssociateAC | AssociateRJ:
    """Answer an A-ASSOCIATE-RQ (PS3.8 section 9.3.3, 9.3.4; PS3.7 annex D). Pure."""
    if request.protocol_version & 1 == 0:
        return REJECT_PROTOCOL_VERSION
    if request.application_context != APPLICATION_CONTEXT:
        return REJECT_APPLICATION_CONTEXT
    if policy.called_ae_titles and request.called_ae_title not in policy.called_ae_titles:
        return REJECT_CALLED_AE_TITLE
    if 0 < request.user_information.max_pdu_length < MIN_PEER_PDU_LENGTH:
        return REJECT_NO_REASON
    marked = _marked_as_storage(request.user_information)
    offers = {c.abstract_syntax_uid: _offer(c.abstract_syntax_uid, policy, marked) for c in request.contexts}
    contexts = tuple(_answer_context(c, offers[c.abstract_syntax_uid], policy) for c in request.contexts)
    information = _answer_user_information(request.user_information, offers, policy)
    return AssociateAC(request.called_ae_title, request.calling_ae_title, contexts, information)


def _marked_as_storage(user: UserInformation) -> frozenset[str]:
    return frozenset(c.sop_class_uid for c in user.common_extended if c.service_class_uid == STORAGE_SERVICE_CLASS)


def _offer(uid: str, policy: Policy, marked: frozenset[str]) -> Offer | None:
    if uid in policy.offers:
        return policy.offers[uid]
    private = any(uid.startswith(root.rstrip(".") + ".") for root in policy.private_roots)
    return policy.storage if uid in marked or private or policy.accept_unknown_storage else None


def _answer_context(context: ProposedContext, offer: Offer | None, policy: Policy) -> AnsweredContext:
    # A refused context still carries a transfer syntax item; its value is not significant (PS3.8 table 9-18).
    shown = context.transfer_syntax_uids[0] if context.transfer_syntax_uids else IMPLICIT_VR_LITTLE_ENDIAN
    if context.abstract_syntax_uid in policy.forbidden:
        return AnsweredContext(context.context_id, ContextResult.USER_REJECTION, shown)
    if offer is None:
        return AnsweredContext(context.context_id, ContextResult.ABSTRACT_SYNTAX_NOT_SUPPORTED, shown)
    chosen = offer.choose(context.transfer_syntax_uids)
    if chosen is None:
        return AnsweredContext(context.context_id, ContextResult.TRANSFER_SYNTAXES_NOT_SUPPORTED, shown)
    return AnsweredContext(context.context_id, ContextResult.ACCEPTED, chosen)


def _answer_user_information(
    proposed: UserInformation, offers: Mapping[str, Offer | None], policy: Policy
) -> UserInformation:
    identity = proposed.user_identity
    wants_response = identity is not None and identity.response_requested
    return UserInformation(
        max_pdu_length=policy.max_pdu_length,
        implementation_class_uid=policy.implementation_class_uid,
        implementation_version_name=policy.implementation_version_name,
        # We answer one operation after the other, which is always legal (PS3.7 D.3.3.3).
        async_window=None if proposed.async_window is None else AsyncWindow(1, 1),
        roles=tuple(_answer_role(r, offer) for r in proposed.roles if (offer := offers.get(r.sop_class_uid))),
        extended=tuple(
            SOPClassExtended(e.sop_class_uid, bytes(a & b for a, b in zip(e.information, offer.extended, strict=False)))
            for e in proposed.extended
            if (offer := offers.get(e.sop_class_uid)) and offer.extended
        ),
        user_identity_response=policy.user_identity_response if wants_response else None,
    )


def _answer_role(proposed: RoleSelection, offer: Offer) -> RoleSelection:
    return RoleSelection(proposed.sop_class_uid, proposed.scu and offer.peer_scu, proposed.scp and offer.peer_scp)


@dataclass(frozen=True, slots=True)
class AcceptedContext:
    """A presentation context that both sides agreed on, with the roles of the association requestor."""

    context_id: int
    abstract_syntax_uid: str
    transfer_syntax_uid: str
    requestor_is_scu: bool = True
    requestor_is_scp: bool = False


def accepted_contexts(request: AssociateRQ, answer: AssociateAC) -> dict[int, AcceptedContext]:
    """The contexts that an association may use, by id. Answers to what was never proposed are ignored."""
    proposed = {context.context_id: context for context in request.contexts}
    asked = {role.sop_class_uid for role in request.user_information.roles}
    roles = {r.sop_class_uid: (r.scu, r.scp) for r in answer.user_information.roles if r.sop_class_uid in asked}
    accepted: dict[int, AcceptedContext] = {}
    for context in answer.contexts:
        rq = proposed.get(context.context_id)
        if rq is None or context.result != 0 or context.transfer_syntax_uid not in rq.transfer_syntax_uids:
            continue
        scu, scp = roles.get(rq.abstract_syntax_uid, (True, False))
        key = context.context_id
        accepted[key] = AcceptedContext(key, rq.abstract_syntax_uid, context.transfer_syntax_uid, scu, scp)
    return accepted


# --- The upper layer --------------------------------------------------------------------------------------------------

_EVENT_OF_PDU: Final[Mapping[int, Event]] = {
    PDUType.ASSOCIATE_RQ: Event.ASSOCIATE_RQ_PDU,
    PDUType.ASSOCIATE_AC: Event.ASSOCIATE_AC_PDU,
    PDUType.ASSOCIATE_RJ: Event.ASSOCIATE_RJ_PDU,
    PDUType.DATA_TF: Event.DATA_PDU,
    PDUType.RELEASE_RQ: Event.RELEASE_RQ_PDU,
    PDUType.RELEASE_RP: Event.RELEASE_RP_PDU,
    PDUType.ABORT: Event.ABORT_PDU,
}


class IllegalPrimitiveError(RuntimeError):
    """Our own code asked for something that the state does not allow; the peer did nothing wrong."""


@dataclass(frozen=True, slots=True)
class TransportClosed:
    """The peer closed the connection without a word (A-P-ABORT of AA-4)."""


@dataclass(frozen=True, slots=True)
class ProtocolAbort:
    """We aborted because of what the peer sent (A-P-ABORT of AA-8)."""

    sentence: str
    reason: AbortReason


Indication = PDU | TransportClosed | ProtocolAbort


@dataclass(slots=True)
class UpperLayer:
    """One association as PS3.8 sees it.

    Bytes in: read into `writable()`, tell `received(count)` (0: the peer closed), take `next_indication()` until it is
    None. Bytes out: primitives put them into `outgoing`, which the owner of the socket sends and clears. `artim` says
    whether the ARTIM timer runs, `close` that the connection is to be closed now.
    """

    requestor: bool
    max_pdu_length: int = DEFAULT_MAX_PDU_LENGTH
    control_limit: int = CONTROL_PDU_LIMIT
    state: State = State.IDLE
    artim: bool = False
    close: bool = False
    outgoing: bytearray = field(default_factory=bytearray)
    _buffer: memoryview = field(init=False, repr=False)
    _start: int = 0
    _end: int = 0
    _closed: bool = False
    _broken: bool = False
    broken_by: str = ""
    """What was wrong with the PDU that ended all reading, in a sentence."""

    def __post_init__(self) -> None:
        # Twice the largest PDU: a whole one can lie behind the end of another before anything has to be moved.
        self._buffer = memoryview(bytearray(2 * (self.max_pdu_length + PDU_HEADER.size)))

    # Bytes in

    @property
    def unread(self) -> int:
        """How many received bytes have not become indications yet."""
        return self._end - self._start

    def writable(self) -> memoryview:
        """Where the next bytes from the peer go. Fragments handed out before lose their meaning with this call."""
        if self._start == self._end or self._broken:
            self._start = self._end = 0  # After a broken PDU nothing that follows can be framed.
        missing = self._missing()
        if len(self._buffer) - self._end < missing:
            self._make_room(missing)
        return self._buffer[self._end :]

    def received(self, count: int) -> None:
        """`count` bytes were written to `writable()`; 0 means that the peer closed its side."""
        if count == 0:
            self._closed = True
        elif self._broken:
            self._start = self._end = 0
        else:
            self._end += count

    def next_indication(self) -> Indication | None:
        """What the bytes so far mean, one step at a time; None when more bytes are needed."""
        while not self.close:
            unread = self._end - self._start
            if unread < 6 or self._broken:
                return self._end_of_bytes()
            kind, length = PDU_HEADER.unpack_from(self._buffer, self._start)
            try:
                if kind != 4 or length > self.max_pdu_length:
                    check_length(kind, length, self.max_pdu_length, self.control_limit)
                if unread < 6 + length:
                    return self._end_of_bytes()
                body = self._buffer[self._start + 6 : self._start + 6 + length]
                self._start += 6 + length
                if kind == 4 and self.state is State.ESTABLISHED:
                    return DataTF(decode_pdvs(body))
                pdu = decode_body(kind, body)
            except PDUError as error:
                self._broken, self.broken_by = True, str(error)
                indication = self._peer_event(Event.INVALID_PDU, None, str(error), error.reason)
            else:
                sentence = f"a PDU of type {kind:02X}H does not belong in state {self.state.value}"
                indication = self._peer_event(_EVENT_OF_PDU[kind], pdu, sentence, AbortReason.UNEXPECTED_PDU)
            if indication is not None:
                return indication
        return None

    def _end_of_bytes(self) -> Indication | None:
        if self._closed and self.state is not State.IDLE:
            return self._peer_event(Event.TRANSPORT_CLOSED, TransportClosed())
        return None

    def _missing(self) -> int:
        """Bytes that must fit behind what we have so that the PDU in progress becomes whole."""
        unread = self._end - self._start
        if unread < 6:
            return 6 - unread
        length = PDU_HEADER.unpack_from(self._buffer, self._start)[1]
        return max(6 + length - unread, 1)

    def _make_room(self, missing: int) -> None:
        unread, capacity = self._end - self._start, len(self._buffer)
        if unread + missing > capacity:
            # Only a control PDU can be larger than the buffer. It doubles as bytes arrive, not as a header promises.
            if unread < capacity:
                self._move(self._buffer)
                return
            self._move(memoryview(bytearray(min(2 * capacity, unread + missing))))
        else:
            self._move(self._buffer)

    def _move(self, target: memoryview) -> None:
        unread = self._end - self._start
        target[:unread] = self._buffer[self._start : self._end]
        self._buffer, self._start, self._end = target, 0, unread

    # State machine

    def _step(self, event: Event) -> Action:
        step = TRANSITIONS.get((self.state, event))
        if step is None:
            raise IllegalPrimitiveError(f"{event.name} is not allowed in state {self.state.name}")
        self.state = step.following
        return step.action

    def _peer_event(
        self,
        event: Event,
        indication: Indication | None,
        sentence: str = "",
        reason: AbortReason = AbortReason.NOT_SPECIFIED,
    ) -> Indication | None:
        match self._step(event):
            case Action.INDICATE:
                return indication
            case Action.JUDGE:
                self.artim = False
                return indication
            case Action.INDICATE_AND_CLOSE:
                self.artim, self.close = False, True
                return indication
            case Action.CLOSE:
                self.artim, self.close = False, True
                return None
            case Action.ABORT:
                self._send_abort(reason)
                return ProtocolAbort(sentence, reason)
            case Action.ABORT_SILENTLY:
                self.outgoing += encode(Abort())
                self.artim = True
                return None
            case Action.COLLISION:
                self.state = State.COLLISION_REQUESTOR_LOCAL if self.requestor else State.COLLISION_ACCEPTOR_PEER
                return indication
            case _:
                return None

    def _send_abort(self, reason: AbortReason) -> None:
        self.outgoing += encode(Abort(2, reason))
        self.artim = True

    # Primitives

    def _primitive(self, event: Event, pdu: PDU | None = None) -> None:
        match self._step(event):
            case Action.SEND | Action.OPEN:
                if pdu is not None:
                    self.outgoing += encode(pdu)
            case Action.SEND_AND_WAIT:
                if pdu is not None:
                    self.outgoing += encode(pdu)
                self.artim = True
            case Action.START_ARTIM:
                self.artim = True
            case Action.CLOSE:
                self.artim, self.close = False, True
            case _:
                pass

    def accept_transport(self) -> None:
        """A peer has connected: ARTIM starts, its A-ASSOCIATE-RQ is awaited (AE-5)."""
        self._primitive(Event.TRANSPORT_INDICATED)

    def associate(self, request: AssociateRQ) -> None:
        """Our connection is open: ask for an association (AE-1, AE-2)."""
        self._primitive(Event.ASSOCIATE_REQUEST)
        self._primitive(Event.TRANSPORT_CONNECTED, request)

    def answer(self, answer: AssociateAC | AssociateRJ) -> None:
        """Accept or reject the association that was indicated (AE-7, AE-8)."""
        accepted = isinstance(answer, AssociateAC)
        self._primitive(Event.ASSOCIATE_ACCEPT if accepted else Event.ASSOCIATE_REJECT, answer)

    def data(self) -> None:
        """Ask leave to send P-DATA-TF; the caller sends the fragments himself, uncopied (DT-1, AR-7)."""
        if self.state is not State.ESTABLISHED:
            self._primitive(Event.DATA_REQUEST)

    def release(self) -> None:
        """Ask for release (AR-1)."""
        self._primitive(Event.RELEASE_REQUEST, ReleaseRQ())

    def release_response(self) -> None:
        """Agree to the release that was indicated (AR-4, AR-9)."""
        self._primitive(Event.RELEASE_RESPONSE, ReleaseRP())

    def abort(self, source: int = 0, reason: int = 0) -> None:
        """Abort as service user (AA-1); ignored where no association is left to be aborted."""
        if (self.state, Event.ABORT_REQUEST) in TRANSITIONS:
            self._primitive(Event.ABORT_REQUEST, Abort(source, reason))

    def refuse(self, error: PDUError) -> None:
        """The layer above could not make sense of P-DATA: abort as provider (AA-8)."""
        if (self.state, Event.INVALID_PDU) in TRANSITIONS:
            self._broken = True
            self._peer_event(Event.INVALID_PDU, None, str(error), error.reason)

    def artim_expired(self) -> None:
        """The ARTIM timer ran out: close without waiting any longer (AA-2)."""
        if (self.state, Event.ARTIM_EXPIRED) in TRANSITIONS:
            self._primitive(Event.ARTIM_EXPIRED)
