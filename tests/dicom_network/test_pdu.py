"""PDUs survive the round trip, agree with pynetdicom's, and hostile ones raise our one error."""

import contextlib
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pynetdicom import pdu as peer_pdu

from radiology.dicom_network.items import AbortReason, PDUError
from radiology.dicom_network.pdu import (
    PDU,
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
    check_length,
    decode,
    encode,
)
from radiology.dicom_network.user_information import (
    AsyncWindow,
    RoleSelection,
    SOPClassCommonExtended,
    SOPClassExtended,
    UserIdentity,
    UserInformation,
)

uids = st.from_regex(r"[1-9][0-9]{0,5}(\.[1-9][0-9]{0,8}){1,5}", fullmatch=True)
titles = st.text(st.characters(min_codepoint=33, max_codepoint=126, exclude_characters="\\"), min_size=1, max_size=16)
identities = st.builds(UserIdentity, st.integers(1, 5), st.binary(max_size=40), st.binary(max_size=20), st.booleans())
user_information = st.builds(
    UserInformation,
    st.integers(0, 2**32 - 1),
    uids,
    st.from_regex(r"[A-Z][A-Z0-9_]{0,15}", fullmatch=True),
    st.none() | st.builds(AsyncWindow, st.integers(0, 65535), st.integers(0, 65535)),
    st.lists(st.builds(RoleSelection, uids, st.booleans(), st.booleans()), max_size=3).map(tuple),
    st.lists(st.builds(SOPClassExtended, uids, st.binary(max_size=9)), max_size=3).map(tuple),
    st.lists(st.builds(SOPClassCommonExtended, uids, uids, st.lists(uids, max_size=3).map(tuple)), max_size=3).map(
        tuple
    ),
    st.none() | identities,
    st.none() | st.binary(max_size=30),
)
odd_ids = st.integers(0, 127).map(lambda n: 2 * n + 1)
proposed = st.builds(ProposedContext, odd_ids, uids, st.lists(uids, max_size=4).map(tuple))
answered = st.builds(AnsweredContext, odd_ids, st.just(0), uids) | st.builds(
    AnsweredContext, odd_ids, st.integers(1, 4)
)


def by_id(contexts: st.SearchStrategy) -> st.SearchStrategy:
    return st.lists(contexts, max_size=6, unique_by=lambda c: c.context_id).map(tuple)


pdvs = st.builds(PDV, odd_ids, st.integers(0, 3), st.binary(max_size=50))
pdus = st.one_of(
    st.builds(AssociateRQ, titles, titles, by_id(proposed), user_information),
    st.builds(AssociateAC, titles, titles, by_id(answered), user_information),
    st.builds(AssociateRJ, st.integers(1, 2), st.integers(1, 3), st.integers(1, 10)),
    st.builds(DataTF, st.lists(pdvs, min_size=1, max_size=4)),
    st.just(ReleaseRQ()),
    st.just(ReleaseRP()),
    st.builds(Abort, st.integers(0, 2), st.integers(0, 6)),
)


@given(pdus)
def test_what_is_encoded_is_decoded(pdu: PDU) -> None:
    assert decode(encode(pdu)) == pdu


@given(pdus, st.integers(0, 2**16), st.integers(0, 255))
def test_one_wrong_byte_raises_nothing_but_our_error(pdu: PDU, position: int, value: int) -> None:
    data = bytearray(encode(pdu))
    data[position % len(data)] = value
    try_to_decode(bytes(data))


@given(st.integers(0, 9), st.binary(max_size=300))
def test_any_body_raises_nothing_but_our_error(kind: int, body: bytes) -> None:
    try_to_decode(struct.pack(">BxI", kind, len(body)) + body)


def try_to_decode(data: bytes) -> None:
    with contextlib.suppress(PDUError):
        decode(data)


def request_with(items: bytes) -> bytes:
    body = struct.pack(">H2x16s16s32x", 1, b"RADSVC".ljust(16), b"CT1".ljust(16)) + items
    return struct.pack(">BxI", 1, len(body)) + body


def item(kind: int, body: bytes) -> bytes:
    return struct.pack(">BxH", kind, len(body)) + body


def context(context_id: int) -> bytes:
    return item(0x20, bytes((context_id, 0, 0, 0)) + item(0x30, b"1.2.3") + item(0x40, b"1.2.840.10008.1.2"))


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"\1\0\0", "at least six bytes"),
        (b"\1\0\0\0\0\5abc", "announces 5 bytes and has 3"),
        (b"\x09\0\0\0\0\0", "09H is not known"),
        (b"\1\0\0\0\0\4abcd", "at least 68"),
        (b"\5\0\0\0\0\2ab", "body of 4 bytes"),
        (b"\4\0\0\0\0\0", "no PDV"),
        (b"\4\0\0\0\0\4\0\0\0\1", "inside the header of a PDV"),
        (b"\4\0\0\0\0\6\0\0\0\1\1\2", "PDV of 1 bytes"),
        (b"\4\0\0\0\0\6\xff\xff\xff\xff\1\2", "PDV of 4294967295 bytes"),
        (request_with(b"\x20\0"), "inside its header"),
        (request_with(b"\x20\0\xff\xff\1\0\0\0"), "overruns"),
        (request_with(item(0x20, b"\1")), "inside its fixed part"),
        (request_with(context(2)), "not odd"),
        (request_with(context(1) + context(1)), "there twice"),
        (request_with(item(0x10, b"1" * 65)), "longer than 64"),
        (request_with(item(0x10, b"1.2.\xe9")), "not ASCII"),
        (request_with(item(0x50, item(0x51, b"\0\0"))), "2 bytes where 4 are needed"),
        (request_with(item(0x50, item(0x54, b"\0\x091.2.3"))), "where 9 are needed"),
        (request_with(item(0x50, item(0x57, b"\0\0031.2\0\0031.2\0\2\0\1"))), "0 bytes where 1 are needed"),
        (request_with(item(0x50, item(0x58, b"\1\0\xff\xffabc"))), "where 65535 are needed"),
        (request_with(item(0x20, b"\1\0\0\0" + item(0x40, b"1.2") * 257)), "more than 256"),
    ],
)
def test_what_cannot_be_right_is_refused_in_a_sentence(data: bytes, words: str) -> None:
    with pytest.raises(PDUError, match=words):
        decode(data)


def test_ten_thousand_contexts_are_refused() -> None:
    with pytest.raises(PDUError, match=r"there twice|more than 128"):
        decode(request_with(b"".join(context(n % 128 * 2 + 1) for n in range(10_000))))


def test_unknown_items_and_sub_items_are_ignored() -> None:
    unknown = item(0x7F, b"whatever") + item(0x50, item(0x51, bytes(4)) + item(0x6E, b"later edition"))
    decoded = decode(request_with(context(1) + unknown))
    assert isinstance(decoded, AssociateRQ)
    assert [c.context_id for c in decoded.contexts] == [1]


def test_padding_of_titles_and_uids_is_taken_off() -> None:
    body = request_with(item(0x10, b"1.2.840.10008.3.1.1.1\0"))
    decoded = decode(body.replace(b"CT1 ", b" CT\0"))
    assert isinstance(decoded, AssociateRQ)
    assert (decoded.calling_ae_title, decoded.application_context) == ("CT", "1.2.840.10008.3.1.1.1")


@pytest.mark.parametrize(
    ("kind", "length", "reason"),
    [
        (4, 16385, AbortReason.INVALID_PARAMETER_VALUE),
        (1, 2**20 + 1, AbortReason.INVALID_PARAMETER_VALUE),
        (7, 5, AbortReason.INVALID_PARAMETER_VALUE),
        (0, 4, AbortReason.UNRECOGNIZED_PDU),
        (0x47, 4, AbortReason.UNRECOGNIZED_PDU),
    ],
)
def test_a_header_alone_is_enough_to_refuse(kind: int, length: int, reason: AbortReason) -> None:
    with pytest.raises(PDUError) as raised:
        check_length(kind, length, 16384)
    assert raised.value.reason == reason
    check_length(4, 16384, 16384)


def test_a_password_does_not_show_in_repr() -> None:
    assert "secret" not in repr(UserIdentity(2, b"secret", b"secret"))


def test_pynetdicom_reads_our_request_and_writes_the_same() -> None:
    user = UserInformation(
        131072,
        "1.2.3.4",
        "VERSION_1",
        AsyncWindow(3, 5),
        (RoleSelection("1.2.840.10008.5.1.4.1.1.2", scu=False, scp=True),),
        (SOPClassExtended("1.2.840.10008.5.1.4.1.2.2.1", b"\1\1\1\0"),),
        (SOPClassCommonExtended("1.2.840.10008.5.1.4.1.1.2", "1.2.840.10008.4.2", ("1.2.3", "1.2.4")),),
        UserIdentity(2, b"name", b"passcode", response_requested=True),
    )
    contexts = tuple(ProposedContext(n, "1.2.840.10008.1.1", ("1.2.840.10008.1.2", "1.2.3")) for n in range(1, 256, 2))
    request = AssociateRQ("RADSVC", "CT1", contexts, user)
    theirs = peer_pdu.A_ASSOCIATE_RQ()
    theirs.decode(encode(request))
    assert theirs.calling_ae_title == "CT1"
    assert len(theirs.presentation_context) == 128
    again = decode(theirs.encode())
    assert isinstance(again, AssociateRQ)
    assert again.contexts == contexts
    assert again.user_information == user
