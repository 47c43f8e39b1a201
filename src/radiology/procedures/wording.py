"""Names of procedures in English and Bangla, made alike before they are compared. Pure."""

import re
from collections.abc import Iterable
from typing import Final

from rapidfuzz import fuzz

from radiology.sensitivity.words import words_of

#: Words that are written in several ways -> the one that is compared.
_ALIKE: Final = {
    **dict.fromkeys(
        ["us", "usg", "ultrasonogram", "ultrasonography", "sonogram", "sonography", "আল্ট্রাসনোগ্রাফি", "আলট্রাসনোগ্রাম"],
        "ultrasound",
    ),
    **dict.fromkeys(["আল্ট্রাসনোগ্রাম", "আল্ট্রাসাউন্ড", "ইউএসজি"], "ultrasound"),
    **dict.fromkeys(["mr", "এমআরআই"], "mri"),
    **dict.fromkeys(["radiograph", "film", "xr", "এক্সরে"], "xray"),
    **dict.fromkeys(["cat", "সিটি"], "ct"),
    **dict.fromkeys(["mammography", "mammographic", "ম্যামোগ্রাফি", "ম্যামোগ্রাম"], "mammogram"),
    **dict.fromkeys(["ডপলার", "duplex"], "doppler"),
}
#: Words that say nothing of which procedure it is.
_FILLING: Final = frozenset({"of", "the", "a", "and", "for", "scan", "view", "views", "both", "স্ক্যান", "ও", "করা"})
#: Words that say how, not what of the body: two names that share only these may mean quite different examinations.
_HOW: Final = frozenset({
    "ultrasound", "mri", "xray", "ct", "mammogram", "doppler", "with", "without", "w", "wo", "contrast", "iv", "plain",
    "nm", "mg", "dx", "cr", "rf", "angiogram", "angio", "bilateral", "left", "right", "lower", "upper", "single", "ap",
    "pa", "2", "lateral", "whole", "unspecified", "region", "কন্ট্রাস্টসহ", "routine",
})  # fmt: skip
_SPACED: Final = re.compile(r"(?<!\w)(x)[ \u2010-\u2014-](rays?)(?!\w)|(এক্স)[ \u2010-\u2014-](রে)", re.IGNORECASE)
_JOINED: Final = re.compile(r"(?<=\w)[-\u2010\u2011](?=\w)")
_CLOSE: Final = 85.0


def words(text: str) -> tuple[str, ...]:
    """The words of a name without those that say nothing, each as it is compared."""
    text = _SPACED.sub(lambda found: "".join(filter(None, found.groups())), text)
    found = (_singular(word) for word in words_of(_JOINED.sub(" ", text)))
    return tuple(_ALIKE.get(word, word) for word in found if word not in _FILLING)


def name(text: str) -> tuple[str, ...]:
    """A name in the form in which two are the same: its words, in any order."""
    return tuple(sorted(set(words(text))))


def meaning(text: str) -> frozenset[str]:
    """The beginnings of the words that say what is examined, for comparing names that are never quite the same."""
    return frozenset(_beginning(word) for word in words(text) if word not in _HOW)


def matches(word: str, known: Iterable[str]) -> bool:
    """Whether a word that somebody types is one of these, the beginning of one, or nearly one."""
    return any(each.startswith(word) or (len(word) > 4 and fuzz.ratio(word, each) >= _CLOSE) for each in known)


def _singular(word: str) -> str:
    return "xray" if word == "xrays" else word.rstrip("*")


def _beginning(word: str) -> str:
    return word[:4] if word.isascii() else word[:3]
