"""Who is told of workitems: one, all, or all that match keys (PS3.4 CC.2.3)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from radiology.access.model import Actor
from radiology.app import App
from radiology.application_entities.model import ApplicationEntity
from radiology.application_entities.queries import find_application_entity
from radiology.audit import actions as audit
from radiology.errors import Conflict, NotFound, TransitionRefused
from radiology.kit.db import Transaction
from radiology.workitems import queries, reports
from radiology.workitems.actions import PAGE, unknown
from radiology.workitems.model import Code, Workitem
from radiology.workitems.notices import has_address, tell
from radiology.workitems.queries import GlobalSubscription
from radiology.workitems.search import WorkitemQuery, conditions, parse

GLOBAL: Final = "1.2.840.10008.5.1.4.34.5"
FILTERED: Final = "1.2.840.10008.5.1.4.34.5.1"


@dataclass(frozen=True, slots=True)
class Subscription:
    """Whom to tell. `keys` filter a filtered global subscription, in the DICOM JSON model.

    `deletion_lock`: the workitems are kept until it is taken back. Nothing deletes them here, so it is only remembered.
    """

    receiving_ae_title: str
    deletion_lock: bool = False
    keys: Mapping[str, Any] = field(default_factory=dict[str, Any])


async def subscribe(
    app: App, actor: Actor, sop_instance_uid: str, subscription: Subscription, *, has_channel: bool = False
) -> None:
    """Subscribe a peer to a workitem, or by a well-known UID to all, or to all that match.

    `has_channel`: it may open an event channel, and so needs no address. Raises NotFound (C307 for the workitem, C308
    for the peer), DataSetMismatch (A900) for keys that cannot be matched.
    """
    async with app.db.transaction() as tx:
        await _known(tx, subscription.receiving_ae_title, has_channel=has_channel)
        if sop_instance_uid in (GLOBAL, FILTERED):
            await _subscribe_globally(tx, app, actor, sop_instance_uid, subscription)
        else:
            await _subscribe_to_one(tx, app, actor, sop_instance_uid, subscription)
        detail = {"ae_title": subscription.receiving_ae_title}
        await audit.record(tx, actor, "workitem.subscribe", sop_instance_uid, detail=detail)


async def unsubscribe(
    app: App, actor: Actor, sop_instance_uid: str, receiving_ae_title: str, *, has_channel: bool = False
) -> None:
    """End the subscription of a peer to a workitem, or by a well-known UID every subscription. Raises NotFound."""
    async with app.db.transaction() as tx:
        await _known(tx, receiving_ae_title, has_channel=has_channel)
        if sop_instance_uid in (GLOBAL, FILTERED):
            await queries.remove_global_subscription(tx, receiving_ae_title)
            await queries.unsubscribe_from_all(tx, receiving_ae_title)
        else:
            await _workitem(tx, actor, sop_instance_uid)
            await queries.unsubscribe(tx, sop_instance_uid, receiving_ae_title)
        detail = {"ae_title": receiving_ae_title}
        await audit.record(tx, actor, "workitem.unsubscribe", sop_instance_uid, detail=detail)


async def suspend(
    app: App, actor: Actor, sop_instance_uid: str, receiving_ae_title: str, *, has_channel: bool = False
) -> None:
    """Subscribe a peer to no new workitems; it is told of those that are there. Raises NotFound, and C314 for one."""
    if sop_instance_uid not in (GLOBAL, FILTERED):
        raise TransitionRefused("Only a global subscription can be suspended.", dimse_status=Code.NOT_FOR_THIS_INSTANCE)
    async with app.db.transaction() as tx:
        await _known(tx, receiving_ae_title, has_channel=has_channel)
        await queries.remove_global_subscription(tx, receiving_ae_title)
        detail = {"ae_title": receiving_ae_title}
        await audit.record(tx, actor, "workitem.suspend", sop_instance_uid, detail=detail)


async def _subscribe_to_one(
    tx: Transaction, app: App, actor: Actor, sop_instance_uid: str, subscription: Subscription
) -> None:
    workitem = await _workitem(tx, actor, sop_instance_uid)
    receiver = subscription.receiving_ae_title
    await queries.subscribe(tx, [sop_instance_uid], receiver, deletion_lock=subscription.deletion_lock, replace=True)
    await tell(tx, app, sop_instance_uid, [reports.of_state(workitem)], to=[receiver])


async def _subscribe_globally(tx: Transaction, app: App, actor: Actor, uid: str, subscription: Subscription) -> None:
    """Also to what is there; of that a subscriber with deletion lock is told at once (PS3.4 CC.2.4.3)."""
    keys = dict(subscription.keys) if uid == FILTERED else {}
    query = parse(keys, zone=app.settings.zone)
    receiver, locked = subscription.receiving_ae_title, subscription.deletion_lock
    await queries.save_global_subscription(tx, GlobalSubscription(receiver, actor.facility_code, locked, keys))
    for workitem in await _all(tx, actor, query):
        added = await queries.subscribe(tx, [workitem.sop_instance_uid], receiver, deletion_lock=locked, replace=False)
        if added and locked:
            await tell(tx, app, workitem.sop_instance_uid, [reports.of_state(workitem)], to=[receiver])


async def _all(tx: Transaction, actor: Actor, query: WorkitemQuery) -> list[Workitem]:
    found: list[Workitem] = []
    where, after = conditions(query), None
    queries.add_reach(where, actor)
    while rows := await queries.page(tx, where, after=after, limit=PAGE):
        found += [row.workitem for row in rows if query.fits(row.attributes)]
        after = rows[-1].scheduled_start_at, rows[-1].sop_instance_uid
    return found


async def _workitem(tx: Transaction, actor: Actor, sop_instance_uid: str) -> Workitem:
    row = await queries.lock(tx, sop_instance_uid, visible_to=actor)
    if row is None:
        raise unknown()
    return row.workitem


async def check_channel(app: App, actor: Actor, ae_title: str) -> None:
    """Raise NotFound for a peer that is not known, or not in the actor's facility, and NotPermitted for who may see one
    study only; Conflict for a peer that is told by N-EVENT-REPORT."""
    facilities = actor.staff_reach.facility_codes
    async with app.db.transaction() as tx:
        entity = await _known(tx, ae_title, has_channel=True)
    if facilities is not None and (entity.facility_code or app.settings.facility_code) not in facilities:
        raise _unknown_receiver("the service ups in your facility")
    if has_address(entity):
        raise Conflict(
            f"{ae_title} is told by N-EVENT-REPORT. Register a title without host and port for an event channel."
        )


async def _known(tx: Transaction, ae_title: str, *, has_channel: bool) -> ApplicationEntity:
    """Raise NotFound (C308) unless the peer is registered, may use the service, and says where it can be told."""
    entity = await find_application_entity(tx, ae_title)
    if entity is None or not entity.may("ups") or not (has_channel or has_address(entity)):
        raise _unknown_receiver("the service ups" if has_channel else "host, port and the service ups")
    return entity


def _unknown_receiver(what: str) -> NotFound:
    return NotFound(f"The receiving AE is not registered with {what}.", dimse_status=Code.UNKNOWN_RECEIVER)
