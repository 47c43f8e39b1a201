"""When a peer that could not be told is tried again, and why it could not, for people."""

from datetime import datetime, timedelta
from typing import Final

from radiology.errors import RadiologyError

MINUTES_BETWEEN_ATTEMPTS: Final = (1, 5, 15)
"""Where somebody waits for the outcome: after each attempt that failed, and then no more."""
AFTER_SECONDS: Final = (60, 300, 900, 3600)
"""After each attempt; the last one again and again until `GIVEN_UP_AFTER`."""
GIVEN_UP_AFTER: Final = timedelta(hours=24)


def next_attempt_seconds(attempts: int, *, since: datetime, now: datetime) -> int | None:
    """Seconds until the next attempt after so many; None where it would come more than a day after `since`."""
    delay = AFTER_SECONDS[min(attempts, len(AFTER_SECONDS)) - 1]
    return None if now + timedelta(seconds=delay) > since + GIVEN_UP_AFTER else delay


def sentence_of(error: Exception) -> str:
    """Why a peer could not be told."""
    if isinstance(error, RadiologyError):
        return error.sentence
    if isinstance(error, OSError):
        return f"The peer cannot be reached: {error.strerror or type(error).__name__}."
    return f"{str(error)[:1].upper()}{str(error)[1:]}."
