"""What paths and query parameters of DICOMweb say (PS3.18 8.3), and what answers remark about them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from starlette.requests import HTTPConnection, Request
from starlette.responses import Response

from radiology.doors.http.addresses import origin_of
from radiology.errors import Invalid
from radiology.settings import Settings
from radiology.standards.dicom.attributes import UnknownAttributeError, tag_of
from radiology.standards.dicom.uids import is_valid_uid

PREFIX = "/dicomweb"
WARNING_AGENT = "radiology"

_CONTROL = frozenset(
    {"includefield", "fuzzymatching", "emptyvaluematching", "multiplevaluematching", "limit", "offset"}
)
_IGNORED = frozenset({"accept", "charset"})
_NO_KEYS = _CONTROL | _IGNORED


@dataclass(frozen=True, slots=True)
class Page:
    """Which answers of a search are asked for."""

    limit: int
    offset: int


def base_url(request: HTTPConnection) -> str:
    """The absolute URL of the DICOMweb service."""
    return origin_of(request) + PREFIX


def path_uid(request: Request, name: str) -> str | None:
    """A UID of the path. Raises Invalid where it is none."""
    uid = request.path_params.get(name)
    if uid is not None and not is_valid_uid(uid):
        raise Invalid(f"{uid[:80]!r} in the path is not a UID.")
    return uid


def parameters_of(request: Request) -> tuple[list[tuple[str, str]], list[str]]:
    """The keys to match, and the names of parameters that are not known. Raises Invalid for an unknown attribute."""
    pairs = [(name, text) for name, text in request.query_params.multi_items() if name not in _NO_KEYS]
    keys = [(name, text) for name, text in pairs if _is_attribute(name)]
    return keys, [name for name, _ in pairs if not _is_attribute(name)]


def included(request: Request) -> list[str]:
    """The attributes of `includefield`, perhaps `all`."""
    texts = request.query_params.getlist("includefield")
    return [name.strip() for text in texts for name in text.split(",") if name.strip()]


def page_of(request: Request, settings: Settings) -> Page:
    """The page that is asked for. Raises Invalid."""
    limit = _number(request.query_params, "limit", settings.qido_default_limit, least=1)
    return Page(min(limit, settings.qido_max_limit), _number(request.query_params, "offset", 0, least=0))


def boolean(parameters: Mapping[str, str], name: str) -> bool:
    """Whether a parameter is true. Raises Invalid for one that is neither true nor false."""
    text = parameters.get(name, "false").lower()
    if text not in ("true", "false"):
        raise Invalid(f"{name} must be true or false, not {text[:20]!r}.")
    return text == "true"


def identifier_of(pairs: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """The keys as the identifier of a C-FIND in the DICOM JSON model. Raises Invalid for an unknown attribute."""
    identifier: dict[str, Any] = {}
    for name, text in pairs:
        try:
            path = tag_of(name)
        except UnknownAttributeError as error:
            raise Invalid(f"{error}.") from error
        inside = identifier
        for tag in path.tags[:-1]:
            inside = inside.setdefault(tag, {"vr": "SQ"}).setdefault("Value", [{}])[0]
        value = text.replace(",", "\\") if path.vr == "UI" else text
        element = {"vr": path.vr, "Value": [value]} if value else {"vr": path.vr}
        if inside.setdefault(path.tag, element) != element and value:
            raise Invalid(f"{path} is given twice. A key can be given once.")
    return identifier


def ignored(strangers: Iterable[str]) -> Iterable[str]:
    """The remark that parameters are not known, where there are such."""
    names = ", ".join(dict.fromkeys(name if name.isascii() and name.isprintable() else "?" for name in strangers))
    if names:
        yield f"These parameters are not known and were ignored: {names[:200]}"


def remark(
    request: Request, response: Response, page: Page, warnings: Iterable[str], *, rest: int, is_exact: bool = True
) -> None:
    """Add what a search has to say: its warnings, how many results follow, and where."""
    for text in warnings:
        warn(response, text)
    if rest > 0:
        least = "" if is_exact else "at least "
        warn(response, f"There are {least}{rest} additional results that can be requested")
        response.headers["Link"] = f'<{_next_url(request, page)}>; rel="next"'


def warn(response: Response, text: str) -> None:
    """Add a warning (PS3.18 8.4.2)."""
    response.headers.append("Warning", f'299 {WARNING_AGENT}: "{text}"')


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


def _number(parameters: Mapping[str, str], name: str, default: int, *, least: int) -> int:
    text = parameters.get(name)
    if text is None:
        return default
    if not (text.isascii() and text.isdigit() and len(text) < 10 and int(text) >= least):
        raise Invalid(f"{name} must be a whole number of at least {least}, not {text[:20]!r}.")
    return int(text)


def _next_url(request: Request, page: Page) -> str:
    rest = [(name, text) for name, text in request.query_params.multi_items() if name not in ("limit", "offset")]
    following = [("limit", str(page.limit)), ("offset", str(page.offset + page.limit))]
    return f"{origin_of(request)}{request.url.path}?{urlencode(rest + following)}"
