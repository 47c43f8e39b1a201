"""A report as a page for people: what is stored, with labels in Bangla and English."""

from collections.abc import Mapping
from datetime import datetime
from html import escape
from typing import Any, Final
from zoneinfo import ZoneInfo

from radiology.reports.outdated.model import BANNERS, Cause
from radiology.sharing.queries import SharedReport
from radiology.standards.dicom.names import readable

_LABELS: Final[Mapping[str, tuple[str, str]]] = {
    "name": ("Name", "নাম"),
    "number": ("Patient ID", "রোগীর আইডি"),
    "born": ("Date of birth", "জন্ম তারিখ"),
    "sex": ("Sex", "লিঙ্গ"),
    "registered": ("Registered at signing as", "স্বাক্ষরের সময় যে নামে নিবন্ধিত"),
    "examination": ("Examination", "পরীক্ষা"),
    "day": ("Date", "তারিখ"),
    "accession": ("Accession number", "এক্সেশন নম্বর"),
    "report": ("Report", "রিপোর্ট"),
    "status": ("Status", "অবস্থা"),
    "issued": ("Issued", "প্রকাশের সময়"),
    "approver": ("Approved by", "অনুমোদনকারী"),
}
_SECTIONS: Final[Mapping[str, str]] = {
    "patient_info": "রোগীর তথ্য",
    "clinical_info": "রোগের বিবরণ",
    "technique": "পরীক্ষার পদ্ধতি",
    "findings": "পর্যবেক্ষণ",
    "impression": "মতামত",
    "comparison": "আগের পরীক্ষার সঙ্গে তুলনা",
    "recommendation": "পরামর্শ",
}
_STATES: Final[Mapping[str, tuple[str, str]]] = {
    "preliminary": ("Preliminary: not final, it may change", "প্রাথমিক: চূড়ান্ত নয়, পরিবর্তন হতে পারে"),
    "final": ("Final", "চূড়ান্ত"),
    "amended": ("Amended", "সংশোধিত"),
    "corrected": ("Corrected", "সংশোধিত"),
    "appended": ("Final, with an addition", "চূড়ান্ত, সংযোজনসহ"),
}
_SEXES: Final[Mapping[str, tuple[str, str]]] = {
    "M": ("Male", "পুরুষ"), "F": ("Female", "নারী"), "O": ("Other", "অন্যান্য"),
}  # fmt: skip


def report_page(report: SharedReport, zone: ZoneInfo) -> tuple[dict[str, str], str]:
    """The values and the markup of the page `report.html`."""
    code = str(report.code.get("text") or _first(report.code.get("coding")).get("display") or "")
    facts = {
        "name": readable(report.patient_name),
        "number": report.hospital_number,
        "born": _day(report.birth_date),
        "sex": _both(_SEXES.get(report.sex, (report.sex, ""))),
        "registered": _registered(report.registered_at_signing or {}),
        "examination": code or report.study_description or "",
        "day": report.study_date.isoformat() if report.study_date else "",
        "accession": report.accession_number or "",
        "report": report.report_id,
        "status": _both(_STATES[report.status]),
        "issued": _moment(report.issued or report.updated_at, zone),
        "approver": str((report.approver or {}).get("display") or (report.approver or {}).get("reference") or ""),
    }
    rows = "".join(
        f'<tr><th>{_label(*_LABELS[name])}</th><td dir="auto">{escape(value)}</td></tr>'
        for name, value in facts.items()
        if value
    )
    texts = "".join(_section(section) for section in report.sections if str(section.get("text") or "").strip())
    return {"title": report.report_id}, f"{_banner(report)}<table>{rows}</table>{texts}"


def _banner(report: SharedReport) -> str:
    """What stands above a report whose images changed after it was signed."""
    if report.outdated is None:
        return ""
    english, bangla = BANNERS[Cause(report.outdated)]
    return f'<p class="outdated" role="alert">{escape(english)} <span lang="bn">{escape(bangla)}</span></p>'


def _registered(cover: Mapping[str, str]) -> str:
    """As whom the patient was registered when the report was signed; empty where that is still so."""
    born = _day(cover.get("birthDate", ""))
    return ", ".join(filter(None, (readable(cover.get("name", "")), cover.get("patientId"), born)))


def _section(section: Mapping[str, Any]) -> str:
    heading = _label(str(section["title"]), _SECTIONS.get(str(section["id"]), ""))
    return f'<h2>{heading}</h2><p class="text" dir="auto">{escape(str(section["text"]))}</p>'


def _label(english: str, bangla: str) -> str:
    return escape(english) + (f' <span lang="bn">· {escape(bangla)}</span>' if bangla else "")


def _both(texts: tuple[str, str]) -> str:
    return " · ".join(filter(None, texts))


def _day(day: str) -> str:
    return f"{day[:4]}-{day[4:6]}-{day[6:]}" if len(day) == 8 else day


def _moment(moment: datetime, zone: ZoneInfo) -> str:
    return moment.astimezone(zone).strftime("%Y-%m-%d %H:%M")


def _first(codings: Any) -> Mapping[str, Any]:
    return codings[0] if codings else {}
