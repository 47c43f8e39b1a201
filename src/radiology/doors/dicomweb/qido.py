"""QIDO-RS, the Search transaction (PS3.18 10.6): decode the query, one call, encode the page."""

from collections.abc import Sequence
from dataclasses import dataclass

import orjson
from starlette.requests import Request
from starlette.responses import Response

from radiology.app import App
from radiology.doors.dicomweb.answers import list_answer, list_type
from radiology.doors.dicomweb.compressing import compressed
from radiology.doors.dicomweb.foreign import ForeignSearch, fetched
from radiology.doors.dicomweb.media_types import DICOM_XML
from radiology.doors.dicomweb.parameters import (
    Page,
    base_url,
    boolean,
    ignored,
    included,
    page_of,
    parameters_of,
    path_uid,
    remark,
)
from radiology.doors.http.searching import searcher_of
from radiology.settings import Settings
from radiology.standards.dicom.matching import MatchingOptions
from radiology.studies.queries.conditions import named
from radiology.studies.queries.search import Found, Origin, find
from radiology.studies.search import Level, StudySearch, parse_attributes, parse_keys


@dataclass(frozen=True, slots=True)
class Query:
    """What a search request says: the search, its keys as they were given, and what has to be remarked about it."""

    search: StudySearch
    keys: Sequence[tuple[str, str]]
    warnings: tuple[str, ...]


async def search_studies(request: Request) -> Response:
    """`GET /studies`."""
    return await _search(request, Level.STUDY)


async def search_series(request: Request) -> Response:
    """`GET /series` and `/studies/{study}/series`."""
    return await _search(request, Level.SERIES)


async def search_instances(request: Request) -> Response:
    """`GET /instances`, `/studies/{study}/instances` and `/studies/{study}/series/{series}/instances`."""
    return await _search(request, Level.IMAGE)


async def _search(request: Request, level: Level) -> Response:
    actor = await searcher_of(request)
    app: App = request.app.state.app
    media_type = list_type(request)
    query = parse_query(request, level, app.settings)
    if query.search.study_instance_uid is not None:  # Viewers open a study by searching for its series.
        await fetched(request, query.search.study_instance_uid, visible_to=actor)
    url = base_url(request)
    found = await find(app.db, query.search, visible_to=actor, origin=Origin(url, app.settings.ae_title))
    foreign = ForeignSearch(request.app.state.proxy, query.search, query.keys, url)
    found = await foreign.merged(found, visible_to=actor)
    return await compressed(request, _answer(request, query, found, media_type))


def parse_query(request: Request, level: Level, settings: Settings) -> Query:
    """The search that a request describes (PS3.18 8.3.4). Raises Invalid, naming the parameter."""
    parameters = request.query_params
    keys, strangers = parameters_of(request)
    include = included(request)
    options = MatchingOptions(
        comma_lists=True,
        empty_value=boolean(parameters, "emptyvaluematching"),
        multiple_values=boolean(parameters, "multiplevaluematching"),
    )
    page = page_of(request, settings)
    search = StudySearch(
        level=level,
        keys=parse_keys(keys, options),
        study_instance_uid=path_uid(request, "study"),
        series_instance_uid=path_uid(request, "series"),
        include=parse_attributes(name for name in include if name != "all"),
        include_all="all" in include,
        fuzzy=boolean(parameters, "fuzzymatching"),
        limit=page.limit,
        offset=page.offset,
    )
    return Query(search, keys, tuple(_warnings(search, strangers)))


def _warnings(search: StudySearch, strangers: list[str]) -> list[str]:
    warnings = list(ignored(strangers))
    if search.unsupported:
        names = named(search.unsupported)
        warnings.append(f"These attributes cannot be matched at this level and were ignored: {names}")
    return warnings


def _answer(request: Request, query: Query, found: Found, media_type: str) -> Response:
    if media_type == DICOM_XML:
        response = list_answer([orjson.loads(answer) for answer in found.answers], media_type)
    else:
        response = Response(found.json, media_type=media_type)
    if found.total_is_exact:
        response.headers["X-Total-Count"] = str(found.total)
    search = query.search
    page = Page(search.limit, search.offset)
    rest = found.total - search.offset - len(found.answers) if found.answers else 0
    remark(request, response, page, query.warnings, rest=rest, is_exact=found.total_is_exact)
    return response
