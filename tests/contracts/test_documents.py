"""The documents say what the code does; `make docs` writes them anew."""

from pathlib import Path

import pytest

from radiology.documents import DOCUMENTS

DOCS = Path(__file__).resolve().parents[2] / "docs"


@pytest.mark.parametrize("name", DOCUMENTS)
def test_the_document_is_what_the_code_says(name: str) -> None:
    assert (DOCS / name).read_text(encoding="utf-8") == DOCUMENTS[name]()
