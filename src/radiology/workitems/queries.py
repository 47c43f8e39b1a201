"""SQL of workitems and their subscribers. `visible_to` limits what is seen to the facility of who asks."""
# ruff: noqa: S608 - conditions are literals, see kit/db.py `Where`.

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from radiology.access.model import STATION, Actor
from radiology.kit.db import Transaction, Where, as_json
from radiology.workitems.model import State, Workitem
from radiology.workitems.reports import Report


@dataclass(frozen=True, slots=True)
class WorkitemRow:
    """A row of workitems."""

    sop_instance_uid: str
    facility_code: str
    state: str
    transaction_uid: str | None
    scheduled_start_at: datetime
    attributes: dict[str, Any]

    @property
    def workitem(self) -> Workitem:
        """The row as the workitem it is."""
        return Workitem(
            self.sop_instance_uid, self.facility_code, State(self.state), self.transaction_uid, self.attributes
        )


@dataclass(frozen=True, slots=True)
class GlobalSubscription:
    """Who is subscribed to workitems as they are created; `keys` are those of a filtered subscription, else empty."""

    ae_title: str
    facility_code: str | None
    deletion_lock: bool
    keys: dict[str, Any]


@dataclass(frozen=True, slots=True)
class QueuedReport:
    """An N-EVENT-REPORT that has still to be sent."""

    number: int
    sop_instance_uid: str
    event_type: int
    attributes: dict[str, Any]
    queued_at: datetime


# --- Workitems --------------------------------------------------------------------------------------------------------


async def insert(tx: Transaction, workitem: Workitem, *, starts_at: datetime, at: datetime) -> bool:
    """Add a workitem; False where its SOP Instance UID is there already."""
    return bool(
        await tx.run(
            """
            INSERT INTO workitems (sop_instance_uid, facility_code, state, scheduled_start_at, attributes, changed_at)
            VALUES (%(uid)s, %(facility_code)s, %(state)s, %(starts_at)s, %(attributes)s, %(at)s)
            ON CONFLICT (sop_instance_uid) DO NOTHING
            """,
            uid=workitem.sop_instance_uid,
            facility_code=workitem.facility_code,
            state=workitem.state,
            starts_at=starts_at,
            attributes=as_json(workitem.attributes),
            at=at,
        )
    )


async def save(tx: Transaction, workitem: Workitem, *, starts_at: datetime, at: datetime) -> None:
    """Write what became of a workitem."""
    await tx.run(
        """
        UPDATE workitems
        SET state = %(state)s,
            transaction_uid = %(transaction_uid)s,
            scheduled_start_at = %(starts_at)s,
            attributes = %(attributes)s,
            changed_at = %(at)s
        WHERE sop_instance_uid = %(uid)s
        """,
        uid=workitem.sop_instance_uid,
        state=workitem.state,
        transaction_uid=workitem.transaction_uid,
        starts_at=starts_at,
        attributes=as_json(workitem.attributes),
        at=at,
    )


async def lock(tx: Transaction, sop_instance_uid: str, *, visible_to: Actor) -> WorkitemRow | None:
    """A workitem, which nobody else changes until this transaction ends."""
    where = _one(sop_instance_uid, visible_to)
    return await tx.maybe(
        WorkitemRow,
        """
        SELECT sop_instance_uid, facility_code, state, transaction_uid, scheduled_start_at, attributes
        FROM workitems
        WHERE """
        + where.condition
        + " FOR NO KEY UPDATE",
        **where.parameters,
    )


async def read(tx: Transaction, sop_instance_uid: str, *, visible_to: Actor) -> WorkitemRow | None:
    """A workitem, to be shown."""
    where = _one(sop_instance_uid, visible_to)
    return await tx.maybe(
        WorkitemRow,
        """
        SELECT sop_instance_uid, facility_code, state, transaction_uid, scheduled_start_at, attributes
        FROM workitems
        WHERE """
        + where.condition,
        **where.parameters,
    )


async def page(tx: Transaction, where: Where, *, after: tuple[datetime, str] | None, limit: int) -> list[WorkitemRow]:
    """Workitems in the order of their scheduled start, those after the given one."""
    starts_at, uid = after or (None, "")
    return await tx.all(
        WorkitemRow,
        "SELECT sop_instance_uid, facility_code, state, transaction_uid, scheduled_start_at, attributes"
        " FROM workitems WHERE " + where.condition + " AND (%(starts_at)s::timestamptz IS NULL"
        " OR (scheduled_start_at, sop_instance_uid) > (%(starts_at)s, %(uid)s))"
        " ORDER BY scheduled_start_at, sop_instance_uid LIMIT %(limit)s",
        **where.parameters,
        starts_at=starts_at,
        uid=uid,
        limit=limit,
    )


# --- Subscriptions ----------------------------------------------------------------------------------------------------


async def subscribe(
    tx: Transaction, sop_instance_uids: Sequence[str], ae_title: str, *, deletion_lock: bool, replace: bool
) -> list[str]:
    """Subscribe a peer to workitems; returns those it was not subscribed to. `replace` sets the lock of the others."""
    return await tx.values(
        """
        INSERT INTO workitem_subscriptions AS s (sop_instance_uid, ae_title, deletion_lock)
        SELECT uid, %(ae_title)s, %(deletion_lock)s
        FROM unnest(%(uids)s::text[]) AS uid
        ON CONFLICT (sop_instance_uid, ae_title) DO UPDATE
        SET deletion_lock = excluded.deletion_lock
        WHERE %(replace)s
        RETURNING sop_instance_uid
        """,
        uids=list(sop_instance_uids),
        ae_title=ae_title,
        deletion_lock=deletion_lock,
        replace=replace,
    )


async def unsubscribe(tx: Transaction, sop_instance_uid: str, ae_title: str) -> None:
    """End the subscription of a peer to one workitem."""
    await tx.run(
        "DELETE FROM workitem_subscriptions WHERE sop_instance_uid = %(uid)s AND ae_title = %(ae_title)s",
        uid=sop_instance_uid,
        ae_title=ae_title,
    )


async def unsubscribe_from_all(tx: Transaction, ae_title: str) -> None:
    """End every subscription of a peer to a workitem that is there."""
    await tx.run("DELETE FROM workitem_subscriptions WHERE ae_title = %(ae_title)s", ae_title=ae_title)


async def subscribers(tx: Transaction, sop_instance_uid: str) -> list[str]:
    """The AE titles that are told of a workitem."""
    return await tx.values(
        "SELECT ae_title FROM workitem_subscriptions WHERE sop_instance_uid = %(uid)s ORDER BY ae_title",
        uid=sop_instance_uid,
    )


async def save_global_subscription(tx: Transaction, subscription: GlobalSubscription) -> None:
    """Subscribe a peer to workitems that are created from now on."""
    await tx.run(
        """
        INSERT INTO workitem_global_subscriptions (ae_title, facility_code, deletion_lock, keys)
        VALUES (%(ae_title)s, %(facility_code)s, %(deletion_lock)s, %(keys)s)
        ON CONFLICT (ae_title) DO UPDATE
        SET facility_code = excluded.facility_code,
            deletion_lock = excluded.deletion_lock,
            keys = excluded.keys
        """,
        ae_title=subscription.ae_title,
        facility_code=subscription.facility_code,
        deletion_lock=subscription.deletion_lock,
        keys=as_json(subscription.keys),
    )


async def remove_global_subscription(tx: Transaction, ae_title: str) -> None:
    """Subscribe a peer to no more workitems than it is."""
    await tx.run("DELETE FROM workitem_global_subscriptions WHERE ae_title = %(ae_title)s", ae_title=ae_title)


async def hold_global_subscriptions(tx: Transaction) -> None:
    """Let no global subscription begin or end before this transaction does, so that it misses no new workitem."""
    await tx.run("LOCK TABLE workitem_global_subscriptions IN SHARE MODE")


async def global_subscriptions(tx: Transaction, facility_code: str) -> list[GlobalSubscription]:
    """Who is to be subscribed to a new workitem of a facility, if its keys match."""
    return await tx.all(
        GlobalSubscription,
        """
        SELECT ae_title, facility_code, deletion_lock, keys
        FROM workitem_global_subscriptions
        WHERE facility_code IS NULL OR facility_code = %(facility_code)s
        ORDER BY ae_title
        """,
        facility_code=facility_code,
    )


# --- Reports ----------------------------------------------------------------------------------------------------------


async def queue(
    tx: Transaction, ae_titles: Sequence[str], sop_instance_uid: str, report: Report, *, at: datetime
) -> None:
    """Keep a report until each of the subscribers has answered it; event channels wake as streams of events do."""
    await tx.run(
        """
        WITH told AS (SELECT pg_notify('outbox', ''))
        INSERT INTO workitem_reports (ae_title, sop_instance_uid, event_type, attributes, queued_at)
        SELECT ae_title, %(uid)s, %(event_type)s, %(attributes)s, %(at)s
        FROM told, unnest(%(ae_titles)s::text[]) AS ae_title
        """,
        ae_titles=list(ae_titles),
        uid=sop_instance_uid,
        event_type=report.event_type,
        attributes=as_json(report.attributes),
        at=at,
    )


async def queued(tx: Transaction, ae_title: str, *, limit: int) -> list[QueuedReport]:
    """What a subscriber has still to be told, oldest first."""
    return await tx.all(
        QueuedReport,
        """
        SELECT number, sop_instance_uid, event_type, attributes, queued_at
        FROM workitem_reports
        WHERE ae_title = %(ae_title)s
        ORDER BY number
        LIMIT %(limit)s
        """,
        ae_title=ae_title,
        limit=limit,
    )


async def forget(tx: Transaction, number: int) -> None:
    """A report was answered."""
    await tx.run("DELETE FROM workitem_reports WHERE number = %(number)s", number=number)


async def give_up(tx: Transaction, ae_title: str, *, before: datetime) -> int:
    """Forget what a subscriber could not be told for too long; returns how many reports."""
    return await tx.run(
        "DELETE FROM workitem_reports WHERE ae_title = %(ae_title)s AND queued_at < %(before)s",
        ae_title=ae_title,
        before=before,
    )


async def note_failure(tx: Transaction, ae_title: str, sentence: str) -> int:
    """Why a subscriber could not be told; returns how often it has been tried, 0 where nothing is queued."""
    return await tx.value(
        """
        WITH noted AS (
            UPDATE workitem_reports
            SET attempts = attempts + 1, sentence = %(sentence)s
            WHERE ae_title = %(ae_title)s
            RETURNING attempts
        )
        SELECT coalesce(max(attempts), 0) FROM noted
        """,
        ae_title=ae_title,
        sentence=sentence,
    )


def _one(sop_instance_uid: str, visible_to: Actor) -> Where:
    where = Where()
    where.add("sop_instance_uid = {uid}", uid=sop_instance_uid)
    add_reach(where, visible_to)
    return where


def add_reach(where: Where, visible_to: Actor) -> None:
    """The workitems of the actor's facilities; for people only those about studies that they see in full.

    A station sees, as in the modality worklist, whatever is to be done in its facility. Raises NotPermitted.
    """
    if visible_to.role == STATION:
        visible_to.add_facility(where, "facility_code")
        return
    reach = visible_to.staff_reach
    reach.add_facility(where, "facility_code")
    if not reach.sees_sensitive:
        where.clauses.append(
            "NOT EXISTS (SELECT FROM imaging_studies AS told WHERE told.study_instance_uid IN"
            """ (SELECT uid #>> '{}' FROM jsonb_path_query(attributes, 'lax $.**."0020000D".Value[*]') AS uid)"""
            " AND NOT " + reach.seen(where, "told") + ")"
        )
