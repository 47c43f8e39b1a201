"""Bodies of prefetch rules over REST."""

from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from pydantic.alias_generators import to_camel

from radiology.prefetch.model import PROCEDURE_SCHEDULED, STUDY_ARRIVED, Conditions, Rule

EXAMPLE: dict[str, Any] = {
    "name": "Earlier CT and chest films from the old PACS",
    "conditions": {"modalities": ["CT"]},
    "sources": ["OLDPACS"],
    "destinations": ["READING1"],
    "most": 3,
}

Word = Annotated[str, StringConstraints(min_length=1, max_length=64, strip_whitespace=True)]
Words = Annotated[list[Word], Field(max_length=100)]
AETitle = Annotated[str, StringConstraints(min_length=1, max_length=16, strip_whitespace=True)]
_CONFIGURATION = ConfigDict(extra="forbid", alias_generator=to_camel, populate_by_name=True)


class ConditionsIn(BaseModel):
    """All that are given must hold; of the values of one, any."""

    model_config = _CONFIGURATION

    modalities: Words = Field(default_factory=list[str])
    facility_codes: Words = Field(default_factory=list[str])
    procedure_codes: Words = Field(default_factory=list[str])
    study_description: Annotated[str, StringConstraints(max_length=64)] = Field(
        default="", description="With * and ?, in any case."
    )


class PrefetchRuleIn(BaseModel):
    """Which earlier studies of a patient are fetched, from where, and when."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [EXAMPLE]}, alias_generator=to_camel, populate_by_name=True
    )

    name: Word
    enabled: bool = True
    causes: list[Literal["study-arrived", "procedure-scheduled"]] = Field(
        default_factory=lambda: list[Any]([PROCEDURE_SCHEDULED, STUDY_ARRIVED]), min_length=1, max_length=2
    )
    conditions: ConditionsIn = Field(default_factory=ConditionsIn, description="Of the new study.")
    sources: list[AETitle] = Field(
        default_factory=list[str], max_length=10, description="Archives that are asked, beside this one."
    )
    destinations: list[AETitle] = Field(
        default_factory=list[str], max_length=10, description="Where chosen studies are sent once they are here."
    )
    most: int = Field(default=3, ge=1, le=20, description="How many earlier studies at most.")
    not_older_than_days: int = Field(default=1825, ge=1, le=36_500, description="By Study Date.")
    related_only: bool = Field(
        default=True, description="No study that shows another region of the body and is of another modality."
    )

    def rule(self, id: UUID, created_at: datetime) -> Rule:
        """The rule that it describes."""
        fields: dict[str, Any] = self.model_dump() | {"conditions": Conditions(**self.conditions.model_dump())}
        return Rule(id=id, created_at=created_at, **fields)


class PrefetchRuleOut(PrefetchRuleIn):
    """A rule as it is answered."""

    id: UUID
    created_at: datetime


def shown(rule: Rule) -> PrefetchRuleOut:
    """A rule as it is answered."""
    return PrefetchRuleOut(**asdict(rule))
