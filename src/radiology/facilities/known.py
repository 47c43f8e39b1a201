"""What followers of events compare with: the catalogue, the facilities, the settings and the moment, taken together."""

from dataclasses import dataclass
from datetime import date, datetime

from radiology.app import App
from radiology.facilities.network import Network, network
from radiology.procedures.catalogue import catalogue
from radiology.procedures.lookup import Catalogue
from radiology.settings import Settings


@dataclass(frozen=True, slots=True)
class Known:
    """All of that as it was at a moment."""

    procedures: Catalogue
    facilities: Network
    settings: Settings
    now: datetime

    @property
    def today(self) -> date:
        """The day in the zone of the service."""
        return self.now.astimezone(self.settings.zone).date()


async def known(app: App) -> Known:
    """All of that as it is now. Asked before a transaction begins."""
    return Known(await catalogue(app), await network(app), app.settings, app.clock.now())
