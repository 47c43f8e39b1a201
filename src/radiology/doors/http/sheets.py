"""Spreadsheets over HTTP: given out as a file, and taken as the body of a request, within limits."""

from typing import Annotated, Any, Final

from fastapi import Query
from starlette.requests import Request
from starlette.responses import Response

from radiology.errors import TooLarge
from radiology.kit.sheets import MEDIA_TYPES, MOST_BYTES, Form

BODY: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "content": {kind: {"schema": {"type": "string", "format": "binary"}} for kind in MEDIA_TYPES.values()},
    }
}
"""What the documentation says of a request whose body is a file."""

AskedForm = Annotated[Form, Query(alias="format")]
DryRun = Annotated[bool, Query(alias="dryRun", description="Tell what would become of it, and change nothing.")]
Partial = Annotated[bool, Query(description="Take what is right; otherwise all rows or none.")]


def given(content: bytes, name: str, form: Form = "csv") -> Response:
    """A file to keep; the browser gives it the name, and nothing on the way keeps it."""
    headers = {"Content-Disposition": f'attachment; filename="{name}.{form}"', "Cache-Control": "private, no-store"}
    return Response(content, 200, headers, MEDIA_TYPES[form])


async def taken(request: Request) -> bytes:
    """The file that is the body. Raises TooLarge before more is read than a table may have."""
    content = bytearray()
    async for piece in request.stream():
        content += piece
        if len(content) > MOST_BYTES:
            raise TooLarge(f"A table may have at most {MOST_BYTES:,} bytes. Split it.")
    return bytes(content)
