"""What is known of facilities and ways, kept in the memory of each process until it changes."""

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from weakref import WeakKeyDictionary

from radiology.app import App
from radiology.facilities.choosing import queries
from radiology.facilities.choosing.model import Rules, Travel
from radiology.facilities.choosing.travelling import Place, travel
from radiology.facilities.model import Figures
from radiology.facilities.network import Network
from radiology.kit.db import Database
from radiology.procedures.lookup import catalogued

MOST_PLACES: Final = 256


@dataclass(slots=True)
class _Kept:
    """What was read of one version of the figures and of the network."""

    version: tuple[int, int]
    figures: dict[str, Mapping[str, Figures]] = field(default_factory=dict[str, Mapping[str, Figures]])
    travels: OrderedDict[Place, Mapping[str, Travel]] = field(default_factory=OrderedDict[Place, Mapping[str, Travel]])


_kept: "WeakKeyDictionary[Database, _Kept]" = WeakKeyDictionary()


async def known_of(
    app: App, network: Network, modality: str, place: Place, rules: Rules
) -> tuple[Mapping[str, Figures], Mapping[str, Travel]]:
    """The figures of a modality and the ways from a place, both by facility. Reads only what is not known yet."""
    modality = catalogued(modality)
    async with app.db.reading(planned_once=True) as tx:
        version = (await queries.version(tx), network.version)
        kept = _kept.get(app.db)
        if kept is None or kept.version != version:
            kept = _kept[app.db] = _Kept(version)
        if modality not in kept.figures:
            kept.figures[modality] = await queries.figures_of(tx, modality)
        if place not in kept.travels:
            ways = await queries.ways_from(tx, place.facility_code) if place.facility_code else {}
            kept.travels[place] = {each.code: travel(place, each, ways, rules) for each in network.facilities}
            while len(kept.travels) > MOST_PLACES:
                kept.travels.popitem(last=False)
        return kept.figures[modality], kept.travels[place]
