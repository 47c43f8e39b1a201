"""Worklist items placed in a test's node, and the MPPS data sets of a modality."""

from datetime import timedelta
from typing import Any

from pydicom.dataset import Dataset
from pydicom.uid import generate_uid

from node import Node
from radiology.access.model import SYSTEM
from radiology.modality_worklist import queries
from radiology.modality_worklist.actions.place import place_item
from radiology.modality_worklist.model import ScheduledProcedureStep
from radiology.modality_worklist.schemas import WorklistItemIn

MWL = "1.2.840.10008.5.1.4.31"
MPPS = "1.2.840.10008.3.1.2.3.3"
MPPS_RETRIEVE = "1.2.840.10008.3.1.2.3.4"

PATIENT = {"id": "DMC-1001", "name": "Karim^Abdul", "nameBangla": "করিম^আব্দুল", "birthDate": "1980-01-15",
           "sex": "M", "weightKg": 62.5, "pregnancyStatus": "unknown", "allergies": "Iodine"}  # fmt: skip


def item_in(node: Node, *, hours: float = 0, patient: dict[str, Any] | None = None, **changes: Any) -> WorklistItemIn:
    """An item that starts so many hours from now."""
    start = node.app.clock.now() + timedelta(hours=hours)
    body = {
        "patient": {**PATIENT, **(patient or {})},
        "modality": "CT",
        "start": start.isoformat(),
        "requestedProcedure": "CT head",
        "requestedProcedureCode": [{"code": "RPID22", "scheme": "RADLEX", "display": "CT HEAD WO"}],
        "referringPhysician": "Hossain^Kamal",
        "reason": "Headache",
    }
    return WorklistItemIn.model_validate({**body, **changes})


def place(node: Node, **changes: Any) -> ScheduledProcedureStep:
    """Place an item, and read it back."""

    async def work() -> ScheduledProcedureStep:
        step_id, _, _ = await place_item(node.app, SYSTEM, item_in(node, **changes))
        async with node.app.db.transaction() as tx:
            return await queries.load(tx, step_id, visible_to=SYSTEM)

    return node.wait(work())


def query(**step: Any) -> Dataset:
    """A worklist query as modalities send it; the keywords are keys of the scheduled procedure step."""
    asked = Dataset()
    asked.SpecificCharacterSet = "ISO_IR 192"
    for keyword in ("PatientName", "PatientID", "AccessionNumber", "StudyInstanceUID", "RequestedProcedureID",
                    "RequestedProcedureDescription", "PatientBirthDate", "PatientSex", "PatientWeight",
                    "PregnancyStatus", "Allergies", "MedicalAlerts", "SpecialNeeds", "ReferringPhysicianName",
                    "RequestedProcedurePriority", "AdmissionID"):  # fmt: skip
        setattr(asked, keyword, None)
    asked.RequestedProcedureCodeSequence = []
    inner = Dataset()
    for keyword in ("Modality", "ScheduledStationAETitle", "ScheduledProcedureStepStartDate",
                    "ScheduledProcedureStepStartTime", "ScheduledPerformingPhysicianName",
                    "ScheduledProcedureStepID", "ScheduledProcedureStepDescription",
                    "ScheduledProcedureStepStatus"):  # fmt: skip
        setattr(inner, keyword, step.get(keyword))
    asked.ScheduledProcedureStepSequence = [inner]
    return asked


def begun(item: ScheduledProcedureStep | None = None, **changes: Any) -> Dataset:
    """The data set of an N-CREATE, for an item or unscheduled; None leaves an attribute out."""
    step = Dataset()
    step.StudyInstanceUID = item.study_instance_uid if item else generate_uid()
    step.AccessionNumber = item.accession_number if item else ""
    step.ScheduledProcedureStepID = item.scheduled_procedure_step_id if item else ""
    step.RequestedProcedureID = item.requested_procedure_id if item else ""
    ds = Dataset()
    ds.ScheduledStepAttributesSequence = [step]
    ds.PatientName, ds.PatientID = "Karim^Abdul", "DMC-1001"
    ds.PerformedProcedureStepID = "PPS1"
    ds.PerformedStationAETitle = "MODALITY1"
    ds.PerformedProcedureStepStartDate, ds.PerformedProcedureStepStartTime = "20260121", "140000"
    ds.PerformedProcedureStepStatus = "IN PROGRESS"
    ds.Modality = "CT"
    ds.PerformedSeriesSequence = []
    for keyword, value in changes.items():
        if value is None:
            delattr(ds, keyword)
        else:
            setattr(ds, keyword, value)
    return ds


def ended(status: str, *, reason: str = "", images: list[Dataset] | None = None) -> Dataset:
    """The data set of the last N-SET, naming what was made."""
    ds = Dataset()
    ds.PerformedProcedureStepStatus = status
    ds.PerformedProcedureStepEndDate, ds.PerformedProcedureStepEndTime = "20260121", "141500"
    ds.PerformedSeriesSequence = [_series(image) for image in images or []]
    if reason:
        code = Dataset()
        code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = reason, "DCM", "Reason"
        ds.PerformedProcedureStepDiscontinuationReasonCodeSequence = [code]
    return ds


def _series(image: Dataset) -> Dataset:
    reference = Dataset()
    reference.ReferencedSOPClassUID, reference.ReferencedSOPInstanceUID = image.SOPClassUID, image.SOPInstanceUID
    series = Dataset()
    series.SeriesInstanceUID, series.ProtocolName = image.SeriesInstanceUID, "Head"
    series.ReferencedImageSequence = [reference]
    return series
