"""Audit of what is only read: written into a file beside the work, and from there into the database, in batches.

Nobody waits for the database, and nothing is lost by a crash or while it is away: what an access adds to the file is
there when `keep` returns, and whoever starts next takes up the files that were left (see `spool`). What changes
something is audited in its own transaction instead (`actions.record`).
"""

import threading
from pathlib import Path
from typing import Final

from radiology.audit import queries
from radiology.audit.context import current
from radiology.audit.lines import Access, Lines, rows_of
from radiology.audit.model import SUCCESS
from radiology.audit.spool import Spool
from radiology.errors import Unavailable
from radiology.kit import metrics
from radiology.kit.clock import monotonic_seconds
from radiology.kit.db import Writer
from radiology.kit.log import get_logger
from radiology.settings import GIB, Settings

LINGER_SECONDS: Final = 1.0
"""Requests of one reader for one study within so long become one record, which counts them: frames come by hundreds."""
FLUSH_SECONDS: Final = 0.1
"""A power cut may take what was read in so long."""
ADOPT_SECONDS: Final = 30.0
RETRY_SECONDS: Final = (0.2, 0.5, 1, 2, 5)
REPLACED_BYTES: Final = 4 * 1024**2

log = get_logger()


class Trail:
    """The accesses of one process on their way to the audit record.

    strict: an access that cannot be kept is refused. limit_bytes: so much may wait in the file.
    """

    def __init__(self, dsn: str, folder: Path, *, strict: bool = False, limit_bytes: int = GIB) -> None:
        self.lost = 0
        self.healthy = True
        self._folder, self._strict, self._limit_bytes = folder, strict, limit_bytes
        self._database = Writer(dsn)
        self._lines = Lines()
        self._spool: Spool | None = None
        self._taken = 0
        self._changed = threading.Condition()
        self._idle = self._flush = self._stopping = False
        self._adopt_at = 0.0
        self._thread = threading.Thread(target=self._run, name="audit", daemon=True)

    def start(self) -> None:
        """Begin to write, with what dead processes have left."""
        self._thread.start()

    def stop(self) -> None:
        """Write what waits, as far as the database takes it, and end; the rest stays in the file."""
        self._wake(stop=True)
        self._thread.join(10)
        self._database.close()
        if not self._thread.is_alive() and self._spool is not None:
            self._spool.close()
            self._spool = None

    def flush(self) -> None:
        """Let nothing linger."""
        self._wake(stop=False)

    @property
    def waiting_bytes(self) -> int:
        """How much is in the file and not yet in the database."""
        spool = self._spool
        return 0 if spool is None else spool.size - self._taken

    def keep(self, access: Access, *, after_the_fact: bool = False) -> None:
        """Have an access recorded; it survives this process when this returns.

        One that cannot be kept is counted and logged; where strict, and something is about to be shown and not
        `after_the_fact`, Unavailable is raised.
        """
        circumstances = current()
        line = self._lines.of(access, circumstances)
        try:
            with self._changed:
                self._append(line)
                if self._idle:
                    self._changed.notify_all()
        except (OSError, Unavailable) as error:
            self._lose(error, refuse=self._strict and access.outcome == SUCCESS and not after_the_fact)
        circumstances.recorded += 1
        circumstances.denied += access.action == "access.denied"

    def _append(self, line: bytes) -> None:
        if self.waiting_bytes >= self._limit_bytes:
            raise Unavailable("Too much waits to be recorded.")
        if self._spool is None:
            self._spool, self._taken = Spool.new(self._folder), 0
        self._spool.append(line)

    def _lose(self, error: Exception, *, refuse: bool) -> None:
        self.lost += 1
        metrics.audit_lost.inc()
        log.error("audit.lost", count=self.lost, reason=str(error), refused=refuse)
        if refuse:
            raise Unavailable(
                "This cannot be shown, because who sees it cannot be recorded. Free space on the disk of the service."
            ) from error

    def _wake(self, *, stop: bool) -> None:
        with self._changed:
            self._stopping, self._flush = self._stopping or stop, True
            self._changed.notify_all()

    def _run(self) -> None:
        failures = 0
        while True:
            stopping = self._wait(RETRY_SECONDS[min(failures, len(RETRY_SECONDS)) - 1] if failures else 0.0)
            metrics.audit_waiting_bytes.set(self.waiting_bytes)
            try:
                self._adopt()
                self._take_own()
                self.healthy, failures = True, 0
            except Exception as error:  # Whatever it is, what was read waits in the file, and is tried again.
                if self.healthy:
                    log.error("audit.waiting", exc_info=error)
                self.healthy, failures = False, failures + 1
            if stopping:
                return

    def _wait(self, pause_seconds: float) -> bool:
        """Wait for something to write, let it gather, keep it on disk meanwhile; returns whether to end."""
        with self._changed:
            if pause_seconds:
                self._changed.wait_for(lambda: self._stopping, pause_seconds)
            self._idle = True
            quiet = max(self._adopt_at - monotonic_seconds(), 0)
            self._changed.wait_for(lambda: self._stopping or self._flush or self.waiting_bytes > 0, quiet)
            self._idle = False
        until = monotonic_seconds() + LINGER_SECONDS
        while not (self._stopping or self._flush) and monotonic_seconds() < until and self.waiting_bytes:
            self._sync()
            with self._changed:
                self._changed.wait_for(lambda: self._stopping or self._flush, FLUSH_SECONDS)
        self._flush = False
        return self._stopping

    def _sync(self) -> None:
        if (spool := self._spool) is not None:
            try:
                spool.flush()
            except OSError as error:
                log.error("audit.not-synced", exc_info=error)

    def _take_own(self) -> None:
        spool = self._spool
        if spool is None:
            return
        self._sync()
        while self._taken < spool.size:
            self._taken = self._take(spool)
        with self._changed:
            over = self._taken == spool.size and (self._stopping or spool.size >= REPLACED_BYTES)
            if over:
                self._spool = None
        if over:
            self._finish(spool)

    def _adopt(self) -> None:
        """Take what processes have left that died."""
        if monotonic_seconds() < self._adopt_at:
            return
        for spool in Spool.abandoned(self._folder):
            taken, before = 0, -1
            try:
                while taken != before:
                    before, taken = taken, self._take(spool)
            except BaseException:
                spool.close()
                raise
            if taken < spool.size:  # The end of a line that a power cut has torn.
                log.error("audit.damaged", count=1, size_bytes=spool.size - taken)
                spool.set_aside()
            else:
                self._finish(spool)
        self._adopt_at = monotonic_seconds() + ADOPT_SECONDS

    def _take(self, spool: Spool) -> int:
        """Make records of the next lines; returns how far the file was taken. Exactly once, by the position kept."""
        with self._database.transaction() as tx:
            lines, position = spool.lines(queries.spool_position(tx, spool.name))
            if lines:
                rows, damaged = rows_of(lines)
                if damaged:
                    log.error("audit.damaged", count=damaged)
                queries.insert_many(tx, rows)
                queries.move_spool(tx, spool.name, position)
        return position

    def _finish(self, spool: Spool) -> None:
        spool.remove()
        with self._database.transaction() as tx:
            queries.forget_spool(tx, spool.name)


def open_trail(settings: Settings) -> Trail:
    """The trail of a process, not yet started."""
    return Trail(
        settings.database_dsn,
        settings.audit_dir,
        strict=settings.audit_strict,
        limit_bytes=settings.audit_spool_max_bytes,
    )
