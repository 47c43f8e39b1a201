"""Names of persons: DICOM PN (PS3.5 6.2.1), and finding them however they are spelled, in Latin or Bangla script.

Three strengths of comparison: `match_text` (PS3.4 C.2.2.2.1: case, accents and spaces do not count), `name_tokens`
(honorifics removed, transliterated, spelling classes unified) and `name_keys` (by sound).
"""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from rapidfuzz.distance import JaroWinkler

from radiology.standards.dicom.bangla import is_bangla, latin_digits, normalise_bangla, transliterate

GROUPS = ("Alphabetic", "Ideographic", "Phonetic")
_COMPONENTS = ("family", "given", "middle", "prefix", "suffix")


@dataclass(frozen=True, slots=True)
class PersonName:
    """The three component groups of a PN, each `family^given^middle^prefix^suffix` without trailing carets."""

    alphabetic: str = ""
    ideographic: str = ""
    phonetic: str = ""

    @classmethod
    def parse(cls, text: str) -> "PersonName":
        """Read the encoded form, groups separated by `=`."""
        return cls(*(_trimmed(group) for group in [*text.split("="), "", "", ""][:3]))

    @classmethod
    def of_json(cls, groups: Mapping[str, str]) -> "PersonName":
        """Read the DICOM JSON form (PS3.18 F.2.2)."""
        return cls(*(_trimmed(groups.get(name, "")) for name in GROUPS))

    @property
    def groups(self) -> tuple[str, ...]:
        """The groups that are not empty."""
        return tuple(group for group in (self.alphabetic, self.ideographic, self.phonetic) if group)

    def encode(self) -> str:
        """The encoded form, without trailing `=`."""
        return "=".join((self.alphabetic, self.ideographic, self.phonetic)).rstrip("=")

    def as_json(self) -> dict[str, str]:
        """The DICOM JSON form; empty groups are left out."""
        named = zip(GROUPS, (self.alphabetic, self.ideographic, self.phonetic), strict=True)
        return {name: group for name, group in named if group}


def _trimmed(group: str) -> str:
    return "^".join(part.strip() for part in group.split("^")).rstrip("^")


def in_two_scripts(name: str, bangla: str = "") -> PersonName:
    """A name with Latin letters in the first group, which modalities read, and Bangla in the second.

    One that is written in groups already stays.
    """
    if "=" in name:
        return PersonName.parse(name)
    if not is_bangla(name):
        return PersonName.parse(f"{name}={bangla}")
    parts = (transliterate(part) for part in name.split("^"))
    latin = "^".join(" ".join(word.capitalize() for word in part.split(" ")) for part in parts)
    return PersonName.parse(f"{latin}={bangla or name}")


def components(group: str) -> dict[str, str]:
    """The parts of one component group by name: family, given, middle, prefix, suffix; empty ones are left out."""
    return {name: part for name, part in zip(_COMPONENTS, group.split("^"), strict=False) if part}


def display_name(group: str) -> str:
    """A component group as people read it: prefix, given, middle, family, suffix."""
    parts = components(group)
    order = ("prefix", "given", "middle", "family", "suffix")
    return " ".join(parts[name] for name in order if name in parts)


def readable(name: str) -> str:
    """A whole encoded name for people: each script with spaces, the letters of the country first."""
    groups = [" ".join(group.replace("^", " ").split()) for group in name.split("=")]
    return " · ".join(dict.fromkeys(group for group in reversed(groups) if group))


def match_text(group: str) -> str:
    """A component group, or a pattern for one, as PN matching compares it (PS3.4 C.2.2.2.1 and C.2.2.2.4).

    Compatibility forms and Latin accents are removed, case folded, spaces collapsed, trailing carets stripped.
    """
    plain = latin_digits(normalise_bangla(_without_accents(group)))
    parts = (" ".join(part.split()) for part in plain.casefold().split("^"))
    return "^".join(parts).rstrip("^")


def _without_accents(text: str) -> str:
    if text.isascii():
        return text
    kept: list[str] = []
    latin = False
    for char in unicodedata.normalize("NFKD", text):
        if unicodedata.combining(char) and latin:
            continue
        latin = char.isascii() or "LATIN" in unicodedata.name(char, "")
        kept.append(char)
    return unicodedata.normalize("NFC", "".join(kept))


# Spelling

_HONORIFIC_WORDS = """
md mohd mohammad mohammed muhammad mohammod muhammed mohamed muhammod most mst mosammat mosammot mosa
sri sree shri smt alhaj alhajj hazi haji dr prof professor engr late mr mrs ms miss
মোঃ মো মোহাঃ মোহাম্মদ মুহাম্মদ মোহাম্মাদ মোছাঃ মোসাঃ মোছা মোসা মোসাম্মৎ মোছাম্মৎ শ্রী শ্রীমতী আলহাজ হাজী ডাঃ ডা ড অধ্যাপক মরহুম
"""
_HONORIFICS = frozenset(_HONORIFIC_WORDS.split())

#: Spellings of one name; the first is the one all become. Domain rule first, then what transliteration yields.
_CLASSES = (
    "rahman rahaman rohman rohoman rehman",
    "hossain hosen hussain hossen hosain husain hossein hosein",
    "chowdhury choudhury chaudhuri choudhuri chowdhuri chaudhury chowdury",
    "uddin udden oddin",
    "akter akhter aktar akhtar",
    "islam eslam",
    "begum begom begam",
    "khatun khatoon",
    "sheikh shaikh sk shekh",
    "ahmed ahmad ahamed",
    "das dash",
    "biswas bishwas",
    "sarkar sarker",
    "talukder talukdar",
    "syed saiyed sayed soiyad saiyad",
)
_SPELLING = {spelling: names.split()[0] for names in _CLASSES for spelling in names.split()}

#: Names that so many women share that they say little (domain rule: they count 0.3).
_WEAK = frozenset(("begum", "khatun", "akter"))
WEAK_WEIGHT = 0.3

#: Five components of 64 characters in three groups (PS3.5 6.2); what is longer is no name.
_LONGEST = 1024

_SEPARATORS = re.compile(r"[\s^=.,;:()/_\-*?]+")
_APOSTROPHES = re.compile("['\u2019`\u02bc]")


def name_tokens(text: str) -> tuple[str, ...]:
    """The words of a name in Latin script, honorifics removed and spellings unified: `মোঃ রহমান` gives ("rahman",).

    A name that is nothing but honorifics keeps them.
    """
    words = _words(text)
    kept = [word for word in words if word not in _HONORIFICS] or words
    latin = (_SEPARATORS.sub("", transliterate(word) if is_bangla(word) else word) for word in kept)
    return tuple(_SPELLING.get(word, word) for word in latin if word)


def _words(text: str) -> list[str]:
    plain = _APOSTROPHES.sub("", match_text(text[:_LONGEST].replace("=", "^")))
    return [word for word in _SEPARATORS.split(plain) if word]


def normalise_name(text: str) -> str:
    """The tokens of a name as one text, in the order given."""
    return " ".join(name_tokens(text))


def token_weight(token: str) -> float:
    """How much a token says about who it is, 0 to 1."""
    return WEAK_WEIGHT if token in _WEAK else 1.0


def name_search_text(name: PersonName | str) -> str:
    """The text to index: the words of every group as written (normalised), then those that unifying them adds."""
    groups = name.groups if isinstance(name, PersonName) else tuple(name.split("="))
    words = [word for group in groups for word in (*_words(group), *name_tokens(group))]
    return " ".join(dict.fromkeys(words))


# Sound

_SOUNDS = (
    ("ph", "f"),
    ("bh", "b"),
    ("sh", "s"),
    ("ee", "i"),
    ("oo", "u"),
    ("v", "b"),
    ("z", "j"),
    ("q", "k"),
    ("y", "i"),
    ("o", "a"),
)
_DOUBLED = re.compile(r"(.)\1+")


@lru_cache(maxsize=4096)
def phonetic_key(token: str) -> str:
    """One word by its sound: b/v, j/z, s/sh, f/ph, k/q, i/ee/y, u/oo and o/a are one each; no final h or a."""
    key = token
    for sound, letter in _SOUNDS:
        key = key.replace(sound, letter)
    key = _DOUBLED.sub(r"\1", key)
    shorter = key.rstrip("ha")
    return shorter if len(shorter) > 1 else key


def name_keys(text: str | PersonName) -> tuple[str, ...]:
    """The phonetic keys of the words of a name, each once. A search finds a name when all its keys are among them."""
    groups = text.groups if isinstance(text, PersonName) else tuple(text.split("="))
    return tuple(dict.fromkeys(phonetic_key(token) for group in groups for token in name_tokens(group)))


def name_found(query: str, name: PersonName | str) -> bool:
    """Whether a search for `query` finds `name`: every word of it sounds like one of the name's."""
    wanted = name_keys(query)
    return bool(wanted) and set(wanted) <= set(name_keys(name))


def name_similarity(one: str, other: str) -> float:
    """Jaro-Winkler similarity of two names, 0 to 1, honorifics aside, in the order of words that fits better."""
    first, second = name_tokens(one), name_tokens(other)
    return max(
        JaroWinkler.similarity(" ".join(first), " ".join(second)),
        JaroWinkler.similarity(" ".join(sorted(first)), " ".join(sorted(second))),
    )


def name_rank(query: str, name: PersonName | str) -> float:
    """How well a name answers a search, 0 to 1: the best Jaro-Winkler fit of each word asked for, weighted."""
    text = name.encode() if isinstance(name, PersonName) else name
    words = [token for group in text.split("=") for token in name_tokens(group)]
    wanted = name_tokens(query)
    if not words or not wanted:
        return 0.0
    best = [(token_weight(token), max(JaroWinkler.similarity(token, word) for word in words)) for token in wanted]
    return sum(weight * score for weight, score in best) / sum(weight for weight, _ in best)
