"""What patients are told in a short message, in Bangla or English. Pure.

Neither the examination nor a name stands in it: it lights up on a telephone that others see.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final
from zoneinfo import ZoneInfo

from radiology.kit.bilingual import Sentence
from radiology.procedures.preparations import short_sentences
from radiology.standards.dicom.bangla import bangla_digits


class Moment(StrEnum):
    """When somebody is told something besides reminders, which are named by their hours before, as `24h`."""

    BOOKED = "booked"
    MOVED = "moved"
    OFFERED = "offered"


@dataclass(frozen=True, slots=True)
class Sender:
    """Who tells: the facility as patients know it, and whom they call."""

    name: str = ""
    name_bangla: str = ""
    phone: str = ""


_SENTENCES: Final[dict[str, Sentence]] = {
    Moment.BOOKED: Sentence("Your appointment is on {when}.", "আপনার অ্যাপয়েন্টমেন্ট {when}।"),
    Moment.MOVED: Sentence(
        "Your appointment has been moved. It is now on {when}.", "আপনার অ্যাপয়েন্টমেন্টের সময় বদলেছে। নতুন সময় {when}।"
    ),
    Moment.OFFERED: Sentence(
        "An earlier time is free on {when}. Please call or come to take it.",
        "{when} একটি সময় ফাঁকা হয়েছে। নিতে চাইলে ফোন করুন বা আসুন।",
    ),
}
_REMINDER: Final = Sentence("Reminder: your appointment is on {when}.", "স্মরণ করিয়ে দিচ্ছি: আপনার অ্যাপয়েন্টমেন্ট {when}।")
_NUMBER: Final = Sentence("Number {number}.", "নম্বর {number}।")
_CALL: Final = Sentence("Questions: {phone}.", "প্রয়োজনে: {phone}।")


def text(
    moment: str, begins: datetime, *, zone: ZoneInfo, language: str, preparations: Sequence[str], number: str,
    sender: Sender,
) -> str:  # fmt: skip
    """The message. `number` is what the reception finds the appointment by."""
    local = begins.astimezone(zone)
    bangla = language == "bn"

    def said(sentence: Sentence) -> str:
        return sentence.bangla if bangla else sentence.english

    name = (sender.name_bangla or sender.name) if bangla else sender.name
    when = _when(local, bangla=bangla)
    parts = [f"{name}:" if name else "", said(_SENTENCES.get(moment, _REMINDER)).format(when=when)]
    end = "।" if bangla else "."
    parts += [said(sentence) + end for sentence in short_sentences(preparations)]
    parts.append(said(_NUMBER).format(number=number))
    parts.append(
        said(_CALL).format(phone=bangla_digits(sender.phone) if bangla else sender.phone) if sender.phone else ""
    )
    return " ".join(part for part in parts if part)


def _when(local: datetime, *, bangla: bool) -> str:
    if not bangla:
        return f"{local:%d/%m/%Y} at {local:%H:%M}"
    return bangla_digits(f"{local:%d/%m/%Y} তারিখ {_part_of_day(local.hour)} {local.hour % 12 or 12}:{local:%M}")


def _part_of_day(hour: int) -> str:
    """How the hour is said in Bangla, which counts to twelve."""
    for until, word in ((4, "রাত"), (6, "ভোর"), (12, "সকাল"), (15, "দুপুর"), (18, "বিকাল"), (20, "সন্ধ্যা")):
        if hour < until:
            return word
    return "রাত"
