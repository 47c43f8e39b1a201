"""Register devices, and say what becomes of them. Row, history, audit and event are one transaction.

What is booked on a device that may not be used any more stays booked: scheduling lists it and plans it anew.
"""

from collections.abc import Collection
from datetime import date, timedelta
from typing import Final
from uuid import UUID

from radiology.access.model import Actor, Permission, Role
from radiology.app import App
from radiology.audit import actions as audit
from radiology.errors import Conflict, NotFound, NotPermitted, StaleVersion, Unprocessable
from radiology.events import DeviceChanged, emit
from radiology.facilities import queries as facilities
from radiology.facilities.actions import must_reach, refused
from radiology.facilities.devices import queries
from radiology.facilities.devices.queries import Registered
from radiology.facilities.devices.schemas import DeviceIn, DowntimeIn, StateIn
from radiology.facilities.model import DeviceState
from radiology.kit.db import Transaction
from radiology.kit.ids import uuid7
from radiology.kit.taking import Outcome
from radiology.procedures.catalogue import catalogue

LONGEST_OVERRIDE: Final = timedelta(days=90)


# --- What it is ---


async def add(app: App, actor: Actor, body: DeviceIn) -> tuple[int, int, bytes]:
    """Register a device; returns number, version and body. Raises Conflict for a name or an AE title that is taken."""
    actor.must(Permission.ADMINISTER)
    keys = await known_keys(app)
    async with app.db.transaction() as tx:
        await facilities.begin_change(tx)
        await _must_fit(tx, app, actor, body, keys)
        number = await queries.insert(tx, body.columns())
        await audit.record(tx, actor, "device.save", str(number))
        return number, 1, await queries.body(tx, number)


async def change(app: App, actor: Actor, number: int, body: DeviceIn, *, version: int | None) -> tuple[int, bytes]:
    """Change what is known of a device; returns version and body. Raises NotFound, StaleVersion, Conflict."""
    actor.must(Permission.ADMINISTER)
    keys = await known_keys(app)
    async with app.db.transaction() as tx:
        await facilities.begin_change(tx)
        found = await queries.load(tx, number, visible_to=actor, lock=True)
        if version is not None and version != found.version:
            raise StaleVersion(f"The device has version {found.version} by now. Read it again and decide anew.")
        await _must_stay(tx, found, body)
        await _must_fit(tx, app, actor, body, keys)
        changed = await queries.save(tx, number, body.columns())
        if changed:
            await audit.record(tx, actor, "device.save", str(number))
        return found.version + changed, await queries.body(tx, number)


async def put(tx: Transaction, app: App, actor: Actor, body: DeviceIn, keys: Collection[str]) -> Outcome:
    """Add the device of a facility with this name, or change it, in a transaction that has begun a change.

    Raises NotPermitted, Conflict for a device in a room, Unprocessable.
    """
    await _must_fit(tx, app, actor, body, keys)
    found = await queries.named(tx, body.facility_code, body.name)
    taken = await queries.number_of_title(tx, body.facility_code, body.ae_title)
    if taken is not None and (found is None or taken != found.number):
        raise refused("aeTitle", f"another device of the facility is {body.ae_title}")
    if found is None:
        await queries.insert(tx, body.columns())
        return "added"
    await _must_stay(tx, found, body)
    return "changed" if await queries.save(tx, found.number, body.columns()) else "same"


async def known_keys(app: App) -> frozenset[str]:
    """The keys of all procedures that the catalogue has."""
    return frozenset(each.key for each in (await catalogue(app)).procedures)


async def _must_fit(tx: Transaction, app: App, actor: Actor, body: DeviceIn, keys: Collection[str]) -> None:
    must_reach(actor, body.facility_code)
    if body.facility_code != app.settings.facility_code and not await facilities.exist(tx, [body.facility_code]):
        raise refused("facilityCode", f"there is no facility {body.facility_code}; register it first")
    if unknown := sorted(set(body.procedures or ()) - set(keys)):
        raise refused("procedures", f"the catalogue has no {', '.join(unknown)}")


async def _must_stay(tx: Transaction, found: Registered, body: DeviceIn) -> None:
    """A device in a room is booked by its AE title and modality: both change with its room only."""
    if body.facility_code != found.facility_code:
        raise refused("facilityCode", "a device does not move to another facility; retire it and register it there")
    changes = (body.ae_title or None) != found.ae_title or body.modality != found.modality
    if changes and await queries.is_in_use(tx, found.number):
        raise Conflict("The device stands in a room. Take it out there before its AE title or modality changes.")


# --- What becomes of it ---


async def set_state(app: App, actor: Actor, number: int, body: StateIn) -> tuple[int, bytes]:
    """Say that a device works or does not, and why; returns version and body. Raises NotFound."""
    actor.must(Permission.ADMINISTER if body.state == DeviceState.RETIRED else Permission.WRITE)
    async with app.db.transaction() as tx:
        await facilities.begin_change(tx)
        found = await queries.load(tx, number, visible_to=actor, lock=True)
        if found.state == DeviceState.RETIRED:
            actor.must(Permission.ADMINISTER)
        now = app.clock.now()
        await queries.set_state(tx, number, state=body.state, reason=body.reason, back_on=body.back_on, now=now)
        await _note(tx, app, actor, found, "state", reason=body.reason, until=body.back_on)
        return found.version + 1, await queries.body(tx, number)


async def block(app: App, actor: Actor, number: int, reason: str) -> tuple[int, bytes]:
    """Book nothing new on a device; returns version and body. Raises NotFound."""
    actor.must(Permission.ADMINISTER)
    async with app.db.transaction() as tx:
        await block_in(tx, app, actor, number, reason)
        return await _told(tx, number, actor)


async def block_in(tx: Transaction, app: App, actor: Actor, number: int, reason: str) -> None:
    """The same in the transaction of whoever finds that tests failed or are overdue. Twice is once."""
    await facilities.begin_change(tx)
    found = await queries.load(tx, number, visible_to=actor, lock=True)
    if found.blocked == reason:
        return
    await queries.set_blocked(tx, number, reason=reason, now=app.clock.now())
    await _note(tx, app, actor, found, "block", reason=reason)


async def unblock(app: App, actor: Actor, number: int, reason: str) -> tuple[int, bytes]:
    """Open a device again, and say why it may be used; returns version and body. Raises NotFound."""
    actor.must(Permission.ADMINISTER)
    async with app.db.transaction() as tx:
        await unblock_in(tx, app, actor, number, reason)
        return await _told(tx, number, actor)


async def unblock_in(tx: Transaction, app: App, actor: Actor, number: int, reason: str) -> None:
    """The same in the transaction of whoever finds that the tests pass. One that is open stays so."""
    await facilities.begin_change(tx)
    found = await queries.load(tx, number, visible_to=actor, lock=True)
    if found.blocked is None:
        return
    await queries.set_blocked(tx, number, reason=None, now=app.clock.now())
    await _note(tx, app, actor, found, "unblock", reason=reason)


async def override(app: App, actor: Actor, number: int, *, until: date, reason: str) -> tuple[int, bytes]:
    """Use a device in spite of its block or licence, up to a day; for the head, who answers for it.

    Returns version and body. Raises NotPermitted, NotFound, Unprocessable.
    """
    _must_be_head(actor)
    today = app.clock.now().astimezone(app.settings.zone).date()
    if not today <= until <= today + LONGEST_OVERRIDE:
        raise Unprocessable(f"until must be today or later, and at most {LONGEST_OVERRIDE.days} days away.")
    return await _set_override(app, actor, number, until, reason)


async def end_override(app: App, actor: Actor, number: int, reason: str) -> tuple[int, bytes]:
    """The block or the expired licence counts again; returns version and body. Raises NotPermitted, NotFound."""
    _must_be_head(actor)
    return await _set_override(app, actor, number, None, reason)


async def _set_override(app: App, actor: Actor, number: int, until: date | None, reason: str) -> tuple[int, bytes]:
    async with app.db.transaction() as tx:
        await facilities.begin_change(tx)
        found = await queries.load(tx, number, visible_to=actor, lock=True)
        given = (None, None) if until is None else (reason, actor.id)
        await queries.set_override(tx, number, until=until, reason=given[0], by=given[1])
        verb = "override" if until else "end-override"
        await _note(tx, app, actor, found, verb, reason=reason, until=until)
        return found.version + 1, await queries.body(tx, number)


def _must_be_head(actor: Actor) -> None:
    if actor.role != Role.CONSULTANT and not actor.may(Permission.ADMINISTER):
        raise NotPermitted("A consultant or an administrator answers for a device that is blocked or has no licence.")


async def _told(tx: Transaction, number: int, actor: Actor) -> tuple[int, bytes]:
    found = await queries.load(tx, number, visible_to=actor)
    return found.version, await queries.body(tx, number)


async def _note(
    tx: Transaction, app: App, actor: Actor, found: Registered, verb: str, *, reason: str, until: date | None = None
) -> None:
    """History, audit and event of what was done to a device."""
    now = app.clock.now()
    await queries.record(tx, found.number, verb=verb, reason=reason, until=until, actor=actor.id, now=now)
    await audit.record(tx, actor, f"device.{verb}", str(found.number), detail={"reason": reason})
    after = await queries.load(tx, found.number, visible_to=actor)
    await emit(
        tx,
        DeviceChanged(
            facility_code=after.facility_code,
            device_number=after.number,
            modality=after.modality,
            verb=verb,
            state=after.state,
            blocked=after.blocked is not None,
        ),
    )


# --- Planned downtime ---


async def plan_downtime(app: App, actor: Actor, number: int, body: DowntimeIn) -> UUID:
    """Plan a time in which a device does not work; returns its id. Raises NotFound."""
    actor.must(Permission.WRITE)
    blocked_id = uuid7()
    async with app.db.transaction() as tx:
        found = await queries.load(tx, number, visible_to=actor, lock=True)
        columns = {
            "id": blocked_id, "facility_code": found.facility_code, "number": number, "begins": body.begins,
            "ends": body.ends, "kind": body.kind, "reason": body.reason, "made_by": actor.id,
            "made_at": app.clock.now(),
        }  # fmt: skip
        await queries.insert_downtime(tx, columns)
        await audit.record(tx, actor, "device.downtime", str(number), detail={"blocked": str(blocked_id)})
    return blocked_id


async def cancel_downtime(app: App, actor: Actor, number: int, blocked_id: UUID) -> None:
    """Take a planned downtime back. Raises NotFound."""
    actor.must(Permission.WRITE)
    async with app.db.transaction() as tx:
        await queries.load(tx, number, visible_to=actor, lock=True)
        if not await queries.remove_downtime(tx, number, blocked_id):
            raise NotFound("There is no such downtime of this device. That of its room is taken back there.")
        await audit.record(tx, actor, "device.downtime-cancelled", str(number), detail={"blocked": str(blocked_id)})
