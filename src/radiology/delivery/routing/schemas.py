"""Bodies of routing rules over REST."""

from dataclasses import asdict
from datetime import datetime, time
from typing import Annotated, Any, Literal, Self
from uuid import UUID
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_validator, model_validator
from pydantic.alias_generators import to_camel

from radiology.delivery.routing.model import Conditions, Rule

EXAMPLE: dict[str, Any] = {
    "name": "CT of the night to the neurosurgeon",
    "conditions": {"modalities": ["CT"], "studyDescription": "*brain*", "facilityCodes": ["DMCH"]},
    "destinations": ["NEURO"],
    "sendFrom": "20:00",
    "sendUntil": "06:00",
    "bandwidthKibPerSecond": 512,
}

Word = Annotated[str, StringConstraints(min_length=1, max_length=64, strip_whitespace=True)]
Words = Annotated[list[Word], Field(max_length=100)]
AETitle = Annotated[str, StringConstraints(min_length=1, max_length=16, strip_whitespace=True)]
_CONFIGURATION = ConfigDict(extra="forbid", alias_generator=to_camel, populate_by_name=True)


class ConditionsIn(BaseModel):
    """All that are given must hold; of the values of one, any."""

    model_config = _CONFIGURATION

    calling_ae_titles: Words = Field(default_factory=list[str], description="Who sent it.")
    modalities: Words = Field(default_factory=list[str])
    station_names: Words = Field(default_factory=list[str])
    body_parts: Words = Field(default_factory=list[str])
    procedure_codes: Words = Field(default_factory=list[str])
    study_description: Annotated[str, StringConstraints(max_length=64)] = Field(
        default="", description="With * and ?, in any case."
    )
    facility_codes: Words = Field(default_factory=list[str])
    days: list[Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]] = Field(
        default_factory=list[Any], max_length=7, description="Day of the week of its arrival."
    )
    arrived_from: time | None = Field(default=None, description="Time of day of its arrival; may span midnight.")
    arrived_until: time | None = None


class RoutingRuleIn(BaseModel):
    """What is sent where, and when."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [EXAMPLE]}, alias_generator=to_camel, populate_by_name=True
    )

    name: Word
    enabled: bool = True
    priority: int = Field(default=0, ge=-1000, le=1000, description="The highest is asked first and sent first.")
    conditions: ConditionsIn = Field(default_factory=ConditionsIn)
    destinations: list[AETitle] = Field(min_length=1, max_length=20)
    send_when: Literal["instances-stored", "study-received"] = Field(
        default="instances-stored", description="As instances come, or when nothing has come for a while."
    )
    send_from: time | None = Field(default=None, description="The window in which it sends; may span midnight.")
    send_until: time | None = None
    time_zone: Word = "Asia/Dhaka"
    bandwidth_kib_per_second: int | None = Field(default=None, ge=1)
    give_up_after_days: int = Field(default=7, ge=1, le=90)

    @field_validator("time_zone")
    @classmethod
    def _must_exist(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError("is not a time zone, as Asia/Dhaka is") from None
        return name

    @model_validator(mode="after")
    def _must_be_windows(self) -> Self:
        given = self.conditions
        if (self.send_from is None) != (self.send_until is None):
            raise ValueError("sendFrom and sendUntil are given both or not at all")
        if (given.arrived_from is None) != (given.arrived_until is None):
            raise ValueError("arrivedFrom and arrivedUntil are given both or not at all")
        return self

    def rule(self, id: UUID, created_at: datetime) -> Rule:
        """The rule that it describes."""
        fields: dict[str, Any] = self.model_dump() | {"conditions": Conditions(**self.conditions.model_dump())}
        return Rule(id=id, created_at=created_at, **fields)


class RoutingRuleOut(RoutingRuleIn):
    """A rule, and since when it applies: what was stored earlier it does not send."""

    id: UUID
    created_at: datetime


def shown(rule: Rule) -> RoutingRuleOut:
    """A rule as it is answered."""
    return RoutingRuleOut(**asdict(rule))
