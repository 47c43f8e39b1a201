"""Which application entity a foreign archive is: a record of the registry, by AE title or by its DICOMweb URL."""

from dataclasses import dataclass

from radiology.access.model import Actor
from radiology.app import App
from radiology.application_entities.model import ApplicationEntity, problems
from radiology.application_entities.queries import all_application_entities, find_application_entity
from radiology.errors import NotFound, Unprocessable
from radiology.kit.db import Transaction
from radiology.takeover.queries import sources_that_answer

#: What an archive is called in the registry of what is copied, when only its URL is known.
UNREGISTERED = "DICOMWEB"


@dataclass(frozen=True, slots=True)
class Proxied:
    """A foreign archive that is asked for what has not come yet."""

    source: str
    entity: ApplicationEntity
    facility_code: str

    def is_visible_to(self, actor: Actor) -> bool:
        """Whether the actor may see its studies: those of its facility, all of them. Raises NotPermitted."""
        reach = actor.reach
        is_within = reach.facility_codes is None or self.facility_code in reach.facility_codes
        return is_within and reach.study_instance_uid is None and not reach.own_only


def is_url(source: str) -> bool:
    """Whether a source is named by the URL of its DICOMweb."""
    return source.startswith(("http://", "https://"))


def source_of(name: str) -> str:
    """What an archive is called in the tables, as it was named on the command line."""
    return name.rstrip("/") if is_url(name) else name


def studies_at_once(entity: ApplicationEntity) -> int:
    """How many studies are copied at once: one place is left for what people ask for meanwhile."""
    return max(1, entity.outgoing_associations - 1)


async def find_entity(tx: Transaction, source: str) -> ApplicationEntity | None:
    """The record of a source, None where it has none."""
    if not is_url(source):
        return await find_application_entity(tx, source)
    entities = await all_application_entities(tx)
    return next((entity for entity in entities if entity.dicomweb_url.rstrip("/") == source), None)


async def entity_of(app: App, source: str, *, user: str, secret: str, facility: str) -> ApplicationEntity:
    """The record of a source, or one made for a URL that is not registered, with what is given for it.

    Raises NotFound for an AE title that is not registered, Unprocessable for a URL that is none, or when something is
    given for an archive that has a record.
    """
    async with app.db.transaction() as tx:
        entity = await find_entity(tx, source)
    if entity is not None:
        if user or secret or facility:
            raise Unprocessable(f"{source} is registered as {entity.ae_title}: user, secret and facility stand there.")
        return entity
    if not is_url(source):
        raise NotFound(f"No application entity is called {source!r}. Register it with host and port, or dicomwebUrl.")
    made = ApplicationEntity(
        UNREGISTERED,
        dicomweb_url=source,
        dicomweb_user=user,
        dicomweb_secret=secret,
        facility_code=facility or None,
    )
    if found := problems(made):
        raise Unprocessable(f"{source} cannot be called: {found[0].message}.", fields=found)
    return made


async def proxied_sources(app: App) -> list[Proxied]:
    """The archives that are switched on, and can be called."""
    async with app.db.transaction() as tx:
        found = [(source, await find_entity(tx, source)) for source in await sources_that_answer(tx)]
    return [
        Proxied(source, entity, entity.facility_code or app.settings.facility_code)
        for source, entity in found
        if entity is not None and entity.is_callable
    ]
