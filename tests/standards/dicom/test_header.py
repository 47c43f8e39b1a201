"""The header reader against pydicom on every real file, and on objects made for one rule each."""

import base64
import io
import warnings
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from struct import pack
from typing import Any

import orjson
import pydicom
import pytest

from radiology.standards.dicom import uids
from radiology.standards.dicom.header import Header, HeaderError, Limits, read_header
from radiology.standards.dicom.part10 import FileMetaError, read_file_meta

FOLDERS = ("dicom", "series", "worklist")
LITTLE, BIG = uids.EXPLICIT_VR_LITTLE_ENDIAN, uids.EXPLICIT_VR_BIG_ENDIAN
IMPLICIT, DEFLATED = uids.IMPLICIT_VR_LITTLE_ENDIAN, uids.DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN
UNDEFINED = 0xFFFFFFFF


def read_file(data: bytes, window: int = 65536) -> Header:
    meta = read_file_meta(data[:4096])
    return read_header(
        data[:window],
        data_set_offset=meta.data_set_offset,
        transfer_syntax_uid=meta.transfer_syntax_uid,
        size=len(data),
        read_at=lambda offset, length: data[offset : offset + length],
    )


def read(data: bytes, syntax: str = LITTLE, **options: Any) -> Header:
    return read_header(data, data_set_offset=0, transfer_syntax_uid=syntax, size=len(data), **options)


def short(tag: int, vr: str, value: bytes) -> bytes:
    return pack("<HH2sH", tag >> 16, tag & 0xFFFF, vr.encode(), len(value)) + value


def long(tag: int, vr: str, value: bytes, length: int | None = None) -> bytes:
    return pack("<HH2s2xL", tag >> 16, tag & 0xFFFF, vr.encode(), len(value) if length is None else length) + value


def implicit(tag: int, value: bytes, length: int | None = None) -> bytes:
    return pack("<HHL", tag >> 16, tag & 0xFFFF, len(value) if length is None else length) + value


def item(content: bytes, length: int | None = None) -> bytes:
    return implicit(0xFFFEE000, content, length)


ITEM_END, SEQUENCE_END = implicit(0xFFFEE00D, b""), implicit(0xFFFEE0DD, b"")
CLASS = short(0x00080016, "UI", b"1.2.840.10008.5.1.4.1.1.2\0")


# Every real file


def files(shared_data: Path) -> Iterator[Path]:
    for folder in FOLDERS:
        yield from (path for path in sorted((shared_data / folder).rglob("*")) if path.is_file())


def differences(theirs: dict[str, Any], ours: dict[str, Any], path: str = "") -> Iterator[str]:
    theirs = {tag: element for tag, element in theirs.items() if tag[4:] != "0000"}
    for tag in sorted(theirs.keys() ^ ours.keys()):
        yield f"{path}{tag} only with {'pydicom' if tag in theirs else 'us'}"
    for tag in sorted(theirs.keys() & ours.keys()):
        one, other = theirs[tag], ours[tag]
        if one["vr"] != other["vr"]:
            yield f"{path}{tag}: {one['vr']} but {other['vr']}"
        elif one["vr"] == "SQ":
            items = list(zip(one.get("Value", []), other.get("Value", []), strict=True))
            for index, (first, second) in enumerate(items):
                yield from differences(first, second, f"{path}{tag}/{index}/")
        elif not same(one, other, tag):
            yield f"{path}{tag}: {str(one)[:100]} but {str(other)[:100]}"


def same(one: dict[str, Any], other: dict[str, Any], tag: str) -> bool:
    if "BulkDataURI" in other:
        return "BulkDataURI" in one or tag == "7FE00010"
    return plain(one) == plain(other)


def plain(element: dict[str, Any]) -> Any:
    """The values without what the two sides may write differently: padding, and empty values among others."""
    values = element.get("Value", element.get("InlineBinary"))
    if not isinstance(values, list):
        return values
    cleaned = [plain_value(value) for value in values]
    return cleaned if any(value is not None for value in cleaned) else None


def plain_value(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: text for name, text in value.items() if text} or None
    return value.strip() or None if isinstance(value, str) else value


def by_pydicom(path: Path) -> dict[str, Any]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        dataset = pydicom.dcmread(path, force=True)
        return dataset.to_json_dict(bulk_data_threshold=1368, bulk_data_element_handler=lambda _: "elsewhere")


#: Where pydicom gives up or guesses, with what we say instead.
OTHERWISE = {
    "badVR.dcm": "value",
    "emri_small_jpeg_2k_lossless_too_short.dcm": "truncated",
    "rtplan_truncated.dcm": "truncated",
}


def test_every_real_file_reads_as_with_pydicom_or_is_refused(shared_data: Path) -> None:
    read_count, wrong, refused = 0, dict[str, list[str]](), dict[str, str]()
    for path in files(shared_data):
        data = path.read_bytes()
        try:
            header = read_file(data)
        except (FileMetaError, HeaderError) as error:
            refused[path.name] = error.tag
            continue
        read_count += 1
        assert orjson.loads(header.json()) == header.attributes
        if path.name in OTHERWISE:
            assert OTHERWISE[path.name] in header.flags
        elif found := list(differences(by_pydicom(path), header.attributes)):
            wrong[path.name] = found
    assert wrong == {}
    assert read_count > 490
    assert {name: tag for name, tag in refused.items() if not name.endswith((".dump", ".wl", "lockfile"))} == {
        "no_meta.dcm": "08200500"
    }


def test_the_window_does_not_change_what_is_read(shared_data: Path) -> None:
    for path in list(files(shared_data))[::7]:
        data = path.read_bytes()
        try:
            whole = read_file(data, window=len(data))
        except (FileMetaError, HeaderError):
            continue
        for window in (0, 200, 1000):
            part = read_file(data, window=window)
            assert part == whole


def test_pixels_are_never_read(shared_data: Path) -> None:
    data = (shared_data / "dicom/pydicom-data/eCT_Supplemental.dcm").read_bytes()
    meta = read_file_meta(data[:4096])
    asked: list[tuple[int, int]] = []

    def read_at(offset: int, length: int) -> bytes:
        asked.append((offset, length))
        return data[offset : offset + length]

    header = read_header(
        data[:1000],
        data_set_offset=meta.data_set_offset,
        transfer_syntax_uid=meta.transfer_syntax_uid,
        size=len(data),
        read_at=read_at,
    )
    assert header.pixel_data_length == 1048576
    assert header.pixel_data_offset == len(data) - 1048576
    assert sum(length for _, length in asked) <= 65536


# Hazards of the shared files, by name


@pytest.mark.parametrize(
    ("name", "flags"),
    [
        ("pydicom/MR_truncated.dcm", {"truncated"}),
        ("pydicom/rtplan_truncated.dcm", {"truncated"}),
        ("pydicom/badVR.dcm", {"value"}),
        ("pydicom/SC_rgb_jpeg.dcm", {"transfer_syntax"}),
        ("pydicom-data/emri_small_jpeg_2k_lossless_too_short.dcm", {"truncated"}),
        ("pydicom/dicomdirtests/DICOMDIR-nooffset", {"truncated"}),
        ("pydicom/ExplVR_BigEndNoMeta.dcm", set()),
        ("pydicom-data/bad_sequence.dcm", set()),
        ("pydicom-data/explicit_VR-UN.dcm", set()),
        ("pydicom/image_dfl.dcm", set()),
        ("pynetdicom/CTImageStorage_bad_meta.dcm", set()),
    ],
)
def test_hazards(shared_data: Path, name: str, flags: set[str]) -> None:
    assert read_file((shared_data / "dicom" / name).read_bytes()).flags == flags


def test_a_file_of_nothing_but_un_is_understood(shared_data: Path) -> None:
    header = read_file((shared_data / "dicom/pydicom-data/explicit_VR-UN.dcm").read_bytes())
    assert header.attributes["00080060"] == {"vr": "CS", "Value": ["CT"]}
    assert header.number("00280010") == 512
    assert header.attributes["00081140"]["vr"] == "SQ" if "00081140" in header.attributes else True


def test_a_value_that_breaks_its_vr_stays_as_it_was(shared_data: Path) -> None:
    header = read_file((shared_data / "dicom/pydicom/badVR.dcm").read_bytes())
    assert header.values("00280008") == ["1A"]
    assert header.number("00280008") is None


@pytest.mark.parametrize(
    ("name", "alphabetic", "ideographic", "phonetic"),
    [
        ("chrArab.dcm", "قباني^لنزار", "", ""),
        ("chrFren.dcm", "Buc^Jérôme", "", ""),
        ("chrGerm.dcm", "Äneas^Rüdiger", "", ""),
        ("chrGreek.dcm", "Διονυσιος", "", ""),
        ("chrH31.dcm", "Yamada^Tarou", "山田^太郎", "やまだ^たろう"),
        ("chrH32.dcm", "ﾔﾏﾀﾞ^ﾀﾛｳ", "山田^太郎", "やまだ^たろう"),
        ("chrI2.dcm", "Hong^Gildong", "洪^吉洞", "홍^길동"),
        ("chrRuss.dcm", "Люкceмбypг", "", ""),
        ("chrX1.dcm", "Wang^XiaoDong", "王^小東", ""),
        ("chrX2.dcm", "Wang^XiaoDong", "王^小东", ""),
        ("chrHbrw.dcm", "שרון^דבורה", "", ""),
    ],
)
def test_names_in_many_scripts(shared_data: Path, name: str, alphabetic: str, ideographic: str, phonetic: str) -> None:
    header = read_file((shared_data / "dicom/charset" / name).read_bytes())
    expected = {"Alphabetic": alphabetic, "Ideographic": ideographic, "Phonetic": phonetic}
    assert header.names("00100010") == {group: text for group, text in expected.items() if text}
    assert not header.flags


def test_bangla_names(shared_data: Path) -> None:
    paths = sorted((shared_data / "dicom/derived").glob("dx_bangla_*.dcm"))
    assert paths
    for path in paths:
        header = read_file(path.read_bytes())
        assert any("\u0980" <= char <= "\u09ff" for char in header.text("00100010"))
        assert header.character_set == ("ISO_IR 192",)
        assert not header.flags


# The JSON model


@pytest.mark.parametrize(
    ("vr", "value", "expected"),
    [
        ("CS", b"ORIGINAL\\PRIMARY ", ["ORIGINAL", "PRIMARY"]),
        ("CS", b"A\\\\B ", ["A", None, "B"]),
        ("CS", b"\\\\ ", None),
        ("CS", b"", None),
        ("UI", b"1.2.3\0", ["1.2.3"]),
        ("LO", b" left ", [" left"]),
        ("LT", b"a\\b ", ["a\\b"]),
        ("IS", b" 12 ", [12]),
        ("IS", b"1.0 ", [1]),
        ("IS", b"1A", ["1A"]),
        ("IS", b"9" * 30, ["9" * 30]),
        ("IS", b"9" * 5000, ["9" * 5000]),
        ("DS", b"1.5\\-2e1\\x ", [1.5, -20.0, "x"]),
        ("DS", b"1\\\\2 ", [1.0, None, 2.0]),
        ("DS", b"nan ", ["nan"]),
        ("DS", b"1_0 ", ["1_0"]),
        ("DS", b"1e999 ", ["1e999"]),
        ("US", b"\1\0\2\0", [1, 2]),
        ("US", b"\1\0\2", [1]),
        ("SS", b"\xff\xff", [-1]),
        ("FD", pack("<d", 0.5), [0.5]),
        ("FL", pack("<3f", float("nan"), float("inf"), 1), ["NaN", "Infinity", 1.0]),
        ("AT", b"\x10\0\x20\0", ["00100020"]),
        ("PN", b"A^B=C=D ", [{"Alphabetic": "A^B", "Ideographic": "C", "Phonetic": "D"}]),
        ("PN", b"=C", [{"Ideographic": "C"}]),
        ("PN", b"A\\B ", [{"Alphabetic": "A"}, {"Alphabetic": "B"}]),
        ("PN", b"== ", None),
        ("AS", b"034Y", ["034Y"]),
    ],
)
def test_values(vr: str, value: bytes, expected: list[Any] | None) -> None:
    header = read(CLASS + short(0x00091001, vr, value))
    assert header.attributes["00091001"] == ({"vr": vr} if expected is None else {"vr": vr, "Value": expected})
    assert orjson.loads(header.json())["00091001"] == header.attributes["00091001"]


@pytest.mark.parametrize("vr", ["UT", "UC", "UR", "UV", "SV"])
def test_long_forms(vr: str) -> None:
    value = pack("<Q", 7) if vr.endswith("V") else b"text"
    assert read(long(0x00091001, vr, value)).values("00091001") == [7 if vr.endswith("V") else "text"]


def test_largest_unsigned_number_is_json() -> None:
    header = read(long(0x00091001, "UV", b"\xff" * 8))
    assert orjson.loads(header.json()) == {"00091001": {"vr": "UV", "Value": [2**64 - 1]}}


@pytest.mark.parametrize("vr", ["OB", "OW", "OF", "OD", "OL", "OV", "UN"])
def test_binary_is_inline_up_to_a_kibibyte(vr: str) -> None:
    header = read(long(0x00091001, vr, bytes(1024)) + long(0x00091002, vr, bytes(1026)) + long(0x00091003, vr, b""))
    assert header.attributes == {
        "00091001": {"vr": vr, "InlineBinary": base64.b64encode(bytes(1024)).decode()},
        "00091002": {"vr": vr, "BulkDataURI": "@/00091002"},
        "00091003": {"vr": vr},
    }


def test_nested_bulk_data_has_its_path() -> None:
    waveform = item(long(0x54001010, "OW", bytes(2000)) + short(0x003A0005, "US", b"\1\0"))
    header = read(CLASS + long(0x54000100, "SQ", waveform * 2))
    second = header.values("54000100")[1]
    assert second["54001010"] == {"vr": "OW", "BulkDataURI": "@/54000100/1/54001010"}
    assert second["003A0005"] == {"vr": "US", "Value": [1]}


def test_order_duplicates_and_group_lengths() -> None:
    header = read(
        short(0x00080000, "UL", b"\4\0\0\0")
        + short(0x00100020, "LO", b"P1")
        + short(0x00080060, "CS", b"CT")
        + short(0x00100020, "LO", b"P2")
    )
    assert list(header.attributes) == ["00080060", "00100020"]
    assert header.text("00100020") == "P2"
    assert header.flags == {"duplicate_element"}


def test_conveniences() -> None:
    header = read(CLASS + short(0x00100010, "PN", b"A^B==P") + short(0x00280010, "US", b"\2\0"))
    assert header.text("00100010") == "A^B==P"
    assert header.names("00100010") == {"Alphabetic": "A^B", "Phonetic": "P"}
    assert header.number("00280010") == 2
    assert (header.text("00100020"), header.number("00100020"), header.names("00100020")) == ("", None, {})
    assert header.number("00080016") is None


# Character sets


@pytest.mark.parametrize(
    ("terms", "raw", "text", "damaged"),
    [
        ("ISO_IR 192", "রহমান".encode(), "রহমান", False),
        ("ISO_IR 192", b"ab\xff ", "ab\ufffd", True),
        ("ISO_IR 100", b"J\xe9", "Jé", False),
        ("ISO_IR 101", b"\xb1\xb1", "ąą", False),
        ("", b"J\xe9", "Jé", True),
        ("", b"Jo", "Jo", False),
        ("ISO IR 100 ", b"J\xe9", "Jé", False),
        ("MARTIAN ", b"J\xe9", "Jé", True),
        ("GB18030 ", "王\\小".encode("gb18030"), "王", False),
        ("\\ISO 2022 IR 87", b"\x1b$B;3ED\x1b(B", "山田", False),
        ("\\ISO 2022 IR 87", b"\x1b$B\x80\x81\x82", "\ufffd", True),
        ("\\ISO 2022 IR 87", b"a\x1bZb ", "a", True),
    ],
)
def test_character_sets(terms: str, raw: bytes, text: str, damaged: bool) -> None:
    raw += b" " * (len(raw) % 2)
    header = read(short(0x00080005, "CS", terms.encode()) + short(0x00100020, "LO", raw))
    assert header.text("00100020").startswith(text)
    assert ("charset" in header.flags) is damaged


def test_a_backslash_inside_a_character_is_no_separator() -> None:
    # The second byte of this ideograph is a backslash in GB 18030.
    raw = b"\x81\x5c" + b"\\B"
    header = read(short(0x00080005, "CS", b"GB18030 ") + short(0x00100020, "LO", raw + b" "))
    assert header.values("00100020") == [b"\x81\x5c".decode("gb18030"), "B"]


def test_an_item_may_have_its_own_character_set() -> None:
    inner = short(0x00080005, "CS", b"ISO_IR 192") + short(0x00100020, "LO", "é".encode())
    outer = short(0x00080005, "CS", b"ISO_IR 100")
    header = read(outer + long(0x00101002, "SQ", item(inner)) + short(0x00104000, "LT", b"\xe9 "))
    assert header.values("00101002")[0]["00100020"]["Value"] == ["é"]
    assert header.text("00104000") == "é"
    assert header.character_set == ("ISO_IR 100",)


# Encodings


def test_all_encodings_of_one_object_read_alike(shared_data: Path) -> None:
    dataset = pydicom.dcmread(shared_data / "dicom/pydicom/MR_small.dcm")
    expected = read_file((shared_data / "dicom/pydicom/MR_small.dcm").read_bytes())
    for name in ("MR_small_bigendian.dcm", "MR_small_implicit.dcm", "MR_small_expb.dcm"):
        header = read_file((shared_data / "dicom/pydicom" / name).read_bytes())
        # Only the little endian one was padded.
        assert header.attributes.keys() | {"FFFCFFFC"} == expected.attributes.keys()
        assert header.text("00100010") == expected.text("00100010")
        assert header.attributes["00200037"] == expected.attributes["00200037"]
    buffer = io.BytesIO()
    dataset.file_meta.TransferSyntaxUID = DEFLATED
    pydicom.dcmwrite(buffer, dataset)
    deflated = read_file(buffer.getvalue())
    # Of a deflated data set nothing behind the pixels is inflated.
    assert deflated.attributes == {tag: e for tag, e in expected.attributes.items() if tag != "FFFCFFFC"}
    assert (deflated.pixel_data_offset, deflated.pixel_data_length) == (None, 8192)


def test_a_wrong_transfer_syntax_is_noticed() -> None:
    header = read(CLASS, IMPLICIT)
    assert header.flags == {"transfer_syntax"}
    assert header.text("00080016").endswith(".2")
    assert read(implicit(0x00080060, b"CT"), LITTLE).attributes == {"00080060": {"vr": "CS", "Value": ["CT"]}}
    assert read(CLASS, BIG).flags == {"transfer_syntax"}


def test_implicit_private_elements() -> None:
    header = read(
        implicit(0x00290010, b"SIEMENS CSA HEADER")
        + implicit(0x00291008, b"IMAGE NUM 4 ")
        + implicit(0x00311001, b"abcd")
        + implicit(0x00311002, item(implicit(0x00080060, b"CT"), UNDEFINED) + ITEM_END + SEQUENCE_END, UNDEFINED),
        IMPLICIT,
    )
    assert header.attributes["00290010"] == {"vr": "LO", "Value": ["SIEMENS CSA HEADER"]}
    assert header.attributes["00291008"] == {"vr": "CS", "Value": ["IMAGE NUM 4"]}
    assert header.attributes["00311001"] == {"vr": "UN", "InlineBinary": "YWJjZA=="}
    assert header.attributes["00311002"]["Value"] == [{"00080060": {"vr": "CS", "Value": ["CT"]}}]


@pytest.mark.parametrize(("signed", "vr", "value"), [(0, "US", 65535), (1, "SS", -1)])
def test_sign_follows_pixel_representation(signed: int, vr: str, value: int) -> None:
    header = read(implicit(0x00280103, pack("<H", signed)) + implicit(0x00280106, b"\xff\xff"), IMPLICIT)
    assert header.attributes["00280106"] == {"vr": vr, "Value": [value]}


def test_sequences_hidden_in_un() -> None:
    inner = item(implicit(0x00081150, b"1.2\0"))
    header = read(
        CLASS
        + long(0x00081140, "UN", inner)
        + long(0x00091001, "UN", inner + SEQUENCE_END, UNDEFINED)
        + long(0x00091002, "UN", b"AB")
    )
    expected = [{"00081150": {"vr": "UI", "Value": ["1.2"]}}]
    assert header.attributes["00081140"] == {"vr": "SQ", "Value": expected}
    assert header.attributes["00091001"] == {"vr": "SQ", "Value": expected}
    assert header.attributes["00091002"]["vr"] == "UN"


def test_unknown_vrs_are_stepped_over() -> None:
    header = read(
        CLASS + long(0x00091001, "ZZ", b"abcd") + short(0x00091002, "QQ", b"ab") + short(0x00100020, "LO", b"P1")
    )
    assert header.attributes["00091001"] == {"vr": "UN", "InlineBinary": "YWJjZA=="}
    assert header.attributes["00091002"] == {"vr": "UN", "InlineBinary": "YWI="}
    assert header.text("00100020") == "P1"
    assert header.flags == {"unknown_vr"}


def test_an_element_without_vr_in_an_explicit_data_set() -> None:
    header = read(CLASS + implicit(0x00080060, b"CT") + short(0x00100020, "LO", b"P1"))
    assert (header.text("00080060"), header.text("00100020")) == ("CT", "P1")
    assert header.flags == {"unknown_vr"}


# Pixel data


def test_native_pixel_data_is_located_and_what_follows_is_read() -> None:
    before = CLASS
    header = read(before + long(0x7FE00010, "OW", bytes(4000)) + long(0xFFFCFFFC, "OB", b"ab"))
    assert (header.pixel_data_offset, header.pixel_data_length) == (len(before) + 12, 4000)
    assert header.attributes["7FE00010"] == {"vr": "OW", "BulkDataURI": "@/7FE00010"}
    assert "FFFCFFFC" in header.attributes


@pytest.mark.parametrize(("tag", "vr"), [(0x7FE00008, "OF"), (0x7FE00009, "OD")])
def test_float_pixel_data(tag: int, vr: str) -> None:
    assert read(long(tag, vr, bytes(16))).pixel_data_offset == 12


def test_icons_are_not_the_pixel_data() -> None:
    icon = item(long(0x7FE00010, "OW", bytes(64)))
    header = read(CLASS + long(0x00880200, "SQ", icon))
    assert (header.pixel_data_offset, header.pixel_data_length) == (None, None)
    assert header.values("00880200")[0]["7FE00010"] == {"vr": "OW", "BulkDataURI": "@/00880200/0/7FE00010"}


FRAGMENTS = item(b"") + item(bytes(100)) + item(bytes(60))


@pytest.mark.parametrize(
    ("tail", "flags"),
    [
        (FRAGMENTS + SEQUENCE_END, set()),
        (FRAGMENTS + SEQUENCE_END + long(0xFFFCFFFC, "OB", b"\0\0"), set()),
        (FRAGMENTS, {"truncated"}),
        (FRAGMENTS[:-1], {"truncated"}),
        (FRAGMENTS + SEQUENCE_END[:-1], {"truncated"}),
        (b"", {"truncated"}),
        (bytes(64), {"pixel_sequence"}),
    ],
)
def test_encapsulated_pixel_data(tail: bytes, flags: set[str]) -> None:
    header = read(CLASS + long(0x7FE00010, "OB", tail, UNDEFINED))
    assert header.attributes["7FE00010"]["BulkDataURI"] == "@/7FE00010"
    assert (header.pixel_data_offset, header.pixel_data_length) == (len(CLASS) + 12, None)
    assert header.flags == flags


def test_garbage_behind_the_pixels_does_not_lose_the_object() -> None:
    pixels = CLASS + long(0x7FE00010, "OW", bytes(64))
    for garbage in (b"\n", bytes(200), b"<html>" * 50, b"\xff" * 100):
        header = read(pixels + garbage)
        assert header.pixel_data_length == 64
        assert header.text("00080016")


def sparse(parts: dict[int, bytes], size: int) -> tuple[Callable[[int, int], bytes], list[int]]:
    """A file of zeros with some parts, read without having it; and what was read of it."""
    read_bytes: list[int] = []

    def read_at(offset: int, length: int) -> bytes:
        read_bytes.append(length)
        block = bytearray(min(length, size - offset))
        for start, part in parts.items():
            for index in range(max(start, offset), min(start + len(part), offset + len(block))):
                block[index - offset] = part[index - start]
        return bytes(block)

    return read_at, read_bytes


def test_a_gibibyte_is_stepped_over() -> None:
    gibibyte = 1 << 30
    head = CLASS + long(0x00420011, "OB", b"", 200 << 20)
    second = short(0x00420012, "LO", b"text/plain") + long(0x7FE00010, "OW", b"", gibibyte)
    last = long(0xFFFCFFFC, "OB", b"\0\0")
    at = len(head) + (200 << 20)
    size = at + len(second) + gibibyte + len(last)
    read_at, read_bytes = sparse({0: head, at: second, size - len(last): last}, size)
    header = read_header(head[:40], data_set_offset=0, transfer_syntax_uid=LITTLE, size=size, read_at=read_at)
    assert list(header.attributes) == ["00080016", "00420011", "00420012", "7FE00010", "FFFCFFFC"]
    assert header.pixel_data_offset == at + len(second)
    assert sum(read_bytes) < 1 << 20


# Damage and hostility


def nested(depth: int) -> bytes:
    return long(0x00081140, "SQ", item(b"", UNDEFINED), UNDEFINED) * depth


@pytest.mark.parametrize("depth", [65, 10_000])
def test_deep_nesting_is_refused(depth: int) -> None:
    with pytest.raises(HeaderError, match=r"\(0008,1140\): sequences are nested deeper than 64") as refused:
        read(CLASS + nested(depth))
    assert refused.value.tag.startswith("00081140/0/00081140")


def test_allowed_nesting_is_read() -> None:
    assert read(CLASS + nested(64)).flags == {"truncated"}


def test_too_many_elements() -> None:
    with pytest.raises(HeaderError, match="more than 1000 elements"):
        read(short(0x00091001, "CS", b"") * 2000, limits=Limits(elements=1000))
    with pytest.raises(HeaderError, match="more than 1000 elements"):
        read(long(0x00081140, "SQ", item(b"") * 2000), limits=Limits(elements=1000))


def test_too_many_values_and_bytes() -> None:
    with pytest.raises(HeaderError, match="more than 100 values"):
        read(short(0x00091001, "CS", b"A\\" * 200), limits=Limits(values=100))
    with pytest.raises(HeaderError, match="more than 100 bytes"):
        read(CLASS + short(0x00091001, "LO", b"A" * 200), limits=Limits(header_bytes=100))


def test_long_text_is_left_where_it_is() -> None:
    header = read(long(0x0040A160, "UT", b"A" * 2000), limits=Limits(value_bytes=1000))
    assert header.attributes["0040A160"] == {"vr": "UT", "BulkDataURI": "@/0040A160"}


def test_a_deflate_bomb_is_refused() -> None:
    compressor = zlib.compressobj(9, wbits=-15)
    bomb = compressor.compress(long(0x00091001, "UN", b"", 0xFFFFFFF0)) + compressor.compress(bytes(64 << 20))
    bomb += compressor.flush()
    with pytest.raises(HeaderError, match="inflates to more than"):
        read(bomb, DEFLATED, limits=Limits(max_inflated_bytes=1 << 20))


def test_damaged_and_cut_deflate_streams() -> None:
    with pytest.raises(HeaderError, match="deflated data set is damaged"):
        read(b"\xff" * 100, DEFLATED)
    compressor = zlib.compressobj(wbits=-15)
    whole = compressor.compress(CLASS + b"".join(short(0x00100020, "LO", b"P%d " % n) for n in range(500)))
    whole += compressor.flush()
    assert "truncated" in read(whole[:-40], DEFLATED).flags


@pytest.mark.parametrize("length", [3, 0x7FFF, 0xFFFE])
def test_a_value_past_the_end_is_truncation(length: int) -> None:
    cut = pack("<HH2sH", 0x0010, 0x0020, b"LO", length) + b"P1"
    header = read(CLASS + cut)
    assert header.flags == {"truncated"}
    assert list(header.attributes) == ["00080016"]


def test_a_first_element_past_the_end_is_refused() -> None:
    with pytest.raises(HeaderError, match="inside the first element"):
        read(long(0x00091001, "OB", b"", 0xFFFFFFFE))
    with pytest.raises(HeaderError):
        read(b"")


def test_undefined_length_where_none_may_be() -> None:
    with pytest.raises(HeaderError, match=r"\(0040,A160\): a length without end is not allowed for VR UT"):
        read(long(0x0040A160, "UT", b"abcdefgh", UNDEFINED))


def test_sequences_that_hold_no_items() -> None:
    with pytest.raises(HeaderError, match=r"\(0008,1140\): a sequence holds \(0008,0060\)"):
        read(CLASS + long(0x00081140, "SQ", short(0x00080060, "CS", b"CT")))


def test_an_item_outside_a_sequence() -> None:
    with pytest.raises(HeaderError, match="item outside a sequence"):
        read(CLASS + item(CLASS))


def test_an_item_longer_than_its_sequence_does_not_lose_what_follows() -> None:
    sequence = pack("<HH2s2xL", 0x0008, 0x1140, b"SQ", 20) + item(short(0x00081150, "UI", b"1.2\0"), 40)
    header = read(CLASS + sequence + short(0x00100020, "LO", b"P1") + short(0x00104000, "LT", b"x" * 40))
    assert header.text("00100020") == "P1"
    assert header.flags == {"length_overrun"}


def test_missing_item_delimiters_are_forgiven() -> None:
    open_item = item(short(0x00081150, "UI", b"1.2\0"), UNDEFINED)
    header = read(
        CLASS + long(0x00081140, "SQ", open_item * 2 + SEQUENCE_END, UNDEFINED) + short(0x00100020, "LO", b"P1")
    )
    assert len(header.values("00081140")) == 2
    assert header.text("00100020") == "P1"


def test_stray_delimiters_are_forgiven() -> None:
    header = read(CLASS + SEQUENCE_END + ITEM_END + short(0x00100020, "LO", b"P1"))
    assert header.text("00100020") == "P1"
    assert header.flags == {"stray_delimiter"}


def test_a_window_without_more_is_not_enough() -> None:
    data = CLASS + short(0x00100020, "LO", b"P1")
    with pytest.raises(HeaderError, match="the header goes on"):
        read_header(data[:36], data_set_offset=0, transfer_syntax_uid=LITTLE, size=len(data))


def test_a_file_shorter_than_said_is_truncated() -> None:
    header = read_header(
        CLASS, data_set_offset=0, transfer_syntax_uid=LITTLE, size=1 << 20, read_at=lambda _offset, _length: b""
    )
    assert header.flags == {"truncated"}


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_any_kind_of_window(kind: Callable[[bytes], Any]) -> None:
    data = CLASS + short(0x00104000, "LT", b"x" * 60000) * 3 + short(0x40000010, "LO", b"P1")
    header = read_header(kind(data), data_set_offset=0, transfer_syntax_uid=LITTLE, size=len(data))
    assert header.text("40000010") == "P1"


@pytest.mark.parametrize("vr", ["PN", "US", "AT", "LO"])
def test_a_character_set_with_another_vr(vr: str) -> None:
    header = read(CLASS + short(0x00080005, vr, b"ABCD") + short(0x00100020, "LO", b"P1"))
    assert header.text("00100020") == "P1"


def test_a_sequence_is_no_text() -> None:
    header = read(CLASS + long(0x00100010, "SQ", item(CLASS)))
    assert (header.text("00100010"), header.names("00100010"), header.number("00100010")) == ("", {}, None)
