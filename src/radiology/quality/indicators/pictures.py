"""Small pictures for paper, as SVG without script or style sheet. Pure; all that is text in them is escaped."""

import html
from collections.abc import Sequence
from typing import Final

WIDTH: Final = 640
_ROW, _LABEL, _VALUE = 26, 220, 140
_INK, _LIGHT, _PALE = "#1f3a5f", "#7d9cc0", "#e6ecf3"

Bar = tuple[str, Sequence[float], str]
"""A label, the lengths that lie over each other with the longest last, and the words at the end."""


def bars(rows: Sequence[Bar], *, title: str) -> str:
    """Bars to one scale; of several lengths in a row the shorter are darker."""
    longest = max((max(lengths, default=0) for _, lengths, _ in rows), default=0) or 1
    room = WIDTH - _LABEL - _VALUE
    parts = [_head(len(rows) * _ROW + 6, title)]
    for place, (label, lengths, words) in enumerate(rows):
        top = place * _ROW + 4
        parts.append(f'<text x="{_LABEL - 8}" y="{top + 14}" text-anchor="end">{html.escape(label)}</text>')
        shades = [_INK, _LIGHT, _PALE][: len(lengths)]
        for length, shade in reversed(list(zip(sorted(lengths), shades, strict=True))):
            width = max(round(room * length / longest, 1), 1.0 if length else 0.0)
            parts.append(f'<rect x="{_LABEL}" y="{top}" width="{width}" height="18" fill="{shade}"/>')
        parts.append(f'<text x="{WIDTH}" y="{top + 14}" text-anchor="end">{html.escape(words)}</text>')
    return "".join([*parts, "</svg>"])


def days(values: Sequence[float | None], *, title: str, first: str, last: str) -> str:
    """A column for each day; a day without a value is empty."""
    height, foot = 96, 20
    highest = max((value for value in values if value is not None), default=0) or 1
    step = WIDTH / max(len(values), 1)
    parts = [_head(height + foot, title)]
    for place, value in enumerate(values):
        if value is not None:
            tall = max(round(height * value / highest, 1), 1.0)
            x, width = round(place * step, 1), round(step * 0.8, 1)
            parts.append(f'<rect x="{x}" y="{round(height - tall, 1)}" width="{width}" height="{tall}" fill="{_INK}"/>')
    parts.append(f'<line x1="0" y1="{height}" x2="{WIDTH}" y2="{height}" stroke="{_LIGHT}"/>')
    parts.append(f'<text x="0" y="{height + 15}">{html.escape(first)}</text>')
    parts.append(f'<text x="{WIDTH}" y="{height + 15}" text-anchor="end">{html.escape(last)}</text></svg>')
    return "".join(parts)


def _head(height: int, title: str) -> str:
    return (
        f'<svg class="picture" xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="100%" '
        f'role="img" font-size="13" fill="#1a1a1a"><title>{html.escape(title)}</title>'
    )
