"""SQL of messages of performed procedure steps that are passed on."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from radiology.kit.db import Transaction
from radiology.modality_worklist.performed_queries import storable


@dataclass(frozen=True, slots=True)
class Recipient:
    """A system that wants messages of modalities, or is told that there was one."""

    ae_title: str
    forwards: bool
    notifies: bool


@dataclass(frozen=True, slots=True)
class QueuedMessage:
    """A message that waits for a system. `event_type` is that of an N-EVENT-REPORT."""

    id: int
    ae_title: str
    sop_instance_uid: str
    operation: str
    attributes: dict[str, Any]
    event_type: int | None
    attempts: int
    caused_at: datetime


async def recipients(tx: Transaction, facility_code: str, *, but: str) -> list[Recipient]:
    """Those that want what is reported in a facility, without the one that reports it."""
    return await tx.all(
        Recipient,
        """
        SELECT ae_title, 'mpps-forward' = ANY(services) AS forwards, 'mpps-notify' = ANY(services) AS notifies
        FROM application_entities
        WHERE services && '{mpps-forward,mpps-notify}'
          AND enabled
          AND ae_title <> %(but)s
          AND (facility_code IS NULL OR facility_code = %(facility_code)s)
        ORDER BY ae_title
        """,
        facility_code=facility_code,
        but=but,
    )


async def queue(
    tx: Transaction, ae_title: str, sop_instance_uid: str, operation: str, *, attributes: Mapping[str, Any],
    event_type: int | None, at: datetime,
) -> None:  # fmt: skip
    """A message that is to be sent, behind all that wait."""
    await tx.run(
        """
        INSERT INTO performed_step_messages (ae_title, sop_instance_uid, operation, attributes, event_type, caused_at)
        VALUES (%(ae_title)s, %(sop_instance_uid)s, %(operation)s, %(attributes)s, %(event_type)s, %(at)s)
        """,
        ae_title=ae_title,
        sop_instance_uid=sop_instance_uid,
        operation=operation,
        attributes=storable(dict(attributes)),
        event_type=event_type,
        at=at,
    )


async def next_message(tx: Transaction, ae_title: str, sop_instance_uid: str) -> QueuedMessage | None:
    """The oldest message of a step that waits for a system."""
    return await tx.maybe(
        QueuedMessage,
        """
        SELECT id, ae_title, sop_instance_uid, operation, attributes, event_type, attempts, caused_at
        FROM performed_step_messages
        WHERE ae_title = %(ae_title)s
          AND sop_instance_uid = %(sop_instance_uid)s
          AND state = 'open'
        ORDER BY id
        LIMIT 1
        """,
        ae_title=ae_title,
        sop_instance_uid=sop_instance_uid,
    )


async def change(tx: Transaction, id: int, *, state: str, sentence: str, at: datetime) -> None:
    """An attempt was made; the sentence says why it did not succeed."""
    await tx.run(
        """
        UPDATE performed_step_messages
        SET state = %(state)s, sentence = %(sentence)s, attempts = attempts + 1, changed_at = %(at)s
        WHERE id = %(id)s
        """,
        id=id,
        state=state,
        sentence=sentence,
        at=at,
    )


async def give_up(tx: Transaction, ae_title: str, sop_instance_uid: str, *, at: datetime) -> None:
    """Nothing more of a step is sent to a system."""
    await tx.run(
        """
        UPDATE performed_step_messages
        SET state = 'given-up', changed_at = %(at)s
        WHERE ae_title = %(ae_title)s
          AND sop_instance_uid = %(sop_instance_uid)s
          AND state = 'open'
        """,
        ae_title=ae_title,
        sop_instance_uid=sop_instance_uid,
        at=at,
    )
