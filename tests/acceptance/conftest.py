"""The DICOM door of the service, for scenarios."""

from collections.abc import Iterator

import pytest

from leaks.conftest import world  # noqa: F401 - a fixture.
from node import Node, running_node
from radiology.settings import Settings


@pytest.fixture
def node(settings: Settings) -> Iterator[Node]:
    """The DICOM door over `settings`; MODALITY1 is the only application entity that may call."""
    with running_node(settings) as running:
        yield running
