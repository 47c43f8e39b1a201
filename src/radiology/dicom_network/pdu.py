"""The seven protocol data units of the DICOM upper layer, as values (PS3.8 section 9.3). No I/O.

Reading is tolerant of what the field sends (padding, unknown items) and strict about what could hurt us: every length
is checked against what encloses it, and whatever cannot be right raises the one error of this module, `PDUError`.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Final, NamedTuple

from radiology.standards.dicom.uids import IMPLEMENTATION_CLASS_UID, IMPLEMENTATION_VERSION_NAME

APPLICATION_CONTEXT: Final = "1.2.840.10008.3.1.1.1"
DEFAULT_MAX_PDU_LENGTH: Final = 128 * 1024
CONTROL_PDU_LIMIT: Final = 1024 * 1024
MAX_PRESENTATION_CONTEXTS: Final = 128
MAX_TRANSFER_SYNTAXES: Final = 256
MAX_UID_LENGTH: Final = 64

PDU_HEADER: Final = struct.Struct(">BxI")
PDV_HEADER: Final = struct.Struct(">IBB")
DATA_HEADER: Final = struct.Struct(">BxIIBB")
"""The header of a P-DATA-TF PDU that carries one PDV: PDU type and length, PDV length, context id, control header."""
_ITEM: Final = struct.Struct(">BxH")
_FIXED: Final = struct.Struct(">H2x16s16s32x")
_U16: Final = struct.Struct(">H")


class PDUType(IntEnum):
    """PDU types of PS3.8 section 9.3.1."""

    ASSOCIATE_RQ = 1
    ASSOCIATE_AC = 2
    ASSOCIATE_RJ = 3
    DATA_TF = 4
    RELEASE_RQ = 5
    RELEASE_RP = 6
    ABORT = 7


class AbortReason(IntEnum):
    """Reasons of an A-ABORT whose source is the provider (PS3.8 table 9-26)."""

    NOT_SPECIFIED = 0
    UNRECOGNIZED_PDU = 1
    UNEXPECTED_PDU = 2
    UNRECOGNIZED_PARAMETER = 4
    UNEXPECTED_PARAMETER = 5
    INVALID_PARAMETER_VALUE = 6


class ContextResult(IntEnum):
    """Answer to one presentation context (PS3.8 table 9-18)."""

    ACCEPTED = 0
    USER_REJECTION = 1
    NO_REASON = 2
    ABSTRACT_SYNTAX_NOT_SUPPORTED = 3
    TRANSFER_SYNTAXES_NOT_SUPPORTED = 4


class PDUError(ValueError):
    """The peer sent something that cannot be right; says in a sentence what, and which A-ABORT reason answers it."""

    def __init__(self, sentence: str, reason: AbortReason = AbortReason.INVALID_PARAMETER_VALUE) -> None:
        super().__init__(sentence)
        self.reason = reason


class AsyncWindow(NamedTuple):
    """Asynchronous operations window (PS3.7 D.3.3.3); 0 is unlimited."""

    invoked: int
    performed: int


@dataclass(frozen=True, slots=True)
class RoleSelection:
    """SCP/SCU role selection, proposed or answered, for one SOP class (PS3.7 D.3.3.4)."""

    sop_class_uid: str
    scu: bool
    scp: bool


@dataclass(frozen=True, slots=True)
class SOPClassExtended:
    """SOP class extended negotiation: the bytes mean what the service class says (PS3.7 D.3.3.5)."""

    sop_class_uid: str
    information: bytes


@dataclass(frozen=True, slots=True)
class SOPClassCommonExtended:
    """SOP class common extended negotiation: which service class a SOP class belongs to (PS3.7 D.3.3.6)."""

    sop_class_uid: str
    service_class_uid: str
    related_sop_class_uids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class UserIdentity:
    """User identity proposed by the requestor (PS3.7 D.3.3.7): 1 name, 2 and passcode, 3 Kerberos, 4 SAML, 5 JWT."""

    kind: int
    primary: bytes = field(repr=False)
    secondary: bytes = field(default=b"", repr=False)
    response_requested: bool = False


@dataclass(frozen=True, slots=True)
class UserInformation:
    """The user information item and all sub-items of PS3.7 annex D that we know; others are ignored."""

    max_pdu_length: int = DEFAULT_MAX_PDU_LENGTH
    implementation_class_uid: str = IMPLEMENTATION_CLASS_UID
    implementation_version_name: str = IMPLEMENTATION_VERSION_NAME
    async_window: AsyncWindow | None = None
    roles: tuple[RoleSelection, ...] = ()
    extended: tuple[SOPClassExtended, ...] = ()
    common_extended: tuple[SOPClassCommonExtended, ...] = ()
    user_identity: UserIdentity | None = None
    user_identity_response: bytes | None = None


@dataclass(frozen=True, slots=True)
class ProposedContext:
    """A presentation context as the requestor proposes it (PS3.8 section 9.3.2.2)."""

    context_id: int
    abstract_syntax_uid: str
    transfer_syntax_uids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AnsweredContext:
    """A presentation context as the acceptor answers it (PS3.8 section 9.3.3.2)."""

    context_id: int
    result: int
    transfer_syntax_uid: str = ""


@dataclass(frozen=True, slots=True)
class AssociateRQ:
    """A-ASSOCIATE-RQ (PS3.8 section 9.3.2). AE titles come without the padding spaces."""

    called_ae_title: str
    calling_ae_title: str
    contexts: tuple[ProposedContext, ...]
    user_information: UserInformation = UserInformation()
    application_context: str = APPLICATION_CONTEXT
    protocol_version: int = 1


@dataclass(frozen=True, slots=True)
class AssociateAC:
    """A-ASSOCIATE-AC (PS3.8 section 9.3.3)."""

    called_ae_title: str
    calling_ae_title: str
    contexts: tuple[AnsweredContext, ...]
    user_information: UserInformation = UserInformation()
    application_context: str = APPLICATION_CONTEXT
    protocol_version: int = 1


@dataclass(frozen=True, slots=True)
class AssociateRJ:
    """A-ASSOCIATE-RJ: result 1 permanent 2 transient, source 1 user 2 ACSE 3 presentation (PS3.8 table 9-21)."""

    result: int
    source: int
    reason: int


class PDV(NamedTuple):
    """One presentation data value: a fragment of a command set or data set (PS3.8 annex E)."""

    context_id: int
    control: int
    fragment: memoryview | bytes

    @property
    def is_command(self) -> bool:
        """Whether the fragment belongs to a command set."""
        return self.control & 1 == 1

    @property
    def is_last(self) -> bool:
        """Whether the command set or data set ends with this fragment."""
        return self.control & 2 == 2


class DataTF(NamedTuple):
    """P-DATA-TF (PS3.8 section 9.3.5). The fragments lie in the receive buffer: valid until the next receive."""

    pdvs: list[PDV]


@dataclass(frozen=True, slots=True)
class ReleaseRQ:
    """A-RELEASE-RQ (PS3.8 section 9.3.6)."""


@dataclass(frozen=True, slots=True)
class ReleaseRP:
    """A-RELEASE-RP (PS3.8 section 9.3.7)."""


@dataclass(frozen=True, slots=True)
class Abort:
    """A-ABORT: source 0 service user, 2 service provider (PS3.8 section 9.3.8)."""

    source: int = 0
    reason: int = 0


PDU = AssociateRQ | AssociateAC | AssociateRJ | DataTF | ReleaseRQ | ReleaseRP | Abort


# --- Encoding ---------------------------------------------------------------------------------------------------------


def encode(pdu: PDU) -> bytes:
    """The bytes of a PDU, header included.

    Raises ValueError when a value does not fit its field: we are strict in what we write.
    """
    match pdu:
        case AssociateRQ():
            return _pdu(PDUType.ASSOCIATE_RQ, _associate(pdu, b"".join(map(_proposed_context, pdu.contexts))))
        case AssociateAC():
            return _pdu(PDUType.ASSOCIATE_AC, _associate(pdu, b"".join(map(_answered_context, pdu.contexts))))
        case AssociateRJ(result, source, reason):
            return _pdu(PDUType.ASSOCIATE_RJ, bytes((0, result, source, reason)))
        case DataTF(pdvs):
            return _pdu(PDUType.DATA_TF, b"".join(map(_pdv, pdvs)))
        case ReleaseRQ():
            return _pdu(PDUType.RELEASE_RQ, bytes(4))
        case ReleaseRP():
            return _pdu(PDUType.RELEASE_RP, bytes(4))
        case Abort(source, reason):
            return _pdu(PDUType.ABORT, bytes((0, 0, source, reason)))


def _pdu(kind: PDUType, body: bytes) -> bytes:
    return PDU_HEADER.pack(kind, len(body)) + body


def _pdv(pdv: PDV) -> bytes:
    return PDV_HEADER.pack(len(pdv.fragment) + 2, pdv.context_id, pdv.control) + bytes(pdv.fragment)


def _item(kind: int, body: bytes) -> bytes:
    if len(body) > 0xFFFF:
        raise ValueError(f"item {kind:02X}H of {len(body)} bytes does not fit a 16-bit length")
    return _ITEM.pack(kind, len(body)) + body


def _ae_title(title: str) -> bytes:
    encoded = title.encode("latin-1")
    if len(encoded) > 16:
        raise ValueError(f"AE title {title!r} is longer than 16 characters")
    return encoded.ljust(16)


def _prefixed(body: bytes) -> bytes:
    if len(body) > 0xFFFF:
        raise ValueError(f"a field of {len(body)} bytes does not fit a 16-bit length")
    return _U16.pack(len(body)) + body


def _associate(pdu: AssociateRQ | AssociateAC, contexts: bytes) -> bytes:
    fixed = _FIXED.pack(pdu.protocol_version, _ae_title(pdu.called_ae_title), _ae_title(pdu.calling_ae_title))
    application = _item(0x10, pdu.application_context.encode("ascii"))
    return fixed + application + contexts + _item(0x50, _user_information(pdu.user_information))


def _proposed_context(context: ProposedContext) -> bytes:
    syntaxes = b"".join(_item(0x40, uid.encode("ascii")) for uid in context.transfer_syntax_uids)
    abstract = _item(0x30, context.abstract_syntax_uid.encode("ascii"))
    return _item(0x20, bytes((context.context_id, 0, 0, 0)) + abstract + syntaxes)


def _answered_context(context: AnsweredContext) -> bytes:
    syntax = _item(0x40, context.transfer_syntax_uid.encode("ascii"))
    return _item(0x21, bytes((context.context_id, 0, context.result, 0)) + syntax)


def _user_information(user: UserInformation) -> bytes:
    items = [_item(0x51, user.max_pdu_length.to_bytes(4, "big"))]
    items.append(_item(0x52, user.implementation_class_uid.encode("ascii")))
    if user.async_window is not None:
        items.append(_item(0x53, struct.pack(">HH", *user.async_window)))
    items.extend(map(_role, user.roles))
    if user.implementation_version_name:
        items.append(_item(0x55, user.implementation_version_name.encode("ascii")))
    items.extend(map(_extended, user.extended))
    items.extend(map(_common_extended, user.common_extended))
    if (identity := user.user_identity) is not None:
        kind = bytes((identity.kind, identity.response_requested))
        items.append(_item(0x58, kind + _prefixed(identity.primary) + _prefixed(identity.secondary)))
    if user.user_identity_response is not None:
        items.append(_item(0x59, _prefixed(user.user_identity_response)))
    return b"".join(items)


def _role(role: RoleSelection) -> bytes:
    return _item(0x54, _prefixed(role.sop_class_uid.encode("ascii")) + bytes((role.scu, role.scp)))


def _extended(extended: SOPClassExtended) -> bytes:
    return _item(0x56, _prefixed(extended.sop_class_uid.encode("ascii")) + extended.information)


def _common_extended(common: SOPClassCommonExtended) -> bytes:
    related = b"".join(_prefixed(uid.encode("ascii")) for uid in common.related_sop_class_uids)
    uids = _prefixed(common.sop_class_uid.encode("ascii")) + _prefixed(common.service_class_uid.encode("ascii"))
    return _item(0x57, uids + _prefixed(related))


# --- Decoding ---------------------------------------------------------------------------------------------------------


def decode(data: bytes | memoryview) -> PDU:
    """The PDU that `data` holds exactly, header included. Raises PDUError."""
    view = memoryview(data)
    if len(view) < PDU_HEADER.size:
        raise PDUError("a PDU is at least six bytes long", AbortReason.UNRECOGNIZED_PDU)
    kind, length = PDU_HEADER.unpack_from(view)
    if length != len(view) - PDU_HEADER.size:
        raise PDUError(f"a PDU announces {length} bytes and has {len(view) - PDU_HEADER.size}")
    return decode_body(kind, view[PDU_HEADER.size :])


def check_length(kind: int, length: int, max_pdu_length: int, control_limit: int = CONTROL_PDU_LIMIT) -> None:
    """Refuse a PDU by its header alone, before any of its bytes are waited for. Raises PDUError."""
    if not PDUType.ASSOCIATE_RQ <= kind <= PDUType.ABORT:
        raise PDUError(f"PDU type {kind:02X}H is not known", AbortReason.UNRECOGNIZED_PDU)
    if kind == PDUType.DATA_TF:
        limit = max_pdu_length
    elif kind in (PDUType.ASSOCIATE_RQ, PDUType.ASSOCIATE_AC):
        limit = control_limit
    else:
        limit = 4
    if length > limit:
        raise PDUError(f"a {PDUType(kind).name} PDU of {length} bytes is over the limit of {limit}")


def decode_body(kind: int, body: memoryview) -> PDU:
    """The PDU of this type with this body (what follows the six bytes of header). Raises PDUError."""
    match kind:
        case PDUType.DATA_TF:
            return DataTF(decode_pdvs(body))
        case PDUType.ASSOCIATE_RQ:
            return _decode_rq(body)
        case PDUType.ASSOCIATE_AC:
            return _decode_ac(body)
        case PDUType.ASSOCIATE_RJ | PDUType.RELEASE_RQ | PDUType.RELEASE_RP | PDUType.ABORT:
            return _decode_short(kind, body)
        case _:
            raise PDUError(f"PDU type {kind:02X}H is not known", AbortReason.UNRECOGNIZED_PDU)


def decode_pdvs(body: memoryview) -> list[PDV]:
    """The PDVs of a P-DATA-TF body, as slices of it: nothing is copied. Raises PDUError."""
    pdvs: list[PDV] = []
    position, end = 0, len(body)
    while position < end:
        if end - position < 6:
            raise PDUError("a P-DATA-TF PDU ends inside the header of a PDV")
        length, context_id, control = PDV_HEADER.unpack_from(body, position)
        following = position + 4 + length
        if length < 2 or following > end:
            raise PDUError(f"a PDV of {length} bytes does not fit the {end - position - 4} that are left")
        pdvs.append(PDV(context_id, control, body[position + 6 : following]))
        position = following
    if not pdvs:
        raise PDUError("a P-DATA-TF PDU holds no PDV")
    return pdvs


def _decode_short(kind: int, body: memoryview) -> PDU:
    if len(body) != 4:
        raise PDUError(f"a {PDUType(kind).name} PDU has a body of 4 bytes, not {len(body)}")
    match kind:
        case PDUType.ASSOCIATE_RJ:
            return AssociateRJ(body[1], body[2], body[3])
        case PDUType.RELEASE_RQ:
            return ReleaseRQ()
        case PDUType.RELEASE_RP:
            return ReleaseRP()
        case _:
            return Abort(body[2], body[3])


def _decode_fixed(body: memoryview) -> tuple[int, str, str, memoryview]:
    if len(body) < _FIXED.size:
        raise PDUError(f"an A-ASSOCIATE PDU is at least {_FIXED.size} bytes long, not {len(body)}")
    version, called, calling = _FIXED.unpack_from(body)
    return version, _decode_title(called), _decode_title(calling), body[_FIXED.size :]


def _decode_title(raw: bytes) -> str:
    # Bytes outside ASCII are kept as they are: such a title is then simply not one that anybody registered.
    return raw.decode("latin-1").strip(" \0")


def _items(body: memoryview) -> Iterator[tuple[int, memoryview]]:
    position, end = 0, len(body)
    while position < end:
        if end - position < _ITEM.size:
            raise PDUError("an item ends inside its header")
        kind, length = _ITEM.unpack_from(body, position)
        position += _ITEM.size
        if length > end - position:
            raise PDUError(f"item {kind:02X}H of {length} bytes overruns the {end - position} that are left")
        yield kind, body[position : position + length]
        position += length


def _uid(raw: bytes | memoryview) -> str:
    trimmed = bytes(raw).rstrip(b"\0 ").lstrip(b" ")
    if len(trimmed) > MAX_UID_LENGTH:
        raise PDUError(f"a UID of {len(trimmed)} characters is longer than {MAX_UID_LENGTH}")
    try:
        return trimmed.decode("ascii")
    except UnicodeDecodeError:
        raise PDUError("a UID holds bytes that are not ASCII") from None


def _decode_rq(body: memoryview) -> AssociateRQ:
    version, called, calling, rest = _decode_fixed(body)
    application, user, contexts = "", UserInformation(0, "", ""), dict[int, ProposedContext]()
    for kind, content in _items(rest):
        if kind == 0x10:
            application = _uid(content)
        elif kind == 0x20:
            context = _decode_proposed(content)
            _admit(context.context_id, len(contexts), context.context_id in contexts)
            contexts[context.context_id] = context
        elif kind == 0x50:
            user = _decode_user_information(content)
    return AssociateRQ(called, calling, tuple(contexts.values()), user, application, version)


def _decode_ac(body: memoryview) -> AssociateAC:
    version, called, calling, rest = _decode_fixed(body)
    application, user, contexts = "", UserInformation(0, "", ""), dict[int, AnsweredContext]()
    for kind, content in _items(rest):
        if kind == 0x10:
            application = _uid(content)
        elif kind == 0x21:
            context = _decode_answered(content)
            _admit(context.context_id, len(contexts), context.context_id in contexts)
            contexts[context.context_id] = context
        elif kind == 0x50:
            user = _decode_user_information(content)
    return AssociateAC(called, calling, tuple(contexts.values()), user, application, version)


def _admit(context_id: int, count: int, known: bool) -> None:
    if context_id % 2 == 0:
        raise PDUError(f"presentation context id {context_id} is not odd")
    if known:
        raise PDUError(f"presentation context id {context_id} is there twice")
    if count >= MAX_PRESENTATION_CONTEXTS:
        raise PDUError(f"there are more than {MAX_PRESENTATION_CONTEXTS} presentation contexts")


def _decode_proposed(content: memoryview) -> ProposedContext:
    if len(content) < 4:
        raise PDUError("a presentation context item ends inside its fixed part")
    abstract, syntaxes = "", list[str]()
    for kind, item in _items(content[4:]):
        if kind == 0x30:
            abstract = _uid(item)
        elif kind == 0x40:
            syntaxes.append(_uid(item))
    if len(syntaxes) > MAX_TRANSFER_SYNTAXES:
        raise PDUError(f"a presentation context proposes more than {MAX_TRANSFER_SYNTAXES} transfer syntaxes")
    return ProposedContext(content[0], abstract, tuple(syntaxes))


def _decode_answered(content: memoryview) -> AnsweredContext:
    if len(content) < 4:
        raise PDUError("a presentation context item ends inside its fixed part")
    result = content[2]
    # The transfer syntax of a refused context is not significant and may hold anything (PS3.8 table 9-18).
    syntax = next((_uid(item) for kind, item in _items(content[4:]) if kind == 0x40), "") if result == 0 else ""
    return AnsweredContext(content[0], result, syntax)


def _decode_user_information(content: memoryview) -> UserInformation:
    maximum, class_uid, version = 0, "", ""
    window: AsyncWindow | None = None
    identity: UserIdentity | None = None
    response: bytes | None = None
    roles, extended, common = list[RoleSelection](), list[SOPClassExtended](), list[SOPClassCommonExtended]()
    for kind, item in _items(content):
        cursor = _Cursor(item)
        match kind:
            case 0x51:
                maximum = int.from_bytes(cursor.take(4), "big")
            case 0x52:
                class_uid = _uid(item)
            case 0x53:
                window = AsyncWindow(cursor.u16(), cursor.u16())
            case 0x54:
                roles.append(RoleSelection(_uid(cursor.prefixed()), cursor.u8() == 1, cursor.u8() == 1))
            case 0x55:
                version = bytes(item[:16]).decode("ascii", "replace").strip(" \0")
            case 0x56:
                extended.append(SOPClassExtended(_uid(cursor.prefixed()), bytes(cursor.rest())))
            case 0x57:
                common.append(_decode_common_extended(cursor))
            case 0x58:
                identity = _decode_identity(cursor)
            case 0x59:
                response = bytes(cursor.prefixed())
            case _:
                pass  # Sub-items that a later edition adds are ignored (PS3.8 section 9.3.1).
    return UserInformation(
        maximum, class_uid, version, window, tuple(roles), tuple(extended), tuple(common), identity, response
    )


def _decode_common_extended(cursor: "_Cursor") -> SOPClassCommonExtended:
    sop_class, service_class = _uid(cursor.prefixed()), _uid(cursor.prefixed())
    related, uids = _Cursor(cursor.prefixed()), list[str]()
    while related.rest():
        uids.append(_uid(related.prefixed()))
    return SOPClassCommonExtended(sop_class, service_class, tuple(uids))


def _decode_identity(cursor: "_Cursor") -> UserIdentity:
    kind, response_requested = cursor.u8(), cursor.u8() == 1
    primary = bytes(cursor.prefixed())
    secondary = bytes(cursor.prefixed()) if cursor.rest() else b""
    return UserIdentity(kind, primary, secondary, response_requested)


class _Cursor:
    """Takes fields off the front of a sub-item and never past its end."""

    def __init__(self, view: memoryview) -> None:
        self._view = view

    def take(self, count: int) -> memoryview:
        if count > len(self._view):
            raise PDUError(f"a sub-item has {len(self._view)} bytes where {count} are needed")
        taken, self._view = self._view[:count], self._view[count:]
        return taken

    def rest(self) -> memoryview:
        return self._view

    def u8(self) -> int:
        return self.take(1)[0]

    def u16(self) -> int:
        return int.from_bytes(self.take(2), "big")

    def prefixed(self) -> memoryview:
        return self.take(self.u16())
