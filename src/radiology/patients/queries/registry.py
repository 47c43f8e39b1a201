"""Find a patient by what was said, make one, complete one. Each statement for an action and for the index writer."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, LiteralString
from uuid import UUID

from radiology.kit.db import Transaction, WriterTransaction, as_json
from radiology.patients.identifiers import Identifier, Kind
from radiology.patients.model import Candidate, Demographics, Patient
from radiology.standards.dicom.names import name_keys, name_search_text

_LOCK: LiteralString = "SELECT pg_advisory_xact_lock(key) FROM unnest(%(keys)s::bigint[]) AS key"
_CANDIDATES: LiteralString = """
    WITH said AS (
        SELECT kind, value, issuer
        FROM unnest(%(kinds)s::text[], %(values)s::text[], %(issuers)s::text[]) AS said (kind, value, issuer)
    )
    SELECT p.id, p.reference, p.patient_id, p.issuer_of_patient_id, p.patient_name, p.birth_date, p.sex,
        known.patient_name AS known_name, known.birth_date AS known_birth_date, known.sex AS known_sex,
        known.reference = %(reference)s AS by_reference, known.id <> p.id AS by_merged
    FROM (
        SELECT id FROM patients WHERE reference = %(reference)s
        UNION
        SELECT patients.id
        FROM said
        JOIN patients ON patients.patient_id = said.value AND patients.issuer_of_patient_id = said.issuer
        WHERE said.kind = 'MR'
        UNION
        SELECT patient_id FROM said JOIN patient_identifiers USING (kind, value, issuer)
    ) AS found
    JOIN patients AS known ON known.id = found.id
    JOIN patients AS p ON p.id = coalesce(surviving_patient(known.merged_into), known.id)
    ORDER BY by_reference DESC, known.created_at, known.id
"""
_INSERT: LiteralString = """
    INSERT INTO patients (id, reference, patient_id, issuer_of_patient_id, patient_name, birth_date, sex,
        birth_date_estimated, facility_code, name_search, name_keys)
    VALUES (%(id)s, %(reference)s, %(patient_id)s, %(issuer)s, %(name)s, %(birth_date)s, %(sex)s,
        %(birth_date_estimated)s, %(facility_code)s, %(name_search)s, %(name_keys)s)
"""
_COMPLETE: LiteralString = """
    UPDATE patients
    SET patient_name = CASE WHEN patient_name = '' THEN %(name)s ELSE patient_name END,
        name_search = CASE WHEN patient_name = '' THEN %(name_search)s ELSE name_search END,
        name_keys = CASE WHEN patient_name = '' THEN %(name_keys)s ELSE name_keys END,
        birth_date = CASE WHEN birth_date = '' THEN %(birth_date)s ELSE birth_date END,
        birth_date_estimated = CASE WHEN birth_date = '' THEN %(birth_date_estimated)s ELSE birth_date_estimated END,
        sex = CASE WHEN sex = '' THEN %(sex)s ELSE sex END,
        patient_id = CASE WHEN patient_id = '' THEN %(patient_id)s ELSE patient_id END,
        issuer_of_patient_id = CASE WHEN patient_id = '' THEN %(issuer)s ELSE issuer_of_patient_id END,
        reference = CASE WHEN reference = 'Patient/' || id AND %(reference)s <> '' THEN %(reference)s
            ELSE reference END,
        version = version + 1,
        updated_at = now()
    WHERE id = %(id)s
    RETURNING id, reference, patient_id, issuer_of_patient_id, patient_name, birth_date, sex
"""
_ADD_NUMBERS: LiteralString = """
    INSERT INTO patient_identifiers (patient_id, kind, value, issuer)
    SELECT %(id)s, kind, value, issuer
    FROM unnest(%(kinds)s::text[], %(values)s::text[], %(issuers)s::text[]) AS said (kind, value, issuer)
    WHERE NOT EXISTS (
        SELECT FROM patients
        WHERE kind = 'MR' AND patient_id = value AND issuer_of_patient_id = issuer
    )
    ON CONFLICT DO NOTHING
"""


async def hold(tx: Transaction, said: Demographics) -> None:
    """Let nobody else look for, or make, who has these numbers before the transaction ends."""
    await tx.values(_LOCK, keys=said.lock_keys)


async def hold_keys(tx: Transaction, keys: Sequence[int]) -> None:
    """The same for keys of `model.lock_keys`."""
    await tx.values(_LOCK, keys=list(keys))


async def last_with_prefix(tx: Transaction, prefix: str, *, issuer: str) -> int:
    """The highest number behind a prefix of hospital numbers; 0 where there is none."""
    return await tx.value(
        """
        SELECT coalesce(max(substr(patient_id, length(%(prefix)s) + 1)::integer), 0)
        FROM patients
        WHERE patient_id ^@ %(prefix)s
          AND issuer_of_patient_id = %(issuer)s
          AND substr(patient_id, length(%(prefix)s) + 1) ~ '^[0-9]{1,6}$'
        """,
        prefix=prefix,
        issuer=issuer,
    )


async def mark_checked(tx: Transaction, patient_id: UUID, at: datetime) -> None:
    """The patient registry elsewhere says what is known here."""
    await tx.run("UPDATE patients SET checked_at = %(at)s WHERE id = %(id)s", id=patient_id, at=at)


async def mark_temporary(tx: Transaction, patient_id: UUID) -> None:
    """Nobody knows yet who it is."""
    await tx.run("UPDATE patients SET temporary = true WHERE id = %(id)s", id=patient_id)


async def candidates(tx: Transaction, said: Demographics) -> list[Candidate]:
    """Who shares a number with what was said: by the reference first, then the oldest. What was merged leads on."""
    return await tx.all(Candidate, _CANDIDATES, **_wanted(said))


def candidates_in_batch(tx: WriterTransaction, said: Demographics) -> list[Candidate]:
    """The same for a writing thread."""
    return tx.all(Candidate, _CANDIDATES, **_wanted(said))


async def insert(tx: Transaction, patient: Patient, said: Demographics) -> None:
    """Add a patient."""
    await tx.run(_INSERT, **_row(patient.id, said) | {"reference": patient.reference})
    await add_numbers(tx, patient.id, said)


def insert_in_batch(tx: WriterTransaction, patient: Patient, said: Demographics) -> None:
    """The same for a writing thread, which knows hospital numbers only."""
    tx.run(_INSERT, **_row(patient.id, said) | {"reference": patient.reference})


async def complete(tx: Transaction, patient_id: UUID, said: Demographics) -> Patient:
    """Fill in what the registry did not know; what it knows stays."""
    return await tx.one(Patient, _COMPLETE, **_row(patient_id, said))


def complete_in_batch(tx: WriterTransaction, patient_id: UUID, said: Demographics) -> None:
    """The same for a writing thread."""
    tx.run(_COMPLETE, **_row(patient_id, said))


async def add_numbers(tx: Transaction, patient_id: UUID, said: Demographics) -> None:
    """Note the numbers beside the first; those that are known, also of who was merged, stay as they are."""
    numbers = _wanted(said)
    del numbers["reference"]
    if numbers["values"]:
        await tx.run(_ADD_NUMBERS, id=patient_id, **numbers)


async def next_number(tx: Transaction) -> str:
    """A hospital number for who comes without one."""
    return await tx.value("SELECT 'R' || lpad(nextval('patient_number')::text, 9, '0')")


async def describe(tx: Transaction, patient_id: UUID, *, phone: str, details: dict[str, Any]) -> None:
    """Fill in telephone, address and the like where the registry has none; what it has stays."""
    await tx.run(
        """
        UPDATE patients
        SET phone = CASE WHEN phone = '' THEN %(phone)s ELSE phone END,
            details = %(details)s::jsonb || details
        WHERE id = %(id)s
        """,
        id=patient_id,
        phone=phone,
        details=as_json(details),
    )


def _row(patient_id: UUID, said: Demographics) -> dict[str, Any]:
    return {
        "id": patient_id,
        "reference": said.reference,
        "patient_id": said.patient_id,
        "issuer": said.issuer if said.patient_id else "",
        "name": said.name,
        "birth_date": said.birth_date,
        "sex": said.sex,
        "birth_date_estimated": said.birth_date_estimated,
        "facility_code": said.facility_code,
        "name_search": name_search_text(said.name),
        "name_keys": list(name_keys(said.name)),
    }


def _wanted(said: Demographics) -> dict[str, Any]:
    number = (Identifier(Kind.HOSPITAL, said.patient_id, said.issuer),) if said.patient_id else ()
    return {"reference": said.reference, **_numbers((*number, *said.identifiers))}


def _numbers(identifiers: Sequence[Identifier]) -> dict[str, list[str]]:
    return {
        "kinds": [str(each.kind) for each in identifiers],
        "values": [each.value for each in identifiers],
        "issuers": [each.issuer for each in identifiers],
    }
