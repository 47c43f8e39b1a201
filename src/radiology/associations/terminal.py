"""`radi trace` and `radi doctor ae`: traces and findings for a person at a terminal."""

import asyncio
import socket
from collections.abc import Sequence
from typing import Final

from rich.console import Console

from radiology.app import App
from radiology.application_entities.model import ApplicationEntity
from radiology.application_entities.queries import all_application_entities
from radiology.associations import stream
from radiology.associations.actions import diagnosis_of
from radiology.associations.schemas import AssociationOut, FindingOut
from radiology.associations.texts import Language
from radiology.dicom_network.client import ContextNotAcceptedError, Peer, connect
from radiology.dicom_network.transport import AssociationEndedError, Timers
from radiology.errors import NotFound
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
    well = entity is not None and _print_entity(console, entity, app.settings.ae_title)
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


def _print_entity(console: Console, entity: ApplicationEntity, ours: str) -> bool:
    hosts = ", ".join(entity.calling_hosts) or "anywhere"
    console.print(f"{entity.ae_title} may call from {hosts}, for {', '.join(entity.services) or 'nothing'}.")
    if not entity.enabled:
        console.print("[red]WRONG[/] Its record is switched off.")
        return False
    if not (entity.host and entity.port):
        console.print("Where it listens is not registered, so it cannot be called.")
        return True
    if entity.tls == "required":
        return _print_reachable(console, entity.host, entity.port)
    return _print_echo(console, Peer(entity.host, entity.port, entity.ae_title, ours))


def _print_reachable(console: Console, host: str, port: int) -> bool:
    try:
        socket.create_connection((host, port), CALLED_TIMERS.artim_seconds).close()
    except OSError as error:
        console.print(f"[red]WRONG[/] {host} port {port} cannot be reached: {error.strerror or error}.")
        return False
    console.print(f"[green]ok[/]    {host} port {port} can be reached; it is called with TLS.")
    return True


def _print_echo(console: Console, peer: Peer) -> bool:
    where = f"{peer.called_ae_title} at {peer.host} port {peer.port}"
    try:
        with connect(peer, [(VERIFICATION, [IMPLICIT_VR_LITTLE_ENDIAN])], timers=CALLED_TIMERS) as association:
            association.echo()
    except (AssociationEndedError, ContextNotAcceptedError, OSError) as error:
        console.print(f"[red]WRONG[/] {where}, called as {peer.calling_ae_title}, does not answer: {error}.")
        return False
    console.print(f"[green]ok[/]    {where}, called as {peer.calling_ae_title}, answers.")
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
