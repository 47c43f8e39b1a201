"""Objects as the process with limits reads them: little endian files, and the places of their parts."""

import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from radiology.deidentification.copying import Copied, Original, copy
from radiology.deidentification.pixel_policy import Withheld
from radiology.deidentification.rules import Rules
from radiology.errors import CannotUnderstand
from radiology.kit.cpu import LimitedProcesses
from radiology.kit.objects import LocalObjects
from radiology.standards.dicom.header import HeaderError, read_header
from radiology.standards.dicom.part10 import FileMetaError, encode_file_meta, read_file_meta
from radiology.standards.dicom.uids import EXPLICIT_VR_LITTLE_ENDIAN, TRANSFER_SYNTAXES
from radiology.studies.converting import received
from radiology.studies.explicit_vr import little_endian
from radiology.studies.queries.retrieve import StoredInstance
from radiology.studies.served import as_served

_HEAD_BYTES = 256 * 1024


def copy_in(
    processes: LimitedProcesses, objects: LocalObjects, instance: StoredInstance, target: Path, rules: Rules
) -> Copied | Withheld:
    """Make the de-identified file of an object, at a path where nothing is yet. Blocks: for a thread.

    Where it fails or is withheld nothing is left there. Raises as `copying.copy`, and NotFound, Unavailable.
    """
    target.touch(mode=0o600, exist_ok=True)
    made: Copied | Withheld | None = None
    try:
        with _original(objects, instance) as original:
            made = processes.run(copy, original, str(target), rules)
        return made
    finally:
        if not isinstance(made, Copied):
            target.unlink(missing_ok=True)


def instance_of(path: Path) -> StoredInstance:
    """A file that is not in the archive, as if it were. Raises CannotUnderstand where it is no DICOM object."""
    with path.open("rb") as file:
        size, head = os.fstat(file.fileno()).st_size, file.read(_HEAD_BYTES)
        try:
            meta = read_file_meta(head)
            header = read_header(
                head,
                data_set_offset=meta.data_set_offset,
                transfer_syntax_uid=meta.transfer_syntax_uid,
                size=size,
                read_at=lambda offset, length: os.pread(file.fileno(), length, offset),
            )
        except (FileMetaError, HeaderError) as error:
            raise CannotUnderstand(f"This is not a DICOM object: {error}.", tag=error.tag) from error
    known = meta.transfer_syntax_uid if meta.transfer_syntax_uid in TRANSFER_SYNTAXES else EXPLICIT_VR_LITTLE_ENDIAN
    return StoredInstance(
        study_instance_uid=header.text("0020000D"),
        series_instance_uid=header.text("0020000E"),
        sop_instance_uid=header.text("00080018"),
        sop_class_uid=header.text("00080016"),
        transfer_syntax_uid=known,
        number_of_frames=None,
        object_key=str(path.resolve()),
        size_bytes=size,
        data_set_offset=meta.data_set_offset,
        pixel_data_offset=header.pixel_data_offset,
        pixel_data_length=header.pixel_data_length,
        data_set_sha256=b"",
    )


@contextmanager
def _original(objects: LocalObjects, instance: StoredInstance) -> Generator[Original]:
    """An object as it is served; what is big endian or deflated is written anew for as long as the block lasts."""
    with as_served(objects, instance) as served, _as_received(objects, served) as original:
        yield original


@contextmanager
def _as_received(objects: LocalObjects, instance: StoredInstance) -> Generator[Original]:
    syntax = TRANSFER_SYNTAXES[instance.transfer_syntax_uid]
    as_received = instance.original_transfer_syntax_uid is None
    if as_received and not syntax.big_endian and not syntax.deflated:
        yield _at(objects.path(instance.object_key), instance)
        return
    with objects.create(write_behind=False) as writer:
        if as_received:
            head = encode_file_meta(instance.sop_class_uid, instance.sop_instance_uid, EXPLICIT_VR_LITTLE_ENDIAN, "")
            writer.write_all([memoryview(head)])
            for chunk in little_endian(objects, instance, EXPLICIT_VR_LITTLE_ENDIAN):
                writer.write_all([memoryview(chunk)])
        else:
            given = received(objects, instance)
            with given.file:
                for chunk in given.chunks(_HEAD_BYTES):
                    writer.write_all([memoryview(chunk)])
        again = instance_of(writer.path)
        with _original(objects, again) as original:
            yield original


def _at(path: Path, instance: StoredInstance) -> Original:
    return Original(
        str(path), instance.transfer_syntax_uid, instance.data_set_offset, instance.pixel_data_offset,
        instance.pixel_data_length, instance.size_bytes,
    )  # fmt: skip
