"""A structured report as a page for people (PS3.3 C.17.3): headings, lists and tables, readable aloud and on paper.

Everything that comes from the object is escaped. The page runs no script, loads nothing but a font, and names the
language of what is written in Bangla so that it is shown and spoken right.
"""

import base64
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import Any, Final, cast

from radiology.pixels.header import Item, items, numbers
from radiology.standards.dicom.attributes import text_of
from radiology.standards.dicom.bangla import is_bangla
from radiology.standards.dicom.names import display_name

_CONTENT, _KIND, _NAME, _RELATION = "0040A730", "0040A040", "0040A043", "0040A010"
_DEEPEST, _MOST_ITEMS = 32, 20_000
_STYLE: Final = (
    "body{font:1rem/1.6 'Radiology Bengali',system-ui,'Noto Sans',sans-serif;max-width:60rem;margin:0 auto;"
    "padding:1.5rem;color:#1a1a1a;background:#fff}"
    "h1{font-size:1.6rem;margin:0 0 .25rem}h2{font-size:1.25rem;margin:1.5rem 0 .25rem}h3,h4,h5,h6{font-size:1.05rem;"
    "margin:1rem 0 .25rem}table{border-collapse:collapse;margin:.5rem 0 1rem}th,td{border:1px solid #999;"
    "padding:.3rem .7rem;text-align:start;vertical-align:top}th{font-weight:600;background:#f2f2f2}"
    "p{margin:.25rem 0;white-space:pre-line}ul{margin:.25rem 0;padding-inline-start:1.5rem}dl{display:grid;"
    "grid-template-columns:max-content 1fr;gap:.1rem 1rem;margin:.5rem 0 1rem}dt{font-weight:600}dd{margin:0}"
    ".state{font-weight:600}"
)
_PATIENT: Final = (
    ("Patient", "00100010"),
    ("Patient ID", "00100020"),
    ("Date of birth", "00100030"),
    ("Sex", "00100040"),
    ("Accession number", "00080050"),
    ("Study", "00081030"),
    ("Date", "00080023"),
    ("Institution", "00080080"),
)
_REFERENCES = frozenset({"IMAGE", "WAVEFORM", "COMPOSITE"})


def content_security_policy(font: str) -> str:
    """What a browser may do with the page: apply its style sheet, load the font of Bangla, and nothing else."""
    digest = base64.b64encode(hashlib.sha256(_style(font).encode()).digest()).decode()
    style = f"style-src 'sha256-{digest}'; font-src 'self'"
    return f"default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'; {style}"


def _style(font: str) -> str:
    return f"@font-face{{font-family:'Radiology Bengali';src:url({font});unicode-range:U+980-9FF,U+964-965}}{_STYLE}"


def page(attributes: Item, font: str) -> str:
    """The whole page for a structured report or a key object selection. `font` is the path of a font for Bangla."""
    title = _meaning(attributes, _NAME) or text_of(attributes, "0008103E") or "Report"
    body = "".join(_body(attributes, title))
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" '
        f'content="width=device-width, initial-scale=1"><title>{escape(title)}</title><style>{_style(font)}</style>'
        f"</head><body><main>{body}</main></body></html>"
    )


def _body(attributes: Item, title: str) -> Iterator[str]:
    yield f"<h1{_language(title)}>{escape(title)}</h1>"
    states = (text_of(attributes, "0040A491"), text_of(attributes, "0040A493"))
    if any(states):
        yield f'<p class="state">{escape(", ".join(state.capitalize() for state in states if state))}</p>'
    yield "<dl>"
    for label, tag in _PATIENT:
        if value := _value_text(attributes, tag):
            yield f"<dt>{label}</dt><dd{_language(value)}>{escape(value)}</dd>"
    for observer in items(attributes, "0040A073"):
        if name := _value_text(observer, "0040A075"):
            yield f"<dt>Verified by</dt><dd{_language(name)}>{escape(name)}</dd>"
    yield "</dl>"
    yield from _children(attributes, 2, [_MOST_ITEMS])


def _children(parent: Item, level: int, left: list[int]) -> Iterator[str]:
    """The content below an item: measurements that follow each other become one table, single words one list."""
    group: list[Item] = []
    kind = ""
    for item in items(parent, _CONTENT):
        left[0] -= 1
        if left[0] < 0 or level > _DEEPEST:
            yield "<p>This report goes on; it is too long to be shown whole.</p>"
            return
        if text_of(item, _RELATION) in ("HAS CONCEPT MOD", "HAS OBS CONTEXT", "HAS ACQ CONTEXT") and not _shown(item):
            continue
        this = _kind_of_block(item)
        if group and this != kind:
            yield from _block(kind, group, level, left)
            group = []
        group, kind = [*group, item], this
    if group:
        yield from _block(kind, group, level, left)


def _shown(item: Item) -> bool:
    return bool(_content(item))


def _kind_of_block(item: Item) -> str:
    kind = text_of(item, _KIND)
    if kind == "CONTAINER":
        return "section"
    if kind == "TEXT" and len(_content(item)) > 80:
        return "text"
    return "list" if items(item, _CONTENT) or kind in _REFERENCES else "table"


def _block(kind: str, group: Sequence[Item], level: int, left: list[int]) -> Iterator[str]:
    match kind:
        case "section":
            for item in group:
                yield from _section(item, level, left)
        case "text":
            for item in group:
                yield from _paragraph(item, level, left)
        case "list":
            yield "<ul>"
            for item in group:
                yield f"<li>{_line(item)}"
                yield from _children(item, level + 1, left)
                yield "</li>"
            yield "</ul>"
        case _:
            yield "<table><tbody>"
            for item in group:
                name, value = _meaning(item, _NAME), _content(item)
                heading = f'<th scope="row"{_language(name)}>{escape(name)}</th>'
                yield f"<tr>{heading}<td{_language(value)}>{escape(value)}</td></tr>"
            yield "</tbody></table>"


def _section(item: Item, level: int, left: list[int]) -> Iterator[str]:
    if name := _meaning(item, _NAME):
        heading = f"h{min(level, 6)}"
        yield f"<section><{heading}{_language(name)}>{escape(name)}</{heading}>"
    else:
        yield "<section>"
    yield from _children(item, level + 1, left)
    yield "</section>"


def _paragraph(item: Item, level: int, left: list[int]) -> Iterator[str]:
    name, value = _meaning(item, _NAME), _content(item)
    if name:
        heading = f"h{min(level, 6)}"
        yield f"<{heading}{_language(name)}>{escape(name)}</{heading}>"
    yield f"<p{_language(value)}>{escape(value)}</p>"
    yield from _children(item, level + 1, left)


def _line(item: Item) -> str:
    name, value = _meaning(item, _NAME), _content(item)
    parts = (f"<strong{_language(name)}>{escape(name)}:</strong>" if name else "",
             f"<span{_language(value)}>{escape(value)}</span>" if value else "")  # fmt: skip
    return " ".join(part for part in parts if part)


def _content(item: Item) -> str:
    """The value of one content item as text (PS3.3 table C.17.3-7)."""
    match text_of(item, _KIND):
        case "TEXT":
            return text_of(item, "0040A160")
        case "CODE":
            return _meaning(item, "0040A168")
        case "NUM":
            return _measured(item)
        case "PNAME":
            return _value_text(item, "0040A123")
        case "DATE" | "TIME" | "DATETIME" as kind:
            return _value_text(item, {"DATE": "0040A121", "TIME": "0040A122", "DATETIME": "0040A120"}[kind])
        case "UIDREF":
            return text_of(item, "0040A124")
        case "SCOORD" | "SCOORD3D":
            return f"{text_of(item, '00700023').capitalize()} in the image"
        case "TCOORD":
            return "A part of the recording"
        case "IMAGE" | "WAVEFORM" | "COMPOSITE" as kind:
            return _reference(item, kind)
        case _:
            return ""


def _measured(item: Item) -> str:
    for value in items(item, "0040A300"):
        unit = items(value, "004008EA")
        shown = "" if not unit else text_of(unit[0], "00080100") or text_of(unit[0], "00080104")
        # Units that stand for a number alone (UCUM 1, {...}) are not written.
        shown = "" if shown in ("1", "no units") or shown.startswith("{") else shown
        return f"{_number(value, '0040A30A')} {shown}".strip()
    return _meaning(item, "0040A301") or "not measured"


def _number(item: Item, tag: str) -> str:
    return text_of(item, tag).removesuffix(".0")


def _reference(item: Item, kind: str) -> str:
    for reference in items(item, "00081199"):
        frames = [str(int(one)) for one in numbers(reference, "00081160")]
        of_frames = f", frame {', '.join(frames)}" if frames else ""
        return f"{kind.capitalize()} {text_of(reference, '00081155')}{of_frames}"
    return kind.capitalize()


def _meaning(item: Item, tag: str) -> str:
    codes = items(item, tag)
    if not codes:
        return ""
    return text_of(codes[0], "00080104") or text_of(codes[0], "00080100") or text_of(codes[0], "00080119")


def _value_text(item: Item, tag: str) -> str:
    element: Item = item.get(tag, {})
    values: list[Any] = element.get("Value") or []
    first: Any = values[0] if values else None
    if isinstance(first, dict):
        name = cast("Mapping[str, str]", first)
        groups = (name.get("Alphabetic", ""), name.get("Ideographic", "") or name.get("Phonetic", ""))
        return " · ".join(display_name(group) for group in groups if group)
    text = "" if first is None else str(first)
    return {"DA": _date, "TM": _time, "DT": _moment}.get(str(element.get("vr")), str)(text)


def _date(text: str) -> str:
    return f"{text[:4]}-{text[4:6]}-{text[6:8]}" if len(text) == 8 and text.isdigit() else text


def _time(text: str) -> str:
    return f"{text[:2]}:{text[2:4]}" if len(text) >= 4 and text[:4].isdigit() else text


def _moment(text: str) -> str:
    return f"{_date(text[:8])} {_time(text[8:14])}".strip() if text[:8].isdigit() else text


def _language(text: str) -> str:
    return ' lang="bn"' if is_bangla(text) else ""
