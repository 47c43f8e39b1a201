"""What must hold whatever a peer does: others are served, all is counted and logged, and nothing stays behind."""

import threading
import time
from collections.abc import Callable, Iterator, MutableMapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import structlog
from prometheus_client import REGISTRY
from pynetdicom.dsutils import encode

from data_sets import CT, data_set
from node import KNOWN, Node
from radiology.dicom_network.client import VERIFICATION, Peer, connect
from radiology.standards.dicom.uids import EXPLICIT_VR_LITTLE_ENDIAN

BOUND_SECONDS = 15.0
"""Much more than any timer of the tests, for a busy machine."""
ACKNOWLEDGED_SECONDS = 2.0
EVERY_SECONDS = 0.02


class Bystander(threading.Thread):
    """Somebody who echoes and stores over one association until the end, as if nothing was the matter."""

    def __init__(self, port: int) -> None:
        super().__init__()
        self.stored = 0
        self.slowest_seconds = 0.0
        self._failure: BaseException | None = None
        self._port = port
        self._over = threading.Event()

    def run(self) -> None:
        contexts = [(uid, [EXPLICIT_VR_LITTLE_ENDIAN]) for uid in (VERIFICATION, CT)]
        try:
            with connect(Peer("127.0.0.1", self._port, "RADSVC", KNOWN), contexts) as association:
                while not self._over.wait(EVERY_SECONDS):
                    image = data_set()
                    encoded = encode(image, False, True)
                    began = time.monotonic()
                    assert association.echo().status == 0
                    assert association.store(CT, image.SOPInstanceUID, encoded).status == 0
                    self.slowest_seconds = max(self.slowest_seconds, time.monotonic() - began)
                    self.stored += 1
        except BaseException as failure:
            self._failure = failure

    def check(self) -> None:
        """It goes well so far."""
        assert self._failure is None, repr(self._failure)
        assert self.slowest_seconds < ACKNOWLEDGED_SECONDS

    def end(self) -> None:
        self._over.set()
        self.join(BOUND_SECONDS)
        self.check()
        assert self.stored > 0


@dataclass
class Watch:
    """What is counted and logged while a block runs."""

    node: Node
    _logged: list[MutableMapping[str, Any]] = field(default_factory=list)
    _before: dict[tuple[str, str], float] = field(default_factory=dict)

    def counted(self, metric: str) -> dict[str, float]:
        """By how much each label of a metric has grown."""
        self.node.door.tell_counts()
        grown = {label: value - self._before.get((name, label), 0) for (name, label), value in counts(metric).items()}
        return {label: value for label, value in grown.items() if value}

    @property
    def ended(self) -> dict[str, float]:
        """Associations, by how they ended."""
        return self.counted("radiology_associations_total")

    @property
    def refused(self) -> dict[str, float]:
        """What never became an association, by why."""
        return self.counted("radiology_associations_refused_total")

    @property
    def called(self) -> dict[str, float]:
        """Associations that we asked for, by how they ended."""
        return self.counted("radiology_calls_total")

    def lines(self, event: str) -> list[MutableMapping[str, Any]]:
        """What was logged under a name."""
        self.node.door.tell_counts()
        return [line for line in self._logged if line["event"] == event]

    def wait_for_rest(self, others: int = 1) -> None:
        """Until there are so many associations, connections and threads, and no more: the bystander's."""
        wait_for(lambda: self._present() == (others, others, others), self._present)

    def _present(self) -> tuple[int, int, int]:
        return self.node.server.counters.open, len(self.node.server._connections), serving_threads()


@contextmanager
def undisturbed(node: Node) -> Iterator[Watch]:
    """A bystander is at work until the block ends. Then all is free again, and what is kept is whole."""
    bystander = Bystander(node.port)
    bystander.start()
    wait_for(lambda: bystander.stored > 0 or not bystander.is_alive())
    with structlog.testing.capture_logs() as logged:
        watch = Watch(node, logged, counts())
        yield watch
        bystander.end()
    watch.wait_for_rest(0)
    node.archive.arrivals.flush()
    wait_for(lambda: node.archive.arrivals.waiting == 0)
    files = [path.name for path in node.app.objects.root.rglob("*") if path.is_file()]
    assert len(files) == node.value("SELECT count(*) FROM instances")


def counts(metric: str = "") -> dict[tuple[str, str], float]:
    """Counters that have one label, by name and label."""
    samples = (sample for family in REGISTRY.collect() for sample in family.samples)
    return {
        (one.name, next(iter(one.labels.values()))): one.value
        for one in samples
        if len(one.labels) == 1 and metric in ("", one.name)
    }


def serving_threads() -> int:
    """Threads that serve an association, or send for one."""
    return sum(thread.name in {"dimse", "dimse-move"} for thread in threading.enumerate())


def wait_for(condition: Callable[[], object], why: Callable[[], object] | None = None) -> None:
    """Wait until a condition holds."""
    until = time.monotonic() + BOUND_SECONDS
    while not condition():
        assert time.monotonic() < until, why and why()
        time.sleep(0.01)
