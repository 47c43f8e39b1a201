"""JSON in exactly one form (RFC 8785), so that a hash over it means something."""

import json
import math
from typing import Any, cast

LARGEST_INTEGER = 2**53


def canonical(value: Any) -> bytes:
    """The canonical text of a JSON value. Raises ValueError for what JSON cannot hold."""
    return _text(value).encode()


def _text(value: Any) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case str():
            return json.dumps(value, ensure_ascii=False)
        case int():
            return _integer(value)
        case float():
            return _number(value)
        case list() | tuple():
            return "[" + ",".join(_text(item) for item in cast("list[Any]", value)) + "]"
        case dict():
            return _object(cast("dict[str, Any]", value))
        case _:
            raise ValueError(f"{type(value).__name__} is no JSON value")


def _object(value: dict[str, Any]) -> str:
    # RFC 8785 3.2.3 sorts by UTF-16 code units.
    names = sorted(value, key=lambda name: name.encode("utf-16-be", "surrogatepass"))
    return "{" + ",".join(f"{_text(name)}:{_text(value[name])}" for name in names) + "}"


def _integer(value: int) -> str:
    if abs(value) > LARGEST_INTEGER:
        raise ValueError("an integer beyond 2^53 has no one form in JSON")
    return str(value)


def _number(value: float) -> str:
    """As ECMAScript writes it (RFC 8785 3.2.2.3)."""
    if not math.isfinite(value):
        raise ValueError("JSON has no infinity and no NaN")
    if value == 0:
        return "0"
    sign, mantissa = ("-", repr(-value)) if value < 0 else ("", repr(value))
    digits, _, exponent = mantissa.partition("e")
    whole, _, fraction = digits.partition(".")
    fraction = "" if fraction == "0" else fraction
    point = len(whole) + int(exponent or 0)
    significant = (whole + fraction).lstrip("0")
    point -= len(whole + fraction) - len(significant)
    significant = significant.rstrip("0")
    return sign + _placed(significant, point)


def _placed(digits: str, point: int) -> str:
    """Significant digits with the decimal point behind `point` of them."""
    count = len(digits)
    if count <= point <= 21:
        return digits + "0" * (point - count)
    if 0 < point <= 21:
        return f"{digits[:point]}.{digits[point:]}"
    if -6 < point <= 0:
        return "0." + "0" * -point + digits
    exponent = point - 1
    mantissa = digits if count == 1 else f"{digits[0]}.{digits[1:]}"
    return f"{mantissa}e{'+' if exponent > 0 else '-'}{abs(exponent)}"
