"""What may be attached, told from its bytes: what a client calls it proves nothing. Pure."""

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from radiology.errors import NotSupported

LOOKED_AT: Final = 1024
"""Bytes from the beginning in which a PDF may begin (ISO 32000-1 Annex H, note 13)."""
PDF: Final = b"%PDF-"
JPEG: Final = b"\xff\xd8\xff"
PNG: Final = b"\x89PNG\r\n\x1a\n"
EXTENSIONS: Final = {"application/pdf": ".pdf", "image/jpeg": ".jpg", "image/png": ".png"}
LONGEST_NAME: Final = 100


@dataclass(frozen=True, slots=True)
class Attachment:
    """One attachment. `sha256` of its bytes, as hexadecimal digits."""

    id: UUID
    name: str
    media_type: str
    size_bytes: int
    sha256: str
    object_key: str


def media_type_of(beginning: bytes) -> str:
    """The media type of a file that begins so. Raises NotSupported."""
    if beginning.startswith(JPEG):
        return "image/jpeg"
    if beginning.startswith(PNG):
        return "image/png"
    if PDF in beginning[:LOOKED_AT]:
        return "application/pdf"
    raise NotSupported("Only PDF, JPEG and PNG can be attached. Photograph the form, or scan it into a PDF.")


def file_name(text: str, media_type: str) -> str:
    """A name for the file that no system takes for a path, with the extension of what it is."""
    plain = "".join(char if char.isalnum() or char in " ._-()" else "_" for char in text.rpartition("/")[2]).strip(" .")
    stem = plain.rpartition(".")[0] or plain or "request"
    return stem[:LONGEST_NAME] + EXTENSIONS[media_type]
