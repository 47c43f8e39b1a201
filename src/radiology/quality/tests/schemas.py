"""Bodies of tests of devices over REST."""

from datetime import date
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, StringConstraints

from radiology.quality.schemas import Words
from radiology.quality.tests.actions import Done

Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9]{0,39}$")]


class TestIn(BaseModel):
    """What came out of one test of a device."""

    __test__ = False
    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {"test": "ct-water", "doneOn": "2026-01-21", "values": {"waterHU": 1.5}, "answers": {"warmedUp": True}}
            ]
        },
    )

    test: str = Field(max_length=40)
    doneOn: date  # noqa: N815 - fields are named as in JSON.
    values: dict[Name, FiniteFloat] = Field(default_factory=dict[str, float], max_length=20)
    answers: dict[Name, bool] = Field(default_factory=dict[str, bool], max_length=20)
    remark: str = Field(default="", max_length=1000)

    def done(self) -> Done:
        """What it says."""
        return Done(self.test, self.doneOn, self.values, self.answers, self.remark)


class PlanIn(BaseModel):
    """Whether a device needs a test, and why it does not."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"active": False, "reason": "It has no display of its own."}]}
    )

    active: bool
    reason: Words
