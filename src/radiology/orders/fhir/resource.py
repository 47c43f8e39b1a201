"""A ServiceRequest as it is taken: what stands here is understood, everything else is refused and named."""

from datetime import date
from typing import Annotated, Any, Final, Literal

from pydantic import ConfigDict, Field, StringConstraints, model_validator

from radiology.orders.model import Intent, Priority, Status
from radiology.studies.fhir import IDENTIFIER_TYPES
from radiology.studies.schemas import DCM, Body, CodeableConcept, Reference

PROCEDURE_URL: Final = "urn:radiology:fhir:requested-procedure"
REASON_URL: Final = "http://hl7.org/fhir/StructureDefinition/request-statusReason"
PLACER: Final = "PLAC"
PLACER_SYSTEM: Final = "urn:radiology:placer:"
IMAGING: Final = {"system": "http://snomed.info/sct", "code": "363679005", "display": "Imaging"}
MODALITIES: Final = DCM

Text = Annotated[str, StringConstraints(min_length=1, max_length=4000)]
Moment = Annotated[str, StringConstraints(min_length=4, max_length=40)]


class Period(Body):
    """FHIR R4 Period."""

    start: Moment | None = None
    end: Moment | None = None


class Identifier(Body):
    """FHIR R4 Identifier."""

    use: Literal["usual", "official", "temp", "secondary", "old"] | None = None
    type: CodeableConcept | None = None
    system: Text | None = None
    value: Text
    period: Period | None = None
    assigner: Reference | None = None

    def is_of(self, code: str) -> bool:
        """Whether its type is this code of HL7 table 0203."""
        codings = self.type.coding if self.type else []
        return any(each.code == code and each.system in (None, IDENTIFIER_TYPES) for each in codings)


class Annotation(Body):
    """FHIR R4 Annotation."""

    authorReference: Reference | None = None  # noqa: N815
    authorString: Text | None = None  # noqa: N815
    time: Moment | None = None
    text: Text


class Extension(Body):
    """FHIR R4 Extension, with the types of value that ours have."""

    url: Text
    extension: list["Extension"] = Field(default_factory=list["Extension"], max_length=20)
    valueString: Text | None = None  # noqa: N815
    valueCode: Text | None = None  # noqa: N815
    valueOid: Text | None = None  # noqa: N815
    valueCodeableConcept: CodeableConcept | None = None  # noqa: N815

    def part(self, url: str) -> "Extension | None":
        """The part of that name."""
        return next((each for each in self.extension if each.url == url), None)


class HumanName(Body):
    """FHIR R4 HumanName; the extension says in which script."""

    use: str | None = None
    text: Text | None = None
    family: Text | None = None
    given: list[Text] = Field(default_factory=list[str], max_length=10)
    prefix: list[Text] = Field(default_factory=list[str], max_length=5)
    suffix: list[Text] = Field(default_factory=list[str], max_length=5)


class ContainedPatient(Body):
    """A patient who is registered with the order."""

    resourceType: Literal["Patient"]  # noqa: N815
    id: Text
    identifier: list[Identifier] = Field(default_factory=list[Identifier], max_length=20)
    active: bool | None = None
    name: list[HumanName] = Field(default_factory=list[HumanName], max_length=10)
    gender: Literal["male", "female", "other", "unknown"] | None = None
    birthDate: date | None = None  # noqa: N815


class Quantity(Body):
    """FHIR R4 Quantity."""

    value: float
    unit: Text | None = None
    system: Text | None = None
    code: Text | None = None


class ContainedObservation(Body):
    """A measurement that matters for safety."""

    resourceType: Literal["Observation"]  # noqa: N815
    id: Text
    status: Literal["registered", "preliminary", "final", "amended", "corrected"]
    code: CodeableConcept
    subject: Reference | None = None
    effectiveDateTime: Moment | None = None  # noqa: N815
    valueQuantity: Quantity | None = None  # noqa: N815
    valueCodeableConcept: CodeableConcept | None = None  # noqa: N815
    valueDateTime: Moment | None = None  # noqa: N815


class ContainedAllergy(Body):
    """An allergy."""

    resourceType: Literal["AllergyIntolerance"]  # noqa: N815
    id: Text
    code: CodeableConcept
    category: list[Literal["food", "medication", "environment", "biologic"]] = Field(default_factory=list[Any])
    patient: Reference
    reaction: list[dict[str, Any]] = Field(default_factory=list[dict[str, Any]], max_length=10)


Contained = Annotated[ContainedPatient | ContainedObservation | ContainedAllergy, Field(discriminator="resourceType")]
Concepts = Annotated[list[CodeableConcept], Field(max_length=50)]


class ServiceRequestIn(Body):
    """FHIR R4 ServiceRequest (hl7.org/fhir/R4/servicerequest.html), as far as an order of imaging has it.

    Narrative and meta are the sender's own and are not kept.
    """

    model_config = ConfigDict(extra="forbid")

    resourceType: Literal["ServiceRequest"]  # noqa: N815
    id: Text | None = None
    meta: dict[str, Any] | None = None
    language: Text | None = None
    text: dict[str, Any] | None = None
    contained: list[Contained] = Field(default_factory=list[Any], max_length=100)
    extension: list[Extension] = Field(default_factory=list[Extension], max_length=50)
    identifier: list[Identifier] = Field(default_factory=list[Identifier], max_length=20)
    requisition: Identifier | None = None
    status: Status
    intent: Intent
    category: Concepts = Field(default_factory=list[CodeableConcept])
    priority: Priority = Priority.ROUTINE
    doNotPerform: Literal[False] | None = None  # noqa: N815
    code: CodeableConcept
    orderDetail: Concepts = Field(default_factory=list[CodeableConcept])  # noqa: N815
    subject: Reference
    encounter: Reference | None = None
    occurrenceDateTime: Moment | None = None  # noqa: N815
    occurrencePeriod: Period | None = None  # noqa: N815
    authoredOn: Moment | None = None  # noqa: N815
    requester: Reference | None = None
    performer: list[Reference] = Field(default_factory=list[Reference], max_length=20)
    reasonCode: Concepts = Field(default_factory=list[CodeableConcept])  # noqa: N815
    supportingInfo: list[Reference] = Field(default_factory=list[Reference], max_length=100)  # noqa: N815
    bodySite: Concepts = Field(default_factory=list[CodeableConcept])  # noqa: N815
    note: list[Annotation] = Field(default_factory=list[Annotation], max_length=20)

    @model_validator(mode="after")
    def _agrees(self) -> "ServiceRequestIn":
        if self.occurrenceDateTime and self.occurrencePeriod:
            raise ValueError("occurrence[x] is given twice")
        unknown = [each.url for each in self.extension if each.url not in (PROCEDURE_URL, REASON_URL)]
        if unknown:
            raise ValueError(f"extension {unknown[0]} is not known here")
        return self

    @property
    def reason(self) -> str | None:
        """Why the status is what it is (extension request-statusReason)."""
        found = next((each.valueCodeableConcept for each in self.extension if each.url == REASON_URL), None)
        return found and (found.text or found.coding[0].display or found.coding[0].code)
