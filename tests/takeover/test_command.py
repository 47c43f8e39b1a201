"""`radi migrate-from` as it is run."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from command_line import radi
from cutting_peer import AE_TITLE, cutting_peer
from make import an_object
from node import Node, running_node
from radiology.kit import slots
from radiology.settings import Settings
from storage_peers import register

URL = "http://127.0.0.1:9/dicom-web"


@pytest.fixture
def node(settings: Settings) -> Iterator[Node]:
    with running_node(settings) as running:
        yield running


def test_what_cannot_be_asked_is_refused_with_a_sentence(node: Node, tmp_path: Path) -> None:
    settings = node.app.settings
    ended = radi(settings, "migrate-from", "NOBODY")
    assert (ended.code, ended.err.strip()) == (
        2,
        "radi: No application entity is called 'NOBODY'. Register it with host and port, or dicomwebUrl.",
    )
    (tmp_path / "secret").write_text("word\n")
    ended = radi(settings, "migrate-from", URL, "--user", "us", "--secret-file", tmp_path / "secret")
    assert ended.code == 2
    assert "cannot be reached" in ended.err
    assert "Start again to go on from here." in ended.err
    ended = radi(settings, "migrate-from", URL, "--answer-queries", "on")
    assert ended.code == 2
    assert "Register it" in ended.err


def test_an_archive_is_copied_switched_and_reported(node: Node) -> None:
    settings = node.app.settings
    with cutting_peer([an_object(), an_object()], {}) as peer:
        register(node, AE_TITLE, peer.port)
        ended = radi(settings, "migrate-from", AE_TITLE, "--hours", "00:00-00:00", "--kib-per-second", "10000")
        assert (ended.code, ended.out) == (0, "2 copied, 0 waiting, 0 differ, 0 failed.\n"), ended.err
        assert radi(settings, "migrate-from", AE_TITLE, "--again").code == 0
        ended = radi(settings, "migrate-from", AE_TITLE, "--answer-queries", "on")
        assert ended.out == "Queries are now answered with studies that are still only there.\n"
    answers = "SELECT answers_queries FROM takeover_sources WHERE source = %(source)s"
    assert node.value(answers, source=AE_TITLE) is True
    radi(settings, "migrate-from", AE_TITLE, "--answer-queries", "off")
    assert node.value(answers, source=AE_TITLE) is False
    lines = radi(settings, "migrate-from", AE_TITLE, "--report").out.splitlines()
    assert lines[0] == "study_instance_uid,study_date,state,instances,missing,verified,detail"
    assert len(lines) == 3


def test_one_archive_is_copied_by_one_process(node: Node) -> None:
    settings = node.app.settings
    register(node, AE_TITLE, 104)
    place = slots.take(settings.run_dir / "takeovers", AE_TITLE, 1)
    assert place is not None
    ended = radi(settings, "migrate-from", AE_TITLE)
    place.give_back()
    assert (ended.code, ended.err.strip()) == (
        2,
        f"radi: {AE_TITLE} is being copied already, by another radi migrate-from.",
    )
