"""What is served of copies: the patient and the study that they belong to now, and UIDs of their own. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from radiology.kit.ids import uuid7
from radiology.standards.dicom.identity import PatientIdentity
from radiology.standards.dicom.uids import new_uid
from radiology.studies.actions.correct import empty_personal, patient_attributes
from radiology.studies.corrections import element_of

#: What all objects of a study have in common (PS3.3 C.7.2.1), and how each is encoded where it has no value.
STUDY_ATTRIBUTES: Mapping[str, str] = {
    "00080020": "DA",  # StudyDate
    "00080030": "TM",  # StudyTime
    "00080050": "SH",  # AccessionNumber
    "00080090": "PN",  # ReferringPhysicianName
    "00081030": "LO",  # StudyDescription
    "00200010": "SH",  # StudyID
}
ACCESSION_NUMBER, DESCRIPTION, STUDY_INSTANCE_UID = "00080050", "00081030", "0020000D"


@dataclass(frozen=True, slots=True)
class Chosen:
    """One instance that is to be copied, and its series."""

    sop_instance_uid: str
    series_id: UUID


@dataclass(frozen=True, slots=True)
class Copies:
    """The new identifiers of copies, each beside the old ones."""

    instances: Sequence[str]
    new_instances: Sequence[str]
    series: Sequence[UUID]
    new_series: Sequence[UUID]
    new_series_uids: Sequence[str]

    @classmethod
    def of(cls, chosen: Sequence[Chosen]) -> "Copies":
        """New identifiers for all of them."""
        series = list(dict.fromkeys(one.series_id for one in chosen))
        return cls(
            [one.sop_instance_uid for one in chosen],
            [new_uid() for _ in chosen],
            series,
            [uuid7() for _ in series],
            [new_uid() for _ in series],
        )


def of_study_with_images(identity: PatientIdentity, served: Mapping[str, Any]) -> dict[str, Any]:
    """What copies say that come to a study with images: patient and study as its other objects are served."""
    return patient_attributes(identity) | {tag: served.get(tag, {"vr": vr}) for tag, vr in STUDY_ATTRIBUTES.items()}


def of_new_study(identity: PatientIdentity, accession_number: str | None, description: str | None) -> dict[str, Any]:
    """What copies say that come to a study of another patient or order without images: the rest is as it was made."""
    said = patient_attributes(identity)
    said[ACCESSION_NUMBER] = element_of(ACCESSION_NUMBER, accession_number or "")
    return said | ({DESCRIPTION: element_of(DESCRIPTION, description)} if description else {})


def emptied(stated: Sequence[str]) -> dict[str, Any]:
    """What the objects state of the wrong patient, served empty."""
    return empty_personal(dict.fromkeys(stated))
