"""Call a peer of the registry: one association, or one of the few that we open to it at once. All of it blocks."""

import ssl
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from functools import lru_cache

from radiology.application_entities.certificates import is_bound
from radiology.application_entities.model import ApplicationEntity
from radiology.dicom_network.client import Peer, Requestor, connect
from radiology.dicom_network.tls import Credentials, requestor_context
from radiology.dicom_network.transport import AssociationEndedError, Outcome, Timers
from radiology.dicom_network.user_information import RoleSelection, UserInformation
from radiology.errors import Unavailable, Unprocessable
from radiology.kit import metrics, slots
from radiology.kit.log import get_logger
from radiology.settings import Settings

WAIT_FOR_PLACE_SECONDS = 120.0
NOT_REACHED = "not reached"

log = get_logger()

Contexts = Sequence[tuple[str, Sequence[str]]]


def open_association(
    settings: Settings,
    entity: ApplicationEntity,
    contexts: Contexts,
    *,
    timers: Timers | None = None,
    roles: Sequence[RoleSelection] = (),
    should_stop: Callable[[], bool] = lambda: False,
) -> Requestor:
    """Open an association to a peer as its record says: address, and TLS where it is required.

    `roles` are ours where we are not SCU alone (PS3.7 D.3.3.4). `should_stop` is asked while the peer is waited for.
    Raises Unprocessable for a record that does not say where to call, AssociationRejectedError, AssociationEndedError,
    OSError; ValueError when more than 128 contexts are proposed.
    """
    if not entity.enabled:
        raise Unprocessable(f"{entity.ae_title} is disabled. Enable its record to call it.")
    if not entity.host or entity.port is None:
        raise Unprocessable(f"The record of {entity.ae_title} does not say where it listens. Give it host and port.")
    timers = timers or Timers(settings.artim_seconds, settings.dimse_timeout_seconds, settings.idle_timeout_seconds)
    encryption = _context(credentials_of(settings)) if entity.tls == "required" else None
    try:
        with _told(entity):
            return connect(
                Peer(entity.host, entity.port, entity.ae_title, settings.ae_title),
                contexts,
                timers=timers,
                user_information=UserInformation(roles=tuple(roles)),
                tls=encryption,
                trusts=lambda certificate: is_bound(entity, certificate),
                should_stop=should_stop,
            )
    except OSError as error:
        _tell(entity, NOT_REACHED, error.strerror or type(error).__name__)
        raise


@contextmanager
def association(
    settings: Settings,
    entity: ApplicationEntity,
    contexts: Contexts,
    *,
    timers: Timers | None = None,
    roles: Sequence[RoleSelection] = (),
    wait_seconds: float = WAIT_FOR_PLACE_SECONDS,
    should_stop: Callable[[], bool] = lambda: False,
) -> Generator[Requestor]:
    """An association among the `outgoing_associations` that all our processes together open to a peer.

    It is released at the end of the block, and aborted when that fails. Raises Unavailable when no place becomes free
    in time, and what `open_association` raises.
    """
    with place(settings, entity, wait_seconds):
        opened = open_association(settings, entity, contexts, timers=timers, roles=roles, should_stop=should_stop)
        with _told(entity), opened:
            yield opened
        metrics.call(Outcome.RELEASED).inc()


@contextmanager
def _told(entity: ApplicationEntity) -> Generator[None]:
    """Count and log that a peer could not be called, or how an association with it broke."""
    try:
        yield
    except AssociationEndedError as ended:
        _tell(entity, ended.outcome, str(ended))
        raise


def _tell(entity: ApplicationEntity, outcome: str, reason: str) -> None:
    metrics.call(outcome).inc()
    log.warning("association.failed", called_ae_title=entity.ae_title, result=outcome, reason=reason)


@contextmanager
def place(settings: Settings, entity: ApplicationEntity, wait_seconds: float) -> Generator[None]:
    """One of the `outgoing_associations` places of a peer, for DIMSE and DICOMweb alike. Raises Unavailable."""
    taken = slots.take(
        settings.run_dir / "calls", entity.ae_title, entity.outgoing_associations, wait_seconds=wait_seconds
    )
    if taken is None:
        raise Unavailable(
            f"All {entity.outgoing_associations} associations that may be open to {entity.ae_title} are in use."
        )
    try:
        yield
    finally:
        taken.give_back()


def credentials_of(settings: Settings) -> Credentials:
    """Our certificate and whom we trust. Raises Unprocessable where the settings do not say."""
    if not (settings.tls_certificate and settings.tls_private_key and settings.tls_authorities):
        raise Unprocessable(
            "The peer requires TLS. Set RADI_TLS_CERTIFICATE, RADI_TLS_PRIVATE_KEY and RADI_TLS_AUTHORITIES."
        )
    return Credentials(settings.tls_certificate, settings.tls_private_key, settings.tls_authorities)


@lru_cache(maxsize=8)
def _context(credentials: Credentials) -> ssl.SSLContext:
    try:
        return requestor_context(credentials)
    except OSError as error:
        raise Unprocessable(f"Our certificate for TLS cannot be used ({error.strerror or error}).") from error
