"""Whatever the bytes, a header is read or one error is raised, within bounded time and memory."""

import struct
import tracemalloc
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from radiology.standards.dicom import uids
from radiology.standards.dicom.checks import Refusal, check_storable
from radiology.standards.dicom.header import Header, HeaderError, Limits, read_header
from radiology.standards.dicom.part10 import FileMetaError, read_file_meta

SYNTAXES = st.sampled_from(
    (
        uids.EXPLICIT_VR_LITTLE_ENDIAN,
        uids.IMPLICIT_VR_LITTLE_ENDIAN,
        uids.EXPLICIT_VR_BIG_ENDIAN,
        uids.DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN,
        "1.2.840.10008.1.2.4.90",
        "1.2.3.4",
    )
)
SMALL = Limits(elements=5000, values=5000, header_bytes=1 << 20, max_inflated_bytes=1 << 20)

#: Files whose shapes differ: sequences, private ones, encapsulated, deflated, big endian, implicit, UN, many charsets.
SEEDS = (
    "pydicom/CT_small.dcm",
    "pydicom/MR_small_bigendian.dcm",
    "pydicom/MR_small_implicit.dcm",
    "pydicom/nested_priv_SQ.dcm",
    "pydicom/UN_sequence.dcm",
    "pydicom/JPEG2000.dcm",
    "pydicom/image_dfl.dcm",
    "pydicom/rtplan.dcm",
    "pydicom/test-SR.dcm",
    "pydicom/dicomdirtests/DICOMDIR-implicit",
    "charset/chrH32.dcm",
    "charset/chrX1.dcm",
    "dcmjs/sample-sr.dcm",
)


def read_or_refuse(data: bytes, offset: int, syntax: str) -> Header | None:
    """The header, None when it is refused; anything else fails the test."""
    try:
        header = read_header(data, data_set_offset=offset, transfer_syntax_uid=syntax, size=len(data), limits=SMALL)
    except HeaderError:
        return None
    assert header.json().startswith(b"{")
    assert list(header.attributes) == sorted(header.attributes)
    with suppress(Refusal):
        check_storable(header, sop_class_uid=None, sop_instance_uid=None)
    return header


@given(st.binary(max_size=3000), SYNTAXES)
def test_random_bytes(data: bytes, syntax: str) -> None:
    read_or_refuse(data, 0, syntax)


ELEMENTS = st.lists(
    st.tuples(
        st.sampled_from(
            (0x00080016, 0x00080005, 0x00081140, 0x00091001, 0x00090010, 0x00280106, 0x7FE00010, 0xFFFEE000)
        ),
        st.sampled_from((b"UI", b"CS", b"SQ", b"UN", b"OB", b"PN", b"US", b"AT", b"UT", b"ZZ", b"\0\0", b"DS", b"IS")),
        st.binary(max_size=40),
        st.sampled_from((0, 0, 0, 0, 1, -1, 2, 0xFFFFFFFF, 0xFFFFFFFE, 0x7FFFFFFF)),
    ),
    max_size=30,
)


@given(ELEMENTS, SYNTAXES)
def test_structured_nonsense(elements: list[tuple[int, bytes, bytes, int]], syntax: str) -> None:
    parts: list[bytes] = []
    for tag, vr, value, wrong in elements:
        length = wrong if wrong > 2 else max(0, len(value) + wrong)
        head = struct.pack("<HH", tag >> 16, tag & 0xFFFF)
        if tag == 0xFFFEE000 or syntax == uids.IMPLICIT_VR_LITTLE_ENDIAN:
            parts.append(head + struct.pack("<L", length) + value)
        elif vr in (b"SQ", b"UN", b"OB", b"UT"):
            parts.append(head + vr + struct.pack("<2xL", length) + value)
        else:
            parts.append(head + vr + struct.pack("<H", length & 0xFFFF) + value)
    read_or_refuse(b"".join(parts), 0, syntax)


@pytest.fixture(scope="module")
def seeds(shared_data: Path) -> list[bytes]:
    return [(shared_data / "dicom" / name).read_bytes()[:20_000] for name in SEEDS]


@settings(max_examples=400, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(data=st.data())
def test_mutated_real_headers(seeds: list[bytes], data: st.DataObject) -> None:
    mutant = bytearray(data.draw(st.sampled_from(seeds), label="seed"))
    for _ in range(data.draw(st.integers(1, 6), label="mutations")):
        at = data.draw(st.integers(0, min(len(mutant) - 1, 3000)), label="at")
        change = data.draw(st.binary(min_size=1, max_size=8), label="bytes")
        if data.draw(st.booleans(), label="insert"):
            mutant[at:at] = change
        else:
            mutant[at : at + len(change)] = change
    try:
        meta = read_file_meta(bytes(mutant[:4096]))
    except FileMetaError:
        return
    read_or_refuse(bytes(mutant), meta.data_set_offset, meta.transfer_syntax_uid)


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(data=st.data())
def test_truncated_real_files(seeds: list[bytes], data: st.DataObject) -> None:
    seed = data.draw(st.sampled_from(seeds), label="seed")
    cut = seed[: data.draw(st.integers(0, len(seed)), label="length")]
    try:
        meta = read_file_meta(cut[:4096])
    except FileMetaError:
        return
    read_or_refuse(cut, meta.data_set_offset, meta.transfer_syntax_uid)


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(data=st.data())
def test_windows_of_any_size_agree(seeds: list[bytes], data: st.DataObject) -> None:
    seed = data.draw(st.sampled_from(seeds), label="seed")
    meta = read_file_meta(seed[:4096])
    syntax, offset = meta.transfer_syntax_uid, meta.data_set_offset
    whole = read_or_refuse(seed, offset, syntax)
    part = read_header(
        seed[: data.draw(st.integers(0, len(seed)), label="window")],
        data_set_offset=offset,
        transfer_syntax_uid=syntax,
        size=len(seed),
        read_at=lambda at, length: seed[at : at + length],
        limits=SMALL,
    )
    assert part == whole


@pytest.mark.parametrize(
    "attack",
    [
        struct.pack("<HH2sH", 9, 0x1001, b"CS", 0) * 2_000_000,
        struct.pack("<HH2s2xLHHL", 9, 0x1001, b"SQ", 0xFFFFFFFF, 0xFFFE, 0xE000, 0xFFFFFFFF) * 100_000,
        struct.pack("<HH2s2xL", 8, 0x1140, b"SQ", 0xFFFFFFFF) + struct.pack("<HHL", 0xFFFE, 0xE000, 0) * 2_000_000,
        struct.pack("<HH2s2xL", 0x7FE0, 0x10, b"OB", 0xFFFFFFFF) + struct.pack("<HHL", 0xFFFE, 0xE000, 0) * 2_000_000,
        struct.pack("<HH2s2xL", 9, 0x1001, b"UC", 16 << 20) + b"\\" * (16 << 20),
        struct.pack("<HH2s2xL", 9, 0x1001, b"UC", 1 << 20) + b"a\\" * (1 << 19),
        b"".join(struct.pack("<HH2sH", n & 0xFFFF | 1, n >> 16, b"CS", 0) for n in range(200_000)),
    ],
    ids=["tiny elements", "nesting", "items", "fragments", "separators", "values", "many tags"],
)
def test_memory_is_bounded(attack: bytes) -> None:
    tracemalloc.start()
    try:
        with suppress(HeaderError):
            read_header(
                attack,
                data_set_offset=0,
                transfer_syntax_uid=uids.EXPLICIT_VR_LITTLE_ENDIAN,
                size=len(attack),
                limits=Limits(elements=50_000),
            )
    finally:
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert peak < 96 << 20
