"""An archive that silently gives less than it has: what is missing is found by counts, and never called whole."""

from collections.abc import Iterator, Sequence
from contextlib import closing
from copy import deepcopy
from pathlib import Path

import pytest
from pydicom.dataset import Dataset
from pydicom.uid import generate_uid

from cutting_peer import AE_TITLE, CuttingPeer, cutting_peer
from make import an_object, as_file
from node import Node, running_node
from radiology.kit.db import Writer
from radiology.remotes.archives import remote_archive
from radiology.remotes.copying import Copying, Outcome
from radiology.settings import Settings
from radiology.studies.importing import Import
from radiology.studies.receive import Source
from radiology.takeover import queries, terminal
from radiology.takeover.copying import Takeover
from storage_peers import register


@pytest.fixture
def node(settings: Settings) -> Iterator[Node]:
    with running_node(settings) as running:
        yield running


def a_study(series: int, instances: int, **attributes: str) -> list[Dataset]:
    """A study with so many instances in each of so many series."""
    study = generate_uid()
    return [
        an_object(StudyInstanceUID=study, SeriesInstanceUID=uid, PatientID="CUT", **attributes)
        for uid in [generate_uid() for _ in range(series)]
        for _ in range(instances)
    ]


def copying(node: Node, peer: CuttingPeer, limit: int = 100) -> Copying:
    entity = register(node, AE_TITLE, peer.port)
    return Copying(node.archive, remote_archive(node.app.settings, entity, limit=limit), "migration")


def copied(node: Node, peer: CuttingPeer, objects: Sequence[Dataset]) -> Outcome:
    return copying(node, peer).study(objects[0].StudyInstanceUID)


@pytest.mark.peer("Query/Retrieve GET (SCU)", "pynetdicom")
def test_a_series_of_which_less_is_listed_than_counted_is_retrieved_whole(node: Node) -> None:
    objects = a_study(2, 5)
    with cutting_peer(objects, {"IMAGE": 3}) as peer:
        outcome = copied(node, peer, objects)
        assert (outcome.state, outcome.instances, outcome.missing, outcome.verified) == ("copied", 10, 0, "count")
        assert "lists 6 of 10" in outcome.detail
        assert peer.retrieved == [("SERIES", 5), ("SERIES", 5)]
    assert node.value("SELECT count(*) FROM instances") == 10


def test_a_study_of_which_less_series_are_listed_than_counted_is_retrieved_whole(node: Node) -> None:
    objects = a_study(4, 2)
    with cutting_peer(objects, {"SERIES": 2}) as peer:
        outcome = copied(node, peer, objects)
        assert (outcome.state, outcome.verified) == ("copied", "count")
        assert peer.retrieved == [("STUDY", 8)]
    assert node.value("SELECT count(*) FROM instances") == 8


def test_a_study_of_which_fewer_come_than_are_counted_is_not_called_whole(node: Node, tmp_path: Path) -> None:
    objects = a_study(1, 5)
    # It has as many instances here, but one of them is not there, and one of those there does not come.
    other = deepcopy(objects[0])
    other.SOPInstanceUID = other.file_meta.MediaStorageSOPInstanceUID = generate_uid()
    (tmp_path / "other.dcm").write_bytes(as_file(other))
    source = Source("LOCAL", actor="import")
    assert [progress.stored for progress in Import(node.archive, tmp_path / "other.dcm", source).run()][-1] == 1
    with cutting_peer(objects, {"IMAGE": 3}) as peer:
        peer.lost = objects[4].SOPInstanceUID
        outcome = copied(node, peer, objects)
        assert (outcome.state, outcome.instances, outcome.missing, outcome.verified) == ("differs", 5, 1, "count")
        assert node.value("SELECT count(*) FROM instances") == 5
        peer.lost = ""
        assert copied(node, peer, objects).state == "copied"


def test_a_list_without_counts_is_compared_by_uids(node: Node) -> None:
    objects = a_study(1, 4)
    with cutting_peer(objects, {}, counts=False) as peer:
        outcome = copied(node, peer, objects)
        assert (outcome.state, outcome.instances, outcome.verified) == ("copied", 4, "uids")
        assert peer.retrieved == [("IMAGE", 4)]


def listed(node: Node, peer: CuttingPeer, limit: int) -> tuple[Takeover, set[str]]:
    takeover = Takeover(copying(node, peer, limit), AE_TITLE)
    list(takeover.list_studies())
    with closing(Writer(node.app.settings.database_dsn)) as writer, writer.transaction() as tx:
        return takeover, set(queries.studies_to_copy(tx, AE_TITLE))


def a_busy_day(minutes: Sequence[str], **attributes: str) -> list[Dataset]:
    """One study at each of these minutes of one day, of patients of their own."""
    return [
        an_object(StudyDate="20240105", StudyTime=minute, PatientID=f"{number % 10}{number}", **attributes)
        for number, minute in enumerate(minutes)
    ]


def test_a_day_with_more_studies_than_the_peer_gives_is_listed_by_times(node: Node) -> None:
    objects = a_busy_day([f"{hour:02}{minute:02}15" for hour in (9, 10, 11) for minute in range(0, 60, 5)])
    with cutting_peer(objects, {"STUDY": 10}) as peer:
        takeover, uids = listed(node, peer, limit=10)
        assert uids == {one.StudyInstanceUID for one in objects}
        with closing(Writer(takeover.dsn)) as writer, writer.transaction() as tx:
            days = [part for part in queries.incomplete_slices(tx, AE_TITLE) if part.first_date]
        assert days == []


def test_a_minute_with_more_studies_than_the_peer_gives_is_incomplete(
    node: Node, capsys: pytest.CaptureFixture[str]
) -> None:
    objects = a_busy_day(["103015"] * 12)
    objects[3].PatientID, objects[4].PatientID = "", "-7"
    with cutting_peer(objects, {"STUDY": 5}) as peer:
        assert terminal.run(Takeover(copying(node, peer, limit=5), AE_TITLE)) == 1
        said = capsys.readouterr().out
    assert "studies of 2024-01-05, 10:30 to 10:30" in said
    assert "--again and --limit" in said


def test_a_peer_that_does_not_match_times_is_asked_by_patient_and_is_incomplete(node: Node) -> None:
    objects = a_busy_day([f"10{minute:02}15" for minute in range(12)])
    with cutting_peer(objects, {"STUDY": 5}, matches_time=False) as peer:
        takeover, uids = listed(node, peer, limit=5)
        assert uids == {one.StudyInstanceUID for one in objects}
        with closing(Writer(takeover.dsn)) as writer, writer.transaction() as tx:
            assert [part for part in queries.incomplete_slices(tx, AE_TITLE) if part.first_date]
        assert peer.asked["STUDY"] < 200


def test_new_studies_are_found_by_listing_again_and_those_of_the_last_days_always(node: Node) -> None:
    today = f"{node.app.clock.now():%Y%m%d}"
    old, new, late = (an_object(StudyDate=date) for date in ("20200101", today, "20200101"))
    with cutting_peer([old], {}) as peer:
        takeover, uids = listed(node, peer, limit=100)
        assert uids == {old.StudyInstanceUID}
        peer.objects = [old, new, late]
        assert listed(node, peer, limit=100)[1] == {old.StudyInstanceUID, new.StudyInstanceUID}
        list(takeover.list_studies(again=True))
        with closing(Writer(takeover.dsn)) as writer, writer.transaction() as tx:
            found = set(queries.studies_to_copy(tx, AE_TITLE))
    assert found == {old.StudyInstanceUID, new.StudyInstanceUID, late.StudyInstanceUID}
