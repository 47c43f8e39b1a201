"""One attempt to send what is owed, in a thread: each answer is noted before the next instance goes out.

So a worker that is killed leaves one instance at most that is sent once more: the one that was in the air. The notes do
not wait for the disk; of what a power cut loses of them the same is true.
"""

import asyncio
import threading
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field
from typing import Final

from radiology.application_entities.model import ApplicationEntity
from radiology.delivery.results import Sent
from radiology.delivery.sending import send
from radiology.dicom_network.transport import PauseAfter
from radiology.errors import Unavailable
from radiology.kit.clock import monotonic_seconds
from radiology.kit.db import Writer, WriterTransaction
from radiology.studies.archive import Archive
from radiology.studies.queries.retrieve import StoredInstance

MOST_FOR_ONE_DESTINATION: Final = 3
"""Of the moves, and of the deliveries, that are sent at once: a destination that is slow leaves places for others."""
LOOK_SECONDS = 1.0
"""How often it is asked, while an instance is in the air, whether the sending was cancelled."""

Note = Callable[[WriterTransaction, StoredInstance, Sent], bool]
"""Writes down what became of an instance; whether the next one is to be sent."""
IsWanted = Callable[[WriterTransaction], bool]
"""Whether anything more is to be sent."""


@dataclass(slots=True)
class Attempt:
    """Sending to one destination, until all is sent, nothing more is wanted, or the worker ends."""

    archive: Archive
    entity: ApplicationEntity
    note: Note
    is_wanted: IsWanted
    pause_after: PauseAfter | None = None
    _stopped: threading.Event = field(default_factory=threading.Event)
    _looked_at: float = field(default_factory=monotonic_seconds)

    async def run(self, instances: Sequence[StoredInstance]) -> None:
        """Send. Raises Unavailable where an answer could not be noted."""
        try:
            await asyncio.to_thread(self._send, instances)
        finally:
            self._stopped.set()

    def _send(self, instances: Sequence[StoredInstance]) -> None:
        with closing(Writer(self.archive.app.settings.database_dsn, asynchronous_commit=True)) as writer:

            def on_sent(instance: StoredInstance, sent: Sent) -> None:
                with writer.transaction() as tx:
                    goes_on = self.note(tx, instance, sent)
                self._looked_at = monotonic_seconds()
                if not goes_on:
                    self._stopped.set()

            send(self.archive, self.entity, instances, on_sent=on_sent, is_stopped=lambda: self._is_stopped(writer),
                 pause_after=self.pause_after)  # fmt: skip

    def _is_stopped(self, writer: Writer) -> bool:
        if not self._stopped.is_set() and monotonic_seconds() - self._looked_at > LOOK_SECONDS:
            self._looked_at = monotonic_seconds()
            with suppress(Unavailable), writer.transaction() as tx:  # Where the database is lost, noting will tell.
                if not self.is_wanted(tx):
                    self._stopped.set()
        return self._stopped.is_set()
