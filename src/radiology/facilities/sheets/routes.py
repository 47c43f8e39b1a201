"""Spreadsheets of facilities, devices, operators and places over REST."""

from typing import Any

from fastapi import APIRouter, Request, Response

from radiology.doors.http import sheets as files
from radiology.doors.http.actors import CurrentActor, CurrentApp
from radiology.doors.http.answers import of_kind
from radiology.facilities.sheets import actions
from radiology.facilities.sheets.actions import Kind
from radiology.kit.sheets import MEDIA_TYPES
from radiology.kit.taking import How

router = APIRouter(prefix="/api/radiology/facilities/sheets", tags=["facilities"])


@router.get("/{kind}", response_model=None, responses=of_kind(*MEDIA_TYPES.values()))
async def get_sheet(kind: Kind, app: CurrentApp, actor: CurrentActor, form: files.AskedForm = "csv") -> Response:
    """All facilities, devices, operators or places as a file that can be taken over again. For administrators."""
    content = await actions.give(app, actor, kind, form)
    return files.given(content, kind, form)


@router.post("/{kind}", openapi_extra=files.BODY)
async def post_sheet(
    kind: Kind,
    request: Request,
    app: CurrentApp,
    actor: CurrentActor,
    dry_run: files.DryRun = False,
    partial: files.Partial = False,
) -> dict[str, Any]:
    """Take a CSV or XLSX file over: the body is the file. Answers what became of it, and all that is wrong by row.

    Rows are added or changed by code, by facility and name, or by facility and licence. For administrators.
    """
    report = await actions.take(app, actor, kind, await files.taken(request), How(dry_run, partial))
    return report.told()
