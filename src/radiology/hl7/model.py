"""Senders, and the states of a message that came in. Pure."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from radiology.access.model import Actor, Permission, Role
from radiology.dicom_network.tls import Certificate
from radiology.errors import FieldProblem, TransitionRefused
from radiology.hl7.mappings import NOTHING_MAPPED, Mappings
from radiology.standards.hl7v2 import charsets
from radiology.standards.hl7v2.errors import HL7Error

KINDS = ("patients", "orders", "appointments")
"""What a sender may send: ADT, ORM and its like, SIU."""


@dataclass(frozen=True, slots=True)
class Peer:
    """Who is at the other end of a connection. Without a certificate it is not encrypted."""

    host: str
    certificate: Certificate | None = None


@dataclass(frozen=True, slots=True)
class Sender:
    """A system that may send us messages, known by MSH-3 and MSH-4, and from where it may."""

    name: str
    sending_application: str
    sending_facility: str = ""
    facility_code: str | None = None
    hosts: list[str] = field(default_factory=list[str])
    tls: str = "allowed"
    certificate_fingerprint: str = ""
    certificate_subject: str = ""
    messages: list[str] = field(default_factory=lambda: list(KINDS))
    charset: str = ""
    time_zone: str = ""
    mappings: Mappings = NOTHING_MAPPED
    enabled: bool = True
    description: str = ""

    def actor(self, facility_code: str) -> Actor:
        """The sender where it acts for a facility. It changes sensitive orders, too, and is shown nothing of any."""
        may = frozenset({Permission.READ, Permission.WRITE, Permission.RECONCILE, Permission.SENSITIVE})
        codes = frozenset({facility_code})
        return Actor(f"hl7:{self.name}", self.name, may, role=Role.SERVICE, facility_codes=codes)

    def zone(self, ours: ZoneInfo) -> ZoneInfo:
        """Where its clocks are, unless a moment says so itself."""
        return ZoneInfo(self.time_zone) if self.time_zone else ours

    def binds(self, certificate: Certificate) -> bool:
        """Whether a trusted certificate is the sender's: by its SHA-256, or by a name in it, where one is bound."""
        if self.certificate_fingerprint:
            return hashlib.sha256(certificate.der).hexdigest() == self.certificate_fingerprint
        wanted = self.certificate_subject.casefold()
        return not wanted or wanted in {name.casefold() for name in certificate.names}


def problems(sender: Sender) -> list[FieldProblem]:
    """What of a sender's record cannot be right."""
    found: list[FieldProblem] = []
    if sender.charset:
        try:
            charsets.codec(sender.charset)
        except HL7Error as error:
            found.append(FieldProblem("charset", error.sentence))
    if sender.time_zone:
        try:
            ZoneInfo(sender.time_zone)
        except (KeyError, ValueError, OSError):
            found.append(FieldProblem("timeZone", "is no time zone of this system; one is Asia/Dhaka"))
    if sender.certificate_fingerprint and len(sender.certificate_fingerprint) != hashlib.sha256().digest_size * 2:
        found.append(FieldProblem("certificateFingerprint", "must be a SHA-256: 64 hexadecimal digits"))
    return found


class State(StrEnum):
    """What became of a message. Those that failed or are quarantined wait for a person."""

    PROCESSED = "processed"
    FAILED = "failed"
    QUARANTINED = "quarantined"
    DISMISSED = "dismissed"


class Verb(StrEnum):
    """What a person does with a message."""

    REPLAY = "replay"
    DISMISS = "dismiss"


TRANSITIONS: Mapping[tuple[State, Verb], State] = {
    (State.FAILED, Verb.REPLAY): State.PROCESSED,
    (State.QUARANTINED, Verb.REPLAY): State.PROCESSED,
    (State.DISMISSED, Verb.REPLAY): State.PROCESSED,
    (State.FAILED, Verb.DISMISS): State.DISMISSED,
    (State.QUARANTINED, Verb.DISMISS): State.DISMISSED,
}


def step(state: str, verb: Verb) -> State:
    """Where a verb leads. Raises TransitionRefused."""
    after = TRANSITIONS.get((State(state), verb))
    if after is None:
        raise TransitionRefused(f"A message that is {state} cannot be {verb}ed; only one that waits for a person can.")
    return after


@dataclass(frozen=True, slots=True)
class Effects:
    """What a message changed: references, the studies it is about, and what was not understood and did not matter."""

    references: list[str] = field(default_factory=list[str])
    study_instance_uids: list[str] = field(default_factory=list[str])
    remarks: list[str] = field(default_factory=list[str])

    def __add__(self, other: "Effects") -> "Effects":
        return Effects(
            list(dict.fromkeys([*self.references, *other.references])),
            list(dict.fromkeys([*self.study_instance_uids, *other.study_instance_uids])),
            [*self.remarks, *other.remarks],
        )

    def as_json(self) -> dict[str, Any]:
        """As it is kept."""
        return {"references": self.references, "remarks": self.remarks}


@dataclass(frozen=True, slots=True)
class Arrival:
    """A message as it came: its bytes, what its header says, from whom."""

    id: UUID
    content: bytes
    host: str
    received_at: datetime
    sending_application: str
    sending_facility: str
    control_id: str
    type: str
    digest: bytes


@dataclass(frozen=True, slots=True)
class Known:
    """A message with the same control id that came before."""

    id: UUID
    state: str
    code: str
    digest: bytes
    acknowledgement: bytes


def digest(content: bytes, sent_at: str) -> bytes:
    """SHA-256 of a message without MSH-7: when it was sent may differ where it is sent again."""
    return hashlib.sha256(content.strip(b"\r\n").replace(sent_at.encode(), b"", 1) if sent_at else content).digest()
