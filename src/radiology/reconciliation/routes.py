"""What the routes of all repairs have in common. Who asks again with the same Idempotency-Key gets the same repair."""

from typing import Annotated

from fastapi import Header, Request, Response

from radiology.doors.http.answers import JSON, version_asked
from radiology.reconciliation.repairs.model import Asked
from radiology.reconciliation.schemas import RepairIn

IdempotencyKey = Annotated[
    str | None,
    Header(alias="Idempotency-Key", max_length=200, description="The same request with the same key is done once."),
]


def asked_of(request: Request, body: RepairIn, key: str | None) -> Asked:
    """What a request asks for. Raises Invalid, StaleVersion."""
    version = version_asked(request, body.version)
    return Asked.of(request.url.path, body.asked, key=key, version=version)


def made(answer: bytes) -> Response:
    """A repair that was made, now or before."""
    return Response(answer, 201, media_type=JSON, headers={"Cache-Control": "private, no-store"})
