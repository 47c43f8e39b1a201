"""Whose order is a new study? What the worklist has, what an object says, and the rule that decides. Pure.

In this order: the item with this Study Instance UID; the one order with this accession number; the one order that the
Request Attributes Sequence (0040,0275) names; the one order of the same patient, kind of modality and facility whose
start is near and that has no images yet. The last is a guess, which a person confirms before a report is approved.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from radiology.standards.dicom.header import Header
from radiology.standards.dicom.identity import MATCH, PatientIdentity, identity_score

AROUND_START = timedelta(hours=12)
#: Modalities that make one kind of examination; the others stand for themselves.
_GROUPS = (
    frozenset({"CR", "DX", "RG"}),
    frozenset({"IO", "PX"}),
    frozenset({"RF", "XA"}),
    frozenset({"CT", "NM", "PT"}),
)
_ACCESSION, _REQUESTED_PROCEDURE_ID, _SCHEDULED_STEP_ID = "00080050", "00401001", "00400009"
_REQUEST_ATTRIBUTES = "00400275"


class Kind(StrEnum):
    """How sure it is whose order a study is. `NONE`: it has none; `CONFIRMED`: a person has said so."""

    EXACT = "exact"
    PROBABLE = "probable"
    NONE = "none"
    CONFIRMED = "confirmed"


UNSETTLED = frozenset({Kind.NONE, Kind.PROBABLE})
"""Until a person has looked at it, no report of such a study is approved."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What an object says that tells of its order. `earliest` and `latest` bound the start of a probable one."""

    study_instance_uid: str
    facility_code: str
    accession_numbers: tuple[str, ...]
    requested_procedure_ids: tuple[str, ...]
    scheduled_step_ids: tuple[str, ...]
    patient_id: str
    modalities: tuple[str, ...]
    earliest: datetime
    latest: datetime

    @classmethod
    def of(cls, header: Header, facility_code: str, started: datetime) -> "Wanted":
        """What a header says; `started` is when its study began."""
        requests = [item for item in header.values(_REQUEST_ATTRIBUTES) if item]

        def named(tag: str) -> list[str]:
            return [str(value) for item in requests for value in item.get(tag, {}).get("Value", [])]

        return cls(
            study_instance_uid=header.text("0020000D"),
            facility_code=facility_code,
            accession_numbers=_distinct([header.text(_ACCESSION), *named(_ACCESSION)]),
            requested_procedure_ids=_distinct(named(_REQUESTED_PROCEDURE_ID)),
            scheduled_step_ids=_distinct(named(_SCHEDULED_STEP_ID)),
            patient_id=header.text("00100020"),
            modalities=group_of(header.text("00080060")),
            earliest=started - AROUND_START,
            latest=started + AROUND_START,
        )


@dataclass(frozen=True, slots=True)
class Candidate:
    """An item of the worklist that may be what a study was made for, and the study that was registered for it.

    `found_by` says which of its identifiers an object named: study, accession, request or patient.
    """

    found_by: str
    service_request: str | None
    accession_number: str
    study_instance_uid: str
    modality: str
    priority: str
    patient_id: str
    issuer_of_patient_id: str
    patient_name: str
    patient_birth_date: str
    patient_sex: str
    study_id: UUID | None
    has_images: bool

    @property
    def order(self) -> str:
        """What tells its order from others; an item without one is an order of its own."""
        return self.service_request or self.accession_number

    @property
    def identity(self) -> PatientIdentity:
        """Who its patient is."""
        return PatientIdentity(
            patient_id=self.patient_id,
            issuer=self.issuer_of_patient_id,
            name=self.patient_name,
            birth_date=self.patient_birth_date,
            sex=self.patient_sex,
        )


@dataclass(frozen=True, slots=True)
class Match:
    """The order of a study. `item` is what it was made for, None where that may be one of several of the order."""

    kind: Kind
    service_request: str | None
    identity: PatientIdentity
    item: Candidate | None
    is_urgent: bool


def decide(wanted: Wanted, candidates: Sequence[Candidate], patient: PatientIdentity) -> Match | None:
    """The order that an object of `patient` belongs to; None where there is not exactly one."""
    for found_by in ("study", "accession", "request"):
        found = [candidate for candidate in candidates if candidate.found_by == found_by]
        if len({candidate.order for candidate in found}) == 1:
            return _match(Kind.EXACT, wanted, found)
    near = [
        candidate
        for candidate in candidates
        if candidate.found_by == "patient"
        and not candidate.has_images
        and identity_score(candidate.identity, patient) >= MATCH
    ]
    return _match(Kind.PROBABLE, wanted, near) if len({candidate.order for candidate in near}) == 1 else None


def _match(kind: Kind, wanted: Wanted, found: Sequence[Candidate]) -> Match:
    first = found[0]
    is_urgent = any(candidate.priority == "STAT" for candidate in found)
    return Match(kind, first.service_request, first.identity, _item(wanted, found), is_urgent)


def _item(wanted: Wanted, found: Sequence[Candidate]) -> Candidate | None:
    """The item that a study was made for: of several, the only one left of its modality, without images."""
    by_uid = {candidate.study_instance_uid: candidate for candidate in found}
    narrowed = [list(by_uid.values())]
    narrowed.append([each for each in narrowed[-1] if each.modality in wanted.modalities])
    narrowed.append([each for each in narrowed[-1] if not each.has_images])
    return next((each[0] for each in narrowed if len(each) == 1), None)


def group_of(modality: str) -> tuple[str, ...]:
    """The modalities of one kind with this one; none where it is no modality that makes images of an order."""
    group = next((group for group in _GROUPS if modality in group), {modality})
    return tuple(sorted(group - {""}))


def _distinct(values: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(value.strip() for value in values if value.strip()))
