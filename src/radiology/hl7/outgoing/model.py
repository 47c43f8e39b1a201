"""Receivers, and what they are told of which event. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from radiology.events import OrderPlaced, OrderStatusChanged, ProcedureStepStatusChanged

STATUSES: Final = ("SC", "IP", "CM", "CA", "HD", "DC", "ER")
"""Order statuses (table 0038): scheduled, in process, completed, cancelled, held, discontinued, error."""

#: FHIR request-status as order status.
_OF_ORDER: Final[Mapping[str, str]] = {
    "active": "SC",
    "on-hold": "HD",
    "revoked": "CA",
    "completed": "CM",
    "entered-in-error": "ER",
}
_OF_STEP: Final[Mapping[str, str]] = {"STARTED": "IP", "DISCONTINUED": "DC"}
RESULT_STATUSES: Final[Mapping[str, str]] = {
    "SC": "S", "IP": "I", "CM": "R", "CA": "X", "HD": "O", "DC": "X", "ER": "X",
}  # fmt: skip
"""OBR-25 (table 0123): scheduled, in process, results stored and not verified, cancelled, order received."""
_ORDER: Final = "ServiceRequest/"


@dataclass(frozen=True, slots=True)
class Receiver:
    """A system that is told how orders fare."""

    name: str
    host: str
    port: int
    tls: bool = False
    receiving_application: str = ""
    receiving_facility: str = ""
    facility_code: str | None = None
    form: str = "ORM^O01"
    version: str = "2.5.1"
    charset: str = "UNICODE UTF-8"
    statuses: list[str] = field(default_factory=lambda: list(STATUSES))
    enabled: bool = True
    description: str = ""


@dataclass(frozen=True, slots=True)
class Delivery:
    """A message that waits for a receiver."""

    id: UUID
    receiver: str
    order_id: UUID
    control_id: str
    content: bytes
    attempts: int
    caused_at: datetime


@dataclass(frozen=True, slots=True)
class News:
    """An order, and the status that is told of it."""

    order_id: UUID
    status: str


def news_of(type: str, body: Mapping[str, Any]) -> News | None:
    """What an event tells receivers; None for nothing."""
    if type == OrderPlaced.type or type == OrderStatusChanged.type:
        status = _OF_ORDER.get(body["status"])
        return News(UUID(body["order_id"]), status) if status else None
    if type == ProcedureStepStatusChanged.type and str(body["service_request"]).startswith(_ORDER):
        status = _OF_STEP.get(body["to_status"])
        return News(UUID(body["service_request"].removeprefix(_ORDER)), status) if status else None
    return None
