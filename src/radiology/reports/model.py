"""States, sections, checks and the hash chain of reports. Pure.

States are those of FHIR R4 DiagnosticReport.status; `registered` is a draft that nobody has verified.
"""

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from radiology.errors import FieldProblem, TransitionRefused, Unprocessable
from radiology.reports.canonical import canonical

LOINC = "http://loinc.org"


class Status(StrEnum):
    """DiagnosticReport.status (FHIR R4)."""

    REGISTERED = "registered"
    PARTIAL = "partial"
    PRELIMINARY = "preliminary"
    FINAL = "final"
    AMENDED = "amended"
    CORRECTED = "corrected"
    APPENDED = "appended"
    CANCELLED = "cancelled"
    ENTERED_IN_ERROR = "entered-in-error"


class Verb(StrEnum):
    """What moves a report."""

    EDIT = "edit"
    PRESENT = "present"
    APPROVE = "approve"


OPEN = (Status.REGISTERED, Status.PARTIAL, Status.PRELIMINARY)
SIGNED = (Status.FINAL, Status.AMENDED, Status.CORRECTED, Status.APPENDED)
INITIAL = frozenset({Status.REGISTERED, Status.PRELIMINARY})

TRANSITIONS: dict[tuple[Status, Verb], Status] = {
    **{(status, Verb.EDIT): status for status in OPEN},
    **{(status, Verb.PRESENT): Status.PRELIMINARY for status in OPEN},
    **{(status, Verb.APPROVE): Status.FINAL for status in OPEN},
}
"""All steps that this version offers."""


def step(status: str, verb: Verb) -> Status:
    """Where a verb leads. Raises TransitionRefused."""
    after = TRANSITIONS.get((Status(status), verb))
    if after is None:
        why = "what is signed is never changed" if status in SIGNED else "it is closed"
        raise TransitionRefused(f"A report that is {status} cannot be changed by {verb}: {why}.")
    return after


@dataclass(frozen=True, slots=True)
class Section:
    """A section of the specification's template, and the LOINC code of its kind (PS3.16 CID 7001)."""

    id: str
    title: str
    required: bool
    code: str | None


SECTIONS = (
    Section("patient_info", "Patient Information", False, None),
    Section("clinical_info", "Clinical Information", False, "18785-6"),
    Section("technique", "Technique", False, "55111-9"),
    Section("findings", "Findings", True, "59776-5"),
    Section("impression", "Impression", True, "19005-8"),
    Section("comparison", "Comparison", False, "18834-2"),
    Section("recommendation", "Recommendation", False, "18783-1"),
)
TEXTS = ("findings", "impression", "recommendation", "comparison", "technique")
"""Sections that have a field of their own in the specification's payload."""


def sections_of(texts: Mapping[str, str | None]) -> list[dict[str, Any]]:
    """All sections in their order, with what is known of their text."""
    return [
        {
            "id": section.id,
            "title": section.title,
            "order": order,
            "required": section.required,
            **({"code": {"system": LOINC, "code": section.code}} if section.code else {}),
            "text": texts.get(section.id) or "",
        }
        for order, section in enumerate(SECTIONS, 1)
    ]


_UNRESOLVED = re.compile(r"\{\{.*?\}\}|\{\{|\[\s*\]|___|\?\?\?", re.DOTALL)


def check(sections: Sequence[Mapping[str, Any]], *, final: bool) -> None:
    """V1: nothing required is empty (only a warning before signing). V2: nothing is left to fill in.

    Raises Unprocessable naming every section that is not ready.
    """
    problems = [*_empty(sections)] if final else []
    problems += [
        FieldProblem(section["id"], f"still holds {found[0]!r}: fill it in or take it out")
        for section in sections
        if (found := _UNRESOLVED.search(section["text"]))
    ]
    if problems:
        named = ", ".join(dict.fromkeys(problem.field for problem in problems))
        raise Unprocessable(f"The report is not ready: {named}.", fields=problems, tag="report-not-ready")


def _empty(sections: Sequence[Mapping[str, Any]]) -> Iterable[FieldProblem]:
    return (
        FieldProblem(section["id"], "is required before a report is signed")
        for section in sections
        if section["required"] and not section["text"].strip()
    )


def empty_required(sections: Sequence[Mapping[str, Any]]) -> list[dict[str, str]]:
    """V1 as a warning."""
    return [
        {"code": "section-empty", "field": problem.field, "message": "Empty; it is required before signing."}
        for problem in _empty(sections)
    ]


@dataclass(frozen=True, slots=True)
class Report:
    """What decides about a report's next step, and what its hash is made of."""

    id: UUID
    report_id: str
    study_id: UUID
    study_instance_uid: str
    study_status: str
    study_flags: list[str]
    study_match: str | None
    modalities: list[str]
    facility_code: str
    accession_number: str | None
    patient_reference: str
    status: str
    version: int
    category: list[dict[str, Any]]
    code: dict[str, Any]
    sections: list[dict[str, Any]]
    author: str
    contributors: list[dict[str, str]]
    approver: dict[str, Any] | None
    issued: datetime | None


def content_of(report: Report, previous: bytes | None) -> dict[str, Any]:
    """What a version's hash is made over."""
    return {
        "reportId": str(report.id),
        "versionNo": report.version,
        "status": str(report.status),
        "studyInstanceUIDs": [report.study_instance_uid],
        "accession": report.accession_number,
        "patientId": report.patient_reference,
        "code": report.code,
        "sections": report.sections,
        "categories": report.category,
        "measurements": [],
        "authors": [contributor["id"] for contributor in report.contributors],
        "approver": report.approver,
        "issued": report.issued.astimezone(UTC).isoformat() if report.issued else None,
        "prev_sha256": previous.hex() if previous else None,
    }


def hash_of(content: Mapping[str, Any]) -> bytes:
    """SHA-256 over the canonical form."""
    return hashlib.sha256(canonical(dict(content))).digest()


def text_of(report: Report) -> str:
    """The report as plain text."""
    return "\n\n".join(f"{section['title']}\n{section['text']}" for section in report.sections if section["text"])


@dataclass(frozen=True, slots=True)
class SignedVersion:
    """A row of report_versions."""

    version_no: int
    status: str
    content_json: dict[str, Any]
    sha256: bytes
    prev_sha256: bytes | None


#: Who the patient was found to be, and the number of the order, are put right beside a signed text, which stays.
PUT_RIGHT_LATER = frozenset(("patientId", "accession"))


def verify(versions: Sequence[SignedVersion], current: Report) -> list[str]:
    """What is wrong with a chain, in sentences; empty where it is whole."""
    wrong: list[str] = []
    previous: bytes | None = None
    for version in versions:
        if hash_of(version.content_json) != version.sha256:
            wrong.append(f"Version {version.version_no}: its content does not have its hash.")
        told = previous.hex() if previous else None
        if version.prev_sha256 != previous or version.content_json.get("prev_sha256") != told:
            wrong.append(f"Version {version.version_no}: it does not follow the version before it.")
        previous = version.sha256
    wrong += _differs(versions, current)
    return wrong


def _differs(versions: Sequence[SignedVersion], current: Report) -> list[str]:
    if not versions:
        return ["A signed report has no version."] if current.status in SIGNED else []
    last = versions[-1]
    if last.version_no != current.version:
        # A report withdrawn with its study has no version of its own.
        return [] if current.status == Status.ENTERED_IN_ERROR else ["The report has another version than its chain."]
    present = content_of(current, last.prev_sha256)
    same = all(present[name] == last.content_json[name] for name in present if name not in PUT_RIGHT_LATER)
    return [] if same else ["The report differs from its last version."]
