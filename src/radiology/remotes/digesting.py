"""What another archive gives out, by its digests alone: nothing of it is kept."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from radiology.errors import CannotUnderstand
from radiology.remotes.model import Incoming
from radiology.remotes.queries import Digest
from radiology.standards.dicom.part10 import FileMetaError, read_file_meta
from radiology.studies.receive import HEAD_BYTES


@dataclass(slots=True)
class Digesting:
    """Keeps of what comes only the digests of the data sets. `on_bytes` is told of each amount of bytes."""

    on_bytes: Callable[[int], None] = lambda _: None
    digests: set[Digest] = field(default_factory=set[Digest])

    def data_set(self, sop_class_uid: str, sop_instance_uid: str, transfer_syntax_uid: str) -> Incoming:  # noqa: ARG002
        """For a data set, as C-STORE brings it."""
        return _DigestedObject(self, sop_instance_uid, transfer_syntax_uid)

    def file(self) -> Incoming:
        """For a PS3.10 file."""
        return _DigestedObject(self, "", "")


@dataclass(slots=True)
class _DigestedObject:
    """`head`: the beginning of a PS3.10 file, until its data set begins."""

    digesting: Digesting
    sop_instance_uid: str
    transfer_syntax_uid: str
    head: bytearray = field(default_factory=bytearray)
    sha256: Any = field(default_factory=hashlib.sha256)

    def write_all(self, fragments: list[memoryview]) -> None:
        self.digesting.on_bytes(sum(map(len, fragments)))
        for fragment in fragments:
            if self.sop_instance_uid:
                self.sha256.update(fragment)
            else:
                self.head += fragment
                if len(self.head) >= HEAD_BYTES:
                    self._begin()

    def finish(self) -> None:
        if not self.sop_instance_uid:
            self._begin()
        self.digesting.digests.add(Digest(self.sop_instance_uid, self.transfer_syntax_uid, self.sha256.digest()))

    def discard(self) -> None:
        self.head.clear()

    def _begin(self) -> None:
        try:
            meta = read_file_meta(memoryview(self.head))
        except FileMetaError as error:
            raise CannotUnderstand(f"This is not a DICOM file: {error}.", tag=error.tag) from error
        self.sop_instance_uid = meta.media_storage_sop_instance_uid
        self.transfer_syntax_uid = meta.transfer_syntax_uid
        self.sha256.update(memoryview(self.head)[meta.data_set_offset :])
