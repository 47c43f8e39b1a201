"""Spreadsheets of facilities, devices, operators and places over REST."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from radiology.doors.http.actors import CurrentActor, CurrentApp
from radiology.doors.http.answers import of_kind
from radiology.errors import TooLarge
from radiology.facilities.sheets import actions
from radiology.facilities.sheets.actions import Kind
from radiology.kit.sheets import MEDIA_TYPES, MOST_BYTES, Form
from radiology.kit.taking import How

router = APIRouter(prefix="/api/radiology/facilities/sheets", tags=["facilities"])

_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {kind: {"schema": {"type": "string", "format": "binary"}} for kind in MEDIA_TYPES.values()},
    }
}


@router.get("/{kind}", response_model=None, responses=of_kind(*MEDIA_TYPES.values()))
async def get_sheet(
    kind: Kind, app: CurrentApp, actor: CurrentActor, form: Annotated[Form, Query(alias="format")] = "csv"
) -> Response:
    """All facilities, devices, operators or places as a file that can be taken over again. For administrators."""
    content = await actions.give(app, actor, kind, form)
    headers = {"Content-Disposition": f'attachment; filename="{kind}.{form}"', "Cache-Control": "private, no-store"}
    return Response(content, 200, headers, MEDIA_TYPES[form])


@router.post("/{kind}", openapi_extra=_BODY)
async def post_sheet(
    kind: Kind,
    request: Request,
    app: CurrentApp,
    actor: CurrentActor,
    dry_run: Annotated[
        bool, Query(alias="dryRun", description="Tell what would become of it, and change nothing.")
    ] = False,
    partial: Annotated[bool, Query(description="Take what is right; otherwise all rows or none.")] = False,
) -> dict[str, Any]:
    """Take a CSV or XLSX file over: the body is the file. Answers what became of it, and all that is wrong by row.

    Rows are added or changed by code, by facility and name, or by facility and licence. For administrators.
    """
    content = bytearray()
    async for piece in request.stream():
        content += piece
        if len(content) > MOST_BYTES:
            raise TooLarge(f"A table may have at most {MOST_BYTES:,} bytes. Split it.")
    report = await actions.take(app, actor, kind, bytes(content), How(dry_run, partial))
    return report.told()
