"""The seven protocol data units of the DICOM upper layer, as values (PS3.8 section 9.3). No I/O.

Reading is tolerant of what the field sends (padding, unknown items) and strict about what could hurt us: every length
is checked against what encloses it, and whatever cannot be right raises the one error, `PDUError`.
"""

import struct
from dataclasses import dataclass
from enum import IntEnum
from typing import Final, NamedTuple

from radiology.dicom_network.items import AbortReason, PDUError, item, items, uid_of
from radiology.dicom_network.user_information import (
    DEFAULT_USER_INFORMATION,
    UserInformation,
    decode_user_information,
    encode_user_information,
)

APPLICATION_CONTEXT: Final = "1.2.840.10008.3.1.1.1"
CONTROL_PDU_LIMIT: Final = 1024 * 1024
MAX_PRESENTATION_CONTEXTS: Final = 128
MAX_TRANSFER_SYNTAXES: Final = 256

PDU_HEADER: Final = struct.Struct(">BxI")
PDV_HEADER: Final = struct.Struct(">IBB")
DATA_HEADER: Final = struct.Struct(">BxIIBB")
"""The header of a P-DATA-TF PDU that carries one PDV: PDU type and length, PDV length, context id, control header."""
_FIXED: Final = struct.Struct(">H2x16s16s32x")


class PDUType(IntEnum):
    """PDU types of PS3.8 section 9.3.1."""

    ASSOCIATE_RQ = 1
    ASSOCIATE_AC = 2
    ASSOCIATE_RJ = 3
    DATA_TF = 4
    RELEASE_RQ = 5
    RELEASE_RP = 6
    ABORT = 7


class ContextResult(IntEnum):
    """Answer to one presentation context (PS3.8 table 9-18)."""

    ACCEPTED = 0
    USER_REJECTION = 1
    NO_REASON = 2
    ABSTRACT_SYNTAX_NOT_SUPPORTED = 3
    TRANSFER_SYNTAXES_NOT_SUPPORTED = 4


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
    user_information: UserInformation = DEFAULT_USER_INFORMATION
    application_context: str = APPLICATION_CONTEXT
    protocol_version: int = 1


@dataclass(frozen=True, slots=True)
class AssociateAC:
    """A-ASSOCIATE-AC (PS3.8 section 9.3.3)."""

    called_ae_title: str
    calling_ae_title: str
    contexts: tuple[AnsweredContext, ...]
    user_information: UserInformation = DEFAULT_USER_INFORMATION
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


def _ae_title(title: str) -> bytes:
    encoded = title.encode("latin-1")
    if len(encoded) > 16:
        raise ValueError(f"AE title {title!r} is longer than 16 characters")
    return encoded.ljust(16)


def _associate(pdu: AssociateRQ | AssociateAC, contexts: bytes) -> bytes:
    fixed = _FIXED.pack(pdu.protocol_version, _ae_title(pdu.called_ae_title), _ae_title(pdu.calling_ae_title))
    application = item(0x10, pdu.application_context.encode("ascii"))
    return fixed + application + contexts + item(0x50, encode_user_information(pdu.user_information))


def _proposed_context(context: ProposedContext) -> bytes:
    syntaxes = b"".join(item(0x40, uid.encode("ascii")) for uid in context.transfer_syntax_uids)
    abstract = item(0x30, context.abstract_syntax_uid.encode("ascii"))
    return item(0x20, bytes((context.context_id, 0, 0, 0)) + abstract + syntaxes)


def _answered_context(context: AnsweredContext) -> bytes:
    syntax = item(0x40, context.transfer_syntax_uid.encode("ascii"))
    return item(0x21, bytes((context.context_id, 0, context.result, 0)) + syntax)


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


def _decode_rq(body: memoryview) -> AssociateRQ:
    version, called, calling, rest = _decode_fixed(body)
    application, user, contexts = "", UserInformation(0, "", ""), dict[int, ProposedContext]()
    for kind, content in items(rest):
        if kind == 0x10:
            application = uid_of(content)
        elif kind == 0x20:
            context = _decode_proposed(content)
            _admit(context.context_id, len(contexts), context.context_id in contexts)
            contexts[context.context_id] = context
        elif kind == 0x50:
            user = decode_user_information(content)
    return AssociateRQ(called, calling, tuple(contexts.values()), user, application, version)


def _decode_ac(body: memoryview) -> AssociateAC:
    version, called, calling, rest = _decode_fixed(body)
    application, user, contexts = "", UserInformation(0, "", ""), dict[int, AnsweredContext]()
    for kind, content in items(rest):
        if kind == 0x10:
            application = uid_of(content)
        elif kind == 0x21:
            context = _decode_answered(content)
            _admit(context.context_id, len(contexts), context.context_id in contexts)
            contexts[context.context_id] = context
        elif kind == 0x50:
            user = decode_user_information(content)
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
    for kind, sub_item in items(content[4:]):
        if kind == 0x30:
            abstract = uid_of(sub_item)
        elif kind == 0x40:
            syntaxes.append(uid_of(sub_item))
    if len(syntaxes) > MAX_TRANSFER_SYNTAXES:
        raise PDUError(f"a presentation context proposes more than {MAX_TRANSFER_SYNTAXES} transfer syntaxes")
    return ProposedContext(content[0], abstract, tuple(syntaxes))


def _decode_answered(content: memoryview) -> AnsweredContext:
    if len(content) < 4:
        raise PDUError("a presentation context item ends inside its fixed part")
    result = content[2]
    # The transfer syntax of a refused context is not significant and may hold anything (PS3.8 table 9-18).
    syntax = (
        next((uid_of(sub_item) for kind, sub_item in items(content[4:]) if kind == 0x40), "") if result == 0 else ""
    )
    return AnsweredContext(content[0], result, syntax)
