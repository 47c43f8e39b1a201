"""The readers of the demonstration: who signs in as demo, and two colleagues of other places."""

from datetime import date, time
from typing import Final

from radiology.access.model import SYSTEM
from radiology.app import App
from radiology.external.practitioners.model import Practitioner, Privilege
from radiology.practitioners import actions as practitioners
from radiology.practitioners.model import ALL, RADIOLOGY
from radiology.practitioners.readers import actions
from radiology.practitioners.readers.model import Scope
from radiology.practitioners.readers.schemas import ContractIn, ReaderIn, ShiftIn

#: Invented: number (222 is that of the demo's account), names, registration, subspecialties, sex, certificates.
READERS: Final = (
    ("222", "Demo Consultant", "ডেমো পরামর্শক", "A-222", "general chest", "F", "mammography"),
    ("demo-neuro", "Demo Neuroradiologist", "ডেমো নিউরোরেডিওলজিস্ট", "A-223", "neuro", "M", ""),
    ("demo-women", "Demo Breast Radiologist", "ডেমো স্তন রেডিওলজিস্ট", "A-224", "breast obstetric", "F", "mammography"),
)
EVERY_DAY: Final = [1, 2, 3, 4, 5, 6, 7]


async def register(app: App) -> None:
    """Register them, unless they are there: what somebody has changed stays."""
    for number, name, bangla, registration, subspecialties, sex, certificates in READERS:
        reference = f"Practitioner/{number}"
        if await app.practitioners.find(reference) is not None:
            continue
        await practitioners.save(
            app,
            SYSTEM,
            Practitioner(
                reference, name, bangla, registration=registration, registered_until=date(2099, 12, 31),
                specialties=RADIOLOGY, privileges=(Privilege(ALL, frozenset({ALL})),),
            ),
        )  # fmt: skip
        body = ReaderIn(
            subspecialties=subspecialties.split(),
            languages=["bn", "en"],
            sex="F" if sex == "F" else "M",
            age_groups=["adult", "child", "neonate"],
            certificates=certificates.split(),
            contracts=[ContractIn(scope=Scope.NATIONAL)],
            home_facility=app.settings.facility_code if number == "222" else "DEMO-MCH",
            reads_sensitive=True,
            shifts=[ShiftIn(days=EVERY_DAY, begins=time(), ends=time())],
        )
        await actions.save(app, SYSTEM, reference, body, version=None)
