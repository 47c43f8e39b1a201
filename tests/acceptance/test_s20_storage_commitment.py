"""Storage commitment for four instances of which one was never stored: the result names it, also after a restart."""

import pytest
from pydicom.uid import generate_uid

import make
from commitment_peers import Results, a_request, asked, listening
from node import Node, running_node
from radiology.settings import Settings
from radiology.studies.actions import commit
from working import worker

SOME_FAILED, NO_SUCH_INSTANCE = 2, 0x0112


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"commit_grace_seconds": 1})


def stored_and_missing(node: Node) -> tuple[list[str], str]:
    stored = node.wait(make.a_study(node.app, instances=3))
    return [str(one.SOPInstanceUID) for one in stored.objects], generate_uid()


def test_s20_the_result_names_what_is_missing(node: Node) -> None:
    stored, missing = stored_and_missing(node)
    results, request = Results(), a_request(*stored, missing)
    with asked(node, [request], results):
        result = results.next()
    assert (result.event_type, result.transaction_uid) == (SOME_FAILED, request.TransactionUID)
    assert (result.committed, result.failed) == (stored, {missing: NO_SUCH_INSTANCE})


def test_s20_the_result_is_delivered_after_a_restart(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commit, "SAME_ASSOCIATION_SECONDS", 0.0)
    monkeypatch.setattr(commit, "LOOK_AGAIN_SECONDS", 0.1)
    results = Results()
    with running_node(settings) as node:
        stored, missing = stored_and_missing(node)
        with asked(node, [a_request(*stored, missing)], results):
            pass
    assert results.is_empty
    with running_node(settings) as restarted, listening(restarted, results), worker(restarted):
        result = results.next()
        assert (result.event_type, result.committed) == (SOME_FAILED, stored)
        assert result.failed == {missing: NO_SUCH_INSTANCE}
