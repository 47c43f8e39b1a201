"""Every action that is recorded anywhere has its row in the one table of meanings."""

import ast
from collections.abc import Iterator
from pathlib import Path

import radiology
from radiology.audit.model import MEANINGS, find_meaning

SOURCE = Path(radiology.__file__).parent
RECORDING = {"record": 2, "record_in_batch": 2, "Access": 1}


def actions_of(tree: ast.AST) -> Iterator[str]:
    """What is given for an action; a part that is only known at run time is `…`."""
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
        name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
        if name not in RECORDING or len(call.args) <= RECORDING[name]:
            continue
        for given in ast.walk(call.args[RECORDING[name]]):
            if isinstance(given, ast.JoinedStr):
                parts = [part.value if isinstance(part, ast.Constant) else "…" for part in given.values]
                yield "".join(map(str, parts))
            elif isinstance(given, ast.Constant) and isinstance(given.value, str) and "." in given.value:
                yield given.value


def test_every_action_in_the_code_has_a_meaning() -> None:
    used = {
        (action, path.name)
        for path in SOURCE.rglob("*.py")
        for action in actions_of(ast.parse(path.read_text(encoding="utf-8")))
    }
    assert len(used) > 50
    assert sorted(each for each in used if find_meaning(each[0]) is None) == []


def test_a_family_is_for_what_has_no_row_of_its_own() -> None:
    assert find_meaning("study.retrieve") is MEANINGS["study.retrieve"]
    assert find_meaning("study.move-completed") is MEANINGS["study.move-*"]
    assert find_meaning("study.complete") is MEANINGS["study.*"]
    assert find_meaning("nothing.of-it") is None
