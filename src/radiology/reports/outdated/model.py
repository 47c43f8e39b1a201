"""What is said of a report whose images changed after it was signed. Pure."""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, LiteralString
from uuid import UUID

from radiology.external.notifications.model import Message
from radiology.reports.canonical import canonical


class Cause(StrEnum):
    """Why a report is outdated."""

    LATE = "late-images"
    REJECTED = "rejected-images"


HOURS: Final = {"stat": 1, "urgent": 4, "routine": 24}
"""Within so many hours somebody has looked; later the head of the department is told."""

OUTDATED: LiteralString = """(
        SELECT json_build_object('cause', task.cause, 'instances', task.instances, 'since', task.since,
            'dueAt', task.due_at)
        FROM outdated_reports AS task
        WHERE task.report_id = report.id
          AND task.closed_at IS NULL
    )"""
"""What the body of a `report` says of it; null where nothing changed."""

BANNERS: Final = {
    Cause.LATE: (
        "More images came after this report was signed. It does not speak of them; a radiologist is looking at them.",
        "এই রিপোর্ট স্বাক্ষরের পরে আরও ছবি এসেছে। রিপোর্টে সেগুলোর কথা নেই; একজন রেডিওলজিস্ট সেগুলো দেখছেন।",
    ),
    Cause.REJECTED: (
        "Images that this report was made from were rejected since. A radiologist is looking at it again.",
        "যে ছবিগুলো দেখে এই রিপোর্ট লেখা হয়েছিল তার কিছু পরে বাতিল হয়েছে। একজন রেডিওলজিস্ট আবার দেখছেন।",
    ),
}
"""What stands above such a report wherever people read it, in English and Bangla."""


@dataclass(frozen=True, slots=True)
class Task:
    """Somebody must look again at a signed report. `since` and `due_at` bound the time for it."""

    id: UUID
    report_id: UUID
    report_name: str
    study_id: UUID
    facility_code: str
    report_version: int
    report_status: str
    cause: str
    instances: int
    priority: str
    assigned_to: str | None
    is_new: bool = True


def signature(task: Task, *, sha256: bytes, by: str, at: datetime, comment: str) -> bytes:
    """What a reviewer signs: that a version, by its hash, stays as it is though its images changed."""
    said: dict[str, Any] = {
        "task": str(task.id),
        "reportId": str(task.report_id),
        "versionNo": task.report_version,
        "sha256": sha256.hex(),
        "cause": task.cause,
        "instances": task.instances,
        "resolution": "reviewed-no-change",
        "comment": comment,
        "by": by,
        "at": at.isoformat(),
    }
    return hashlib.sha256(canonical(said)).digest()


def to_review(task: Task) -> Message:
    """What the radiologist who signed is told."""
    hours = HOURS[task.priority]
    return Message(
        "report.outdated",
        "A signed report must be looked at again / স্বাক্ষরিত রিপোর্ট আবার দেখতে হবে",
        f"The images of {task.report_name} changed after it was signed. Please review it within {hours} h, and add to "
        "it or confirm that nothing changes.\n"
        f"{task.report_name} স্বাক্ষরের পরে এর ছবি বদলেছে। অনুগ্রহ করে {hours} ঘণ্টার মধ্যে দেখে রিপোর্টে যোগ করুন অথবা "
        "নিশ্চিত করুন যে কিছু বদলাবে না।",
        f"DiagnosticReport/{task.report_id}",
    )


def overdue(task: Task) -> Message:
    """What the heads of the department are told when nobody looked in time."""
    return Message(
        "report.review-overdue",
        "A signed report was not looked at again / স্বাক্ষরিত রিপোর্ট আবার দেখা হয়নি",
        f"The images of {task.report_name} changed after it was signed, and nobody has reviewed it in time.\n"
        f"{task.report_name} স্বাক্ষরের পরে এর ছবি বদলেছে, কিন্তু সময়মতো কেউ দেখেননি।",
        f"DiagnosticReport/{task.report_id}",
    )
