"""Scheduling: rooms, sessions, times that are blocked, bookings, the waiting list, queue tokens.

That nobody has a device at the time of somebody else is the database's own word: a constraint, not a check before. A
device has a number so that it can stand in it as a range of one, which needs no extension of PostgreSQL.
"""

from alembic import op

revision = "0027"
down_revision = "0026"

ROOMS = """
CREATE TABLE rooms (
    id uuid PRIMARY KEY,
    facility_code text NOT NULL,
    name text NOT NULL CHECK (length(name) BETWEEN 1 AND 64),
    name_bangla text NOT NULL DEFAULT '',
    plan jsonb NOT NULL,
    active boolean NOT NULL DEFAULT true,
    no_show_rate double precision CHECK (no_show_rate BETWEEN 0 AND 0.9),
    overbooks boolean NOT NULL DEFAULT false,
    feed_sha256 bytea UNIQUE,
    version integer NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (facility_code, name)
);
COMMENT ON COLUMN rooms.plan IS 'its week: sessions, breaks, shifts of who operates; as the API has it';
COMMENT ON COLUMN rooms.no_show_rate IS 'the share that does not come; NULL: of the bookings of the last 90 days';
COMMENT ON COLUMN rooms.overbooks IS 'whether more are booked than there are slots, as many as do not come';
COMMENT ON COLUMN rooms.feed_sha256 IS 'of the secret in the address of its calendar and of its waiting room';

CREATE TABLE devices (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    facility_code text NOT NULL,
    room_id uuid REFERENCES rooms (id) ON DELETE SET NULL,
    ae_title text CHECK (length(ae_title) BETWEEN 1 AND 16),
    name text NOT NULL DEFAULT '',
    modality text NOT NULL,
    active boolean NOT NULL DEFAULT true,
    manufacturer text NOT NULL DEFAULT '',
    model text NOT NULL DEFAULT '',
    serial_number text NOT NULL DEFAULT '',
    installed_on date,
    procedures text[],
    contrast boolean NOT NULL DEFAULT false,
    mr_conditional boolean NOT NULL DEFAULT false,
    max_weight_kg double precision CHECK (max_weight_kg > 0),
    youngest_months integer CHECK (youngest_months >= 0),
    licence_number text NOT NULL DEFAULT '',
    licence_until date,
    radiation_control_officer text NOT NULL DEFAULT '',
    tested_on date,
    state text NOT NULL DEFAULT 'up' CHECK (state IN ('up', 'down', 'maintenance', 'retired')),
    state_reason text NOT NULL DEFAULT '',
    state_since timestamptz NOT NULL DEFAULT now(),
    back_on date,
    blocked text,
    blocked_since timestamptz,
    override_until date,
    override_reason text,
    override_by text,
    version integer NOT NULL DEFAULT 1,
    UNIQUE (facility_code, ae_title)
);
CREATE UNIQUE INDEX devices_name ON devices (facility_code, name) WHERE name <> '';
CREATE INDEX devices_room ON devices (room_id);
COMMENT ON TABLE devices IS 'the registry of all devices, those with a room and an application entity and those without';
COMMENT ON COLUMN devices.active IS 'whether it is booked in its room';
COMMENT ON COLUMN devices.procedures IS 'keys of the catalogue that it can do; NULL: all of its modality';
COMMENT ON COLUMN devices.back_on IS 'the day from which it is expected to work again';
COMMENT ON COLUMN devices.blocked IS 'why nothing new is booked on it; NULL: nothing speaks against it';
COMMENT ON COLUMN devices.override_until IS 'the last day on which it is used in spite of a block or of its licence';

CREATE TABLE blocked_times (
    id uuid PRIMARY KEY,
    facility_code text NOT NULL,
    room_id uuid REFERENCES rooms (id) ON DELETE CASCADE,
    device_number bigint REFERENCES devices (number) ON DELETE CASCADE,
    begins timestamptz NOT NULL,
    ends timestamptz NOT NULL CHECK (ends > begins),
    kind text NOT NULL CHECK (kind IN ('maintenance', 'power-cut', 'quality-control', 'staff', 'other')),
    reason text NOT NULL DEFAULT '',
    made_by text NOT NULL,
    made_at timestamptz NOT NULL,
    CHECK (num_nonnulls(room_id, device_number) > 0)
);
CREATE INDEX blocked_times_room ON blocked_times (room_id, ends);
CREATE INDEX blocked_times_device ON blocked_times (device_number, ends);
COMMENT ON COLUMN blocked_times.room_id IS 'NULL: planned downtime of the device, wherever it stands';
COMMENT ON COLUMN blocked_times.device_number IS 'NULL: the whole room';

CREATE TABLE calendar_days (
    facility_code text NOT NULL,
    day date NOT NULL,
    kind text NOT NULL CHECK (kind IN ('holiday', 'ramadan')),
    name text NOT NULL DEFAULT '',
    name_bangla text NOT NULL DEFAULT '',
    iftar time,
    PRIMARY KEY (facility_code, day, kind)
);

CREATE TABLE scheduling_rules (
    facility_code text PRIMARY KEY,
    rules jsonb NOT NULL,
    version integer NOT NULL DEFAULT 1
);
COMMENT ON COLUMN scheduling_rules.rules IS 'breaks, nurses, minutes, grace, reminders of a facility; as the API has them';
"""

BOOKINGS = """
CREATE TABLE visits (
    id uuid PRIMARY KEY,
    facility_code text NOT NULL,
    idempotency_key text,
    request_sha256 bytea,
    mobile text NOT NULL DEFAULT '',
    language text NOT NULL DEFAULT 'bn' CHECK (language IN ('bn', 'en')),
    reminders boolean NOT NULL DEFAULT true,
    made_by text NOT NULL,
    made_at timestamptz NOT NULL,
    UNIQUE (facility_code, made_by, idempotency_key)
);
COMMENT ON COLUMN visits.mobile IS 'as +8801XXXXXXXXX; empty: that of the patient in the registry';

CREATE TABLE bookings (
    id uuid PRIMARY KEY,
    facility_code text NOT NULL,
    visit_id uuid NOT NULL REFERENCES visits (id),
    step_id uuid NOT NULL REFERENCES scheduled_procedure_steps (id) ON DELETE CASCADE,
    room_id uuid NOT NULL REFERENCES rooms (id),
    device_number bigint NOT NULL REFERENCES devices (number),
    begins timestamptz NOT NULL,
    ends timestamptz NOT NULL CHECK (ends > begins),
    during tstzrange NOT NULL GENERATED ALWAYS AS (tstzrange(begins, ends)) STORED,
    lane integer NOT NULL DEFAULT 0 CHECK (lane >= 0),
    status text NOT NULL CHECK (status IN ('held', 'booked', 'arrived', 'no-show', 'cancelled')),
    priority text NOT NULL CHECK (priority IN ('stat', 'urgent', 'routine')),
    facts jsonb NOT NULL,
    unbooked jsonb NOT NULL,
    external_id text,
    version integer NOT NULL DEFAULT 1,
    made_by text NOT NULL,
    made_at timestamptz NOT NULL,
    moved_at timestamptz NOT NULL,
    arrived_at timestamptz,
    CONSTRAINT bookings_one_at_a_time EXCLUDE USING gist (
        (int8range(device_number, device_number, '[]')) WITH &&,
        (int4range(lane, lane, '[]')) WITH &&,
        during WITH &&
    ) WHERE (status IN ('held', 'booked', 'arrived'))
);
CREATE UNIQUE INDEX bookings_one_of_step ON bookings (step_id) WHERE status IN ('booked', 'arrived');
CREATE UNIQUE INDEX bookings_external ON bookings (facility_code, external_id)
    WHERE external_id IS NOT NULL AND status <> 'cancelled';
CREATE INDEX bookings_device ON bookings (device_number, begins);
CREATE INDEX bookings_room ON bookings (room_id, begins);
CREATE INDEX bookings_step ON bookings (step_id);
CREATE INDEX bookings_visit ON bookings (visit_id);
CREATE INDEX bookings_coming ON bookings (begins) WHERE status = 'booked';
COMMENT ON COLUMN bookings.lane IS '0, or which of the bookings beside it this is';
COMMENT ON COLUMN bookings.facts IS 'what the examination asks for';
COMMENT ON COLUMN bookings.unbooked IS 'start and stations of the item before it was booked, to which it returns';
COMMENT ON COLUMN bookings.external_id IS 'under which another system booked it (HL7 SIU, SCH-1 or SCH-2)';
COMMENT ON COLUMN bookings.version IS 'the SEQUENCE of RFC 5545 is one less';

CREATE TABLE booking_changes (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    booking_id uuid NOT NULL REFERENCES bookings (id) ON DELETE CASCADE,
    verb text NOT NULL,
    room_id uuid NOT NULL,
    device_number bigint NOT NULL,
    begins timestamptz NOT NULL,
    ends timestamptz NOT NULL,
    status text NOT NULL,
    actor text NOT NULL,
    reason text NOT NULL DEFAULT '',
    occurred_at timestamptz NOT NULL
);
CREATE INDEX booking_changes_booking ON booking_changes (booking_id);
COMMENT ON TABLE booking_changes IS 'what a booking was after each step';

CREATE FUNCTION forget_empty_visits() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM visits
    WHERE id IN (SELECT visit_id FROM gone)
      AND NOT EXISTS (SELECT FROM bookings WHERE bookings.visit_id = visits.id);
    RETURN NULL;
END
$$;
CREATE TRIGGER bookings_forget_visits AFTER DELETE ON bookings
    REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION forget_empty_visits();
COMMENT ON FUNCTION forget_empty_visits() IS 'who erases the item of a patient erases the telephone number, too';
"""

QUEUE = """
CREATE TABLE queue_tokens (
    id uuid PRIMARY KEY,
    facility_code text NOT NULL,
    room_id uuid NOT NULL REFERENCES rooms (id),
    day date NOT NULL,
    number integer NOT NULL,
    step_id uuid NOT NULL REFERENCES scheduled_procedure_steps (id) ON DELETE CASCADE,
    booking_id uuid REFERENCES bookings (id) ON DELETE CASCADE,
    priority text NOT NULL,
    facts jsonb NOT NULL,
    status text NOT NULL DEFAULT 'waiting' CHECK (status IN ('waiting', 'called', 'missed', 'left')),
    taken_at timestamptz NOT NULL,
    called_at timestamptz,
    calls integer NOT NULL DEFAULT 0,
    UNIQUE (room_id, day, number)
);
CREATE INDEX queue_tokens_step ON queue_tokens (step_id);
CREATE INDEX queue_tokens_booking ON queue_tokens (booking_id);

CREATE TABLE waiting_list (
    id uuid PRIMARY KEY,
    facility_code text NOT NULL,
    step_id uuid NOT NULL REFERENCES scheduled_procedure_steps (id) ON DELETE CASCADE,
    priority text NOT NULL,
    facts jsonb NOT NULL,
    not_before timestamptz,
    mobile text NOT NULL DEFAULT '',
    language text NOT NULL DEFAULT 'bn' CHECK (language IN ('bn', 'en')),
    status text NOT NULL DEFAULT 'waiting' CHECK (status IN ('waiting', 'offered', 'booked', 'left')),
    booking_id uuid REFERENCES bookings (id) ON DELETE SET NULL,
    expires_at timestamptz,
    declined integer NOT NULL DEFAULT 0,
    looked_at timestamptz,
    made_by text NOT NULL,
    made_at timestamptz NOT NULL
);
CREATE UNIQUE INDEX waiting_list_step ON waiting_list (step_id) WHERE status IN ('waiting', 'offered');
COMMENT ON COLUMN waiting_list.booking_id IS 'the time that is held for it until expires_at, or that it was given';
"""

REMINDERS = """
CREATE TABLE reminders (
    id uuid PRIMARY KEY,
    facility_code text NOT NULL,
    booking_id uuid NOT NULL REFERENCES bookings (id) ON DELETE CASCADE,
    moment text NOT NULL,
    begins timestamptz NOT NULL,
    mobile text NOT NULL,
    language text NOT NULL,
    text text NOT NULL DEFAULT '',
    status text NOT NULL DEFAULT 'due' CHECK (status IN ('due', 'sent', 'refused', 'dropped')),
    attempts integer NOT NULL DEFAULT 0,
    reference text NOT NULL DEFAULT '',
    reason text NOT NULL DEFAULT '',
    made_at timestamptz NOT NULL,
    ended_at timestamptz,
    UNIQUE (booking_id, moment, begins)
);
COMMENT ON COLUMN reminders.begins IS 'the start it tells of: who is moved is told anew';
COMMENT ON COLUMN reminders.reference IS 'what the gateway calls the message';

CREATE TABLE reminder_refusals (
    facility_code text NOT NULL,
    mobile text NOT NULL,
    refused_at timestamptz NOT NULL,
    refused_by text NOT NULL,
    PRIMARY KEY (facility_code, mobile)
);
COMMENT ON TABLE reminder_refusals IS 'who wants no reminders';
"""


def upgrade() -> None:
    """Apply."""
    for statements in (ROOMS, BOOKINGS, QUEUE, REMINDERS):
        op.execute(statements)
