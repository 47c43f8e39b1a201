"""Indicators over REST, for who answers for quality."""

from datetime import date, timedelta
from types import MappingProxyType
from typing import Annotated, Any, Final

import orjson
from fastapi import APIRouter, Depends, Query, Response

from radiology.doors.http.actors import CurrentActor, CurrentApp
from radiology.doors.http.answers import JSON
from radiology.doors.http.bodies import StrictJSONRoute
from radiology.errors import Invalid
from radiology.quality.indicators import page
from radiology.quality.indicators.asking import Question
from radiology.quality.indicators.model import DIMENSIONS, Dimension, Filter, Window

PATH: Final = "/api/radiology/quality/indicators"
DAYS: Final = 30
"""The window where none is asked for: so many days until today."""
_KEPT_NOWHERE = {"Cache-Control": "private, no-store"}

router = APIRouter(prefix=PATH, tags=["quality"], route_class=StrictJSONRoute)

First = Annotated[date | None, Query(alias="from", description="The first day; 30 days until `to` without it.")]
Last = Annotated[date | None, Query(alias="to", description="The last day, today without it.")]
Values = Annotated[list[str] | None, Query(max_length=100, description="One value or several, by comma or again.")]
By = Annotated[
    list[str] | None, Query(description="A row for each of these: priority, modality, facility, subspecialty.")
]


async def question_of(
    app: CurrentApp,
    first: First = None,
    last: Last = None,
    priority: Values = None,
    modality: Values = None,
    facility: Values = None,
    subspecialty: Values = None,
    by: By = None,
) -> Question:
    """Which window, which studies, and which breakdown. Raises Invalid."""
    end = last or app.clock.now().astimezone(app.settings.zone).date()
    window = Window(first or end - timedelta(days=DAYS - 1), end)
    given: dict[Dimension, list[str] | None] = {
        "priority": priority, "modality": modality, "facility": facility, "subspecialty": subspecialty,
    }  # fmt: skip
    wanted: dict[Dimension, frozenset[str]] = {
        dimension: frozenset(_each(values)) for dimension, values in given.items() if values
    }
    return Question(window, Filter(MappingProxyType(wanted)), tuple(_dimension(name) for name in _each(by)))


Asking = Annotated[Question, Depends(question_of)]


@router.get("", response_model=None)
async def get_indicators(app: CurrentApp, actor: CurrentActor, question: Asking) -> Response:
    """All indicators of a window, each with how many it is made of; with a breakdown where one is asked for."""
    return _told(await page.answer(app, actor, question))


@router.get("/{indicator}", response_model=None)
async def get_indicator(indicator: str, app: CurrentApp, actor: CurrentActor, question: Asking) -> Response:
    """One indicator by its key, as `turnaround`."""
    return _told(await page.answer(app, actor, question, [indicator]))


def _each(values: list[str] | None) -> list[str]:
    return [each.strip() for value in values or () for each in value.split(",") if each.strip()]


def _dimension(name: str) -> Dimension:
    for dimension in DIMENSIONS:
        if dimension == name:
            return dimension
    raise Invalid(f"{name[:40]!r} is no breakdown. There are: {', '.join(DIMENSIONS)}.")


def _told(answer: dict[str, Any]) -> Response:
    return Response(orjson.dumps(answer), headers=_KEPT_NOWHERE, media_type=JSON)
