"""Bodies of STOW-RS requests (PS3.18 10.5.1), and the parts of answers."""

from email.message import Message
from email.parser import BytesParser
from typing import Any

BOUNDARY = "made-by-a-test"
RELATED = f'multipart/related; type="application/dicom"; boundary={BOUNDARY}'


def related(*parts: bytes, part_type: str = "application/dicom") -> bytes:
    """Several objects as one multipart/related body."""
    head = f"--{BOUNDARY}\r\nContent-Type: {part_type}\r\n\r\n".encode()
    return b"".join(head + part + b"\r\n" for part in parts) + f"--{BOUNDARY}--\r\n".encode()


def parts_of(answer: Any) -> list[tuple[str, bytes]]:
    """The media type and the bytes of every part of a multipart answer."""
    head = f"Content-Type: {answer.headers['content-type']}\r\n\r\n".encode()
    message: Message = BytesParser().parsebytes(head + answer.content)
    assert message.is_multipart()
    return [(part["Content-Type"], part.get_payload(decode=True)) for part in message.get_payload()]  # type: ignore[union-attr, misc]
