"""Reading and writing messages: separators, escapes, character sets, limits."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from radiology.standards.hl7v2 import charsets, message
from radiology.standards.hl7v2.errors import Code, HL7Error
from radiology.standards.hl7v2.message import Separators, escape, unescape

HEADER = r"MSH|^~\&|HIS|DMCH|RADI|LOCAL|20260121103000+0600||ADT^A08^ADT_A01|17|P|2.5.1"
KARIM = "করিম^আব্দুল"


def _raw(*lines: str, charset: str = "UNICODE UTF-8", end: str = "\r", codec: str = "utf-8") -> bytes:
    return end.join((f"{HEADER}||||||{charset}", *lines, "")).encode(codec)


def test_bangla_in_utf_8():
    read = message.parse(_raw(f"PID|1||1001^^^DMCH^MR||{KARIM}"))
    assert read.one("PID").text(5) == "করিম"
    assert read.one("PID").text(5, 2) == "আব্দুল"


def test_bangla_without_a_word_about_the_character_set():
    assert message.parse(_raw(f"PID|1||1||{KARIM}", charset="")).one("PID").text(5) == "করিম"


def test_latin_1_without_a_word_about_the_character_set():
    assert message.parse(_raw("PID|1||1||Müller", charset="", codec="latin-1")).one("PID").text(5) == "Müller"


def test_another_character_set_is_read_as_declared():
    assert message.parse(_raw("PID|1||1||Müller", charset="8859/1", codec="latin-1")).one("PID").text(5) == "Müller"
    read = message.parse(_raw("PID|1||1||Иван", charset="8859/5", codec="iso8859_5"))
    assert read.one("PID").text(5) == "Иван"


def test_what_the_header_says_of_the_character_set_may_be_overruled():
    raw = _raw(f"PID|1||1||{KARIM}", charset="8859/1")
    assert message.parse(raw, charset="UNICODE UTF-8").one("PID").text(5) == "করিম"


@pytest.mark.parametrize("charset", ["UNICODE UTF-16", "ISO IR87", "KS X 1001", "nonsense"])
def test_a_character_set_that_is_not_taken_is_named(charset: str):
    with pytest.raises(HL7Error, match="is not supported") as caught:
        message.parse(_raw("PID|1||1||A", charset=charset))
    assert str(caught.value.place) == "MSH-18"
    assert caught.value.code is Code.TABLE_VALUE_NOT_FOUND


def test_bytes_that_are_not_of_the_character_set_are_refused_with_their_line():
    with pytest.raises(HL7Error, match="Line 2 has bytes that are not ASCII"):
        message.parse(_raw(f"PID|1||1||{KARIM}", charset="ASCII"))


@pytest.mark.parametrize("end", ["\r", "\n", "\r\n"])
def test_ends_of_lines(end: str):
    read = message.parse(_raw("PID|1||1||A", "PV1|1|O", end=end))
    assert [segment.name for segment in read.segments] == ["MSH", "PID", "PV1"]


def test_a_byte_order_mark_is_passed_over():
    assert message.parse(b"\xef\xbb\xbf" + _raw("PID|1||1")).one("PID").text(3) == "1"


def test_separators_of_the_sender():
    raw = b"MSH#*?!%#HIS#DMCH#RADI#LOCAL#2026##ADT*A08#17#P#2.5\rPID#1##7*****MR?8#N%O*M\r"
    read = message.parse(raw)
    assert read.separators == Separators("#", "*", "?", "!", "%")
    assert [field.text() for field in read.one("PID").repetitions(3)] == ["7", "8"]
    assert read.one("PID").field(4).text(1, 2) == "O"
    assert read.header.text(9, 2) == "A08"


@pytest.mark.parametrize("mark", [b"MSH|^^\\&|A", b"MSH|^~\\&^|A"[:8] + b"x|", b"MSH", b"MSHa^~\\&aA", b"MSH|^~\\||A"])
def test_separators_that_cannot_be(mark: bytes):
    with pytest.raises(HL7Error):
        message.parse(mark + b"|B|C|D|2026||ADT^A08|17|P|2.5\rPID|1\r").one("XXX")


def test_null_is_not_the_same_as_nothing():
    segment = message.parse(_raw('PID|1||1||A||""|')).one("PID")
    assert segment.is_null(7)
    assert segment.text(7) == ""
    assert not segment.is_null(8)
    assert segment.repetitions(7) == []


def test_an_empty_field_that_is_needed_is_named():
    with pytest.raises(HL7Error, match=r"^PID-3 is empty: the number is needed\.$") as caught:
        message.parse(_raw("PID|1||||A")).one("PID").must(3, "the number is needed")
    assert caught.value.code is Code.REQUIRED_FIELD_MISSING


def test_a_segment_that_is_needed_is_named():
    with pytest.raises(HL7Error, match="no segment MRG, which ADT needs"):
        message.parse(_raw("PID|1||1||A")).one("MRG")


def test_which_of_its_name_a_segment_is():
    read = message.parse(_raw("OBX|1|ST|a||b", "OBX|2|ST|c||d"))
    assert str(read.all("OBX")[1].place(5)) == "OBX[2]-5"


@pytest.mark.parametrize(
    ("sent", "meant"),
    [
        (r"A\T\B", "A&B"),
        (r"A\S\B\F\C\R\D\E\E", "A^B|C~D\\E"),
        (r"one\.br\two", "one\ntwo"),
        (r"\H\bold\N\ plain", "bold plain"),
        (r"OPERA\XC7\\XC3\O", "OPERAÇÃO"),
        ("\\XE0A695\\", "ক"),
        ("\\XE0\\\\XA6\\\\X95\\", "ক"),
        (r"C:\temp", r"C:\temp"),
        (r"a\Zmine\b", "ab"),
        ("plain", "plain"),
    ],
)
def test_escapes(sent: str, meant: str):
    assert unescape(sent) == meant


@given(st.text(st.characters(categories=["L", "N", "P", "S", "Zs"], include_characters="\n|^~\\&\u200d")))
def test_what_is_escaped_is_read_again(text: str):
    assert unescape(escape(text)) == "".join(char for char in text if char.isprintable() or char in "\n\u200d")


def test_long_text_goes_on_in_the_next_line():
    read = message.parse(_raw("OBX|1|ED|p||JVBERi0x", "LjMNCiXi||F", "NTE|1||n"))
    assert read.one("OBX").text(5) == "JVBERi0x\nLjMNCiXi"


@pytest.mark.parametrize("line", ["hello", "pid|1||1", "PI|1", "PIDX|1"])
def test_a_line_that_is_no_segment_is_refused(line: str):
    with pytest.raises(HL7Error, match="no segment") as caught:
        message.parse(_raw(line))
    assert caught.value.code is Code.SEGMENT_SEQUENCE


@pytest.mark.parametrize("raw", [b"", b"\x00", b"GET / HTTP/1.1\r\n\r\n", b"PID|1||1\r", b"\xff\xfe" * 50])
def test_garbage_is_refused(raw: bytes):
    with pytest.raises(HL7Error, match="does not begin with MSH"):
        message.parse(raw)


def test_two_messages_are_refused():
    with pytest.raises(HL7Error, match="second MSH"):
        message.parse(_raw("PID|1||1") + _raw("PID|1||2"))


def test_too_many_segments_are_refused():
    with pytest.raises(HL7Error, match="more than 2000 segments"):
        message.parse(_raw(*["NTE|1||x"] * 2001))


def test_a_message_of_separators_is_read_at_once():
    read = message.parse(_raw("NTE|1||" + "^&" * 250_000))
    assert read.one("NTE").text(3) == ""


def test_groups():
    read = message.parse(_raw("PID|1||1", "ORC|NW|1", "OBR|1", "ORC|NW|2", "OBR|1", "OBR|2"))
    assert [[segment.name for segment in group.segments] for group in read.groups("ORC")] == [
        ["ORC", "OBR"],
        ["ORC", "OBR", "OBR"],
    ]
    assert [segment.name for segment in read.before("ORC").segments] == ["MSH", "PID"]


def test_writing():
    line = message.segment("PID", "1", "", ("1001", "", "", ("DMCH", "2.16.1", "ISO"), "MR"), "", ("O|Neil", "A&B"), "")
    assert line == r"PID|1||1001^^^DMCH&2.16.1&ISO^MR||O\F\Neil^A\T\B"
    raw = message.encode([f"{HEADER}||||||UNICODE UTF-8", line], charsets.UTF_8)
    assert message.parse(raw).one("PID").text(5) == "O|Neil"


def test_letters_that_a_character_set_lacks_become_question_marks():
    assert message.encode(["NTE|1||করিম"], "ASCII") == b"NTE|1||????\r"
