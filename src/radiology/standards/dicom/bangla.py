"""Bangla script: one way to write each letter, digits, and a fixed transliteration to Latin for searching."""

import unicodedata

_DIGITS = str.maketrans("০১২৩৪৫৬৭৮৯", "0123456789")
_BANGLA_DIGITS = str.maketrans("0123456789", "০১২৩৪৫৬৭৮৯")
#: Zero-width joiner and non-joiner change how a conjunct looks, not what it says.
_JOINERS = str.maketrans("", "", "\u200c\u200d\ufeff")
_NUKTA = "\u09bc"
_HASANTA = "\u09cd"

_VOWELS = dict(zip("অআইঈউঊঋএঐওঔ", ("a", "a", "i", "i", "u", "u", "ri", "e", "oi", "o", "ou"), strict=True))
_SIGNS = {
    "\u09be": "a",
    "\u09bf": "i",
    "\u09c0": "i",
    "\u09c1": "u",
    "\u09c2": "u",
    "\u09c3": "ri",
    "\u09c7": "e",
    "\u09c8": "oi",
    "\u09cb": "o",
    "\u09cc": "ou",
}
_CONSONANTS = {
    "ক": "k", "খ": "kh", "গ": "g", "ঘ": "gh", "ঙ": "ng",
    "চ": "ch", "ছ": "ch", "জ": "j", "ঝ": "jh", "ঞ": "n",
    "ট": "t", "ঠ": "th", "ড": "d", "ঢ": "dh", "ণ": "n",
    "ত": "t", "থ": "th", "দ": "d", "ধ": "dh", "ন": "n",
    "প": "p", "ফ": "f", "ব": "b", "ভ": "bh", "ম": "m",
    "য": "j", "র": "r", "ল": "l", "শ": "sh", "ষ": "sh", "স": "s", "হ": "h",
    "য" + _NUKTA: "y", "ড" + _NUKTA: "r", "ঢ" + _NUKTA: "rh",
    "ৎ": "t",
}  # fmt: skip
#: Marks that end a syllable: anusvara, visarga (not heard), chandrabindu (not heard).
_ENDINGS = {"\u0982": "ng", "\u0983": "", "\u0981": ""}
#: After these a subjoined ব is heard as w, as in বিশ্বাস; after others it is b, as in আব্বাস.
_BEFORE_W = frozenset("শষস")


def is_bangla(text: str) -> bool:
    """Whether the text has a character of the Bangla block."""
    return any("\u0980" <= char <= "\u09ff" for char in text)


def latin_digits(text: str) -> str:
    """Bangla digits as 0 to 9: a national ID typed in Bangla is the same number."""
    return text.translate(_DIGITS)


def bangla_digits(text: str) -> str:
    """Digits 0 to 9 as they are written in Bangla."""
    return text.translate(_BANGLA_DIGITS)


def normalise_bangla(text: str) -> str:
    """One code point sequence for each Bangla text: NFC (which keeps the nukta of য়, ড়, ঢ় apart), no joiners."""
    if not is_bangla(text):
        return text
    return unicodedata.normalize("NFC", text.translate(_JOINERS))


def transliterate(text: str) -> str:
    """Bangla to Latin by a fixed table, close to how Bangladeshis spell names; other characters stay.

    The unwritten vowel is `a`; it is not heard at the end of a word, nor between a vowel and a consonant with a vowel:
    রহমান is "rahman", ইসলাম "islam".
    """
    return " ".join(_word(word) for word in latin_digits(normalise_bangla(text)).split(" "))


def _word(word: str) -> str:
    letters = _letters(word)
    out: list[str] = []
    for index, (consonant, vowel) in enumerate(letters):
        heard = "" if vowel is None and _silent(letters, index, out) else "a" if vowel is None else vowel
        out.append(consonant + heard)
    return "".join(out)


def _silent(letters: list[tuple[str, str | None]], index: int, before: list[str]) -> bool:
    """Whether the unwritten vowel of this consonant is not heard."""
    if index + 1 == len(letters):
        return index > 0
    after_vowel = bool(before) and before[-1][-1:] in tuple("aeiou")
    consonant, vowel = letters[index + 1]
    return after_vowel and consonant != "" and vowel != "" and (vowel is not None or index + 2 < len(letters))


def _letters(word: str) -> list[tuple[str, str | None]]:
    """Consonant and vowel pairs; the vowel is None where it is unwritten, "" where the hasanta removes it."""
    letters: list[tuple[str, str | None]] = []
    position = 0
    while position < len(word):
        pair = word[position : position + 2]
        letter = pair if pair in _CONSONANTS else word[position]
        position += len(letter)
        if letter in _CONSONANTS:
            letters.append(_consonant(letter, word, position - len(letter)))
        elif letter in _SIGNS and letters and letters[-1][0]:
            letters[-1] = (letters[-1][0], _SIGNS[letter])
        elif letter == _HASANTA and letters:
            letters[-1] = (letters[-1][0], "")
        elif letter in _ENDINGS:
            if _ENDINGS[letter]:
                letters.append((_ENDINGS[letter], ""))
        else:
            letters.append(("", _VOWELS.get(letter, letter)))
    return letters


def _consonant(letter: str, word: str, position: int) -> tuple[str, str | None]:
    subjoined = position >= 2 and word[position - 1] == _HASANTA
    if letter == "ব" and subjoined and word[position - 2] in _BEFORE_W:
        return "w", None
    if letter == "য" and subjoined:
        # The ya-phala only lengthens what is before it.
        return "y", None
    return _CONSONANTS[letter], None
