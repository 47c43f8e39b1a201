"""The page of a copy that people open: what is in it, in Bangla and English. No script, nothing fetched."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from html import escape
from typing import Any, Final
from zoneinfo import ZoneInfo

import orjson

from radiology.standards.dicom.names import readable

_FILES: Final[Mapping[str, tuple[str, str]]] = {
    "patient.json": ("Who you are in our records", "আমাদের নথিতে আপনার পরিচয়"),
    "studies.json": ("Examinations and their series", "পরীক্ষা ও সিরিজ"),
    "reports.json": ("Reports with all signed versions", "রিপোর্ট ও সব স্বাক্ষরিত সংস্করণ"),
    "orders.json": ("What was ordered, and what became of it", "যেসব পরীক্ষার অনুরোধ করা হয়েছে"),
    "worklist.json": ("Appointments", "সময়সূচি"),
    "workitems.json": ("Tasks of the department", "বিভাগের কাজ"),
    "performed.json": ("What was carried out", "যা সম্পন্ন হয়েছে"),
    "links.json": ("Links that were given out", "যেসব লিংক দেওয়া হয়েছে"),
    "notes.json": ("Corrections and restrictions asked for", "সংশোধন ও সীমাবদ্ধতার আবেদন"),
    "accesses.json": ("Who saw or used it, and when", "কে কখন দেখেছেন বা ব্যবহার করেছেন"),
    "files.json": ("The image files of the folder DICOM", "DICOM ফোল্ডারের ছবির ফাইল"),
}
_STYLE: Final = (
    "body{font:16px/1.5 system-ui,'Noto Sans Bengali',sans-serif;max-width:52rem;margin:2rem auto;padding:0 1rem}"
    "table{border-collapse:collapse;width:100%}td,th{text-align:left;border-bottom:1px solid #ccc;padding:.3rem;"
    "vertical-align:top}.text{white-space:pre-wrap}"
)


def index_page(
    documents: Mapping[str, bytes], files: Sequence[Mapping[str, Any]], *, made_at: datetime, zone: ZoneInfo
) -> bytes:
    """What is in the archive, with the examinations and reports written out."""
    person = orjson.loads(documents["patient.json"])
    name = readable(str(person["patient_name"])) or str(person["patient_id"])
    parts = [
        f"<h1>{_both('Everything that is held of', 'সংরক্ষিত সব তথ্য')}: {escape(name)}</h1>",
        f"<p>{made_at.astimezone(zone):%Y-%m-%d %H:%M}</p>",
        _table((_both(*_FILES[file]), f'<a href="{file}">{file}</a>') for file in documents),
        f"<h2>{_both('Examinations', 'পরীক্ষা')}</h2>",
        _table(_study(study, files) for study in orjson.loads(documents["studies.json"])),
        f"<h2>{_both('Reports', 'রিপোর্ট')}</h2>",
        *map(_report, orjson.loads(documents["reports.json"])),
    ]
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{escape(name)}</title>'
        f"<style>{_STYLE}</style><body>{''.join(parts)}</body></html>"
    ).encode()


def _study(study: Mapping[str, Any], files: Sequence[Mapping[str, Any]]) -> tuple[str, str]:
    images = sum(file["studyInstanceUID"] == study["study_instance_uid"] for file in files)
    said = f"{study['study_description'] or ''} · {', '.join(study['modalities_in_study'])}"
    return escape(str(study["study_date"] or "")), f"{escape(said)} · {images} {_both('files', 'ফাইল')}"


def _report(report: Mapping[str, Any]) -> str:
    sections = "".join(
        f'<h4>{escape(str(section["title"]))}</h4><p class="text">{escape(str(section["text"]))}</p>'
        for section in report["sections"]
        if section["text"]
    )
    return f"<h3>{escape(report['report_id'])} · {escape(report['status'])}</h3>{sections}"


def _both(english: str, bangla: str) -> str:
    return f'{escape(english)} <span lang="bn">· {escape(bangla)}</span>'


def _table(rows: Any) -> str:
    return "<table>" + "".join(f"<tr><th>{left}</th><td>{right}</td></tr>" for left, right in rows) + "</table>"
