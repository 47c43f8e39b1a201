"""Record tests of devices, and see every day to what is overdue. Result, block, audit and event are one transaction."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from radiology.access.model import SYSTEM, Actor, Permission, Role
from radiology.access.queries import who_are
from radiology.app import App
from radiology.audit import actions as audit
from radiology.errors import NotFound, NotPermitted, Unprocessable
from radiology.events import DeviceTestRecorded, emit
from radiology.external.notifications import inbox
from radiology.external.notifications.model import Message
from radiology.facilities.devices import actions as facilities
from radiology.facilities.devices import queries as registry
from radiology.kit.db import Transaction
from radiology.kit.ids import uuid7
from radiology.quality.tests import queries
from radiology.quality.tests.protocols import (
    BLOCK,
    PROTOCOLS,
    Protocol,
    Standing,
    judge,
    protocols_of,
    reason_to_block,
)

_LIFTED = "Device tests passed."


@dataclass(frozen=True, slots=True)
class Done:
    """What came out of one test."""

    test: str
    done_on: date
    values: Mapping[str, float]
    answers: Mapping[str, bool]
    remark: str = ""


async def record(app: App, actor: Actor, number: int, done: Done) -> tuple[UUID, bool]:
    """Keep what came out of a test; returns its id, and whether it passed. Whoever works at devices may.

    One that fails blocks the device, one that passes lifts that. Raises NotFound, Unprocessable.
    """
    _must_test(actor)
    protocol, today = protocol_of(done.test), today_of(app)
    if done.done_on > today:
        raise Unprocessable("doneOn lies in the future.")
    judged, test_id = judge(protocol, done.values, done.answers), uuid7()
    async with app.db.transaction() as tx:
        device = await registry.load(tx, number, visible_to=actor, lock=True)
        if protocol.modalities is not None and device.modality not in protocol.modalities:
            raise Unprocessable(f"The test {done.test} is not for devices of the modality {device.modality}.")
        await queries.begin_plans(tx, [(number, each.key) for each in protocols_of(device.modality)], on=today)
        columns: dict[str, Any] = {
            "id": test_id,
            "device_number": number,
            "test": done.test,
            "done_on": done.done_on,
            "results": dict(judged.results),
            "passed": judged.passed,
            "remark": done.remark,
            "done_by": actor.id,
            "recorded_at": app.clock.now(),
        }
        await queries.insert_test(tx, columns)
        await queries.note_tested(tx, number)
        detail = {"test": done.test, "passed": judged.passed}
        await audit.record(tx, actor, "device-test.record", str(number), detail=detail)
        told = DeviceTestRecorded(
            facility_code=device.facility_code, device_number=number, test=done.test, passed=judged.passed
        )
        await emit(tx, told)
        await _settle(tx, app, number, device.blocked, await queries.standings(tx, [number]), today)
    return test_id, judged.passed


async def plan(app: App, actor: Actor, number: int, test: str, *, active: bool, reason: str) -> None:
    """Ask for a test of a device, or no more, with the reason; for the head of the department.

    Raises NotFound, NotPermitted.
    """
    if actor.role != Role.CONSULTANT and not actor.may(Permission.ADMINISTER):
        raise NotPermitted("A consultant or an administrator decides which tests a device does not need.")
    protocol, today = protocol_of(test), today_of(app)
    async with app.db.transaction() as tx:
        device = await registry.load(tx, number, visible_to=actor, lock=True)
        await queries.set_plan(tx, number, protocol.key, active=active, reason=reason, by=actor.id, on=today)
        detail = {"test": test, "active": active, "reason": reason}
        await audit.record(tx, actor, "device-test.plan", str(number), detail=detail)
        await _settle(tx, app, number, device.blocked, await queries.standings(tx, [number]), today)


async def see_to_tests(app: App) -> int:
    """Ask devices that are new for their tests, block what failed or is overdue too long, and warn of the rest.

    Once a day somebody is told of each device; returns of how many.
    """
    today, count = today_of(app), 0
    async with app.db.transaction() as tx:
        devices = await queries.devices(tx, visible_to=SYSTEM)
        needed = [(device.number, each.key) for device in devices for each in protocols_of(device.modality)]
        await queries.begin_plans(tx, needed, on=today)
        by_device: dict[int, list[Standing]] = {}
        for standing in await queries.standings(tx, [device.number for device in devices]):
            by_device.setdefault(standing.device_number, []).append(standing)
        for device in devices:
            await _settle(tx, app, device.number, device.blocked, by_device.get(device.number, []), today)
        late = {number for number, found in by_device.items() if any(each.overdue_days(today) for each in found)}
        unwarned = set(await queries.take_unwarned(tx, sorted(late), on=today))
        for device in devices:
            if device.number in unwarned:
                await _warn(tx, device, by_device[device.number], today)
                count += 1
    return count


async def _settle(
    tx: Transaction, app: App, number: int, blocked: str | None, standings: Sequence[Standing], today: date
) -> None:
    """Block or open a device as its tests say. A block for another reason is not ours, and stays."""
    reason = reason_to_block(standings, today)
    if blocked is not None and not blocked.startswith(BLOCK):
        return
    if reason is not None and reason != blocked:
        await facilities.block_in(tx, app, SYSTEM, number, reason)
    elif reason is None and blocked is not None:
        await facilities.unblock_in(tx, app, SYSTEM, number, _LIFTED)


async def _warn(tx: Transaction, device: queries.Tested, standings: Sequence[Standing], today: date) -> None:
    late = [each for each in standings if each.overdue_days(today)]
    english = "; ".join(f"{PROTOCOLS[each.test].title.english}: {each.overdue_days(today)} d" for each in late)
    bangla = "; ".join(f"{PROTOCOLS[each.test].title.bangla}: {each.overdue_days(today)} দিন" for each in late)
    message = Message(
        "device-test.overdue",
        "Tests of a device are overdue / যন্ত্রের পরীক্ষার সময় পেরিয়ে গেছে",
        f"{device.name}: {english}. After 30 days nothing new is booked on it.\n"
        f"{device.name}: {bangla}। ৩০ দিন পরে এতে নতুন কিছু বুক করা যাবে না।",
        f"Device/{device.number}",
    )
    await inbox.place(tx, await who_are(tx, [Role.QA, Role.ADMINISTRATOR], device.facility_code), message)


def protocol_of(test: str) -> Protocol:
    """Raises NotFound for a test that there is not."""
    if test not in PROTOCOLS:
        raise NotFound(f"There is no test {test!r}; there are: {', '.join(PROTOCOLS)}.")
    return PROTOCOLS[test]


def today_of(app: App) -> date:
    """The day it is at the facility."""
    return app.clock.now().astimezone(app.settings.zone).date()


def _must_test(actor: Actor) -> None:
    """Raises NotPermitted for who works neither at devices nor for quality."""
    if not actor.may(Permission.QUALITY):
        actor.must(Permission.WRITE)
        _ = actor.staff_reach
