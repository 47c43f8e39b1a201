"""Reports over REST, as the specification names them."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from radiology.doors.http.actors import CurrentActor, CurrentApp
from radiology.doors.http.answers import JSON, created, page, tagged, unchanged, version_asked
from radiology.doors.http.bodies import StrictJSONRoute
from radiology.doors.http.searching import Searcher
from radiology.errors import NotFound
from radiology.reports import model, queries
from radiology.reports.actions import approve_report, begin_report, edit_report
from radiology.reports.outdated.queries import was_ever_outdated
from radiology.reports.schemas import Approval, ReportEdit, ReportIn, ReportOut, ReportPage, Verification, VersionPage
from radiology.studies.moments import read_from, read_until
from radiology.studies.parameters import limit_of, modality_of, openapi_parameters, read_parameters, status_of

PATH = "/api/radiology/reports"

router = APIRouter(prefix=PATH, tags=["reports"], route_class=StrictJSONRoute)

NAMES = {
    "patient": ("patient patient_id patientId subject subject_id", "12345 or Patient/12345"),
    "study": ("study study_id studyId study_instance_uid studyInstanceUID", "id, studyId or Study Instance UID"),
    "status": ("status", "one or more codes of FHIR DiagnosticReport.status with commas between"),
    "modality": ("modality", "of the study: DX, or more with commas between; MRI means MR"),
    "accession_number": ("accession_number accessionNumber accession", "of the study"),
    "date_from": ("date_from dateFrom", "effective at or after: a date or a moment"),
    "date_to": ("date_to dateTo", "effective at or before; a date includes the whole day"),
    "limit": ("limit", "1 to 200, 50 where it is left out"),
    "cursor": ("cursor", "from `next` of the page before"),
}


@router.post("", status_code=201, response_model=None, responses={201: {"model": ReportOut}})
async def post_report(body: ReportIn, app: CurrentApp, actor: CurrentActor) -> Response:
    """Begin a report of a study: `preliminary` with its text, or `registered` as a draft.

    A study has one open report for each procedure. Codes that are wrong are kept, the right one is added, and
    `warnings` says so. All seven sections are stored.
    """
    report_id, version, answer = await begin_report(app, actor, body)
    return created(answer, f"{PATH}/{report_id}", version)


@router.get(
    "",
    response_model=None,
    responses={200: {"model": ReportPage}},
    openapi_extra={"parameters": openapi_parameters(NAMES)},
)
async def get_reports(request: Request, app: CurrentApp, actor: Searcher) -> Response:
    """Search reports. All criteria that are given must hold; newest first, a page at a time."""
    given = read_parameters(request.query_params, NAMES)
    zone = app.settings.zone
    before, until = read_until(given["date_to"], zone, "date_to") if "date_to" in given else (None, None)
    criteria = queries.Criteria(
        patient=given.get("patient"),
        study=given.get("study"),
        status=status_of(given.get("status", ""), set(model.Status)),
        modality=modality_of(given.get("modality", "")),
        accession_number=given.get("accession_number"),
        from_moment=read_from(given["date_from"], zone, "date_from") if "date_from" in given else None,
        before_moment=before,
        until_moment=until,
        limit=limit_of(given.get("limit")),
        cursor=given.get("cursor"),
    )
    async with app.db.transaction() as tx:
        results, cursor = await queries.search_reports(tx, criteria, zone=zone.key, visible_to=actor)
    return page(request, results, cursor)


@router.get("/{report}", response_model=None, responses={200: {"model": ReportOut}, 304: {"description": "Unchanged"}})
async def get_report(
    report: str,
    request: Request,
    app: CurrentApp,
    actor: CurrentActor,
    version: Annotated[
        int | None, Query(ge=1, le=2**31 - 1, description="an earlier version, as it was signed")
    ] = None,
) -> Response:
    """A report by its id or reportId."""
    zone = app.settings.time_zone
    async with app.db.transaction() as tx:
        report_id = await queries.resolve(tx, report, visible_to=actor)
        if version is not None:
            found = await queries.versions_body(tx, report_id, zone=zone, visible_to=actor, version=version)
            if found == b"[]":
                raise NotFound(f"The report has no version {version}.")
            return tagged(found[1:-1], version)
        current = await queries.load_report(tx, report_id)
        if unchanged(request, current.version) and not await was_ever_outdated(tx, report_id):
            return tagged(b"", current.version, status=304)
        return tagged(await queries.report_body(tx, report_id, zone=zone), current.version)


@router.put("/{report}", response_model=None, responses={200: {"model": ReportOut}})
async def put_report(report: str, body: ReportEdit, request: Request, app: CurrentApp, actor: CurrentActor) -> Response:
    """Change the texts of a report that is not signed. 409 for a signed one: that is never changed.

    Radiology personnel who do not interpret may send `technique` alone; the answer then shows nothing of the draft.
    """
    version = version_asked(request, body.version)
    new_version, answer = await edit_report(app, actor, report, body, version=version)
    return tagged(answer, new_version)


@router.post("/{report}/approve", response_model=None, responses={200: {"model": ReportOut}})
async def post_approval(
    report: str, request: Request, app: CurrentApp, actor: CurrentActor, body: Approval | None = None
) -> Response:
    """Sign a report. The server sets approver and time; the fields of the body are what the client believes of them."""
    believed = body or Approval()
    version = version_asked(request, believed.version)
    new_version, answer = await approve_report(app, actor, report, believed, version=version)
    return tagged(answer, new_version)


@router.get("/{report}/versions", response_model=None, responses={200: {"model": VersionPage}})
async def get_versions(report: str, app: CurrentApp, actor: CurrentActor) -> Response:
    """Every presented version, oldest first, with its place in the hash chain."""
    async with app.db.transaction() as tx:
        report_id = await queries.resolve(tx, report, visible_to=actor)
        found = await queries.versions_body(tx, report_id, zone=app.settings.time_zone, visible_to=actor)
    return Response(b'{"results":' + found + b"}", media_type=JSON)


@router.get("/{report}/verify")
async def get_verification(report: str, app: CurrentApp, actor: CurrentActor) -> Verification:
    """Compute the hash chain anew, and compare the report with its last version."""
    async with app.db.transaction() as tx:
        report_id = await queries.resolve(tx, report, visible_to=actor)
        versions = await queries.chain_of(tx, report_id)
        problems = model.verify(versions, await queries.load_report(tx, report_id))
    return Verification(valid=not problems, versions=len(versions), problems=problems)
