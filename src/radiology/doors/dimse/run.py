"""`radi serve dimse`: one process that takes associations on the DICOM port, which several may share."""

import asyncio
import math
import socket
from collections import Counter
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any, TypeVar

from radiology.app import App
from radiology.application_entities.addresses import calls_from, is_among
from radiology.application_entities.model import DEFAULT_SERVICES, ApplicationEntity
from radiology.application_entities.queries import all_application_entities
from radiology.associations.recorder import Recorder
from radiology.associations.texts import TEXTS
from radiology.dicom_network.association import REJECT_CALLING_AE_TITLE, Offer, Policy
from radiology.dicom_network.connection import Address, Association, Outcome, Timers
from radiology.dicom_network.message import Command, CommandField
from radiology.dicom_network.pdu import AssociateRJ, AssociateRQ
from radiology.dicom_network.server import Application, Limits, Server
from radiology.doors.dimse.services import OFFERS, STORAGE, Services, Visit, response_to_error
from radiology.doors.dimse.tracing import trace_of, trace_of_refusal
from radiology.kit import metrics
from radiology.kit.clock import monotonic_seconds, now
from radiology.kit.log import get_logger
from radiology.kit.processes import read_state, stop_asked
from radiology.settings import Settings
from radiology.studies.archive import Archive, open_archive
from radiology.studies.receive import Source

REGISTRY_KEPT_SECONDS = 2.0
GAUGES_EVERY_SECONDS = 1.0

T = TypeVar("T")
log = get_logger()


@dataclass(slots=True)
class Registry:
    """The application entities that may associate, read anew every few seconds."""

    app: App
    loop: asyncio.AbstractEventLoop
    _read_at: float = -math.inf
    _entities: dict[str, ApplicationEntity] = field(default_factory=dict[str, ApplicationEntity])

    def find(self, calling_ae_title: str, peer: Address) -> ApplicationEntity | None:
        """The entity that calls, if it may call from there. Raises Unavailable without a database."""
        if monotonic_seconds() - self._read_at > REGISTRY_KEPT_SECONDS:
            self._entities = self._wait_for(self._read())
            self._read_at = monotonic_seconds()
        settings, entity = self.app.settings, self._entities.get(calling_ae_title)
        if not is_among(settings.plain_dicom_networks.split(","), peer.host):
            return None
        if entity is None:
            services = DEFAULT_SERVICES if settings.allow_unknown_ae else ("echo",)
            allowed = settings.allow_unknown_ae or settings.allow_unknown_echo
            return ApplicationEntity(calling_ae_title, services=list(services)) if allowed else None
        # The port speaks no TLS, so whoever must come with TLS did not.
        may_call = entity.enabled and entity.tls != "required" and calls_from(entity, peer.host)
        return entity if may_call else None

    def knows(self, ae_title: str) -> bool:
        """Whether an enabled entity of this title was registered when the registry was last read."""
        entity = self._entities.get(ae_title)
        return entity is not None and entity.enabled

    async def _read(self) -> dict[str, ApplicationEntity]:
        async with self.app.db.transaction() as tx:
            return {entity.ae_title: entity for entity in await all_application_entities(tx)}

    def _wait_for(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(timeout=15)


@dataclass(slots=True)
class Door:
    """What the DICOM server asks of us, and tells us."""

    archive: Archive
    registry: Registry
    services: Services
    operations: Counter[tuple[int, int]] = field(default_factory=Counter[tuple[int, int]])
    recorder: Recorder | None = None

    def negotiate(self, request: AssociateRQ, peer: Address) -> Policy | AssociateRJ:
        """Who may associate, and for what. An exception, such as for a lost database, rejects with 2/3/1."""
        self.archive.arrivals.check()
        entity = self.registry.find(request.calling_ae_title, peer)
        if entity is None:
            return REJECT_CALLING_AE_TITLE
        settings = self.archive.app.settings
        facility = entity.facility_code or settings.facility_code
        allowed = [service for service in OFFERS if entity.may(service)]
        offers = {uid: offer for service in allowed for uid, offer in _offered(service, entity.preference).items()}
        if entity.may("get") and not entity.may("store"):
            offers |= dict.fromkeys(OFFERS["store"], replace(_preferring(STORAGE, entity.preference), peer_scu=False))
        forbidden = {uid for offered in OFFERS.values() for uid in offered} - offers.keys()
        return Policy(
            offers=offers,
            called_ae_titles=frozenset((settings.ae_title,)),
            forbidden=frozenset(forbidden),
            storage=_preferring(STORAGE, entity.preference) if entity.may("store") else None,
            accept_unknown_storage=settings.accept_unknown_storage,
            max_associations=entity.max_associations or 0,
            state=Visit(entity, Source(facility, request.calling_ae_title, f"ae:{request.calling_ae_title}")),
        )

    def opened(self, association: Association) -> None:
        """An association was accepted."""
        log.info("association.opened", ae_title=association.calling_ae_title, peer=association.peer.host)
        if self.recorder is not None:
            association.state.trace = trace_of(association)
            self.recorder.keep(association.state.trace)

    def refused(self, peer: Address, request: AssociateRQ | None, reason: str, sentence: str) -> None:
        """There was no association. A connection without a word, such as a test of the port, is only counted."""
        trace = trace_of_refusal(peer, request, reason, sentence)
        if trace.refusal == "calling_ae_title" and self.registry.knows(trace.calling_ae_title):
            trace.refusal = "address"
        metrics.association_refused(trace.refusal).inc()
        if self.recorder is not None and (request is not None or trace.refusal in TEXTS):
            self.recorder.refused(trace)

    def closed(self, association: Association, outcome: Outcome, sentence: str) -> None:
        """An association has ended."""
        visit: Visit = association.state
        self.services.leave(association)
        metrics.association(outcome).inc()
        log.info("association.closed", ae_title=association.calling_ae_title, result=outcome, reason=sentence,
                 instances=visit.instances)  # fmt: skip
        if self.recorder is not None and visit.trace is not None:
            visit.trace.outcome, visit.trace.sentence, visit.trace.ended_at = outcome, sentence, now()
            self.recorder.keep(visit.trace)

    def performed(self, association: Association, request: Command, status: int, seconds: float) -> None:
        """A request was answered. What succeeded is only counted: this is called for every image."""
        self.operations[request.field, status] += 1
        if (trace := association.state.trace) is not None:
            trace.performed(request.operation, request.sop_class_uid, status, seconds)
        if status:
            log.warning("dimse.performed", ae_title=association.calling_ae_title, operation=request.operation,
                        sop_instance_uid=request.sop_instance_uid, status=f"{status:04X}",
                        seconds=round(seconds, 4))  # fmt: skip

    def tell_counts(self) -> None:
        """Hand what was counted to the metrics."""
        counted, self.operations = self.operations, Counter()
        for (field_number, status), count in counted.items():
            name = CommandField(field_number).name.removesuffix("_RQ").replace("_", "-")
            metrics.dicom_operation(name, f"{status:04X}").inc(count)


@lru_cache(maxsize=256)
def _offered(service: str, preference: tuple[str, ...]) -> Mapping[str, Offer]:
    return {uid: _preferring(offer, preference) for uid, offer in OFFERS[service].items()}


def _preferring(offer: Offer, preference: tuple[str, ...]) -> Offer:
    return replace(offer, preference=preference) if preference else offer


def run(settings: Settings, listener: socket.socket | None = None) -> None:
    """Take associations until SIGTERM, then let the running ones end, up to `drain_seconds`.

    `listener` is shared with the other processes of this door; without it the port is this process's own.
    """
    asyncio.run(_serve(settings, listener))


async def _serve(settings: Settings, listener: socket.socket | None) -> None:
    app = App.of(settings, connections=4)
    await app.db.open()
    stopped = stop_asked()
    with open_archive(app) as archive:
        recorder = Recorder(settings.database_dsn)
        recorder.start()
        door = Door(archive, Registry(app, asyncio.get_running_loop()), Services(archive), recorder=recorder)
        server = serve(door, listener)
        gauges = asyncio.create_task(_keep_gauges(server, door))
        await stopped.wait()
        await asyncio.to_thread(server.stop, settings.drain_seconds, rejecting=listener is None or _all_stop(settings))
        gauges.cancel()
        door.tell_counts()
        await asyncio.to_thread(recorder.stop)
    await app.db.close()


def _all_stop(settings: Settings) -> bool:
    """Whether the whole service stops, so that no process of this door is left to take what comes."""
    state = read_state(settings.run_dir)
    return state is None or state.phase == "draining"


def serve(door: Door, listener: socket.socket | None = None) -> Server:
    """A server over an archive, started."""
    settings, services = door.archive.app.settings, door.services
    application = Application(
        negotiate=door.negotiate,
        services=services.table(),
        on_open=door.opened,
        on_close=door.closed,
        on_refused=door.refused,
        before_release=services.wait_for_index,
        between_messages=services.between_messages,
        on_operation=door.performed,
        response_to_error=response_to_error,
    )
    timers = Timers(settings.artim_seconds, settings.dimse_timeout_seconds, settings.idle_timeout_seconds)
    limits = Limits(
        max_associations=math.ceil(settings.max_associations / settings.dimse_processes),
        max_associations_per_ae=settings.max_associations_per_ae,
        max_pdu_length=settings.max_pdu_bytes,
    )
    server = Server(
        application, (settings.bind_address, settings.dicom_port), timers=timers, limits=limits, listener=listener
    )
    server.start()
    return server


async def _keep_gauges(server: Server, door: Door) -> None:
    told: Counter[tuple[int, int, int]] = Counter()
    while True:
        metrics.associations_open.set(server.counters.open)
        metrics.index_waiting.set(door.archive.arrivals.waiting)
        door.tell_counts()
        for triple, count in list(server.counters.rejected.items()):
            metrics.association("rejected " + "/".join(map(str, triple))).inc(count - told[triple])
            told[triple] = count
        await asyncio.sleep(GAUGES_EVERY_SECONDS)
