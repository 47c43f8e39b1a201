"""One study that somebody wants and that has not come yet: it is fetched ahead of all others."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, wait
from contextlib import closing
from dataclasses import dataclass, field
from typing import Final

from radiology.errors import NotFound
from radiology.kit.db import Writer
from radiology.kit.log import get_logger
from radiology.remotes.archives import remote_archive
from radiology.remotes.copying import Copying, Outcome
from radiology.studies.archive import Archive
from radiology.takeover import queries
from radiology.takeover.sources import Proxied

#: A retrieval waits so long until the study has come; where something of it is here, no longer than the second.
FETCH_SECONDS: Final = 120.0
COMPLETE_SECONDS: Final = 10.0

log = get_logger()


@dataclass(slots=True)
class Fetching:
    """A study on its way here. `total` and `came` are instances, as far as they are known.

    in_part: something of it is here, which is sent even where the rest does not come.
    on_failed: told which archive failed, and why.
    """

    archive: Archive
    study_instance_uid: str
    in_part: bool
    sources: Sequence[Proxied]
    on_failed: Callable[[Proxied, str], None]
    total: int = 1
    came: int = 0
    _outcome: Future[Outcome] = field(default_factory=Future[Outcome])

    def start(self, places: threading.Semaphore, on_over: Callable[[], None]) -> None:
        """Fetch it in a thread of its own, once there is a place, from the first archive that has it."""

        def run() -> None:
            try:
                with places:
                    outcome = self._from_sources()
                on_over()
                self._outcome.set_result(outcome)
            except Exception as error:  # Raised again to whoever waits.
                on_over()
                self._outcome.set_exception(error)

        threading.Thread(target=run, name="takeover-fetch", daemon=True).start()

    @property
    def limit_seconds(self) -> float:
        """How long a retrieval waits for it."""
        return COMPLETE_SECONDS if self.in_part else FETCH_SECONDS

    def is_over(self, wait_seconds: float) -> bool:
        """Whether it has ended, after waiting for that at most so long."""
        wait([self._outcome], wait_seconds)
        return self._outcome.done()

    def check(self, *, dimse_status: int | None = None) -> None:
        """Raise NotFound where the study is in another archive and has not come; not where no archive has it."""
        if self.in_part:
            return
        if not self._outcome.done():
            sentence = f"The study has not come within {FETCH_SECONDS:g} s. Ask again: it goes on coming."
            raise NotFound(sentence, dimse_status=dimse_status)
        outcome = self._outcome.result()
        if outcome.state == "failed" and outcome.instances is None:
            sentence = f"The archive that has the study does not give it now: {outcome.detail}"
            raise NotFound(sentence, dimse_status=dimse_status)

    def _from_sources(self) -> Outcome:
        failed = Outcome("failed", 0, 0)
        for each in self.sources:
            remote = remote_archive(self.archive.app.settings, each.entity)
            copying = Copying(self.archive, remote, "migration", on_progress=self._tell)
            outcome = copying.study(self.study_instance_uid)
            log.info("takeover.fetched", ae_title=each.entity.ae_title, study_instance_uid=self.study_instance_uid,
                     state=outcome.state, instances=outcome.instances, reason=outcome.detail)  # fmt: skip
            if outcome.state != "failed":
                self._save(each.source, outcome)
                return outcome
            if outcome.instances is None:
                self.on_failed(each, outcome.detail)
                failed = outcome
        return failed

    def _save(self, source: str, outcome: Outcome) -> None:
        with closing(Writer(self.archive.app.settings.database_dsn)) as writer, writer.transaction() as tx:
            queries.save_outcome(tx, source, self.study_instance_uid, outcome)

    def _tell(self, total: int, came: int) -> None:
        self.total, self.came = total, came
