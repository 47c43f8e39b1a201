"""Write messages: a command set and the data set that follows it, in PDUs as long as the peer takes (PS3.8 annex E)."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from radiology.dicom_network.message import (
    DATA_LAST,
    DATA_MORE,
    Command,
    command_pdus,
    data_header,
    fragment_length,
    fragments,
)
from radiology.dicom_network.pdu import DATA_HEADER
from radiology.dicom_network.transport import BUFFERS_AT_ONCE, Transport

_BUFFER_BYTES: Final = 1024 * 1024


@dataclass(frozen=True, slots=True)
class FileSlice:
    """The data set inside an open file: what follows the Part 10 header. `descriptor` stays open and is only pread."""

    descriptor: int
    offset_bytes: int
    size_bytes: int


class MessageWriter:
    """Writes to one peer. Memory used does not grow with a file, and its buffer is there once a file is sent."""

    def __init__(self, transport: Transport, max_pdu_length: int) -> None:
        self._transport = transport
        self._max_pdu_length = max_pdu_length
        self._buffer = bytearray()
        self._layout = (0, 0, False)
        self._gaps: list[memoryview] = []

    def write(self, context_id: int, command: Command, data: bytes | memoryview | FileSlice | None) -> None:
        """A message. Raises AssociationEndedError, and EOFError when a file is shorter than it was said to be."""
        header = command_pdus(context_id, command, self._max_pdu_length)
        match data:
            case None:
                self._transport.send((header,))
            case FileSlice():
                self._write_file(header, context_id, data)
            case _:
                self._transport.send((header, *fragments(context_id, data, self._max_pdu_length)))

    def write_together(self, context_id: int, command: Command, data_sets: Sequence[bytes]) -> None:
        """The same command set with each of these data sets, all in one go. Raises AssociationEndedError."""
        header = command_pdus(context_id, command, self._max_pdu_length)
        parts: list[bytes | memoryview] = []
        for data in data_sets:
            parts += (header, *fragments(context_id, data, self._max_pdu_length))
        if parts:
            self._transport.send((b"".join(parts),))

    # One pread fills many PDUs: it scatters into the gaps between headers that are written beforehand.

    def _write_file(self, header: bytes, context_id: int, data: FileSlice) -> None:
        size = fragment_length(self._max_pdu_length)
        full = size + DATA_HEADER.size
        if not self._buffer:
            self._buffer = bytearray(max(_BUFFER_BYTES // full, 1) * full)
        slots = min(len(self._buffer) // full, BUFFERS_AT_ONCE)
        sent, view = 0, memoryview(self._buffer)
        while sent < data.size_bytes or data.size_bytes == 0:
            count = min(slots * size, data.size_bytes - sent)
            self._fill(view, context_id, data, sent, count)
            filled = view[: count + DATA_HEADER.size * max(-(-count // size), 1)]
            # The command goes out together with what follows it, so that the peer wakes up once.
            self._transport.send((header, filled) if sent == 0 else (filled,))
            sent += count
            if data.size_bytes == 0:
                return

    def _fill(self, view: memoryview, context_id: int, data: FileSlice, start: int, count: int) -> None:
        layout = (context_id, count, start + count >= data.size_bytes)
        if layout != self._layout:
            # Reading leaves the headers as they are: objects of one size need them written once.
            self._layout, self._gaps = layout, self._lay_out(view, layout)
        if os.preadv(data.descriptor, self._gaps, data.offset_bytes + start) != count:
            raise EOFError("the file is shorter than it was said to be")

    def _lay_out(self, view: memoryview, layout: tuple[int, int, bool]) -> list[memoryview]:
        """Write the headers of the PDUs, and give the gaps for their fragments."""
        context_id, count, is_last = layout
        size, position, gaps = fragment_length(self._max_pdu_length), 0, list[memoryview]()
        for done in range(0, max(count, 1), size):
            length = min(size, count - done)
            control = DATA_LAST if is_last and done + length >= count else DATA_MORE
            view[position : position + DATA_HEADER.size] = data_header(context_id, control, length)
            position += DATA_HEADER.size
            gaps.append(view[position : position + length])
            position += length
        return gaps
