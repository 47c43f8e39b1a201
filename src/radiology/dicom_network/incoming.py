"""Incoming messages: a command set, and its data set as it arrives."""

from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

from radiology.dicom_network.association import AcceptedContext
from radiology.dicom_network.items import PDUError
from radiology.dicom_network.message import Command

IDENTIFIER_LIMIT: Final = 16 * 1024 * 1024

NextFragments = Callable[[int], tuple[list[memoryview], bool]]
"""What has arrived over a presentation context, and whether it is the end. Raises AssociationEndedError."""


class DataSet:
    """The data set of a message, as it arrives: an iterator of fragments, each valid until the next is asked for.

    It is encoded in `transfer_syntax_uid` and has no Part 10 header. Raises AssociationEndedError when it breaks off.
    """

    __slots__ = ("_finished", "_next_fragments", "context", "size_bytes")

    def __init__(self, next_fragments: NextFragments, context: AcceptedContext, *, empty: bool) -> None:
        self.context = context
        self.size_bytes = 0
        """How many bytes have been handed out so far."""
        self._next_fragments = next_fragments
        self._finished = empty

    @property
    def transfer_syntax_uid(self) -> str:
        """The transfer syntax that was negotiated for the context."""
        return self.context.transfer_syntax_uid

    def next_batch(self) -> list[memoryview]:
        """All fragments that have arrived, at least one (for `os.writev`); an empty list at the end."""
        if self._finished:
            return []
        batch, self._finished = self._next_fragments(self.context.context_id)
        self.size_bytes += sum(map(len, batch))
        return batch

    def batches(self) -> Iterator[list[memoryview]]:
        """The fragments in batches, each valid until the next is asked for."""
        while batch := self.next_batch():
            yield batch

    def __iter__(self) -> Iterator[memoryview]:
        while batch := self.next_batch():
            yield from batch

    def read(self, limit_bytes: int = IDENTIFIER_LIMIT) -> bytes:
        """All that is left, joined: for identifiers, not for images. Raises PDUError when it is over the limit."""
        joined = bytearray()
        for fragment in self:
            joined += fragment
            if len(joined) > limit_bytes:
                raise PDUError(f"a data set is longer than the {limit_bytes} bytes allowed here")
        return bytes(joined)

    def drain(self) -> None:
        """Read to the end and forget it."""
        while self.next_batch():
            pass


class Message(NamedTuple):
    """A command set and the data set that follows it (an empty one when none does)."""

    command: Command
    data: DataSet
