"""Fixtures that every test may use."""

from pathlib import Path

import pytest

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real sample files, which lies beside the repository where the project is developed."""
    if not SHARED.is_dir():
        pytest.skip("the shared sample files are not beside this clone")
    return SHARED
