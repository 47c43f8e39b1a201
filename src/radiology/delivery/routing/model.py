"""Routing rules: what they match, when they send, and when a destination that failed is tried again. Plain values."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from fnmatch import fnmatchcase
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

INSTANCES_STORED: Final = "instances-stored"
STUDY_RECEIVED: Final = "study-received"
RETRY_SECONDS: Final = (60, 300, 900, 3600)
"""After each attempt; the last one again and again until the rule gives up."""
DAYS_OF_WEEK: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@dataclass(frozen=True, slots=True)
class Subject:
    """Instances of one series that came from one sender in one minute: what a rule is asked about."""

    series_id: UUID
    minute: datetime
    source_ae_title: str
    modality: str
    station_name: str
    body_part: str
    procedure_codes: list[str]
    study_description: str
    facility_code: str


@dataclass(frozen=True, slots=True)
class Conditions:
    """All that are given must hold; of the values of one condition, any. Without conditions everything matches.

    calling_ae_titles: who sent it. study_description: with `*` and `?`, in any case. days: `mon` to `sun`.
    arrived_from, arrived_until: time of day of its arrival, in the time zone of the rule; may span midnight.
    """

    calling_ae_titles: list[str] = field(default_factory=list[str])
    modalities: list[str] = field(default_factory=list[str])
    station_names: list[str] = field(default_factory=list[str])
    body_parts: list[str] = field(default_factory=list[str])
    procedure_codes: list[str] = field(default_factory=list[str])
    study_description: str = ""
    facility_codes: list[str] = field(default_factory=list[str])
    days: list[str] = field(default_factory=list[str])
    arrived_from: time | None = None
    arrived_until: time | None = None


@dataclass(frozen=True, slots=True)
class Rule:
    """One routing rule. A higher priority is sent first; the window and the days are of its time zone."""

    id: UUID
    name: str
    enabled: bool
    priority: int
    conditions: Conditions
    destinations: list[str]
    send_when: str
    send_from: time | None
    send_until: time | None
    time_zone: str
    bandwidth_kib_per_second: int | None
    give_up_after_days: int
    created_at: datetime

    def why_not(self, subject: Subject) -> str:
        """Why it does not match, as a sentence; empty where it matches."""
        wanted, arrived = self.conditions, subject.minute.astimezone(ZoneInfo(self.time_zone))
        lists = (
            ("The calling AE title", wanted.calling_ae_titles, [subject.source_ae_title]),
            ("The modality", wanted.modalities, [subject.modality]),
            ("The station name", wanted.station_names, [subject.station_name]),
            ("The body part", wanted.body_parts, [subject.body_part]),
            ("The procedure code", wanted.procedure_codes, subject.procedure_codes),
            ("The facility", wanted.facility_codes, [subject.facility_code]),
            ("The day of arrival", wanted.days, [DAYS_OF_WEEK[arrived.weekday()]]),
        )
        if not self.enabled:
            return "The rule is disabled."
        for name, values, given in lists:
            if values and not set(values) & set(given):
                return f"{name} is {', '.join(given) or 'not known'}, not {' or '.join(values)}."
        pattern = wanted.study_description.casefold()
        if pattern and not fnmatchcase(subject.study_description.casefold(), pattern.replace("[", "[[]")):
            return f"The study description does not match {wanted.study_description}."
        if not _is_between(arrived.time(), wanted.arrived_from, wanted.arrived_until):
            return (
                f"It arrived at {arrived:%H:%M}, not from {wanted.arrived_from:%H:%M} to {wanted.arrived_until:%H:%M}."
            )
        return ""

    def opens_at(self, now: datetime) -> datetime:
        """When it may send: now, or when its window opens the next time."""
        local = now.astimezone(ZoneInfo(self.time_zone))
        if self.send_from is None or _is_between(local.time(), self.send_from, self.send_until):
            return now
        opening = local.replace(hour=self.send_from.hour, minute=self.send_from.minute, second=0, microsecond=0)
        return opening if opening > local else opening + timedelta(days=1)


def _is_between(moment: time, first: time | None, last: time | None) -> bool:
    """Whether a time of day lies in a window, which may span midnight; what is not given does not limit it."""
    if first is None or last is None:
        return True
    return first <= moment < last if first <= last else moment >= first or moment < last


def destinations_of(rules: Sequence[Rule], subject: Subject) -> dict[str, Rule]:
    """Where a subject is sent, each with the first rule, in the order given, that says so; never to its sender."""
    found: dict[str, Rule] = {}
    for rule in rules:
        if not rule.why_not(subject):
            for ae_title in rule.destinations:
                if ae_title != subject.source_ae_title:
                    found.setdefault(ae_title, rule)
    return found


def next_attempt_at(attempts: int, *, since: datetime, now: datetime, give_up_after_days: int) -> datetime | None:
    """When it is tried again after so many attempts; None where that is later than the rule waits."""
    following = now + timedelta(seconds=RETRY_SECONDS[min(attempts, len(RETRY_SECONDS)) - 1])
    return None if following > since + timedelta(days=give_up_after_days) else following
