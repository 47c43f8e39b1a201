"""Asking by C-FIND as cheaply as can be: a requestor that decodes answers costs more than giving them."""

import socket
from collections.abc import Generator
from contextlib import contextmanager

from bench.peers import Peer
from radiology.dicom_network import client
from radiology.dicom_network.client import Requestor, connect
from radiology.dicom_network.message import (
    DATA_SET_FOLLOWS,
    Command,
    CommandField,
    Element,
    command_pdus,
    decode_command,
    fragments,
)
from radiology.standards.dicom.uids import EXPLICIT_VR_LITTLE_ENDIAN


@contextmanager
def association(peer: Peer, sop_class_uid: str, calling_ae_title: str = "BENCH") -> Generator[Requestor]:
    """One association with a server."""
    address = client.Peer("127.0.0.1", peer.dicom_port, peer.ae_title, calling_ae_title)
    with connect(address, [(sop_class_uid, [EXPLICIT_VR_LITTLE_ENDIAN])]) as opened:
        yield opened


class Caller:
    """Asks over an open association.

    A request is bytes made beforehand. Its answer is over when the bytes end as the final response of the first query
    did, which was read in full; the message id is the same each time, as the one before is over.
    """

    MESSAGE_ID = 7

    def __init__(self, peer: Peer, opened: Requestor, sop_class_uid: str, first: bytes) -> None:
        context = opened.context_for(sop_class_uid)
        if context is None:
            raise RuntimeError(f"{peer.name} does not offer {sop_class_uid}")
        self.name, self.sop_class_uid = peer.name, sop_class_uid
        self.context_id, self.limit = context.context_id, opened.peer_max_pdu_length
        self.socket: socket.socket = opened._transport._socket  # type: ignore[attr-defined]
        self.buffer = bytearray(4 * 1024 * 1024)
        self.end = self._final_response(first)

    def request(self, identifier: bytes) -> bytes:
        """The bytes of a query."""
        command = Command({
            Element.AFFECTED_SOP_CLASS_UID: self.sop_class_uid, Element.COMMAND_FIELD: CommandField.C_FIND_RQ,
            Element.MESSAGE_ID: self.MESSAGE_ID, Element.PRIORITY: 0, Element.DATA_SET_TYPE: DATA_SET_FOLLOWS,
        })  # fmt: skip
        data = b"".join(fragments(self.context_id, identifier, self.limit))
        return command_pdus(self.context_id, command, self.limit) + data

    def ask(self, request: bytes, expected: bytes) -> memoryview:
        """One query: its answer, valid until the next one. What is expected must be in it."""
        self.socket.sendall(request)
        view, size = memoryview(self.buffer), 0
        while size < len(self.end) or self.buffer[size - len(self.end) : size] != self.end:
            try:
                count = self.socket.recv_into(view[size:])
            except BlockingIOError:
                continue
            if not count:
                raise RuntimeError(f"{self.name} closed the connection")
            size += count
        if self.buffer.find(expected, 0, size) < 0:
            raise RuntimeError(f"{self.name} did not find {expected!r}")
        return view[:size]

    def _final_response(self, first: bytes) -> bytes:
        """The last PDU that answers a query: a command set that no data set follows, with success."""
        self.socket.sendall(self.request(first))
        received = bytearray()
        while True:
            received += self._receive()
            while len(received) >= 6 and len(received) >= 6 + int.from_bytes(received[2:6], "big"):
                length = 6 + int.from_bytes(received[2:6], "big")
                pdu, received = bytes(received[:length]), received[length:]
                if pdu[11] & 1 and decode_command(pdu[12:]).status == 0:
                    return pdu

    def _receive(self) -> bytes:
        try:
            return self.socket.recv(65536)
        except BlockingIOError:
            return b""
