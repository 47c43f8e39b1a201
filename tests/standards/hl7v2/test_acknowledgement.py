"""Acknowledgements, as another library reads them."""

import warnings
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from radiology.standards.hl7v2 import acknowledgement, message, segments
from radiology.standards.hl7v2.acknowledgement import Answer, Verdict
from radiology.standards.hl7v2.errors import Code, HL7Error, Place
from radiology.standards.hl7v2.segments import Header

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from hl7apy.parser import parse_message

AT = datetime(2026, 1, 21, 4, 30, tzinfo=UTC)


def _header(version: str = "2.5.1", *, charset: str = "UNICODE UTF-8", asked: str = "|") -> Header:
    line = rf"MSH|^~\&|HIS|DMCH|RADI|LOCAL|20260121||ORM^O01^ORM_O01|17|T|{version}|||{asked}||{charset}"
    return segments.header(message.header_of(line.encode()))


def _made(header: Header, answer: Answer) -> bytes:
    return acknowledgement.acknowledge(header, answer, control_id="A1", at=AT, zone=ZoneInfo("Asia/Dhaka"))


def test_acceptance():
    assert _made(_header(), Answer(Verdict.ACCEPTED)) == (
        b"MSH|^~\\&|RADI|LOCAL|HIS|DMCH|20260121103000+0600||ACK^O01^ACK|A1|T|2.5.1||||||UNICODE UTF-8\rMSA|AA|17\r"
    )


REFUSAL = Answer.of_error(HL7Error(Code.REQUIRED_FIELD_MISSING, "PID-3 is empty.", Place("PID", 1, 3)))


def test_refusal():
    said = parse_message(_made(_header(), REFUSAL).decode(), find_groups=False)
    assert said.msa.msa_1.value == "AE"
    assert said.msa.msa_2.value == "17"
    assert said.err.err_2.value == "PID^1^3"
    assert said.err.err_3.cwe_1.value == "101"
    assert said.err.err_4.value == "E"
    assert said.err.err_8.value == "PID-3 is empty."


def test_refusal_of_an_old_version():
    lines = _made(_header("2.3"), REFUSAL).split(b"\r")
    assert lines[0].startswith(b"MSH|^~\\&|RADI|LOCAL|HIS|DMCH|20260121103000+0600||ACK^O01|A1|T|2.3")
    assert lines[1] == b"MSA|AE|17|PID-3 is empty."
    assert lines[2] == b"ERR|PID^1^3^101&Required field missing&HL70357"


def test_refusal_of_a_character_set_is_ascii():
    assert b"MSA|AE|17" in _made(_header(charset="nonsense"), REFUSAL)


@pytest.mark.parametrize(
    ("asked", "code"), [("|", "AA"), ("AL|NE", "CA"), ("AL|", "CA"), ("AL|AL", "AA"), ("NE|AL", "AA"), ("NE|NE", "AA")]
)
def test_enhanced_mode(asked: str, code: str):
    assert f"MSA|{code}|17".encode() in _made(_header(asked=asked), Answer(Verdict.ACCEPTED))


def test_what_others_say_is_read():
    raw = b"MSH|^~\\&|A|B|C|D|2026||ACK|1|P|2.5\rMSA|AE|99|\rERR||PID^1^3|101^Missing^HL70357|E||||Give PID-3\r"
    said = acknowledgement.read(message.parse(raw))
    assert (said.code, said.control_id, said.sentence) == ("AE", "99", "Give PID-3")
    assert not said.is_accepted
    with pytest.raises(HL7Error, match="no segment MSA"):
        acknowledgement.read(message.parse(b"MSH|^~\\&|A|B|C|D|2026||ACK|1|P|2.5\r"))
