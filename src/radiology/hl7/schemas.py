"""Bodies of senders, receivers and decisions over REST."""

from dataclasses import fields
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_validator
from pydantic.alias_generators import to_camel

from radiology.hl7.mappings import FacilityCode, Mappings
from radiology.hl7.model import KINDS, Sender
from radiology.hl7.outgoing.model import STATUSES, Receiver

EXAMPLE: dict[str, Any] = {
    "sendingApplication": "HIS",
    "sendingFacility": "DMCH",
    "facilityCode": "DMCH",
    "hosts": ["192.168.10.5"],
    "messages": ["patients", "orders"],
    "mappings": {
        "procedures": {"CTHEAD": {"modality": "CT", "code": "30799-1", "system": "http://loinc.org"}},
        "priorities": {"1": "stat", "2": "urgent", "3": "routine"},
        "issuers": {"NIDW": {"type": "NID"}},
        "accessionNumber": "OBR-18",
    },
}
RECEIVER_EXAMPLE: dict[str, Any] = {
    "host": "192.168.10.5",
    "port": 2575,
    "receivingApplication": "HIS",
    "receivingFacility": "DMCH",
    "form": "ORM^O01",
    "statuses": ["SC", "IP", "CM", "CA"],
}

Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.-]{1,64}$")]
Text = Annotated[str, StringConstraints(max_length=180, strip_whitespace=True)]
Host = Annotated[str, StringConstraints(max_length=255, strip_whitespace=True)]
Line = Annotated[str, StringConstraints(min_length=1, max_length=400, strip_whitespace=True)]


class Body(BaseModel):
    """A body says nothing that we do not know."""

    model_config = ConfigDict(extra="forbid", alias_generator=to_camel, populate_by_name=True)


class SenderIn(Body):
    """A system that may send HL7 messages, and what its codes mean."""

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE]})

    sending_application: Annotated[Text, Field(min_length=1)] = Field(description="MSH-3.")
    sending_facility: Text = Field(default="", description="MSH-4; empty for any.")
    facility_code: FacilityCode | None = Field(
        default=None, description="Whose messages they are, unless `mappings.facilities` says; this facility's."
    )
    hosts: list[Host] = Field(
        default_factory=list[str], max_length=100, description="Addresses, networks (CIDR) or names; empty for any."
    )
    tls: Literal["required", "allowed"] = "allowed"
    certificate_fingerprint: Annotated[str, StringConstraints(max_length=128)] = Field(
        default="", description="SHA-256 of its certificate, hexadecimal; colons may stand between."
    )
    certificate_subject: Host = Field(default="", description="A name in its certificate.")
    messages: list[Literal["patients", "orders", "appointments"]] = Field(
        default_factory=lambda: list[Any](KINDS), description="ADT; ORM, OMG and OMI; SIU."
    )
    charset: Text = Field(default="", description="As `UNICODE UTF-8`: used whatever MSH-18 says. Empty: as it says.")
    time_zone: Text = Field(default="", description="Of moments without an offset; the service's, if it is empty.")
    mappings: Mappings = Field(default_factory=Mappings)
    enabled: bool = True
    description: Annotated[str, StringConstraints(max_length=500, strip_whitespace=True)] = ""

    @field_validator("certificate_fingerprint")
    @classmethod
    def _bare_digits(cls, value: str) -> str:
        return value.replace(":", "").replace(" ", "").lower()

    def sender(self, name: str) -> Sender:
        """The sender of this name."""
        given: dict[str, Any] = {each: getattr(self, each) for each in SenderIn.model_fields}
        return Sender(name=name, **given)


class SenderOut(SenderIn):
    """A sender as it is answered."""

    name: str


def sender_shown(sender: Sender) -> SenderOut:
    """A sender as it is answered."""
    return SenderOut.model_validate({each.name: getattr(sender, each.name) for each in fields(sender)})


class TryIn(Body):
    """A message to be tried: nothing of it is kept."""

    message: Annotated[str, StringConstraints(min_length=1, max_length=1_000_000)]


class ReplayIn(Body):
    """Try a message again, as it came or as it is corrected here."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"reason": "The procedure is mapped now."}]})

    reason: Line
    message: Annotated[str, StringConstraints(min_length=1, max_length=1_000_000)] | None = Field(
        default=None, description="What is used instead of what came; that stays as it is."
    )


class DismissIn(Body):
    """Why a message is not used."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"reason": "A test of the other side."}]})

    reason: Line


class ReceiverIn(Body):
    """A system that is told how orders fare. A reply other than AA or CA refuses the message."""

    model_config = ConfigDict(json_schema_extra={"examples": [RECEIVER_EXAMPLE]})

    host: Annotated[Host, Field(min_length=1)]
    port: int = Field(ge=1, le=65535)
    tls: bool = Field(default=False, description="With our certificate of DICOM over TLS.")
    receiving_application: Text = Field(default="", description="MSH-5.")
    receiving_facility: Text = Field(default="", description="MSH-6.")
    facility_code: FacilityCode | None = Field(default=None, description="Whose orders it is told of; null for all.")
    form: Literal["ORM^O01", "OMG^O19"] = "ORM^O01"
    version: Literal["2.3", "2.3.1", "2.4", "2.5", "2.5.1", "2.6", "2.7", "2.8"] = "2.5.1"
    charset: Literal["UNICODE UTF-8", "8859/1", "ASCII"] = "UNICODE UTF-8"
    statuses: list[Literal["SC", "IP", "A", "CM", "CA", "HD", "DC", "ER"]] = Field(
        default_factory=lambda: list[Any](STATUSES), description="Order statuses (table 0038) that it is told."
    )
    enabled: bool = True
    description: Annotated[str, StringConstraints(max_length=500, strip_whitespace=True)] = ""

    def receiver(self, name: str) -> Receiver:
        """The receiver of this name."""
        given: dict[str, Any] = {each: getattr(self, each) for each in ReceiverIn.model_fields}
        return Receiver(name=name, **given)


class ReceiverOut(ReceiverIn):
    """A receiver as it is answered."""

    name: str


def receiver_shown(receiver: Receiver) -> ReceiverOut:
    """A receiver as it is answered."""
    return ReceiverOut.model_validate({each.name: getattr(receiver, each.name) for each in fields(receiver)})


class Tried(Body):
    """What would become of a message: its answer, what it would change, and what was not understood."""

    code: str
    sentence: str
    place: str
    type: str
    control_id: str
    facility_code: str
    patient: dict[str, Any] | None = None
    orders: list[dict[str, Any]] = Field(default_factory=list[dict[str, Any]])
    references: list[str] = Field(default_factory=list[str])
    remarks: list[str] = Field(default_factory=list[str])


class Replayed(Body):
    """A message that was done after all."""

    id: UUID
    references: list[str]
    remarks: list[str]
