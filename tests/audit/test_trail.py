"""Who read what: one record for a request of DIMSE or DICOMweb, written beside it."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian
from pynetdicom import build_role, evt
from pynetdicom.sop_class import (
    StudyRootQueryRetrieveInformationModelGet,
    StudyRootQueryRetrieveInformationModelMove,
)

import make
from node import Node, running_node
from query import found, identifier
from radiology.app import App
from radiology.audit.trail import Access, Trail, open_trail
from radiology.kit.db import Writer
from radiology.settings import Settings
from requestor import requestor
from storage_peers import storescp

GET, MOVE = StudyRootQueryRetrieveInformationModelGet, StudyRootQueryRetrieveInformationModelMove


@pytest.fixture
def node(settings: Settings) -> Iterator[Node]:
    with running_node(settings) as running:
        yield running


def records(dsn: str, trail: Trail, action: str) -> list[tuple[str, str, dict[str, Any]]]:
    """Actor, subject and detail of what the trail has written, once all that waits is written."""
    trail.stop()
    writer = Writer(dsn)
    with writer.transaction() as tx:
        rows = tx.values(
            """
            SELECT json_build_array(actor, subject, detail)
            FROM audit_events
            WHERE action = %(action)s
            ORDER BY actor, detail::text
            """,
            action=action,
        )
    writer.close()
    return [tuple(row) for row in rows]


@pytest.mark.peer("Query/Retrieve GET (SCP)", "pynetdicom")
def test_a_study_that_is_got_or_moved_is_one_record(node: Node, tmp_path: Path) -> None:
    study = node.wait(make.a_study(node.app, instances=3)).study_instance_uid
    asked = identifier("STUDY", StudyInstanceUID=study)
    contexts = [(GET, ExplicitVRLittleEndian), (MOVE, ExplicitVRLittleEndian), (CTImageStorage, ExplicitVRLittleEndian)]
    roles = [build_role(CTImageStorage, scp_role=True)]
    handlers = [(evt.EVT_C_STORE, lambda _event: 0)]
    with (
        storescp(node, tmp_path / "received"),
        requestor(node, contexts, ext_neg=roles, evt_handlers=handlers) as association,
    ):
        assert list(association.send_c_get(asked, GET))[-1][0].Status == 0
        assert list(association.send_c_move(asked, "STORESCP", MOVE))[-1][0].Status == 0
    of = {"count": 3, "requests": 1}
    assert records(node.app.settings.database_dsn, node.archive.trail, "study.retrieve") == [
        ("ae:MODALITY1", study, {"by": "C-GET", **of}),
        ("ae:MODALITY1", study, {"by": "C-MOVE", "destination": "STORESCP", **of}),
    ]


@pytest.mark.peer("Query/Retrieve FIND (SCP)", "pynetdicom")
def test_a_query_is_one_record_with_the_identifiers_that_were_asked_for(node: Node) -> None:
    node.wait(make.a_study(node.app, PatientID="P-7"))
    assert len(found(node, identifier("STUDY", PatientID="P-7", PatientName="RAHMAN*"))) == 1
    assert records(node.app.settings.database_dsn, node.archive.trail, "study.find") == [
        ("ae:MODALITY1", "STUDY", {"by": "C-FIND", "PatientID": "P-7", "count": 1, "requests": 1})
    ]


@pytest.mark.anyio
async def test_frames_of_one_study_that_are_read_together_are_one_record(
    client_as: Any, service: Any, app: App
) -> None:
    stored = await make.a_study(app, instances=2)
    reader = await client_as("radiologist")
    path = f"/dicomweb/studies/{stored.study_instance_uid}"
    for image in stored.objects:
        instance = f"{path}/series/{image.SeriesInstanceUID}/instances/{image.SOPInstanceUID}"
        assert (await reader.get(f"{instance}/frames/1")).status_code == 200
    assert (await reader.get(path)).status_code == 200
    assert (await reader.get(f"{path}/metadata")).status_code == 200
    named = {
        "studyUID": image.StudyInstanceUID,
        "seriesUID": image.SeriesInstanceUID,
        "objectUID": image.SOPInstanceUID,
    }
    accepted = {"accept": "application/dicom"}
    parameters = {"requestType": "WADO", "contentType": "application/dicom", **named}
    assert (await reader.get("/wado", params=parameters, headers=accepted)).status_code == 200
    assert (await reader.get("/dicomweb/studies/1.2.3")).status_code == 404
    found = records(app.settings.database_dsn, service.state.archive.trail, "study.retrieve")
    assert {subject for _, subject, _ in found} == {stored.study_instance_uid}
    assert {actor for actor, _, _ in found} != {"system"}
    requests, counts = Counter[str](), Counter[str]()
    for _, _, detail in found:
        requests[detail["by"]] += detail["requests"]
        counts[detail["by"]] += detail["count"]
    assert requests == {"WADO-RS": 3, "metadata": 1, "WADO-URI": 1}
    assert counts == {"WADO-RS": 4, "metadata": 2, "WADO-URI": 1}


def test_accesses_that_are_alike_become_one_record_that_counts_them(settings: Settings) -> None:
    trail = open_trail(settings)
    for _ in range(3):
        trail.keep(Access("user:1", "study.retrieve", "1.2", 2, {"by": "WADO-RS"}))
    trail.keep(Access("user:2", "study.retrieve", "1.2", 2, {"by": "WADO-RS"}))
    trail.start()
    assert records(settings.database_dsn, trail, "study.retrieve") == [
        ("user:1", "1.2", {"by": "WADO-RS", "count": 6, "requests": 3}),
        ("user:2", "1.2", {"by": "WADO-RS", "count": 2, "requests": 1}),
    ]
