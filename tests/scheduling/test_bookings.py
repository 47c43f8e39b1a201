"""Offers and bookings over REST, with what follows in worklist, study, history and events."""

import asyncio

import pytest

from scheduling.house import a_room, an_item, booked, visit

pytestmark = pytest.mark.anyio
BOOKINGS = "/api/radiology/bookings"
SEARCH = "/api/radiology/slots/search"


@pytest.fixture
async def administrator(client_as):
    return await client_as("administrator")


@pytest.fixture
async def client(client_as):
    return await client_as("radiographer")


async def a_study(client, item) -> str:
    body = {
        "studyInstanceUID": item["studyInstanceUID"],
        "modality": [{"coding": [{"code": "CT"}]}],
        "subject": {"reference": "Patient/DMC-1"},
    }
    made = await client.post("/api/radiology/studies", json=body)
    assert made.status_code == 201, made.text
    return made.headers["location"]


async def test_an_offer_is_booked_and_the_item_gets_its_start_and_station(client, administrator, app) -> None:
    await a_room(app, administrator)
    item = await an_item(client)
    study = await a_study(client, item)
    found = (await client.post(SEARCH, json={"examinations": [{"item": item["id"]}], "firstDay": "2026-01-22"})).json()
    assert [offer["appointments"][0]["start"][:16] for offer in found["results"]] == [
        "2026-01-22T08:00", "2026-01-22T08:15", "2026-01-22T08:30",
    ]  # fmt: skip
    assert found["results"][0]["why"][0]["bangla"]
    first = found["results"][0]["appointments"][0]
    body = {"appointments": [{key: first[key] for key in ("item", "device", "start")}]}
    answer = await client.post(BOOKINGS, json=body)
    assert answer.status_code == 201, answer.text
    booking = answer.json()["bookings"][0]
    assert (booking["status"], booking["room"]["name"], booking["facts"]["minutes"]) == ("booked", "Room CT1", 15)
    changed = (await client.get(f"/api/radiology/worklist/{item['id']}")).json()
    assert (changed["start"], changed["stationAETitles"]) == ("2026-01-22T08:00:00+06:00", ["CT1"])
    assert changed["requestedProcedure"] == item["requestedProcedure"]
    assert (await client.get(study)).json()["status"] == "scheduled"
    async with app.db.transaction() as tx:
        events = await tx.values("SELECT body->>'verb' FROM outbox WHERE type = 'radiology.booking.changed.v1'")
        acts = await tx.values("SELECT action FROM audit_arrivals WHERE action LIKE 'booking.%%'")
    assert (events, acts) == (["book"], ["booking.book"])


async def test_a_time_that_is_taken_closed_or_over_is_refused_with_the_reason(client, administrator, app) -> None:
    await a_room(app, administrator)
    await booked(client, await an_item(client))
    other = await an_item(client, number=2)
    for time, reason in (("09:00", "booked"), ("09:10", "booked"), ("07:00", "closed"), ("13:50", "closed")):
        refused = await client.post(BOOKINGS, json=visit((other, "CT1", time)))
        assert (refused.status_code, reason in refused.json()["detail"]) == (409, True), refused.text
    assert (await client.post(BOOKINGS, json=visit((other, "CT1", "09:17")))).status_code == 422
    assert (await client.post(BOOKINGS, json=visit((other, "MR9", "09:15")))).status_code == 404
    past = {"appointments": [{"item": other["id"], "device": "CT1", "start": "2026-01-21T09:00:00+06:00"}]}
    assert "over" in (await client.post(BOOKINGS, json=past)).json()["detail"]
    assert (await client.get(BOOKINGS, params={"item": other["id"]})).json()["results"] == []


async def test_the_table_itself_lets_nobody_have_the_time_of_somebody_else(client, administrator, app) -> None:
    """Whatever code would do: a second row at the same time is refused by the database."""
    await a_room(app, administrator)
    await booked(client, await an_item(client))
    copied = """
        INSERT INTO bookings (id, facility_code, visit_id, step_id, room_id, device_number, begins, ends, status,
            priority, facts, unbooked, made_by, made_at, moved_at)
        SELECT gen_random_uuid(), facility_code, visit_id, %(step)s, room_id, device_number,
            begins + interval '5 minutes', ends, 'booked', priority, facts, unbooked, made_by, made_at, moved_at
        FROM bookings
    """
    other = await an_item(client, number=2)
    with pytest.raises(Exception, match="Somebody else"):
        async with app.db.transaction() as tx:
            await tx.run(copied, step=other["id"])


async def test_twenty_who_want_the_same_time_are_one_booking(client, administrator, app) -> None:
    await a_room(app, administrator)
    items = [await an_item(client, number=number) for number in range(20)]
    answers = await asyncio.gather(*(client.post(BOOKINGS, json=visit((item, "CT1", "09:00"))) for item in items))
    assert sorted(answer.status_code for answer in answers) == [201] + 19 * [409]


async def test_the_same_key_books_once_and_another_body_is_refused(client, administrator, app) -> None:
    await a_room(app, administrator)
    item = await an_item(client)
    key = {"idempotency-key": "visit-1"}
    both = await asyncio.gather(
        *(client.post(BOOKINGS, json=visit((item, "CT1", "09:00")), headers=key) for _ in range(2))
    )
    assert [answer.status_code for answer in both] == [201, 201]
    assert both[0].json() == both[1].json()
    other = await client.post(BOOKINGS, json=visit((item, "CT1", "09:30")), headers=key)
    assert other.status_code == 409


async def test_a_visit_is_booked_whole_or_not_at_all(client, administrator, app) -> None:
    await a_room(app, administrator)
    await a_room(app, administrator, "US1", "US")
    await booked(client, await an_item(client, number=9), "CT1", "09:00")
    us, ct = await an_item(client, "US"), await an_item(client, "CT")
    refused = await client.post(BOOKINGS, json=visit((us, "US1", "08:00"), (ct, "CT1", "09:00")))
    assert refused.status_code == 409
    assert (await client.get(BOOKINGS, params={"patientId": "DMC-1"})).json()["results"] == []
    twice = await client.post(BOOKINGS, json=visit((us, "US1", "09:00"), (ct, "CT1", "09:15")))
    assert twice.status_code == 201
    strange = await an_item(client, "US", number=5), await an_item(client, "CT", number=6)
    both = visit((strange[0], "US1", "10:00"), (strange[1], "CT1", "10:30"))
    assert (await client.post(BOOKINGS, json=both)).status_code == 422, "a visit is of one patient"


async def test_a_patient_is_at_one_place_at_a_time(client, administrator, app) -> None:
    await a_room(app, administrator)
    await a_room(app, administrator, "US1", "US")
    us, ct = await an_item(client, "US"), await an_item(client, "CT")
    refused = await client.post(BOOKINGS, json=visit((us, "US1", "09:00"), (ct, "CT1", "09:10")))
    assert "elsewhere" in refused.json()["detail"]


async def test_a_booking_is_moved_and_its_history_stays(client, administrator, app) -> None:
    await a_room(app, administrator)
    booking = await booked(client, item := await an_item(client))
    address = f"{BOOKINGS}/{booking['id']}"
    body = {"device": "CT1", "start": "2026-01-22T10:00:00+06:00", "reason": "asked for it"}
    moved = await client.put(address, json=body, headers={"if-match": 'W/"1"'})
    assert moved.status_code == 200, moved.text
    assert (await client.put(address, json=body, headers={"if-match": 'W/"1"'})).status_code == 412
    history = (await client.get(address)).json()["history"]
    assert [(each["verb"], each["start"][11:16]) for each in history] == [("book", "09:00"), ("reschedule", "10:00")]
    assert history[1]["reason"] == "asked for it"
    assert (await client.get(f"/api/radiology/worklist/{item['id']}")).json()["start"][11:16] == "10:00"
    await booked(client, await an_item(client, number=2), time="09:00")


async def test_a_cancelled_booking_frees_its_time_and_its_item_is_as_before(client, administrator, app) -> None:
    await a_room(app, administrator)
    item = await an_item(client, stationAETitles=["CT7"])
    booking = await booked(client, item)
    cancelled = await client.post(f"{BOOKINGS}/{booking['id']}/cancel", json={"reason": "fever"})
    assert cancelled.json()["status"] == "cancelled"
    again = (await client.get(f"/api/radiology/worklist/{item['id']}")).json()
    assert (again["start"], again["stationAETitles"], again["status"]) == (item["start"], ["CT7"], "SCHEDULED")
    assert (await client.post(f"{BOOKINGS}/{booking['id']}/cancel", json={})).status_code == 409
    await booked(client, await an_item(client, number=2))
    await booked(client, item, time="10:00")


async def test_stat_makes_routine_move_and_it_is_rebooked(client, administrator, app) -> None:
    await a_room(app, administrator)
    routine = [await booked(client, await an_item(client, number=number), time=f"{8 + number}:00".zfill(5),
                            ) for number in (1, 2)]  # fmt: skip
    stat = await an_item(client, number=9, priority="STAT")
    body = visit((stat, "CT1", "09:00"))
    assert (await client.post(BOOKINGS, json=body)).status_code == 409
    body["appointments"][0]["displaces"] = True
    answer = await client.post(BOOKINGS, json=body)
    assert answer.status_code == 201, answer.text
    moved = (await client.get(f"{BOOKINGS}/{routine[0]['id']}")).json()
    assert (moved["status"], moved["start"][:16]) == ("booked", "2026-01-22T09:15")
    assert moved["history"][-1]["reason"] == "displaced by a STAT examination"
    worklist = (await client.get(f"/api/radiology/worklist/{moved['item']}")).json()
    assert worklist["start"] == moved["start"]


async def test_routine_displaces_nobody(client, administrator, app) -> None:
    await a_room(app, administrator)
    await booked(client, await an_item(client))
    body = visit((await an_item(client, number=2), "CT1", "09:00"))
    body["appointments"][0]["displaces"] = True
    assert (await client.post(BOOKINGS, json=body)).status_code == 409


async def test_who_may_only_read_books_nothing(client, administrator, client_as, app) -> None:
    await a_room(app, administrator)
    referrer = await client_as("referrer")
    item = await an_item(client)
    assert (await referrer.post(BOOKINGS, json=visit((item, "CT1", "09:00")))).status_code == 403
    booking = await booked(client, item)
    assert (await referrer.post(f"{BOOKINGS}/{booking['id']}/cancel", json={})).status_code == 403
    assert (await referrer.get(f"{BOOKINGS}/{booking['id']}")).status_code == 200


async def test_a_list_is_paged_by_its_start(client, administrator, app) -> None:
    await a_room(app, administrator)
    for number in range(3):
        await booked(client, await an_item(client, number=number), time=f"1{number}:00")
    first = (await client.get(BOOKINGS, params={"day": "2026-01-22", "limit": 2})).json()
    assert [each["start"][11:16] for each in first["results"]] == ["10:00", "11:00"]
    second = (await client.get(first["next"])).json()
    assert ([each["start"][11:16] for each in second["results"]], second["next"]) == (["12:00"], None)


async def test_why_nothing_is_offered_is_answered(client, administrator, app) -> None:
    await a_room(app, administrator)
    found = (await client.post(SEARCH, json={"examinations": [{"modality": "MR"}]})).json()
    assert (found["results"], "No room" in found["why"]["english"]) == ([], True)
    unknown = await client.post(SEARCH, json={"examinations": [{"modality": "NM"}]})
    assert unknown.status_code == 422


async def test_nurses_and_minutes_of_the_facility_count(client, administrator, app) -> None:
    await a_room(app, administrator)
    await a_room(app, administrator, "CT2")
    rules = {
        "contrastNurses": [{"weekdays": [1, 2, 3, 4, 5, 6, 7], "begins": "09:00", "ends": "11:00"}],
        "minutes": {"CT": 20},
    }
    await administrator.put("/api/radiology/rooms/rules", json=rules)
    one = await an_item(client, contrastAgent="Iohexol")
    assert (await client.post(BOOKINGS, json=visit((one, "CT1", "08:00")))).status_code == 409
    first = await booked(client, one, time="09:00")
    assert first["end"][11:16] == "09:20"
    other = await an_item(client, number=2, contrastAgent="Iohexol")
    refused = await client.post(BOOKINGS, json=visit((other, "CT2", "09:10")))
    assert "nurse" in refused.json()["detail"]
    await booked(client, other, "CT2", "09:20")


async def test_nothing_is_left_of_a_booking_whose_item_is_erased(client, administrator, app) -> None:
    await a_room(app, administrator)
    item = await an_item(client)
    booking = await booked(client, item, contact={"mobile": "01712345678"})
    await client.post("/api/radiology/waiting-list", json={"item": item["id"]})
    await client.post(f"{BOOKINGS}/{booking['id']}/arrive")
    async with app.db.transaction() as tx:
        await tx.run("DELETE FROM scheduled_procedure_steps WHERE id = %(id)s", id=item["id"])
        left = await tx.value(
            """
            SELECT (SELECT count(*) FROM visits) + (SELECT count(*) FROM bookings) + (SELECT count(*) FROM waiting_list)
                + (SELECT count(*) FROM queue_tokens) + (SELECT count(*) FROM booking_changes)
            """
        )
    assert left == 0


async def test_days_and_moments_beyond_all_calendars_are_refused(client, administrator, app) -> None:
    room = await a_room(app, administrator)
    item = await an_item(client)
    for start in ("9999-12-31T23:55:00-12:00", "0001-01-01T00:00:00+14:00", "2026-01-22T09:00:00"):
        body = {"appointments": [{"item": item["id"], "device": "CT1", "start": start}]}
        assert (await client.post(BOOKINGS, json=body)).status_code in (400, 422)
        waiting = {"item": item["id"], "notBefore": start}
        assert (await client.post("/api/radiology/waiting-list", json=waiting)).status_code in (400, 422)
    for path in (BOOKINGS, f"/api/radiology/rooms/{room}/day"):
        assert (await client.get(path, params={"day": "9999-12-31"})).status_code in (400, 422)
