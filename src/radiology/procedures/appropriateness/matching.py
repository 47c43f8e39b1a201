"""Terms in the words of an order, in English and Bangla. Pure.

A phrase counts where it stands as whole words and is not denied: "no red flag", "জ্বর নেই". A code counts only where
the words beside it say the same, since codes are sent for the wrong thing.
"""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from radiology.procedures.appropriateness.model import Indication
from radiology.standards.dicom.bangla import latin_digits, normalise_bangla

_BREAK: Final = "|"
_BREAKS: Final = re.compile(r"[;:()\[\]\n।!?]|[.,](?!\d)|(?<!\d)[.,]")
_SIGNS: Final = str.maketrans({"<": " below ", ">": " over ", "'": "", "’": ""})
_SPACES: Final = re.compile(r"[\s\-/_+]+")
_DENIES: Final = frozenset({"no", "without", "denies", "denied", "nil", "absent"})
_DENIES_NEXT: Final = frozenset({"not", "non", "negative"})
_DENIED: Final = frozenset({"নেই", "নাই", "ছাড়া", "absent", "negative"})
_BUT: Final = frozenset({"but", "with", "কিন্তু", _BREAK})
_REACH: Final = 3
_DAYS: Final = {
    "day": 1, "days": 1, "দিন": 1, "দিনের": 1, "week": 7, "weeks": 7, "wk": 7, "wks": 7, "সপ্তাহ": 7, "সপ্তাহের": 7,
    "month": 30, "months": 30, "মাস": 30, "মাসের": 30, "year": 365, "years": 365, "বছর": 365, "বছরের": 365,
}  # fmt: skip
_NUMBERS: Final = {
    "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "ten": 10, "এক": 1,
    "দুই": 2, "তিন": 3, "চার": 4, "পাঁচ": 5, "ছয়": 6, "সাত": 7, "আট": 8, "দশ": 10,
}  # fmt: skip
_FOR: Final = re.compile(rf"(\d+|{'|'.join(_NUMBERS)}) ?({'|'.join(sorted(_DAYS, key=len, reverse=True))})(?= )")


@dataclass(frozen=True, slots=True)
class Term:
    """A word of the rules: the phrases that mean it, and codes with the names that agree with each.

    cautious: denied only by the word right before it, since to miss it would be dangerous.
    """

    id: str
    phrases: tuple[str, ...]
    codes: tuple[tuple[str, str, tuple[str, ...]], ...] = ()
    cautious: bool = False


def plain(text: str) -> str:
    """Words as they are compared: no case, one form of each character, one space; breaks of a sentence as `|`."""
    folded = latin_digits(normalise_bangla(unicodedata.normalize("NFKC", text))).casefold().translate(_SIGNS)
    return f" {_SPACES.sub(' ', _BREAKS.sub(f' {_BREAK} ', folded)).strip()} "


def terms_in(indications: Iterable[Indication], terms: Sequence[Term]) -> frozenset[str]:
    """Which terms stand in the indications."""
    found: set[str] = set()
    for indication in indications:
        text = plain(indication.text)
        found.update(term.id for term in terms if _says(text, term) or _is_coded(indication, text, term))
    return frozenset(found)


def days_in(texts: Iterable[str]) -> int | None:
    """The longest time that is told, in days: "for two weeks", "৩ দিন"."""
    told = [
        (int(number) if number.isdecimal() else _NUMBERS[number]) * _DAYS[unit]
        for text in texts
        for number, unit in _FOR.findall(plain(text))
    ]
    return max(told, default=None)


def _says(text: str, term: Term) -> bool:
    return any(phrase in text and not _is_denied_everywhere(text, phrase, term.cautious) for phrase in term.phrases)


def _is_denied_everywhere(text: str, phrase: str, cautious: bool) -> bool:
    at = text.find(phrase)
    while at >= 0:
        if not _is_denied(text[:at].split(), text[at + len(phrase) :].split(), cautious):
            return False
        at = text.find(phrase, at + 1)
    return True


def _is_denied(before: Sequence[str], after: Sequence[str], cautious: bool) -> bool:
    for distance, word in enumerate(reversed(before[-1 if cautious else -_REACH :])):
        if word in _BUT and word != "with":
            break
        if word in _DENIES or (distance == 0 and word in _DENIES_NEXT):
            return True
    return bool(after) and after[0] in _DENIED


def _is_coded(indication: Indication, text: str, term: Term) -> bool:
    coding = indication.coding
    return coding is not None and any(
        (coding.system, coding.code) == (system, code) and any(name in text for name in names)
        for system, code, names in term.codes
    )
