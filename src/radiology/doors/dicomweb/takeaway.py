"""The texts that lie in a ZIP of a study: a page that shows its images without a server, and what the files are."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any, Self

import orjson

from radiology.standards.dicom.attributes import text_of

_STYLE = """
body{margin:0;font:16px/1.4 system-ui,"Noto Sans Bengali",sans-serif;background:#111;color:#eee}
header,section{padding:1rem}h1,h2{font-size:1.1rem;margin:.2rem 0}figure{margin:0}
img{display:block;max-width:100%;max-height:75vh;background:#000}input{width:100%;max-width:40rem}
a{color:#9cf}li{margin:.2rem 0}
"""
_SCRIPT = """
for (const section of document.querySelectorAll("section[data-pictures]")) {
  const pictures = JSON.parse(section.dataset.pictures);
  const image = section.querySelector("img"), slider = section.querySelector("input");
  const text = section.querySelector("figcaption");
  const show = () => {
    const [name, number] = pictures[slider.value];
    image.src = name; image.alt = text.textContent = `Image ${number} (${+slider.value + 1} of ${pictures.length})`;
  };
  slider.addEventListener("input", show);
  image.addEventListener("wheel", (event) => {
    event.preventDefault(); slider.value = +slider.value + Math.sign(event.deltaY); show();
  }, {passive: false});
  show();
}
"""


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture of an image: its name in the ZIP, and the image's number."""

    name: str
    number: str


@dataclass(frozen=True, slots=True)
class Shown:
    """One object on the page."""

    patient: str
    study: str
    series: str
    title: str
    file: str
    picture: Picture | None

    @classmethod
    def of(cls, header: Mapping[str, Any], file: str, picture: Picture | None) -> Self:
        """The object of a header in the DICOM JSON model."""
        names: list[Any] = header.get("00100010", {}).get("Value") or [{}]
        groups: Mapping[str, str] = names[0] or {}
        name = " / ".join(text.replace("^", " ").strip() for text in groups.values())
        study = [text_of(header, tag) for tag in ("00080020", "00081030", "00080050")]
        series = [text_of(header, tag) for tag in ("00200011", "00080060", "0008103E")]
        patient = [name, text_of(header, "00100020"), text_of(header, "00100030"), text_of(header, "00100040")]
        return cls(_joined(patient), _joined(study), text_of(header, "0020000E"), _joined(series), file, picture)


def page_of(shown: Sequence[Shown]) -> bytes:
    """INDEX.HTM: the series with their pictures, and links to the files."""
    series: dict[str, list[Shown]] = {}
    for one in shown:
        series.setdefault(one.series, []).append(one)
    patient, study = (shown[0].patient, shown[0].study) if shown else ("", "")
    sections = "".join(_section(members) for members in series.values())
    page = (
        '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{escape(patient)}</title><style>{_STYLE}</style></head><body>"
        f"<header><h1>{escape(patient)}</h1><p>{escape(study)}</p>"
        "<p>These pictures are for orientation, not for diagnosis. Open DICOMDIR with a DICOM viewer for that.</p>"
        f"</header>{sections}<script>{_SCRIPT}</script></body></html>"
    )
    return page.encode()


def _section(members: Sequence[Shown]) -> str:
    pictures = [(one.picture.name, one.picture.number) for one in members if one.picture is not None]
    title = f"<h2>{escape(members[0].title or 'Series')}</h2>"
    files = "".join(f'<li><a href="{one.file}" download>{one.file}</a></li>' for one in members)
    listed = f"<details><summary>{len(members)} files</summary><ul>{files}</ul></details>"
    if not pictures:
        return f"<section>{title}{listed}</section>"
    data = escape(orjson.dumps(pictures).decode())
    slider = f'<input type="range" min="0" max="{len(pictures) - 1}" value="0" aria-label="Image">'
    return (
        f'<section data-pictures="{data}">{title}<figure><img src="{pictures[0][0]}" alt=""><figcaption></figcaption>'
        f"</figure>{slider}{listed}</section>"
    )


def read_me(facility_code: str, count: int) -> bytes:
    """README.TXT (IHE RAD TF-2 4.47.4.1.2.3.3), in ASCII with lines of MS-DOS."""
    lines = (
        f"This is a copy of medical images from {facility_code}: {count} DICOM objects.",
        "",
        "INDEX.HTM   shows them in any browser, for orientation only.",
        "DICOMDIR    is what a DICOM viewer opens.",
        "DICOM       holds the objects as they are stored, IHE_PDI the pictures of the page.",
        "OTHER       if there, holds objects that a DICOMDIR has no place for.",
        "",
        "It tells about a patient. Keep it as you keep other medical records.",
    )
    return "\r\n".join((*lines, "")).encode("ascii", "replace")


def _joined(texts: Sequence[str]) -> str:
    return ", ".join(text for text in texts if text)
