"""Peer review over REST. What a reviewer is shown names nobody who wrote or signed."""

from datetime import date, datetime, time, timedelta
from typing import Annotated, Any
from uuid import UUID

import orjson
from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import BaseModel, ConfigDict, StringConstraints

from radiology.access.model import Actor, Permission
from radiology.app import App
from radiology.doors.http.actors import CurrentActor, CurrentApp
from radiology.doors.http.answers import JSON, tagged, version_asked
from radiology.doors.http.bodies import StrictJSONRoute
from radiology.errors import Invalid
from radiology.kit.db import Transaction
from radiology.quality.peer_review import actions, queries
from radiology.quality.peer_review.model import (
    FEWEST_SHOWN,
    MEANINGS,
    SIGNIFICANT,
    Counted,
    Figures,
    Review,
    Score,
    State,
    figures,
)

PATH = "/api/radiology/quality/peer-review"
DEFAULT_DAYS, MOST_DAYS = 30, 400

router = APIRouter(prefix=PATH, tags=["quality"], route_class=StrictJSONRoute)

Text = Annotated[str, StringConstraints(max_length=4000, strip_whitespace=True)]
Reason = Annotated[str, StringConstraints(min_length=3, max_length=4000, strip_whitespace=True)]
Account = Annotated[str, Path(pattern=r"^[A-Za-z0-9._@-]{1,100}$", description="Name of the account.")]


class ScoreIn(BaseModel):
    """What a review found."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"score": "2a", "comment": "A nodule of 3 mm, left apex"}]}
    )

    score: Score
    comment: Text = ""


class DecisionIn(BaseModel):
    """What the committee decided."""

    model_config = ConfigDict(extra="forbid")

    score: Score
    reason: Reason


class AppointmentIn(BaseModel):
    """Why somebody is of the committee."""

    model_config = ConfigDict(extra="forbid")

    reason: Reason


@router.get("/scores")
async def get_scores(actor: CurrentActor) -> dict[str, Any]:  # noqa: ARG001 - whoever has signed in may ask.
    """The scores of RADPEER, in both languages."""
    return {
        "results": [
            {"score": each, "meaning": MEANINGS[each].told(), "needsCommittee": each in SIGNIFICANT} for each in Score
        ]
    }


@router.post("/next", response_model=None, responses={204: {"description": "Nothing waits for this reader"}})
async def post_next(app: CurrentApp, actor: CurrentActor) -> Response:
    """The next report to review, for two hours. Never one's own. Needs `radiology.interpret`."""
    review = await actions.claim_next(app, actor)
    if review is None:
        return Response(status_code=204)
    async with app.db.transaction() as tx:
        return tagged(orjson.dumps(await _blinded(tx, review, actor)), review.version)


@router.get("/own")
async def get_own(app: CurrentApp, actor: CurrentActor) -> dict[str, Any]:
    """Reviews of one's own reports: what counts, and what still waits. Nobody else sees them here, nor who reviewed."""
    actor.must(Permission.INTERPRET)
    async with app.db.transaction() as tx:
        found = await queries.of_reader(tx, actor.id)
    return {"results": [_own(each, app) for each in found]}


@router.get("/arbitration")
async def get_arbitration(app: CurrentApp, actor: CurrentActor) -> dict[str, Any]:
    """Discrepancies that the committee is to decide about. Members only; neither reader nor reviewer is named."""
    async with app.db.transaction() as tx:
        await actions.must_be_member(tx, actor)
        found = [each for each in await queries.disputed(tx, visible_to=actor) if actor.id not in _parties(each)]
        return {"results": [await _disputed(tx, each, actor) for each in found]}


@router.get("/readers")
async def get_readers(
    app: CurrentApp,
    actor: CurrentActor,
    began: Annotated[date | None, Query(alias="from")] = None,
    until: Annotated[date | None, Query(alias="to")] = None,
) -> dict[str, Any]:
    """What the reviews of each reader came to. Members of the committee only, whatever else somebody may."""
    window = _window(app, began, until)
    async with app.db.transaction() as tx:
        await actions.must_be_member(tx, actor)
        found = await queries.by_reader(tx, window[0], significant=sorted(SIGNIFICANT))
    return {
        "results": [
            {"reader": each.reader, "reviewed": each.reviewed, "significant": each.significant} for each in found
        ]
    }


@router.get("/figures")
async def get_figures(
    app: CurrentApp,
    actor: CurrentActor,
    began: Annotated[date | None, Query(alias="from")] = None,
    until: Annotated[date | None, Query(alias="to", description="Included.")] = None,
) -> dict[str, Any]:
    """Coverage and rate of significant discrepancies, of all and by cell; of no single reader. `radiology.quality`."""
    actor.must(Permission.QUALITY)
    first, last = _window(app, began, until)
    async with app.db.transaction() as tx:
        cells = await queries.counted(tx, first, last, significant=sorted(SIGNIFICANT), visible_to=actor)
    return {
        "window": {"from": first.isoformat(), "before": last.isoformat()},
        "target": app.settings.peer_review_percent / 100,
        **_figures(figures(cells)),
        "cells": [_cell(each) for each in cells],
    }


@router.get("/committee", response_model=None)
async def get_committee(app: CurrentApp, actor: CurrentActor) -> Response:
    """Who decides about discrepancies. Needs `radiology.quality`."""
    actor.must(Permission.QUALITY)
    async with app.db.transaction() as tx:
        found = await queries.members(tx)
    return Response(b'{"results":' + found + b"}", media_type=JSON)


@router.put("/committee/{account}", status_code=204, response_model=None)
async def put_member(account: Account, body: AppointmentIn, app: CurrentApp, actor: CurrentActor) -> Response:
    """Take somebody into the committee. Needs `radiology.administer`; nobody appoints himself or herself."""
    await actions.appoint(app, actor, account, reason=body.reason)
    return Response(status_code=204)


@router.delete("/committee/{account}", status_code=204, response_model=None)
async def delete_member(account: Account, app: CurrentApp, actor: CurrentActor) -> Response:
    """Take somebody out of the committee. Needs `radiology.administer`."""
    await actions.dismiss(app, actor, account)
    return Response(status_code=204)


@router.post("/{review_id}/release", status_code=204, response_model=None)
async def post_release(review_id: UUID, app: CurrentApp, actor: CurrentActor) -> Response:
    """Leave a review to somebody else."""
    await actions.give_back(app, actor, review_id)
    return Response(status_code=204)


@router.post("/{review_id}/score", response_model=None)
async def post_score(
    review_id: UUID, body: ScoreIn, request: Request, app: CurrentApp, actor: CurrentActor
) -> Response:
    """Say what a review found. 2b, 3a and 3b count only when the committee has decided."""
    version = version_asked(request)
    review = await actions.score(app, actor, review_id, body.score, comment=body.comment, version=version)
    answer = {"id": str(review.id), "state": review.state, "score": review.score, "counts": review.state == "counted"}
    return tagged(orjson.dumps(answer), review.version)


@router.post("/{review_id}/decision", response_model=None)
async def post_decision(
    review_id: UUID, body: DecisionIn, request: Request, app: CurrentApp, actor: CurrentActor
) -> Response:
    """Decide about a discrepancy: the score that counts. Members of the committee who took no part in it."""
    version = version_asked(request)
    review = await actions.decide(app, actor, review_id, body.score, reason=body.reason, version=version)
    answer = {"id": str(review.id), "state": review.state, "countedScore": review.counted_score}
    return tagged(orjson.dumps(answer), review.version)


async def _blinded(tx: Transaction, review: Review, actor: Actor) -> dict[str, Any]:
    shown = await queries.shown(tx, review.report_id, visible_to=actor)
    return {
        "id": str(review.id),
        "state": review.state,
        "claimedUntil": review.claimed_until.isoformat() if review.claimed_until else None,
        "studyInstanceUID": shown.study_instance_uid,
        "modalities": shown.modalities,
        "studyDescription": shown.study_description,
        "studyDate": shown.study_date.isoformat() if shown.study_date else None,
        "code": shown.code,
        "sections": [
            {"id": each["id"], "title": each["title"], "text": each["text"]} for each in shown.sections if each["text"]
        ],
    }


async def _disputed(tx: Transaction, review: Review, actor: Actor) -> dict[str, Any]:
    body = await _blinded(tx, review, actor)
    return {**body, "version": review.version, "score": review.score, "comment": review.comment}


def _parties(review: Review) -> set[str]:
    return {*review.involved, review.reviewer or ""}


def _own(review: Review, app: App) -> dict[str, Any]:
    counts = review.state == State.COUNTED
    return {
        "id": str(review.id),
        "reportId": str(review.report_id),
        "finalAt": review.final_at.astimezone(app.settings.zone).isoformat(),
        "state": review.state if review.state != State.CLAIMED else State.WAITING,
        "score": review.counted_score,
        "comment": review.comment if counts else None,
        "decision": review.decision_reason or None,
    }


def _figures(found: Figures) -> dict[str, Any]:
    return {
        "n": found.finals,
        "reviewed": found.reviewed,
        "coverage": found.coverage,
        "inArbitration": found.in_arbitration,
        "significantRate": found.significant_rate,
        "fewestShown": FEWEST_SHOWN,
    }


def _cell(cell: Counted) -> dict[str, Any]:
    told = _figures(figures([cell]))
    told.pop("fewestShown")
    if cell.reviewed < FEWEST_SHOWN:
        told["inArbitration"] = None
    return {"facilityCode": cell.facility_code, "modality": cell.modality, **told}


def _window(app: App, began: date | None, until: date | None) -> tuple[datetime, datetime]:
    """From the first day to behind the last, in the zone of the service; the last 30 days where nothing is said."""
    last = until or app.clock.now().astimezone(app.settings.zone).date()
    first = began or last - timedelta(days=DEFAULT_DAYS)
    if not timedelta() <= last - first <= timedelta(days=MOST_DAYS):
        raise Invalid(f"from must not be after to, nor more than {MOST_DAYS} days before it.")
    zone = app.settings.zone
    return datetime.combine(first, time(), zone), datetime.combine(last + timedelta(days=1), time(), zone)
