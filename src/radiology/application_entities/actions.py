"""Change the registry of application entities."""

from radiology.access.model import Actor, Permission
from radiology.app import App
from radiology.application_entities import queries
from radiology.application_entities.model import ApplicationEntity, problems
from radiology.audit import actions as audit
from radiology.errors import NotFound, Unprocessable


async def register(app: App, actor: Actor, entity: ApplicationEntity) -> None:
    """Add or change a peer. Raises Unprocessable, which names each field that cannot be right."""
    actor.must(Permission.ADMINISTER)
    if found := problems(entity):
        sentence = "; ".join(f"{problem.field}: {problem.message}" for problem in found)
        raise Unprocessable(f"The record of {entity.ae_title!r} cannot be kept. {sentence}.", fields=found)
    async with app.db.transaction() as tx:
        await queries.save(tx, entity)
        await audit.record(tx, actor, "application-entity.register", entity.ae_title)


async def forget(app: App, actor: Actor, ae_title: str) -> None:
    """Remove a peer. Raises NotFound."""
    actor.must(Permission.ADMINISTER)
    async with app.db.transaction() as tx:
        if not await queries.remove(tx, ae_title):
            raise NotFound(f"No application entity is called {ae_title!r}.")
        await audit.record(tx, actor, "application-entity.forget", ae_title)
