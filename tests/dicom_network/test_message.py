"""Command sets agree with pynetdicom's and survive the round trip; fragments fit the peer and come together again."""

import struct
from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pynetdicom.dsutils import decode as peer_decode

from radiology.dicom_network.items import PDUError
from radiology.dicom_network.message import (
    NO_DATA_SET,
    Command,
    CommandAssembler,
    CommandField,
    Element,
    Response,
    Status,
    SubOperations,
    command_pdus,
    decode_command,
    encode_command,
    fragment_length,
    fragments,
)
from radiology.dicom_network.pdu import PDV, DataTF, decode

STORE = Command(
    {
        Element.AFFECTED_SOP_CLASS_UID: "1.2.840.10008.5.1.4.1.1.2",
        Element.COMMAND_FIELD: CommandField.C_STORE_RQ,
        Element.MESSAGE_ID: 7,
        Element.PRIORITY: 0,
        Element.DATA_SET_TYPE: 1,
        Element.AFFECTED_SOP_INSTANCE_UID: "1.2.3.4",
        Element.MOVE_ORIGINATOR_AE_TITLE: "WARD",
        Element.MOVE_ORIGINATOR_MESSAGE_ID: 3,
    }
)

shorts = st.integers(0, 65535)
uids = st.from_regex(r"[1-9](\.[1-9][0-9]{0,8}){1,5}", fullmatch=True)
texts = st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=16)
tags = st.lists(st.integers(0, 2**32 - 1), min_size=1, max_size=4).map(tuple)
commands = st.fixed_dictionaries(
    {Element.COMMAND_FIELD: st.sampled_from(list(CommandField)), Element.DATA_SET_TYPE: shorts},
    optional={
        Element.AFFECTED_SOP_CLASS_UID: uids,
        Element.REQUESTED_SOP_INSTANCE_UID: uids,
        Element.MESSAGE_ID: shorts,
        Element.STATUS: shorts,
        Element.MOVE_DESTINATION: texts,
        Element.ERROR_COMMENT: texts,
        Element.OFFENDING_ELEMENT: tags,
        Element.ATTRIBUTE_IDENTIFIER_LIST: tags,
        0x4000: st.binary(max_size=8),
    },
).map(Command)


def without_length(command: Command) -> dict[int, object]:
    return {element: value for element, value in command.elements.items() if element != Element.GROUP_LENGTH}


@given(commands)
def test_what_is_encoded_is_decoded(command: Command) -> None:
    encoded = encode_command(command)
    decoded = decode_command(encoded)
    assert without_length(decoded) == dict(command.elements)
    assert decoded.number(Element.GROUP_LENGTH) == len(encoded) - 12


def test_pydicom_reads_our_command_set() -> None:
    theirs = peer_decode(BytesIO(encode_command(STORE)), True, True)
    assert (theirs.MessageID, theirs.AffectedSOPInstanceUID, theirs.MoveOriginatorApplicationEntityTitle) == (
        7,
        "1.2.3.4",
        "WARD",
    )


@given(st.binary(max_size=200))
def test_any_bytes_raise_nothing_but_our_error(data: bytes) -> None:
    for prefix in (b"", encode_command(STORE)):
        try:
            decode_command(prefix + data)
        except PDUError:
            continue


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"\0\0\0\1", "inside the header"),
        (struct.pack("<HHI", 8, 0x16, 0), r"\(0008,0016\) does not belong"),
        (struct.pack("<HHI", 0, 0x100, 2**32 - 1) + b"\1\0", "overruns"),
        (struct.pack("<HHIB", 0, 0x100, 1, 1), "has 2 bytes, not 1"),
        (struct.pack("<HHI2s", 0, 2, 2, b"\xff\xff"), "not ASCII"),
        (b"", "no Command Field"),
    ],
)
def test_broken_command_sets_are_refused_in_a_sentence(data: bytes, words: str) -> None:
    with pytest.raises(PDUError, match=words):
        decode_command(data)


def test_a_response_repeats_what_the_request_named() -> None:
    response = Response(0xA900, None, "Größe " * 20, (0x00080016,), SubOperations(1, 2, 3, 4)).to_command(STORE)
    decoded = decode_command(encode_command(response))
    assert (decoded.field, decoded.responds_to, decoded.status) == (CommandField.C_STORE_RSP, 7, 0xA900)
    assert (decoded.sop_class_uid, decoded.sop_instance_uid) == (STORE.sop_class_uid, "1.2.3.4")
    assert decoded.tags(Element.OFFENDING_ELEMENT) == (0x00080016,)
    assert [decoded.number(e) for e in range(0x1020, 0x1024)] == [4, 1, 2, 3]
    assert decoded.error_comment.startswith("Gr??e")
    assert len(decoded.error_comment) <= 64
    assert not decoded.has_data_set
    assert decoded.operation == STORE.operation == "C-STORE"


@pytest.mark.parametrize("field", [CommandField.N_SET_RQ, CommandField.N_GET_RQ, CommandField.N_ACTION_RQ])
def test_a_response_names_as_affected_what_was_requested(field: CommandField) -> None:
    requested = Command(
        {
            Element.COMMAND_FIELD: field,
            Element.REQUESTED_SOP_CLASS_UID: "1.2.3",
            Element.REQUESTED_SOP_INSTANCE_UID: "1.2.3.4",
        }
    )
    elements = Response().to_command(requested).elements
    assert elements[Element.AFFECTED_SOP_CLASS_UID] == "1.2.3"
    assert elements[Element.AFFECTED_SOP_INSTANCE_UID] == "1.2.3.4"
    assert not {Element.REQUESTED_SOP_CLASS_UID, Element.REQUESTED_SOP_INSTANCE_UID} & elements.keys()


def test_elements_of_a_response_win() -> None:
    command = Response(elements={Element.AFFECTED_SOP_INSTANCE_UID: "9.9"}).to_command(STORE)
    assert command.sop_instance_uid == "9.9"
    assert Response(data_set=b"").to_command(STORE).number(Element.DATA_SET_TYPE) != NO_DATA_SET


@given(st.binary(max_size=500), st.integers(32, 200))
def test_fragments_fit_and_come_together(data: bytes, maximum: int) -> None:
    parts = [bytes(part) for part in fragments(5, data, maximum)]
    pdvs: list[PDV] = []
    for header, body in zip(parts[::2], parts[1::2], strict=True):
        pdu = decode(header + body)
        assert isinstance(pdu, DataTF)
        assert len(header + body) - 6 <= maximum
        pdvs += pdu.pdvs
    assert b"".join(bytes(pdv.fragment) for pdv in pdvs) == data
    assert [pdv.is_last for pdv in pdvs] == [False] * (len(pdvs) - 1) + [True]
    assert all(pdv.context_id == 5 and not pdv.is_command for pdv in pdvs)
    assert all(len(pdv.fragment) % 2 == 0 for pdv in pdvs[:-1])


def test_the_data_is_not_copied_into_fragments() -> None:
    data = bytearray(100_000)
    assert all(part.obj is data for part in fragments(1, data, 16384) if isinstance(part, memoryview))


@pytest.mark.parametrize(("maximum", "length"), [(0, 131066), (2**32 - 1, 131066), (16384, 16378), (33, 26)])
def test_fragment_length(maximum: int, length: int) -> None:
    assert fragment_length(maximum) == length


def test_a_command_set_in_pieces() -> None:
    encoded, assembler = encode_command(STORE), CommandAssembler()
    for n in range(len(encoded) - 1):
        assert assembler.add(PDV(1, 1, encoded[n : n + 1])) is None
        assert assembler.started
    command = assembler.add(PDV(1, 3, encoded[-1:]))
    assert command is not None
    assert command.message_id == 7
    assert not assembler.started
    assert command_pdus(1, STORE, 32).count(b"\4\0\0\0\0") >= 5


@pytest.mark.parametrize(
    ("pdv", "words"),
    [
        (PDV(1, 0, b"x"), "data set fragment"),
        (PDV(3, 1, b"x"), "two messages"),
        (PDV(1, 1, bytes(300_000)), "longer than"),
    ],
)
def test_fragments_that_do_not_belong(pdv: PDV, words: str) -> None:
    assembler = CommandAssembler()
    assembler.add(PDV(1, 1, b"x"))
    with pytest.raises(PDUError, match=words):
        assembler.add(pdv)


def test_the_statuses_of_pending() -> None:
    assert Status.PENDING == 0xFF00
