"""How the bytes of one value become the DICOM JSON model (PS3.18 Annex F), VR by VR.

A converter gets the value's bytes and a sink for remarks; it returns the list for "Value", or None for an empty value.
It never raises on a value that breaks its VR: the text is kept as it is and the sink is told.
"""

import struct
from collections.abc import Callable
from math import isfinite
from typing import Any, Protocol

from radiology.standards.dicom.charsets import Decoder


class Sink(Protocol):
    """What a converter needs from the reader."""

    flags: set[str]

    @property
    def decode(self) -> Decoder:
        """The decoder of the data set's Specific Character Set."""
        ...

    def spend_values(self, count: int) -> None:
        """Count values against the limit; raises HeaderError above it."""
        ...


Converter = Callable[[bytes, Sink], list[Any] | None]

_PADDING = " \0"
_PADDING_BYTES = b" \0"
_LARGEST_JSON_INTEGER = 2**63


def _several(text: str, sink: Sink, strip: Callable[[str], str]) -> list[Any] | None:
    parts = text.split("\\")
    sink.spend_values(len(parts))
    values = [strip(part) or None for part in parts]
    return values if any(values) else None


def _strip(text: str) -> str:
    return text.strip(_PADDING)


def _rstrip(text: str) -> str:
    return text.rstrip(_PADDING)


def code_text(raw: bytes, sink: Sink) -> list[Any] | None:
    """AE, AS, CS, DA, DT, TM, UI: default repertoire, padding on both sides without meaning (PS3.5 6.2)."""
    text = str(raw, "latin-1").strip(_PADDING)
    if "\\" in text:
        return _several(text, sink, _strip)
    return [text] if text else None


def free_text(raw: bytes, sink: Sink) -> list[Any] | None:
    """LO, SH, UC: several values, Specific Character Set."""
    text, damaged = sink.decode(raw)
    if damaged:
        sink.flags.add("charset")
    if "\\" in text:
        return _several(text, sink, _rstrip)
    text = text.rstrip(_PADDING)
    return [text] if text else None


def long_text(raw: bytes, sink: Sink) -> list[Any] | None:
    """LT, ST, UT: one value in which a backslash is a backslash."""
    text, damaged = sink.decode(raw)
    if damaged:
        sink.flags.add("charset")
    text = text.rstrip(_PADDING)
    return [text] if text else None


def uri(raw: bytes, sink: Sink) -> list[Any] | None:  # noqa: ARG001 - one signature for all converters
    """UR: one value of the default repertoire."""
    text = str(raw, "latin-1").strip(_PADDING)
    return [text] if text else None


def person_name(raw: bytes, sink: Sink) -> list[Any] | None:
    """PN: up to three component groups a value (PS3.18 F.2.2)."""
    text, damaged = sink.decode(raw)
    if damaged:
        sink.flags.add("charset")
    if "\\" not in text:
        groups = _groups(text)
        return [groups] if groups else None
    parts = text.split("\\")
    sink.spend_values(len(parts))
    values = [_groups(part) for part in parts]
    return values if any(values) else None


def _groups(text: str) -> dict[str, str] | None:
    if "=" not in text:
        text = text.rstrip(_PADDING)
        return {"Alphabetic": text} if text else None
    parts = [part.rstrip(_PADDING) for part in text.split("=", 3)]
    named = zip(("Alphabetic", "Ideographic", "Phonetic"), parts, strict=False)
    return {name: part for name, part in named if part} or None


def _number(raw: bytes, sink: Sink, parse: Callable[[bytes], int | float]) -> int | float | str | None:
    raw = raw.strip(_PADDING_BYTES)
    if not raw:
        return None
    try:
        value = parse(raw)
    except (ValueError, OverflowError):
        sink.flags.add("value")
        return raw.decode("latin-1")
    return value


def _decimal(raw: bytes) -> float:
    value = float(raw)
    # Python reads "1_0", "nan" and "1e999" too; PS3.5 6.2 knows no such DS.
    if not isfinite(value) or b"_" in raw:
        raise ValueError(raw)
    return value


def _integer(raw: bytes) -> int:
    if b"_" in raw:
        raise ValueError(raw)
    try:
        value = int(raw)
    except ValueError:
        fraction = _decimal(raw)
        value = int(fraction)
        if value != fraction:
            raise
    if abs(value) >= _LARGEST_JSON_INTEGER:
        raise ValueError(raw)
    return value


def _number_string(parse: Callable[[bytes], int | float]) -> Converter:
    def convert(raw: bytes, sink: Sink) -> list[Any] | None:
        if b"\\" in raw:
            parts = raw.split(b"\\")
            sink.spend_values(len(parts))
            values = [_number(part, sink, parse) for part in parts]
            return values if any(value is not None for value in values) else None
        value = _number(raw, sink, parse)
        return None if value is None else [value]

    return convert


integer_string = _number_string(_integer)
decimal_string = _number_string(_decimal)


def _binary_integers(code: str, order: str) -> Converter:
    size = struct.calcsize("<" + code)
    one = struct.Struct(order + code).unpack

    def convert(raw: bytes, sink: Sink) -> list[Any] | None:
        if len(raw) == size:
            return list(one(raw))
        return _unpack(raw, sink, order, code, size) or None

    return convert


def _unpack(raw: bytes, sink: Sink, order: str, code: str, size: int) -> list[Any]:
    count, rest = divmod(len(raw), size)
    if rest:
        sink.flags.add("value_length")
    sink.spend_values(count)
    return list(struct.unpack_from(f"{order}{count}{code}", raw))


def _binary_floats(code: str, order: str) -> Converter:
    integers = _binary_integers(code, order)

    def convert(raw: bytes, sink: Sink) -> list[Any] | None:
        values = integers(raw, sink)
        if values is None or all(map(isfinite, values)):
            return values
        # JSON has no such numbers; PS3.18 F.2.5 does not say, and a string loses nothing.
        return [value if isfinite(value) else _not_finite(value) for value in values]

    return convert


def _not_finite(value: float) -> str:
    return "NaN" if value != value else "Infinity" if value > 0 else "-Infinity"


def _attribute_tags(order: str) -> Converter:
    def convert(raw: bytes, sink: Sink) -> list[Any] | None:
        halves = _unpack(raw[: len(raw) // 4 * 4], sink, order, "H", 2)
        if len(raw) % 4:
            sink.flags.add("value_length")
        return [f"{halves[i]:04X}{halves[i + 1]:04X}" for i in range(0, len(halves), 2)] or None

    return convert


def _converters(order: str) -> dict[str, Converter]:
    table: dict[str, Converter] = dict.fromkeys(("AE", "AS", "CS", "DA", "DT", "TM", "UI"), code_text)
    table |= dict.fromkeys(("LO", "SH", "UC"), free_text)
    table |= dict.fromkeys(("LT", "ST", "UT"), long_text)
    table |= {"UR": uri, "PN": person_name, "IS": integer_string, "DS": decimal_string}
    table |= {vr: _binary_integers(code, order) for vr, code in zip(_INTEGERS, "HhLlQq", strict=True)}
    table |= {"FL": _binary_floats("f", order), "FD": _binary_floats("d", order), "AT": _attribute_tags(order)}
    return table


_INTEGERS = ("US", "SS", "UL", "SL", "UV", "SV")

#: The converter of each VR that is neither a sequence nor binary, for little and for big endian.
LITTLE = _converters("<")
BIG = _converters(">")

#: VRs of bytes, given as InlineBinary or BulkDataURI.
BINARY_VRS = frozenset(("OB", "OD", "OF", "OL", "OV", "OW", "UN"))
#: VRs whose explicit form has two reserved bytes and a length of 32 bits (PS3.5 7.1.2).
LONG_VRS = BINARY_VRS | {"SQ", "SV", "UC", "UR", "UT", "UV"}
KNOWN_VRS = LONG_VRS | LITTLE.keys()
