"""Tell patients of their bookings by short message: once for each booking, moment and start; never after a cancel."""

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from radiology.access.model import Actor, Permission
from radiology.app import App
from radiology.audit import actions as audit
from radiology.errors import Unprocessable
from radiology.external.notifications.model import Gateway, ShortMessage, mobile_number
from radiology.external.notifications.sms import HTTPGateway
from radiology.kit import jobs
from radiology.kit.db import Transaction
from radiology.kit.ids import uuid7
from radiology.kit.log import get_logger
from radiology.scheduling import openings
from radiology.scheduling.model import Status
from radiology.scheduling.reminders import messages, queries
from radiology.scheduling.reminders.messages import Moment, Sender
from radiology.scheduling.reminders.queries import Reminder, Told

JOB: Final = "scheduling.tell"
AT_ONCE: Final = 200

log = get_logger()


async def tell(tx: Transaction, app: App, booking_id: UUID, moment: str) -> bool:
    """Have a patient told once this transaction is committed; False where he or she is not, or was before."""
    told = await queries.told(tx, booking_id)
    if told is None or not app.settings.sms_gateway_url or not _wants(told):
        return False
    reminder_id = uuid7()
    columns = {
        "id": reminder_id, "facility_code": told.facility_code, "booking_id": booking_id, "moment": moment,
        "begins": told.begins, "mobile": mobile_number(told.mobile), "language": told.language,
        "now": app.clock.now(),
    }  # fmt: skip
    if not await queries.insert(tx, columns):
        return False
    await jobs.enqueue(tx, JOB, {"reminder": str(reminder_id)})
    return True


def _wants(told: Told) -> bool:
    return told.reminders and not told.refused and mobile_number(told.mobile) is not None


async def drop(tx: Transaction, app: App, booking_id: UUID) -> None:
    """What waits to be sent is not sent any more."""
    await queries.drop_of(tx, booking_id, now=app.clock.now())


async def remind_due(app: App) -> int:
    """Have the patients reminded whose time has come; returns how many."""
    if not app.settings.sms_gateway_url:
        return 0
    count = 0
    async with app.db.transaction() as tx:
        for due in await queries.due(tx, now=app.clock.now(), limit=AT_ONCE):
            count += await tell(tx, app, due.booking_id, f"{due.hours}h")
    return count


async def send(app: App, arguments: Mapping[str, Any]) -> None:
    """The job: send one message, unless it is of no use any more. Raises Unavailable to be tried again."""
    reminder_id = UUID(arguments["reminder"])
    async with app.db.transaction() as tx:
        message = await _prepared(tx, app, reminder_id)
    if message is None:
        return
    gateway: Gateway = HTTPGateway(app.settings)
    try:
        reference = await gateway.send(message)
    except Unprocessable as error:
        log.warning("reminder.refused", exc_info=error)
        async with app.db.transaction() as tx:
            await queries.end(tx, reminder_id, status="refused", now=app.clock.now(), reason=error.sentence)
        return
    async with app.db.transaction() as tx:
        await queries.end(tx, reminder_id, status="sent", now=app.clock.now(), reference=reference)


async def _prepared(tx: Transaction, app: App, reminder_id: UUID) -> ShortMessage | None:
    """The message of a reminder that is still to be sent; else the reminder is dropped with the reason."""
    reminder = await queries.lock(tx, reminder_id)
    if reminder is None or reminder.status != "due":
        return None
    told = await queries.told(tx, reminder.booking_id)
    why = _useless(app, reminder, told)
    if told is None or why:
        await queries.end(tx, reminder_id, status="dropped", now=app.clock.now(), reason=why)
        return None
    rules = await openings.rules_of(tx, told.facility_code)
    text = messages.text(
        reminder.moment,
        told.begins,
        zone=app.settings.zone,
        language=reminder.language,
        preparations=told.preparations,
        number=told.accession_number,
        sender=Sender(rules.facility_name, rules.facility_name_bangla, rules.phone),
    )
    await queries.save_attempt(tx, reminder_id, text=text)
    return ShortMessage(reminder_id, reminder.mobile, text)


def _useless(app: App, reminder: Reminder, told: Told | None) -> str:
    wanted = Status.HELD if reminder.moment == Moment.OFFERED else Status.BOOKED
    if told is None or told.status != wanted:
        return "the booking is not so any more"
    if told.begins != reminder.begins:
        return "the booking was moved"
    if told.refused or not told.reminders:
        return "the patient wants no messages"
    return "it is too late" if told.begins <= app.clock.now() else ""


async def refuse(app: App, actor: Actor, mobile: str) -> str:
    """Send nothing to this number any more; returns it as it is kept. Raises Unprocessable for no mobile number."""
    actor.must(Permission.WRITE)
    number, facility = _number(mobile), actor.facility_code or app.settings.facility_code
    async with app.db.transaction() as tx:
        await queries.refuse(tx, facility_code=facility, mobile=number, refused_by=actor.id, now=app.clock.now())
        await audit.record(tx, actor, "reminder.refuse", facility)
    return number


async def allow(app: App, actor: Actor, mobile: str) -> str:
    """Send messages to this number again."""
    actor.must(Permission.WRITE)
    number, facility = _number(mobile), actor.facility_code or app.settings.facility_code
    async with app.db.transaction() as tx:
        await queries.allow(tx, facility_code=facility, mobile=number)
        await audit.record(tx, actor, "reminder.allow", facility)
    return number


def _number(mobile: str) -> str:
    number = mobile_number(mobile)
    if number is None:
        raise Unprocessable("A mobile number of Bangladesh is written as 01712345678 or +8801712345678.")
    return number
