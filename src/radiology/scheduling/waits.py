"""How long a patient who asks now waits for an ordinary examination, told to those who choose among facilities."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from radiology.app import App
from radiology.facilities.choosing.queries import save_waits
from radiology.kit.db import Transaction
from radiology.procedures.lookup import catalogued
from radiology.scheduling import openings
from radiology.scheduling.fitting import Circumstances
from radiology.scheduling.model import Examination, default_minutes
from radiology.scheduling.planning import offers

NEAR_DAYS, FAR_DAYS = 2, 28
#: Where nothing is free in the far days the wait is at least as long as they are.
FULL_MINUTES: Final = FAR_DAYS * 24 * 60.0


@dataclass(frozen=True, slots=True)
class _Booked:
    """A facility that books, and the modalities of its rooms."""

    facility_code: str
    modalities: list[str]


async def tell_waits(app: App) -> int:
    """Write down the wait of each modality at every facility that books here; returns how many."""
    told = 0
    async with app.db.transaction() as tx:
        for booked in await _with_rooms(tx):
            waits: dict[str, float] = {}
            for modality in booked.modalities:
                minutes = await _wait_minutes(tx, app, booked.facility_code, modality)
                waits[catalogued(modality)] = min(minutes, waits.get(catalogued(modality), minutes))
            await save_waits(tx, booked.facility_code, waits)
            told += len(waits)
    return told


async def _with_rooms(tx: Transaction) -> Sequence[_Booked]:
    return await tx.all(
        _Booked,
        """
        SELECT devices.facility_code, array_agg(DISTINCT devices.modality) AS modalities
        FROM devices
        JOIN rooms ON rooms.id = devices.room_id AND rooms.active
        WHERE devices.active
        GROUP BY devices.facility_code
        ORDER BY devices.facility_code
        """,
    )


async def _wait_minutes(tx: Transaction, app: App, facility_code: str, modality: str) -> float:
    now, zone = app.clock.now(), app.settings.zone
    today = now.astimezone(zone).date()
    ordinary = Examination("ordinary", modality, default_minutes(modality, "", contrast=False))
    for days in (NEAR_DAYS, FAR_DAYS):
        asked = openings.Asked(facility_code, [modality], today, today + timedelta(days=days - 1))
        found = offers([ordinary], await openings.look(tx, app, asked), Circumstances(now, zone))
        if found:
            return max((found[0].starts - now).total_seconds() / 60, 0.0)
    return FULL_MINUTES
