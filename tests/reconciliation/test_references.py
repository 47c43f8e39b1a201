"""Objects that are moved together with what they refer to refer to its new UIDs, in everything that is served."""

from io import BytesIO

import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.uid import CTImageStorage, generate_uid

import make
from reconciliation.outlets import AS_STORED, DICOM_JSON, received

pytestmark = pytest.mark.anyio

GSPS, KEY_OBJECT = "1.2.840.10008.5.1.4.1.1.11.1", "1.2.840.10008.5.1.4.1.1.88.59"
EVIDENCE = {GSPS: "ReferencedSeriesSequence", KEY_OBJECT: "CurrentRequestedProcedureEvidenceSequence"}


def referring(image, sop_class):
    reference = Dataset()
    reference.ReferencedSOPClassUID, reference.ReferencedSOPInstanceUID = CTImageStorage, image.SOPInstanceUID
    series = Dataset()
    series.SeriesInstanceUID = image.SeriesInstanceUID
    series.ReferencedSOPSequence = [reference]
    evidence = series
    if sop_class == KEY_OBJECT:
        evidence = Dataset()
        evidence.StudyInstanceUID, evidence.ReferencedSeriesSequence = image.StudyInstanceUID, [series]
    return make.an_object(SOPClassUID=sop_class, StudyInstanceUID=image.StudyInstanceUID, PatientID="A1",
                          FrameOfReferenceUID="1.2.3.4", **{EVIDENCE[sop_class]: [evidence]})  # fmt: skip


@pytest.mark.parametrize("sop_class", [GSPS, KEY_OBJECT])
async def test_moved_together_it_refers_to_the_moved_image(app, node, client_as, sop_class):
    clerk = await client_as("records")
    image = make.an_object(PatientID="A1", StudyInstanceUID=generate_uid(), FrameOfReferenceUID="1.2.3.4")
    stored = await make.store(app, image, referring(image, sop_class))
    target = await make.a_study(app, PatientID="B2")
    study = stored.study_instance_uid
    body = {"reason": "Wrong entry.", "to": {"study": target.study_instance_uid}}
    made = await clerk.post(f"/api/radiology/reconciliation/studies/{study}/move", json=body)
    assert made.status_code == 201, made.text
    place = f"/dicomweb/studies/{target.study_instance_uid}"
    metadata = (await clerk.get(f"{place}/metadata", headers=DICOM_JSON)).json()
    for each in metadata:
        each.pop("7FE00010", None)
    served = {each["00080018"]["Value"][0]: Dataset.from_json(each) for each in metadata
              if each["00080018"]["Value"][0] != target.sop_instance_uid}  # fmt: skip
    moved = next(each for each in served.values() if each.SOPClassUID == CTImageStorage)
    said = next(each for each in served.values() if each.SOPClassUID == sop_class)
    path = f"{place}/series/{said.SeriesInstanceUID}/instances/{said.SOPInstanceUID}"
    sent = pydicom.dcmread(BytesIO((await clerk.get(path, headers=AS_STORED)).content))
    got = [pydicom.dcmread(BytesIO(each), force=True) for each in received(node, target.study_instance_uid)]
    (by_dimse,) = [each for each in got if each.SOPClassUID == sop_class]
    for each in (said, sent, by_dimse):
        evidence = each[EVIDENCE[sop_class]].value[0]
        if sop_class == KEY_OBJECT:
            assert evidence.StudyInstanceUID == target.study_instance_uid
            evidence = evidence.ReferencedSeriesSequence[0]
        assert evidence.SeriesInstanceUID == moved.SeriesInstanceUID
        assert evidence.ReferencedSOPSequence[0].ReferencedSOPInstanceUID == moved.SOPInstanceUID
        assert each.FrameOfReferenceUID == "1.2.3.4"
        assert each.OriginalAttributesSequence[0].ModifiedAttributesSequence[0].StudyInstanceUID == study
