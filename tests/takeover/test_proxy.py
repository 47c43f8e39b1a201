"""Studies that are only in the foreign archive are found here and fetched when somebody wants them."""

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing, contextmanager
from pathlib import Path
from time import monotonic
from typing import Any

import httpx2
import pytest
from pydicom.dataset import Dataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid
from pynetdicom import build_role, evt
from pynetdicom.sop_class import StudyRootQueryRetrieveInformationModelFind as Find
from pynetdicom.sop_class import StudyRootQueryRetrieveInformationModelGet as Get
from pynetdicom.sop_class import StudyRootQueryRetrieveInformationModelMove as Move

from cutting_peer import AE_TITLE as PEER
from cutting_peer import CuttingPeer, cutting_peer
from make import an_object, as_file, store
from node import KNOWN, Node, running_node
from orthanc import AE_TITLE, Orthanc, orthanc
from radiology.access import accounts
from radiology.access.model import SYSTEM
from radiology.app import App
from radiology.application_entities.model import ApplicationEntity
from radiology.doors.dimse import foreign
from radiology.doors.http.assemble import build
from radiology.errors import NotFound, Unprocessable
from radiology.kit.db import Writer
from radiology.remotes.model import ForeignStudy
from radiology.settings import Settings
from radiology.studies.importing import Import
from radiology.studies.receive import Source
from radiology.takeover import proxy, queries
from radiology.takeover.actions import answer_queries
from requestor import requestor
from storage_peers import register, storescp

IMPLICIT = "1.2.840.10008.1.2"
#: Whoever asks without a character set is answered in that of the peer.
NAMED = {"PatientName": "Rahman^Abdur"}


@pytest.fixture
def node(settings: Settings) -> Iterator[Node]:
    with running_node(settings) as running:
        yield running


@pytest.fixture(autouse=True)
def read_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proxy, "KEPT_SECONDS", 0.0)


def switch(node: Node, source: str, *, on: bool = True) -> None:
    node.wait(answer_queries(node.app, SYSTEM, source, answers=on))


def a_study(*, instances: int = 2, **attributes: Any) -> list[Dataset]:
    shared = {"StudyInstanceUID": generate_uid(), "SeriesInstanceUID": generate_uid(), **NAMED}
    named = {"PatientID": "OLD1", "AccessionNumber": "A1", "StudyID": "1", **shared}
    return [an_object(**named | attributes) for _ in range(instances)]


def find(node: Node, **keys: str) -> tuple[list[Dataset], int]:
    query = Dataset()
    query.QueryRetrieveLevel = "STUDY"
    for keyword in ("StudyInstanceUID", "PatientName", "StudyDate", "NumberOfStudyRelatedInstances"):
        setattr(query, keyword, "")
    for keyword, value in keys.items():
        setattr(query, keyword, value)
    with requestor(node, [(Find, IMPLICIT)]) as association:
        answers = list(association.send_c_find(query, Find))
    return [identifier for _, identifier in answers if identifier], answers[-1][0].Status


def move(node: Node, study_instance_uid: str, destination: str = "STORESCP") -> list[Dataset]:
    query = Dataset()
    query.QueryRetrieveLevel, query.StudyInstanceUID = "STUDY", study_instance_uid
    with requestor(node, [(Move, IMPLICIT)]) as association:
        return [status for status, _ in association.send_c_move(query, destination, Move)]


@contextmanager
def old_archive(node: Node, folder: Path, objects: list[Dataset], *, dicomweb: bool = False) -> Iterator[Orthanc]:
    with orthanc(node, folder / "orthanc", dicomweb=dicomweb) as peer:
        for each in objects:
            peer.send(as_file(each))
        fields = {"dicomweb_url": peer.dicomweb_url} if dicomweb else {}
        register(node, AE_TITLE, peer.dicom_port, move_destination=False, **fields)
        yield peer


@asynccontextmanager
async def http_client(settings: Settings, role: str = "administrator") -> AsyncIterator[httpx2.AsyncClient]:
    app = App.of(settings)
    service = build(app)
    async with service.router.lifespan_context(service):
        token = await accounts.make_token(app, role, role=role)
        transport = httpx2.ASGITransport(app=service, raise_app_exceptions=False)
        headers = {"authorization": f"Bearer {token}"}
        async with httpx2.AsyncClient(transport=transport, base_url="http://test", headers=headers) as client:
            yield client


@pytest.mark.peer("Query/Retrieve FIND (SCU)", "Orthanc")
def test_a_study_that_is_only_there_is_found_here_and_moved(node: Node, tmp_path: Path) -> None:
    objects = a_study()
    uid = objects[0].StudyInstanceUID
    with old_archive(node, tmp_path, objects), storescp(node, tmp_path / "out") as received:
        assert find(node, PatientID="OLD1") == ([], 0)
        switch(node, AE_TITLE)
        (answer,), status = find(node, PatientID="OLD1")
        assert (status, answer.StudyInstanceUID, answer.PatientID) == (0, uid, "OLD1")
        assert (answer.RetrieveAETitle, answer.InstanceAvailability) == (AE_TITLE, "NEARLINE")
        assert (answer.QueryRetrieveLevel, answer.NumberOfStudyRelatedInstances) == ("STUDY", 2)
        assert answer.PatientName == objects[0].PatientName

        final = move(node, uid)[-1]
        assert (final.Status, final.NumberOfCompletedSuboperations) == (0, 2)
        assert len(list(received.iterdir())) == 2
        (answer,), _ = find(node, PatientID="OLD1")
        assert (answer.RetrieveAETitle, answer.InstanceAvailability) == (node.app.settings.ae_title, "ONLINE")
        assert move(node, "1.2.3.4")[-1].Status == 0  # Nowhere: nothing matches.


@pytest.mark.peer("QIDO-RS (client)", "Orthanc")
@pytest.mark.peer("WADO-RS (client)", "Orthanc")
def test_a_study_that_is_only_there_is_found_by_qido_and_rest_and_retrieved_by_wado(node: Node, tmp_path: Path) -> None:
    objects = a_study()
    uid = objects[0].StudyInstanceUID

    async def ask() -> None:
        async with http_client(node.app.settings) as client:
            body = {"source": AE_TITLE, "answersQueries": True}
            assert (await client.put("/api/radiology/takeover/sources", json=body)).status_code == 200
            search = "/dicomweb/studies?PatientID=OLD1&includefield=StudyDescription"
            answer = await client.get(search)
            (found,) = answer.json()
            assert answer.headers["X-Total-Count"] == "1"
            assert found["0020000D"]["Value"] == [uid]
            assert found["00081030"]["Value"] == ["CT Chest"]
            assert (found["00080054"]["Value"], found["00080056"]["Value"]) == ([AE_TITLE], ["NEARLINE"])
            assert found["00081190"]["Value"] == [f"http://test/dicomweb/studies/{uid}"]
            assert (await client.get(search + "&offset=1")).json() == []
            query = {"level": "STUDY", "query": {"AccessionNumber": "A1", "StudyDate": "20260101-20260131"}}
            answer = await client.post("/api/radiology/dicom/query", json=query)
            assert [each["0020000D"]["Value"] for each in answer.json()["results"]] == [[uid]]
            assert len((await client.get(f"/dicomweb/studies/{uid}/series")).json()) == 1
            assert len((await client.get(f"/dicomweb/studies/{uid}/metadata")).json()) == 2
            (found,) = (await client.get(search)).json()
            assert found["00080056"]["Value"] == ["ONLINE"]
            (source,) = (await client.get("/api/radiology/takeover/sources")).json()["results"]
            assert source["answersQueries"] is True

    with old_archive(node, tmp_path, objects, dicomweb=True):
        asyncio.run(ask())


@contextmanager
def proxied(node: Node, objects: list[Dataset], **fields: Any) -> Iterator[CuttingPeer]:
    with cutting_peer(objects, {}) as peer:
        register(node, PEER, peer.port, move_destination=False, **fields)
        switch(node, PEER)
        yield peer


def test_a_study_of_another_facility_is_neither_found_nor_fetched(node: Node, tmp_path: Path) -> None:
    objects = a_study()
    with proxied(node, objects, facility_code="OTHER"), storescp(node, tmp_path / "out"):
        node.register(ApplicationEntity(KNOWN, facility_code="LOCAL"))
        node.door.registry._read_at = -1e9
        assert find(node, PatientID="OLD1") == ([], 0)
        assert move(node, objects[0].StudyInstanceUID)[-1].Status == 0
        assert node.value("SELECT count(*) FROM instances") == 0
        node.register(ApplicationEntity(KNOWN, facility_code="OTHER"))
        node.door.registry._read_at = -1e9
        assert len(find(node, PatientID="OLD1")[0]) == 1


def test_an_archive_that_is_away_is_left_out_and_a_study_that_cannot_be_fetched_is_not_found(
    node: Node, tmp_path: Path
) -> None:
    objects = a_study()
    with proxied(node, objects) as peer, storescp(node, tmp_path / "out"):
        assert len(find(node, PatientID="OLD1")[0]) == 1
        port = peer.port
    register(node, PEER, port, move_destination=False)
    with storescp(node, tmp_path / "out"):
        assert find(node, PatientID="OLD1") == ([], 0)
        final = move(node, objects[0].StudyInstanceUID)[-1]
        assert final.Status == 0xA701
        assert "archive that has the study" in final.ErrorComment


def test_an_archive_that_does_not_answer_in_time_is_not_waited_for_again(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(proxy, "ANSWER_SECONDS", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        register(node, PEER, silent.getsockname()[1], move_destination=False)
        switch(node, PEER)
        began = monotonic()
        assert find(node, PatientID="OLD1") == ([], 0)
        assert find(node, PatientID="OLD1") == ([], 0)
        assert monotonic() - began < 2


def test_a_study_that_is_being_copied_is_completed_before_it_is_moved(node: Node, tmp_path: Path) -> None:
    objects = a_study()
    uid = objects[0].StudyInstanceUID
    (tmp_path / "half.dcm").write_bytes(as_file(objects[0]))
    list(Import(node.archive, tmp_path / "half.dcm", Source("LOCAL", actor="migration")).run())
    with proxied(node, objects), storescp(node, tmp_path / "out") as received:
        with closing(Writer(node.app.settings.database_dsn)) as writer, writer.transaction() as tx:
            queries.add_studies(tx, PEER, [ForeignStudy(uid, "OLD1", "A1", "20260121")])
        assert move(node, uid)[-1].NumberOfCompletedSuboperations == 2
        assert len(list(received.iterdir())) == 2
        assert node.value("SELECT state FROM takeover_studies WHERE study_instance_uid = %(uid)s", uid=uid) == "copied"


def test_what_is_here_in_part_is_sent_when_the_archive_that_has_the_rest_is_away(node: Node, tmp_path: Path) -> None:
    objects = a_study()
    uid = objects[0].StudyInstanceUID
    (tmp_path / "half.dcm").write_bytes(as_file(objects[0]))
    list(Import(node.archive, tmp_path / "half.dcm", Source("LOCAL", actor="migration")).run())
    with proxied(node, objects) as peer, closing(Writer(node.app.settings.database_dsn)) as writer:
        port = peer.port
        with writer.transaction() as tx:
            queries.add_studies(tx, PEER, [ForeignStudy(uid, "OLD1", "A1", "20260121")])
    register(node, PEER, port, move_destination=False)
    with storescp(node, tmp_path / "out"):
        assert move(node, uid)[-1].NumberOfCompletedSuboperations == 1


@pytest.mark.peer("Query/Retrieve GET (SCP)", "pynetdicom")
def test_a_study_that_is_only_there_is_got(node: Node) -> None:
    objects, received = a_study(), []
    query = Dataset()
    query.QueryRetrieveLevel, query.StudyInstanceUID = "STUDY", objects[0].StudyInstanceUID

    def take(event: evt.Event) -> int:
        received.append(event.request.AffectedSOPInstanceUID)
        return 0

    contexts = [(Get, IMPLICIT), (CTImageStorage, ExplicitVRLittleEndian)]
    role, handlers = build_role(CTImageStorage, scp_role=True), [(evt.EVT_C_STORE, take)]
    with proxied(node, objects), requestor(node, contexts, ext_neg=[role], evt_handlers=handlers) as association:
        *_, (final, _) = association.send_c_get(query, Get)
    assert (final.Status, final.NumberOfCompletedSuboperations) == (0, 2)
    assert set(received) == {each.SOPInstanceUID for each in objects}


def test_the_requester_is_told_while_a_study_comes_and_can_cancel(
    node: Node, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(foreign, "PENDING_EVERY_SECONDS", 0.1)
    objects = a_study()
    query = Dataset()
    query.QueryRetrieveLevel, query.StudyInstanceUID = "STUDY", objects[0].StudyInstanceUID
    with proxied(node, objects) as peer, storescp(node, tmp_path / "out") as received:
        peer.gate.clear()
        with requestor(node, [(Move, IMPLICIT)]) as association:
            answers = association.send_c_move(query, "STORESCP", Move, msg_id=7)
            status, _ = next(answers)
            assert (status.Status, status.NumberOfCompletedSuboperations) == (0xFF00, 0)
            association.send_c_cancel(7, query_model=Move)
            assert list(answers)[-1][0].Status == 0xFE00
        with requestor(node, [(Move, IMPLICIT)]) as association:
            answers = association.send_c_move(query, "STORESCP", Move)
            assert next(answers)[0].Status == 0xFF00
            peer.gate.set()
            assert list(answers)[-1][0].NumberOfCompletedSuboperations == 2
        assert len(list(received.iterdir())) == 2
        # Cancelling did not end what was on its way, and the second request joined it.
        assert peer.retrieved == [("IMAGE", 2)]


def test_pages_of_a_search_go_over_what_is_here_and_then_what_is_there(node: Node) -> None:
    async def pages() -> list[list[str]]:
        async with http_client(node.app.settings) as client:
            found: list[list[str]] = []
            for offset in range(0, 6, 2):
                answer = await client.get(f"/dicomweb/studies?PatientID=OLD*&limit=2&offset={offset}")
                assert answer.headers["X-Total-Count"] == "4"
                assert ("next" in answer.headers.get("link", "")) == (offset == 0)
                found.append([each["0020000D"]["Value"][0] for each in answer.json()])
            return found

    here, there = an_object(PatientID="OLD0"), [an_object(PatientID=f"OLD{number}", **NAMED) for number in (1, 2, 3)]
    node.wait(store(node.app, here))
    with proxied(node, [*there, an_object(StudyInstanceUID=here.StudyInstanceUID, PatientID="OLD0", **NAMED)]):
        first, second, third = asyncio.run(pages())
    assert first[0] == here.StudyInstanceUID
    assert {*first[1:], *second} == {each.StudyInstanceUID for each in there}
    assert third == []


def test_only_an_archive_with_a_record_can_be_asked_and_without_one_nothing_is_looked_up(node: Node) -> None:
    with pytest.raises(Unprocessable, match="Register it"):
        switch(node, "NOBODY")
    with pytest.raises(NotFound, match="no archive that is copied"):
        switch(node, "NOBODY", on=False)
    one = proxy.Proxy(node.archive)
    assert not one.is_idle
    assert one.sources() == []
    assert one.ask([], limit=10, visible_to=SYSTEM) is None
