"""Give studies to readers: S = 35·M + 20·L + 20·D + 10·C + 10·R + 5·K. Pure and deterministic.

Studies are given in the order in which they are read, and each one counts as load of its reader for those that follow.
M: how well the subspecialty fits; L: how much of the cap is free; D: how much time is left to the deadline when it is
read, in halves of the time there was; C: who read a prior; R: how near the reader sits; K: quality by peer review.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Final
from uuid import UUID

from radiology.kit.explaining import Factor
from radiology.reading_worklist.assigning.filters import Filters
from radiology.reading_worklist.assigning.model import (
    MOST_OPTIONS,
    NOTHING_DONE,
    SOURCE,
    Candidate,
    Decision,
    Option,
    Round,
    Rules,
)
from radiology.reading_worklist.model import Place, Priority, Waiting, in_order

_NEVER: Final = datetime.min  # noqa: DTZ901 - compared with moments without a zone only.
_FIRST: Final = Round()
_MINUTE: Final = timedelta(minutes=1)


def assign(
    waiting: Iterable[Waiting],
    readers: Iterable[Candidate],
    now: datetime,
    rules: Rules | None = None,
    rounds: Mapping[UUID, Round] = NOTHING_DONE,
) -> tuple[Decision, ...]:
    """Who is asked for each study, in the order in which they are read. The order of what comes in means nothing.

    Nobody is an option who fails a hard filter, and a study that nobody may read has no option but reasons. Equal
    scores: fewer RVU today, longest since the last assignment, lower reference. rounds: what was done for a study so
    far, by study.
    """
    assigning = _Assigning(sorted(readers, key=lambda each: each.reader.reference), now, rules or Rules())
    return tuple(assigning.decide(each, rounds.get(each.study_id, _FIRST)) for each in in_order(waiting, now))


class _Assigning:
    """Readers with their load, which grows with each study that is given."""

    def __init__(self, candidates: Sequence[Candidate], now: datetime, rules: Rules) -> None:
        self.now, self.rules, self.candidates = now, rules, candidates
        self.filters = Filters(candidates, now.astimezone(rules.zone).date())
        self.names = [each.reader.reference for each in candidates]
        self.caps = [each.reader.cap_rvu for each in candidates]
        self.open = [each.open_rvu for each in candidates]
        self.today = [each.rvu_today for each in candidates]
        self.last = [_NEVER if each.last_assigned_at is None else _naive(each.last_assigned_at) for each in candidates]
        self.quality = [self._quality(each.discrepancy_rate) for each in candidates]
        self._fit = cache(self._fit_of)
        self._near = cache(self._near_of)
        self._members = cache(self.filters.members)
        self._told = cache(self._told_of)

    def decide(self, waiting: Waiting, round: Round) -> Decision:
        """The options for a study, the best of which becomes load of its reader."""
        fits, out = self.filters.passed(waiting, round)
        excluded = {reason: self._told(readers) for reason, readers in out.items()}
        if not fits:
            return Decision(waiting, (), excluded, self.rules.version)
        best = self._best(waiting, fits)
        options = tuple(self._option(waiting, number) for number in best)
        self._give(waiting, best[0])
        return Decision(waiting, options, excluded, self.rules.version)

    def _best(self, waiting: Waiting, fits: int) -> list[int]:
        """The numbers of the best readers, the best first."""
        weights, opened, caps, quality = self.rules.weights, self.open, self.caps, self.quality
        w_fit, w_load, w_deadline, w_near, w_quality = (
            weights.subspecialty, weights.load, weights.deadline, weights.nearness, weights.quality
        )  # fmt: skip
        fit, near, continuity = self._fit(waiting.subspecialty), self._near(waiting.place), self._continuity(waiting)
        slack, span, per_rvu = self._slack(waiting)
        ranked = list[tuple[float, float, datetime, int]]()
        for number in self._members(fits):
            load = opened[number] / caps[number]
            time = (slack - opened[number] * per_rvu) / span
            score = (
                w_fit * fit[number]
                + w_load * (1.0 - load if load < 1.0 else 0.0)
                + w_deadline * (0.0 if time < 0.0 else min(time, 1.0))
                + weights.continuity * continuity.get(number, 0.0)
                + w_near * near[number]
                + w_quality * quality[number]
            )
            ranked.append((-score, self.today[number], self.last[number], number))
        ranked.sort()
        return [number for *_, number in ranked[:MOST_OPTIONS]]

    def _give(self, waiting: Waiting, number: int) -> None:
        self.open[number] += waiting.rvu
        self.today[number] += waiting.rvu
        self.last[number] = _naive(self.now)
        if self.open[number] >= self.caps[number]:
            self.filters.at_cap |= 1 << number

    def _slack(self, waiting: Waiting) -> tuple[float, float, float]:
        """Minutes to the deadline when this study alone is read, what they are divided by, minutes for each open RVU.

        What is STAT is read before all else that a reader has, so what lies open does not delay it.
        """
        deadline = waiting.deadline or self.now + timedelta(hours=waiting.sla_hours)
        per_rvu = self.rules.minutes_of_rvu
        slack = (deadline - self.now) / _MINUTE - waiting.rvu * per_rvu
        return slack, self.rules.slack * waiting.sla_hours * 60, 0.0 if waiting.priority == Priority.STAT else per_rvu

    def _continuity(self, waiting: Waiting) -> dict[int, float]:
        """Of those who read a prior: of the same patient, or even of the same region."""
        rules, filters = self.rules, self.filters
        found = dict.fromkeys(self._members(filters.named(waiting.readers_of_patient)), rules.same_patient)
        return found | dict.fromkeys(self._members(filters.named(waiting.readers_of_region)), rules.same_region)

    def _option(self, waiting: Waiting, number: int) -> Option:
        """What the score of a reader is made of."""
        rules, weights = self.rules, self.rules.weights
        candidate, place = self.candidates[number], waiting.place
        slack, span, per_rvu = self._slack(waiting)
        minutes = slack - self.open[number] * per_rvu
        continuity = self._continuity(waiting).get(number, 0.0)
        read = {rules.same_region: "region", rules.same_patient: "patient"}.get(continuity, "none")
        factors = (
            _factor(
                "subspecialty",
                candidate.reader.fit(waiting.subspecialty),
                self._fit(waiting.subspecialty)[number],
                weights.subspecialty,
            ),
            _factor("load", self.open[number], max(0.0, 1.0 - self.open[number] / self.caps[number]), weights.load),
            _factor("deadline", round(minutes, 1), min(max(minutes / span, 0.0), 1.0), weights.deadline),
            _factor("continuity", read, continuity, weights.continuity),
            _factor("nearness", _nearest(candidate, place), self._near(place)[number], weights.nearness),
            _factor("quality", candidate.discrepancy_rate, self.quality[number], weights.quality),
        )
        return Option(self.names[number], sum(factor.contribution or 0.0 for factor in factors), factors)

    def _told_of(self, readers: int) -> tuple[str, ...]:
        return tuple(self.names[number] for number in self._members(readers))

    def _fit_of(self, subspecialty: str) -> list[float]:
        return [self.rules.fit[each.reader.fit(subspecialty)] for each in self.candidates]

    def _near_of(self, place: Place) -> list[float]:
        return [self.rules.nearness[_nearest(each, place)] for each in self.candidates]

    def _quality(self, discrepancy_rate: float | None) -> float:
        if discrepancy_rate is None:
            return self.rules.assumed_quality
        return min(max(1.0 - 10.0 * discrepancy_rate, 0.0), 1.0)


def _nearest(candidate: Candidate, place: Place) -> str:
    """How near a reader sits to where the images were made."""
    home = candidate.reader.home
    if home.abroad:
        return "abroad"
    if home.facility_code and home.facility_code == place.facility_code:
        return "facility"
    if home.district and home.district == place.district:
        return "district"
    return "division" if home.division and home.division == place.division else "national"


def _factor(name: str, raw: str | float | None, normalised: float, weight: float) -> Factor:
    return Factor(name, raw, normalised, weight, weight * normalised, SOURCE)


def _naive(moment: datetime) -> datetime:
    """For comparing only: aware ones are slower to compare than those without a zone."""
    return moment.astimezone(UTC).replace(tzinfo=None)
