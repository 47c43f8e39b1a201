"""SQL of bookings whose device may not be used. `b` is bookings, `d` the device, `w` the item."""
# ruff: noqa: S608 - every piece is a literal and every value a parameter; the type checker proves it by LiteralString.

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from radiology.access.model import Actor
from radiology.facilities.model import Device, DeviceState
from radiology.kit.db import Transaction, Where


@dataclass(frozen=True, slots=True)
class Doubtful:
    """A booking that is to come, on a device that something speaks against. is_closed: its time itself is blocked."""

    id: UUID
    begins: datetime
    number: int
    facility_code: str
    modality: str
    state: str
    back_on: date | None
    licence_until: date | None
    blocked: str | None
    override_until: date | None
    is_closed: bool

    @property
    def registered(self) -> Device:
        """The device as the registry has it."""
        return Device(
            self.number, self.facility_code, "", self.modality, DeviceState(self.state),
            licence_until=self.licence_until, blocked=self.blocked, back_on=self.back_on,
            override_until=self.override_until,
        )  # fmt: skip


async def doubtful(
    tx: Transaction, *, now: datetime, device: int | None, limit: int, visible_to: Actor
) -> list[Doubtful]:
    """Bookings to come on devices that do not work, are blocked, or whose licence ends; or in a time that is blocked.

    The most urgent come first, then the earliest.
    """
    where = Where()
    visible_to.staff_reach.add_to_row(where, facility="b.facility_code", uid="w.study_instance_uid")
    if device is not None:
        where.add("d.number = {device}", device=device)
    return await tx.all(
        Doubtful,
        """
        SELECT b.id, b.begins, d.number, d.facility_code, d.modality, d.state, d.back_on, d.licence_until, d.blocked,
            d.override_until, closed.closed IS NOT NULL AS is_closed
        FROM bookings AS b
        JOIN devices AS d ON d.number = b.device_number
        JOIN scheduled_procedure_steps AS w ON w.id = b.step_id
        LEFT JOIN LATERAL (
            SELECT 1 AS closed
            FROM blocked_times AS t
            WHERE (t.device_number = d.number OR (t.device_number IS NULL AND t.room_id = b.room_id))
              AND t.begins < b.ends
              AND t.ends > b.begins
            LIMIT 1
        ) AS closed ON true
        WHERE b.status = 'booked'
          AND b.begins > %(now)s
          AND (d.state <> 'up' OR d.blocked IS NOT NULL OR d.licence_until <= b.begins::date
            OR closed.closed IS NOT NULL)
          AND """
        + where.condition
        + """
        ORDER BY array_position(ARRAY['stat', 'urgent', 'routine'], b.priority), b.begins, b.id
        LIMIT %(limit)s
        """,
        now=now,
        limit=limit,
        **where.parameters,
    )
