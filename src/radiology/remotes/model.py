"""What another archive has, and what comes from it. Plain values."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
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


def study_of(answer: Mapping[str, Any]) -> ForeignStudy:
    """A study out of an answer in the DICOM JSON model."""
    return ForeignStudy(
        text_of(answer, "0020000D"),
        text_of(answer, "00100020"),
        text_of(answer, "00080050"),
        text_of(answer, "00080020"),
    )


@dataclass(frozen=True, slots=True)
class ForeignInstance:
    """An instance as the other archive lists it. `sop_class_uid` may be empty."""

    series_instance_uid: str
    sop_instance_uid: str
    sop_class_uid: str


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

    def instances(self, study_instance_uid: str) -> list[ForeignInstance]:
        """The instances of a study."""
        ...

    def retrieve(self, study_instance_uid: str, wanted: Sequence[ForeignInstance], receiver: Receiver) -> bool:
        """Have instances given to a receiver; False where the archive cannot do that.

        What is refused or fails is found by comparing afterwards.
        """
        ...

    def push(self, study_instance_uid: str, wanted: Sequence[ForeignInstance]) -> None:
        """Have instances sent to our own DICOM port."""
        ...
