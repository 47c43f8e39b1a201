"""The document of the rules names each of them, and the version that it describes."""

from pathlib import Path

from radiology.procedures.appropriateness.ruleset import shipped

TEXT = (Path(__file__).parents[3] / "docs" / "appropriateness.md").read_text(encoding="utf-8")


def test_every_rule_is_in_the_document_with_its_title_or_source() -> None:
    for rule in shipped().rules:
        assert f"| {rule.written.id} |" in TEXT
        if rule.written.id.startswith("FL-"):
            assert f"| {rule.written.title.en} | {rule.written.window_days} |" in TEXT
    assert f"version {shipped().version}," in TEXT
