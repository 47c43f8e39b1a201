"""Read a multipart/related body (RFC 2387) part by part, as it comes, never whole."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

from python_multipart import MultipartParser
from python_multipart.exceptions import MultipartParseError

from radiology.errors import Invalid, NotSupported

HEADER_BYTES = 16 * 1024
PREAMBLE_BYTES = 64 * 1024


class Part(Protocol):
    """Whoever takes the bytes of one part."""

    def write(self, fragment: memoryview) -> None:
        """The next bytes."""
        ...


P = TypeVar("P", bound=Part)


@dataclass(slots=True)
class MultipartReader(Generic[P]):
    """Feed it the body; it opens a part when its headers are read, and says when one has ended.

    `open_part` is given the part's media type and returns what takes its bytes; `headers` are then those of the part,
    by names in small letters. Ended parts gather in `ended`.
    """

    boundary: str
    open_part: Callable[[str], P]
    ended: list[P] = field(default_factory=list[P])
    parts: int = 0
    _complete: bool = False
    _begun: bool = False
    _preamble: bytearray = field(default_factory=bytearray)
    _name: bytearray = field(default_factory=bytearray)
    _value: bytearray = field(default_factory=bytearray)
    headers: dict[str, str] = field(default_factory=dict[str, str])
    _part: P | None = None
    _parser: MultipartParser = field(init=False)

    def __post_init__(self) -> None:
        self._parser = MultipartParser(
            self.boundary,
            {
                "on_part_begin": self.headers.clear,
                "on_header_begin": self._header_begin,
                "on_header_field": self._header_name,
                "on_header_value": self._header_value,
                "on_header_end": self._header_end,
                "on_headers_finished": self._headers_finished,
                "on_part_data": self._part_data,
                "on_part_end": self._part_end,
                "on_end": self._end,
            },
        )

    def feed(self, chunk: bytes) -> list[P]:
        """Take the next bytes of the body; the parts that ended in them. Raises Invalid for what is no multipart."""
        if not self._begun:
            chunk = self._without_preamble(chunk)
        try:
            if chunk and not self._complete:
                self._parser.write(chunk)
        except MultipartParseError as error:
            raise Invalid(f"The multipart body is broken: {error}.") from error
        ended, self.ended = self.ended, []
        return ended

    def finish(self) -> None:
        """The body has ended. Raises Invalid where its last boundary never came, or no part did."""
        if not self._complete:
            raise Invalid("The multipart body ends without its closing boundary.")
        if not self.parts:
            raise Invalid("The multipart body has no part.")

    def _without_preamble(self, chunk: bytes) -> bytes:
        """What stands before the first boundary is for nobody (RFC 2046 5.1.1)."""
        self._preamble += chunk
        delimiter = b"--" + self.boundary.encode("latin-1")
        start = 0 if self._preamble.startswith(delimiter) else self._preamble.find(b"\r\n" + delimiter) + 2
        self._begun = start != 1
        if not self._begun:
            if len(self._preamble) > PREAMBLE_BYTES:
                raise Invalid("The boundary that the Content-Type names is not in the body.")
            return b""
        body = bytes(self._preamble[start:])
        self._preamble.clear()
        return body

    def _header_begin(self) -> None:
        self._name.clear()
        self._value.clear()

    def _header_name(self, data: bytes, start: int, end: int) -> None:
        self._name += data[start:end]
        self._must_be_short()

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]
        self._must_be_short()

    def _must_be_short(self) -> None:
        if len(self._name) + len(self._value) > HEADER_BYTES or len(self.headers) > 32:
            raise Invalid("A header of a part is too long.")

    def _header_end(self) -> None:
        self.headers[self._name.decode("latin-1").strip().lower()] = self._value.decode("latin-1").strip()

    def _headers_finished(self) -> None:
        self.parts += 1
        self._part = self.open_part(self.headers.get("content-type", ""))

    def _part_data(self, data: bytes, start: int, end: int) -> None:
        if self._part is not None:
            self._part.write(memoryview(data)[start:end])

    def _part_end(self) -> None:
        if self._part is not None:
            self.ended.append(self._part)
            self._part = None

    def _end(self) -> None:
        self._complete = True


def boundary_of(content_type: str) -> tuple[str, str]:
    """Boundary and part type of a multipart/related Content-Type. Raises NotSupported, Invalid."""
    media_type, parameters = parsed_content_type(content_type)
    if media_type != "multipart/related":
        raise NotSupported(f"Send multipart/related or application/dicom, not {media_type or 'nothing'}.")
    boundary = parameters.get("boundary", "")
    if not 1 <= len(boundary) <= 200:
        raise Invalid("The Content-Type of a multipart body must name its boundary.")
    return boundary, parameters.get("type", "application/dicom").lower()


def parsed_content_type(content_type: str) -> tuple[str, dict[str, str]]:
    """Media type in small letters and parameters (RFC 9110 8.3.1); quoted values may hold semicolons."""
    media_type, _, rest = content_type.partition(";")
    parameters: dict[str, str] = {}
    while rest.strip():
        name, _, rest = rest.partition("=")
        rest = rest.lstrip()
        if rest.startswith('"'):
            value, _, rest = rest[1:].partition('"')
            rest = rest.partition(";")[2]
        else:
            value, _, rest = rest.partition(";")
        parameters.setdefault(name.strip().lower(), value.strip())
    return media_type.strip().lower(), parameters
