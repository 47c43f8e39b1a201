"""Change the registry of application entities."""

import asyncio
from dataclasses import dataclass, replace
from typing import Final

from radiology.access.model import Actor, Permission
from radiology.app import App
from radiology.application_entities import calling, queries, web
from radiology.application_entities.model import ApplicationEntity, problems
from radiology.audit import actions as audit
from radiology.dicom_network.client import VERIFICATION, AssociationEndedError, ContextNotAcceptedError
from radiology.dicom_network.transport import Timers
from radiology.errors import NotFound, PeerFailed, Unprocessable
from radiology.kit.clock import monotonic_seconds
from radiology.settings import Settings
from radiology.standards.dicom.uids import IMPLICIT_VR_LITTLE_ENDIAN

CHECK_SECONDS: Final = 10


async def register(app: App, actor: Actor, entity: ApplicationEntity, *, keeps_secret: bool = False) -> None:
    """Add or change a peer. Raises Unprocessable, which names each field that cannot be right.

    `keeps_secret`: the secret for its DICOMweb stays as it was, as long as the URL does.
    """
    actor.must(Permission.ADMINISTER)
    if found := problems(entity):
        sentence = "; ".join(f"{problem.field}: {problem.message}" for problem in found)
        raise Unprocessable(f"The record of {entity.ae_title!r} cannot be kept. {sentence}.", fields=found)
    async with app.db.transaction() as tx:
        if keeps_secret:
            before = await queries.find_application_entity(tx, entity.ae_title)
            if before is not None and before.dicomweb_url == entity.dicomweb_url:
                entity = replace(entity, dicomweb_secret=before.dicomweb_secret)
        await queries.save(tx, entity)
        await audit.record(tx, actor, "application-entity.register", entity.ae_title)


async def forget(app: App, actor: Actor, ae_title: str) -> None:
    """Remove a peer. Raises NotFound."""
    actor.must(Permission.ADMINISTER)
    async with app.db.transaction() as tx:
        if not await queries.remove(tx, ae_title):
            raise NotFound(f"No application entity is called {ae_title!r}.")
        await audit.record(tx, actor, "application-entity.forget", ae_title)


@dataclass(frozen=True, slots=True)
class Echo:
    """How a live test of a peer went, in a sentence, and how long it took."""

    answered: bool
    sentence: str
    milliseconds: int


async def echo(app: App, actor: Actor, ae_title: str) -> Echo:
    """Ask a peer whether it is there (C-ECHO, PS3.4 A). Raises NotFound, or Unprocessable without an address."""
    actor.must(Permission.ADMINISTER)
    async with app.db.transaction() as tx:
        entity = await queries.one_application_entity(tx, ae_title)
    return await asyncio.to_thread(check, app.settings, entity)


def check(settings: Settings, entity: ApplicationEntity) -> Echo:
    """Whether a peer is there: C-ECHO, or over DICOMweb a search for one study. Blocks: for a thread.

    Raises Unprocessable for a record that does not say where to call.
    """
    began = monotonic_seconds()
    answered, sentence = (_search if entity.dicomweb_url else _echo)(settings, entity)
    return Echo(answered, sentence, round((monotonic_seconds() - began) * 1000))


def _search(settings: Settings, entity: ApplicationEntity) -> tuple[bool, str]:
    try:
        web.search(settings, entity, "STUDY", [], limit=1)
    except PeerFailed as error:
        return False, error.sentence
    return True, f"{entity.ae_title} at {entity.dicomweb_url} answers."


def _echo(settings: Settings, entity: ApplicationEntity) -> tuple[bool, str]:
    where = f"{entity.ae_title} at {entity.host} port {entity.port}"
    timers = Timers(CHECK_SECONDS, CHECK_SECONDS, CHECK_SECONDS)
    contexts = [(VERIFICATION, [IMPLICIT_VR_LITTLE_ENDIAN])]
    try:
        with calling.open_association(settings, entity, contexts, timers=timers) as association:
            status = association.echo().status
    except (AssociationEndedError, ContextNotAcceptedError, OSError) as error:
        return False, f"{where} does not answer: {error}."
    return status == 0, f"{where} answers." if status == 0 else f"{where} answers with status {status:04X}."
