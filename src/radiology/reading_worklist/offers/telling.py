"""What people are told of what is late or nobody can read. No text names a patient, a procedure or a finding."""

from collections.abc import Iterable
from typing import Final

from radiology.external.notifications import inbox
from radiology.external.notifications.model import Message
from radiology.kit.bilingual import Sentence
from radiology.kit.db import Transaction
from radiology.practitioners.readers.actions import who_leads

ESCALATED: Final = {
    1: Sentence("Half of the time to report a study has passed", "একটি পরীক্ষার প্রতিবেদনের অর্ধেক সময় পার হয়েছে"),
    2: Sentence(
        "Three quarters of the time to report a study have passed",
        "একটি পরীক্ষার প্রতিবেদনের তিন-চতুর্থাংশ সময় পার হয়েছে",
    ),
    3: Sentence("A study was not reported in time", "একটি পরীক্ষার প্রতিবেদন সময়মতো হয়নি"),
}
UNASSIGNABLE: Final = Sentence(
    "Nobody can be offered a study to read; see the list of those with their reasons",
    "একটি পরীক্ষা পড়ার জন্য কাউকে পাওয়া যাচ্ছে না; কারণসহ তালিকাটি দেখুন",
)


async def tell_escalated(tx: Transaction, accounts: Iterable[str], step: int, uid: str) -> int:
    """Tell of a step of the escalation; returns how many were told."""
    return await _place(tx, accounts, "reading.escalated", ESCALATED[step], uid)


async def tell_unassignable(tx: Transaction, facility_code: str, uid: str) -> int:
    """Tell the head of radiology of a facility that nobody can be offered a study."""
    return await _place(tx, await who_leads(tx, "head", facility_code), "reading.unassignable", UNASSIGNABLE, uid)


async def _place(tx: Transaction, accounts: Iterable[str], kind: str, said: Sentence, uid: str) -> int:
    text = f"{said.english}.\n{said.bangla}।"
    return await inbox.place(tx, accounts, Message(kind, said.english, text, f"ImagingStudy/{uid}"))
