"""Review, decide, and appoint who decides. What is recorded of it names no score and no reader."""

from dataclasses import replace
from uuid import UUID

from radiology.access.model import Actor, Permission
from radiology.app import App
from radiology.audit import actions as audit
from radiology.errors import Conflict, FieldProblem, NotFound, NotPermitted, StaleVersion, Unprocessable
from radiology.events import PeerReviewChanged, emit
from radiology.kit.db import Transaction
from radiology.practitioners import actions as practitioners
from radiology.practitioners.model import Standing
from radiology.practitioners.readers import queries as readers
from radiology.quality.peer_review import queries
from radiology.quality.peer_review.model import (
    CLAIMED_FOR,
    FEWEST_RATED,
    RATED_OVER,
    SIGNIFICANT,
    Review,
    Score,
    State,
    Verb,
    step,
    verb_of,
)

LOOKED_AT_ONCE = 50


async def claim_next(app: App, actor: Actor) -> Review | None:
    """The next report that this reader may review, for two hours; the one in hand, where there is one. None for none.

    Raises NotPermitted.
    """
    actor.must(Permission.INTERPRET)
    standing, now = await practitioners.standing_of(app, actor), app.clock.now()
    async with app.db.transaction() as tx:
        held = await queries.claimed_by(tx, now=now, actor=actor.id)
        if held is not None:
            return held
        waiting = await queries.claimable(tx, now=now, limit=LOOKED_AT_ONCE, visible_to=actor)
        found = next((each for each in waiting if _may_read(app, standing, each)), None)
        if found is None:
            return None
        claimed = replace(found, reviewer=actor.id, claimed_until=now + CLAIMED_FOR)
        return await _move(tx, actor, claimed, Verb.CLAIM)


def _may_read(app: App, standing: Standing, review: Review) -> bool:
    try:
        practitioners.must_interpret(app, standing, review.facility_code, [review.modality])
    except NotPermitted:
        return False
    return True


async def give_back(app: App, actor: Actor, review_id: UUID) -> None:
    """Leave a review to somebody else. Raises NotFound."""
    async with app.db.transaction() as tx:
        review = await _in_hand(tx, app, actor, review_id)
        await _move(tx, actor, replace(review, reviewer=None, claimed_until=None), Verb.RELEASE)


async def score(app: App, actor: Actor, review_id: UUID, found: Score, *, comment: str, version: int | None) -> Review:
    """Say what a review found. 1 and 2a count at once; the others when the committee has decided.

    Raises NotFound, StaleVersion, Unprocessable where a discrepancy has no comment.
    """
    if found != Score.AGREES and not comment:
        sentence = "is required for a discrepancy: what was missed, and where"
        raise Unprocessable(f"comment {sentence}.", fields=[FieldProblem("comment", sentence)])
    now = app.clock.now()
    async with app.db.transaction() as tx:
        review = await _in_hand(tx, app, actor, review_id)
        _must_have_version(review, version)
        scored = replace(review, score=found, comment=comment, scored_at=now, claimed_until=None)
        verb = verb_of(found)
        if verb == Verb.FIND:
            scored = replace(scored, counted_score=found, counted_at=now)
        scored = await _move(tx, actor, scored, verb)
        await _rate(tx, app, scored)
        return scored


async def decide(app: App, actor: Actor, review_id: UUID, found: Score, *, reason: str, version: int | None) -> Review:
    """Decide about a discrepancy as a member of the committee: the score that counts.

    Raises NotPermitted for who is none of it, and for who read, wrote or reviewed the report; NotFound, StaleVersion.
    """
    now = app.clock.now()
    async with app.db.transaction() as tx:
        await must_be_member(tx, actor)
        review = await queries.lock(tx, review_id)
        if actor.id in review.involved or actor.id == review.reviewer:
            raise NotPermitted("Whoever read or reviewed the report does not decide about it.")
        await queries.shown(tx, review.report_id, visible_to=actor)
        _must_have_version(review, version)
        decided = replace(review, counted_score=found, counted_at=now, decided_by=actor.id, decision_reason=reason)
        decided = await _move(tx, actor, decided, Verb.DECIDE)
        await _rate(tx, app, decided)
        return decided


async def must_be_member(tx: Transaction, actor: Actor) -> None:
    """Raises NotPermitted unless somebody is of the committee, whatever else he or she may."""
    if not await queries.is_member(tx, actor.id):
        raise NotPermitted("Scores of single readers are seen by themselves and by the peer-review committee.")


async def appoint(app: App, actor: Actor, account: str, *, reason: str) -> None:
    """Take somebody into the committee. Nobody appoints himself or herself. Raises NotPermitted, NotFound."""
    actor.must(Permission.ADMINISTER)
    if actor.id == f"account:{account}":
        raise NotPermitted("Nobody takes himself or herself into the committee.")
    async with app.db.transaction() as tx:
        if not await queries.appoint(tx, account, by=actor.id, reason=reason, at=app.clock.now()):
            raise NotFound(f"There is no account {account}.")
        await audit.record(tx, actor, "peer-review.committee", account, detail={"verb": "appoint"})


async def dismiss(app: App, actor: Actor, account: str) -> None:
    """Take somebody out of the committee. Raises NotPermitted, NotFound."""
    actor.must(Permission.ADMINISTER)
    async with app.db.transaction() as tx:
        if not await queries.dismiss(tx, account):
            raise NotFound(f"{account} is not of the committee.")
        await audit.record(tx, actor, "peer-review.committee", account, detail={"verb": "dismiss"})


async def _in_hand(tx: Transaction, app: App, actor: Actor, review_id: UUID) -> Review:
    """The review that somebody has claimed. Raises NotFound for another one, Conflict for one that is over."""
    review = await queries.lock(tx, review_id)
    if review.reviewer != actor.id:
        raise NotFound("There is no such review.")
    if review.state != State.CLAIMED:
        raise Conflict(f"The review is {review.state} already.")
    if review.claimed_until is None or review.claimed_until <= app.clock.now():
        raise Conflict("Your two hours for this review are over. Ask for the next one.")
    return review


def _must_have_version(review: Review, version: int | None) -> None:
    if version is not None and version != review.version:
        raise StaleVersion(f"The review has version {review.version} by now. Read it again and decide anew.")


async def _move(tx: Transaction, actor: Actor, review: Review, verb: Verb) -> Review:
    moved = replace(review, state=step(review.state, verb), version=review.version + 1)
    await queries.save(tx, moved)
    await audit.record(tx, actor, f"peer-review.{verb}", str(moved.id), detail={"version": moved.version})
    await emit(tx, PeerReviewChanged(facility_code=moved.facility_code, review_id=str(moved.id), state=moved.state))
    return moved


async def _rate(tx: Transaction, app: App, review: Review) -> None:
    """Tell the choice of readers how often this one was wrong in a way that matters, where enough was reviewed."""
    if review.state != State.COUNTED or not review.practitioner:
        return
    now = app.clock.now()
    (found,) = await queries.by_reader(
        tx, min(now - RATED_OVER, review.final_at), significant=sorted(SIGNIFICANT), reader=review.reader
    )
    rate = found.significant / found.reviewed if found.reviewed >= FEWEST_RATED else None
    await readers.note_figures(tx, review.practitioner, discrepancy_rate=rate, now=now)
