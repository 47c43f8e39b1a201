"""Look a patient up in the registry of the hospital or the country, and keep what it says, so that it may be away.

What it says of a patient who is known here is a change like any other: it is served everywhere at once. Whom it has
found to be another is merged.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from radiology.access.model import Actor, Permission
from radiology.app import App
from radiology.audit import actions as audit
from radiology.errors import Unavailable, Unprocessable
from radiology.external.patients.model import ForeignPatient, PatientRegistry
from radiology.kit.db import Transaction
from radiology.patients.actions.register import find_or_register
from radiology.patients.identifiers import HOSPITAL_SYSTEM, Identifier, identifier, kind_of_system
from radiology.patients.identifiers import Kind as Number
from radiology.patients.model import Demographics
from radiology.patients.queries import read, registry
from radiology.patients.queries.search import Narrowing, by_number
from radiology.patients.record import Record, phone_number
from radiology.reconciliation.patients.merge import merge_in
from radiology.reconciliation.patients.model import Asked
from radiology.reconciliation.patients.update import Said, update_in
from radiology.standards.dicom.names import in_two_scripts

MOST_FOUND = 20
MOST_REPLACED = 5
"""So many times a registry may lead on from one patient to another."""
ASKED = Asked("The patient registry says so.", "registry")


@dataclass(frozen=True, slots=True)
class LookedUp:
    """What was found. source: `registry`, or `copy` where the registry is away, or `local` where there is none."""

    source: Literal["registry", "copy", "local"]
    records: list[Record]

    def body(self, now: datetime, *, fresh_seconds: int) -> dict[str, Any]:
        """As it is answered: of a copy its age, and whether it is stale."""
        return {
            "source": self.source,
            "results": [_marked(each, now, fresh_seconds) for each in self.records],
        }


async def look_up(app: App, actor: Actor, kind: Number, text: str, *, issuer: str | None) -> LookedUp:
    """Who has a number. Raises Unprocessable where it cannot be right, Conflict where two patients here share one."""
    actor.must(Permission.WRITE)
    facility = actor.facility_code or app.settings.facility_code
    number = identifier(kind, text, issuer=issuer or facility, field="value")
    said, source = await _ask(app.patients, number)
    async with app.db.transaction() as tx:
        for patient, successors in said:
            await _take(tx, app, actor, patient, successors, facility)
        found = await by_number(tx, [number.value], Narrowing(actor), limit=MOST_FOUND)
        records = await read.records(tx, [each.id for each in found])
        await audit.record(tx, actor, "patient.look-up", kind, detail={"source": source, "found": len(records)})
    return LookedUp(source, list(records.values()))


async def _ask(
    patients: PatientRegistry | None, number: Identifier
) -> tuple[list[tuple[ForeignPatient, list[ForeignPatient]]], Literal["registry", "copy", "local"]]:
    """What the registry says, each with those whom it was found to be. Asked before a transaction begins."""
    if patients is None:
        return [], "local"
    try:
        found = await patients.search(number.system, number.value)
        return [(each, await _successors(patients, each)) for each in found[:MOST_FOUND]], "registry"
    except Unavailable:
        return [], "copy"


async def _successors(patients: PatientRegistry, patient: ForeignPatient) -> list[ForeignPatient]:
    seen, successors = {patient.reference}, list[ForeignPatient]()
    following = patient.replaced_by
    while following and following not in seen and len(successors) < MOST_REPLACED:
        seen.add(following)
        successor = await patients.find(following)
        if successor is None:
            break
        successors.append(successor)
        following = successor.replaced_by
    return successors


async def _take(
    tx: Transaction, app: App, actor: Actor, patient: ForeignPatient, successors: list[ForeignPatient], facility: str
) -> None:
    """Keep what the registry says of a patient, and of whom it was found to be."""
    taken = await _keep(tx, app, actor, patient, facility)
    for successor in successors:
        survivor = await _keep(tx, app, actor, successor, facility)
        if survivor != taken:
            await merge_in(tx, app, actor, taken, survivor, ASKED)
        taken = survivor


async def _keep(tx: Transaction, app: App, actor: Actor, patient: ForeignPatient, facility: str) -> UUID:
    said = _said(patient, facility)
    kept = await find_or_register(tx, said)
    details = {"address": {"text": patient.address[:500]}} if patient.address else None
    record = await read.record(tx, kept.id)
    change = Said(said, _phone(patient.phone), record.details | details if details else None)
    await update_in(tx, app, actor, kept.id, change, ASKED)
    await registry.mark_checked(tx, kept.id, app.clock.now())
    return kept.id


def _said(patient: ForeignPatient, facility: str) -> Demographics:
    """What the registry says; numbers that cannot be right are left out, as other registries' are."""
    numbers = [number for system, value in patient.identifiers if (number := _number(system, value)) is not None]
    own = next((each for each in numbers if (each.kind, each.issuer) == (Number.HOSPITAL, facility)), None)
    return Demographics(
        patient_id=own.value if own else "",
        issuer=facility,
        reference=patient.reference,
        name=in_two_scripts(patient.name[:64], patient.name_bangla[:64]).encode(),
        birth_date=patient.birth_date,
        sex=patient.sex,
        birth_date_estimated=patient.birth_date_estimated,
        identifiers=tuple(each for each in numbers if each != own),
        facility_code=facility,
    )


def _number(system: str, value: str) -> Identifier | None:
    kind = kind_of_system(system)
    try:
        return identifier(kind, value, issuer=system.removeprefix(HOSPITAL_SYSTEM)) if kind else None
    except Unprocessable:
        return None


def _phone(text: str) -> str | None:
    try:
        return phone_number(text) if text else None
    except Unprocessable:
        return None


def _marked(record: Record, now: datetime, fresh_seconds: int) -> dict[str, Any]:
    if record.checked_at is None:
        return record.body
    age = max(int((now - record.checked_at).total_seconds()), 0)
    return record.body | {"registryAgeSeconds": age, "stale": age > fresh_seconds}
