"""Audit of what is only read: written beside the work, in batches, by a thread of its own, so that nobody waits for it.

What changes something is audited in its own transaction instead (`actions.record`). A crash may lose what was read in
the last moment; while the database is away it waits, up to a limit.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from radiology.audit import queries
from radiology.kit.batches import BatchWriter
from radiology.kit.db import Writer
from radiology.kit.log import get_logger

LINGER_SECONDS: Final = 0.5
"""Requests of one reader for one study within so long become one record, which counts them: frames come by hundreds."""
WAITING_LIMIT: Final = 20_000

log = get_logger()


@dataclass(frozen=True, slots=True)
class Access:
    """One request that read something: who, how, what, and how many instances or matches. Ids and codes only."""

    actor_id: str
    action: str
    subject: str
    count: int = 0
    detail: Mapping[str, Any] = field(default_factory=dict[str, Any])


class Trail:
    """The accesses of one process on their way to the audit record."""

    def __init__(self, dsn: str) -> None:
        self.lost = 0
        self._database = Writer(dsn)
        self._writer = BatchWriter(
            self._write, name="audit", linger_seconds=LINGER_SECONDS, waiting_limit=WAITING_LIMIT
        )

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

    def keep(self, access: Access) -> None:
        """Have an access recorded. Never raises, never blocks; dropped and counted where too many wait."""
        if self._writer.waiting >= WAITING_LIMIT:
            self._lose(1, "too many wait")
            return
        self._writer.submit(access)

    def _write(self, accesses: Sequence[Access]) -> list[Exception | None]:
        rows = [_row(access, requests) for access, requests in _together(accesses)]
        with self._database.transaction() as tx:
            queries.insert_many(tx, rows)
        return [None] * len(accesses)

    def _lose(self, count: int, reason: str) -> None:
        self.lost += count
        log.error("audit.lost", count=count, reason=reason)


def _row(access: Access, requests: int) -> dict[str, Any]:
    detail = {**access.detail, "count": access.count, "requests": requests}
    return queries.row(actor=access.actor_id, action=access.action, subject=access.subject, detail=detail)


def _together(accesses: Sequence[Access]) -> list[tuple[Access, int]]:
    """Accesses that are alike as one, with how many there were; the count is that of all."""
    alike: dict[tuple[str, ...], list[Access]] = {}
    for access in accesses:
        key = (access.actor_id, access.action, access.subject, repr(sorted(access.detail.items())))
        alike.setdefault(key, []).append(access)
    return [(replace(group[0], count=sum(each.count for each in group)), len(group)) for group in alike.values()]
