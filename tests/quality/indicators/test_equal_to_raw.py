"""The packed days give what the plainest computation gives, on random studies, for random windows and breakdowns."""

import random
from datetime import UTC, datetime, timedelta
from math import ceil
from uuid import UUID

import pytest

from radiology.access.model import SYSTEM
from radiology.quality.indicators import fact_queries, page
from radiology.quality.indicators.asking import Question
from radiology.quality.indicators.counting import STUDIES, count_due
from radiology.quality.indicators.model import DIMENSIONS, STAGES, Fact, Filter, Window

pytestmark = pytest.mark.anyio

NOW = datetime(2026, 1, 21, 4, 30, tzinfo=UTC)
VALUES = {
    "facility": ("DMC", "CTG"), "modality": ("CT", "DX", "MR"), "priority": ("stat", "routine"),
    "subspecialty": ("neuro", "chest"),
}  # fmt: skip


def a_fact(number, chance):
    """A random study of the last 60 days; some never got anywhere, and some clocks differ."""

    def later(moment, hours, share):
        if moment is None or chance.random() > share:
            return None
        return moment + timedelta(seconds=chance.randint(-600, int(hours * 3600)))

    ordered = NOW - timedelta(minutes=chance.randint(0, 60 * 24 * 60))
    started = later(ordered, 48, 0.9)
    completed = later(started, 2, 0.9)
    hours = chance.choice((1.0, 4.0, 24.0))
    cell = [chance.choice(VALUES[name]) for name in ("facility", "modality", "priority", "subspecialty")]
    return Fact(
        UUID(int=number), (*cell, False), hours, chance.choice((0.5, 1.0, 4.0)), ordered, later(ordered, 4, 0.8),
        later(ordered, 40, 0.8), started, completed, later(completed, 10, 0.7), later(completed, 60, 0.8),
        completed + timedelta(hours=hours) if completed else None,
    )  # fmt: skip


def counts(fact, question):
    place = dict(zip(("facility", "modality", "priority", "subspecialty"), fact.cell[:4], strict=True))
    return place if all(place[name] in wanted for name, wanted in question.wanted.values.items()) else None


def within(moment, question, zone):
    return moment is not None and question.window.first <= moment.astimezone(zone).date() <= question.window.last


def percentile(values, which):
    """Nearest rank, as it is defined: the value at place ceil(p / 100 · n), counted from 1."""
    return round(sorted(values)[ceil(which / 100 * len(values)) - 1] / 60, 2) if values else None


def raw_turnaround(facts, question, zone):
    found = {}
    for stage in STAGES:
        for fact in facts:
            place = counts(fact, question)
            begins, ends = getattr(fact, stage.begins), getattr(fact, stage.ends)
            if place and begins and within(ends, question, zone) and ends >= begins:
                seconds = int((ends - begins).total_seconds())
                for key in {(), tuple(place[name] for name in question.by)}:
                    found.setdefault((stage.key, key), []).append(seconds)
    return {key: (len(each), *(percentile(each, which) for which in (50, 90, 95))) for key, each in found.items()}


def raw_level(facts, question, zone):
    found = {}
    for fact in facts:
        place = counts(fact, question)
        if place and within(fact.deadline, question, zone) and (fact.final_at or fact.deadline < NOW):
            is_met = fact.final_at is not None and fact.final_at <= fact.deadline
            for key in {(), tuple(place[name] for name in question.by)}:
                met, due = found.get(key, (0, 0))
                found[key] = (met + is_met, due + 1)
    return found


def rows_of(answer, by):
    """The answer and its rows by group."""
    if answer["n"]:
        yield (), answer
    for row in answer.get("rows", ()):
        yield tuple(row["group"][name] for name in by), row


@pytest.mark.parametrize("seed", range(4))
async def test_packed_days_equal_the_raw_computation(app, seed):
    chance = random.Random(seed)  # noqa: S311 - not for secrets.
    facts = [a_fact(number, chance) for number in range(600)]
    zone = app.settings.zone
    async with app.db.transaction() as tx:
        await fact_queries.save(tx, facts)
        days = {moment.astimezone(zone).date() for fact in facts for moment in fact.moments}
        await fact_queries.mark_due(tx, STUDIES, days, due_at=app.clock.now())
    await count_due(app)
    for _ in range(8):
        first = (NOW - timedelta(days=chance.randint(1, 70))).date()
        wanted = {
            name: frozenset(chance.sample(VALUES[name], chance.randint(1, len(VALUES[name]))))
            for name in chance.sample(DIMENSIONS, chance.randint(0, 2))
        }
        by = tuple(chance.sample(DIMENSIONS, chance.randint(1, 4)))
        question = Question(Window(first, first + timedelta(days=chance.randint(0, 70))), Filter(wanted), by)
        found = (await page.answer(app, SYSTEM, question, ("turnaround", "service-level")))["indicators"]
        told = {
            (each["stage"], key): tuple(row[name] for name in ("n", "p50Minutes", "p90Minutes", "p95Minutes"))
            for each in found["turnaround"]["stages"]
            for key, row in rows_of(each, by)
        }
        assert told == raw_turnaround(facts, question, zone)
        level = {key: (row["met"], row["n"]) for key, row in rows_of(found["service-level"], by)}
        assert level == raw_level(facts, question, zone)
