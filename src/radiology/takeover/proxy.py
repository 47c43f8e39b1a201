"""Studies that have not come yet: the foreign archive is asked for them, and they are fetched when somebody wants them.

Only archives that are switched on for that are asked. What a process knows of which these are is read anew every few
seconds, so that without one a query costs a comparison of two numbers.
"""

import math
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future, wait
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final, TypeVar

from radiology.access.model import Actor
from radiology.app import App
from radiology.application_entities.asking import ask
from radiology.errors import RadiologyError, Unavailable
from radiology.kit.clock import monotonic_seconds
from radiology.kit.log import get_logger
from radiology.settings import Settings
from radiology.standards.dicom.attributes import text_of
from radiology.studies.archive import Archive
from radiology.takeover import queries
from radiology.takeover.fetching import Fetching
from radiology.takeover.queries import Absent
from radiology.takeover.sources import Proxied, proxied_sources

#: An answer of ours waits for those of other archives no longer than this.
ANSWER_SECONDS: Final = 3.0
#: An archive that was late, or took so long to fail, is left out for a while.
QUICK_SECONDS: Final = 1.0
AWAY_SECONDS: Final = 30.0
KEPT_SECONDS: Final = 5.0
#: So many questions to other archives, and so many studies that come, at once and in one process.
ASKED_AT_ONCE, FETCHED_AT_ONCE = 16, 8

STUDY: Final = "0020000D"
Answer = Mapping[str, Any]
T = TypeVar("T")

log = get_logger()


@dataclass(frozen=True, slots=True)
class ForeignAnswer:
    """A matching study in the DICOM JSON model, and the AE title of the archive that has it."""

    ae_title: str
    attributes: Answer

    @property
    def study_instance_uid(self) -> str:
        """Study Instance UID."""
        return text_of(self.attributes, STUDY)


@dataclass(slots=True)
class Proxy:
    """What one process knows and does of archives that are asked. Its methods block: for a thread."""

    archive: Archive
    _sources: Sequence[Proxied] = ()
    _read_at: float = -math.inf
    _away_until: dict[str, float] = field(default_factory=dict[str, float])
    _fetching: dict[str, Fetching] = field(default_factory=dict[str, Fetching])
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _asked: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(ASKED_AT_ONCE))
    _fetched: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(FETCHED_AT_ONCE))

    @property
    def app(self) -> App:
        """Settings and database."""
        return self.archive.app

    @property
    def is_idle(self) -> bool:
        """Whether it was looked just now and there is nobody to ask; does not block."""
        return not self._sources and monotonic_seconds() - self._read_at <= KEPT_SECONDS

    def sources(self) -> Sequence[Proxied]:
        """The archives that are asked; without a database those of before."""
        if monotonic_seconds() - self._read_at > KEPT_SECONDS:
            try:
                self._sources = self.app.db.wait_for(proxied_sources(self.app))
            except Unavailable as error:
                log.warning("takeover.sources-unknown", reason=error.sentence)
            self._read_at = monotonic_seconds()
        return self._sources

    # Queries

    def ask(self, keys: Iterable[tuple[str, str]], *, limit: int, visible_to: Actor) -> "Asking | None":
        """Begin to ask for studies; None where there is nobody to ask. `keys` are as `asking.ask` takes them.

        Raises NotPermitted for who may not read.
        """
        asked = [each for each in self.sources() if each.is_visible_to(visible_to) and not self._is_away(each)]
        if not asked or limit < 1:
            return None
        given, began = list(keys), monotonic_seconds()
        return Asking(self, {each.source: self._begin(each, given, limit) for each in asked}, began, asked)

    def _begin(self, each: Proxied, keys: Sequence[tuple[str, str]], limit: int) -> Future[list[ForeignAnswer]]:
        return _in_thread("takeover-ask", self._asked, partial(self._answers_of, each, keys, limit))

    def _answers_of(self, each: Proxied, keys: Sequence[tuple[str, str]], limit: int) -> list[ForeignAnswer]:
        began = monotonic_seconds()
        try:
            found, _ = ask(_impatient(self.app.settings), each.entity, "STUDY", keys, limit=limit)
        except RadiologyError as error:
            if monotonic_seconds() - began > QUICK_SECONDS:
                self.leave_out(each, error.sentence)
            else:
                log.warning("takeover.no-answer", ae_title=each.entity.ae_title, reason=error.sentence)
            return []
        return [ForeignAnswer(each.entity.ae_title, answer) for answer in found]

    def leave_out(self, each: Proxied, reason: str) -> None:
        """An archive makes people wait: it is not asked for a while."""
        log.warning("takeover.archive-away", ae_title=each.entity.ae_title, reason=reason)
        self._away_until[each.source] = monotonic_seconds() + AWAY_SECONDS

    def not_here(self, found: Sequence[ForeignAnswer]) -> list[ForeignAnswer]:
        """Those of which nothing is here, not even what the reader may not see; each once."""
        uids = [answer.study_instance_uid for answer in found]
        here = self.app.db.wait_for(_here(self.app, uids)) if uids else frozenset[str]()
        unique = {answer.study_instance_uid: answer for answer in reversed(found)}
        return [answer for uid, answer in reversed(unique.items()) if uid and uid not in here]

    def _is_away(self, each: Proxied) -> bool:
        return self._away_until.get(each.source, -math.inf) > monotonic_seconds()

    # Retrieval

    def fetch(self, study_instance_uids: Sequence[str], *, visible_to: Sequence[Actor]) -> list[Fetching]:
        """Begin to fetch what of these studies has not come yet; empty where nothing has to be waited for.

        All of `visible_to` must be allowed to see the studies of an archive.
        """
        sources = [each for each in self.sources() if all(each.is_visible_to(actor) for actor in visible_to)]
        if not sources or not study_instance_uids:
            return []
        names = [each.source for each in sources]
        absent = self.app.db.wait_for(_absent(self.app, list(study_instance_uids), names))
        reachable = [each for each in sources if not self._is_away(each)]
        return [
            self._fetch(each, reachable if each.in_part else sources)
            for each in absent
            if reachable or not each.in_part
        ]

    def _fetch(self, absent: Absent, sources: Sequence[Proxied]) -> Fetching:
        uid = absent.study_instance_uid
        with self._lock:
            running = self._fetching.get(uid)
            if running is None:
                running = Fetching(self.archive, uid, absent.in_part, sources, self.leave_out)
                self._fetching[uid] = running
                running.start(self._fetched, partial(self._forget, uid))
            return running

    def _forget(self, study_instance_uid: str) -> None:
        with self._lock:
            del self._fetching[study_instance_uid]


@dataclass(slots=True)
class Asking:
    """A question to other archives that is on its way."""

    proxy: Proxy
    futures: Mapping[str, Future[list[ForeignAnswer]]]
    began: float
    asked: Sequence[Proxied]

    def answers(self) -> list[ForeignAnswer]:
        """What they have and we do not, at most `ANSWER_SECONDS` after they were asked. Who is late is left out."""
        wait(self.futures.values(), max(0.0, self.began + ANSWER_SECONDS - monotonic_seconds()))
        found: list[ForeignAnswer] = []
        for each in self.asked:
            future = self.futures[each.source]
            if not future.done():
                self.proxy.leave_out(each, f"no answer within {ANSWER_SECONDS:g} s")
            elif error := future.exception():  # What others answer must not spoil what is here.
                log.error("takeover.answer-unreadable", ae_title=each.entity.ae_title, exc_info=error)
            else:
                found += future.result()
        return self.proxy.not_here(found)


async def _here(app: App, uids: Sequence[str]) -> frozenset[str]:
    async with app.db.transaction() as tx:
        return frozenset(await queries.studies_here(tx, uids))


async def _absent(app: App, uids: Sequence[str], sources: Sequence[str]) -> list[Absent]:
    async with app.db.transaction() as tx:
        return await queries.studies_not_come(tx, uids, sources)


def _impatient(settings: Settings) -> Settings:
    """The settings, for a call whose answer nobody waits for longer."""
    return settings.model_copy(update={"artim_seconds": ANSWER_SECONDS, "dimse_timeout_seconds": ANSWER_SECONDS})


def _in_thread(name: str, places: threading.Semaphore, work: Callable[[], list[T]]) -> Future[list[T]]:
    """What work gives, in a thread of its own that does not hold up the end of the process; nothing without a place."""
    future: Future[list[T]] = Future()
    if not places.acquire(blocking=False):
        future.set_result([])
        return future

    def run() -> None:
        try:
            future.set_result(work())
        except Exception as error:  # Raised again to whoever takes the result.
            future.set_exception(error)
        finally:
            places.release()

    threading.Thread(target=run, name=name, daemon=True).start()
    return future
