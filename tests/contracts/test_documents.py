"""Documents hold together: links lead somewhere, the changelog knows the version, and nothing speaks of one machine."""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

import pytest

from radiology import __version__

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
CODE = sorted(
    path
    for folder, pattern in (("src", "*.py"), ("src", "*.sql"), ("bench", "*.py"), ("tests", "*.py"), (".ci", "*"))
    for path in (ROOT / folder).rglob(pattern)
    if path.is_file()
)

LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
FENCED = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
#: Put together here, so that this file is not found itself.
ONE_MACHINE = re.compile(
    r"(?<![\w.])/(?:" + "|".join(("work", "root")) + r")/|\b[Ii]ssue " + r"#\d|\.\./sha" + r"red\b"
)


def name(path: Path) -> str:
    """The path as a test is called."""
    return path.relative_to(ROOT).as_posix()


def links(document: Path) -> Iterator[str]:
    """Links of a document to places in the repository, without examples of code."""
    for target in LINK.findall(FENCED.sub("", document.read_text(encoding="utf-8"))):
        if not re.match(r"[a-z]+:", target):
            yield target


def anchors(document: Path) -> set[str]:
    """The anchors that headings make."""
    text = FENCED.sub("", document.read_text(encoding="utf-8"))
    headings = re.findall(r"^#+ +(.+?) *$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("document", DOCUMENTS, ids=name)
def test_links_lead_somewhere(document: Path) -> None:
    for link in links(document):
        file, _, anchor = unquote(link).partition("#")
        target = (document.parent / file).resolve() if file else document
        assert target.is_relative_to(ROOT), f"{link} leaves the repository"
        assert target.exists(), f"{link} is not there"
        if anchor:
            assert anchor in anchors(target), f"{link}: there is no such heading"


def test_every_decision_is_listed() -> None:
    folder = ROOT / "docs" / "adr"
    decisions = {path.name for path in folder.glob("[0-9]*.md")}
    assert decisions == {link for link in links(folder / "README.md") if link[0].isdigit()}


def test_a_decision_has_its_parts() -> None:
    for decision in (ROOT / "docs" / "adr").glob("[0-9]*.md"):
        headings = re.findall(r"^## (.+)$", decision.read_text(encoding="utf-8"), re.MULTILINE)
        assert headings == ["Context", "Decision", "Consequences", "Alternatives", "References"], decision.name


def test_the_changelog_begins_with_the_version_of_the_package() -> None:
    newest = re.search(r"^## \[([^\]]+)\]", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert newest is not None
    assert newest[1] == __version__ == tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]


@pytest.mark.parametrize("document", DOCUMENTS, ids=name)
def test_documents_speak_of_no_machine(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    assert not ONE_MACHINE.findall(text)
    assert not re.search(r"\b(?:this|that|our|previous|next|coding) ses" + r"sion\b", text, re.IGNORECASE)


def test_code_speaks_of_no_machine() -> None:
    assert [name(path) for path in CODE if ONE_MACHINE.search(path.read_text(encoding="utf-8"))] == []
