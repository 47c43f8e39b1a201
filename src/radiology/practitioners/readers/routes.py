"""Readers, duties and spreadsheets over REST."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import Field, StringConstraints

from radiology.access.model import Permission
from radiology.doors.http import sheets as files
from radiology.doors.http.actors import CurrentActor, CurrentApp
from radiology.doors.http.answers import JSON, of_kind, version_asked
from radiology.doors.http.bodies import StrictJSONRoute
from radiology.errors import NotPermitted
from radiology.external.practitioners.model import Practitioner
from radiology.kit.sheets import MEDIA_TYPES
from radiology.kit.taking import How
from radiology.practitioners.readers import actions, queries
from radiology.practitioners.readers.actions import Duty
from radiology.practitioners.readers.queries import Row
from radiology.practitioners.readers.schemas import Body, ReaderChange
from radiology.practitioners.routes import Id
from radiology.practitioners.schemas import practitioner_body

router = APIRouter(prefix="/api/radiology/readers", tags=["readers"], route_class=StrictJSONRoute)
sheets = APIRouter(prefix="/api/radiology/reader-sheets", tags=["readers"])
duties = APIRouter(prefix="/api/radiology/duties", tags=["readers"], route_class=StrictJSONRoute)

Account = Annotated[str, StringConstraints(pattern=r"^account:.{1,100}$")]
FacilityCode = Annotated[str, Path(pattern=r"^([A-Za-z0-9_-]{1,16}|\*)$", description="of the facility, or * for all")]


class DutyIn(Body):
    """Who holds a duty; nobody else does."""

    accounts: Annotated[list[Account], Field(max_length=50)]


@router.get("")
async def get_readers(
    app: CurrentApp,
    actor: CurrentActor,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    after: Annotated[str, Query(max_length=200)] = "",
) -> dict[str, Any]:
    """Readers in the order of their references; for administrators. `after` is the last reference of a page."""
    actor.must(Permission.ADMINISTER)
    found = [each for each in await actions.everybody(app) if each[0].practitioner > after][:limit]
    return {"results": [_told(row, reader.practitioner, is_known) for row, reader, is_known in found]}


@router.get("/{practitioner}", response_model=None)
async def get_reader(practitioner: Id, app: CurrentApp, actor: CurrentActor) -> Response | dict[str, Any]:
    """A reader; for administrators, and for the reader."""
    reference = f"Practitioner/{practitioner}"
    if reference != actor.practitioner_reference and not actor.may(Permission.ADMINISTER):
        raise NotPermitted("Readers are shown to administrators and to themselves.")
    row, reader, is_known = await actions.one(app, reference)
    return _told(row, reader.practitioner, is_known)


@router.put("/{practitioner}", status_code=204)
async def put_reader(
    practitioner: Id, body: ReaderChange, request: Request, app: CurrentApp, actor: CurrentActor
) -> Response:
    """Add a reader, or change all of him or her. For administrators of all facilities. It holds at once."""
    asked = version_asked(request, body.version)
    await actions.save(app, actor, f"Practitioner/{practitioner}", body, version=asked)
    return Response(status_code=204)


@sheets.get("", response_model=None, responses=of_kind(*MEDIA_TYPES.values()))
async def get_sheet(app: CurrentApp, actor: CurrentActor, form: files.AskedForm = "csv") -> Response:
    """All readers as a file that can be taken over again. For administrators of all facilities."""
    content = await actions.give(app, actor, form)
    return files.given(content, "readers", form)


@sheets.post("", openapi_extra=files.BODY)
async def post_sheet(
    request: Request,
    app: CurrentApp,
    actor: CurrentActor,
    dry_run: files.DryRun = False,
    partial: files.Partial = False,
) -> dict[str, Any]:
    """Take a CSV or XLSX file over: the body is the file. Answers what became of it, and all that is wrong by row."""
    return (await actions.take(app, actor, await files.taken(request), How(dry_run, partial))).told()


@duties.get("", response_model=None)
async def get_duties(app: CurrentApp, actor: CurrentActor) -> Response:
    """Who is head of radiology and director, by facility; for administrators."""
    actor.must(Permission.ADMINISTER)
    async with app.db.reading() as tx:
        return Response(b'{"results":' + await queries.duties_body(tx) + b"}", media_type=JSON)


@duties.put("/{duty}/{facility_code}", status_code=204)
async def put_duty(
    duty: Duty, facility_code: FacilityCode, body: DutyIn, app: CurrentApp, actor: CurrentActor
) -> Response:
    """These accounts hold a duty for a facility, and no others. They are told when reading is late."""
    await actions.give_duty(app, actor, duty, facility_code, body.accounts)
    return Response(status_code=204)


def _told(row: Row, known: Practitioner, is_known: bool) -> dict[str, Any]:
    """A reader as he or she is shown; what peer review says is not told here."""
    return {
        "practitioner": practitioner_body(known) if is_known else {"reference": row.practitioner},
        "account": row.account,
        "version": row.version,
        "active": row.active,
        "subspecialties": row.subspecialties,
        "languages": row.languages,
        "sex": row.sex,
        "ageGroups": row.age_groups,
        "certificates": row.certificates,
        "contracts": [_camel(each) for each in row.contracts],
        "homeFacility": row.home_facility,
        "homeDistrict": row.home_district,
        "homeDivision": row.home_division,
        "abroad": row.abroad,
        "abroadApproval": row.abroad_approval,
        "capRvu": row.cap_rvu,
        "readsSensitive": row.reads_sensitive,
        "shifts": row.shifts,
        "absences": [_camel(each) for each in row.absences],
        "recusedPatients": row.recused_patients,
        "recusedFacilities": row.recused_facilities,
    }


def _camel(stored: dict[str, Any]) -> dict[str, Any]:
    return {{"begins_on": "beginsOn", "ends_on": "endsOn"}.get(name, name): value for name, value in stored.items()}
