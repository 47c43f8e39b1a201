"""Make a link, open it, and end it."""

import asyncio
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from radiology.access import sessions
from radiology.access.model import Actor, Permission
from radiology.app import App
from radiology.audit import actions as audit
from radiology.audit.context import current
from radiology.audit.model import MINOR_FAILURE
from radiology.errors import Conflict, NotAuthenticated, NotFound, TooManyAttempts, Unprocessable
from radiology.kit.db import Transaction
from radiology.kit.ids import uuid7
from radiology.reports import queries as reports
from radiology.sharing import queries
from radiology.sharing.model import MOST_WRONG_PINS, Refused, fits, hash_of, network_of, new_pin
from radiology.sharing.queries import Shared, SharedLink, SharedReport
from radiology.studies.queries import read

_GONE = "This link is not known, or its time is over. Ask whoever gave it for a new one."
_CLOSED = "Too many wrong PINs. The link is closed for a while."
_SIGNED_ONLY = "The report is not signed yet. Only a signed report is shared."


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a new link is to be."""

    hours: int
    with_pin: bool = False
    most_openings: int | None = None


@dataclass(frozen=True, slots=True)
class NewLink:
    """A link as it is given away, this once: neither secret nor PIN is kept."""

    id: UUID
    secret: str
    pin: str | None
    expires_at: datetime
    shared: Shared


async def share_study(app: App, actor: Actor, study: str, wanted: Wanted) -> NewLink:
    """A link by which whoever has it sees this study and nothing else.

    Raises NotFound, SensitiveStudy for who sees it masked, Unprocessable for a sensitive one without a PIN.
    """
    actor.must(Permission.SHARE)
    async with app.db.transaction() as tx:
        study_id = await read.resolve(tx, study, visible_to=actor.beyond_reading)
        return await _make(app, tx, actor, await queries.shared_study(tx, study_id), None, wanted)


async def share_report(app: App, actor: Actor, report: str, wanted: Wanted) -> NewLink:
    """The same for one report. Raises Conflict, too, for a report that is not signed."""
    actor.must(Permission.SHARE)
    async with app.db.transaction() as tx:
        report_id, shared = await _report(tx, actor, report)
        preliminary = app.settings.share_preliminary_reports
        if await queries.shared_report(tx, report_id, preliminary=preliminary, visible_to=actor.beyond_reading) is None:
            raise Conflict(_SIGNED_ONLY)
        return await _make(app, tx, actor, shared, report_id, wanted)


async def _report(tx: Transaction, actor: Actor, report: str) -> tuple[UUID, Shared]:
    report_id = await reports.resolve(tx, report, visible_to=actor.beyond_reading)
    return report_id, await queries.shared_study(tx, await queries.study_of_report(tx, report_id))


async def _make(
    app: App, tx: Transaction, actor: Actor, shared: Shared, report_id: UUID | None, wanted: Wanted
) -> NewLink:
    if shared.sensitive and not wanted.with_pin:
        raise Unprocessable("The study is sensitive: it is shared with a PIN only. Ask for one (withPin).")
    now, link_id, secret = app.clock.now(), uuid7(), secrets.token_urlsafe(24)
    pin = new_pin() if wanted.with_pin else None
    made = NewLink(link_id, secret, pin, now + timedelta(hours=wanted.hours), shared)
    await queries.save_link(
        tx, id=link_id, secret_sha256=sessions.digest(secret), shared=shared, report_id=report_id,
        pin_hash=await asyncio.to_thread(hash_of, pin) if pin else None, most_openings=wanted.most_openings,
        made_by=actor.id, made_at=now, expires_at=made.expires_at,
    )  # fmt: skip
    detail = {"link": str(link_id), "hours": wanted.hours, "pin": wanted.with_pin, "openings": wanted.most_openings,
              "report": str(report_id) if report_id else None}  # fmt: skip
    await audit.record(tx, actor, "link.make", shared.study_instance_uid, detail=detail)
    return made


async def end_study_link(app: App, actor: Actor, study: str, link_id: UUID) -> None:
    """End a link of this study or of its reports, with all sessions that it began. Raises NotFound."""
    actor.must(Permission.SHARE)
    async with app.db.transaction() as tx:
        study_id = await read.resolve(tx, study, visible_to=actor.beyond_reading)
        await _end(app, tx, actor, await queries.shared_study(tx, study_id), None, link_id)


async def end_report_link(app: App, actor: Actor, report: str, link_id: UUID) -> None:
    """End a link of this report. Raises NotFound."""
    actor.must(Permission.SHARE)
    async with app.db.transaction() as tx:
        report_id, shared = await _report(tx, actor, report)
        await _end(app, tx, actor, shared, report_id, link_id)


async def _end(app: App, tx: Transaction, actor: Actor, shared: Shared, report_id: UUID | None, link_id: UUID) -> None:
    uid = shared.study_instance_uid
    if not await queries.end_link(
        tx, link_id, study_instance_uid=uid, report_id=report_id, ended_by=actor.id, now=app.clock.now()
    ):
        raise NotFound("There is no such link here.")
    await audit.record(tx, actor, "link.end", uid, detail={"link": str(link_id)})


async def study_links(app: App, actor: Actor, study: str) -> bytes:
    """All links of a study and of its reports, with their openings, as JSON. Raises NotFound, SensitiveStudy."""
    actor.must(Permission.SHARE)
    async with app.db.transaction() as tx:
        study_id = await read.resolve(tx, study, visible_to=actor.beyond_reading)
        shared = await queries.shared_study(tx, study_id)
        return await _links(app, tx, shared, None)


async def report_links(app: App, actor: Actor, report: str) -> bytes:
    """All links of a report, as JSON."""
    actor.must(Permission.SHARE)
    async with app.db.transaction() as tx:
        report_id, shared = await _report(tx, actor, report)
        return await _links(app, tx, shared, report_id)


async def _links(app: App, tx: Transaction, shared: Shared, report_id: UUID | None) -> bytes:
    uid, zone = shared.study_instance_uid, str(app.settings.zone)
    return await queries.links_body(tx, study_instance_uid=uid, report_id=report_id, zone=zone, now=app.clock.now())


@dataclass(frozen=True, slots=True)
class Opened:
    """A link that opened: the actor and the secret of a session that sees the study, or the report itself."""

    actor: Actor
    session: str | None
    report: SharedReport | None


async def look_at(app: App, secret: str) -> SharedLink:
    """A link that would open, and is not opened yet. Raises NotFound, TooManyAttempts."""
    async with app.db.transaction() as tx:
        link = await _known(tx, secret)
        refused = link.refusal(app.clock.now())
        if refused is not None:
            await _note_refusal(tx, link, refused)
    _must_open(refused)
    return link


async def open_link(app: App, secret: str, pin: str) -> Opened:
    """Open a link. Raises NotFound, NotAuthenticated for a wrong PIN, TooManyAttempts where no more are taken now."""
    link = await look_at(app, secret)
    if link.pin_hash is not None:
        await _check_pin(app, link, link.pin_hash, pin)
    opened: Opened | None = None
    async with app.db.transaction() as tx:
        link = await _known(tx, secret, lock=True)
        refused = link.refusal(app.clock.now())
        if refused is None:
            opened = await _opened(app, tx, link)
            refused = None if opened else Refused.NOT_SHOWN
        if refused is not None:
            await _note_refusal(tx, link, refused)
    _must_open(refused)
    if opened is None:
        raise NotFound(_GONE)
    return opened


async def _known(tx: Transaction, secret: str, *, lock: bool = False) -> SharedLink:
    link = await queries.find_link(tx, secret_sha256=sessions.digest(secret), lock=lock)
    if link is None:
        raise NotFound(_GONE)
    return link


def _must_open(refused: Refused | None) -> None:
    if refused == Refused.CLOSED:
        raise TooManyAttempts(_CLOSED)
    if refused is not None:
        raise NotFound(_GONE)


async def _check_pin(app: App, link: SharedLink, pin_hash: str, pin: str) -> None:
    async with app.db.transaction() as tx:
        wrong = await queries.count_attempt(tx, link.id, now=app.clock.now())
    if wrong is None:
        raise TooManyAttempts(_CLOSED)
    right = await asyncio.to_thread(fits, pin_hash, pin)
    async with app.db.transaction() as tx:
        if right:
            await queries.take_back_attempt(tx, link.id)
        else:
            await _note_refusal(tx, link, Refused.WRONG_PIN, wrong=wrong)
    if not right:
        raise NotFound(_GONE) if wrong >= MOST_WRONG_PINS else NotAuthenticated("This PIN is wrong.")


async def _note_refusal(tx: Transaction, link: SharedLink, refused: Refused, *, wrong: int | None = None) -> None:
    detail = {"link": str(link.id), "reason": refused, "wrong": wrong}
    actor = sessions.link_actor(link.link)
    await audit.record(tx, actor, "link.refused", link.study_instance_uid, detail=detail, outcome=MINOR_FAILURE)


async def _opened(app: App, tx: Transaction, link: SharedLink) -> Opened | None:
    """A link that is locked; None where what it opens is not to be seen any more."""
    actor, now = sessions.link_actor(link.link), app.clock.now()
    session, report = None, None
    if link.report_id is not None:
        preliminary = app.settings.share_preliminary_reports
        report = await queries.shared_report(tx, link.report_id, preliminary=preliminary, visible_to=actor)
    elif await queries.is_seen(tx, visible_to=actor):
        session = await sessions.begin_by_link(tx, link.link, now=now)
    if session is None and report is None:
        return None
    await queries.count_opening(tx, link.id, now=now, network=network_of(current().address))
    detail = {"link": str(link.id), "report": str(link.report_id) if link.report_id else None}
    await audit.record(tx, actor, "link.open", link.study_instance_uid, detail=detail)
    return Opened(actor, session, report)
