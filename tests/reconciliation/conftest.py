"""The DICOM door beside the HTTP service of a test, over the same database and the same objects."""

from collections.abc import Iterator

import pytest

from node import Node, running_node
from radiology.settings import Settings


@pytest.fixture
def node(settings: Settings) -> Iterator[Node]:
    """Our DICOM server."""
    with running_node(settings) as running:
        yield running
