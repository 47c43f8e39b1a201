"""Warn of licences that end: 90, 30 and 7 days before, and when they have ended. Each once."""

from typing import Final

from radiology.app import App
from radiology.events import LicenceExpiring, emit
from radiology.facilities.licences import queries

STEPS: Final = (90, 30, 7, 0)


async def warn(app: App) -> int:
    """Warn of what is due; returns how many. Done again it warns of nothing that it has warned of."""
    now = app.clock.now()
    today = now.astimezone(app.settings.zone).date()
    async with app.db.transaction() as tx:
        found = await queries.warn(tx, today=today, now=now, steps=list(STEPS))
        await emit(
            tx,
            *(
                LicenceExpiring(
                    facility_code=each.facility_code,
                    subject=each.kind,
                    subject_id=each.id,
                    licence_until=each.licence_until.isoformat(),
                    days=each.days,
                )
                for each in found
            ),
        )
    return len(found)
