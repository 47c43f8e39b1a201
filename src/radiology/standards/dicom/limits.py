"""What a header may cost, and the error that says it cannot be read."""

from dataclasses import dataclass


class HeaderError(ValueError):
    """The data set cannot be followed or exceeds a limit; `tag` is the path of the element, "" when there is none."""

    def __init__(self, reason: str, tag: str = "") -> None:
        super().__init__(f"{shown_tag(tag)}: {reason}" if tag else reason)
        self.reason = reason
        self.tag = tag


def shown_tag(path: str) -> str:
    """A tag path as people write it: "54000100/0/54001010" becomes "(5400,0100)/0/(5400,1010)"."""
    return "/".join(f"({part[:4]},{part[4:]})" if len(part) == 8 else part for part in path.split("/"))


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of one header. Beyond them reading stops with HeaderError."""

    depth: int = 64
    #: Items count too: the dose report of an intervention with 316 exposures has more than 200,000.
    elements: int = 400_000
    #: Values of multi-valued elements, all together.
    values: int = 2_000_000
    #: Bytes of the values that are kept in memory.
    header_bytes: int = 64 * 1024 * 1024
    #: Bytes that a deflated data set may grow to, as far as it is read.
    max_inflated_bytes: int = 256 * 1024 * 1024
    #: Binary values up to this many bytes are InlineBinary, longer ones BulkDataURI (PS3.18 F.2.6).
    inline_bytes: int = 1024
    #: Text and numbers longer than this many bytes are BulkDataURI too.
    value_bytes: int = 1024 * 1024
