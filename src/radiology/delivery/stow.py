"""Send stored objects to a peer by STOW-RS (PS3.18 10.5), as they were received, in lots of a few."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from typing import Any, Final
from uuid import uuid4

from radiology.application_entities.model import ApplicationEntity
from radiology.application_entities.web import WebPeer, web_peer
from radiology.delivery.results import DAMAGED, NOT_PERFORMED, OnSent, Sent
from radiology.dicom_network.transport import PACED_BYTES, TICK_SECONDS, PauseAfter
from radiology.errors import RadiologyError
from radiology.kit.clock import monotonic_seconds
from radiology.kit.log import get_logger
from radiology.studies.archive import Archive
from radiology.studies.converting import Received, received
from radiology.studies.queries.retrieve import StoredInstance

#: One request has at most these; what a lot holds is not known to be there before its answer has come.
LOT_INSTANCES: Final = 20
LOT_BYTES: Final = 4 * 1024 * 1024
CHUNK_BYTES: Final = 256 * 1024
FAILED, REFERENCED = "00081198", "00081199"
PROCESSING_FAILURE: Final = 0x0110

log = get_logger()


class _StoppedError(Exception):
    """Nothing more is to be sent; the request that is on its way is broken off."""


def store_by_web(
    archive: Archive,
    entity: ApplicationEntity,
    instances: Sequence[StoredInstance],
    *,
    on_sent: OnSent,
    is_stopped: Callable[[], bool],
    pause_after: PauseAfter | None = None,
) -> None:
    """Store instances at a peer. `on_sent` is told of each one; after `is_stopped` of nothing more.

    `pause_after` limits the speed: how many seconds to pause after so many bytes.
    """
    pace = _Pace(is_stopped, pause_after)
    left = list(lots(instances))
    try:
        with web_peer(archive.app.settings, entity) as peer:
            while left and not is_stopped():
                with suppress(_StoppedError):
                    _store(archive, peer, left[0], on_sent, pace)
                    left.pop(0)
    except RadiologyError as error:
        log.warning("sending.interrupted", ae_title=entity.ae_title, reason=error.sentence, instances=len(left))
        for instance in (instance for lot in left for instance in lot):
            if not is_stopped():
                on_sent(instance, Sent(NOT_PERFORMED, error.sentence))


def lots(instances: Sequence[StoredInstance]) -> Iterator[list[StoredInstance]]:
    """The instances in their order, a few in each lot; a large one is a lot of its own."""
    lot: list[StoredInstance] = []
    size = 0
    for instance in instances:
        if lot and (len(lot) == LOT_INSTANCES or size + instance.size_bytes > LOT_BYTES):
            yield lot
            lot, size = [], 0
        lot.append(instance)
        size += instance.size_bytes
    if lot:
        yield lot


@dataclass(frozen=True, slots=True)
class _File:
    instance: StoredInstance
    received: Received


def _store(
    archive: Archive,
    peer: WebPeer,
    lot: Sequence[StoredInstance],
    on_sent: OnSent,
    pace: "_Pace",
) -> None:
    """One request. Raises PeerFailed, _StoppedError."""
    with ExitStack() as opened:
        files: list[_File] = []
        for instance in lot:
            try:
                files.append(_File(instance, received(archive.app.objects, instance)))
                opened.enter_context(files[-1].received.file)
            except (RadiologyError, OSError) as error:
                log.error("sending.object-unreadable", sop_instance_uid=instance.sop_instance_uid, exc_info=error)
                on_sent(instance, Sent(DAMAGED, "The stored object cannot be read. Look at the disk, and restore it."))
        if not files:
            return
        boundary = uuid4().hex
        status, told = peer.store(_content(files, boundary, pace), boundary)
    for file in files:
        on_sent(file.instance, result_of(file.instance.sop_instance_uid, status, told))


@dataclass(frozen=True, slots=True)
class _Pace:
    """How fast a request may go, and whether it is to go on."""

    is_stopped: Callable[[], bool]
    pause_after: PauseAfter | None

    @property
    def chunk_bytes(self) -> int:
        """How much is sent at once."""
        return CHUNK_BYTES if self.pause_after is None else PACED_BYTES

    def check(self) -> None:
        """Raises _StoppedError where nothing more is to be sent."""
        if self.is_stopped():
            raise _StoppedError

    def hold_back(self, size_bytes: int) -> None:
        """Wait as long as the limit asks for after so many bytes. Raises _StoppedError."""
        goes_on_at = monotonic_seconds() + (self.pause_after(size_bytes) if self.pause_after else 0)
        while (left := goes_on_at - monotonic_seconds()) > 0:
            self.check()
            time.sleep(min(left, TICK_SECONDS))


def _content(files: Sequence[_File], boundary: str, pace: _Pace) -> Iterator[bytes]:
    for file in files:
        yield f"--{boundary}\r\nContent-Type: application/dicom\r\n\r\n".encode()
        for chunk in file.received.chunks(pace.chunk_bytes):
            pace.check()
            yield chunk
            pace.hold_back(len(chunk))
        yield b"\r\n"
    yield f"--{boundary}--\r\n".encode()


def result_of(sop_instance_uid: str, status: int, told: Mapping[str, Any]) -> Sent:
    """What a Store Instances Response (PS3.18 I.2) says of one instance."""
    if item := _item(told, FAILED, sop_instance_uid):
        reason = _number(item, "00081197") or PROCESSING_FAILURE
        return Sent(reason, f"The receiver refused it with {reason:04X}.")
    if item := _item(told, REFERENCED, sop_instance_uid):
        warning = _number(item, "00081196")
        return Sent(warning, f"The receiver took it with warning {warning:04X}.") if warning else Sent(0)
    if status == 200 and FAILED not in told:
        return Sent(0)
    return Sent(PROCESSING_FAILURE, "The receiver did not say that it has stored it.")


def _item(told: Mapping[str, Any], sequence: str, sop_instance_uid: str) -> Mapping[str, Any] | None:
    items: list[dict[str, Any]] = told.get(sequence, {}).get("Value") or []
    for item in items:
        if sop_instance_uid in (item.get("00081155", {}).get("Value") or []):
            return item
    return None


def _number(item: Mapping[str, Any], tag: str) -> int:
    values = item.get(tag, {}).get("Value") or [0]
    return int(values[0])
