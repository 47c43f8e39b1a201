"""Data sets as answers: in the DICOM JSON model or in the Native DICOM Model, as the client likes it (PS3.18 8.7.3)."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any
from uuid import uuid4

import orjson
from starlette.requests import Request
from starlette.responses import Response

from radiology.doors.dicomweb.media_types import (
    DICOM_JSON,
    DICOM_XML,
    JSON,
    MULTIPART,
    MediaRange,
    accepted,
    choose,
)
from radiology.errors import NotAcceptable
from radiology.standards.dicom import xml_model

OF_ONE = (DICOM_JSON, DICOM_XML, JSON)


def data_set_answer(
    request: Request,
    attributes: Mapping[str, Any],
    *,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
    in_list: bool = False,
) -> Response:
    """One data set; as JSON `in_list` makes it an array of one, as that of a resource is. Raises NotAcceptable."""
    media_type = choose(accepted(request), OF_ONE)
    body = written(attributes, media_type)
    if in_list and media_type != DICOM_XML:
        body = b"[" + body + b"]"
    return Response(body, status, dict(headers or {}), media_type)


def written(attributes: Mapping[str, Any], media_type: str) -> bytes:
    """One data set as JSON or XML."""
    return xml_model.encode(attributes) if media_type == DICOM_XML else orjson.dumps(attributes)


def list_type(request: Request) -> str:
    """How several data sets are sent: as an array of JSON, or each as a part of XML. Raises NotAcceptable."""
    for entry in accepted(request):
        for offer in (DICOM_JSON, JSON, DICOM_XML):
            if _fits(entry, offer):
                return offer
    raise NotAcceptable(f'This is sent as {DICOM_JSON}, or as {MULTIPART}; type="{DICOM_XML}". Ask for one in Accept.')


def _fits(entry: MediaRange, offer: str) -> bool:
    return entry.takes(offer) and (offer == DICOM_XML or not entry.multipart)


def list_answer(
    data_sets: Sequence[Mapping[str, Any]], media_type: str, *, headers: Mapping[str, str] | None = None
) -> Response:
    """Several data sets, in a form that `list_type` gave; none of them as XML is 204, since no body has no part."""
    if media_type != DICOM_XML:
        return Response(orjson.dumps(data_sets), headers=dict(headers or {}), media_type=media_type)
    if not data_sets:
        return Response(status_code=204, headers=dict(headers or {}))
    boundary = uuid4().hex
    body = b"".join((*xml_parts(data_sets, boundary), xml_end(boundary)))
    return Response(body, headers=dict(headers or {}), media_type=xml_parts_type(boundary))


def xml_parts_type(boundary: str) -> str:
    """The Content-Type of a body of such parts."""
    return f'{MULTIPART}; type="{DICOM_XML}"; boundary={boundary}'


def xml_parts(data_sets: Iterable[Mapping[str, Any]], boundary: str) -> Iterator[bytes]:
    """Each data set as a part of a multipart body (PS3.18 10.6.3.3)."""
    for attributes in data_sets:
        yield f"--{boundary}\r\nContent-Type: {DICOM_XML}\r\n\r\n".encode()
        yield xml_model.encode(attributes)
        yield b"\r\n"


def xml_end(boundary: str) -> bytes:
    """What stands behind the last part."""
    return f"--{boundary}--\r\n".encode()
