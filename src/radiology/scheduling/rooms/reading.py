"""What is shown of a room: one day of it."""

from datetime import date
from uuid import UUID

import orjson

from radiology.access.model import Actor, Permission
from radiology.app import App
from radiology.facilities.devices import queries as registry
from radiology.kit.db import Transaction
from radiology.scheduling import openings
from radiology.scheduling.fitting import DeviceDay
from radiology.scheduling.queries import shown
from radiology.scheduling.rooms import queries


async def day_of(tx: Transaction, app: App, actor: Actor, room_id: UUID, day: date | None) -> bytes:
    """A day of a room as JSON: opening of each device, what is blocked, all bookings. Raises NotFound."""
    actor.must(Permission.READ)
    zone, name = app.settings.zone, app.settings.time_zone
    room = await queries.room(tx, room_id, visible_to=actor)
    day = day or app.clock.now().astimezone(zone).date()
    numbers = await registry.numbers_in(tx, room_id)
    asked = openings.Asked(room.facility_code, [], day, day, numbers=numbers)
    devices = (await openings.look(tx, app, asked))[day]
    begins, ends = openings.midnight(day, zone), openings.midnight(day + openings.DAY, zone)
    known = {
        "room": {"id": str(room.id), "name": room.name, "nameBangla": room.name_bangla},
        "day": day.isoformat(),
        "devices": [_opening(app, device) for device in devices],
    }
    booked = await shown.of_room(tx, room_id, begins=begins, ends=ends, zone=name, visible_to=actor)
    blocked = await queries.blocked_body(tx, room_id, since=begins, zone=name, until=ends)
    return orjson.dumps(known)[:-1] + b',"blocked":' + blocked + b',"bookings":' + booked + b"}"


def _opening(app: App, device: DeviceDay) -> dict[str, object]:
    zone = app.settings.zone
    windows = [
        {
            "begins": window.span.begins.astimezone(zone).isoformat(),
            "ends": window.span.ends.astimezone(zone).isoformat(),
            "purpose": window.purpose,
        }
        for window in device.opening.windows
    ]
    return {"device": device.device.ae_title, "modality": device.device.modality, "open": windows}
