"""What the choice of a facility takes from the indicators: how each facility did each modality in the last 30 days."""

from datetime import date, timedelta
from typing import Any, Final

from radiology.access.model import SYSTEM
from radiology.app import App
from radiology.facilities.choosing.queries import CountedFigures, save_counted
from radiology.procedures.lookup import catalogued
from radiology.quality.indicators import page
from radiology.quality.indicators.asking import Question
from radiology.quality.indicators.model import HEADLINE, Filter, Window

DAYS: Final = 30
FEWEST: Final = 5
"""Of fewer studies nothing is concluded."""
_KEYS: Final = ("turnaround", "service-level", "reject-rate", "dose")
_Place = tuple[str, str]


async def figures(app: App, on: date) -> list[CountedFigures]:
    """By facility and modality: median hours from images to report, reject rate, share in time, dose over reference.

    Of 30 days until a day. What too few studies tell is None. Of doses the protocol counts that is farthest above.
    """
    window = Window(on - timedelta(days=DAYS - 1), on)
    question = Question(window, Filter(), ("facility", "modality"))
    answer = (await page.answer(app, SYSTEM, question, _KEYS))["indicators"]
    headline = next(each for each in answer["turnaround"]["stages"] if each["stage"] == HEADLINE)
    turnaround = {place: row["p50Minutes"] / 60 for place, row in _rows(headline)}
    in_time = {place: row["share"] for place, row in _rows(answer["service-level"])}
    rejects = {place: row["rate"] for place, row in _rows(answer["reject-rate"])}
    doses: dict[_Place, float] = {}
    for each in answer["dose"]["protocols"]:
        if each["ratio"] is not None:
            place = (each["facilityCode"], catalogued(each["modality"]))
            doses[place] = max(doses.get(place, 0.0), each["ratio"])
    return [
        CountedFigures(
            *place,
            turnaround_hours=turnaround.get(place),
            reject_rate=rejects.get(place),
            sla_met=in_time.get(place),
            dose_ratio=doses.get(place),
        )
        for place in sorted({*turnaround, *in_time, *rejects, *doses})
    ]


def _rows(answer: dict[str, Any]) -> list[tuple[_Place, dict[str, Any]]]:
    """Rows of enough studies by facility and modality of the catalogue; DX counts before CR, which is one with it."""
    found = [row for row in answer.get("rows", ()) if row["n"] is not None and row["n"] >= FEWEST]
    found.sort(key=lambda row: row["group"]["modality"] == catalogued(row["group"]["modality"]))
    return [((row["group"]["facility"], catalogued(row["group"]["modality"])), row) for row in found]


async def tell_figures(app: App) -> int:
    """Let the choice of a facility know the figures of today; returns how many facilities and modalities have some."""
    found = await figures(app, app.clock.now().astimezone(app.settings.zone).date())
    async with app.db.transaction() as tx:
        await save_counted(tx, found)
    return len(found)
