"""Tables for a terminal: columns as wide as their widest cell, nothing cut, so that they can be read on by tools."""

from collections.abc import Iterator, Sequence

from rich.cells import cell_len


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """The lines of a table. Letters of Bangla and others may take no place of their own, or two."""
    lines = [header, *rows]
    widths = [max(cell_len(line[column]) for line in lines) for column in range(len(header))]
    for line in lines:
        cells = (cell + " " * (width - cell_len(cell)) for cell, width in zip(line, widths, strict=True))
        yield "  ".join(cells).rstrip()
