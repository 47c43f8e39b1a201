"""Find the bookings whose device may not be used then, and give each the best time there is elsewhere."""

from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from radiology.access.model import Actor, Permission
from radiology.app import App
from radiology.facilities.capability import SENTENCES, why_unfit
from radiology.kit.bilingual import Sentence
from radiology.kit.db import Transaction
from radiology.scheduling.actions.change import move_away
from radiology.scheduling.model import Status
from radiology.scheduling.queries import bookings
from radiology.scheduling.stranded import queries
from radiology.scheduling.stranded.queries import Doubtful

MOST: Final = 1000
AT_ONCE: Final = 100
CLOSED: Final = Sentence("The time is blocked.", "সময়টি বন্ধ রাখা হয়েছে।")
REASON: Final = "the device may not be used"


@dataclass(frozen=True, slots=True)
class Stranded:
    """A booking that cannot be kept, and why."""

    id: UUID
    code: str
    why: Sentence

    def told(self) -> dict[str, Any]:
        """Why, as an answer holds it."""
        return {"code": self.code, **self.why.told()}


@dataclass(frozen=True, slots=True)
class Replanned:
    """The bookings that were moved, and those for which nothing was free."""

    moved: tuple[UUID, ...]
    left: tuple[Stranded, ...]


async def stranded(tx: Transaction, app: App, *, device: int | None, visible_to: Actor) -> list[Stranded]:
    """The bookings to come that cannot be kept, the most urgent first, then the earliest; of one device if given."""
    found = await queries.doubtful(tx, now=app.clock.now(), device=device, limit=MOST, visible_to=visible_to)
    judged = (_judged(app, each) for each in found)
    return [each for each in judged if each is not None]


def _judged(app: App, booking: Doubtful) -> Stranded | None:
    day = booking.begins.astimezone(app.settings.zone).date()
    if why := why_unfit(booking.registered, day):
        return Stranded(booking.id, why, SENTENCES[why])
    return Stranded(booking.id, "blocked-time", CLOSED) if booking.is_closed else None


async def replan(app: App, actor: Actor, *, device: int | None) -> Replanned:
    """Move the first hundred of them, each to the best time after its own, and tell the patients.

    Each is a transaction of its own: what was moved stays moved, and who is left is told with why.
    """
    actor.must(Permission.WRITE)
    async with app.db.transaction() as tx:
        found = await stranded(tx, app, device=device, visible_to=actor)
    moved, left = list[UUID](), list[Stranded](found[AT_ONCE:])
    for each in found[:AT_ONCE]:
        async with app.db.transaction() as tx:
            booking = await bookings.lock(tx, each.id, visible_to=actor)
            if booking.status != Status.BOOKED:
                continue
            if await move_away(tx, app, actor, booking, reason=REASON):
                moved.append(each.id)
            else:
                left.append(each)
    return Replanned(tuple(moved), tuple(left))
