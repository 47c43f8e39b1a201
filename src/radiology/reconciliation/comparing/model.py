"""What came and what it may belong to, and how much the two agree. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from radiology.standards.dicom.header import Header
from radiology.standards.dicom.identity import MATCH, REVIEW, WEIGHTS, PatientIdentity, identity_parts, identity_score

MOST_SHOWN = 10

_PARTS = (("id", "patient_id"), ("name", "name"), ("birthDate", "birth_date"), ("sex", "sex"))


@dataclass(frozen=True, slots=True)
class Came:
    """What an object says about its patient, its order and how it was made."""

    identity: PatientIdentity
    accession_number: str
    study_description: str
    modality: str
    study_instance_uid: str
    started: str
    station: Mapping[str, str]

    @classmethod
    def of(cls, header: Header, *, facility_code: str) -> "Came":
        """Of the attributes of an object."""
        text = header.text
        station = {
            "aeTitle": text("00080055") or text("00081010"),
            "stationName": text("00081010"),
            "institution": text("00080080"),
            "manufacturer": text("00080070"),
            "model": text("00081090"),
            "operator": text("00081070"),
        }
        return cls(
            PatientIdentity(
                patient_id=text("00100020"),
                issuer=text("00100021") or facility_code,
                name=text("00100010"),
                birth_date=text("00100030"),
                sex=text("00100040"),
            ),
            text("00080050"),
            text("00081030"),
            text("00080060"),
            text("0020000D"),
            text("00080020") + text("00080030"),
            {name: value for name, value in station.items() if value},
        )

    def body(self) -> dict[str, Any]:
        """As it is shown on the left."""
        return {
            "patient": shown(self.identity),
            "accessionNumber": self.accession_number,
            "studyDescription": self.study_description,
            "modality": self.modality,
            "studyInstanceUID": self.study_instance_uid,
            "started": self.started,
            "station": self.station,
        }


@dataclass(frozen=True, slots=True)
class Candidate:
    """A worklist item or a study that it may belong to."""

    kind: str
    id: UUID
    service_request: str | None
    accession_number: str
    study_instance_uid: str
    description: str
    modality: str
    status: str
    start: datetime | None
    patient_id: str
    issuer_of_patient_id: str
    patient_name: str
    birth_date: str
    sex: str

    @property
    def identity(self) -> PatientIdentity:
        """Whose it is."""
        return PatientIdentity(
            self.patient_id, self.issuer_of_patient_id, self.patient_name, self.birth_date.replace("-", ""), self.sex
        )

    def body(self, came: Came) -> dict[str, Any]:
        """As it is shown on the right, with what differs."""
        return {
            "kind": self.kind,
            "id": self.id,
            "serviceRequest": self.service_request,
            "patient": shown(self.identity),
            "accessionNumber": self.accession_number,
            "studyDescription": self.description,
            "modality": self.modality,
            "studyInstanceUID": self.study_instance_uid,
            "status": self.status,
            "started": self.start,
            **agreement(came.identity, self.identity),
            "differences": differences(came, self),
        }


def ranked(candidates: Iterable[Candidate], came: Came) -> list[Candidate]:
    """The likeliest first: by identity, then by accession number and modality."""

    def likely(one: Candidate) -> tuple[float, bool, bool, str]:
        return (
            -identity_score(came.identity, one.identity),
            one.accession_number != came.accession_number,
            one.modality != came.modality,
            str(one.id),
        )

    return sorted(candidates, key=likely)[:MOST_SHOWN]


def agreement(a: PatientIdentity, b: PatientIdentity) -> dict[str, Any]:
    """The identity score, what it means, and the score and weight of each part."""
    parts, score = identity_parts(a, b), identity_score(a, b)
    return {
        "score": round(score, 4),
        "verdict": "match" if score >= MATCH else "review" if score >= REVIEW else "conflict",
        "parts": {name: {"score": round(getattr(parts, part), 4), "weight": WEIGHTS[part]} for name, part in _PARTS},
    }


def differences(came: Came, candidate: Candidate) -> list[str]:
    """Which fields say something else on the two sides."""
    other = candidate.identity
    pairs = {
        "patient.id": (came.identity.patient_id, other.patient_id),
        "patient.issuer": (came.identity.issuer, other.issuer),
        "patient.name": (came.identity.name, other.name),
        "patient.birthDate": (came.identity.birth_date, other.birth_date),
        "patient.sex": (came.identity.sex, other.sex),
        "accessionNumber": (came.accession_number, candidate.accession_number),
        "studyDescription": (came.study_description, candidate.description),
        "modality": (came.modality, candidate.modality),
        "studyInstanceUID": (came.study_instance_uid, candidate.study_instance_uid),
    }
    return [name for name, (one, another) in pairs.items() if one != another]


def shown(identity: PatientIdentity) -> dict[str, str]:
    """A patient as both sides show it."""
    return {
        "id": identity.patient_id,
        "issuer": identity.issuer,
        "name": identity.name,
        "birthDate": identity.birth_date,
        "sex": identity.sex,
    }
