"""All indicators of a window: which there are, what they mean, and how each is answered."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from radiology.access.model import Actor, Permission
from radiology.app import App
from radiology.errors import NotFound
from radiology.kit.bilingual import Sentence
from radiology.quality.indicators import timeliness
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
            "Minutes of each stage of a study that ended in the window: nearest-rank percentiles. Addenda and cancelled "
            "studies do not count.",
            timeliness.turnaround,
        ),
        Indicator(
            "service-level",
            Sentence("Reports in time", "সময়মতো রিপোর্ট"),
            "First final reports issued by their deadline, of all whose deadline lies in the window and that are signed, "
            "or open and late.",
            timeliness.service_level,
        ),
        Indicator(
            "backlog",
            Sentence("Backlog", "জমে থাকা পরীক্ষা"),
            "Complete studies without a final report now, by how much of the time until the deadline has passed.",
            timeliness.backlog,
        ),
    )
}


async def answer(app: App, actor: Actor, question: Question, keys: Sequence[str] = ()) -> Figures:
    """The indicators of a window, or those of some keys. Raises NotPermitted, NotFound."""
    actor.must(Permission.QUALITY)
    wanted = [indicator(key) for key in keys] or list(INDICATORS.values())
    async with app.db.reading() as tx:
        ready = await asked(tx, question, visible_to=actor, now=app.clock.now(), zone=app.settings.zone)
        found = {each.key: {**_told(each), **await each.answer(ready)} for each in wanted}
    return {
        "window": question.window.told,
        "filter": {dimension: sorted(values) for dimension, values in question.wanted.values.items()},
        "by": list(question.by),
        "indicators": found,
    }


def indicator(key: str) -> Indicator:
    """The indicator of a key. Raises NotFound."""
    found = INDICATORS.get(key)
    if found is None:
        raise NotFound(f"There is no indicator {key[:40]!r}. There are: {', '.join(INDICATORS)}.")
    return found


def _told(each: Indicator) -> Figures:
    return {"title": each.title.told(), "formula": each.formula}
