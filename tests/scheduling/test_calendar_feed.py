"""The calendar of a room, read by software of others."""

from datetime import UTC, datetime

import icalendar
import pytest

from radiology.kit.ids import uuid7
from radiology.scheduling.calendar_feed import written
from radiology.scheduling.queries.shown import FeedRow
from scheduling.house import a_room, an_item, booked

pytestmark = pytest.mark.anyio


@pytest.mark.peer("iCalendar feed", "icalendar")
async def test_a_room_s_calendar_is_read_and_follows_its_bookings(client_as, app) -> None:
    administrator, client = await client_as("administrator"), await client_as("radiographer")
    room = await a_room(app, administrator, name="সিটি কক্ষ, নিচতলা; পূর্ব দিকের দীর্ঘ করিডোরের শেষ মাথা")
    items = [await an_item(client, number=number) for number in range(2)]
    first, second = [
        await booked(client, item, time=time) for item, time in zip(items, ("09:00", "10:00"), strict=True)
    ]
    address = (await administrator.post(f"/api/radiology/rooms/{room}/links")).json()["calendar"]
    client.headers.pop("authorization")
    answer = await client.get(address)
    assert answer.headers["content-type"] == "text/calendar; charset=utf-8"
    assert "Karim" not in answer.text
    assert "করিম" not in answer.text
    assert all(len(line.encode()) <= 75 for line in answer.text.split("\r\n"))
    calendar = icalendar.Calendar.from_ical(answer.text)
    events = calendar.walk("VEVENT")
    assert [event.decoded("dtstart") for event in events] == [
        datetime(2026, 1, 22, 3, 0, tzinfo=UTC), datetime(2026, 1, 22, 4, 0, tzinfo=UTC),
    ]  # fmt: skip
    assert str(events[0]["location"]).startswith("সিটি কক্ষ, নিচতলা; পূর্ব দিকের দীর্ঘ করিডোরের শেষ মাথা")
    assert items[0]["accessionNumber"] in str(events[0]["summary"])

    move = {"device": "CT1", "start": "2026-01-22T11:00:00+06:00"}
    await administrator.put(f"/api/radiology/bookings/{first['id']}", json=move)
    await administrator.post(f"/api/radiology/bookings/{second['id']}/cancel", json={})
    events = {
        str(event["uid"]): event
        for event in icalendar.Calendar.from_ical((await client.get(address)).text).walk("VEVENT")
    }
    moved = next(event for uid, event in events.items() if uid.startswith(first["id"]))
    gone = next(event for uid, event in events.items() if uid.startswith(second["id"]))
    assert (int(moved["sequence"]), str(moved["status"])) == (1, "CONFIRMED")
    assert moved.decoded("dtstart") == datetime(2026, 1, 22, 5, 0, tzinfo=UTC)
    assert str(gone["status"]) == "CANCELLED"


async def test_an_unknown_address_is_not_found(client) -> None:
    assert (await client.get("/open/rooms/nothing/calendar.ics")).status_code == 404


def test_text_is_escaped_and_long_lines_are_folded_between_characters() -> None:
    at = datetime(2026, 1, 22, 3, tzinfo=UTC)
    row = FeedRow(uuid7(), at, at, "held", 3, at, "CT", "A\\1;2,3", "CT1", 7)
    text = written([row], "ক" * 60, host="radiology.test", now=at)
    event = icalendar.Calendar.from_ical(text).walk("VEVENT")[0]
    assert str(event["summary"]) == "CT A\\1;2,3, token 7"
    assert str(event["status"]) == "TENTATIVE"
    assert max(map(len, text.split(b"\r\n"))) <= 75
