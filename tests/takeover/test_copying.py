"""A foreign archive is listed, copied, compared; with Orthanc and DCMTK's dcmqrscp at the other end."""

import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, time
from pathlib import Path
from time import monotonic

import pytest
from pydicom.uid import generate_uid

from make import an_object, as_file
from node import Node, free_port, running_node
from orthanc import AE_TITLE, orthanc
from radiology.kit.db import Writer
from radiology.remotes.archives import remote_archive
from radiology.remotes.copying import Copying, _Storing
from radiology.settings import Settings
from radiology.takeover import queries
from radiology.takeover.copying import Takeover
from radiology.takeover.model import Hours, hours
from radiology.takeover.queries import ReportLine
from storage_peers import register

STUDIES = 5


@pytest.fixture
def node(settings: Settings) -> Iterator[Node]:
    with running_node(settings) as running:
        yield running


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    """Five studies of two instances; one has no date."""
    made: list[Path] = []
    for number in range(STUDIES):
        shared = {"StudyInstanceUID": generate_uid(), "SeriesInstanceUID": generate_uid(), "PatientID": f"M{number}"}
        for instance in range(2):
            image = an_object(**shared, StudyDate=f"2024010{number}" if number else "", InstanceNumber=instance + 1)
            made.append(tmp_path / f"{number}-{instance}.dcm")
            made[-1].write_bytes(as_file(image))
    return made


def takeover(
    node: Node, port: int, ae_title: str = AE_TITLE, *, verify_bytes: bool = False, **fields: object
) -> Takeover:
    entity = register(node, ae_title, port, services=["echo", "store", "find", "move", "get"])
    remote = remote_archive(node.app.settings, entity, limit=3)
    return Takeover(Copying(node.archive, remote, "migration", verify_bytes), ae_title, **fields)  # type: ignore[arg-type]


def send(files: list[Path], port: int, ae_title: str = AE_TITLE) -> None:
    subprocess.run(["storescu", "-aec", ae_title, "127.0.0.1", str(port), *files], check=True, timeout=30)


def report(node: Node, source: str = AE_TITLE) -> list[ReportLine]:
    writer = Writer(node.app.settings.database_dsn)
    with writer.transaction() as tx:
        lines = queries.report(tx, source)
    writer.close()
    return lines


@pytest.mark.peer("Query/Retrieve GET (SCU)", "Orthanc")
def test_a_foreign_archive_is_listed_in_parts_copied_and_compared_by_bytes(
    node: Node, files: list[Path], tmp_path: Path
) -> None:
    with orthanc(node, tmp_path / "orthanc") as peer:
        send(files, peer.dicom_port)
        copying = takeover(node, peer.dicom_port, at_once=2, verify_bytes=True)
        listing = copying.list_studies()
        next(listing)
        next(listing)
        listing.close()  # Interrupted: it goes on with what was not listed.
        list(copying.list_studies())
        assert {line.state for line in report(node)} == {"waiting"}
        assert len(report(node)) == STUDIES

        copies = copying.copy()
        next(copies)
        copies.close()
        stored = node.value("SELECT count(*) FROM instances")
        assert 0 < stored <= 2 * (1 + copying.at_once)
        last = list(copying.copy())[-1]

        assert (last.copied, last.waiting, last.differs, last.failed) == (STUDIES, 0, 0, 0)
        assert {(line.instances, line.missing, line.verified) for line in report(node)} == {(2, 0, "bytes")}
        assert node.value("SELECT count(*) FROM instances") == len(files)
        assert list(copying.copy()) == []


@pytest.mark.peer("Query/Retrieve MOVE (SCU)", "DCMTK dcmqrscp")
def test_a_peer_without_get_moves_to_our_port(node: Node, files: list[Path], tmp_path: Path) -> None:
    port, storage = free_port(), tmp_path / "qr"
    storage.mkdir()
    title = node.app.settings.ae_title
    (tmp_path / "qr.cfg").write_text(
        f"NetworkTCPPort = {port}\nMaxPDUSize = 16384\nMaxAssociations = 16\n"
        f"HostTable BEGIN\nus = ({title}, 127.0.0.1, {node.port})\nHostTable END\nVendorTable BEGIN\nVendorTable END\n"
        f"AETable BEGIN\nQR {storage} RW (200, 1024mb) ANY\nAETable END\n"
    )
    process = subprocess.Popen(["dcmqrscp", "--disable-get", "-c", tmp_path / "qr.cfg"])
    try:
        until = monotonic() + 10
        while subprocess.run(["echoscu", "-aec", "QR", "127.0.0.1", str(port)], capture_output=True).returncode:
            assert monotonic() < until
        send(files, port, "QR")
        copying = takeover(node, port, "QR")
        list(copying.list_studies())
        list(copying.copy())
        # dcmqrscp calls by the title QR, which may store here.
        assert {line.state for line in report(node, "QR")} == {"copied"}
        assert node.value("SELECT count(*) FROM instances") == len(files)
        assert node.value("SELECT count(*) FROM imaging_studies WHERE match IS NOT NULL") == 0, "it needs no order here"
    finally:
        process.terminate()
        process.wait(10)


def test_hours_may_go_over_midnight() -> None:
    night = hours("20:00-06:00")
    assert night == Hours(time(20), time(6))
    assert [night.allow(datetime(2024, 1, 1, hour, tzinfo=UTC)) for hour in (5, 6, 19, 20)] == [
        True,
        False,
        False,
        True,
    ]


@pytest.mark.peer("Query/Retrieve GET (SCU)", "Orthanc")
def test_a_study_that_lacks_an_instance_here_is_reported_and_whole_after_another_try(
    node: Node, files: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with orthanc(node, tmp_path / "orthanc") as peer:
        send(files[:2], peer.dicom_port)
        copying = takeover(node, peer.dicom_port)
        list(copying.list_studies())
        with monkeypatch.context() as losing:
            losing.setattr(_Storing, "data_set", lambda *_: Lost())
            assert list(copying.copy())[-1].differs == 1
        assert [(line.instances, line.missing) for line in report(node)] == [(2, 2)]
        assert list(copying.copy())[-1].copied == 1


@pytest.mark.peer("Query/Retrieve GET (SCU)", "Orthanc")
def test_all_studies_together_keep_the_limit_of_bandwidth(node: Node, tmp_path: Path) -> None:
    size = 64 * 1024
    with orthanc(node, tmp_path / "orthanc") as peer:
        for _ in range(4):
            peer.send(as_file(an_object(Rows=256, Columns=128, PixelData=bytes(size))))
        copying = takeover(node, peer.dicom_port, at_once=2, kib_per_second=128)
        list(copying.list_studies())
        began = monotonic()
        assert list(copying.copy())[-1].copied == 4
        # Four times 64 KiB, of which the burst of a second is free.
        assert monotonic() - began > 1


def test_stopping_does_not_wait_for_what_the_limit_of_bandwidth_holds_up(node: Node, tmp_path: Path) -> None:
    with orthanc(node, tmp_path / "orthanc") as peer:
        peer.send(as_file(an_object()))
        peer.send(as_file(an_object(Rows=1024, Columns=1024, PixelData=bytes(2 * 1024 * 1024))))
        copying = takeover(node, peer.dicom_port, at_once=2, kib_per_second=10)
        list(copying.list_studies())
        copies = copying.copy()
        next(copies)
        began = monotonic()
        copies.close()
        assert monotonic() - began < 5
    assert node.value("SELECT count(*) FROM instances") == 1


class Lost:
    """Takes an object, and forgets it."""

    def write_all(self, fragments: list[memoryview]) -> None: ...

    def finish(self) -> None: ...

    def discard(self) -> None: ...
