"""What the codes of a sender mean here: data that an administrator keeps.

What is not mapped is read as the standard has it.
"""

import re
from collections.abc import Mapping
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from radiology.modality_worklist.schemas import AETitle, LongText, Modality
from radiology.orders.model import Priority
from radiology.patients.identifiers import Kind
from radiology.standards.hl7v2.message import Message

MOST: Final = 5_000
Code = Annotated[str, StringConstraints(max_length=200, strip_whitespace=True)]
FacilityCode = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,16}$")]
FieldPath = Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Z0-9]{2}-[1-9][0-9]?(\.[1-9][0-9]?)?$")]
"""A field, and perhaps a component, of the first segment of its name: OBR-18, OBR-18.1."""
PatientClass = Literal["IMP", "AMB", "EMER"]


class Part(BaseModel):
    """A part of mappings says nothing that we do not know."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class MappedProcedure(Part):
    """What a code of OBR-4 is."""

    modality: Modality
    code: LongText | None = Field(default=None, description="The code it becomes, where it is not the sender's own.")
    system: Annotated[str, StringConstraints(max_length=200)] | None = Field(
        default=None, description="The FHIR system of that code, as `http://loinc.org`."
    )
    display: LongText | None = None
    laterality: Literal["L", "R", "B"] | None = None


class MappedIssuer(Part):
    """What an assigning authority of a patient's number is. `issuer` is of MR only."""

    type: Kind
    issuer: LongText | None = None


class Mappings(Part):
    """All mappings of a sender, each by the sender's code."""

    facilities: dict[Code, FacilityCode] = Field(
        default_factory=dict[str, str], max_length=MOST, description="MSH-4, ORC-17 and PV1-3.4: facilities."
    )
    procedures: dict[Code, MappedProcedure] = Field(
        default_factory=dict[str, MappedProcedure], max_length=MOST, description="OBR-4 or OBR-44: procedures."
    )
    modalities: dict[Code, Modality] = Field(
        default_factory=dict[str, str], max_length=MOST, description="OBR-24 and IPC-5: modalities."
    )
    priorities: dict[Code, Priority] = Field(
        default_factory=dict[str, Priority], max_length=MOST, description="TQ1-9, OBR-5, OBR-27.6, ORC-7.6: priorities."
    )
    patientClasses: dict[Code, PatientClass] = Field(  # noqa: N815
        default_factory=dict[str, PatientClass], max_length=MOST, description="PV1-2: classes of visits."
    )
    issuers: dict[Code, MappedIssuer] = Field(
        default_factory=dict[str, MappedIssuer],
        max_length=MOST,
        description="PID-3.4: who assigned a patient's number. The empty code is for numbers that do not say.",
    )
    stations: dict[Code, AETitle] = Field(
        default_factory=dict[str, str], max_length=MOST, description="IPC-7, IPC-9 and AIG-3: AE titles of stations."
    )
    accessionNumber: FieldPath | None = Field(  # noqa: N815
        default=None, description="Where accession numbers stand, if the sender gives them: OBR-18, ORC-3.1, ..."
    )
    requestedProcedureId: FieldPath | None = Field(default=None, description="OBR-19, ...")  # noqa: N815
    studyInstanceUID: FieldPath | None = Field(default=None, description="Where not in ZDS or IPC-3.")  # noqa: N815
    appointmentOrder: FieldPath | None = Field(  # noqa: N815
        default=None, description="Where an appointment names its order, if not in SCH-26."
    )


NOTHING_MAPPED: Final = Mappings()

#: Tables 0485 (TQ1-9) and 0027 (OBR-27.6), and words that senders use.
PRIORITIES: Final[Mapping[str, Priority]] = {
    "": Priority.ROUTINE,
    "S": Priority.STAT,
    "STAT": Priority.STAT,
    "E": Priority.STAT,
    "A": Priority.ASAP,
    "ASAP": Priority.ASAP,
    "U": Priority.URGENT,
    "URGENT": Priority.URGENT,
    "P": Priority.URGENT,
    "T": Priority.URGENT,
    "TS": Priority.URGENT,
    "R": Priority.ROUTINE,
    "ROUTINE": Priority.ROUTINE,
    "C": Priority.ROUTINE,
    "PRN": Priority.ROUTINE,
}
#: Table 0004.
PATIENT_CLASSES: Final[Mapping[str, PatientClass]] = {
    "E": "EMER",
    "I": "IMP",
    "B": "IMP",
    "O": "AMB",
    "P": "AMB",
    "R": "AMB",
    "C": "AMB",
    "N": "AMB",
    "U": "AMB",
}
#: Diagnostic service sections (table 0074) that are one modality, and modalities themselves (PS3.3 C.7.3.1.1.1).
MODALITIES: Final[Mapping[str, str]] = {
    "NMR": "MR",
    "MRI": "MR",
    "NMS": "NM",
    "CUS": "US",
    "RUS": "US",
    "VUS": "US",
    "USG": "US",
    "RX": "DX",
    "XR": "DX",
    "XRAY": "DX",
    "X-RAY": "DX",
    "XRC": "RF",
    "MAMMOGRAPHY": "MG",
    "MAMMO": "MG",
    **{
        each: each
        for each in ("CR", "CT", "DX", "ES", "IO", "IVUS", "MG", "MR", "NM", "OPT", "PT", "PX", "RF", "US", "XA")
    },
}
#: Systems of coded fields (table 0396) as FHIR systems.
SYSTEMS: Final[Mapping[str, str]] = {
    "LN": "http://loinc.org",
    "SCT": "http://snomed.info/sct",
    "SNOMEDCT": "http://snomed.info/sct",
    "I10": "http://hl7.org/fhir/sid/icd-10",
    "I10C": "http://hl7.org/fhir/sid/icd-10-cm",
    "C4": "http://www.ama-assn.org/go/cpt",
    "RADLEX": "http://radlex.org",
    "RPID": "http://playbook.radlex.org",
    "DCM": "http://dicom.nema.org/resources/ontology/DCM",
}
#: Types of identifiers (table 0203) that are national numbers.
NATIONAL_TYPES: Final[Mapping[str, Kind]] = {
    "NI": Kind.NID,
    "NNBGD": Kind.NID,
    "BR": Kind.BRN,
    "BC": Kind.BRN,
    "BCT": Kind.BRN,
}
HOSPITAL_TYPES: Final = frozenset({"", "MR", "PI", "PT", "MRT", "U", "PN"})

_PATH: Final = re.compile(r"(\w{3})-(\d+)(?:\.(\d+))?")


def system_of(coding_system: str) -> str | None:
    """The FHIR system of a coding system; those of the sender itself have none."""
    return SYSTEMS.get(coding_system.upper())


def at(message: Message, path: str | None) -> str:
    """What stands at a place; "" where there is none."""
    match = _PATH.fullmatch(path or "")
    segment = message.find(match[1]) if match else None
    return segment.text(int(match[2]), int(match[3] or 1)) if match and segment else ""
