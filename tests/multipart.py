"""Bodies of STOW-RS requests (PS3.18 10.5.1)."""

BOUNDARY = "made-by-a-test"
RELATED = f'multipart/related; type="application/dicom"; boundary={BOUNDARY}'


def related(*parts: bytes, part_type: str = "application/dicom") -> bytes:
    """Several objects as one multipart/related body."""
    head = f"--{BOUNDARY}\r\nContent-Type: {part_type}\r\n\r\n".encode()
    return b"".join(head + part + b"\r\n" for part in parts) + f"--{BOUNDARY}--\r\n".encode()
