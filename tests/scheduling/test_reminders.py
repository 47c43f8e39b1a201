"""What patients are told: once, in time, in their language, neutral, never after a cancel; a real gateway beside us."""

import asyncio
import json
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from zoneinfo import ZoneInfo

import pytest

from radiology.errors import Unavailable
from radiology.scheduling.reminders import messages
from radiology.scheduling.reminders.actions import remind_due, send
from radiology.scheduling.reminders.messages import Moment, Sender
from scheduling.house import a_room, an_item, booked, visit

pytestmark = pytest.mark.anyio
BOOKINGS = "/api/radiology/bookings"
CONTACT = {"contact": {"mobile": "০১৭১২-৩৪৫৬৭৮", "language": "bn"}}


class Gateway:
    """Keeps what it is sent, and answers with the statuses that it is told to, 202 otherwise."""

    def __init__(self) -> None:
        self.sent: list[dict[str, str]] = []
        self.headers: list[dict[str, str]] = []
        self.statuses: list[int] = []


@pytest.fixture
def gateway(app):
    """An SMS gateway on loopback, known to the settings."""
    kept = Gateway()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            status = kept.statuses.pop(0) if kept.statuses else 202
            kept.headers.append(dict(self.headers))
            if status == 202:
                kept.sent.append(body)
            answer = json.dumps({"messageId": f"m{len(kept.sent)}"}).encode()
            self.send_response(status)
            self.send_header("content-length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, format: str, *args: object) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    change = {"sms_gateway_url": f"http://127.0.0.1:{server.server_port}/send", "sms_sender": "HOSPITAL"}
    object.__setattr__(app, "settings", app.settings.model_copy(update=change))
    yield kept
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
async def client(client_as, app):
    await a_room(app, await client_as("administrator"))
    return await client_as("radiographer")


async def work(app) -> None:
    """Do the jobs that are waiting."""
    async with app.db.transaction() as tx:
        waiting = await tx.values("SELECT id FROM reminders WHERE status = 'due' ORDER BY made_at, id")
    for reminder in waiting:
        await send(app, {"reminder": str(reminder)})


async def statuses(app) -> list[str]:
    async with app.db.transaction() as tx:
        return await tx.values("SELECT moment || ' ' || status FROM reminders ORDER BY made_at, id")


async def test_a_booking_is_confirmed_and_remembered_once_for_each_moment(client, app, gateway, clock) -> None:
    booking = await booked(client, await an_item(client), time="13:00", **CONTACT)
    await work(app)
    assert [message["to"] for message in gateway.sent] == ["+8801712345678"]
    assert gateway.sent[0]["from"] == "HOSPITAL"
    assert gateway.headers[0]["Idempotency-Key"] == gateway.sent[0]["id"]
    assert await remind_due(app) == 0, "it is more than a day"
    clock.advance(timedelta(hours=3).total_seconds())
    assert [await remind_due(app), await remind_due(app)] == [1, 0]
    clock.advance(timedelta(hours=21).total_seconds())
    assert [await remind_due(app), await remind_due(app)] == [1, 0]
    await work(app)
    assert await statuses(app) == ["booked sent", "24h sent", "3h sent"]
    told = (await client.get(f"{BOOKINGS}/{booking['id']}/messages")).json()["results"]
    assert [each["reference"] for each in told] == ["m1", "m2", "m3"]
    assert "দুপুর ১:০০" in told[2]["text"]


async def test_what_is_late_is_told_once_and_not_twice(client, app, gateway, clock) -> None:
    """The worker was away: of two moments that have passed the nearer one counts."""
    await booked(client, await an_item(client), time="13:00", **CONTACT)
    clock.advance(timedelta(hours=25).total_seconds())
    assert [await remind_due(app), await remind_due(app)] == [1, 0]
    assert (await statuses(app))[-1] == "3h due"


async def test_nothing_is_sent_after_a_cancel_or_to_the_time_before_a_move(client, app, gateway, clock) -> None:
    booking = await booked(client, await an_item(client), time="13:00", **CONTACT)
    move = {"device": "CT1", "start": "2026-01-22T12:00:00+06:00"}
    await client.put(f"{BOOKINGS}/{booking['id']}", json=move)
    await work(app)
    assert await statuses(app) == ["booked dropped", "moved sent"]
    clock.advance(timedelta(hours=10).total_seconds())
    await remind_due(app)
    await client.post(f"{BOOKINGS}/{booking['id']}/cancel", json={})
    await work(app)
    assert await statuses(app) == ["booked dropped", "moved sent", "24h dropped"]
    clock.advance(timedelta(hours=14).total_seconds())
    assert await remind_due(app) == 0
    assert len(gateway.sent) == 1


async def test_a_visit_of_one_day_is_told_of_once(client, app, gateway, clock, client_as) -> None:
    await a_room(app, await client_as("administrator", name="second"), "US1", "US")
    us = await an_item(client, "US", requestedProcedure="Ultrasonogram whole abdomen")
    body = visit((us, "US1", "11:00"), (await an_item(client), "CT1", "12:30"), **CONTACT)
    assert (await client.post(BOOKINGS, json=body)).status_code == 201
    clock.advance(timedelta(hours=2).total_seconds())
    assert await remind_due(app) == 1
    assert await statuses(app) == ["booked due", "24h due"]


async def test_who_wants_none_or_has_no_telephone_is_not_told(client, app, gateway) -> None:
    await client.post(f"{BOOKINGS}/messages/refuse", json={"mobile": "01712345678"})
    await booked(client, await an_item(client), **CONTACT)
    await booked(client, await an_item(client, number=2), time="10:00")
    quiet = {"contact": {"mobile": "01812345678", "reminders": False}}
    await booked(client, await an_item(client, number=3), time="11:00", **quiet)
    assert await statuses(app) == []
    await client.post(f"{BOOKINGS}/messages/allow", json={"mobile": "+8801712345678"})
    await booked(client, await an_item(client, number=4), time="12:00", **CONTACT)
    assert await statuses(app) == ["booked due"]
    await client.post(f"{BOOKINGS}/messages/refuse", json={"mobile": "01712345678"})
    await work(app)
    assert await statuses(app) == ["booked dropped"]
    assert (await client.post(f"{BOOKINGS}/messages/refuse", json={"mobile": "12345"})).status_code == 422


async def test_a_gateway_that_fails_is_tried_again_and_one_that_refuses_is_not(client, app, gateway) -> None:
    await booked(client, await an_item(client), **CONTACT)
    gateway.statuses = [503, 429, 202]
    for _ in range(2):
        with pytest.raises(Unavailable):
            await work(app)
    await work(app)
    await work(app)
    assert (len(gateway.sent), await statuses(app)) == (1, ["booked sent"])
    await booked(client, await an_item(client, number=2), time="11:00", **CONTACT)
    gateway.statuses = [400]
    await work(app)
    assert await statuses(app) == ["booked sent", "booked refused"]


async def test_without_a_gateway_nobody_is_told(client, app) -> None:
    await booked(client, await an_item(client), **CONTACT)
    assert (await statuses(app), await remind_due(app)) == ([], 0)


async def test_two_workers_make_one_reminder(client, app, gateway, clock) -> None:
    await booked(client, await an_item(client), time="13:00", **CONTACT)
    clock.advance(timedelta(hours=3).total_seconds())
    counts = await asyncio.gather(*(remind_due(app) for _ in range(4)))
    assert sum(counts) == 1


def test_messages_are_neutral_and_in_the_language_of_the_patient() -> None:
    zone = ZoneInfo("Asia/Dhaka")
    at = datetime(2026, 1, 22, 9, 5, tzinfo=zone)
    sender = Sender("City Hospital", "সিটি হাসপাতাল", "01700000000")
    secret = ["P4", "P6", "P8", "PG", "P12"]
    bangla = messages.text("24h", at, zone=zone, language="bn", preparations=secret, number="A12", sender=sender)
    assert bangla == (
        "সিটি হাসপাতাল: স্মরণ করিয়ে দিচ্ছি: আপনার অ্যাপয়েন্টমেন্ট ২২/০১/২০২৬ তারিখ সকাল ৯:০৫। "
        "৬ ঘণ্টা খালি পেটে থাকুন; পানি ও জরুরি ওষুধ খাওয়া যাবে। ৪ ঘণ্টা খালি পেটে আসুন; সাম্প্রতিক রিপোর্ট আনুন। "
        "নম্বর A12। প্রয়োজনে: ০১৭০০০০০০০০।"
    )
    english = messages.text(
        Moment.MOVED, at, zone=zone, language="en", preparations=["P10"], number="A12", sender=Sender()
    )
    assert english == (
        "Your appointment has been moved. It is now on 22/01/2026 at 09:05. "
        "Nothing by mouth for 8 hours, not even water. Number A12."
    )
    for word in ("pregnan", "গর্ভ", "cycle", "মাসিক", "infection", "kidney", "কিডনি"):
        assert word not in bangla + english
