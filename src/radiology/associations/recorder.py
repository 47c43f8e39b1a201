"""Writing traces beside the work of the DICOM door: in batches, in a thread of its own, and never waited for."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from radiology.associations import queries
from radiology.associations.model import REJECTED, Trace, as_json
from radiology.errors import RadiologyError
from radiology.kit.batches import BatchWriter
from radiology.kit.db import Writer
from radiology.kit.log import get_logger

WAITING_LIMIT: Final = 5_000
SAME_REFUSAL_SECONDS: Final = 60
REFUSALS_REMEMBERED: Final = 1_000

log = get_logger()


class Recorder:
    """Traces of one process on their way to the database. What cannot be written is dropped and counted."""

    def __init__(self, dsn: str) -> None:
        self.lost = 0
        self._database = Writer(dsn, asynchronous_commit=True)
        self._writer = BatchWriter(self._write, name="traces", linger_seconds=0.25, waiting_limit=WAITING_LIMIT)
        self._refusals: dict[tuple[str, ...], Trace] = {}

    def start(self) -> None:
        """Begin to write."""
        self._writer.start()

    def stop(self) -> None:
        """Write what waits, as far as the database takes it, and end."""
        self._writer.stop(timeout_seconds=5)
        self._database.close()

    def flush(self) -> None:
        """Let nothing linger."""
        self._writer.flush()

    def keep(self, trace: Trace) -> None:
        """Write a trace as it is now; dropped where too many wait. Never raises, never blocks."""
        if self._writer.waiting >= WAITING_LIMIT:
            self.lost += 1
            return
        self._writer.submit(as_json(trace))

    def refused(self, trace: Trace) -> None:
        """Write a refusal; one like another of the last minute only counts, so that nobody pushes out the rest."""
        key = (trace.calling_ae_title, trace.called_ae_title, trace.host, trace.refusal)
        known = self._refusals.get(key)
        if known is not None and trace.opened_at - known.opened_at < timedelta(seconds=SAME_REFUSAL_SECONDS):
            known.times += 1
            known.ended_at = trace.opened_at
            trace = known
        else:
            if len(self._refusals) >= REFUSALS_REMEMBERED:
                self._refusals.clear()
            self._refusals[key] = trace
        trace.outcome = REJECTED
        self.keep(trace)

    def _write(self, traces: Sequence[Mapping[str, Any]]) -> list[Exception | None]:
        latest: dict[UUID, dict[str, Any]] = {trace["id"]: dict(trace) for trace in traces}
        try:
            with self._database.transaction() as tx:
                queries.save(tx, list(latest.values()))
        except RadiologyError as error:
            self.lost += len(latest)
            log.warning("associations.traces-lost", count=len(latest), reason=error.sentence)
        return [None] * len(traces)
