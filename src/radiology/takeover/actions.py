"""Have a foreign archive asked for what has not come from it yet, or not any more."""

from radiology.access.model import Actor, Permission
from radiology.app import App
from radiology.audit import actions as audit
from radiology.errors import NotFound, Unprocessable
from radiology.kit.db import Transaction
from radiology.takeover import queries
from radiology.takeover.sources import find_entity


async def answer_queries(app: App, actor: Actor, source: str, *, answers: bool) -> None:
    """Switch on or off that queries are answered with studies that are only there.

    Raises Unprocessable where an archive that is to be asked has no record, which says how and of which facility, and
    NotFound where one that is to be left out is not known.
    """
    actor.must(Permission.ADMINISTER)
    async with app.db.transaction() as tx:
        if answers:
            await _must_be_callable(tx, source)
            await queries.answer_queries(tx, source)
        elif not await queries.leave_out(tx, source):
            raise NotFound(f"{source} is no archive that is copied here.")
        await audit.record(tx, actor, "takeover.answer-queries", source, detail={"answers": answers})


async def _must_be_callable(tx: Transaction, source: str) -> None:
    entity = await find_entity(tx, source)
    if entity is None or not entity.is_callable:
        raise Unprocessable(
            f"{source} cannot be asked. Register it as an application entity with host and port, or dicomwebUrl."
        )
