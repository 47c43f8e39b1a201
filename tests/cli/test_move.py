"""`radi move`: images sent from the command line, with DCMTK's storescp at the other end."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydicom.uid import generate_uid

from command_line import RADI, environment, radi
from make import an_object, as_file
from node import Node, free_port, running_node
from storage_peers import register, storescp
from working import worker


@pytest.fixture
def node(settings: object) -> Iterator[Node]:
    with running_node(settings) as running:  # type: ignore[arg-type]
        yield running


@pytest.fixture
def study(node: Node, tmp_path: Path) -> str:
    """Three instances in two series."""
    uid, series = generate_uid(), [generate_uid(), generate_uid()]
    for number in range(3):
        image = an_object(
            StudyInstanceUID=uid, SeriesInstanceUID=series[number // 2], PatientID="P", AccessionNumber="A"
        )
        (tmp_path / f"{number}.dcm").write_bytes(as_file(image))
    files = [tmp_path / f"{number}.dcm" for number in range(3)]
    command = ["storescu", "-aet", "MODALITY1", "-aec", node.app.settings.ae_title, "127.0.0.1", str(node.port)]
    subprocess.run([*command, *files], check=True, timeout=20)
    return uid


def test_a_study_is_sent_and_waited_for(node: Node, study: str, tmp_path: Path) -> None:
    settings = node.app.settings
    with worker(node), storescp(node, tmp_path / "received") as folder:
        ended = radi(settings, "move", study, "STORESCP", "--wait")
        assert (ended.code, ended.err) == (0, "")
        assert ended.out == "completed: 3 of 3 sent\n"
        assert len(list(folder.iterdir())) == 3
        series = node.value("SELECT series_instance_uid FROM imaging_series ORDER BY number_of_instances LIMIT 1")
        assert radi(settings, "move", study, "STORESCP", "--series", series, "--wait").out.startswith("completed: 1 of")
    moves = json.loads(radi(settings, "move", "list", "--json").out)
    assert [(move["status"], move["total"]) for move in moves] == [("completed", 1), ("completed", 3)]
    assert study in radi(settings, "move", "list").out


def test_what_waits_can_be_shown_cancelled_and_sent_again(node: Node, study: str) -> None:
    settings = node.app.settings
    register(node, "GONE", free_port())
    queued = radi(settings, "move", study, "GONE")
    assert queued.code == 0
    job = queued.out.split()[0]
    shown = radi(settings, "move", "show", job).out
    assert "queued" in shown
    assert shown.count("  remaining\n") == 3
    assert radi(settings, "move", "cancel", job).out.startswith("cancelled: 0 of 3")
    again = radi(settings, "move", "cancel", job)
    assert again.code == 2
    assert "cancelled already" in again.err
    assert radi(settings, "move", "retry", job).out.startswith("queued: 0 of 3")


def test_what_cannot_be_asked_is_a_sentence(node: Node, study: str) -> None:
    unknown = radi(node.app.settings, "move", study, "NOWHERE")
    assert (unknown.code, unknown.out) == (2, "")
    assert "NOWHERE is no move destination" in unknown.err


def test_whoever_waits_without_a_worker_is_told(node: Node, study: str) -> None:
    register(node, "GONE", free_port())
    command = [RADI, "move", study, "GONE", "--wait"]
    with subprocess.Popen(command, env=environment(node.app.settings), stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        try:
            assert "is the service (its worker) running?" in process.stderr.readline()
        finally:
            process.terminate()
