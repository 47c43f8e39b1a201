"""An answer as a table of single figures, for spreadsheets. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, cast

from radiology.quality.indicators.model import DIMENSIONS

COLUMNS: Final = ("indicator", "part", *DIMENSIONS, "figure", "value")
_TEXTS: Final = frozenset({"title", "formula", "byDevice"})
_NAMES: Final = ("stage", "component", "facilityCode", "protocol", "patientGroup", "quantity")
"""What names an entry of a list."""

Cell = str | int | float | bool | None


def lines(answer: Mapping[str, Any]) -> Iterator[Sequence[Cell]]:
    """A line for each figure of each indicator, with the group that it is of."""
    for key, indicator in answer["indicators"].items():
        told = {name: value for name, value in indicator.items() if name not in _TEXTS}
        yield from _of(key, "", {}, told)


def _of(key: str, part: str, group: Mapping[str, str], told: Mapping[str, Any]) -> Iterator[Sequence[Cell]]:
    for name, value in told.items():
        if name == "rows":
            for row in value:
                yield from _of(key, part, row["group"], {inner: row[inner] for inner in row if inner != "group"})
        elif isinstance(value, dict):
            figures = cast("dict[str, Any]", value)
            yield from (_line(key, part, group, f"{name}.{inner}", figure) for inner, figure in figures.items())
        elif isinstance(value, list):
            for entry in cast("list[dict[str, Any]]", value):
                named = " ".join(str(entry[one]) for one in _NAMES if one in entry)
                yield from _of(key, named, group, {inner: entry[inner] for inner in entry if inner not in _NAMES})
        else:
            yield _line(key, part, group, name, value)


def _line(key: str, part: str, group: Mapping[str, str], name: str, value: Any) -> Sequence[Cell]:
    return (key, part, *(group.get(dimension, "") for dimension in DIMENSIONS), name, value)
