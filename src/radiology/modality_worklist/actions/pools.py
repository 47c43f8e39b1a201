"""Which stations take each other's work."""

from collections.abc import Sequence

from radiology.access.model import Actor, Permission
from radiology.app import App
from radiology.audit import actions as audit
from radiology.errors import NotFound, Unprocessable
from radiology.modality_worklist import queries

LONGEST_NAME = 16


async def save_pool(app: App, actor: Actor, name: str, *, modality: str, ae_titles: Sequence[str]) -> None:
    """Add a pool to the actor's facility, or change it. Raises Unprocessable for a name that is too long."""
    actor.must(Permission.WRITE)
    if not 1 <= len(name) <= LONGEST_NAME or "\\" in name or not name.isprintable():
        raise Unprocessable(f"The name of a pool has 1 to {LONGEST_NAME} printable characters and no backslash.")
    facility = actor.facility_code or app.settings.facility_code
    async with app.db.transaction() as tx:
        await queries.save_pool(tx, facility_code=facility, name=name, modality=modality, ae_titles=ae_titles)
        await audit.record(tx, actor, "worklist.pool", name)


async def remove_pool(app: App, actor: Actor, name: str) -> None:
    """Forget a pool of the actor's facility. Raises NotFound."""
    actor.must(Permission.WRITE)
    facility = actor.facility_code or app.settings.facility_code
    async with app.db.transaction() as tx:
        if not await queries.remove_pool(tx, facility_code=facility, name=name):
            raise NotFound(f"No pool is called {name!r}.")
        await audit.record(tx, actor, "worklist.pool-removed", name)
