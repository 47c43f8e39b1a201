"""What every outlet serves: QIDO-RS, C-FIND, WADO-RS metadata and bytes, C-GET and REST, as values to be compared."""

from typing import Any

import httpx2
from pydicom.dataset import Dataset
from pydicom.uid import (
    CTImageStorage,
    ExplicitVRLittleEndian,
    GrayscaleSoftcopyPresentationStateStorage,
    KeyObjectSelectionDocumentStorage,
)
from pynetdicom import build_role, evt
from pynetdicom.sop_class import StudyRootQueryRetrieveInformationModelGet as Get

from node import Node
from query import found, identifier
from requestor import requestor

DICOM_JSON = {"accept": "application/dicom+json"}
AS_STORED = {"accept": "application/dicom; transfer-syntax=*"}
#: Counts of changes and their moments go on, also when a change is undone.
COUNTED = ("version", "updatedAt")
#: What C-GET takes.
KINDS = (CTImageStorage, GrayscaleSoftcopyPresentationStateStorage, KeyObjectSelectionDocumentStorage)


async def served(client: httpx2.AsyncClient, node: Node, *studies: str) -> dict[str, Any]:
    """Everything that is served of these studies."""
    answers: dict[str, Any] = {}
    for study in studies:
        answers |= await _over_http(client, study)
        answers |= _over_dimse(node, study)
    return answers


async def _over_http(client: httpx2.AsyncClient, study: str) -> dict[str, Any]:
    answers: dict[str, Any] = {}
    for level in ("studies", "series", "instances"):
        path = f"/dicomweb/{level}?StudyInstanceUID={study}&includefield=all"
        answers[path] = (await client.get(path, headers=DICOM_JSON)).content
    path = f"/dicomweb/studies/{study}/metadata"
    metadata = await client.get(path, headers=DICOM_JSON)
    answers[path] = metadata.content if metadata.status_code == 200 else metadata.status_code
    for instance in metadata.json() if metadata.status_code == 200 else []:
        series, uid = (instance[tag]["Value"][0] for tag in ("0020000E", "00080018"))
        path = f"/dicomweb/studies/{study}/series/{series}/instances/{uid}"
        answers[path] = (await client.get(path, headers=AS_STORED)).content
    rest = await client.get(f"/api/radiology/studies/{study}")
    body = rest.json() if rest.status_code == 200 else {}
    answers[f"rest {study}"] = (rest.status_code, {name: body[name] for name in body if name not in COUNTED})
    return answers


def _over_dimse(node: Node, study: str) -> dict[str, Any]:
    keys = {
        "STUDY": ("PatientName", "PatientID", "AccessionNumber", "StudyDescription", "NumberOfStudyRelatedInstances"),
        "SERIES": ("SeriesInstanceUID", "Modality", "SeriesDescription"),
    }
    asked = {
        level: found(node, identifier(level, StudyInstanceUID=study, **dict.fromkeys(names, "")))
        for level, names in keys.items()
    }
    return {
        **{f"C-FIND {level} {study}": [ds.to_json() for ds in answers] for level, answers in asked.items()},
        f"C-GET {study}": received(node, study),
    }


def received(node: Node, study: str) -> list[bytes]:
    """The data sets that C-GET sends of a study, by SOP Instance UID."""
    got: dict[str, bytes] = {}

    def on_store(event: evt.Event) -> int:
        got[event.request.AffectedSOPInstanceUID] = event.request.DataSet.getvalue()
        return 0x0000

    ds = Dataset()
    ds.QueryRetrieveLevel, ds.StudyInstanceUID = "STUDY", study
    contexts = [(each, ExplicitVRLittleEndian) for each in (Get, *KINDS)]
    roles = [build_role(each, scp_role=True) for each in KINDS]
    with requestor(node, contexts, ext_neg=roles, evt_handlers=[(evt.EVT_C_STORE, on_store)]) as association:
        *_, (status, _) = association.send_c_get(ds, Get)
    assert status.Status == 0x0000, f"{status.Status:04X}"
    return [got[uid] for uid in sorted(got)]
