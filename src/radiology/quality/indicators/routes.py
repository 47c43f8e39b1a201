"""Indicators over REST, for who answers for quality."""

from datetime import date, timedelta
from types import MappingProxyType
from typing import Annotated, Any, Final

import orjson
from fastapi import APIRouter, Depends, Query, Response
from fastapi.responses import HTMLResponse
from pydantic import BaseModel, ConfigDict

from radiology.doors.http.actors import CurrentActor, CurrentApp
from radiology.doors.http.answers import CSV, JSON, of_kind
from radiology.doors.http.bodies import StrictJSONRoute
from radiology.doors.http.plain_pages import page as plain_page
from radiology.doors.http.sheets import given
from radiology.errors import Invalid
from radiology.kit.sheets import write
from radiology.quality.indicators import agreements, flat, hmis, monthly, page
from radiology.quality.indicators.asking import Question
from radiology.quality.indicators.model import DIMENSIONS, Dimension, Filter, Window
from radiology.quality.indicators.monthly import Language

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


def month_of(month: Annotated[str, Query(pattern=r"^[12]\d{3}-(0[1-9]|1[0-2])$", examples=["2026-01"])]) -> date:
    """The first day of a month that is written as `2026-01`."""
    return date.fromisoformat(f"{month}-01")


Month = Annotated[date, Depends(month_of)]


class AgreementIn(BaseModel):
    """How far a preliminary report was from the final one."""

    model_config = ConfigDict(extra="forbid")

    difference: agreements.Difference


@router.get("", response_model=None)
async def get_indicators(app: CurrentApp, actor: CurrentActor, question: Asking) -> Response:
    """All indicators of a window, each with how many it is made of; with a breakdown where one is asked for."""
    return _told(await page.answer(app, actor, question))


@router.get("/sheet.csv", response_model=None, responses=of_kind(CSV))
async def get_sheet(app: CurrentApp, actor: CurrentActor, question: Asking) -> Response:
    """All indicators as CSV: a line for each figure."""
    return _sheet("indicators", await page.answer(app, actor, question))


@router.get("/monthly", response_class=HTMLResponse)
async def get_monthly_report(
    app: CurrentApp, actor: CurrentActor, month: Month, language: Language = "en", facility: Values = None
) -> Response:
    """The report of a month on paper, in English or Bangla, with pictures; of some facilities or of all."""
    window = Window.of_month(month.year, month.month)
    wanted: dict[Dimension, frozenset[str]] = {"facility": frozenset(_each(facility))} if facility else {}
    answer, daily = await page.month(app, actor, Question(window, Filter(MappingProxyType(wanted))))
    values, markup = monthly.report(answer, year=month.year, month=month.month, language=language, daily=daily)
    return plain_page("indicators.html", values, markup=markup)


@router.get("/hmis", response_model=None)
async def get_hmis_export(app: CurrentApp, actor: CurrentActor, month: Month) -> Response:
    """The aggregate of a month as a DHIS2 data value set: complete studies by modality, facility, sex and age."""
    return _told(await hmis.export(app, actor, month.year, month.month))


@router.put("/agreements/{report}", status_code=204)
async def put_agreement(report: str, body: AgreementIn, app: CurrentApp, actor: CurrentActor) -> None:
    """Say how far a trainee's preliminary report was from the final one; for who signed it."""
    await agreements.say(app, actor, report, body.difference)


@router.get("/{indicator}/sheet.csv", response_model=None, responses=of_kind(CSV))
async def get_indicator_sheet(indicator: str, app: CurrentApp, actor: CurrentActor, question: Asking) -> Response:
    """One indicator as CSV: a line for each figure of each cell."""
    return _sheet(page.indicator(indicator).key, await page.answer(app, actor, question, [indicator]))


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


def _sheet(name: str, answer: dict[str, Any]) -> Response:
    return given(write("csv", flat.COLUMNS, flat.lines(answer)), name)


def _told(answer: dict[str, Any]) -> Response:
    return Response(orjson.dumps(answer), headers=_KEPT_NOWHERE, media_type=JSON)
