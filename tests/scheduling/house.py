"""A hospital with rooms for tests, through the doors; the clock stands at 21 January 2026, 10:30 in Dhaka."""

from typing import Any

import httpx2

from radiology.app import App

EVERY_DAY = [1, 2, 3, 4, 5, 6, 7]


async def register(app: App, *titles: str) -> None:
    """Application entities of the facility."""
    async with app.db.transaction() as tx:
        for title in titles:
            await tx.run(
                "INSERT INTO application_entities (ae_title, facility_code) VALUES (%(title)s, %(facility)s)"
                " ON CONFLICT DO NOTHING",
                title=title,
                facility=app.settings.facility_code,
            )


async def a_room(
    app: App, administrator: httpx2.AsyncClient, title: str = "CT1", modality: str = "CT", **changes: Any
) -> str:
    """A room with one device, open every day from 8 to 14; its id."""
    await register(app, title)
    body = {
        "name": f"Room {title}",
        "nameBangla": f"কক্ষ {title}",
        "devices": [{"aeTitle": title, "modality": modality}],
        "sessions": [{"weekdays": EVERY_DAY, "begins": "08:00", "ends": "14:00"}],
        **changes,
    }
    made = await administrator.post("/api/radiology/rooms", json=body)
    assert made.status_code == 201, made.text
    return made.json()["id"]


async def an_item(client: httpx2.AsyncClient, modality: str = "CT", number: int = 1, **changes: Any) -> dict[str, Any]:
    """An item of the worklist."""
    body = {
        "patient": {"id": f"DMC-{number}", "name": f"Karim^Abdul{number}", "nameBangla": "করিম^আব্দুল"},
        "modality": modality,
        "start": "2026-01-21T10:30:00+06:00",
        "requestedProcedure": f"{modality} of something",
        **changes,
    }
    placed = await client.post("/api/radiology/worklist", json=body)
    assert placed.status_code == 201, placed.text
    return placed.json()


def visit(*appointments: tuple[dict[str, Any], str, str], **changes: Any) -> dict[str, Any]:
    """A body that books items at devices and times of 22 January."""
    return {
        "appointments": [
            {"item": item["id"], "device": device, "start": f"2026-01-22T{time}:00+06:00"}
            for item, device, time in appointments
        ],
        **changes,
    }


async def booked(
    client: httpx2.AsyncClient, item: dict[str, Any], device: str = "CT1", time: str = "09:00", **changes: Any
) -> dict[str, Any]:
    """A booking of one item."""
    answer = await client.post("/api/radiology/bookings", json=visit((item, device, time), **changes))
    assert answer.status_code == 201, answer.text
    return answer.json()["bookings"][0]
