"""A study that is being put right. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from radiology.errors import Conflict, StaleVersion
from radiology.standards.dicom.identity import PatientIdentity

REVIEWED = frozenset({"identity_review", "wrong_worklist_entry"})
"""Flags that a person takes off by confirming."""


@dataclass(frozen=True, slots=True)
class HeldStudy:
    """A study that is locked: no object of it is indexed, and nobody else changes it, until the transaction ends."""

    id: UUID
    study_id: str
    study_instance_uid: str
    facility_code: str
    version: int
    status: str
    patient_id: UUID
    patient_reference: str
    dicom_patient_id: str
    issuer_of_patient_id: str
    patient_name: str
    patient_birth_date: str
    patient_sex: str
    accession_number: str | None
    service_request: str | None
    match: str | None
    study_group_id: UUID | None
    flags: list[str]
    number_of_instances: int
    open_reports: int
    final_reports: int

    @property
    def identity(self) -> PatientIdentity:
        """Whose it is served as."""
        return PatientIdentity(
            self.dicom_patient_id,
            self.issuer_of_patient_id,
            self.patient_name,
            self.patient_birth_date,
            self.patient_sex,
        )

    def must_be_as_read(self, version: int | None) -> None:
        """Raises StaleVersion, Conflict."""
        if version is not None and version != self.version:
            raise StaleVersion(f"The study has version {self.version} by now. Read it again and decide anew.")
        if self.status == "entered-in-error":
            raise Conflict("The study was entered in error. Restore it first.")

    def must_have_no_report(self) -> None:
        """Raises Conflict: what was signed about images is not carried away with them."""
        if self.final_reports:
            raise Conflict(
                "The study has a final report, and nothing moves what was signed: a radiologist withdraws or amends "
                "it first."
            )
        if self.open_reports:
            raise Conflict("The study has a report that is not signed yet. Finish it, or withdraw it, first.")


def uids_of(studies: Sequence[HeldStudy]) -> list[str]:
    """Their Study Instance UIDs."""
    return [study.study_instance_uid for study in studies]
