"""Bodies of queues over REST."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel

from radiology.scheduling.queue.model import Status
from radiology.scheduling.rooms.schemas import Body
from radiology.scheduling.schemas import FactsIn


class WalkInIn(FactsIn):
    """Somebody who comes without a booking."""

    item: UUID
    room: UUID


class TokenIn(Body):
    """What becomes of a token."""

    status: Status


class _Out(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)


class TokenOut(_Out):
    """Somebody who has arrived. Names stand there for who may see them, and never on the screen of a waiting room."""

    id: UUID
    number: int
    status: Status
    priority: str
    booked_for: datetime | None
    taken_at: datetime
    called_at: datetime | None
    calls: int
    item: UUID
    booking: UUID | None
    patient_name: str | None = None
    patient_id: str | None = None
    accession_number: str | None = None
    requested_procedure: str | None = None


class QueueOut(_Out):
    """Who is called, who waits in the order of their turn, and who did not come when called."""

    called: list[TokenOut]
    waiting: list[TokenOut]
    missed: list[TokenOut]
