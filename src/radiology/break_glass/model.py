"""The limits of break-glass, and what is said of it. Pure."""

from datetime import timedelta
from enum import StrEnum
from typing import Final

from radiology.external.notifications.model import Message

LASTS: Final = timedelta(hours=4)
REVIEWED_WITHIN: Final = timedelta(hours=72)
SHORTEST_REASON: Final = 20
"""Characters, without the spaces around them."""
USES_A_WEEK: Final = 3
"""More uses of one person within seven days raise an alert."""


class ReasonCode(StrEnum):
    """Why the glass is broken."""

    EMERGENCY = "emergency"
    UNCONSCIOUS_PATIENT = "unconscious-patient"
    CONTINUITY = "continuity"
    OTHER = "other"


class Outcome(StrEnum):
    """What a review found."""

    JUSTIFIED = "justified"
    NOT_JUSTIFIED = "not-justified"


def started(about: str) -> Message:
    """What privacy officers and the treating consultant are told at once."""
    return Message(
        "break-glass.start",
        "Break-glass access was used / জরুরি প্রবেশাধিকার ব্যবহার করা হয়েছে",
        "A clinician opened the protected record of a patient in an emergency. Please review it within 72 hours.\n"
        "একজন চিকিৎসক জরুরি প্রয়োজনে একজন রোগীর সংরক্ষিত নথি খুলেছেন। অনুগ্রহ করে ৭২ ঘণ্টার মধ্যে পর্যালোচনা করুন।",
        about,
    )


def overdue(about: str) -> Message:
    """What privacy officers are told when a review was not done in time."""
    return Message(
        "break-glass.overdue",
        "A review of break-glass access is overdue / জরুরি প্রবেশাধিকারের পর্যালোচনার সময় পেরিয়ে গেছে",
        "A use of break-glass access was not reviewed within 72 hours. Please review it now.\n"
        "জরুরি প্রবেশাধিকারের একটি ব্যবহার ৭২ ঘণ্টার মধ্যে পর্যালোচনা করা হয়নি। অনুগ্রহ করে এখনই পর্যালোচনা করুন।",
        about,
    )


def overused(about: str) -> Message:
    """What privacy officers are told when somebody breaks the glass often."""
    return Message(
        "break-glass.alert",
        "Frequent break-glass access / ঘন ঘন জরুরি প্রবেশাধিকার ব্যবহার",
        f"One person used break-glass access more than {USES_A_WEEK} times within seven days.\n"
        "একজন ব্যক্তি সাত দিনের মধ্যে তিনবারের বেশি জরুরি প্রবেশাধিকার ব্যবহার করেছেন।",
        about,
    )
