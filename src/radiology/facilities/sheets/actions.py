"""Take a spreadsheet over, all of it or what is right of it, or only try; and give one out."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, Literal

from pydantic import BaseModel

from radiology.access.model import Actor, Permission
from radiology.app import App
from radiology.audit import actions as audit
from radiology.errors import NotPermitted
from radiology.facilities import actions as facilities
from radiology.facilities import queries as network
from radiology.facilities.devices import actions as devices
from radiology.facilities.devices.schemas import DeviceIn
from radiology.facilities.operators import actions as operators
from radiology.facilities.operators.schemas import OperatorIn
from radiology.facilities.schemas import FacilityRow, PlaceRow
from radiology.facilities.sheets import queries
from radiology.kit import cpu
from radiology.kit.db import Transaction
from radiology.kit.sheets import Form, Report, Sheet, read, write
from radiology.kit.taking import How, NotSaved, Outcome, completed, take_rows

Kind = Literal["facilities", "devices", "operators", "places"]

MODELS: Final[Mapping[Kind, type[BaseModel]]] = {
    "facilities": FacilityRow,
    "devices": DeviceIn,
    "operators": OperatorIn,
    "places": PlaceRow,
}
KEYS: Final[Mapping[Kind, tuple[str, ...]]] = {
    "facilities": ("code",),
    "devices": ("facility_code", "name"),
    "operators": ("facility_code", "licence_number"),
    "places": ("code",),
}
"""The columns that say what a row is about."""
Put = Callable[[Transaction, Any], Awaitable[Outcome]]


async def take(app: App, actor: Actor, kind: Kind, content: bytes, how: How) -> Report:
    """Add and change what the rows say, and tell what is wrong. Rows and columns that are not there stay as they are.

    Raises NotPermitted, and what `kit.sheets.read` raises.
    """
    actor.must(Permission.ADMINISTER)
    if kind == "places" and actor.facility_codes is not None:
        raise NotPermitted("The list of places is that of all facilities. Ask an administrator of all of them.")
    sheet = await cpu.processes.call(read, content, MODELS[kind])
    report = Report(0)
    put = await _put(app, actor, kind)
    try:
        async with app.db.transaction() as tx:
            await network.begin_change(tx)
            whole = completed(sheet, await _known(tx, actor, kind, sheet), key=_key(kind))
            report = await take_rows(whole, how, key=_key(kind), put=lambda row: put(tx, row))
            if not report.saved:
                raise NotSaved
            detail = {"kind": kind, "added": report.added, "changed": report.changed}
            await audit.record(tx, actor, "facility.import", kind, detail=detail)
    except NotSaved:
        pass
    return report


async def _put(app: App, actor: Actor, kind: Kind) -> Put:
    """What takes one row of a kind over."""
    if kind == "devices":
        keys = await devices.known_keys(app)
        return lambda tx, row: devices.put(tx, app, actor, row, keys)
    if kind == "operators":
        return lambda tx, row: operators.put(tx, actor, row)
    if kind == "places":
        return lambda tx, row: facilities.put_place(tx, row)
    return lambda tx, row: facilities.put(tx, actor, row.code, row)


async def _known(tx: Transaction, actor: Actor, kind: Kind, sheet: Sheet[Any]) -> dict[tuple[Any, ...], dict[str, Any]]:
    """What is known of each thing that a row can be about; nothing where the file has all columns."""
    if sheet.columns >= set(MODELS[kind].model_fields):
        return {}
    rows = await queries.rows(tx, kind, visible_to=actor)
    return {tuple(row[name] for name in KEYS[kind]): row for row in rows}


def _key(kind: Kind) -> Callable[[Any], tuple[Any, ...]]:
    """What tells what a row is about."""
    return lambda row: tuple(getattr(row, name) for name in KEYS[kind])


async def give(app: App, actor: Actor, kind: Kind, form: Form) -> bytes:
    """All of a kind that the actor administers as a file, which can be taken over again. Raises NotPermitted."""
    actor.must(Permission.ADMINISTER)
    columns = list(MODELS[kind].model_fields)
    async with app.db.transaction() as tx:
        rows = await queries.rows(tx, kind, visible_to=actor)
        await audit.record(tx, actor, "facility.export", kind, detail={"rows": len(rows)})
    return write(form, columns, [[row.get(column) for column in columns] for row in rows])
