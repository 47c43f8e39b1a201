"""Words of English and Bangla, made alike before they are compared. Pure."""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from typing import Final, Generic, TypeVar

T = TypeVar("T")

#: Letters and digits with the signs that belong to them: the vowel signs of Bangla are no word characters of `\w`.
_WORD: Final = re.compile(r"[\w\u0980-\u09FF]+\*?")
_JOINERS: Final = dict.fromkeys(map(ord, "\u200b\u200c\u200d\ufeff"))


def words_of(text: str) -> tuple[str, ...]:
    """The words of a text without case, width, joiners and punctuation; a `*` behind one stays."""
    plain = unicodedata.normalize("NFKC", text).translate(_JOINERS).casefold().replace("_", " ")
    return tuple(_WORD.findall(plain))


class Phrases(Generic[T]):
    """Many phrases that are looked for at once. A word with `*` behind it is the beginning of one."""

    def __init__(self, phrases: Iterable[tuple[str, T]]) -> None:
        self._by_first: dict[str, list[tuple[tuple[str, ...], T]]] = {}
        self._by_beginning: list[tuple[tuple[str, ...], T]] = []
        for phrase, meant in phrases:
            words = words_of(phrase)
            if words and words[0].endswith("*"):
                self._by_beginning.append((words, meant))
            elif words:
                self._by_first.setdefault(words[0], []).append((words, meant))

    def found_in(self, text: str) -> list[T]:
        """What is meant by the phrases that stand in a text."""
        words = [word.rstrip("*") for word in words_of(text)]
        return [
            meant
            for place, word in enumerate(words)
            for phrase, meant in (*self._by_first.get(word, ()), *self._by_beginning)
            if _stands_at(phrase, words, place)
        ]


def _stands_at(phrase: Sequence[str], words: Sequence[str], place: int) -> bool:
    there = words[place : place + len(phrase)]
    return len(there) == len(phrase) and all(
        word.startswith(wanted[:-1]) if wanted.endswith("*") else word == wanted
        for wanted, word in zip(phrase, there, strict=True)
    )
