"""The values the samples are made of, from a planned study down to the instance that is sent."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid5

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import FileMetaDataset
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_file_meta_info
from pydicom.uid import UID

NAMESPACE = UUID("6f0c1d52-6a0b-5c3e-9d4b-2f6f8b1f6a77")


def uid_of(name: str) -> str:
    """The same UID for the same name, everywhere (PS3.5 B.2)."""
    return f"2.25.{uuid5(NAMESPACE, name).int}"


IMPLEMENTATION_CLASS_UID = uid_of("radiology.samples")
IMPLEMENTATION_VERSION_NAME = "RADI_SAMPLES"

Attributes = Mapping[str, Any]
"""Keyword of PS3.6 to value; a list of mappings is a sequence."""


@dataclass(frozen=True)
class Picture:
    """What differs between the instances of a series; `pixels` is rows x columns, with frames before and RGB after."""

    pixels: NDArray[Any] | None
    attributes: Attributes = field(default_factory=dict[str, Any])


@dataclass(frozen=True)
class Series:
    """A series to be drawn. `pictures` draws them one at a time, so one image is in memory at once."""

    modality: str
    sop_class_uid: str
    description: str
    attributes: Attributes
    pictures: Callable[[np.random.Generator], Iterator[Picture]]


@dataclass(frozen=True)
class StudyPlan:
    """One study of the catalogue. `at` is the time of day, HHMM; `site` and `person` count from 1."""

    person: int
    days_ago: int
    at: str
    site: int
    description: str
    series: tuple[Series, ...]


@dataclass(frozen=True)
class SampleInstance:
    """One instance, ready to be sent: `data_set` is what C-STORE carries, without preamble and file meta group."""

    study_instance_uid: str
    sop_class_uid: str
    sop_instance_uid: str
    transfer_syntax_uid: str
    data_set: bytes = field(repr=False)

    def part10(self) -> bytes:
        """The same instance as a DICOM file (PS3.10 7.1)."""
        meta = FileMetaDataset()
        meta.MediaStorageSOPClassUID = UID(self.sop_class_uid)
        meta.MediaStorageSOPInstanceUID = UID(self.sop_instance_uid)
        meta.TransferSyntaxUID = UID(self.transfer_syntax_uid)
        meta.ImplementationClassUID = UID(IMPLEMENTATION_CLASS_UID)
        meta.ImplementationVersionName = IMPLEMENTATION_VERSION_NAME
        header = DicomBytesIO()
        write_file_meta_info(header, meta)
        return b"".join((bytes(128), b"DICM", header.getvalue(), self.data_set))
