"""All indicators of a window: which there are, what they mean, and how each is answered."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from radiology.access.model import Actor, Permission
from radiology.app import App
from radiology.errors import NotFound
from radiology.kit.bilingual import Sentence
from radiology.procedures.catalogue import catalogue
from radiology.quality.indicators import imaging, reporting, throughput, timeliness, upkeep
from radiology.quality.indicators.asking import Asked, Figures, Question, asked


@dataclass(frozen=True, slots=True)
class Indicator:
    """A figure with its name, what it is made of, and who answers it."""

    key: str
    title: Sentence
    formula: str
    answer: Callable[[Asked], Awaitable[Figures]]


INDICATORS: Final[Mapping[str, Indicator]] = {
    each.key: each
    for each in (
        Indicator(
            "turnaround",
            Sentence("Turnaround", "রিপোর্ট পেতে সময়"),
            "Minutes of each stage of a study that ended in the window, as nearest-rank percentiles. Addenda "
            "and cancelled studies do not count.",
            timeliness.turnaround,
        ),
        Indicator(
            "service-level",
            Sentence("Reports in time", "সময়মতো রিপোর্ট"),
            "First final reports issued by their deadline, of all whose deadline lies in the window and that "
            "are signed, or open and late.",
            timeliness.service_level,
        ),
        Indicator(
            "backlog",
            Sentence("Backlog", "জমে থাকা পরীক্ষা"),
            "Complete studies without a final report now, by how much of the time until the deadline has passed.",
            timeliness.backlog,
        ),
        Indicator(
            "bookings",
            Sentence("Arrivals and no-shows", "উপস্থিতি ও অনুপস্থিতি"),
            "No-shows of all that was booked for the window, and cancelled bookings; why orders were "
            "cancelled, by code.",
            throughput.bookings,
        ),
        Indicator(
            "utilisation",
            Sentence("Use of devices", "যন্ত্রের ব্যবহার"),
            "Minutes in which a device is used, of those in which its room works without planned downtime.",
            throughput.utilisation,
        ),
        Indicator(
            "reject-rate",
            Sentence("Reject rate", "বাতিল ছবির হার"),
            "Original CR, DX and MG images rejected for quality (113001), of all of them. At most 8 %; look "
            "into more than 10 % and less than 2 %.",
            imaging.reject_rate,
        ),
        Indicator(
            "repeat-rate",
            Sentence("Repeat rate", "পুনরায় তোলা ছবির হার"),
            "Exposures of a projection that was exposed before in the same study, of all whose projection is known.",
            imaging.repeat_rate,
        ),
        Indicator(
            "dose",
            Sentence("Dose", "বিকিরণ মাত্রা"),
            "Median and 75th percentile of each protocol for patients of standard size, over the reference "
            "level, from 20 examinations on.",
            imaging.dose,
        ),
        Indicator(
            "exposure-index",
            Sentence("Exposure index", "এক্সপোজার সূচক"),
            "Deviation indices (IEC 62494-1) within ±1 and ±3, and their median.",
            imaging.exposure_index,
        ),
        Indicator(
            "critical-results",
            Sentence("Critical results", "জরুরি ফলাফল"),
            "Critical results acknowledged within their time. None are recorded by this version.",
            reporting.critical_results,
        ),
        Indicator(
            "report-quality",
            Sentence("Quality of reports", "রিপোর্টের মান"),
            "Versions behind the final ones, of final ones; self-approved ones; those signed in spite of "
            "warnings; those unsigned for more than 24 hours.",
            reporting.report_quality,
        ),
        Indicator(
            "peer-review",
            Sentence("Peer review", "সহকর্মী পর্যালোচনা"),
            "Reviewed reports of final ones, and significant discrepancies (2b, 3a, 3b after arbitration) of "
            "reviewed ones.",
            reporting.peer_review,
        ),
        Indicator(
            "trainee-agreement",
            Sentence("Trainees", "প্রশিক্ষণার্থীদের রিপোর্ট"),
            "Preliminary reports of residents against the final ones: no, minor or major difference.",
            reporting.trainee_agreement,
        ),
        Indicator(
            "reconciliation",
            Sentence("Reconciliation", "মিলানোর কাজ"),
            "Studies without a sure order and objects in quarantine now; how long those resolved in the "
            "window had waited.",
            upkeep.reconciliation,
        ),
        Indicator(
            "appropriateness",
            Sentence("Appropriateness", "পরীক্ষার যথার্থতা"),
            "Alerts at order time and what became of them; savings count only where the order was cancelled "
            "or replaced.",
            upkeep.appropriateness,
        ),
        Indicator(
            "availability",
            Sentence("Availability", "সেবার প্রাপ্যতা"),
            "The share of the time in which each part of the service and each link to a peer was seen to work.",
            upkeep.availability,
        ),
    )
}


async def answer(app: App, actor: Actor, question: Question, keys: Sequence[str] = ()) -> Figures:
    """The indicators of a window, or those of some keys. Raises NotPermitted, NotFound."""
    actor.must(Permission.QUALITY)
    wanted = [indicator(key) for key in keys] or list(INDICATORS.values())
    known = await catalogue(app)
    async with app.db.reading() as tx:
        ready = await asked(tx, app, known, question, visible_to=actor)
        found = await _answered(app, ready, wanted)
    return {
        "window": question.window.told,
        "filter": {dimension: sorted(values) for dimension, values in question.wanted.values.items()},
        "by": list(question.by),
        "indicators": found,
    }


async def _answered(app: App, ready: Asked, wanted: Sequence[Indicator]) -> Figures:
    """The answers in their order. Two connections share the work, so that the database and this process do not wait
    for each other."""

    async def some(of: Asked, share: Sequence[Indicator]) -> Figures:
        return {each.key: {**_told(each), **await each.answer(of)} for each in share}

    if len(wanted) == 1:
        return await some(ready, wanted)
    async with app.db.reading() as tx:
        # The first, turnaround, takes as long as all others together.
        halves = await asyncio.gather(some(ready, wanted[:1]), some(replace(ready, tx=tx), wanted[1:]))
    found = halves[0] | halves[1]
    return {each.key: found[each.key] for each in wanted}


async def month(app: App, actor: Actor, question: Question) -> tuple[Figures, list[float | None]]:
    """The indicators of a window, and by day the minutes within which 90 of 100 final reports were there."""
    answered = await answer(app, actor, question)
    known = await catalogue(app)
    async with app.db.reading() as tx:
        return answered, await timeliness.of_days(await asked(tx, app, known, question, visible_to=actor), 90)


def indicator(key: str) -> Indicator:
    """The indicator of a key. Raises NotFound."""
    found = INDICATORS.get(key)
    if found is None:
        raise NotFound(f"There is no indicator {key[:40]!r}. There are: {', '.join(INDICATORS)}.")
    return found


def _told(each: Indicator) -> Figures:
    return {"title": each.title.told(), "formula": each.formula}
