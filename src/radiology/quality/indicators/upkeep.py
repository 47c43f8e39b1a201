"""What waits for a person, what the check at order time is worth, and whether the service was there."""

from datetime import datetime, timedelta
from typing import Final

from radiology.kit import outbox
from radiology.kit.db import Where
from radiology.quality.indicators.asking import Asked, Figures, minutes, share
from radiology.scheduling.openings import midnight

REPEATED: Final = "DUP"
"""Rules whose keys begin so say that an examination was done already."""


async def reconciliation(asked: Asked) -> Figures:
    """Studies without an order that is sure and quarantined objects, now; and how long those resolved in the window
    had waited."""
    open_now = await asked.tx.binary(
        """
        SELECT
            (SELECT count(*) FROM imaging_studies AS s WHERE s.match IN ('probable', 'none')
                AND s.status <> 'entered-in-error'
                AND (%(everywhere)s OR s.facility_code = ANY(%(facilities)s))
                AND NOT EXISTS (SELECT FROM facilities AS f WHERE f.code = s.facility_code AND f.test)),
            (SELECT count(*) FROM quarantine AS q WHERE q.resolved_at IS NULL
                AND (%(everywhere)s OR q.facility_code = ANY(%(facilities)s))
                AND NOT EXISTS (SELECT FROM facilities AS f WHERE f.code = q.facility_code AND f.test))
        """,
        everywhere=_is_everywhere(asked),
        facilities=_facilities(asked),
    )
    resolved = await asked.tx.binary(
        """
        SELECT count(*), percentile_disc(0.5) WITHIN GROUP (ORDER BY seconds)
        FROM (
            SELECT extract(epoch FROM q.resolved_at - q.received_at)::double precision AS seconds
            FROM quarantine AS q
            WHERE q.resolved_at >= %(begins)s AND q.resolved_at < %(ends)s
              AND (%(everywhere)s OR q.facility_code = ANY(%(facilities)s))
              AND NOT EXISTS (SELECT FROM facilities AS f WHERE f.code = q.facility_code AND f.test)
            UNION ALL
            SELECT extract(epoch FROM repair.made_at - s.created_at)::double precision
            FROM repairs AS repair
            JOIN imaging_studies AS s ON s.study_instance_uid = repair.study_instance_uids[1]
            WHERE repair.kind IN ('confirm', 'attach')
              AND repair.undone_at IS NULL
              AND repair.made_at >= %(begins)s AND repair.made_at < %(ends)s
              AND (%(everywhere)s OR s.facility_code = ANY(%(facilities)s))
              AND NOT EXISTS (SELECT FROM facilities AS f WHERE f.code = s.facility_code AND f.test)
        ) AS waited
        """,
        begins=_begins(asked),
        ends=_ends(asked),
        everywhere=_is_everywhere(asked),
        facilities=_facilities(asked),
    )
    return {
        "n": int(resolved[0][0]),
        "unmatchedOpen": int(open_now[0][0]),
        "quarantined": int(open_now[0][1]),
        "medianMinutesToResolve": minutes(resolved[0][1]),
    }


async def appropriateness(asked: Asked) -> Figures:
    """Alerts of the check at order time, what became of them, and what was saved where an order was given up for it."""
    where = Where(["NOT EXISTS (SELECT FROM facilities WHERE code = a.facility_code AND test)"])
    where.add("a.shown_at >= {begins}", begins=_begins(asked))
    where.add("a.shown_at < {ends}", ends=_ends(asked))
    if not _is_everywhere(asked):
        where.add("a.facility_code = ANY({facilities})", facilities=_facilities(asked))
    for dimension, values in asked.question.wanted.values.items():
        if dimension == "modality":
            where.add("a.modality = ANY({values})", values=sorted(values))
        elif dimension == "priority":
            where.add("a.priority = ANY({values})", values=sorted(values))
    found = await asked.tx.binary(
        """
        SELECT count(*), count(*) FILTER (WHERE outcome = 'accepted'), count(*) FILTER (WHERE outcome = 'overridden'),
            count(*) FILTER (WHERE outcome IN ('refused', 'held')),
            count(*) FILTER (WHERE outcome = 'accepted' AND rule LIKE %(repeated)s),
            coalesce(sum(saved_bdt), 0)::text, coalesce(sum(saved_msv), 0)::double precision
        FROM order_alerts AS a
        WHERE """  # noqa: S608 - literals of ours.
        + where.condition,
        repeated=REPEATED + "%",
        **where.parameters,
    )
    shown, accepted, overridden, blocked, repeats, bdt, msv = found[0]
    return {
        "n": shown,
        "accepted": accepted,
        "overridden": overridden,
        "blocked": blocked,
        "acceptedShare": share(accepted, shown),
        "duplicatesAvoided": repeats,
        "savedBDT": bdt,
        "savedMSv": round(msv, 2),
    }


async def availability(asked: Asked) -> Figures:
    """The share of the window in which each part of the service, and each link to a peer, was seen to work.

    A part counts from the first time that somebody looked; when nobody looked, it counts as not working.
    """
    begins, ends = _begins(asked), min(_ends(asked), asked.now)
    found = await asked.tx.binary(
        """
        SELECT component, min(since), count(*),
            coalesce(sum(extract(epoch FROM
                least(until, %(ends)s::timestamptz) - greatest(since, %(begins)s::timestamptz)
            )) FILTER (WHERE up), 0)::double precision
        FROM availability
        WHERE until > %(begins)s AND since < %(ends)s
        GROUP BY component
        ORDER BY component
        """,
        begins=begins,
        ends=ends,
    )
    first: dict[str, datetime] = dict(
        await asked.tx.binary("SELECT component, min(since) FROM availability GROUP BY component")
    )
    components: list[Figures] = []
    for component, _, spans, seconds in found:
        watched = (ends - max(begins, first[component])) / timedelta(seconds=1)
        components.append({"component": component, "share": share(seconds, watched), "spans": spans})
    lag = await outbox.oldest_unplaced_seconds(asked.tx)
    return {"n": len(components), "components": components, "queueLagSeconds": round(lag, 1)}


def _begins(asked: Asked) -> datetime:
    return midnight(asked.window.first, asked.zone)


def _ends(asked: Asked) -> datetime:
    return midnight(asked.window.last + timedelta(days=1), asked.zone)


def _is_everywhere(asked: Asked) -> bool:
    return asked.actor.facility_codes is None and "facility" not in asked.question.wanted.values


def _facilities(asked: Asked) -> list[str]:
    """The facilities that are asked for, of those of the actor."""
    wanted, own = asked.question.wanted.values.get("facility"), asked.actor.facility_codes
    if wanted is None or own is None:
        return sorted(wanted or own or ())
    return sorted(wanted & own)
