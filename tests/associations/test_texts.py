"""Every finding has a text in both languages, and the page for the hospital's IT person lists them."""

import re
from pathlib import Path
from string import Formatter

from radiology.associations.texts import TEXTS, Said

PAGE = Path(__file__).resolve().parents[2] / "docs" / "connecting-a-modality.md"


def names(said: Said) -> set[str]:
    parsed = Formatter().parse(said.happened + said.modality_side + said.our_side)
    return {name for _, name, _, _ in parsed if name}


def row(code: str, said: Said) -> str:
    cells = (said.happened, said.modality_side, said.our_side)
    return " | ".join(["| `" + code + "`", *(re.sub(r"\{\w+\}", "…", cell) or "-" for cell in cells)]) + " |"


def test_both_languages_name_the_same_values() -> None:
    assert {code for code, texts in TEXTS.items() if names(texts["en"]) != names(texts["bn"])} == set()


def test_the_page_lists_every_finding() -> None:
    rows = [line for line in PAGE.read_text().splitlines() if line.startswith("| `") and "_" in line.split("`")[1]]
    single = [line for line in PAGE.read_text().splitlines() if re.match(r"\| `(address|unavailable)` ", line)]
    assert sorted(rows + single) == sorted(row(code, texts[one]) for code, texts in TEXTS.items() for one in texts)
