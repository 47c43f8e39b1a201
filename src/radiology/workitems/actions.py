"""What is done with workitems: create, update, change state, ask to cancel; find and read (PS3.4 CC.2).

The doors decide who may use the service. An actor sees the workitems of its facility.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from radiology.access.model import Actor
from radiology.app import App
from radiology.audit import actions as audit
from radiology.errors import AttributesRefused, Conflict, NotFound, TransitionRefused
from radiology.events import WorkitemStateChanged, emit
from radiology.kit.db import Transaction
from radiology.standards.dicom.matching import MatchingError
from radiology.standards.dicom.uids import new_uid
from radiology.workitems import model, queries, reports
from radiology.workitems.attributes import INVALID_VALUE, START
from radiology.workitems.model import Code, State, Verb, Workitem
from radiology.workitems.notices import tell
from radiology.workitems.reports import Report
from radiology.workitems.search import WorkitemQuery, conditions, parse, start_of

PAGE = 500


async def create_workitem(
    app: App, actor: Actor, sop_instance_uid: str, attributes: Mapping[str, Any], *, facility_code: str
) -> Workitem:
    """Schedule a workitem, and tell who is subscribed to all or to such as this (PS3.4 CC.2.5.3).

    Raises TransitionRefused (C309), AttributesRefused (0120, 0121, 0106), Conflict (0111).
    """
    at = app.clock.now()
    workitem = model.created(sop_instance_uid, facility_code, attributes, at.astimezone(app.settings.zone))
    async with app.db.transaction() as tx:
        if not await queries.insert(tx, workitem, starts_at=_starts_at(app, workitem), at=at):
            raise Conflict("A workitem with this SOP Instance UID exists.", dimse_status=Code.DUPLICATE_INSTANCE)
        await audit.record(tx, actor, "workitem.create", sop_instance_uid)
        await emit(tx, _changed(workitem))
        await _subscribe(tx, app, workitem)
        await tell(tx, app, sop_instance_uid, reports.of_creation(workitem))
    return workitem


async def _subscribe(tx: Transaction, app: App, workitem: Workitem) -> None:
    """Subscribe those with a global subscription that this workitem fits (PS3.4 table CC.2.3-2)."""
    await queries.hold_global_subscriptions(tx)
    for subscription in await queries.global_subscriptions(tx, workitem.facility_code):
        if parse(subscription.keys, zone=app.settings.zone).fits(workitem.attributes):
            await queries.subscribe(
                tx,
                [workitem.sop_instance_uid],
                subscription.ae_title,
                deletion_lock=subscription.deletion_lock,
                replace=True,
            )


async def change_state(app: App, actor: Actor, sop_instance_uid: str, wanted: str, transaction_uid: str) -> Code | None:
    """Claim, complete or cancel a workitem; a warning where it is in the wanted state already (PS3.4 CC.2.1.3).

    Raises NotFound (C307), TransitionRefused (C300 to C304, C310).
    """
    async with app.db.transaction() as tx:
        before = await _lock(tx, sop_instance_uid, actor)
        after, warning = before.change_state(wanted, transaction_uid, app.clock.now().astimezone(app.settings.zone))
        if warning is None:
            await _save(tx, app, after, [reports.of_state(after)])
            await emit(tx, _changed(after))
            await audit.record(tx, actor, "workitem.change-state", sop_instance_uid, detail={"state": after.state})
    return warning


async def update_workitem(
    app: App, actor: Actor, sop_instance_uid: str, changes: Mapping[str, Any], transaction_uid: str
) -> None:
    """Set attributes of a workitem, each as a whole (PS3.4 CC.2.6.3).

    Raises NotFound (C307), TransitionRefused (C300, C301, C310), AttributesRefused (0106, 0121).
    """
    async with app.db.transaction() as tx:
        before = await _lock(tx, sop_instance_uid, actor)
        after = before.update(changes, transaction_uid, app.clock.now().astimezone(app.settings.zone))
        await _save(tx, app, after, reports.of_update(before, after))
        await audit.record(tx, actor, "workitem.update", sop_instance_uid)


async def request_cancel(
    app: App, actor: Actor, sop_instance_uid: str, request: Mapping[str, Any], *, requesting_ae_title: str
) -> Code | None:
    """Cancel a workitem that nobody has claimed, or tell its performer that somebody wants it (PS3.4 CC.2.2.3).

    Raises NotFound (C307), TransitionRefused (C311; C312 where nobody is subscribed who could be told).
    """
    async with app.db.transaction() as tx:
        before = await _lock(tx, sop_instance_uid, actor)
        after, warning = model.step(before.state, Verb.REQUEST_CANCEL)
        if warning is not None:
            return warning
        if after is State.CANCELED:
            await _cancel(tx, app, before, request)
        elif not await tell(tx, app, sop_instance_uid, [reports.of_cancel_request(request, requesting_ae_title)]):
            raise TransitionRefused(
                "Nobody is subscribed who could be told of the request.", dimse_status=Code.PERFORMER_UNREACHABLE
            )
        await audit.record(tx, actor, "workitem.request-cancel", sop_instance_uid)
    return None


async def _cancel(tx: Transaction, app: App, before: Workitem, request: Mapping[str, Any]) -> None:
    """First in progress, claimed by us, then cancelled; subscribers are told of both."""
    at, lock = app.clock.now().astimezone(app.settings.zone), new_uid()
    claimed = before.within(State.IN_PROGRESS, at, lock=lock)
    canceled = claimed.cancel_as_requested(request, at, lock)
    await _save(tx, app, canceled, [reports.of_state(claimed), reports.of_state(canceled)])
    await emit(tx, _changed(canceled))


async def workitem_attributes(app: App, actor: Actor, sop_instance_uid: str) -> Mapping[str, Any]:
    """The attributes of a workitem, without its Transaction UID. Raises NotFound (C307)."""
    async with app.db.transaction() as tx:
        row = await queries.read(tx, sop_instance_uid, visible_to=actor)
    if row is None:
        raise unknown()
    return row.attributes


async def find_workitems(app: App, actor: Actor, query: WorkitemQuery, *, limit: int) -> list[Mapping[str, Any]]:
    """The attributes of the workitems that fit, by their scheduled start."""
    found: list[Mapping[str, Any]] = []
    where, after = conditions(query), None
    queries.add_reach(where, actor)
    async with app.db.transaction() as tx:
        while len(found) < limit:
            rows = await queries.page(tx, where, after=after, limit=PAGE)
            found += [row.attributes for row in rows if query.fits(row.attributes)]
            if len(rows) < PAGE:
                break
            after = rows[-1].scheduled_start_at, rows[-1].sop_instance_uid
    return found[:limit]


def unknown() -> NotFound:
    """There is no such workitem here, or none that this actor may see."""
    return NotFound("There is no such workitem.", dimse_status=Code.UNKNOWN_INSTANCE)


async def _lock(tx: Transaction, sop_instance_uid: str, actor: Actor) -> Workitem:
    row = await queries.lock(tx, sop_instance_uid, visible_to=actor)
    if row is None:
        raise unknown()
    return row.workitem


async def _save(tx: Transaction, app: App, workitem: Workitem, told: Sequence[Report]) -> None:
    await queries.save(tx, workitem, starts_at=_starts_at(app, workitem), at=app.clock.now())
    await tell(tx, app, workitem.sop_instance_uid, told)


def _changed(workitem: Workitem) -> WorkitemStateChanged:
    return WorkitemStateChanged(
        facility_code=workitem.facility_code, sop_instance_uid=workitem.sop_instance_uid, state=workitem.state
    )


def _starts_at(app: App, workitem: Workitem) -> datetime:
    try:
        return start_of(workitem.attributes, app.settings.zone)
    except MatchingError as error:
        raise AttributesRefused(f"{error}.", tags=[START], dimse_status=INVALID_VALUE) from error
