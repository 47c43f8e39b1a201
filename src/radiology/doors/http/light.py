"""The light viewer: pictures made by the server, for phones and thin lines. `/light/{study}`; no WebGL, one script."""

import gzip
import hashlib
from collections.abc import Sequence
from functools import lru_cache
from importlib.resources import files
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from radiology.app import App
from radiology.doors.http.actors import actor_of
from radiology.doors.http.light_texts import LANGUAGES, TEXTS, Language
from radiology.doors.http.negotiation import encoding_of
from radiology.doors.http.templates import as_data, filled
from radiology.errors import Invalid, NotFound
from radiology.standards.dicom.names import readable
from radiology.standards.dicom.uids import is_valid_uid
from radiology.viewing import queries
from radiology.viewing.queries import LightSeries, LightStudy

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; img-src 'self' blob: data:; "
    "media-src 'self'; connect-src 'self'; frame-src 'self'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'self'"
)
_HEADERS = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cache-Control": "private, no-cache",
    "Vary": "Cookie, Accept-Language, Accept-Encoding",
}
FIRST_SIDE, FIRST_QUALITY = 512, 30
_FILES = {"page.css": "text/css", "page.js": "text/javascript"}
_BITS_STORED, _SAMPLES, _PHOTOMETRIC = "00280101", "00280002", "00280004"
_CENTER, _WIDTH, _SIGNED = "00281050", "00281051", "00280103"
_SLOPE, _INTERCEPT = "00281053", "00281052"


async def page(request: Request) -> Response:
    """The page of one study. Its first picture is named in it, so that it comes before any script."""
    uid = _uid(request, "study")
    actor, app = await actor_of(request), _app(request)
    async with app.db.transaction() as tx:
        study = await queries.light_study(tx, uid, visible_to=actor)
        series = await queries.light_series(tx, uid, visible_to=actor)
    language = _language(request)
    response = _compressed(request, _document(study, series, language).encode(), "text/html; charset=utf-8")
    if request.query_params.get("lang") in LANGUAGES:
        response.set_cookie("radi_language", language, path="/", samesite="lax", max_age=31_536_000)
    return response


async def images(request: Request) -> Response:
    """The images of one series, for the script."""
    actor, app = await actor_of(request), _app(request)
    async with app.db.transaction() as tx:
        study, series = _uid(request, "study"), _uid(request, "series")
        body = await queries.light_images(tx, study, series, visible_to=actor)
    if body == b"[]":
        raise NotFound("There is no such series.")
    return _compressed(request, body, "application/json")


async def asset(request: Request) -> Response:
    """Script and style; the address holds their digest, so that they are kept."""
    name: str = request.path_params["name"]
    if name not in _FILES:
        raise NotFound("There is no such file.")
    response = _compressed(request, _asset(name), _FILES[name] + "; charset=utf-8")
    response.headers["Cache-Control"] = "private, max-age=31536000, immutable"
    return response


def _document(study: LightStudy, series: Sequence[LightSeries], language: Language) -> str:
    texts = TEXTS[language]
    heads = [_head(each) for each in series]
    first = next((number for number, each in enumerate(heads) if each["kind"] == "image"), 0)
    base = f"/dicomweb/studies/{study.study_instance_uid}"
    data = {"study": study.study_instance_uid, "base": base, "series": heads, "first": first, "texts": texts}
    other = next(each for each in LANGUAGES if each != language)
    values = {
        "lang": language,
        "title": " · ".join(filter(None, (readable(study.patient_name), study.study_description))),
        "name": readable(study.patient_name) or study.dicom_patient_id,
        "facts": " · ".join(filter(None, _facts(study))),
        "other": other,
        "other_name": texts["otherLanguage"],
        "picture": _first_picture(base, heads[first]) if heads and heads[first]["kind"] == "image" else "",
        **{f"t_{name}": text for name, text in texts.items()},
        "css": _digest("page.css"),
        "js": _digest("page.js"),
    }
    return filled("light.html", values, json=as_data(orjson.dumps(data)))


def _head(series: LightSeries) -> dict[str, Any]:
    """What the script must know of a series: which image comes first, and from where its window is dragged."""
    attributes: dict[str, Any] = orjson.loads(series.attributes)
    modality = series.modality
    is_image = series.pixel_rows is not None
    grey = is_image and _text(attributes, _PHOTOMETRIC).startswith("MONOCHROME")
    return {
        "uid": series.series_instance_uid,
        "modality": modality,
        "title": series.description or modality,
        "number": series.number,
        "images": series.images,
        "kind": "image" if is_image else "document",
        "sop": series.sop_instance_uid,
        "place": series.place,
        "rows": series.pixel_rows,
        "columns": series.pixel_columns,
        "window": _window(attributes, modality) if grey else None,
    }


def _window(attributes: dict[str, Any], modality: str) -> list[float]:
    """Center and width to begin with: those of the image, else all that its bits can hold."""
    center, width = _number(attributes, _CENTER), _number(attributes, _WIDTH)
    if center is not None and width is not None and width > 0:
        return [center, width]
    if modality == "CT":
        return [40.0, 400.0]
    levels = 2.0 ** (_number(attributes, _BITS_STORED) or 12)
    middle = 0.0 if _number(attributes, _SIGNED) else levels / 2
    slope, intercept = _number(attributes, _SLOPE) or 1.0, _number(attributes, _INTERCEPT) or 0.0
    return [middle * slope + intercept, levels * abs(slope)]


def _first_picture(base: str, head: dict[str, Any]) -> str:
    instance = f"{base}/series/{head['uid']}/instances/{head['sop']}"
    return f"{instance}/frames/1/rendered?viewport={FIRST_SIDE},{FIRST_SIDE}&quality={FIRST_QUALITY}"


def _facts(study: LightStudy) -> Sequence[str]:
    born = study.patient_birth_date
    shown = f"{born[:4]}-{born[4:6]}-{born[6:]}" if len(born) == 8 else born
    day = study.study_date.isoformat() if study.study_date else ""
    return (study.dicom_patient_id, study.patient_sex, shown, study.study_description, day)


def _language(request: Request) -> Language:
    for asked in (request.query_params.get("lang"), request.cookies.get("radi_language")):
        if asked in LANGUAGES:
            return asked
    return "bn" if request.headers.get("accept-language", "").lower().startswith("bn") else "en"


def _compressed(request: Request, body: bytes, kind: str) -> Response:
    headers = dict(_HEADERS)
    if encoding_of(request, ["gzip"]):
        headers["Content-Encoding"] = "gzip"
        body = gzip.compress(body, 6, mtime=0)
    return Response(body, headers=headers, media_type=kind)


@lru_cache(maxsize=4)
def _asset(name: str) -> bytes:
    return files("radiology.doors.http").joinpath("pages", f"light{name.removeprefix('page')}").read_bytes()


def _digest(name: str) -> str:
    return hashlib.sha256(_asset(name)).hexdigest()[:12]


def _uid(request: Request, name: str) -> str:
    uid: str = request.path_params[name]
    if not is_valid_uid(uid):
        raise Invalid(f"{uid[:80]!r} in the path is not a UID.")
    return uid


def _app(request: Request) -> App:
    return request.app.state.app


def _text(attributes: dict[str, Any], tag: str) -> str:
    return str((attributes.get(tag, {}).get("Value") or [""])[0])


def _number(attributes: dict[str, Any], tag: str) -> float | None:
    try:
        return float(_text(attributes, tag))
    except ValueError:
        return None


routes = [
    Route("/light/page/{digest}/{name}", asset),
    Route("/light/{study}", page),
    Route("/light/{study}/{series}", images),
]
