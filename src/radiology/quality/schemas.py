"""What bodies and queries of quality have in common."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Final

from pydantic import StringConstraints

from radiology.app import App
from radiology.errors import Invalid
from radiology.studies.moments import read_from, read_until
from radiology.studies.parameters import NAMES

Words = Annotated[str, StringConstraints(min_length=3, max_length=2000, strip_whitespace=True)]
Code = Annotated[str, StringConstraints(pattern=r"^[A-Z0-9_]{1,64}$")]
FacilityCode = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,16}$")]

SPAN: Final = {
    "date_from": (NAMES["date_from"][0], "from this day or moment; 12 months before the end where it is left out"),
    "date_to": (NAMES["date_to"][0], "up to this moment, or to the end of this day; up to now where it is left out"),
}
_LONGEST: Final = timedelta(days=10 * 366)


@dataclass(frozen=True, slots=True)
class Span:
    """A span of time; `before` is the first moment behind it."""

    began: datetime
    before: datetime

    def told(self) -> dict[str, str]:
        """As an answer holds it: every figure says which window it is of."""
        return {"from": self.began.isoformat(), "before": self.before.isoformat()}


def span_of(given: dict[str, str], app: App) -> Span:
    """The span that a query asks for. Raises Invalid."""
    zone, before = app.settings.zone, app.clock.now() + timedelta(microseconds=1)
    if "date_to" in given:
        day, until = read_until(given["date_to"], zone, "date_to")
        before = day or (until or before) + timedelta(microseconds=1)
    began = read_from(given["date_from"], zone, "date_from") if "date_from" in given else before - timedelta(days=365)
    if not timedelta() < before.astimezone(UTC) - began.astimezone(UTC) < _LONGEST:
        raise Invalid("date_from lies behind date_to, or more than ten years before it.")
    return Span(began.astimezone(zone), before.astimezone(zone))
