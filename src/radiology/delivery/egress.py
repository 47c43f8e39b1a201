"""In which form an object leaves: as stored where the receiver takes that, else converted without losing anything.

Lossless becomes lossless. What was compressed with loss may be decompressed, and says so. Video is never converted.
"""

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from radiology.app import App
from radiology.dicom_network.association import AcceptedContext
from radiology.dicom_network.connection import FileSlice
from radiology.delivery.transcoding import transcode
from radiology.errors import NotSupported, Unavailable
from radiology.kit import cpu
from radiology.standards.dicom.part10 import read_file_meta
from radiology.standards.dicom.uids import EXPLICIT_VR_LITTLE_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN, TRANSFER_SYNTAXES
from radiology.studies.explicit_vr import explicit_file
from radiology.studies.queries.retrieve import StoredInstance

FALLBACKS: Final = (EXPLICIT_VR_LITTLE_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN)
_HEAD_BYTES: Final = 64 * 1024

FindContext = Callable[[str, str], AcceptedContext | None]
"""The accepted context for a SOP class in a transfer syntax, None where there is none."""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """An object on its way: the context it goes in, and its data set."""

    context: AcceptedContext
    data: FileSlice


def syntaxes_for(instance: StoredInstance) -> tuple[str, ...]:
    """The transfer syntaxes in which an object may leave, as stored first."""
    stored = instance.transfer_syntax_uid
    return (stored, *(uid for uid in FALLBACKS if uid != stored)) if _may_be_converted(stored) else (stored,)


def _may_be_converted(transfer_syntax_uid: str) -> bool:
    syntax = TRANSFER_SYNTAXES.get(transfer_syntax_uid)
    return syntax is not None and not syntax.video


@contextmanager
def outgoing(app: App, instance: StoredInstance, find_context: FindContext) -> Iterator[Outgoing]:
    """The object in the first form that the receiver takes, open until the block ends.

    Raises NotSupported where the receiver takes none of its forms, NotFound and Unavailable for a damaged object.
    """
    for syntax in syntaxes_for(instance):
        context = find_context(instance.sop_class_uid, syntax)
        if context is not None:
            break
    else:
        raise NotSupported(f"The receiver accepts none of the forms of this object ({_name(instance)}).")
    if syntax == instance.transfer_syntax_uid:
        descriptor = app.objects.open(instance.object_key)
        try:
            size = instance.size_bytes - instance.data_set_offset
            yield Outgoing(context, FileSlice(descriptor, instance.data_set_offset, size))
        finally:
            os.close(descriptor)
    else:
        with _converted(app, instance, syntax) as data:
            yield Outgoing(context, data)


def _name(instance: StoredInstance) -> str:
    syntax = TRANSFER_SYNTAXES.get(instance.transfer_syntax_uid)
    return syntax.name if syntax else instance.transfer_syntax_uid


@contextmanager
def _converted(app: App, instance: StoredInstance, transfer_syntax_uid: str) -> Iterator[FileSlice]:
    """The object in another form, in a file that nobody else sees and that is gone with the block."""
    folder = app.settings.run_dir
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=folder, prefix="egress-", suffix=".dcm") as file:
        encapsulated = TRANSFER_SYNTAXES[instance.transfer_syntax_uid].encapsulated
        if transfer_syntax_uid == EXPLICIT_VR_LITTLE_ENDIAN and not encapsulated:
            for chunk in explicit_file(app.objects, instance):
                file.write(chunk)
            file.flush()
        else:
            source = str(app.objects.path(instance.object_key))
            cpu.processes.run(transcode, source, file.name, transfer_syntax_uid)
        with Path(file.name).open("rb") as written:
            size = os.fstat(written.fileno()).st_size
            offset = read_file_meta(os.pread(written.fileno(), _HEAD_BYTES, 0)).data_set_offset
            if size <= offset:
                raise Unavailable("The object could not be converted for the receiver.")
            yield FileSlice(written.fileno(), offset, size - offset)
