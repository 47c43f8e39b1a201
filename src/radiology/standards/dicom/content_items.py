"""The content tree of a structured report (PS3.3 C.17.3), read from the DICOM JSON model. Pure, and bounded.

What is missing or of another form than its value type says is None: whether it had to be there, the template knows.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any, cast

DEEPEST = 32
MOST_ITEMS = 200_000

_CONTENT, _NAME, _CONCEPT, _MEASURED = "0040A730", "0040A043", "0040A168", "0040A300"
_NUMBER, _UNITS, _TEXT, _UID, _MOMENT = "0040A30A", "004008EA", "0040A160", "0040A124", "0040A120"
_CODE, _LONG_CODE, _SCHEME, _MEANING = "00080100", "00080119", "00080102", "00080104"
_FORMATS = {14: "%Y%m%d%H%M%S", 12: "%Y%m%d%H%M", 10: "%Y%m%d%H", 8: "%Y%m%d"}


@dataclass(frozen=True, slots=True)
class Code:
    """A code with the scheme that it is of, and its words."""

    value: str
    scheme: str
    meaning: str


@dataclass(frozen=True, slots=True)
class Item:
    """One content item. `name` is the code value of its concept name, empty where it has none."""

    name: str
    attributes: Mapping[str, Any]
    children: Sequence["Item"]

    def find(self, name: str) -> Iterator["Item"]:
        """Items below this one with a concept name, the nearest of each branch, in the order of the document."""
        for child in self.children:
            if child.name == name:
                yield child
            else:
                yield from child.find(name)

    def first(self, name: str) -> "Item | None":
        """The first of them."""
        return next(self.find(name), None)

    @property
    def code(self) -> Code | None:
        """The value of a CODE item."""
        return _code(self.attributes, _CONCEPT)

    @property
    def text(self) -> str:
        """The value of a TEXT item."""
        return _text(self.attributes, _TEXT)

    @property
    def uid(self) -> str:
        """The value of a UIDREF item."""
        return _text(self.attributes, _UID)

    @property
    def moment(self) -> datetime | None:
        """The value of a DATETIME item; naive where it names no zone."""
        return moment_of(_text(self.attributes, _MOMENT))

    @property
    def measured(self) -> tuple[float, str] | None:
        """The value of a NUM item and the code of its unit; None where none was measured."""
        values = _items(self.attributes, _MEASURED)
        number = _number(values[0], _NUMBER) if values else None
        if number is None:
            return None
        units = _code(values[0], _UNITS)
        return number, units.value if units else ""


def content_of(attributes: Mapping[str, Any]) -> Item:
    """The root of the tree of a document. What lies deeper than 32, or behind 200,000 items, is left out."""
    return _item(attributes, 0, [MOST_ITEMS])


def moment_of(text: str) -> datetime | None:
    """A DT value (PS3.5 6.2); None where it is none."""
    for sign in "+-":
        if sign in text:
            text, _, offset = text.partition(sign)
            zone = _zone(sign, offset)
            break
    else:
        zone = None
    digits, _, fraction = text.strip().partition(".")
    try:
        moment = datetime.strptime(digits, _FORMATS.get(len(digits), "%Y%m%d%H%M%S"))  # noqa: DTZ007 - may have none.
        microsecond = int(fraction[:6].ljust(6, "0")) if fraction.isascii() and fraction.isdigit() else 0
        return moment.replace(microsecond=microsecond, tzinfo=zone)
    except ValueError:
        return None


def _zone(sign: str, offset: str) -> timezone | None:
    if len(offset) != 4 or not offset.isascii() or not offset.isdigit():
        return None
    minutes = int(offset[:2]) * 60 + int(offset[2:])
    return timezone(timedelta(minutes=minutes if sign == "+" else -minutes)) if minutes < 24 * 60 else None


def _item(attributes: Mapping[str, Any], depth: int, left: list[int]) -> Item:
    name = _code(attributes, _NAME)
    children: list[Item] = []
    if depth < DEEPEST:
        for child in _items(attributes, _CONTENT):
            left[0] -= 1
            if left[0] < 0:
                break
            children.append(_item(child, depth + 1, left))
    return Item(name.value if name else "", attributes, children)


def _code(attributes: Mapping[str, Any], tag: str) -> Code | None:
    found = _items(attributes, tag)
    if not found:
        return None
    value = _text(found[0], _CODE) or _text(found[0], _LONG_CODE)
    return Code(value, _text(found[0], _SCHEME), _text(found[0], _MEANING))


def _values(attributes: Mapping[str, Any], tag: str) -> list[Any]:
    element: Any = attributes.get(tag)
    values: Any = cast("Mapping[str, Any]", element).get("Value") if isinstance(element, Mapping) else None
    return cast("list[Any]", values) if isinstance(values, list) else []


def _items(attributes: Mapping[str, Any], tag: str) -> list[Mapping[str, Any]]:
    return [cast("Mapping[str, Any]", each) for each in _values(attributes, tag) if isinstance(each, Mapping)]


def _text(attributes: Mapping[str, Any], tag: str) -> str:
    values = _values(attributes, tag)
    return str(values[0]).strip() if values and isinstance(values[0], str | int | float) else ""


def _number(attributes: Mapping[str, Any], tag: str) -> float | None:
    """A number that is finite; a decimal string counts as what it says."""
    values = _values(attributes, tag)
    if not values or isinstance(values[0], bool) or not isinstance(values[0], str | int | float):
        return None
    try:
        number = float(values[0])
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None
