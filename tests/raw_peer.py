"""A peer in raw bytes: a socket and just enough of the protocol to break it on purpose."""

import socket
import struct
from collections.abc import Mapping, Sequence

from radiology.dicom_network.message import (
    Command,
    CommandField,
    Element,
    Value,
    command_pdus,
    decode_command,
    fragments,
)
from radiology.dicom_network.pdu import PDU, AssociateRQ, DataTF, ProposedContext, decode, encode
from radiology.dicom_network.user_information import RoleSelection, UserInformation

CT = "1.2.840.10008.5.1.4.1.1.2"
STUDY_FIND = "1.2.840.10008.5.1.4.1.2.2.1"
IMPLICIT, EXPLICIT = "1.2.840.10008.1.2", "1.2.840.10008.1.2.1"
CONTEXTS = (ProposedContext(1, CT, (EXPLICIT,)), ProposedContext(3, STUDY_FIND, (IMPLICIT,)))
MAX_PDU_LENGTH = 16384


class RawPeer:
    """A connection to a server."""

    def __init__(self, address: tuple[str, int], *, receive_buffer_bytes: int | None = None) -> None:
        self.sock = socket.socket()
        if receive_buffer_bytes is not None:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer_bytes)
        self.sock.settimeout(10)
        self.sock.connect(tuple(address))

    def send(self, data: bytes) -> None:
        self.sock.sendall(data)

    def receive(self) -> PDU | None:
        """The next PDU, or None when the connection is closed."""
        header = self._exactly(6)
        return decode(header + self._exactly(int.from_bytes(header[2:], "big"))) if header else None

    def _exactly(self, count: int) -> bytes:
        data = b""
        while len(data) < count:
            try:
                piece = self.sock.recv(count - len(data))
            except ConnectionResetError:
                piece = b""
            if not piece:
                return b""
            data += piece
        return data

    def associate(
        self,
        called: str = "RADSVC",
        calling: str = "CT1",
        contexts: Sequence[ProposedContext] = CONTEXTS,
        roles: Sequence[RoleSelection] = (),
    ) -> PDU | None:
        """Ask for an association; the answer."""
        user = UserInformation(max_pdu_length=MAX_PDU_LENGTH, roles=tuple(roles))
        self.send(encode(AssociateRQ(called, calling, tuple(contexts), user)))
        return self.receive()

    def reset(self) -> None:
        """Vanish with a reset, as a machine does that was switched off and on."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()


def request(context_id: int, elements: Mapping[int, Value], data: bytes | None) -> bytes:
    """The PDUs of a request with message id 1 and its data set."""
    command = {Element.MESSAGE_ID: 1, Element.DATA_SET_TYPE: 0x0101 if data is None else 1, **elements}
    encoded = command_pdus(context_id, Command(command), MAX_PDU_LENGTH)
    return encoded if data is None else encoded + data_pdus(data, context_id)


def store_command(message_id: int = 1, sop_class_uid: str = CT, data_set_type: int = 1) -> bytes:
    """The command of a C-STORE."""
    elements = {
        Element.AFFECTED_SOP_CLASS_UID: sop_class_uid,
        Element.COMMAND_FIELD: CommandField.C_STORE_RQ,
        Element.MESSAGE_ID: message_id,
        Element.DATA_SET_TYPE: data_set_type,
        Element.AFFECTED_SOP_INSTANCE_UID: f"1.2.{message_id}",
    }
    return command_pdus(1, Command(elements), MAX_PDU_LENGTH)


def data_pdus(data: bytes, context_id: int = 1) -> bytes:
    """A data set in P-DATA-TF PDUs."""
    return b"".join(fragments(context_id, data, MAX_PDU_LENGTH))


def status_of(pdu: PDU | None) -> int:
    """The status of a response."""
    assert isinstance(pdu, DataTF)
    return decode_command(pdu.pdvs[0].fragment).status
