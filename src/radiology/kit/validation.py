"""What bodies of requests have in common, and what a failed validation says to people."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Final

from pydantic import AfterValidator, BaseModel, ConfigDict
from pydantic.alias_generators import to_camel
from pydantic_core import ErrorDetails

CONFIGURATION: Final = ConfigDict(extra="forbid", alias_generator=to_camel, populate_by_name=True)
"""Fields are camelCase outside, and what is no field is refused."""


class Body(BaseModel):
    """A body says nothing that we do not know."""

    model_config = CONFIGURATION


def _aware(value: datetime) -> datetime:
    if not value.tzinfo or not 2000 <= value.year <= 2999:
        raise ValueError("needs an offset, as 2026-01-22T09:00:00+06:00, and a year from 2000 to 2999")
    return value


Moment = Annotated[datetime, AfterValidator(_aware)]
"""A moment that is told with its offset."""


def sentence_of(error: ErrorDetails | Mapping[str, Any]) -> str:
    """What would be right, in one sentence."""
    kind, message = error["type"], str(error["msg"]).removeprefix("Value error, ")
    if kind == "missing":
        return "is required"
    if kind == "extra_forbidden":
        return "is not a field of this body; /docs lists those there are"
    if kind == "literal_error":
        return f"must be one of {error.get('ctx', {}).get('expected')}"
    return message[:1].lower() + message[1:]
