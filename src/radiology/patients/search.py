"""Find a patient however the name is spelled, in either script, or by any number. Domain: normalised, then ranked."""

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from radiology.errors import Unprocessable
from radiology.kit.db import Transaction
from radiology.patients.identifiers import compact, searched
from radiology.patients.queries import read
from radiology.patients.queries import search as queries
from radiology.patients.queries.search import Hit, Narrowing
from radiology.patients.record import Record, phone_number
from radiology.standards.dicom.names import name_keys, name_rank, name_similarity, normalise_name

LOOKED_AT = 200
"""So many of those that are written most alike are ranked."""
ALIKE = 0.8
"""What is found by likeness alone must rank so high."""
_NUMBER, _PHONE, _NAME = "number", "phone", "name"


@dataclass(frozen=True, slots=True)
class Found:
    """A patient that was found: how well he or she answers the search (0 to 1), and by what."""

    score: float
    found_by: str
    record: Record


async def search(tx: Transaction, text: str, narrowing: Narrowing, *, limit: int) -> list[Found]:
    """Patients that answer a search, the best first. Who was merged is found as the survivor."""
    scores = await _by_digits(tx, text, narrowing, limit=limit)
    keys = name_keys(text)
    if keys and len(scores) < limit:
        for patient, score in (await _by_name(tx, text, keys, narrowing, limit=limit)).items():
            scores.setdefault(patient, (score, _NAME))
    best = sorted(scores.items(), key=lambda item: (-item[1][0], item[0]))[:limit]
    records = await read.records(tx, [patient for patient, _ in best])
    return [Found(round(score, 3), found_by, records[patient]) for patient, (score, found_by) in best]


async def _by_digits(tx: Transaction, text: str, narrowing: Narrowing, *, limit: int) -> dict[UUID, tuple[float, str]]:
    number = searched(text)
    if not any(letter.isdigit() for letter in number):
        return {}
    texts = list(dict.fromkeys((number, compact(number))))
    found = {hit.id: (1.0, _NUMBER) for hit in await queries.by_number(tx, texts, narrowing, limit=limit)}
    try:
        phone = phone_number(number)
    except Unprocessable:
        return found
    for hit in await queries.by_phone(tx, phone, narrowing, limit=limit):
        found.setdefault(hit.id, (1.0, _PHONE))
    return found


async def _by_name(
    tx: Transaction, text: str, keys: Iterable[str], narrowing: Narrowing, *, limit: int
) -> dict[UUID, float]:
    plain = normalise_name(text)
    hits = await queries.by_sound(tx, list(keys), plain, narrowing, limit=max(limit, LOOKED_AT))
    ranked = _ranked(text, hits)
    if len(ranked) < limit:
        alike = _ranked(text, await queries.by_likeness(tx, plain, narrowing, limit=limit))
        ranked = {patient: score for patient, score in alike.items() if score >= ALIKE} | ranked
    return ranked


def _ranked(text: str, hits: Iterable[Hit]) -> dict[UUID, float]:
    """The rank of each, by the better name; of equal ranks the one whose name has less beside what was asked."""
    ranked: dict[UUID, float] = {}
    for hit in hits:
        score = 0.9 * name_rank(text, hit.name) + 0.1 * _likeness(text, hit.name)
        ranked[hit.id] = max(score, ranked.get(hit.id, 0.0))
    return ranked


def _likeness(text: str, name: str) -> float:
    return max((name_similarity(text, group) for group in name.split("=") if group), default=0.0)
