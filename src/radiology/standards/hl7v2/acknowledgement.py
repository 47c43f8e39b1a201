"""Acknowledgements: MSH, MSA and ERR (HL7 2.5.1, 2.9, 2.14.8, 2.15.5, 2.15.8), to send and to read."""

from dataclasses import dataclass
from datetime import datetime, tzinfo
from enum import StrEnum

from radiology.standards.hl7v2 import charsets, segments
from radiology.standards.hl7v2.errors import TEXTS, Code, HL7Error, Place
from radiology.standards.hl7v2.message import Message, Value, encode, segment
from radiology.standards.hl7v2.segments import Header
from radiology.standards.hl7v2.values import sent_moment

_LONGEST_TEXT = 250
_ASKS = frozenset({"AL", "ER", "SU"})


class Verdict(StrEnum):
    """MSA-1 in original mode (table 0008). Accept acknowledgements of enhanced mode begin with C."""

    ACCEPTED = "AA"
    ERROR = "AE"
    REJECTED = "AR"


@dataclass(frozen=True, slots=True)
class Answer:
    """What is said of a message; a sentence of an accepted one is a warning (table 0516)."""

    verdict: Verdict
    sentence: str = ""
    code: Code = Code.ACCEPTED
    place: Place | None = None

    @classmethod
    def of_error(cls, error: HL7Error, verdict: Verdict = Verdict.ERROR) -> "Answer":
        """What is wrong."""
        return cls(verdict, error.sentence, error.code, error.place)


def code_of(header: Header, verdict: Verdict) -> str:
    """MSA-1: an application acknowledgement, or an accept acknowledgement where nothing but that is asked for."""
    accepts = header.accept_acknowledgement in _ASKS and header.application_acknowledgement not in _ASKS
    return f"C{verdict[1]}" if accepts else verdict


def acknowledge(header: Header, answer: Answer, *, control_id: str, at: datetime, zone: tzinfo) -> bytes:
    """The acknowledgement of a message, in its own version and character set where that has the letters."""
    version = header.version or "2.5.1"
    sentence = answer.sentence[:_LONGEST_TEXT]
    lines = [
        _header(header, control_id=control_id, version=version, at=at, zone=zone),
        segment("MSA", code_of(header, answer.verdict), header.control_id, sentence),
    ]
    if answer.verdict is not Verdict.ACCEPTED or (sentence and version >= "2.5"):
        lines.append(_error(answer, sentence, version))
    try:
        return encode(lines, header.charset)
    except HL7Error:  # That it is not known may be why the message is refused.
        return encode(lines, charsets.ASCII)


def _header(header: Header, *, control_id: str, version: str, at: datetime, zone: tzinfo) -> str:
    kind: Value = ("ACK", header.event, "ACK") if version >= "2.4" else ("ACK", header.event)
    fields: list[Value] = [
        header.receiving_application,
        header.receiving_facility,
        header.sending_application,
        header.sending_facility,
        sent_moment(at, zone),
        "",
        kind,
        control_id,
        header.processing_id or "P",
        version,
        *[""] * 5,
        header.charset,
    ]
    return "MSH|^~\\&|" + segment("", *fields)[1:]


def _error(answer: Answer, sentence: str, version: str) -> str:
    place = answer.place
    where = (place.segment, str(place.sequence), *(str(n) for n in (place.field,) if n)) if place else ()
    code = (str(int(answer.code)), TEXTS[answer.code], "HL70357")
    if version < "2.5":
        return segment("ERR", [*where, *[""] * (3 - len(where)), [*code]])
    if place and place.component:
        where = (*where, "1", str(place.component))
    severity = "W" if answer.verdict is Verdict.ACCEPTED else "E"
    return segment("ERR", "", where, code, severity, "", "", "", sentence)


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """What another system said of a message of ours."""

    code: str
    control_id: str
    sentence: str

    @property
    def is_accepted(self) -> bool:
        """AA or CA."""
        return self.code in ("AA", "CA")

    @property
    def is_known(self) -> bool:
        """Whether it is a code of table 0008."""
        return self.code in ("AA", "AE", "AR", "CA", "CE", "CR")


def read(message: Message) -> Acknowledged:
    """An acknowledgement that was received: MSA, and what ERR says for people. Raises HL7Error."""
    said = message.one("MSA")
    texts = [said.text(3)]
    for error in message.all("ERR"):
        texts += [error.text(8), error.text(7), error.text(3, 2) or error.text(1)]
    sentence = next((text for text in texts if text), "")
    return Acknowledged(said.text(1).upper(), said.text(2), sentence[:_LONGEST_TEXT])


def header_for_refusal(message: Message) -> Header:
    """The header of a message, for its acknowledgement."""
    return segments.header(message.header)
