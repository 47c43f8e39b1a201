"""Files as the service hands them to the processes that decode, without a database."""

import os
from pathlib import Path
from typing import Any

import numpy as np
import orjson
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian

from radiology.kit.objects import LocalObjects
from radiology.pixels.header import count_of
from radiology.pixels.render import Material
from radiology.standards.dicom.header import read_header
from radiology.standards.dicom.part10 import read_file_meta
from radiology.studies import pictures
from radiology.studies.queries.retrieve import StoredInstance


def opened(path: Path) -> tuple[LocalObjects, StoredInstance, bytes]:
    """A file as a stored instance, with its attributes as DICOM JSON."""
    objects, size = LocalObjects(path.parent), path.stat().st_size
    descriptor = os.open(path, os.O_RDONLY)
    try:
        head = os.pread(descriptor, 65536, 0)
        meta = read_file_meta(head)
        header = read_header(
            head,
            data_set_offset=meta.data_set_offset,
            transfer_syntax_uid=meta.transfer_syntax_uid,
            size=size,
            read_at=lambda offset, length: os.pread(descriptor, length, offset),
        )
    finally:
        os.close(descriptor)
    instance = StoredInstance(
        study_instance_uid=header.text("0020000D"),
        series_instance_uid=header.text("0020000E"),
        sop_instance_uid=header.text("00080018"),
        sop_class_uid=header.text("00080016"),
        transfer_syntax_uid=meta.transfer_syntax_uid,
        number_of_frames=None,
        object_key=path.name,
        size_bytes=size,
        data_set_offset=meta.data_set_offset,
        pixel_data_offset=header.pixel_data_offset,
        pixel_data_length=header.pixel_data_length,
        data_set_sha256=b"",
    )
    return objects, instance, header.json()


def material_of(path: Path, frames: list[int] | None = None) -> Material:
    """Frames of a file, all of them where none are named, ready to be shown."""
    objects, instance, attributes = opened(path)
    count = count_of(orjson.loads(attributes))
    return pictures.material(objects, instance, attributes, frames or list(range(1, count + 1)))


def written(folder: Path, values: np.ndarray, **attributes: Any) -> Path:
    """A CT image of these stored values as a file; attributes by keyword, None removes one."""
    image = Dataset()
    image.SOPClassUID, image.SOPInstanceUID = CTImageStorage, "2.25.1"
    image.StudyInstanceUID, image.SeriesInstanceUID = "2.25.2", "2.25.3"
    image.Rows, image.Columns = values.shape[-2:] if values.shape[-1] != 3 else values.shape[-3:-1]
    image.SamplesPerPixel, image.PhotometricInterpretation = 1, "MONOCHROME2"
    image.BitsAllocated, image.BitsStored, image.HighBit, image.PixelRepresentation = 16, 12, 11, 0
    if values.dtype == np.uint8:
        image.BitsAllocated, image.BitsStored, image.HighBit = 8, 8, 7
    data = values.astype(values.dtype.newbyteorder("<")).tobytes()
    image.PixelData = data + b"\0" * (len(data) % 2)
    for keyword, value in attributes.items():
        setattr(image, keyword, value)
    image.file_meta = FileMetaDataset()
    image.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    path = folder / f"{len(list(folder.iterdir()))}.dcm"
    image.save_as(path, enforce_file_format=True)
    return path
