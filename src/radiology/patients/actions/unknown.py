"""Register patients nobody knows yet: brought in unconscious, or many at once. Later each is identified by a merge."""

from datetime import date
from typing import Final
from uuid import UUID

from radiology.access.model import Actor, Permission
from radiology.app import App
from radiology.audit import actions as audit
from radiology.kit.db import Transaction
from radiology.patients.actions.register import find_or_register
from radiology.patients.model import Demographics, lock_keys
from radiology.patients.queries import read, registry
from radiology.patients.record import Record
from radiology.patients.schemas import UnknownIn

_SEX: Final = {"MALE": "M", "FEMALE": "F", "CHILD": ""}


async def register_unknown(app: App, actor: Actor, body: UnknownIn) -> list[Record]:
    """Give as many temporary identities as are asked for, in one transaction."""
    actor.must(Permission.WRITE)
    facility = actor.facility_code or app.settings.facility_code
    async with app.db.transaction() as tx:
        ids = await register_unknown_in(tx, app, actor, body, facility_code=facility)
        records = await read.records(tx, ids)
    return [records[each] for each in ids]


async def register_unknown_in(
    tx: Transaction, app: App, actor: Actor, body: UnknownIn, *, facility_code: str
) -> list[UUID]:
    """The same in the transaction of whoever asks, such as an order from the emergency department."""
    today = app.clock.now().astimezone(app.settings.zone).date()
    prefix = f"UNK-{facility_code}-{today:%Y%m%d}-"
    await registry.hold_keys(tx, lock_keys([prefix]))
    begin = await registry.last_with_prefix(tx, prefix, issuer=facility_code) + 1
    made: list[UUID] = []
    for number in range(begin, begin + body.count):
        patient = await find_or_register(tx, _said(body, f"{prefix}{number:03}", facility_code, today))
        await registry.mark_temporary(tx, patient.id)
        await audit.record(tx, actor, "patient.register-unknown", patient.reference)
        made.append(patient.id)
    return made


def _said(body: UnknownIn, number: str, facility_code: str, today: date) -> Demographics:
    kind = body.kind.upper()
    return Demographics(
        number,
        facility_code,
        name=f"UNKNOWN^{kind}",
        birth_date="" if body.ageYears is None else f"{today.year - body.ageYears:04}0101",
        birth_date_estimated=body.ageYears is not None,
        sex=_SEX[kind],
        facility_code=facility_code,
    )
