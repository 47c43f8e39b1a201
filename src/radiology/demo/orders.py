"""The orders of the demonstration: those that its studies were made for, those of today, and rooms to do them in."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from io import BytesIO
from typing import Any

from pydicom.dataset import Dataset
from pydicom.filereader import read_dataset

from radiology.access.model import SYSTEM
from radiology.app import App
from radiology.application_entities.actions import register
from radiology.application_entities.model import ApplicationEntity
from radiology.demo import facilities, readers
from radiology.errors import Conflict
from radiology.modality_worklist.queries import lock_open_of_study
from radiology.orders.actions.place import place_order
from radiology.orders.schemas import OrderIn
from radiology.procedures.model import IONISING
from radiology.samples import SampleInstance
from radiology.scheduling import searching
from radiology.scheduling.actions.book import Visit, book
from radiology.scheduling.actions.put import Wanted
from radiology.scheduling.rooms.actions import add_room
from radiology.scheduling.rooms.schemas import RoomIn
from radiology.scheduling.schemas import SearchIn
from radiology.settings import Settings
from radiology.standards.dicom.names import PersonName

ROOMS = (
    ("X-ray 1", "এক্স-রে ১", "DX1", "DX"),
    ("Ultrasound 1", "আল্ট্রাসাউন্ড ১", "US1", "US"),
    ("CT 1", "সিটি ১", "CT1", "CT"),
)


@dataclass(frozen=True, slots=True)
class Asked:
    """An order of today. `booked`: a room and a time are found for it; else the patient has come without one."""

    person: tuple[str, str, str, str]
    modality: str
    procedure: str
    reason: str
    priority: str = "routine"
    booked: bool = True


#: Invented patients: name in Latin and Bangla script, birth date, sex.
TODAY = (
    Asked(("Akter^Nasima", "আক্তার^নাসিমা", "1988-04-02", "F"), "US", "US whole abdomen", "Pain for three days"),
    Asked(("Mia^Md. Jalal", "মিয়া^মোঃ জালাল", "1961-11-20", "M"), "CT", "CT brain", "Weakness of the left side", "stat",
          booked=False),
    Asked(("Barua^Shilpi", "বড়ুয়া^শিল্পী", "1979-07-14", "F"), "DX", "X-ray chest PA", "Cough for six weeks"),
    Asked(("Hossain^Rakib", "হোসেন^রাকিব", "2015-01-09", "M"), "DX", "X-ray right forearm", "Fall from a tree", "urgent",
          booked=False),
    Asked(("Sultana^Farhana", "সুলতানা^ফারহানা", "1995-12-30", "F"), "US", "US pregnancy profile", "24 weeks"),
)  # fmt: skip


async def place(settings: Settings, firsts: Sequence[SampleInstance]) -> list[str]:
    """Place the orders of studies, each named by its first object, and those of today, whose studies are returned.

    Done twice it adds nothing.
    """
    app = App.of(settings, connections=2)
    await app.db.open()
    try:
        for room in ROOMS:
            await _add_room(app, *room)
        await facilities.register(app)
        await readers.register(app)
        for first in firsts:
            await place_order(app, SYSTEM, _order_of(read_dataset(BytesIO(first.data_set), False, True), settings))
        return [await _ask(app, number, asked) for number, asked in enumerate(TODAY, 1)]
    finally:
        await app.db.close()


async def _add_room(app: App, name: str, bangla: str, ae_title: str, modality: str) -> None:
    await register(app, SYSTEM, ApplicationEntity(ae_title))
    room = {
        "name": name,
        "nameBangla": bangla,
        "devices": [{"aeTitle": ae_title, "modality": modality}],
        "sessions": [{"weekdays": [1, 2, 3, 4, 5, 6, 7], "begins": "08:00", "ends": "20:00"}],
    }
    try:
        await add_room(app, SYSTEM, RoomIn.model_validate(room))
    except Conflict:
        return  # It is there from a start that was broken off.


def _order_of(image: Dataset, settings: Settings) -> OrderIn:
    """The order that a sample was made for, with the numbers that it brings."""
    name, born = PersonName.parse(str(image.PatientName)), str(image.PatientBirthDate)
    at = datetime.strptime(f"{image.StudyDate}{str(image.StudyTime)[:6]}", "%Y%m%d%H%M%S").replace(tzinfo=settings.zone)
    patient = {
        "id": image.PatientID,
        "issuer": image.get("IssuerOfPatientID"),
        "name": name.alphabetic,
        "nameBangla": name.ideographic or None,
        "birthDate": f"{born[:4]}-{born[4:6]}-{born[6:]}",
        "sex": image.PatientSex or None,
    }
    return OrderIn.model_validate(
        {
            "placerNumber": f"DEMO-{image.AccessionNumber}",
            **_safety(image.PatientSex, image.Modality),
            "patient": {key: value for key, value in patient.items() if value is not None},
            "accessionNumber": image.AccessionNumber,
            "authoredOn": (at - timedelta(minutes=40)).isoformat(),
            "occurrence": at.isoformat(),
            "requester": {"display": str(image.ReferringPhysicianName).split("=")[0].replace("^", " ")},
            "procedures": [
                {
                    "modality": image.Modality,
                    "code": {"text": image.StudyDescription},
                    "studyInstanceUID": image.StudyInstanceUID,
                }
            ],
        }
    )


def _safety(sex: str, modality: str) -> dict[str, Any]:
    """What must be known of a woman before radiation is used."""
    return {"safety": {"pregnancy": "not-pregnant"}} if sex == "F" and modality in IONISING else {}


async def _ask(app: App, number: int, asked: Asked) -> str:
    name, bangla, born, sex = asked.person
    order = await place_order(
        app,
        SYSTEM,
        OrderIn.model_validate(
            {
                "placerNumber": f"DEMO-TODAY-{number}",
                "patient": {
                    "id": f"SAMPLE-{1000 + number}",
                    "name": name,
                    "nameBangla": bangla,
                    "birthDate": born,
                    "sex": sex,
                },
                "priority": asked.priority,
                "reason": asked.reason,
                **_safety(sex, asked.modality),
                "procedures": [{"modality": asked.modality, "code": {"text": asked.procedure}}],
            }
        ),
    )
    uid = order.procedures[0].study_instance_uid
    if asked.booked and not order.repeated:
        await _book(app, uid, key=f"DEMO-TODAY-{number}")
    return uid


async def _book(app: App, study_instance_uid: str, *, key: str) -> None:
    """The first time that is offered."""
    async with app.db.transaction() as tx:
        (item,) = await lock_open_of_study(tx, study_instance_uid)
        body = SearchIn.model_validate({"examinations": [{"item": str(item.id)}]})
        found = await searching.search(tx, app, SYSTEM, body)
    if found.results:
        (appointment,) = found.results[0].appointments
        await book(app, SYSTEM, Visit([Wanted(item.id, appointment.device, appointment.start)], key=key))
