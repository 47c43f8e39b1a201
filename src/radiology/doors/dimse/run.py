"""`radi serve dimse`: one process that takes associations on the DICOM port, which several may share."""

import asyncio
import math
import socket
import ssl
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache, partial

from radiology.access.accounts import Authenticator
from radiology.access.model import SYSTEM
from radiology.app import App
from radiology.application_entities.addresses import calls_from, is_among
from radiology.application_entities.calling import credentials_of
from radiology.application_entities.certificates import is_bound
from radiology.application_entities.model import DEFAULT_SERVICES, ApplicationEntity
from radiology.application_entities.queries import all_application_entities
from radiology.associations.recorder import Recorder
from radiology.associations.texts import TEXTS
from radiology.audit import actions as audit
from radiology.audit.context import current
from radiology.audit.model import SERIOUS_FAILURE
from radiology.audit.trail import Access
from radiology.dicom_network.association import REJECT_CALLING_AE_TITLE, REJECT_NO_REASON, Offer, Policy
from radiology.dicom_network.connection import Address, Association, Outcome, Timers
from radiology.dicom_network.message import Command, CommandField
from radiology.dicom_network.operations import Application
from radiology.dicom_network.pdu import AssociateRJ, AssociateRQ
from radiology.dicom_network.server import Limits, Server
from radiology.dicom_network.tls import acceptor_context
from radiology.doors.dimse import audited
from radiology.doors.dimse.services import OFFERS, STORAGE, Services, Visit, response_to_error
from radiology.doors.dimse.tracing import trace_of, trace_of_refusal
from radiology.errors import NotAuthenticated, TooManyAttempts, Unavailable
from radiology.kit import metrics, slots
from radiology.kit.clock import monotonic_seconds, now
from radiology.kit.log import get_logger
from radiology.kit.processes import read_state, stop_asked
from radiology.settings import Settings
from radiology.studies.archive import Archive, open_archive
from radiology.studies.receive import Source

REGISTRY_KEPT_SECONDS = 2.0
REGISTRY_WAIT_SECONDS = 15
GAUGES_EVERY_SECONDS = 1.0
AUDITED_EVERY_SECONDS, AUDITED_AT_MOST = 60.0, 1_000
USER_AND_PASSCODE = 2

log = get_logger()


@dataclass(slots=True)
class Registry:
    """The application entities that may associate, read anew every few seconds."""

    app: App
    _read_at: float = -math.inf
    _entities: dict[str, ApplicationEntity] = field(default_factory=dict[str, ApplicationEntity])

    def find(self, calling_ae_title: str, peer: Address) -> ApplicationEntity | str:
        """The entity that calls, or the code of why it may not. Raises Unavailable without a database."""
        if monotonic_seconds() - self._read_at > REGISTRY_KEPT_SECONDS:
            self._entities = self.app.db.wait_for(self._read(), REGISTRY_WAIT_SECONDS)
            self._read_at = monotonic_seconds()
        settings, entity = self.app.settings, self._entities.get(calling_ae_title)
        if peer.certificate is None and not is_among(settings.plain_dicom_networks.split(","), peer.host):
            return "plain_on_tls_port"
        if entity is not None:
            return refusal_of(entity, peer) or entity
        services = DEFAULT_SERVICES if settings.allow_unknown_ae else ("echo",)
        allowed = settings.allow_unknown_ae or settings.allow_unknown_echo
        return ApplicationEntity(calling_ae_title, services=list(services)) if allowed else "calling_ae_title"

    async def _read(self) -> dict[str, ApplicationEntity]:
        async with self.app.db.transaction() as tx:
            return {entity.ae_title: entity for entity in await all_application_entities(tx)}


def refusal_of(entity: ApplicationEntity, peer: Address) -> str | None:
    """The code of why a registered entity may not call like this; None where it may."""
    if not entity.enabled:
        return "calling_ae_title"
    if peer.certificate is None and entity.tls == "required":
        return "plain_on_tls_port"
    if peer.certificate is not None and (entity.tls == "off" or not is_bound(entity, peer.certificate)):
        return "certificate_refused"
    return None if calls_from(entity, peer.host) else "address"


@dataclass(slots=True)
class Door:
    """What the DICOM server asks of us, and tells us."""

    archive: Archive
    registry: Registry
    services: Services
    operations: Counter[tuple[int, int]] = field(default_factory=Counter[tuple[int, int]])
    recorder: Recorder | None = None
    causes: dict[tuple[str, Address], str] = field(default_factory=dict[tuple[str, Address], str])
    """Why callers were just rejected with 1/1/3 or 1/1/1, until `refused` is told."""
    refusals: Counter[tuple[str, str, str]] = field(default_factory=Counter[tuple[str, str, str]])
    """Who was refused since the log was last told: calling AE title, host, reason."""
    audited: dict[tuple[str, str, str], float] = field(default_factory=dict[tuple[str, str, str], float])
    """When a refusal was last kept in the audit trail."""

    def negotiate(self, request: AssociateRQ, peer: Address) -> Policy | AssociateRJ:
        """Who may associate, and for what. An exception, such as for a lost database, rejects with 2/3/1."""
        audited.calling(request, peer)
        self.archive.arrivals.check()
        entity = self.registry.find(request.calling_ae_title, peer)
        if isinstance(entity, str):
            self.causes[request.calling_ae_title, peer] = entity
            return REJECT_CALLING_AE_TITLE
        if entity.checks_user and not self._is_user(peer, request):
            self.causes[request.calling_ae_title, peer] = "user_identity"
            return REJECT_NO_REASON
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

    def _is_user(self, peer: Address, request: AssociateRQ) -> bool:
        """Whether the request names an account and gives its password (PS3.7 D.3.3.7, type 2).

        A password that somebody must change, or that needs a code beside it, is not enough.
        """
        identity = request.user_information.user_identity
        if identity is None or identity.kind != USER_AND_PASSCODE:
            return False
        name, passcode = identity.primary.decode("utf-8", "replace"), identity.secondary.decode("utf-8", "replace")
        app = self.archive.app
        try:
            actor = app.db.wait_for(Authenticator(app).by_password(name, passcode, address=peer.host))
        except (NotAuthenticated, TooManyAttempts):
            return False
        return not actor.must_change_password

    def opened(self, association: Association) -> None:
        """An association was accepted."""
        current().actor = association.state.entity.actor()
        log.info("association.opened", ae_title=association.calling_ae_title, peer=association.peer.host)
        if self.recorder is not None:
            association.state.trace = trace_of(association)
            self.recorder.keep(association.state.trace)

    def refused(self, peer: Address, request: AssociateRQ | None, reason: str, sentence: str) -> None:
        """There was no association. A connection without a word, such as a test of the port, is only counted.

        The log is told once a second, so that a flood does not fill it.
        """
        trace = trace_of_refusal(peer, request, reason, sentence)
        if request is not None and (cause := self.causes.pop((request.calling_ae_title, peer), None)):
            trace.refusal = cause
            self._audit(request.calling_ae_title, peer.host, cause)
        metrics.association_refused(trace.refusal).inc()
        if request is not None or reason != Outcome.CLOSED_BY_PEER:
            self.refusals[trace.calling_ae_title, peer.host, trace.refusal] += 1
        if self.recorder is not None and (request is not None or trace.refusal in TEXTS):
            self.recorder.refused(trace)

    def _audit(self, ae_title: str, host: str, cause: str) -> None:
        """Keep that a caller was refused; the same one again within a minute is kept once (PS3.15 A.5.3.11)."""
        key, at = (ae_title, host, cause), monotonic_seconds()
        if at - self.audited.get(key, -math.inf) < AUDITED_EVERY_SECONDS:
            return
        if len(self.audited) >= AUDITED_AT_MOST:
            self.audited.clear()
        self.audited[key] = at
        app, detail = self.archive.app, {"host": host, "cause": cause}

        async def record() -> None:
            async with app.db.transaction() as tx:
                outcome = SERIOUS_FAILURE
                await audit.record(tx, SYSTEM, "association.refuse", ae_title, detail=detail, outcome=outcome)

        try:
            app.db.wait_for(record())
        except Unavailable:  # The file takes it, until the database is back.
            self.archive.trail.keep(Access(SYSTEM.id, "association.refuse", ae_title, 0, detail, SERIOUS_FAILURE))

    def closed(self, association: Association, outcome: Outcome, sentence: str) -> None:
        """An association has ended."""
        visit: Visit = association.state
        self.services.leave(association)
        audited.stored(self.archive.trail, association, visit.stored)
        metrics.association(outcome).inc()
        log.info("association.closed", ae_title=association.calling_ae_title, result=outcome, reason=sentence,
                 instances=visit.instances)  # fmt: skip
        if self.recorder is not None and visit.trace is not None:
            visit.trace.outcome, visit.trace.sentence, visit.trace.ended_at = outcome, sentence, now()
            self.recorder.keep(visit.trace)

    def performed(self, association: Association, request: Command, status: int, seconds: float) -> None:
        """A request was answered. What succeeded is only counted: this is called for every image."""
        self.operations[request.field, status] += 1
        audited.performed(self.archive.trail, association, request, status)
        if (trace := association.state.trace) is not None:
            trace.performed(request.operation, request.sop_class_uid, status, seconds)
        if status:
            log.warning("dimse.performed", ae_title=association.calling_ae_title, operation=request.operation,
                        sop_instance_uid=request.sop_instance_uid, status=f"{status:04X}",
                        seconds=round(seconds, 4))  # fmt: skip

    def tell_counts(self) -> None:
        """Hand what was counted to the metrics and the log."""
        refusals, self.refusals = self.refusals, Counter()
        for (ae_title, host, reason), count in refusals.items():
            log.warning("association.refused", ae_title=ae_title, peer=host, reason=reason, count=count)
        counted, self.operations = self.operations, Counter()
        for (field_number, status), count in counted.items():
            name = CommandField(field_number).name.removesuffix("_RQ").replace("_", "-")
            metrics.dicom_operation(name, f"{status:04X}").inc(count)


@lru_cache(maxsize=256)
def _offered(service: str, preference: tuple[str, ...]) -> Mapping[str, Offer]:
    return {uid: _preferring(offer, preference) for uid, offer in OFFERS[service].items()}


def _preferring(offer: Offer, preference: tuple[str, ...]) -> Offer:
    return replace(offer, preference=preference) if preference else offer


def run(settings: Settings, listeners: Sequence[socket.socket] = ()) -> None:
    """Take associations until SIGTERM, then let the running ones end, up to `drain_seconds`.

    `listeners` (the plain port, and that of TLS) are shared with the other processes of this door; without them the
    ports are this process's own.
    """
    asyncio.run(_serve(settings, listeners))


async def _serve(settings: Settings, listeners: Sequence[socket.socket]) -> None:
    app = App.of(settings, connections=4)
    await app.db.open()
    stopped = stop_asked()
    with open_archive(app) as archive:
        recorder = Recorder(settings.database_dsn)
        recorder.start()
        archive.trail.keep(Access(SYSTEM.id, "service.start", "dimse"), after_the_fact=True)
        door = Door(archive, Registry(app), Services(archive), recorder=recorder)
        servers = [serve(door, *listeners[:1])]
        if settings.offers_tls:
            servers.append(serve_tls(door, *listeners[1:]))
        gauges = asyncio.create_task(_keep_gauges(servers, door))
        await stopped.wait()
        rejecting = not listeners or _all_stop(settings)
        stops = (asyncio.to_thread(server.stop, settings.drain_seconds, rejecting=rejecting) for server in servers)
        await asyncio.gather(*stops)
        gauges.cancel()
        door.tell_counts()
        archive.trail.keep(Access(SYSTEM.id, "service.stop", "dimse"), after_the_fact=True)
        await asyncio.to_thread(recorder.stop)
    await app.db.close()


def _all_stop(settings: Settings) -> bool:
    """Whether the whole service stops, so that no process of this door is left to take what comes."""
    state = read_state(settings.run_dir)
    return state is None or state.phase == "draining"


def serve(door: Door, listener: socket.socket | None = None) -> Server:
    """A server over an archive, started."""
    return _started(door, door.archive.app.settings.dicom_port, listener, None)


def serve_tls(door: Door, listener: socket.socket | None = None) -> Server:
    """The same over TLS with mutual certificates (PS3.15 B.9). Raises OSError for a certificate that cannot be used."""
    settings = door.archive.app.settings
    return _started(door, settings.dicom_tls_port, listener, acceptor_context(credentials_of(settings)))


def _started(door: Door, port: int, listener: socket.socket | None, encryption: ssl.SSLContext | None) -> Server:
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
        max_associations=settings.max_associations,
        max_associations_per_ae=settings.max_associations_per_ae,
        max_pdu_length=settings.max_pdu_bytes,
    )
    server = Server(
        application,
        (settings.bind_address, port),
        timers=timers,
        limits=limits,
        listener=listener,
        places=partial(slots.take, settings.run_dir / "associations"),
        encryption=encryption,
    )
    server.start()
    return server


async def _keep_gauges(servers: Sequence[Server], door: Door) -> None:
    told: Counter[tuple[int, int, int]] = Counter()
    while True:
        metrics.associations_open.set(sum(server.counters.open for server in servers))
        metrics.index_waiting.set(door.archive.arrivals.waiting)
        door.tell_counts()
        rejected = sum((Counter(server.counters.rejected) for server in servers), Counter[tuple[int, int, int]]())
        for triple, count in rejected.items():
            metrics.association("rejected " + "/".join(map(str, triple))).inc(count - told[triple])
            told[triple] = count
        await asyncio.sleep(GAUGES_EVERY_SECONDS)
