"""Add and change facilities and places. Row and audit are one transaction."""

from typing import Final

from radiology.access.model import Actor, Permission
from radiology.app import App
from radiology.audit import actions as audit
from radiology.errors import FieldProblem, NotPermitted, StaleVersion, Unprocessable
from radiology.facilities import queries
from radiology.facilities.schemas import FacilityIn, PlaceRow
from radiology.kit.db import Transaction
from radiology.kit.taking import Outcome

_ABOVE: Final = {"division": (), "district": ("division",), "upazila": ("district",)}
"""The levels of places that a facility has, and which one lies directly above each."""


async def save(
    app: App, actor: Actor, code: str, body: FacilityIn, *, version: int | None
) -> tuple[Outcome, int, bytes]:
    """Add or change a facility; returns what became of it, version and body. Raises StaleVersion, Unprocessable."""
    actor.must(Permission.ADMINISTER)
    async with app.db.transaction() as tx:
        await queries.begin_change(tx)
        found = await queries.version_of(tx, code)
        if version is not None and version != (found or 0):
            raise StaleVersion(f"The facility has version {found or 0} by now. Read it again and decide anew.")
        outcome = await put(tx, actor, code, body)
        if outcome != "same":
            await audit.record(tx, actor, "facility.save", code)
        answer, now = await queries.body(tx, code)
        return outcome, now, answer


async def put(tx: Transaction, actor: Actor, code: str, body: FacilityIn) -> Outcome:
    """The same in a transaction that has begun a change. Raises NotPermitted, Unprocessable."""
    must_reach(actor, code)
    await _must_be_known(tx, body)
    if await queries.version_of(tx, code) is None:
        await queries.insert(tx, code, body.columns())
        return "added"
    return "changed" if await queries.save(tx, code, body.columns()) else "same"


def must_reach(actor: Actor, code: str) -> None:
    """Raises NotPermitted for who administers other facilities than this one."""
    if actor.facility_codes is not None and code not in actor.facility_codes:
        raise NotPermitted(f"You do not administer facility {code}.")


async def _must_be_known(tx: Transaction, body: FacilityIn) -> None:
    """Raises Unprocessable where a place is not in the list, not of its level, or does not lie in the other one."""
    given = {level: code for level in _ABOVE if (code := getattr(body, level))}
    known = await queries.places(tx, list(given.values()))
    for level, code in given.items():
        place = known.get(code)
        if place is None or place.level != level:
            raise refused(level, f"{code} is no {level} of the list of geocodes")
        above = next((given[each] for each in _ABOVE[level] if each in given), None)
        if above is not None and place.parent != above:
            raise refused(level, f"{code} does not lie in {above}")


def refused(field: str, sentence: str) -> Unprocessable:
    """A value that cannot be right, by its field."""
    return Unprocessable(f"{field}: {sentence}.", fields=[FieldProblem(field, sentence)])


async def put_place(tx: Transaction, row: PlaceRow) -> Outcome:
    """Add or change a member of the list of geocodes. Raises Unprocessable where what it lies in is not in the list."""
    known = await queries.places(tx, [row.code, row.parent])
    if row.parent and row.parent not in known:
        raise refused("parent", f"{row.parent} is not in the list of geocodes; put it before what lies in it")
    if row.parent == row.code:
        raise refused("parent", "a place does not lie in itself")
    if not await queries.save_place(tx, row.model_dump()):
        return "same"
    return "changed" if row.code in known else "added"
