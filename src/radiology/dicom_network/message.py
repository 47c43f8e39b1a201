"""DIMSE messages: command sets, and the fragments that carry messages (PS3.7, PS3.8 annex E). No I/O."""

import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Final, cast

from radiology.dicom_network.items import PDUError
from radiology.dicom_network.pdu import DATA_HEADER, PDV, PDUType

Value = str | int | tuple[int, ...] | bytes
"""UI, AE and LO are str, US and UL are int, AT is a tuple of 32-bit tags, anything else is bytes."""

COMMAND_LIMIT: Final = 256 * 1024
NO_DATA_SET: Final = 0x0101
DATA_SET_FOLLOWS: Final = 0x0001
COMMAND_LAST: Final = 3
COMMAND_MORE: Final = 1
DATA_LAST: Final = 2
DATA_MORE: Final = 0
PDV_OVERHEAD: Final = 6
SEND_LIMIT: Final = 128 * 1024
"""Largest PDU we send, also to a peer that takes more."""

_ELEMENT: Final = struct.Struct("<HHI")
_SHORT: Final = struct.Struct("<H")
_LONG: Final = struct.Struct("<I")


class CommandField(IntEnum):
    """Values of Command Field (0000,0100) (PS3.7 E.1)."""

    C_STORE_RQ = 0x0001
    C_GET_RQ = 0x0010
    C_FIND_RQ = 0x0020
    C_MOVE_RQ = 0x0021
    C_ECHO_RQ = 0x0030
    N_EVENT_REPORT_RQ = 0x0100
    N_GET_RQ = 0x0110
    N_SET_RQ = 0x0120
    N_ACTION_RQ = 0x0130
    N_CREATE_RQ = 0x0140
    N_DELETE_RQ = 0x0150
    C_CANCEL_RQ = 0x0FFF
    C_STORE_RSP = 0x8001
    C_GET_RSP = 0x8010
    C_FIND_RSP = 0x8020
    C_MOVE_RSP = 0x8021
    C_ECHO_RSP = 0x8030
    N_EVENT_REPORT_RSP = 0x8100
    N_GET_RSP = 0x8110
    N_SET_RSP = 0x8120
    N_ACTION_RSP = 0x8130
    N_CREATE_RSP = 0x8140
    N_DELETE_RSP = 0x8150


class Element(IntEnum):
    """Element numbers of group 0000 (PS3.7 E.1)."""

    GROUP_LENGTH = 0x0000
    AFFECTED_SOP_CLASS_UID = 0x0002
    REQUESTED_SOP_CLASS_UID = 0x0003
    COMMAND_FIELD = 0x0100
    MESSAGE_ID = 0x0110
    MESSAGE_ID_BEING_RESPONDED_TO = 0x0120
    MOVE_DESTINATION = 0x0600
    PRIORITY = 0x0700
    DATA_SET_TYPE = 0x0800
    STATUS = 0x0900
    OFFENDING_ELEMENT = 0x0901
    ERROR_COMMENT = 0x0902
    ERROR_ID = 0x0903
    AFFECTED_SOP_INSTANCE_UID = 0x1000
    REQUESTED_SOP_INSTANCE_UID = 0x1001
    EVENT_TYPE_ID = 0x1002
    ATTRIBUTE_IDENTIFIER_LIST = 0x1005
    ACTION_TYPE_ID = 0x1008
    REMAINING_SUBOPERATIONS = 0x1020
    COMPLETED_SUBOPERATIONS = 0x1021
    FAILED_SUBOPERATIONS = 0x1022
    WARNING_SUBOPERATIONS = 0x1023
    MOVE_ORIGINATOR_AE_TITLE = 0x1030
    MOVE_ORIGINATOR_MESSAGE_ID = 0x1031


class Status:
    """The statuses that this layer itself answers with (PS3.7 annex C)."""

    SUCCESS: Final = 0x0000
    PENDING: Final = 0xFF00
    PENDING_WITH_WARNING: Final = 0xFF01
    CANCEL: Final = 0xFE00
    PROCESSING_FAILURE: Final = 0x0110
    NO_SUCH_SOP_CLASS: Final = 0x0118
    SOP_CLASS_NOT_SUPPORTED: Final = 0x0122
    UNRECOGNIZED_OPERATION: Final = 0x0211
    CANNOT_UNDERSTAND: Final = 0xC000


_UID_ELEMENTS: Final = frozenset((0x0002, 0x0003, 0x1000, 0x1001))
_TEXT_ELEMENTS: Final = frozenset((0x0600, 0x0902, 0x1030))
_SHORT_ELEMENTS: Final = frozenset(
    (0x0100, 0x0110, 0x0120, 0x0700, 0x0800, 0x0900, 0x0903, 0x1002, 0x1008, 0x1020, 0x1021, 0x1022, 0x1023, 0x1031)
)
_TAG_ELEMENTS: Final = frozenset((0x0901, 0x1005))


def is_pending(status: int) -> bool:
    """Whether more responses follow one with this status."""
    return status in (Status.PENDING, Status.PENDING_WITH_WARNING)


def is_warning(status: int) -> bool:
    """Whether the request was performed, with a remark (PS3.7 annex C)."""
    return status in (0x0001, 0x0107, 0x0116) or status >> 12 == 0xB


def is_failure(status: int) -> bool:
    """Whether a final status is neither success nor a warning."""
    return status != Status.SUCCESS and not is_warning(status)


@dataclass(frozen=True, slots=True)
class Command:
    """A command set: element numbers of group 0000 and their values. Group length is made when it is encoded."""

    elements: Mapping[int, Value]

    def number(self, element: int, default: int = 0) -> int:
        """The value of a US or UL element, or the default when it is absent."""
        value = self.elements.get(element)
        return value if isinstance(value, int) else default

    def text(self, element: int) -> str:
        """The value of a UI, AE or LO element, empty when it is absent."""
        value = self.elements.get(element)
        return value if isinstance(value, str) else ""

    def tags(self, element: int) -> tuple[int, ...]:
        """The tags of an AT element as 32-bit numbers, empty when it is absent."""
        value = self.elements.get(element)
        return value if isinstance(value, tuple) else ()

    @property
    def field(self) -> int:
        """Command Field (0000,0100)."""
        return self.number(Element.COMMAND_FIELD)

    @property
    def is_response(self) -> bool:
        """Whether this answers a request."""
        return self.field & 0x8000 != 0

    @property
    def operation(self) -> str:
        """The name of the service, as `C-STORE`; for a number that PS3.7 does not know, that number."""
        try:
            name = CommandField(self.field).name
        except ValueError:
            return f"{self.field:04X}H"
        return name.removesuffix("_RQ").removesuffix("_RSP").replace("_", "-")

    @property
    def message_id(self) -> int:
        """Message ID (0000,0110) of a request."""
        return self.number(Element.MESSAGE_ID)

    @property
    def responds_to(self) -> int:
        """Message ID Being Responded To (0000,0120)."""
        return self.number(Element.MESSAGE_ID_BEING_RESPONDED_TO)

    @property
    def sop_class_uid(self) -> str:
        """Affected, else Requested, SOP Class UID."""
        return self.text(Element.AFFECTED_SOP_CLASS_UID) or self.text(Element.REQUESTED_SOP_CLASS_UID)

    @property
    def sop_instance_uid(self) -> str:
        """Affected, else Requested, SOP Instance UID."""
        return self.text(Element.AFFECTED_SOP_INSTANCE_UID) or self.text(Element.REQUESTED_SOP_INSTANCE_UID)

    @property
    def status(self) -> int:
        """Status (0000,0900) of a response."""
        return self.number(Element.STATUS)

    @property
    def has_data_set(self) -> bool:
        """Whether a data set follows: any Command Data Set Type but 0101H says so (PS3.7 E.1)."""
        return self.number(Element.DATA_SET_TYPE, NO_DATA_SET) != NO_DATA_SET

    @property
    def priority(self) -> int:
        """Priority: 0 medium, 1 high, 2 low."""
        return self.number(Element.PRIORITY)

    @property
    def move_destination(self) -> str:
        """AE title that a C-MOVE sends to."""
        return self.text(Element.MOVE_DESTINATION)

    @property
    def move_originator(self) -> tuple[str, int]:
        """AE title and message id of the C-MOVE that caused this C-STORE; empty and 0 when none did."""
        return self.text(Element.MOVE_ORIGINATOR_AE_TITLE), self.number(Element.MOVE_ORIGINATOR_MESSAGE_ID)

    @property
    def event_type_id(self) -> int:
        """Event Type ID of an N-EVENT-REPORT."""
        return self.number(Element.EVENT_TYPE_ID)

    @property
    def action_type_id(self) -> int:
        """Action Type ID of an N-ACTION."""
        return self.number(Element.ACTION_TYPE_ID)

    @property
    def attribute_identifiers(self) -> tuple[int, ...]:
        """Attribute Identifier List of an N-GET."""
        return self.tags(Element.ATTRIBUTE_IDENTIFIER_LIST)

    @property
    def error_comment(self) -> str:
        """Error Comment (0000,0902) of a response."""
        return self.text(Element.ERROR_COMMENT)


@dataclass(frozen=True, slots=True)
class SubOperations:
    """The counts of a C-MOVE or C-GET (PS3.7 9.3.4.2); `remaining` is left out of a final response (None)."""

    completed: int
    failed: int
    warning: int
    remaining: int | None = None


@dataclass(frozen=True, slots=True)
class Response:
    """What a service answers. `data_set` is already encoded in the transfer syntax of the context.

    `error_comment` is cut to its 64 ASCII characters. `elements` adds or overrides any element of the command set.
    """

    status: int = Status.SUCCESS
    data_set: bytes | None = None
    error_comment: str = ""
    offending_elements: tuple[int, ...] = ()
    sub_operations: SubOperations | None = None
    elements: Mapping[int, Value] = field(default_factory=dict[int, Value])

    def to_command(self, request: Command) -> Command:
        """The command set that answers `request`."""
        elements: dict[int, Value] = {
            Element.COMMAND_FIELD: request.field | 0x8000,
            Element.MESSAGE_ID_BEING_RESPONDED_TO: request.message_id,
            Element.DATA_SET_TYPE: NO_DATA_SET if self.data_set is None else DATA_SET_FOLLOWS,
            Element.STATUS: self.status,
        }
        if uid := request.sop_class_uid:
            elements[Element.AFFECTED_SOP_CLASS_UID] = uid
        if uid := request.sop_instance_uid:
            elements[Element.AFFECTED_SOP_INSTANCE_UID] = uid
        for repeated in (Element.EVENT_TYPE_ID, Element.ACTION_TYPE_ID):
            if repeated in request.elements:
                elements[repeated] = request.elements[repeated]
        if self.error_comment:
            elements[Element.ERROR_COMMENT] = self.error_comment
        if self.offending_elements:
            elements[Element.OFFENDING_ELEMENT] = self.offending_elements
        if self.sub_operations is not None:
            elements |= _sub_operation_elements(self.sub_operations)
        elements.update(self.elements)
        return Command(elements)


@dataclass(frozen=True, slots=True)
class PendingResponses:
    """Several pending responses that go out together: one for each data set, all with this status."""

    status: int
    data_sets: Sequence[bytes]


def _sub_operation_elements(counts: SubOperations) -> dict[int, Value]:
    elements: dict[int, Value] = {
        Element.COMPLETED_SUBOPERATIONS: counts.completed,
        Element.FAILED_SUBOPERATIONS: counts.failed,
        Element.WARNING_SUBOPERATIONS: counts.warning,
    }
    if counts.remaining is not None:
        elements[Element.REMAINING_SUBOPERATIONS] = counts.remaining
    return elements


# --- Command sets -----------------------------------------------------------------------------------------------------


def encode_command(command: Command) -> bytes:
    """The command set in Implicit VR Little Endian, group length first (PS3.7 6.3.1). Raises ValueError."""
    parts: list[bytes] = []
    for element in sorted(command.elements):
        if element != Element.GROUP_LENGTH:
            value = _encode_value(element, command.elements[element])
            parts += (_ELEMENT.pack(0, element, len(value)), value)
    body = b"".join(parts)
    return _ELEMENT.pack(0, 0, 4) + _LONG.pack(len(body)) + body


def _encode_value(element: int, value: Value) -> bytes:
    match value:
        case int():
            return _SHORT.pack(value) if element in _SHORT_ELEMENTS else _LONG.pack(value)
        case str() if element in _UID_ELEMENTS:
            raw = value.encode("ascii")
            return raw + b"\0" if len(raw) & 1 else raw
        case str():
            raw = value.encode("ascii", "replace")[:64]
            return raw + b" " if len(raw) & 1 else raw
        case tuple():
            return b"".join(struct.pack("<HH", tag >> 16, tag & 0xFFFF) for tag in value)
        case bytes():
            return value


def decode_command(data: bytes | bytearray | memoryview) -> Command:
    """The command set that `data` holds exactly. Raises PDUError."""
    elements: dict[int, Value] = {}
    data = bytes(data)
    position, end = 0, len(data)
    while position < end:
        if end - position < 8:
            raise PDUError("a command set ends inside the header of an element")
        group, element, length = _ELEMENT.unpack_from(data, position)
        position += 8
        if group != 0:
            raise PDUError(f"element ({group:04X},{element:04X}) does not belong in a command set")
        if length > end - position:
            raise PDUError(
                f"element (0000,{element:04X}) of {length} bytes overruns the {end - position} that are left"
            )
        elements[element] = _decode_value(element, data[position : position + length])
        position += length
    if not isinstance(elements.get(Element.COMMAND_FIELD), int):
        raise PDUError("a command set has no Command Field")
    return Command(elements)


def _decode_value(element: int, raw: bytes) -> Value:
    if element in _SHORT_ELEMENTS:
        if len(raw) != 2:
            raise PDUError(f"element (0000,{element:04X}) has 2 bytes, not {len(raw)}")
        return cast("int", _SHORT.unpack(raw)[0])
    if element in _UID_ELEMENTS:
        return _decode_text(element, raw.rstrip(b"\0 "))
    if element in _TEXT_ELEMENTS:
        return raw.rstrip(b"\0 ").decode("ascii", "replace")
    if element in _TAG_ELEMENTS and len(raw) % 4 == 0:
        return tuple(group << 16 | number for group, number in struct.iter_unpack("<HH", raw))
    if element == Element.GROUP_LENGTH and len(raw) == 4:
        return cast("int", _LONG.unpack(raw)[0])
    return raw


def _decode_text(element: int, raw: bytes) -> str:
    try:
        return raw.decode("ascii")
    except UnicodeDecodeError:
        raise PDUError(f"the UID in element (0000,{element:04X}) holds bytes that are not ASCII") from None


class CommandAssembler:
    """Joins the fragments of one command set, bounded, and minds that they belong together (PS3.8 annex E)."""

    def __init__(self) -> None:
        self._parts = bytearray()
        self._context_id = 0

    @property
    def started(self) -> bool:
        """Whether a first fragment is here and the last is not."""
        return self._context_id != 0

    def add(self, pdv: PDV) -> Command | None:
        """Take one fragment; the command set when it is whole. Raises PDUError."""
        if not pdv.control & 1:
            raise PDUError("a data set fragment came where a command set was expected")
        if self._context_id == 0 and pdv.control & 2:
            return decode_command(pdv.fragment)
        if self._context_id not in (0, pdv.context_id):
            raise PDUError("fragments of two messages are mixed")
        self._context_id = pdv.context_id
        self._parts += pdv.fragment
        if len(self._parts) > COMMAND_LIMIT:
            raise PDUError(f"a command set is longer than {COMMAND_LIMIT} bytes")
        if not pdv.control & 2:
            return None
        command = decode_command(self._parts)
        self._parts, self._context_id = bytearray(), 0
        return command


# --- Fragments to be sent ---------------------------------------------------------------------------------------------


def fragment_length(peer_max_pdu_length: int) -> int:
    """How many bytes of a message fit into one PDU of the peer; even, as every fragment must be (PS3.8 annex E)."""
    limit = SEND_LIMIT if peer_max_pdu_length == 0 else min(peer_max_pdu_length, SEND_LIMIT)
    return max(limit - PDV_OVERHEAD, 2) & ~1


def data_header(context_id: int, control: int, length: int) -> bytes:
    """The twelve bytes before a fragment of this length that fills a P-DATA-TF PDU of its own."""
    return DATA_HEADER.pack(PDUType.DATA_TF, length + PDV_OVERHEAD, length + 2, context_id, control)


def fragments(
    context_id: int, data: bytes | bytearray | memoryview, peer_max_pdu_length: int, *, command: bool = False
) -> Iterator[bytes | memoryview]:
    """Headers and slices of `data`, in turn, ready for `sendmsg`: the data itself is not copied."""
    view, size = memoryview(data), fragment_length(peer_max_pdu_length)
    kind = COMMAND_MORE if command else DATA_MORE
    last = max(len(view) - 1, 0) // size * size
    for start in range(0, last, size):
        yield data_header(context_id, kind, size)
        yield view[start : start + size]
    yield data_header(context_id, kind | 2, len(view) - last)
    yield view[last:]


def command_pdus(context_id: int, command: Command, peer_max_pdu_length: int) -> bytes:
    """A command set as P-DATA-TF PDUs; almost always one."""
    encoded = encode_command(command)
    if len(encoded) <= fragment_length(peer_max_pdu_length):
        return data_header(context_id, COMMAND_LAST, len(encoded)) + encoded
    return b"".join(fragments(context_id, encoded, peer_max_pdu_length, command=True))
