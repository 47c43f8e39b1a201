"""The reading worklist over REST: the list and its counts, claims, hand-over, notes, second opinions, kept filters."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Request, Response

from radiology.access.model import Actor, Permission
from radiology.app import App
from radiology.doors.http.actors import CurrentActor, CurrentApp
from radiology.doors.http.answers import JSON, created, page, tagged, version_asked
from radiology.doors.http.bodies import StrictJSONRoute
from radiology.doors.http.searching import Searcher
from radiology.errors import FieldProblem, Invalid, NotFound
from radiology.reading_worklist.actions import claims, opinions, remarks
from radiology.reading_worklist.actions.opinions import Verb
from radiology.reading_worklist.model import AgeGroup, Priority, State
from radiology.reading_worklist.queries import beside, listing
from radiology.reading_worklist.queries.criteria import Criteria, Place
from radiology.reading_worklist.schemas import (
    AnswerIn,
    CountsOut,
    FilterIn,
    FiltersOut,
    HandOverIn,
    NoteIn,
    OpinionIn,
    ReadingOut,
    ReadingPage,
    ReleaseIn,
)
from radiology.studies.parameters import limit_of, modality_of, openapi_parameters, read_parameters, status_of
from radiology.studies.queries import read

PATH = "/api/radiology/reading-worklist"

router = APIRouter(prefix=PATH, tags=["reading worklist"], route_class=StrictJSONRoute)

NAMES = {
    "queue": ("queue", "mine, unassigned, stat, second-opinions, drafts, addenda, critical, breached, locked, or all"),
    "state": ("state", "waiting, offered, claimed, drafted, preliminary, final, or more with commas between"),
    "priority": ("priority", "stat, asap, urgent, routine, or more with commas between"),
    "facility": ("facility facility_code facilityCode", "codes of facilities with commas between"),
    "modality": ("modality", "CT, or more with commas between; MRI means MR"),
    "subspecialty": ("subspecialty", "neuro, chest, or more with commas between"),
    "age_group": ("age_group ageGroup", "neonate, child, adult, or more with commas between"),
    "assigned_to": ("assigned_to assignedTo", "in whose queue it stands, as account:nasrin"),
    "inpatient": ("inpatient", "true or false"),
    "arriving": ("arriving", "true: images are still coming"),
    "patient": ("patient patient_id patientId", "12345 or Patient/12345"),
    "limit": ("limit", "1 to 200, 50 where it is left out"),
    "cursor": ("cursor", "from `next` of the page before"),
}
STATES = {str(state) for state in State if state != State.REMOVED}
FilterName = Annotated[str, Path(min_length=1, max_length=100)]


@router.get(
    "",
    response_model=None,
    responses={200: {"model": ReadingPage}},
    openapi_extra={"parameters": openapi_parameters(NAMES)},
)
async def get_reading_worklist(request: Request, app: CurrentApp, actor: Searcher) -> Response:
    """What waits to be read, the most urgent first, a page at a time; all pages are of the moment of the first.

    Sensitive studies of patients whom the reader does not treat are masked; whoever claims one sees it in full.
    """
    actor.must(Permission.WRITE)
    given = read_parameters(request.query_params, NAMES)
    criteria = Criteria(
        queue=given.get("queue", "all"),
        state=status_of(given.get("state", ""), STATES),
        priority=status_of(given.get("priority", ""), set(Priority)),
        facility=_several(given.get("facility", "")),
        modality=modality_of(given.get("modality", "")),
        subspecialty=_several(given.get("subspecialty", "")),
        age_group=status_of(given.get("age_group", ""), set(AgeGroup)),
        assigned_to=given.get("assigned_to"),
        inpatient=_yes_or_no(given, "inpatient"),
        arriving=_yes_or_no(given, "arriving"),
        patient=given.get("patient"),
        after=Place.read(given["cursor"]) if "cursor" in given else None,
        limit=limit_of(given.get("limit")),
    )
    async with app.db.reading(planned_once=True) as tx:
        results, cursor = await listing.listed(
            tx, criteria, visible_to=actor, now=app.clock.now(), zone=app.settings.time_zone
        )
    return page(request, results, cursor)


@router.get("/counts", response_model=None, responses={200: {"model": CountsOut}})
async def get_counts(app: CurrentApp, actor: CurrentActor) -> Response:
    """How many there are in each queue; what a masked study does not show counts nowhere."""
    actor.must(Permission.WRITE)
    async with app.db.reading(planned_once=True) as tx:
        answer = await listing.counts(tx, visible_to=actor, now=app.clock.now())
    return Response(answer, media_type=JSON, headers={"Cache-Control": "no-store"})


# --- Filters that people keep ---


@router.get("/filters", response_model=None, responses={200: {"model": FiltersOut}})
async def get_filters(app: CurrentApp, actor: CurrentActor) -> Response:
    """The filters that I keep, by name."""
    actor.must(Permission.WRITE)
    async with app.db.transaction() as tx:
        return Response(b'{"results":' + await beside.filters_of(tx, actor.id) + b"}", media_type=JSON)


@router.put("/filters/{name}", status_code=204)
async def put_filter(name: FilterName, body: FilterIn, app: CurrentApp, actor: CurrentActor) -> Response:
    """Keep a filter under a name, in place of the one that I keep under it."""
    actor.must(Permission.WRITE)
    await remarks.keep_filter(app, actor, name, body.model_dump(exclude_defaults=True, mode="json"))
    return Response(status_code=204)


@router.delete("/filters/{name}", status_code=204)
async def delete_filter(name: FilterName, app: CurrentApp, actor: CurrentActor) -> Response:
    """Forget a filter that I keep."""
    actor.must(Permission.WRITE)
    await remarks.forget_filter(app, actor, name)
    return Response(status_code=204)


# --- Second opinions ---


@router.post("/second-opinions/{opinion_id}/give", response_model=None)
async def post_give(
    opinion_id: UUID, body: AnswerIn, request: Request, app: CurrentApp, actor: CurrentActor
) -> Response:
    """Give the second opinion that I am asked for. It stands beside the report, and changes none."""
    return await _answered(app, actor, opinion_id, Verb.GIVE, body.text, version_asked(request))


@router.post("/second-opinions/{opinion_id}/decline", response_model=None)
async def post_decline(
    opinion_id: UUID, body: AnswerIn, request: Request, app: CurrentApp, actor: CurrentActor
) -> Response:
    """Decline it, and say why."""
    return await _answered(app, actor, opinion_id, Verb.DECLINE, body.text, version_asked(request))


@router.post("/second-opinions/{opinion_id}/withdraw", response_model=None)
async def post_withdraw(opinion_id: UUID, request: Request, app: CurrentApp, actor: CurrentActor) -> Response:
    """Withdraw a question that I asked and that nobody has answered."""
    return await _answered(app, actor, opinion_id, Verb.WITHDRAW, None, version_asked(request))


@router.get("/{study}/second-opinions", response_model=None)
async def get_opinions(study: str, app: CurrentApp, actor: CurrentActor) -> Response:
    """The second opinions on a study, oldest first."""
    actor.must(Permission.WRITE)
    async with app.db.transaction() as tx:
        study_id = await read.resolve(tx, study, visible_to=actor)
        answer = await beside.opinions_of(tx, study_id, zone=app.settings.time_zone)
    return Response(b'{"results":' + answer + b"}", media_type=JSON)


@router.post("/{study}/second-opinions", status_code=201, response_model=None)
async def post_opinion(study: str, body: OpinionIn, app: CurrentApp, actor: CurrentActor) -> Response:
    """Ask another reader, who is told, stands in for nobody, and sees the study in full."""
    opinion = await opinions.ask(app, actor, study, of=body.of, question=body.question)
    async with app.db.transaction() as tx:
        answer = await beside.opinion_body(tx, opinion.id, zone=app.settings.time_zone)
    return created(answer, f"{PATH}/second-opinions/{opinion.id}", opinion.version)


# --- One study ---


@router.get("/{study}", response_model=None, responses={200: {"model": ReadingOut}})
async def get_reading(study: str, app: CurrentApp, actor: CurrentActor) -> Response:
    """One study of the list, also one that is read by now."""
    actor.must(Permission.WRITE)
    async with app.db.transaction() as tx:
        found = await read.look_up(tx, study, visible_to=actor.beyond_reading)
    return await _shown(app, actor, found.id)


@router.post("/{study}/claim", response_model=None, responses={200: {"model": ReadingOut}})
async def post_claim(study: str, request: Request, app: CurrentApp, actor: CurrentActor) -> Response:
    """Read it now: others are kept out until I release it, or for half an hour. 409 says who has it.

    It needs what interpreting needs: permission, registration and privilege. Claiming what is mine renews the claim.
    """
    item = await claims.claim(app, actor, study, version=version_asked(request))
    return await _shown(app, actor, item.study_id)


@router.post("/{study}/heartbeat", status_code=204)
async def post_heartbeat(study: str, app: CurrentApp, actor: CurrentActor) -> Response:
    """I still read it: the claim is renewed. 409 where I have it no more."""
    await claims.renew(app, actor, study)
    return Response(status_code=204)


@router.post("/{study}/release", response_model=None, responses={200: {"model": ReadingOut}})
async def post_release(study: str, body: ReleaseIn, request: Request, app: CurrentApp, actor: CurrentActor) -> Response:
    """I read it no more, and it waits for anybody. A consultant releases what another keeps, with a reason."""
    item = await claims.release(app, actor, study, reason=body.reason, version=version_asked(request))
    return await _shown(app, actor, item.study_id)


@router.post("/{study}/hand-over", response_model=None, responses={200: {"model": ReadingOut}})
async def post_hand_over(
    study: str, body: HandOverIn, request: Request, app: CurrentApp, actor: CurrentActor
) -> Response:
    """Give it to another reader, in whose queue it stands from now on. 422 for who may not read it."""
    item = await claims.hand_over(app, actor, study, to=body.to, reason=body.reason, version=version_asked(request))
    return await _shown(app, actor, item.study_id)


@router.get("/{study}/notes", response_model=None)
async def get_notes(study: str, app: CurrentApp, actor: CurrentActor) -> Response:
    """What people noted beside a study, oldest first."""
    actor.must(Permission.WRITE)
    async with app.db.transaction() as tx:
        study_id = await read.resolve(tx, study, visible_to=actor)
        answer = await beside.notes_of(tx, study_id, zone=app.settings.time_zone)
    return Response(b'{"results":' + answer + b"}", media_type=JSON)


@router.post("/{study}/notes", status_code=201, response_model=None, responses={201: {"model": ReadingOut}})
async def post_note(study: str, body: NoteIn, app: CurrentApp, actor: CurrentActor) -> Response:
    """Note something beside a study, as that it looks critical: it is read sooner then."""
    item = await remarks.write_note(app, actor, study, text=body.text, critical=body.critical)
    return await _shown(app, actor, item.study_id, status=201)


async def _shown(app: App, actor: Actor, study_id: UUID, *, status: int = 200) -> Response:
    async with app.db.transaction() as tx:
        found = await listing.one(tx, study_id, visible_to=actor, now=app.clock.now(), zone=app.settings.time_zone)
    if found is None:
        raise NotFound("The study does not wait to be read: its images are not complete, or it is old or withdrawn.")
    return tagged(found.body.encode(), found.version, status=status)


async def _answered(
    app: App, actor: Actor, opinion_id: UUID, verb: Verb, text: str | None, version: int | None
) -> Response:
    opinion = await opinions.answer(app, actor, opinion_id, verb, text=text, version=version)
    async with app.db.transaction() as tx:
        answer = await beside.opinion_body(tx, opinion.id, zone=app.settings.time_zone)
    return tagged(answer, opinion.version)


def _several(text: str) -> tuple[str, ...]:
    return tuple(each.strip() for each in text.split(",") if each.strip())


def _yes_or_no(given: dict[str, str], name: str) -> bool | None:
    text = given.get(name)
    if text not in (None, "true", "false"):
        raise Invalid(f"{name}: must be true or false.", fields=[FieldProblem(name, "must be true or false")])
    return None if text is None else text == "true"
