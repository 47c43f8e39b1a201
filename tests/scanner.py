"""A scanner that types nothing: all that it writes of patient and procedure comes from the worklist.

By pynetdicom, as the independent other end: worklist query, MPPS N-CREATE, C-STORE, MPPS N-SET (IHE RAD-5 to RAD-8).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from pydicom.dataset import Dataset
from pydicom.uid import UID, ExplicitVRLittleEndian, generate_uid

import make
from node import Node
from requestor import requestor
from worklist import MPPS, MWL, ended

#: Attributes that an image takes over from the worklist as they are (IHE RAD TF-2 appendix A.1).
COPIED = ("PatientName", "PatientID", "IssuerOfPatientID", "PatientBirthDate", "PatientSex", "PatientWeight",
          "StudyInstanceUID", "AccessionNumber", "ReferringPhysicianName")  # fmt: skip
ASKED = (*COPIED, "RequestedProcedureID", "RequestedProcedureDescription", "Allergies", "MedicalAlerts", "SpecialNeeds",
         "PregnancyStatus", "RequestedProcedurePriority", "AdmissionID")  # fmt: skip
ASKED_OF_STEP = ("Modality", "ScheduledStationAETitle", "ScheduledProcedureStepStartDate",
                 "ScheduledProcedureStepStartTime", "ScheduledProcedureStepID", "ScheduledProcedureStepDescription",
                 "ScheduledPerformingPhysicianName")  # fmt: skip


def asked(**step: str) -> Dataset:
    """The query of a scanner: what it needs, and for what it asks."""
    identifier, inner = Dataset(), Dataset()
    for keyword in ASKED:
        setattr(identifier, keyword, None)
    for keyword in ASKED_OF_STEP:
        setattr(inner, keyword, step.get(keyword))
    identifier.RequestedProcedureCodeSequence = []
    inner.ScheduledProtocolCodeSequence = []
    identifier.ScheduledProcedureStepSequence = [inner]
    return identifier


@dataclass(frozen=True)
class Scanner:
    """One scanner over an open association."""

    ae_title: str
    storage: str
    association: Any

    def worklist(self, **step: str) -> list[Dataset]:
        """What it is to do."""
        answered = list(self.association.send_c_find(asked(**step), MWL))
        assert answered[-1][0].Status == 0x0000
        return [answer for _, answer in answered if answer is not None]

    def begin(self, entry: Dataset) -> str:
        """The step of an entry begins; its UID."""
        uid, (step,) = generate_uid(), entry.ScheduledProcedureStepSequence
        ds, scheduled = _of_entry(entry), Dataset()
        for keyword in ("StudyInstanceUID", "AccessionNumber", "RequestedProcedureID", "RequestedProcedureDescription"):
            setattr(scheduled, keyword, entry[keyword].value)
        scheduled.ScheduledProcedureStepID = step.ScheduledProcedureStepID
        scheduled.ScheduledProcedureStepDescription = step.ScheduledProcedureStepDescription
        ds.ScheduledStepAttributesSequence = [scheduled]
        ds.Modality, ds.PerformedStationAETitle = step.Modality, self.ae_title
        ds.PerformedProcedureStepID = step.ScheduledProcedureStepID
        ds.PerformedProcedureStepStartDate = step.ScheduledProcedureStepStartDate
        ds.PerformedProcedureStepStartTime = step.ScheduledProcedureStepStartTime
        ds.PerformedProcedureStepStatus = "IN PROGRESS"
        ds.PerformedSeriesSequence = []
        status, _ = self.association.send_n_create(ds, MPPS, uid)
        assert status.Status == 0x0000
        return uid

    def image_of(self, entry: Dataset) -> Dataset:
        """An image of an entry."""
        (step,) = entry.ScheduledProcedureStepSequence
        request = Dataset()
        request.RequestedProcedureID = entry.RequestedProcedureID
        request.ScheduledProcedureStepID = step.ScheduledProcedureStepID
        request.ScheduledProcedureStepDescription = step.ScheduledProcedureStepDescription
        own = {
            "SpecificCharacterSet": entry.get("SpecificCharacterSet"),
            "SOPClassUID": UID(self.storage),
            "Modality": step.Modality,
            "StudyDate": step.ScheduledProcedureStepStartDate,
            "StudyTime": step.ScheduledProcedureStepStartTime,
            "StudyDescription": entry.RequestedProcedureDescription,
            "StudyID": entry.RequestedProcedureID,
            "SeriesDescription": step.ScheduledProcedureStepDescription,
            "RequestAttributesSequence": [request],
        }
        return make.an_object(**own, **{each: entry[each].value for each in COPIED})

    def perform(self, entry: Dataset) -> Dataset:
        """Do an entry from its beginning to its end, with one image, which is returned."""
        uid, image = self.begin(entry), self.image_of(entry)
        assert self.association.send_c_store(image).Status == 0x0000
        status, _ = self.association.send_n_set(ended("COMPLETED", images=[image]), MPPS, uid)
        assert status.Status == 0x0000
        return image


def _of_entry(entry: Dataset) -> Dataset:
    ds = Dataset()
    for keyword in ("SpecificCharacterSet", "PatientName", "PatientID", "PatientBirthDate", "PatientSex"):
        if keyword in entry:
            setattr(ds, keyword, entry[keyword].value)
    return ds


@contextmanager
def scanner(node: Node, storage: str, *, ae_title: str = "MODALITY1") -> Iterator[Scanner]:
    """A scanner that makes objects of a storage SOP class."""
    contexts = [(uid, ExplicitVRLittleEndian) for uid in (MWL, MPPS, storage)]
    with requestor(node, contexts, ae_title=ae_title) as association:
        yield Scanner(ae_title, storage, association)
