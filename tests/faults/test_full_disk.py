"""A disk that is really full: a file system of a few MiB. Skips with a reason where none can be mounted."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydicom.uid import ExplicitVRLittleEndian

from data_sets import CT, data_set
from node import Node, running_node
from radiology.settings import Settings
from requestor import requestor

SIZE = "4m"
PIXELS = bytes(500_000)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A folder on a file system of its own."""
    folder = tmp_path / "small"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", folder], capture_output=True, text=True
    )
    if mounted.returncode:
        pytest.skip(f"a small file system cannot be mounted here: {mounted.stderr.strip()}")
    yield folder
    subprocess.run(["umount", "--lazy", folder], check=True)


@pytest.fixture
def node(settings: Settings, small_disk: Path) -> Iterator[Node]:
    with running_node(settings.model_copy(update={"data_dir": small_disk / "data"})) as running:
        yield running


def store(node: Node, count: int) -> list[int]:
    with requestor(node, [(CT, ExplicitVRLittleEndian)]) as association:
        return [
            association.send_c_store(data_set(Rows=500, Columns=500, PixelData=PIXELS)).Status for _ in range(count)
        ]


def test_a_full_disk_refuses_keeps_what_it_acknowledged_and_goes_on_when_there_is_space(node: Node) -> None:
    ballast = node.app.settings.data_dir.parent / "ballast"
    ballast.write_bytes(bytes(2_000_000))
    statuses = store(node, 6)
    assert set(statuses) == {0x0000, 0xA700}
    acknowledged = statuses.count(0x0000)
    whole = list(node.app.objects.keys())
    assert len(whole) == acknowledged == node.value("SELECT count(*) FROM instances")
    assert list(node.app.objects.root.rglob("*.part")) == []

    ballast.unlink()
    assert store(node, 2) == [0x0000, 0x0000]
    assert node.value("SELECT count(*) FROM instances") == acknowledged + 2
