"""How likely two records are one person, numbers of hospitals aside. What it finds, a person decides about."""

from dataclasses import dataclass
from uuid import UUID

from radiology.access.model import Actor
from radiology.kit.db import Transaction
from radiology.patients.queries import duplicates, read
from radiology.patients.record import Record
from radiology.standards.dicom.identity import REVIEW, PatientIdentity, identity_score

LOOKED_AT = 200


@dataclass(frozen=True, slots=True)
class Duplicate:
    """Somebody who is perhaps the same person. shares_number: a national number, or a hospital's."""

    score: float
    shares_number: bool
    record: Record


async def duplicates_of(tx: Transaction, patient_id: UUID, *, visible_to: Actor, limit: int) -> list[Duplicate]:
    """Who is perhaps the same person as this patient, the likeliest first."""
    ids = await duplicates.of_patient(tx, patient_id, visible_to=visible_to, limit=LOOKED_AT)
    records = await read.records(tx, [patient_id, *ids])
    asked = records.pop(patient_id)
    found = [duplicate(asked, each) for each in records.values()]
    likely = (each for each in found if each.shares_number or each.score >= REVIEW)
    return sorted(likely, key=lambda each: (-each.score, each.record.id))[:limit]


def duplicate(one: Record, other: Record) -> Duplicate:
    """How likely the other is the one. Who shares a number is scored as by the same; else the number says nothing."""
    shares = not set(one.identifiers).isdisjoint(other.identifiers)
    number = "shared" if shares else ""
    return Duplicate(round(identity_score(_identity(one, number), _identity(other, number)), 3), shares, other)


def _identity(record: Record, number: str) -> PatientIdentity:
    return PatientIdentity(number, "", record.patient_name, record.birth_date, record.sex)
