"""The catalogue of one day in memory: what a code, a key or a name means, and on which terms it is done. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import date
from typing import Any, Final

from radiology.errors import NotFound
from radiology.procedures import wording
from radiology.procedures.meanings import MEANINGS
from radiology.procedures.model import LOCAL_SYSTEM, LOINC, RADLEX, Agreed, Coding, Procedure, Terms
from radiology.sensitivity.evidence import system_of

#: Modalities that are one for the catalogue (PS3.3 C.7.3.1.1.1).
_SAME: Final[Mapping[str, str]] = {
    "CR": "DX",
    "DR": "DX",
    "RG": "DX",
    "MRI": "MR",
    "DXA": "BMD",
    "ECHO": "US",
}
#: Coding Scheme Designators of the worklist (PS3.16 8) that name a system of the catalogue.
_SCHEMES: Final[Mapping[str, str]] = {"99LOCAL": LOCAL_SYSTEM, "RPID": RADLEX}
_Ranked = tuple[int, Procedure]


class Catalogue:
    """All procedures as they are on one day.

    `entries` and `agreed` are all that was ever said; `generation` tells whether it is still what the database has.
    """

    def __init__(
        self, entries: Iterable[Procedure], agreed: Iterable[Agreed] = (), *, on: date, generation: str = ""
    ) -> None:
        self.on, self.generation = on, generation
        self._keys = {each.key: each for each in _in_force(entries, on)}
        self.procedures = tuple(sorted((each for each in self._keys.values() if each.active), key=_order))
        """Those that can be ordered, by modality and key."""
        self._agreed: dict[tuple[str, str, str], list[Agreed]] = {}
        for each in agreed:
            self._agreed.setdefault((each.key, each.facility_code, each.ownership), []).append(each)
        self._usual: dict[tuple[str, str, date], Terms] = {}
        self._codes: dict[tuple[str, str], list[_Ranked]] = {}
        self._names: dict[tuple[str, ...], list[_Ranked]] = {}
        self._words: dict[str, frozenset[str]] = {}
        self._meanings = {code: frozenset[str]().union(*map(wording.meaning, told)) for code, told in MEANINGS.items()}
        self._called = {code: told[0] for code, told in MEANINGS.items()}
        for procedure in self.procedures:
            self._note(procedure)
        self._vocabulary = frozenset[str]().union(*self._meanings.values())

    def by_key(self, key: str) -> Procedure | None:
        """The procedure of a key, also one that can no longer be ordered."""
        return self._keys.get(key)

    def find(self, codings: Iterable[Coding], modality: str = "", text: str = "") -> Procedure | None:
        """What is meant by codes, else by words that are a name of it; None where the catalogue does not know it.

        A code is not believed where its words say something else, or where the modality is another. Of several that a
        code means, that which shares most words with the text, then the one that takes longest.
        """
        found = [each for coding in codings if not self.disagrees(coding) for each in self.coded(coding)]
        found = [each for each in found if _fits(each[1], modality)]
        if not found and text:
            found = [each for each in self._names.get(wording.name(text), ()) if _fits(each[1], modality)]
        said = frozenset(wording.words(text)) if len(found) > 1 else frozenset[str]()
        return min(found, key=lambda each: self._preference(each, said), default=(0, None))[1]

    def coded(self, coding: Coding) -> list[_Ranked]:
        """What a code means, with 0 where it names the procedure and 1 where it means it, too.

        Codes that the specification has for LOINC and that are none are understood, and so are codes without a system.
        """
        system, code = _code(coding)
        if system == LOCAL_SYSTEM and code in self._keys:
            return [(0, self._keys[code])]
        if system:
            local = self._codes.get((LOCAL_SYSTEM, code), []) if system == LOINC else []
            return self._codes.get((system, code), []) or local
        found = [(0, self._keys[code])] if code in self._keys else []
        return found or self._codes.get((LOINC, code), []) or self._codes.get((LOCAL_SYSTEM, code), [])

    def disagrees(self, coding: Coding) -> bool:
        """Whether the words of a code are those of another one: they are known words, and none of what the code means.

        Displays drift between releases of LOINC: words are compared by their beginnings, and one in common is enough.
        """
        known = self._meanings.get(_code(coding))
        said = wording.meaning(coding.display) & self._vocabulary
        return bool(known and said and not known & said)

    def meaning(self, coding: Coding) -> str:
        """What a code is called; empty where nobody knows."""
        return self._called.get(_code(coding), "")

    def local(self, code: str) -> Procedure | None:
        """The procedure that has a local code."""
        found = self._codes.get((LOCAL_SYSTEM, code.strip()), ())
        return found[0][1] if found else None

    def search(self, text: str, modality: str = "") -> list[Procedure]:
        """Procedures whose names, body site, codes or reasons have every word of a text, in Bangla or English.

        Those that are called so come first, then those with the words in a name.
        """
        asked = wording.words(text)
        found = [
            (standing, _order(each), each)
            for each in self.procedures
            if _fits(each, modality) and (standing := _standing(each, asked, text)) is not None
        ]
        return [each for _, _, each in sorted(found, key=lambda row: row[:2])]

    def terms(self, key: str, facility_code: str = "", on: date | None = None, *, ownership: str = "public") -> Terms:
        """Price, turnaround and priority at a facility on a day: its own, else of its ownership, else the entry's.

        Raises NotFound.
        """
        day = on or self.on
        if (key, facility_code, "") in self._agreed:
            return self._terms(key, facility_code, day, ownership)
        usual = self._usual.get((key, ownership, day))
        if usual is None:
            usual = self._usual[key, ownership, day] = self._terms(key, "", day, ownership)
        return usual

    def _terms(self, key: str, facility_code: str, day: date, ownership: str) -> Terms:
        procedure = self._keys.get(key)
        if procedure is None:
            raise NotFound(f"The catalogue has no procedure {key}.")
        said = [
            each
            for scope in ((facility_code, ""), ("", ownership))
            if any(scope) and (each := _latest(self._agreed.get((key, *scope), ()), day))
        ]
        prices = (each.price_bdt for each in said if each.price_bdt is not None)
        return Terms(
            next(prices, procedure.price_at(ownership)),
            next((each.turnaround_hours for each in said if each.turnaround_hours), procedure.turnaround_hours),
            next((each.priority for each in said if each.priority), procedure.priority),
        )

    def _preference(self, ranked: _Ranked, said: frozenset[str]) -> tuple[int, int, int, str]:
        rank, procedure = ranked
        return rank, -len(self._words[procedure.key] & said), -procedure.minutes, procedure.key

    def _note(self, procedure: Procedure) -> None:
        told = (procedure.display, procedure.display_bangla, *procedure.names)
        self._words[procedure.key] = frozenset(wording.words(" ".join(told)))
        for text in told:
            self._names.setdefault(wording.name(text), []).append((0, procedure))
        names = frozenset[str]().union(*map(wording.meaning, (*told, procedure.body_site)))
        for place, coding in enumerate(procedure.codings):
            code = (coding.system, coding.code)
            self._codes.setdefault(code, []).append((min(place, 1), procedure))
            known = self._meanings.get(code, frozenset())
            self._meanings[code] = known | names | wording.meaning(coding.display)
            self._called.setdefault(code, coding.display or procedure.display)


def codings_of(concepts: Iterable[Mapping[str, Any]]) -> Iterator[Coding]:
    """The codings of CodeableConcepts (FHIR R4); the text of a concept speaks for a coding without words."""
    for concept in concepts:
        for coding in concept.get("coding") or ():
            code = str(coding.get("code") or "")
            if code:
                display = coding.get("display") or concept.get("text") or ""
                yield Coding(str(coding.get("system") or ""), code, str(display))


def _code(coding: Coding) -> tuple[str, str]:
    return _SCHEMES.get(coding.system) or system_of(coding.system), coding.code.strip()


def _in_force(entries: Iterable[Procedure], on: date) -> Iterator[Procedure]:
    by_key: dict[str, list[Procedure]] = {}
    for each in entries:
        by_key.setdefault(each.key, []).append(each)
    for versions in by_key.values():
        begun = [each for each in versions if each.effective_from <= on]
        if begun:
            yield max(begun, key=lambda each: (each.effective_from, each.version))
        else:  # It is known before its first day, and cannot be ordered yet.
            yield replace(min(versions, key=lambda each: (each.effective_from, -each.version)), active=False)


def _latest(said: Iterable[Agreed], on: date) -> Agreed | None:
    begun = [each for each in said if each.effective_from <= on]
    return max(begun, key=lambda each: (each.effective_from, each.version), default=None)


def _order(procedure: Procedure) -> tuple[str, str]:
    return procedure.modality, procedure.key


def _fits(procedure: Procedure, modality: str) -> bool:
    return not modality or is_same(modality, procedure.modality)


def is_same(modality: str, other: str) -> bool:
    """Whether two modalities are one for the catalogue, as CR and DX are."""
    return catalogued(modality) == catalogued(other)


def catalogued(modality: str) -> str:
    """The modality that stands for all those that are one for the catalogue: DX for CR."""
    return _SAME.get(modality, modality)


def _standing(procedure: Procedure, asked: tuple[str, ...], text: str) -> int | None:
    names = (procedure.display, procedure.display_bangla, *procedure.names)
    if text.strip().casefold() in _identifiers(procedure) or wording.name(text) in map(wording.name, names):
        return 0
    in_names = set(wording.words(" ".join(names)))
    if all(wording.matches(word, in_names) for word in asked):
        return 1
    known = in_names | set(wording.words(f"{procedure.body_site} {' '.join(procedure.indications)}"))
    known |= set(wording.words(" ".join(each.display for each in procedure.codings)))
    return 2 if all(wording.matches(word, known) for word in asked) else None


def _identifiers(procedure: Procedure) -> set[str]:
    return {procedure.key.casefold(), *(each.code.casefold() for each in procedure.codings)}
