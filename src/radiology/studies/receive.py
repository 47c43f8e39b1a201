"""Take in one object: bytes straight to their final place, header checked, durable before anybody is told so.

The order is that of domain rule and standard: what decides the status of a C-STORE (PS3.4 B.2.3) needs no database,
so it is decided here, on the bytes. What only the index can know is decided in `index`.
"""

import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import TracebackType
from typing import Self

from radiology.errors import CannotUnderstand, DataSetMismatch, RadiologyError, Unprocessable
from radiology.kit.objects import LocalObjects, ObjectWriter
from radiology.standards.dicom.checks import Refusal, check_storable
from radiology.standards.dicom.header import Header, HeaderError, read_header
from radiology.standards.dicom.part10 import FileMeta, FileMetaError, encode_file_meta, read_file_meta

HEAD_BYTES = 64 * 1024
CHUNK_BYTES = 1024 * 1024
PIXEL_DATA = "7FE00010"
EXECUTABLE = (b"MZ", b"\x7fELF", b"#!", b"\xca\xfe\xba\xbe", b"\xcf\xfa\xed\xfe")


@dataclass(frozen=True, slots=True)
class Source:
    """Where an object comes from.

    `may_reject`: key objects of it reject, whatever its application entity may. `is_reconciled`: a person chose its
    studies, or another archive answers for them, so that none of them must have an order here.
    """

    facility_code: str
    ae_title: str = ""
    actor: str = "system"
    may_reject: bool = False
    is_reconciled: bool = False


@dataclass(frozen=True, slots=True)
class Arrival:
    """One object whose bytes are durable, on its way into the index."""

    header: Header
    object_key: str
    size_bytes: int
    data_set_offset: int
    data_set_sha256: bytes
    source: Source
    received_at: datetime
    flags: list[str] = field(default_factory=list[str])

    def text(self, tag: str) -> str:
        """The first value of an attribute as text, empty where there is none."""
        return self.header.text(tag)

    @property
    def study_instance_uid(self) -> str:
        return self.header.text("0020000D")

    @property
    def series_instance_uid(self) -> str:
        return self.header.text("0020000E")

    @property
    def sop_instance_uid(self) -> str:
        return self.header.text("00080018")


class Reception:
    """One object while it comes in. `finish` makes it durable; leaving the block without it leaves nothing behind."""

    def __init__(
        self,
        writer: ObjectWriter,
        source: Source,
        now: Callable[[], datetime],
        *,
        meta: FileMeta | None = None,
        before: bytes = b"",
    ) -> None:
        """`meta` where the file meta information is ours, written as `before`: the data set must be what it says."""
        self._writer = writer
        self._source = source
        self._now = now
        self._head = bytearray()
        self._digest = hashlib.sha256()
        self._meta = meta
        self._before = before
        self.header: Header | None = None
        self._expected = (
            (meta.media_storage_sop_class_uid, meta.media_storage_sop_instance_uid) if meta else (None, None)
        )

    @property
    def size_bytes(self) -> int:
        """How much has come in."""
        return self._writer.size_bytes

    def write(self, fragment: bytes | bytearray | memoryview) -> None:
        """Take the next bytes. Raises Unavailable where the disk is full."""
        self.write_all([memoryview(fragment)])

    def write_all(self, fragments: list[memoryview]) -> None:
        """Take the next bytes, in several fragments. Raises Unavailable where the disk is full."""
        if self._before:
            self._head += self._before
            self._writer.write_all([memoryview(self._before), *fragments])
            self._before = b""
        else:
            self._writer.write_all(fragments)
        for fragment in fragments:
            self._note(fragment)

    def _note(self, fragment: bytes | bytearray | memoryview) -> None:
        room = HEAD_BYTES - len(self._head)
        if room <= 0:
            self._digest.update(fragment)
            return
        self._head += fragment[:room]
        if len(fragment) >= room:
            self._digest.update(memoryview(self._head)[self._file_meta().data_set_offset :])
            self._digest.update(fragment[room:])

    def finish(self, *, study_instance_uid: str | None = None) -> Arrival:
        """Check the header, then wait until the bytes would survive a power cut.

        Where `study_instance_uid` is given the object must belong to it (PS3.18 10.5.1: STOW-RS into one study).
        Raises CannotUnderstand, DataSetMismatch, Unprocessable, each naming the element, or Unavailable.
        """
        meta = self._file_meta()
        if len(self._head) < HEAD_BYTES:
            self._digest.update(memoryview(self._head)[meta.data_set_offset :])
        self._writer.write_behind()
        header, flags = self._checked_header(meta)
        if study_instance_uid not in {None, header.text("0020000D")}:
            raise DataSetMismatch("The object belongs to another study than the request names.", tag="0020000D")
        flags += self._without_executable_preamble()
        key = self._writer.commit()
        return Arrival(
            header=header,
            object_key=key,
            size_bytes=self._writer.size_bytes,
            data_set_offset=meta.data_set_offset,
            data_set_sha256=self._digest.digest(),
            source=self._source,
            received_at=self._now(),
            flags=flags,
        )

    def discard(self) -> None:
        """Leave nothing behind."""
        self._writer.discard()

    def _file_meta(self) -> FileMeta:
        if self._meta is None:
            try:
                self._meta = read_file_meta(memoryview(self._head))
            except FileMetaError as error:
                raise CannotUnderstand(f"This is not a DICOM file: {error}.", tag=error.tag) from error
            _must_be_part10(self._meta)
        return self._meta

    def _checked_header(self, meta: FileMeta) -> tuple[Header, list[str]]:
        sop_class_uid, sop_instance_uid = self._expected
        try:
            header = read_header(
                self._head,
                data_set_offset=meta.data_set_offset,
                transfer_syntax_uid=meta.transfer_syntax_uid,
                size=self._writer.size_bytes,
                read_at=self._writer.read,
            )
            self.header = header
            flags = check_storable(header, sop_class_uid=sop_class_uid, sop_instance_uid=sop_instance_uid)
        except HeaderError as error:
            raise CannotUnderstand(f"The data set does not parse: {error}.", tag=error.tag) from error
        except Refusal as refusal:
            raise _error_of(refusal) from refusal
        if "truncated" in header.flags:
            tag = max(header.attributes, default=PIXEL_DATA) if header.pixel_data_offset is None else PIXEL_DATA
            raise CannotUnderstand("The data set ends in the middle of a value. Send it again, whole.", tag=tag)
        return header, sorted({*header.flags, *flags})

    def _without_executable_preamble(self) -> list[str]:
        if not self._head.startswith(EXECUTABLE):
            return []
        self._writer.overwrite(0, bytes(128))
        return ["preamble_zeroed"]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._writer.discard()


def receive_file(objects: LocalObjects, source: Source, now: Callable[[], datetime]) -> Reception:
    """Begin to take in a PS3.10 file, kept byte for byte. Raises Unavailable."""
    return Reception(objects.create(write_behind=False), source, now)


def receive_data_set(
    objects: LocalObjects,
    source: Source,
    now: Callable[[], datetime],
    *,
    sop_class_uid: str,
    sop_instance_uid: str,
    transfer_syntax_uid: str,
) -> Reception:
    """Begin to take in the data set of a C-STORE; the file meta information is ours (PS3.10 7.1)."""
    head = encode_file_meta(sop_class_uid, sop_instance_uid, transfer_syntax_uid, source.ae_title)
    meta = FileMeta(transfer_syntax_uid, len(head), True, sop_class_uid, sop_instance_uid, source.ae_title)
    return Reception(objects.create(), source, now, meta=meta, before=head)


def arrival_of(objects: LocalObjects, key: str, *, facility_code: str) -> Arrival:
    """Read a whole object again that no row names. Raises CannotUnderstand where it cannot be indexed."""
    descriptor = objects.open(key)
    try:
        size = os.fstat(descriptor).st_size
        head = os.pread(descriptor, HEAD_BYTES, 0)
        meta = read_file_meta(head)
        header = read_header(
            head,
            data_set_offset=meta.data_set_offset,
            transfer_syntax_uid=meta.transfer_syntax_uid,
            size=size,
            read_at=lambda offset, length: os.pread(descriptor, length, offset),
        )
        flags = check_storable(header, sop_class_uid=None, sop_instance_uid=None)
        digest = _digest_of(descriptor, meta.data_set_offset, size)
        written_at = datetime.fromtimestamp(os.fstat(descriptor).st_mtime, UTC)
    except (FileMetaError, HeaderError, Refusal) as error:
        raise CannotUnderstand(f"A stored object cannot be read: {error}.") from error
    finally:
        os.close(descriptor)
    source = Source(facility_code, meta.source_ae_title, "recovery")
    flags = sorted({*header.flags, *flags})
    return Arrival(header, key, size, meta.data_set_offset, digest, source, written_at, flags)


def _digest_of(descriptor: int, offset: int, size: int) -> bytes:
    digest = hashlib.sha256()
    while offset < size:
        chunk = os.pread(descriptor, CHUNK_BYTES, offset)
        digest.update(chunk)
        offset += len(chunk) or size
    return digest.digest()


def _must_be_part10(meta: FileMeta) -> None:
    # Kept byte for byte, a file without these could not be given out again as the PS3.10 file that readers expect.
    if not meta.has_preamble:
        raise CannotUnderstand("This is not a DICOM file: the preamble and DICM are missing.", tag="00020000")
    if meta.guessed:
        raise CannotUnderstand("The file does not name its transfer syntax.", tag="00020010")


def _error_of(refusal: Refusal) -> RadiologyError:
    kinds: dict[int, type[RadiologyError]] = {0xA900: DataSetMismatch, 0xC101: Unprocessable}
    kind = kinds.get(refusal.status, CannotUnderstand)
    return kind(refusal.sentence, tag=refusal.tag, dimse_status=refusal.status)
