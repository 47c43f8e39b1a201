"""All facilities, devices and operators at once: read from the database when they have changed, else from memory."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar
from weakref import WeakKeyDictionary

from radiology.app import App
from radiology.facilities import queries
from radiology.facilities.model import Device, Facility, Operator
from radiology.kit.db import Database
from radiology.procedures.lookup import catalogued

T = TypeVar("T", Device, Operator)


@dataclass(frozen=True, slots=True)
class Network:
    """What is where, as of one version: active facilities, devices that are not retired, active operators.

    Facilities are in the order of their codes, devices of their numbers.
    """

    version: int
    facilities: tuple[Facility, ...]
    devices: tuple[Device, ...]
    operators: tuple[Operator, ...]
    _facilities: Mapping[str, Facility] = field(init=False, repr=False, compare=False)
    _devices: Mapping[str, tuple[Device, ...]] = field(init=False, repr=False, compare=False)
    _devices_for: Mapping[tuple[str, str], tuple[Device, ...]] = field(init=False, repr=False, compare=False)
    _operators: Mapping[str, tuple[Operator, ...]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_facilities", {each.code: each for each in self.facilities})
        object.__setattr__(self, "_devices", _by_facility(self.devices))
        object.__setattr__(self, "_devices_for", _by_modality(self.devices))
        object.__setattr__(self, "_operators", _by_facility(self.operators))

    def facility(self, code: str) -> Facility | None:
        """An active facility."""
        return self._facilities.get(code)

    def devices_of(self, facility_code: str) -> tuple[Device, ...]:
        """The devices of a facility."""
        return self._devices.get(facility_code, ())

    def devices_for(self, facility_code: str, modality: str) -> tuple[Device, ...]:
        """The devices of a modality at a facility, and of those that are one with it, as CR and DX are."""
        return self._devices_for.get((facility_code, catalogued(modality)), ())

    def operators_of(self, facility_code: str) -> tuple[Operator, ...]:
        """The operators of a facility."""
        return self._operators.get(facility_code, ())


def _by_facility(all_of_them: Sequence[T]) -> dict[str, tuple[T, ...]]:
    found: dict[str, list[T]] = {}
    for each in all_of_them:
        found.setdefault(each.facility_code, []).append(each)
    return {code: tuple(those) for code, those in found.items()}


def _by_modality(devices: Sequence[Device]) -> dict[tuple[str, str], tuple[Device, ...]]:
    found: dict[tuple[str, str], list[Device]] = {}
    for each in devices:
        found.setdefault((each.facility_code, catalogued(each.modality)), []).append(each)
    return {key: tuple(those) for key, those in found.items()}


_kept: "WeakKeyDictionary[Database, Network]" = WeakKeyDictionary()
"""What each database of this process was last known to hold."""


async def network(app: App) -> Network:
    """The network as it is now. Costs one small question where nothing has changed since the last time."""
    async with app.db.reading(planned_once=True) as tx:
        version = await queries.version(tx)
    found = _kept.get(app.db)
    if found is None or found.version != version:
        found = await _load(app, version)
        _kept[app.db] = found
    return found


async def _load(app: App, version: int) -> Network:
    """Read it anew. The version was read before the rest, so it is never newer than they are."""
    async with app.db.transaction() as tx:
        return Network(
            version,
            tuple(await queries.all_facilities(tx)),
            tuple(await queries.all_devices(tx)),
            tuple(await queries.all_operators(tx)),
        )
