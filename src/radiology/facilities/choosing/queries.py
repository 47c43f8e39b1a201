"""SQL of figures of facilities and of the ways between them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from radiology.facilities.choosing.travelling import Way
from radiology.facilities.model import Figures
from radiology.kit.db import Transaction


@dataclass(frozen=True, slots=True)
class CountedFigures:
    """The figures of one facility for a modality, which is DX for CR, too; None is not known."""

    facility_code: str
    modality: str
    wait_minutes: float | None = None
    turnaround_hours: float | None = None
    reject_rate: float | None = None
    sla_met: float | None = None
    dose_ratio: float | None = None


@dataclass(frozen=True, slots=True)
class _Row:
    facility_code: str
    wait_minutes: float | None
    turnaround_hours: float | None
    reject_rate: float | None
    sla_met: float | None
    dose_ratio: float | None
    subsidy: Decimal


@dataclass(frozen=True, slots=True)
class _Way:
    from_facility: str
    to_facility: str
    minutes: float
    km: float
    cost: Decimal | None


async def version(tx: Transaction) -> int:
    """Changes with each change of figures and ways."""
    return await tx.value("SELECT version FROM figures_version")


async def begin_change(tx: Transaction) -> None:
    """Say that figures or ways change: first in a transaction, so that all do it in one order."""
    await tx.run("UPDATE figures_version SET version = version + 1")


async def figures_of(tx: Transaction, modality: str) -> dict[str, Figures]:
    """The figures of all facilities for a modality, by their codes."""
    rows = await tx.all(
        _Row,
        """
        SELECT facility_code, wait_minutes, turnaround_hours, reject_rate, sla_met, dose_ratio, subsidy
        FROM facility_figures
        WHERE modality = %(modality)s
        """,
        modality=modality,
    )
    return {
        row.facility_code: Figures(
            wait_minutes=row.wait_minutes,
            turnaround_hours=row.turnaround_hours,
            reject_rate=row.reject_rate,
            sla_met=row.sla_met,
            dose_ratio=row.dose_ratio,
            subsidy=row.subsidy,
        )
        for row in rows
    }


async def ways_from(tx: Transaction, facility_code: str) -> dict[tuple[str, str], Way]:
    """The measured ways that begin or end at a facility."""
    rows = await tx.all(
        _Way,
        """
        SELECT from_facility, to_facility, minutes, km, cost
        FROM facility_ways
        WHERE from_facility = %(facility_code)s OR to_facility = %(facility_code)s
        """,
        facility_code=facility_code,
    )
    return {(row.from_facility, row.to_facility): Way(row.minutes, row.km, row.cost) for row in rows}


async def save_counted(tx: Transaction, counted: Sequence[CountedFigures]) -> None:
    """What was counted of reports, rejects and dose, None where there was too little; waits stay as they are."""
    await begin_change(tx)
    for each in counted:
        await tx.run(
            """
            INSERT INTO facility_figures (facility_code, modality, turnaround_hours, reject_rate, sla_met, dose_ratio)
            VALUES (%(facility_code)s, %(modality)s, %(turnaround_hours)s, %(reject_rate)s, %(sla_met)s, %(dose_ratio)s)
            ON CONFLICT (modality, facility_code) DO UPDATE
            SET turnaround_hours = excluded.turnaround_hours,
                reject_rate = excluded.reject_rate,
                sla_met = excluded.sla_met,
                dose_ratio = excluded.dose_ratio,
                counted_at = now()
            """,
            facility_code=each.facility_code,
            modality=each.modality,
            turnaround_hours=each.turnaround_hours,
            reject_rate=each.reject_rate,
            sla_met=each.sla_met,
            dose_ratio=each.dose_ratio,
        )


async def save_waits(tx: Transaction, facility_code: str, minutes: Mapping[str, float]) -> None:
    """Minutes until the next free time at a facility by modality; the rest stays."""
    await begin_change(tx)
    for modality, wait_minutes in minutes.items():
        await tx.run(
            """
            INSERT INTO facility_figures (facility_code, modality, wait_minutes)
            VALUES (%(facility_code)s, %(modality)s, %(wait_minutes)s)
            ON CONFLICT (modality, facility_code) DO UPDATE SET wait_minutes = excluded.wait_minutes
            """,
            facility_code=facility_code,
            modality=modality,
            wait_minutes=wait_minutes,
        )


async def set_figures(tx: Transaction, told: CountedFigures, subsidy: Decimal) -> None:
    """Figures as a facility tells them, all of them: what is None is not known from now on."""
    await begin_change(tx)
    await tx.run(
        """
        INSERT INTO facility_figures
            (facility_code, modality, wait_minutes, turnaround_hours, reject_rate, sla_met, dose_ratio, subsidy)
        VALUES (%(facility_code)s, %(modality)s, %(wait_minutes)s, %(turnaround_hours)s, %(reject_rate)s, %(sla_met)s,
            %(dose_ratio)s, %(subsidy)s)
        ON CONFLICT (modality, facility_code) DO UPDATE
        SET wait_minutes = excluded.wait_minutes,
            turnaround_hours = excluded.turnaround_hours,
            reject_rate = excluded.reject_rate,
            sla_met = excluded.sla_met,
            dose_ratio = excluded.dose_ratio,
            subsidy = excluded.subsidy,
            counted_at = now()
        """,
        facility_code=told.facility_code,
        modality=told.modality,
        wait_minutes=told.wait_minutes,
        turnaround_hours=told.turnaround_hours,
        reject_rate=told.reject_rate,
        sla_met=told.sla_met,
        dose_ratio=told.dose_ratio,
        subsidy=subsidy,
    )


async def set_way(tx: Transaction, from_facility: str, to_facility: str, way: Way) -> None:
    """A measured way, new or anew."""
    await tx.run(
        """
        INSERT INTO facility_ways (from_facility, to_facility, minutes, km, cost)
        VALUES (%(from_facility)s, %(to_facility)s, %(minutes)s, %(km)s, %(cost)s)
        ON CONFLICT (from_facility, to_facility) DO UPDATE
        SET minutes = excluded.minutes, km = excluded.km, cost = excluded.cost
        """,
        from_facility=from_facility,
        to_facility=to_facility,
        minutes=way.minutes,
        km=way.km,
        cost=way.cost,
    )


async def forget_ways(tx: Transaction, from_facility: str) -> None:
    """No measured way begins at a facility any more; others are set in the same transaction."""
    await begin_change(tx)
    await tx.run("DELETE FROM facility_ways WHERE from_facility = %(from_facility)s", from_facility=from_facility)


@dataclass(frozen=True, slots=True)
class Coordinates:
    """Degrees, WGS 84."""

    latitude: float
    longitude: float


async def coordinates(tx: Transaction, geocode: str) -> Coordinates | None:
    """Where a place of the list of geocodes is, or the place that it belongs to; None where neither is known."""
    return await tx.maybe(
        Coordinates,
        """
        SELECT coalesce(g.latitude, above.latitude) AS latitude, coalesce(g.longitude, above.longitude) AS longitude
        FROM geocodes AS g
        LEFT JOIN geocodes AS above ON above.code = g.parent
        WHERE g.code = %(geocode)s
          AND coalesce(g.latitude, above.latitude) IS NOT NULL
        """,
        geocode=geocode,
    )


async def figures_body(tx: Transaction, facility_code: str, *, zone: str) -> bytes:
    """What is known of a facility, by modality, as a JSON array."""
    return await tx.json(
        """
        SELECT coalesce(json_agg(json_build_object('modality', modality, 'waitMinutes', wait_minutes,
            'turnaroundHours', turnaround_hours, 'rejectRate', reject_rate, 'slaMet', sla_met, 'doseRatio', dose_ratio,
            'subsidy', subsidy::text, 'countedAt', counted_at AT TIME ZONE %(zone)s) ORDER BY modality), '[]')::text
        FROM facility_figures
        WHERE facility_code = %(facility_code)s
        """,
        facility_code=facility_code,
        zone=zone,
    )


async def ways_body(tx: Transaction, facility_code: str) -> bytes:
    """The measured ways that begin at a facility, as a JSON array."""
    return await tx.json(
        """
        SELECT coalesce(json_agg(json_build_object('to', to_facility, 'minutes', minutes, 'km', km, 'cost', cost::text)
            ORDER BY to_facility), '[]')::text
        FROM facility_ways
        WHERE from_facility = %(facility_code)s
        """,
        facility_code=facility_code,
    )
