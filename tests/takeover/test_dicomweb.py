"""A foreign archive is copied over DICOMweb; Orthanc with its DICOMweb plugin at the other end."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from pydicom.uid import generate_uid

from make import an_object, as_file
from node import Node, running_node
from orthanc import Orthanc, orthanc
from radiology.application_entities.model import ApplicationEntity
from radiology.errors import NotFound, Unprocessable
from radiology.kit.db import Writer
from radiology.remotes.archives import remote_archive
from radiology.remotes.copying import Copying
from radiology.settings import Settings
from radiology.takeover import queries, sources, terminal
from radiology.takeover.copying import Takeover

STUDIES = 4


@pytest.fixture
def node(settings: Settings) -> Iterator[Node]:
    with running_node(settings) as running:
        yield running


def fill(peer: Orthanc, *, studies: int = STUDIES) -> None:
    """Studies of two instances each; the first has no date."""
    for number in range(studies):
        shared = {"StudyInstanceUID": generate_uid(), "SeriesInstanceUID": generate_uid(), "PatientID": f"W{number}"}
        for _ in range(2):
            image = an_object(**shared, StudyDate=f"2024010{number}" if number else "")
            peer.send(as_file(image))


def entity_of(node: Node, source: str, *, user: str = "", facility: str = "") -> ApplicationEntity:
    return node.wait(sources.entity_of(node.app, source, user=user, secret="", facility=facility))


def takeover(node: Node, source: str, entity: ApplicationEntity, *, verify_bytes: bool = False) -> Takeover:
    remote = remote_archive(node.app.settings, entity, limit=2)
    return Takeover(Copying(node.archive, remote, "migration", verify_bytes), source, at_once=2)


@pytest.mark.peer("QIDO-RS and WADO-RS (client)", "Orthanc")
def test_an_archive_of_which_only_the_url_is_known_is_copied_and_compared_by_bytes(
    node: Node, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with orthanc(node, tmp_path / "orthanc", dicomweb=True) as peer:
        fill(peer)
        source = sources.source_of(peer.dicomweb_url + "/")
        copying = takeover(node, source, entity_of(node, source, facility="OLD"), verify_bytes=True)
        # Without a date, and more than the limit: that these are all is not proven.
        assert terminal.run(copying) == 1
    assert f"{STUDIES} copied, 0 waiting, 0 differ, 0 failed." in capsys.readouterr().out
    with closing(Writer(copying.dsn)) as writer, writer.transaction() as tx:
        lines = queries.report(tx, source)
    assert {(line.state, line.instances, line.missing, line.verified) for line in lines} == {("copied", 2, 0, "bytes")}
    assert node.value("SELECT count(*) FROM instances") == 2 * STUDIES
    assert node.value("SELECT array_agg(DISTINCT facility_code) FROM imaging_studies") == ["OLD"]


def test_a_url_of_a_record_is_that_record_and_takes_nothing_beside_it(node: Node) -> None:
    node.register(ApplicationEntity("PACS1", dicomweb_url="http://127.0.0.1:1/dicom-web", dicomweb_user="us"))
    url = "http://127.0.0.1:1/dicom-web"
    assert entity_of(node, url).ae_title == "PACS1"
    with pytest.raises(Unprocessable, match="registered as PACS1"):
        entity_of(node, url, user="other")
    with pytest.raises(Unprocessable, match="cannot be called"):
        entity_of(node, "http://127.0.0.1/?x=1")
    with pytest.raises(NotFound):
        entity_of(node, "PACS2")
