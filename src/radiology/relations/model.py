"""The kinds of relations, and how long those last that come of what people do. Pure."""

from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum
from typing import Final


class Kind(StrEnum):
    """As what somebody treats a patient."""

    ORDERER = "orderer"
    PERFORMER = "performer"
    READER = "reader"
    APPROVER = "approver"
    WARD = "ward"
    SELF = "self"


LASTS: Final[Mapping[Kind, timedelta]] = {
    Kind.ORDERER: timedelta(days=90),
    Kind.PERFORMER: timedelta(days=2),
    Kind.READER: timedelta(days=30),
    Kind.APPROVER: timedelta(days=90),
}
"""From the moment that somebody ordered, performed, read or approved."""

LONGEST: Final = timedelta(days=366)
"""No relation is made for longer; a longer treatment is confirmed once a year."""
