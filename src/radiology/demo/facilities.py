"""The facilities of the demonstration: this one with its rooms' devices and operators, and two that it refers to."""

from datetime import date, timedelta
from typing import Any, Final

from radiology.access.model import SYSTEM
from radiology.app import App
from radiology.facilities import actions, queries
from radiology.facilities.devices import actions as devices
from radiology.facilities.devices.schemas import DeviceIn
from radiology.facilities.operators import actions as operators
from radiology.facilities.operators.schemas import OperatorIn
from radiology.facilities.schemas import FacilityIn

#: Invented, in places that there are: code (empty: that of this installation), names, tier, ownership, where it lies.
FACILITIES: Final = (
    ("", "Savar Demonstration Hospital", "সাভার প্রদর্শনী হাসপাতাল", "Upazila_Health_Complexes", "public", 23.85, 90.26),
    ("DEMO-MCH", "Dhaka Demonstration Medical College", "ঢাকা প্রদর্শনী মেডিকেল কলেজ", "Medical_College_Hospitals",
     "public", 23.73, 90.40),
    ("DEMO-DC", "Dhanmondi Demonstration Diagnostics", "ধানমন্ডি প্রদর্শনী ডায়াগনস্টিকস", "Diagnostic_Centres", "private",
     23.75, 90.37),
)  # fmt: skip
#: Facility, name (that of the application entity, where it is one), modality, days that the licence has left.
DEVICES: Final = (
    ("", "DX1", "DX", 400),
    ("", "US1", "US", None),
    ("", "CT1", "CT", 20),
    ("DEMO-MCH", "CT A", "CT", 300),
    ("DEMO-MCH", "MR A", "MR", None),
    ("DEMO-DC", "CT of Dhanmondi", "CT", 500),
    ("DEMO-DC", "Mammography", "MG", 500),
)
TITLES: Final = frozenset({"DX1", "US1", "CT1"})
OPERATORS: Final = (
    ("", "Rokeya Sultana", "F", ["DX", "CT", "US"], "DEMO-1"),
    ("DEMO-MCH", "Abdul Karim", "M", ["CT", "MR", "DX"], "DEMO-2"),
    ("DEMO-DC", "Shirin Akter", "F", ["CT", "MG", "US"], "DEMO-3"),
)


async def register(app: App) -> None:
    """Register them, unless they are there: what somebody has changed stays."""
    keys = await devices.known_keys(app)
    today = app.clock.now().astimezone(app.settings.zone).date()
    async with app.db.transaction() as tx:
        await queries.begin_change(tx)
        if await queries.exist(tx, [app.settings.facility_code]):
            return
        for code, name, bangla, tier, ownership, latitude, longitude in FACILITIES:
            body = _facility(name, bangla, tier, ownership, latitude, longitude)
            await actions.put(tx, SYSTEM, _code(app, code), body)
        for code, name, modality, days in DEVICES:
            await devices.put(tx, app, SYSTEM, _device(today, _code(app, code), name, modality, days), keys)
        for code, name, sex, modalities, licence in OPERATORS:
            await operators.put(tx, SYSTEM, _operator(today, _code(app, code), name, sex, modalities, licence))


def _code(app: App, code: str) -> str:
    return code or app.settings.facility_code


def _facility(name: str, bangla: str, tier: str, ownership: Any, latitude: float, longitude: float) -> FacilityIn:
    return FacilityIn(
        name=name, name_bangla=bangla, tier=tier, ownership=ownership, division="30", district="3026",
        latitude=latitude, longitude=longitude, sedation=tier == "Medical_College_Hospitals",
    )  # fmt: skip


def _device(today: date, facility_code: str, name: str, modality: str, days: int | None) -> DeviceIn:
    return DeviceIn(
        facility_code=facility_code, name=name, modality=modality, ae_title=name if name in TITLES else "",
        contrast=modality in ("CT", "MR"), licence_number="" if days is None else "DEMO",
        licence_until=None if days is None else today + timedelta(days=days),
    )  # fmt: skip


def _operator(today: date, facility_code: str, name: str, sex: Any, modalities: list[str], licence: str) -> OperatorIn:
    return OperatorIn(
        facility_code=facility_code, name=name, sex=sex, modalities=modalities, licence_number=licence,
        licence_until=today + timedelta(days=300),
    )  # fmt: skip
