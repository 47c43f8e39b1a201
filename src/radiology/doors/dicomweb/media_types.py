"""Content negotiation of PS3.18 section 8.7: what a client accepts, and the first of it that we can give."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache

from starlette.requests import Request

from radiology.errors import NotAcceptable

DICOM_JSON = "application/dicom+json"
DICOM_XML = "application/dicom+xml"
JSON = "application/json"
DICOM = "application/dicom"
OCTET_STREAM = "application/octet-stream"
MULTIPART = "multipart/related"

_UNESCAPED_PLUS = re.compile(r"dicom (?=json|xml)")
_PARAMETER = re.compile(r'\s*([^\s=;]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^;]*))\s*')


@dataclass(frozen=True, slots=True)
class MediaRange:
    """One entry of Accept, such as `multipart/related; type="application/dicom"; transfer-syntax=*; q=0.5`."""

    type: str
    parameters: Mapping[str, str] = field(default_factory=dict[str, str])
    quality: float = 1.0
    #: Types that other entries name: what is said of them goes before a wildcard (RFC 9110 12.5.1).
    elsewhere: frozenset[str] = frozenset()

    @property
    def multipart(self) -> bool:
        """Whether several parts in one body are meant."""
        return self.type in (MULTIPART, "multipart/*")

    @property
    def content(self) -> str:
        """The media type of the content itself: that of each part where the range is multipart."""
        return self.parameters.get("type", "*/*").lower() if self.multipart else self.type

    @property
    def transfer_syntax(self) -> str | None:
        """The transfer syntax that is asked for, `*` for the stored one, None where nothing is said."""
        return self.parameters.get("transfer-syntax")

    def takes(self, media_type: str) -> bool:
        """Whether content of this type is accepted."""
        wanted = self.content
        if wanted == media_type:
            return True
        is_wildcard = wanted == "*/*" or (wanted.endswith("/*") and media_type.startswith(wanted[:-1]))
        return is_wildcard and media_type not in self.elsewhere


ANYTHING = MediaRange("*/*")


def accepted(request: Request) -> list[MediaRange]:
    """What the client accepts, best first; everything where it says nothing.

    The query parameter `accept` goes before the header (PS3.18 8.3.3.1).
    """
    # A plus sign that was not escaped in the URL comes in as a space.
    asked = [_UNESCAPED_PLUS.sub("dicom+", text) for text in request.query_params.getlist("accept")]
    _must_take_utf_8(request.query_params.getlist("charset"))
    return parse_accept(asked or request.headers.getlist("accept"))


def parse_accept(values: Iterable[str]) -> list[MediaRange]:
    """The media ranges of Accept headers, best first; those of equal quality stay in order, quality 0 is left out."""
    return list(_parsed(tuple(values)))


@lru_cache(maxsize=128)
def _parsed(values: tuple[str, ...]) -> Sequence[MediaRange]:
    """A client sends the same again and again."""
    ranges = [_range(entry) for value in values for entry in _split(value, ",") if entry.strip()]
    if not ranges:
        return [ANYTHING]
    named = frozenset(entry.type for entry in ranges if not entry.multipart and not entry.parameters)
    ranges = [entry if entry.multipart else replace(entry, elsewhere=named) for entry in ranges]
    return sorted((entry for entry in ranges if entry.quality > 0), key=lambda entry: -entry.quality)


def _must_take_utf_8(charsets: Iterable[str]) -> None:
    """Text is sent as UTF-8. Raises NotAcceptable where the parameter `charset` (PS3.18 8.3.3.2) leaves that out."""
    ranges = [_range(entry) for value in charsets for entry in _split(value, ",") if entry.strip()]
    if ranges and not any(entry.type in ("utf-8", "utf8", "*") and entry.quality > 0 for entry in ranges):
        raise NotAcceptable("Text is sent as UTF-8. Ask for charset=UTF-8, or leave it out.")


def choose(ranges: Sequence[MediaRange], offers: Sequence[str]) -> str:
    """The offer that the client likes best; the first offer where it does not mind. Raises NotAcceptable."""
    for entry in ranges:
        for offer in offers:
            if not entry.multipart and entry.takes(offer):
                return offer
    raise NotAcceptable(f"This resource can be sent as {' or '.join(offers)}. Ask for one of these in Accept.")


def _range(entry: str) -> MediaRange:
    head, *rest = _split(entry, ";")
    parameters: dict[str, str] = {}
    for text in rest:
        if match := _PARAMETER.fullmatch(text):
            name, quoted, plain = match.groups()
            parameters[name.lower()] = re.sub(r"\\(.)", r"\1", quoted) if quoted is not None else plain.strip()
    return MediaRange(head.strip().lower(), parameters, _quality(parameters.pop("q", "1")))


def _quality(text: str) -> float:
    try:
        return min(max(float(text), 0.0), 1.0)
    except ValueError:
        return 0.0


def _split(text: str, separator: str) -> list[str]:
    """Split where the separator stands outside quotes."""
    if '"' not in text:
        return text.split(separator)
    parts, quoted, start = list[str](), False, 0
    for at, character in enumerate(text):
        if character == '"' and text[at - 1 : at] != "\\":
            quoted = not quoted
        elif character == separator and not quoted:
            parts.append(text[start:at])
            start = at + 1
    return [*parts, text[start:]]
