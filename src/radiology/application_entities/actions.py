"""Change the registry of application entities."""

from radiology.access.model import Actor, Permission
from radiology.app import App
from radiology.application_entities import queries
from radiology.application_entities.model import SERVICES, ApplicationEntity
from radiology.audit import actions as audit
from radiology.errors import NotFound, Unprocessable


async def register(app: App, actor: Actor, entity: ApplicationEntity) -> None:
    """Add or change a peer. Raises Unprocessable for a title that DICOM does not allow (PS3.5 6.2, AE)."""
    actor.must(Permission.ADMINISTER)
    title = entity.ae_title
    if (
        not 1 <= len(title) <= 16
        or title != title.strip()
        or "\\" in title
        or not title.isprintable()
        or not title.isascii()
    ):
        raise Unprocessable("An AE title has 1 to 16 printable ASCII characters, no backslash, no space at its ends.")
    if unknown := set(entity.services) - set(SERVICES):
        raise Unprocessable(f"Unknown services: {', '.join(sorted(unknown))}. Known are: {', '.join(SERVICES)}.")
    async with app.db.transaction() as tx:
        await queries.save(tx, entity)
        await audit.record(tx, actor, "application-entity.register", title)


async def forget(app: App, actor: Actor, ae_title: str) -> None:
    """Remove a peer. Raises NotFound."""
    actor.must(Permission.ADMINISTER)
    async with app.db.transaction() as tx:
        if not await queries.remove(tx, ae_title):
            raise NotFound(f"No application entity is called {ae_title!r}.")
        await audit.record(tx, actor, "application-entity.forget", ae_title)
