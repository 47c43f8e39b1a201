"""`radi trace` and `radi doctor ae`: traces and findings for a person at a terminal."""

import asyncio
from collections.abc import Sequence
from typing import Final

from rich.console import Console

from radiology.app import App
from radiology.application_entities.calling import open_association
from radiology.application_entities.model import ApplicationEntity
from radiology.application_entities.queries import all_application_entities
from radiology.associations import stream
from radiology.associations.actions import diagnosis_of
from radiology.associations.schemas import AssociationOut, FindingOut
from radiology.associations.texts import Language
from radiology.dicom_network.client import ContextNotAcceptedError
from radiology.dicom_network.transport import AssociationEndedError, Timers
from radiology.errors import NotFound, RadiologyError
from radiology.settings import Settings
from radiology.standards.dicom.uids import IMPLICIT_VR_LITTLE_ENDIAN, VERIFICATION

LOOKED_EVERY_SECONDS: Final = 0.5
CALLED_TIMERS: Final = Timers(5, 5, 5)
_SIDES: Final[dict[Language, tuple[str, str]]] = {"en": ("on the machine", "here"), "bn": ("মেশিনে", "এখানে")}


async def follow(app: App, language: Language) -> None:
    """Print associations as they open, are refused and end, until interrupted."""
    console, position = Console(), await stream.newest_position(app)
    while True:
        async for place, association in stream.read_on(app, position):
            position = place
            _print_association(console, association, language)
        await asyncio.sleep(LOOKED_EVERY_SECONDS)


async def examine(app: App, ae_title: str, language: Language) -> bool:
    """Print what is known of an application entity, how it answers, and its last associations; whether all is well.

    Raises NotFound for one that is not registered and has never called.
    """
    console = Console()
    async with app.db.transaction() as tx:
        entities = {entity.ae_title: entity for entity in await all_application_entities(tx)}
    entity = entities.get(ae_title)
    well = entity is not None and _print_entity(console, entity, app.settings)
    try:
        diagnosis = await diagnosis_of(app, ae_title)
    except NotFound:
        console.print(f"[red]WRONG[/] No application entity is called {ae_title!r}, and none of that name has called.")
        return False
    if entity is None:
        console.print(f"[red]WRONG[/] {ae_title} is not registered.")
    if not diagnosis.associations:
        console.print("It has not called yet.")
    for association in diagnosis.associations:
        _print_association(console, association, language)
    return well and not diagnosis.findings


def _print_entity(console: Console, entity: ApplicationEntity, settings: Settings) -> bool:
    hosts = ", ".join(entity.calling_hosts) or "anywhere"
    console.print(f"{entity.ae_title} may call from {hosts}, for {', '.join(entity.services) or 'nothing'}.")
    if not entity.enabled:
        console.print("[red]WRONG[/] Its record is switched off.")
        return False
    if not (entity.host and entity.port):
        console.print("Where it listens is not registered, so it cannot be called.")
        return True
    return _print_echo(console, settings, entity)


def _print_echo(console: Console, settings: Settings, entity: ApplicationEntity) -> bool:
    tls = ", with TLS" if entity.tls == "required" else ""
    where = f"{entity.ae_title} at {entity.host} port {entity.port}, called by {settings.ae_title}{tls},"
    try:
        contexts = [(VERIFICATION, [IMPLICIT_VR_LITTLE_ENDIAN])]
        with open_association(settings, entity, contexts, timers=CALLED_TIMERS) as association:
            association.echo()
    except (AssociationEndedError, ContextNotAcceptedError, OSError, RadiologyError) as error:
        console.print(f"[red]WRONG[/] {where} does not answer: {error}", highlight=False)
        return False
    console.print(f"[green]ok[/]    {where} answers.", highlight=False)
    return True


def _print_association(console: Console, association: AssociationOut, language: Language) -> None:
    times = f" ({association.times} times)" if association.times > 1 else ""
    console.print(
        f"{association.openedAt:%Y-%m-%d %H:%M:%S} UTC  {association.callingAETitle or '?'} -> "
        f"{association.calledAETitle or '?'}  from {association.host}  {association.outcome}{times}",
        highlight=False,
    )
    for operation in association.operations:
        console.print(f"    {operation.operation} {operation.status} x {operation.count}", highlight=False)
    _print_findings(console, association.findings, language)


def _print_findings(console: Console, findings: Sequence[FindingOut], language: Language) -> None:
    machine, here = _SIDES[language]
    for finding in findings:
        said = finding.bangla if language == "bn" else finding.english
        console.print(f"    [red]{finding.code}[/]: {said.happened}", highlight=False)
        if said.modalitySide:
            console.print(f"      -> {machine}: {said.modalitySide}", highlight=False)
        if said.ourSide:
            console.print(f"      -> {here}: {said.ourSide}", highlight=False)
