"""What another archive has, and what comes from it. Plain values."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from radiology.application_entities.model import ApplicationEntity
from radiology.standards.dicom.attributes import text_of


@dataclass(frozen=True, slots=True)
class ForeignStudy:
    """A study as the other archive lists it."""

    study_instance_uid: str
    patient_id: str
    accession_number: str
    study_date: str
    study_time: str = ""


def study_of(answer: Mapping[str, Any]) -> ForeignStudy:
    """A study out of an answer in the DICOM JSON model."""
    return ForeignStudy(
        text_of(answer, "0020000D"),
        text_of(answer, "00100020"),
        text_of(answer, "00080050"),
        text_of(answer, "00080020"),
        text_of(answer, "00080030"),
    )


def count_of(answer: Mapping[str, Any], tag: str) -> int:
    """A count (VR IS) of an answer; 0 where it is not told."""
    text = text_of(answer, tag).strip()
    return int(text) if text.isascii() and text.isdigit() else 0


@dataclass(frozen=True, slots=True)
class ForeignInstance:
    """An instance as the other archive lists it. `sop_class_uid` may be empty."""

    series_instance_uid: str
    sop_instance_uid: str
    sop_class_uid: str


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be retrieved of one series: instances of a list, or all of it. Without a series: the whole study."""

    series_instance_uid: str = ""
    instances: Sequence[ForeignInstance] = ()


@dataclass(frozen=True, slots=True)
class Contents:
    """What a study has as the other archive lists it, and as it counts it, where it does.

    `counts`: Number of Series Related Instances (0020,1209) by series. `series`, `total`: Number of Study Related
    Series and Instances (0020,1206; 0020,1208). `is_cut`: the archive said itself that it has left something out.
    `sop_classes`: those of the study, as far as they are told.
    """

    instances: Sequence[ForeignInstance]
    counts: Mapping[str, int] = field(default_factory=dict[str, int])
    series: int = 0
    total: int = 0
    is_cut: bool = False
    sop_classes: frozenset[str] = frozenset()

    @property
    def listed(self) -> Counter[str]:
        """How many instances are listed of each series."""
        return Counter(instance.series_instance_uid for instance in self.instances)

    @property
    def counted(self) -> int:
        """How many instances there are at least, by whatever count says most."""
        listed = self.listed
        by_series = sum(max(listed[uid], self.counts.get(uid, 0)) for uid in {*listed, *self.counts})
        return max(self.total, by_series)

    @property
    def is_whole(self) -> bool:
        """Whether nothing says that less is listed than there is."""
        return self.is_countable and self.counted <= len(self.instances)

    @property
    def is_countable(self) -> bool:
        """Whether `counted` is of the whole study, and not only of the series that are known."""
        known = {*self.listed, *self.counts}
        return self.total > 0 or (not self.is_cut and self.series <= len(known))

    def wanted(self, missing: Sequence[ForeignInstance]) -> list[Wanted]:
        """What is to be retrieved, when these of the listed instances are not here.

        A series of which less is listed than there is is retrieved as a whole, and the study where that may be so of
        any series.
        """
        if not self.is_whole and not self._is_explained_by_series:
            return [Wanted()]
        listed = self.listed
        cut = {uid for uid, count in self.counts.items() if count > listed[uid]}
        lists = {instance.series_instance_uid for instance in missing} - cut
        return [
            *(Wanted(uid) for uid in sorted(cut)),
            *(Wanted(uid, [each for each in missing if each.series_instance_uid == uid]) for uid in sorted(lists)),
        ]

    @property
    def _is_explained_by_series(self) -> bool:
        """Whether all series are known, and those that are cut account for all that is not listed."""
        known = {*self.listed, *self.counts}
        by_series = sum(max(self.listed[uid], self.counts.get(uid, 0)) for uid in known)
        return not self.is_cut and len(known) >= self.series and by_series >= self.total


@dataclass(frozen=True, slots=True)
class StudyQuery:
    """Which studies are asked for: values to match as C-FIND takes them (PS3.4 C.2.2.2), empty for any."""

    study_date: str = ""
    study_time: str = ""
    patient_id: str = ""


@dataclass(frozen=True, slots=True)
class Listing:
    """The answers to one query. `is_cut`: there may be more than the peer gave."""

    studies: list[ForeignStudy]
    is_cut: bool


class Incoming(Protocol):
    """Takes the bytes of one object."""

    def write_all(self, fragments: list[memoryview]) -> None:
        """The next bytes. Raises RadiologyError to refuse the object."""
        ...

    def finish(self) -> None:
        """It is whole. Raises RadiologyError to refuse it."""
        ...

    def discard(self) -> None:
        """No more of it comes. Harmless after `finish`."""
        ...


class Receiver(Protocol):
    """Opens what takes an object. Raises RadiologyError to refuse it, StoppedError where nothing more is wanted."""

    def data_set(self, sop_class_uid: str, sop_instance_uid: str, transfer_syntax_uid: str) -> Incoming:
        """For a data set, as C-STORE brings it."""
        ...

    def file(self) -> Incoming:
        """For a PS3.10 file."""
        ...


class StoppedError(Exception):
    """Nothing more is wanted: the retrieval is to be broken off."""


class RemoteArchive(Protocol):
    """Another archive. All of it blocks: for a thread. Raises RadiologyError, with a sentence, for what goes wrong."""

    @property
    def entity(self) -> ApplicationEntity:
        """Its record."""
        ...

    def studies(self, query: StudyQuery) -> Listing:
        """The studies that match."""
        ...

    def contents(self, study_instance_uid: str) -> Contents:
        """What a study has."""
        ...

    def retrieve(
        self, study_instance_uid: str, wanted: Sequence[Wanted], sop_classes: Collection[str], receiver: Receiver
    ) -> bool:
        """Have instances, which are of these classes, given to a receiver; False where the archive cannot do that.

        What is refused or fails is found by comparing afterwards.
        """
        ...

    def push(self, study_instance_uid: str, wanted: Sequence[Wanted]) -> int:
        """Have instances sent to our own DICOM port; how many were, as the archive says."""
        ...
