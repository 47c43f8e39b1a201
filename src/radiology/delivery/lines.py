"""Open associations that wait a moment for the next thing to send, so that forwarding does not associate each time."""

import contextlib
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from radiology.application_entities import calling
from radiology.application_entities.model import ApplicationEntity
from radiology.delivery.contexts import Proposal
from radiology.dicom_network.client import Requestor
from radiology.dicom_network.transport import AssociationEndedError, Outcome
from radiology.errors import Unavailable
from radiology.settings import Settings

IDLE_SECONDS = 3.0
PLACE_LOOKED_FOR_SECONDS = 0.5

Destination = tuple[str, str, int | None, str, str]


@dataclass(slots=True)
class Line:
    """One open association. `reused`: it was idle before, so the peer may have gone without our seeing it."""

    destination: Destination
    proposals: frozenset[Proposal]
    association: Requestor
    closing: contextlib.ExitStack
    reused: bool = False
    idle_since: float = 0.0

    def close(self) -> None:
        """Release it, or abort it where that fails, and give its place to others."""
        with contextlib.suppress(AssociationEndedError, OSError):
            self.closing.close()

    def abort(self) -> None:
        """Abort it and give its place to others."""
        with contextlib.suppress(AssociationEndedError, OSError):
            self.association.abort()
        self.close()


@dataclass(slots=True)
class Lines:
    """The idle associations of this process. Safe to use from many threads."""

    _lock: threading.Lock = field(default_factory=threading.Lock)
    _idle: list[Line] = field(default_factory=list[Line])
    _watched: bool = False

    def take(
        self,
        settings: Settings,
        entity: ApplicationEntity,
        proposals: Sequence[Proposal],
        *,
        is_stopped: Callable[[], bool],
    ) -> Line:
        """An association that proposed all of this: an idle one, or a new one as soon as one more may be open.

        Raises what `calling.association` raises, and AssociationEndedError when stopped while it waits.
        """
        destination = (entity.ae_title, entity.host, entity.port, entity.tls, settings.ae_title)
        wanted = frozenset(proposals)
        if (line := self._take_idle(destination, wanted)) is not None:
            return line
        closing = contextlib.ExitStack()
        deadline = time.monotonic() + calling.WAIT_FOR_PLACE_SECONDS
        while True:
            opening = calling.association(
                settings, entity, proposals, wait_seconds=PLACE_LOOKED_FOR_SECONDS, should_stop=is_stopped
            )
            try:
                association = closing.enter_context(opening)
            except Unavailable:
                if time.monotonic() > deadline:
                    raise
                if is_stopped():
                    raise AssociationEndedError(Outcome.SHUT_DOWN, "sending was stopped") from None
            else:
                return Line(destination, wanted, association, closing)

    def give_back(self, line: Line) -> None:
        """Keep an association that is in order for whoever sends to the same destination in the next seconds."""
        line.reused, line.idle_since = True, time.monotonic()
        with self._lock:
            self._idle.append(line)
            if self._watched:
                return
            self._watched = True
        threading.Thread(target=self._release_idle, name="idle-associations", daemon=True).start()

    def close(self) -> None:
        """Release all that are idle."""
        with self._lock:
            lines, self._idle = self._idle, []
        for line in lines:
            line.close()

    def _take_idle(self, destination: Destination, wanted: frozenset[Proposal]) -> Line | None:
        """An idle association that fits. One that does not would hold the place that is needed now: it is released."""
        with self._lock:
            mine = [line for line in self._idle if line.destination == destination]
            fitting = next((line for line in reversed(mine) if wanted <= line.proposals), None)
            gone = fitting or (mine[0] if mine else None)
            if gone is not None:
                self._idle.remove(gone)
        if gone is not None and gone is not fitting:
            gone.close()
        return fitting

    def _release_idle(self) -> None:
        while True:
            time.sleep(IDLE_SECONDS / 4)
            before = time.monotonic() - IDLE_SECONDS
            with self._lock:
                old = [line for line in self._idle if line.idle_since < before]
                self._idle = [line for line in self._idle if line.idle_since >= before]
                self._watched = bool(self._idle)
                watched = self._watched
            for line in old:
                line.close()
            if not watched:
                return


OPEN_LINES = Lines()
"""Those of this process: associations are a property of the process, as its sockets are."""
