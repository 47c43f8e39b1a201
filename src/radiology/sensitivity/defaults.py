"""The rules that come with the service, from the file beside this one. A hospital replaces them by id."""

import hashlib
import tomllib
from collections.abc import Iterable, Mapping
from functools import cache
from importlib.resources import files
from typing import Any, Final
from uuid import UUID, uuid5

from radiology.sensitivity.model import Rule

_NAMESPACE: Final = UUID("7f0f4e5c-6f0b-5d0e-9a53-0f6f1f3d2b61")


@cache
def shipped_rules() -> tuple[Rule, ...]:
    """Every rule of the file. Its id is made from class, kind, system, value and modalities, so it stays the same."""
    groups: list[Mapping[str, Any]] = tomllib.loads(_text())["rules"]
    return tuple(rule for group in groups for rule in _rules(group))


@cache
def shipped_digest() -> str:
    """Tells whether the file is another one than before."""
    return hashlib.sha256(_text().encode()).hexdigest()


def with_site(rows: Iterable[Rule]) -> list[Rule]:
    """The shipped rules, with those of the hospital beside them and in place of those of the same id."""
    rules = {rule.id: rule for rule in shipped_rules()}
    rules.update((rule.id, rule) for rule in rows)
    return list(rules.values())


def _rules(group: Mapping[str, Any]) -> Iterable[Rule]:
    modalities, with_words = group.get("modalities", []), group.get("with_words", [])
    for entry in group["values"]:
        value, display = (entry, "") if isinstance(entry, str) else entry
        name = "|".join([group["class"], group["kind"], group.get("system", ""), value, *modalities])
        yield Rule(
            id=uuid5(_NAMESPACE, name),
            sensitive_class=group["class"],
            kind=group["kind"],
            system=group.get("system", ""),
            value=value,
            display=display,
            policy=group.get("policy"),
            modalities=modalities,
            with_words=with_words,
        )


def _text() -> str:
    return files("radiology.sensitivity").joinpath("default_rules.toml").read_text(encoding="utf-8")
