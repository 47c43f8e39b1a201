"""The DICOM door with its recorder, and what it says of the last association."""

import time
from collections.abc import Callable, Iterator

import pytest

from node import Node, running_node
from radiology.associations.actions import diagnosis_of
from radiology.errors import NotFound
from radiology.settings import Settings


@pytest.fixture
def node(settings: Settings) -> Iterator[Node]:
    """The door; MODALITY1 may call, with two associations at once."""
    with running_node(
        settings.model_copy(update={"max_associations_per_ae": 2, "accept_unknown_storage": False})
    ) as running:
        yield running


@pytest.fixture
def codes(node: Node) -> Callable[..., list[str]]:
    """`codes()` are the findings of the last association of MODALITY1, waited for until there are as many."""

    def wait_for(ae_title: str = "MODALITY1", *, least: int = 1) -> list[str]:
        deadline = time.monotonic() + 3
        while time.monotonic() < deadline:
            node.recorder.flush()
            try:
                found = [finding.code for finding in node.wait(diagnosis_of(node.app, ae_title)).findings]
            except NotFound:
                found = []
            if len(found) >= least:
                return found
            time.sleep(0.02)
        return []

    return wait_for
