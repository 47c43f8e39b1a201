"""An archive of pynetdicom that gives at most so many matches to a query, without saying that there are more."""

import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from itertools import islice
from typing import Any

from pydicom.dataset import Dataset
from pydicom.uid import CTImageStorage
from pynetdicom import AE, evt
from pynetdicom.sop_class import StudyRootQueryRetrieveInformationModelFind as Find
from pynetdicom.sop_class import StudyRootQueryRetrieveInformationModelGet as Get

AE_TITLE = "CUTTING"
UNIQUE = {"STUDY": "StudyInstanceUID", "SERIES": "SeriesInstanceUID", "IMAGE": "SOPInstanceUID"}


@dataclass
class CuttingPeer:
    """Its objects, and how many matches it gives to a query of each level.

    lost: an instance that it lists and does not send. gate: it sends nothing while that is not set.
    asked: counts the queries by level. retrieved: the level of each retrieval, and how many instances it brought.
    """

    objects: Sequence[Dataset]
    most: dict[str, int]
    matches_time: bool = True
    counts: bool = True
    lost: str = ""
    port: int = 0
    asked: Counter[str] = field(default_factory=Counter)
    retrieved: list[tuple[str, int]] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)
    gate: threading.Event = field(default_factory=threading.Event)

    def find(self, event: evt.Event) -> Iterator[tuple[int, Dataset | None]]:
        keys = event.identifier
        level = keys.QueryRetrieveLevel
        with self.lock:
            self.asked[level] += 1
        found: dict[str, Dataset] = {}
        for one in self.objects:
            if self._matches(one, keys):
                found.setdefault(one[UNIQUE[level]].value, one)
        for one in islice(found.values(), self.most.get(level, 1000)):
            yield 0xFF00, self._answer(one, keys)

    def get(self, event: evt.Event) -> Iterator[Any]:
        keys = event.identifier
        wanted = [one for one in self.objects if self._matches(one, keys) and one.SOPInstanceUID != self.lost]
        with self.lock:
            self.retrieved.append((keys.QueryRetrieveLevel, len(wanted)))
        assert self.gate.wait(20)
        yield len(wanted)
        for one in wanted:
            yield 0xFF00, one

    def _matches(self, one: Dataset, keys: Dataset) -> bool:
        for key in keys:
            asked, value = key.value, str(one.get(key.keyword, ""))
            if not asked or key.keyword == "QueryRetrieveLevel" or key.keyword not in one:
                continue
            if key.keyword == "StudyTime" and not self.matches_time:
                continue
            if key.VR == "UI":
                if value not in ([asked] if isinstance(asked, str) else list(asked)):
                    return False
            elif "-" in str(asked) and key.VR in {"DA", "TM"}:
                first, last = str(asked).split("-")
                if not (value and first <= value <= last):
                    return False
            elif not fnmatchcase(value, str(asked)):
                return False
        return True

    def _answer(self, one: Dataset, keys: Dataset) -> Dataset:
        answer = Dataset()
        answer.QueryRetrieveLevel = keys.QueryRetrieveLevel
        for key in keys:
            if key.keyword in one:
                answer[key.keyword] = one[key.keyword]
        if self.counts:
            study = [each for each in self.objects if each.StudyInstanceUID == one.StudyInstanceUID]
            series = [each for each in study if each.SeriesInstanceUID == one.SeriesInstanceUID]
            if "NumberOfStudyRelatedInstances" in keys:
                answer.NumberOfStudyRelatedInstances = len(study)
                answer.NumberOfStudyRelatedSeries = len({each.SeriesInstanceUID for each in study})
            if "NumberOfSeriesRelatedInstances" in keys:
                answer.NumberOfSeriesRelatedInstances = len(series)
        return answer


@contextmanager
def cutting_peer(objects: Sequence[Dataset], most: dict[str, int], **options: bool) -> Iterator[CuttingPeer]:
    """A peer with these objects until the block ends."""
    peer = CuttingPeer(objects, most, **options)
    peer.gate.set()
    ae = AE(ae_title=AE_TITLE)
    ae.add_supported_context(Find)
    ae.add_supported_context(Get)
    ae.add_supported_context(CTImageStorage, "1.2.840.10008.1.2.1", scu_role=True, scp_role=True)
    handlers = [(evt.EVT_C_FIND, peer.find), (evt.EVT_C_GET, peer.get)]
    server = ae.start_server(("127.0.0.1", 0), block=False, evt_handlers=handlers)
    peer.port = server.socket.getsockname()[1]
    try:
        yield peer
    finally:
        server.shutdown()
