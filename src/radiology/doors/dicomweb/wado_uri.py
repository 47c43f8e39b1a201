"""WADO-URI (PS3.18 9): one instance, named by query parameters; the object itself, or what a browser shows of it."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Final
from urllib.parse import urlencode

import orjson
from starlette.requests import Request
from starlette.responses import Response

from radiology.app import App
from radiology.deidentification.retrieval import deidentified, masked_regions
from radiology.doors.dicomweb.foreign import fetched
from radiology.doors.dicomweb.media_types import DICOM, MediaRange, accepted, parse_accept
from radiology.doors.dicomweb.rendered import retrieve_presented, retrieve_rendered, retrieve_rendered_frames
from radiology.doors.dicomweb.sending import Released, of_content
from radiology.doors.dicomweb.wado import audited, caching, frame_numbers, media_type_of, unchanged
from radiology.doors.http.actors import actor_of
from radiology.errors import FieldProblem, Invalid, NotAcceptable
from radiology.pixels.geometry import LARGEST_SIDE
from radiology.pixels.header import number
from radiology.pixels.presentation import Shown
from radiology.standards.dicom.uids import EXPLICIT_VR_BIG_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN, is_valid_uid
from radiology.studies import retrieve
from radiology.studies.queries.retrieve import StoredInstance, Target, instance_with_attributes, instances_of

_UIDS = ("studyUID", "seriesUID", "objectUID")
#: Of a picture, and so not of the object itself (PS3.18 9.5.1.2).
_OF_PICTURES = ("frameNumber", "rows", "columns", "region", "windowCenter", "windowWidth", "imageQuality", "annotation")
_OF_STATES = ("presentationUID", "presentationSeriesUID")
#: What a presentation state says itself.
_SAID_BY_STATES = ("region", "windowCenter", "windowWidth")
#: Not to be asked for (PS3.18 8.7.3.5.2).
_RETIRED = frozenset((IMPLICIT_VR_LITTLE_ENDIAN, EXPLICIT_VR_BIG_ENDIAN))
_ROWS, _COLUMNS = "00280010", "00280011"
_LINEAR: Final = "LINEAR"


async def retrieve_by_parameters(request: Request) -> Response:
    """`GET /wado?requestType=WADO&studyUID=&seriesUID=&objectUID=`: as `contentType` asks, a picture by default."""
    target, ranges = _target(request), _ranges(request)
    is_anonymized = _is_anonymized(request.query_params, ranges)
    is_object = bool(ranges) and ranges[0].content in (DICOM, "application/*")
    if not is_object and not is_anonymized:
        try:
            return await _picture(request, target, ranges)
        except NotAcceptable:
            if not any(entry.takes(DICOM) for entry in ranges):
                raise
    return await _object(request, target)


async def _object(request: Request, target: Target) -> Response:
    """The object as application/dicom (PS3.18 9.4). Raises Invalid for parameters that only a picture can have."""
    parameters = request.query_params
    if given := [name for name in (*_OF_PICTURES, *_OF_STATES) if name in parameters]:
        raise _wrong(given[0], f"is not possible for {DICOM}, only for a picture")
    syntax = parameters.get("transferSyntax")
    if syntax is not None and (syntax in _RETIRED or not is_valid_uid(syntax)):
        raise _wrong("transferSyntax", "must be a UID, not that of Implicit VR or of Big Endian")
    actor = await actor_of(request)
    await fetched(request, target.study_instance_uid, visible_to=actor)
    app: App = request.app.state.app
    async with app.db.reading(planned_once=True) as tx:
        (instance, *_) = await instances_of(tx, target, visible_to=actor)
    audited(request, actor, target, 1, by="WADO-URI")
    if "anonymize" in parameters:
        return await _deidentified(app, instance, syntax)
    return _answer(request, instance, _sent(instance, syntax))


def _sent(instance: StoredInstance, asked: str | None) -> str:
    sent = retrieve.sent_syntax(instance, asked)
    if sent is None:
        raise NotAcceptable(f"The object is stored in transfer syntax {instance.transfer_syntax_uid}, and not sent so.")
    return sent


async def _deidentified(app: App, instance: StoredInstance, asked: str | None) -> Response:
    """The object with another SOP Instance UID, saying itself how it was changed (PS3.18 9.4.2.3)."""
    file, made = await asyncio.to_thread(deidentified, app, instance, await masked_regions(app))
    try:
        sent = _sent(made, asked)
        content = retrieve.file_content(app.objects, made, sent)
        headers = {"Cache-Control": "private, no-store"}
        return Released(of_content(app.objects, content, media_type_of(sent), headers=headers), file.discard)
    except BaseException:
        file.discard()
        raise


def _answer(request: Request, instance: StoredInstance, transfer_syntax_uid: str) -> Response:
    headers = caching([instance.bytes_id], transfer_syntax_uid, immutable=False)
    if unchanged(request, headers):
        return Response(status_code=304, headers=headers)
    app: App = request.app.state.app
    content = retrieve.file_content(app.objects, instance, transfer_syntax_uid)
    return of_content(app.objects, content, media_type_of(transfer_syntax_uid), headers=headers)


async def _picture(request: Request, target: Target, ranges: Sequence[MediaRange]) -> Response:
    """What a browser shows (PS3.18 9.5): the same as the Rendered resource gives for the same parameters."""
    if "transferSyntax" in request.query_params:
        raise _wrong("transferSyntax", f"is only possible for {DICOM}")
    frame = request.query_params.get("frameNumber")
    if frame is not None and not (frame.isascii() and frame.isdigit()):
        raise _wrong("frameNumber", "must be one number from 1")
    asked = await _rendering(request, target)
    accept = ", ".join(f"{entry.type}; q={entry.quality}" for entry in ranges)
    query = urlencode({**asked, "accept": accept}).encode()
    if (state := _state(request.query_params, target)) is not None:
        parameters = request.query_params
        frames = () if frame is None else tuple(frame_numbers(frame))
        image = Shown(_uid(parameters, "seriesUID"), _uid(parameters, "objectUID"), frames)
        return await retrieve_presented(_for_rendered(request, state, None, query), image)
    shown = _for_rendered(request, target, frame, query)
    return await (retrieve_rendered(shown) if frame is None else retrieve_rendered_frames(shown))


def _for_rendered(request: Request, target: Target, frame: str | None, query: bytes) -> Request:
    """The request that asks the Rendered resource for the same."""
    uids = {"study": target.study_instance_uid, "series": target.series_instance_uid}
    path = {**uids, "instance": target.sop_instance_uid, "frames": frame}
    return Request({**request.scope, "path_params": path, "query_string": query}, request.receive)


def _state(parameters: Mapping[str, str], image: Target) -> Target | None:
    """The presentation state by which the image is to be shown; it is of the same study. Raises Invalid."""
    if not any(name in parameters for name in _OF_STATES):
        return None
    if given := [name for name in _SAID_BY_STATES if name in parameters]:
        raise _wrong(given[0], "is not possible together with presentationUID")
    series, instance = _uid(parameters, "presentationSeriesUID"), _uid(parameters, "presentationUID")
    return Target(image.study_instance_uid, series, instance)


async def _rendering(request: Request, target: Target) -> dict[str, str]:
    """The parameters of the Rendered resource (PS3.18 8.3.5) that say the same. Raises Invalid."""
    given = request.query_params
    asked: dict[str, str] = {}
    if "windowCenter" in given or "windowWidth" in given:
        if not {"windowCenter", "windowWidth"} <= given.keys():
            raise _wrong("windowCenter", "and windowWidth must be given together")
        asked["window"] = f"{given['windowCenter']},{given['windowWidth']},{_LINEAR}"
    if given.keys() & {"rows", "columns", "region"}:
        asked["viewport"] = await _viewport(request, target)
    if "imageQuality" in given:
        asked["quality"] = given["imageQuality"]
    if "annotation" in given:
        asked["annotation"] = given["annotation"]
    return asked


async def _viewport(request: Request, target: Target) -> str:
    """`rows`, `columns`, and `region` as parts of the image's width and height (PS3.18 9.5.1.2)."""
    given = request.query_params
    size = f"{given.get('columns', LARGEST_SIDE)},{given.get('rows', LARGEST_SIDE)}"
    if "region" not in given:
        return size
    left, top, right, bottom = _region(given["region"])
    app: App = request.app.state.app
    async with app.db.reading(planned_once=True) as tx:
        _, attributes = await instance_with_attributes(tx, target, visible_to=await actor_of(request))
    header = orjson.loads(attributes)
    columns, rows = number(header, _COLUMNS, 0), number(header, _ROWS, 0)
    width, height = (right - left) * columns, (bottom - top) * rows
    if "rows" not in given and "columns" not in given:
        size = f"{max(1, round(width))},{max(1, round(height))}"
    return f"{size},{left * columns},{top * rows},{width},{height}"


def _region(text: str) -> tuple[float, float, float, float]:
    try:
        left, top, right, bottom = map(float, text.split(","))
    except ValueError:
        left = top = right = bottom = 0.0
    if not (0 <= left < right <= 1 and 0 <= top < bottom <= 1):
        raise _wrong("region", "is xmin,ymin,xmax,ymax, each from 0 to 1 and the first two smaller")
    return left, top, right, bottom


def _target(request: Request) -> Target:
    """What the parameters name. Raises Invalid, naming the parameter."""
    parameters = request.query_params
    if parameters.get("requestType") != "WADO":
        raise _wrong("requestType", "must be WADO")
    return Target(*(_uid(parameters, name) for name in _UIDS))


def _uid(parameters: Mapping[str, str], name: str) -> str:
    uid = parameters.get(name, "")
    if not is_valid_uid(uid):
        raise _wrong(name, "is missing" if not uid else "is no UID")
    return uid


def _ranges(request: Request) -> list[MediaRange]:
    """What is accepted: `contentType` goes before the header (PS3.18 9.1.2.2). Raises NotAcceptable for a charset."""
    accepted(request)
    return parse_accept(request.query_params.getlist("contentType") or request.headers.getlist("accept"))


def _is_anonymized(parameters: Mapping[str, str], ranges: Sequence[MediaRange]) -> bool:
    """Whether the object is asked for without whose it is. Raises Invalid; a picture may not be (PS3.18 9.5.1)."""
    asked = parameters.get("anonymize")
    if asked is not None and asked != "yes":
        raise _wrong("anonymize", "can only be yes")
    if asked is not None and ranges and not any(entry.takes(DICOM) for entry in ranges):
        raise _wrong("anonymize", f"is only possible for {DICOM}")
    return asked is not None


def _wrong(name: str, sentence: str) -> Invalid:
    return Invalid(f"{name} {sentence}.", fields=[FieldProblem(name, sentence)])
