"""What tells of a study because it was booked: a booking in a room, a token, a place on the waiting list."""

from typing import Any
from uuid import UUID

from radiology.kit.ids import uuid7

_FACTS = """
    jsonb_build_object('minutes', 15, 'priority', 'routine', 'fastingHours', 0, 'diabetic', false, 'contrast', false,
        'barium', false, 'isolation', true, 'femaleOperator', false, 'sedation', false, 'preparations', '[]'::jsonb,
        'note', %(secret)s || ' facts')
"""
_UNBOOKED = """'{"start": "2026-01-21T11:00:00+06:00", "stations": [], "location": null}'"""
_ROOM = """
    INSERT INTO rooms (id, facility_code, name, plan)
    VALUES (%(room)s::uuid, %(facility)s, 'Room ' || %(room)s::text, '{}')
"""
_DEVICE = """
    INSERT INTO devices (facility_code, room_id, ae_title, modality)
    VALUES (%(facility)s, %(room)s::uuid, left(md5(%(room)s::text), 16), 'CT')
"""
_VISIT = """
    INSERT INTO visits (id, facility_code, mobile, made_by, made_at)
    VALUES (%(visit)s, %(facility)s, %(secret)s || ' mobile', 'account:writer', now())
"""
_BOOKING = """
    INSERT INTO bookings (id, facility_code, visit_id, step_id, room_id, device_number, begins, ends, status, priority,
        facts, unbooked, external_id, made_by, made_at, moved_at)
    SELECT %(booking)s, facility_code, %(visit)s, %(item)s, %(room)s, number, '2026-01-21 05:00Z', '2026-01-21 06:00Z',
        'arrived', 'routine', {facts}, {unbooked}, %(secret)s || ' external', 'account:writer', now(), now()
    FROM devices
    WHERE room_id = %(room)s
"""
_CHANGE = """
    INSERT INTO booking_changes (booking_id, verb, room_id, device_number, begins, ends, status, actor, reason,
        occurred_at)
    SELECT id, 'book', room_id, device_number, begins, ends, status, made_by, %(secret)s || ' moved', now()
    FROM bookings
    WHERE id = %(booking)s
"""
_TOKEN = """
    INSERT INTO queue_tokens (id, facility_code, room_id, day, number, step_id, booking_id, priority, facts, taken_at)
    VALUES (%(token)s, %(facility)s, %(room)s, '2026-01-21', 1, %(item)s, %(booking)s, 'routine', {facts}, now())
"""
_ENTRY = """
    INSERT INTO waiting_list (id, facility_code, step_id, priority, facts, mobile, made_by, made_at)
    VALUES (%(entry)s, %(facility)s, %(item)s, 'routine', {facts}, %(secret)s || ' waits', 'account:writer', now())
"""
_REMINDER = """
    INSERT INTO reminders (id, facility_code, booking_id, moment, begins, mobile, language, text, made_at)
    VALUES (%(visit)s, %(facility)s, %(booking)s, '24h', now(), '', 'bn', %(secret)s || ' told', now())
"""


async def seed_booking(tx: Any, item: UUID, facility: str, secret: str) -> dict[str, str]:
    """A booking, a token and a wait for an item; their identifiers by the path parameters that name them."""
    names = {name: str(uuid7()) for name in ("room", "visit", "booking", "token", "entry")}
    for statement in (_ROOM, _DEVICE, _VISIT, _BOOKING, _CHANGE, _TOKEN, _ENTRY, _REMINDER):
        written = statement.replace("{facts}", _FACTS).replace("{unbooked}", _UNBOOKED)
        await tx.run(written, item=item, facility=facility, secret=secret, **names)
    return {f"{name}_id": names[name] for name in ("room", "booking", "token", "entry")}
