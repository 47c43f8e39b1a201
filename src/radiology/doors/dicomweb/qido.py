"""QIDO-RS, the Search transaction (PS3.18 10.6): decode the query, one call, encode the page."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

import orjson
from starlette.requests import Request
from starlette.responses import Response

from radiology.app import App
from radiology.doors.dicomweb.answers import list_answer, list_type
from radiology.doors.dicomweb.compressing import compressed
from radiology.doors.dicomweb.foreign import ForeignSearch, fetched
from radiology.doors.dicomweb.media_types import DICOM_XML
from radiology.doors.http.actors import actor_of
from radiology.errors import Invalid
from radiology.settings import Settings
from radiology.standards.dicom.attributes import UnknownAttributeError, tag_of
from radiology.standards.dicom.matching import MatchingOptions
from radiology.standards.dicom.uids import is_valid_uid
from radiology.studies.queries.conditions import named
from radiology.studies.queries.search import Found, Origin, find
from radiology.studies.search import Level, StudySearch, parse_attributes, parse_keys

_CONTROL = frozenset(
    {"includefield", "fuzzymatching", "emptyvaluematching", "multiplevaluematching", "limit", "offset"}
)
_IGNORED = frozenset({"accept", "charset"})
_WARNING_AGENT = "radiology"

PREFIX = "/dicomweb"


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
    actor = await actor_of(request)
    app: App = request.app.state.app
    media_type = list_type(request)
    query = parse_query(request, level, app.settings)
    if query.search.study_instance_uid is not None:  # Viewers open a study by searching for its series.
        await fetched(request, query.search.study_instance_uid, visible_to=actor)
    origin = Origin(base_url(request), app.settings.ae_title)
    found = await find(app.db, query.search, visible_to=actor, origin=origin)
    foreign = ForeignSearch(request.app.state.proxy, query.search, query.keys, base_url(request))
    found = await foreign.merged(found, visible_to=actor)
    return await compressed(request, _answer(request, query, found, media_type))


def base_url(request: Request) -> str:
    """The absolute URL of the DICOMweb service, as the client called it."""
    return f"{request.url.scheme}://{request.url.netloc}{PREFIX}"


def parse_query(request: Request, level: Level, settings: Settings) -> Query:
    """The search that a request describes (PS3.18 8.3.4). Raises Invalid, naming the parameter."""
    parameters = request.query_params
    pairs = [(name, text) for name, text in parameters.multi_items() if name not in _CONTROL | _IGNORED]
    keys = [(name, text) for name, text in pairs if _is_attribute(name)]
    strangers = [name for name, _ in pairs if not _is_attribute(name)]
    include = [name.strip() for text in parameters.getlist("includefield") for name in text.split(",") if name.strip()]
    options = MatchingOptions(
        comma_lists=True,
        empty_value=_boolean(parameters, "emptyvaluematching"),
        multiple_values=_boolean(parameters, "multiplevaluematching"),
    )
    limit = _number(parameters, "limit", settings.qido_default_limit, least=1)
    search = StudySearch(
        level=level,
        keys=parse_keys(keys, options),
        study_instance_uid=path_uid(request, "study"),
        series_instance_uid=path_uid(request, "series"),
        include=parse_attributes(name for name in include if name != "all"),
        include_all="all" in include,
        fuzzy=_boolean(parameters, "fuzzymatching"),
        limit=min(limit, settings.qido_max_limit),
        offset=_number(parameters, "offset", 0, least=0),
    )
    return Query(search, keys, tuple(_warnings(search, strangers)))


def path_uid(request: Request, name: str) -> str | None:
    """A UID of the path. Raises Invalid where it is none."""
    uid = request.path_params.get(name)
    if uid is not None and not is_valid_uid(uid):
        raise Invalid(f"{uid[:80]!r} in the path is not a UID.")
    return uid


def _is_attribute(name: str) -> bool:
    """Whether a parameter names an attribute. Raises Invalid for one that looks so and is not known."""
    try:
        tag_of(name)
    except UnknownAttributeError as error:
        # Keywords begin with a capital, parameters of the standard and of proxies do not.
        if name[:1].isupper() or "." in name:
            raise Invalid(f"{error}.") from error
        return False
    return True


def _boolean(parameters: Mapping[str, str], name: str) -> bool:
    text = parameters.get(name, "false").lower()
    if text not in ("true", "false"):
        raise Invalid(f"{name} must be true or false, not {text[:20]!r}.")
    return text == "true"


def _number(parameters: Mapping[str, str], name: str, default: int, *, least: int) -> int:
    text = parameters.get(name)
    if text is None:
        return default
    if not (text.isascii() and text.isdigit() and len(text) < 10 and int(text) >= least):
        raise Invalid(f"{name} must be a whole number of at least {least}, not {text[:20]!r}.")
    return int(text)


def _warnings(search: StudySearch, strangers: list[str]) -> list[str]:
    warnings: list[str] = []
    if strangers:
        names = ", ".join(dict.fromkeys(name if name.isascii() and name.isprintable() else "?" for name in strangers))
        warnings.append(f"These parameters are not known and were ignored: {names[:200]}")
    if search.unsupported:
        names = named(search.unsupported)
        warnings.append(f"These attributes cannot be matched at this level and were ignored: {names}")
    return warnings


def _answer(request: Request, query: Query, found: Found, media_type: str) -> Response:
    if media_type == DICOM_XML:
        response = list_answer([orjson.loads(answer) for answer in found.answers], media_type)
    else:
        response = Response(found.json, media_type=media_type)
    warnings = list(query.warnings)
    search = query.search
    remaining = found.total - search.offset - len(found.answers)
    if found.total_is_exact:
        response.headers["X-Total-Count"] = str(found.total)
    if remaining > 0 and found.answers:
        least = "" if found.total_is_exact else "at least "
        warnings.append(f"There are {least}{remaining} additional results that can be requested")
        response.headers["Link"] = f'<{_next_url(request, search)}>; rel="next"'
    for text in warnings:
        response.headers.append("Warning", f'299 {_WARNING_AGENT}: "{text}"')
    return response


def _next_url(request: Request, search: StudySearch) -> str:
    rest = [(name, text) for name, text in request.query_params.multi_items() if name not in ("limit", "offset")]
    page = [("limit", str(search.limit)), ("offset", str(search.offset + search.limit))]
    return f"{request.url.scheme}://{request.url.netloc}{request.url.path}?{urlencode(rest + page)}"
