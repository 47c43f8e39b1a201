"""Data sets that come as the body of a request: one, in the DICOM JSON model or the Native DICOM Model."""

from typing import Any

from starlette.requests import Request

from radiology.app import App
from radiology.doors.dicomweb.media_types import DICOM_JSON, DICOM_XML, JSON
from radiology.errors import NotSupported, TooLarge
from radiology.kit.multipart import parsed_content_type
from radiology.standards.dicom import json_model, xml_model


async def read_data_set(request: Request) -> dict[str, Any]:
    """The data set of the body, an empty one where there is no body. Raises Invalid, NotSupported, TooLarge."""
    app: App = request.app.state.app
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > app.settings.max_json_bytes:
            raise TooLarge(f"The body may have at most {app.settings.max_json_bytes:,} bytes.")
    if not body:
        return {}
    media_type = parsed_content_type(request.headers.get("content-type", DICOM_JSON))[0]
    if media_type in (DICOM_JSON, JSON):
        return json_model.parse_one(bytes(body))
    if media_type == DICOM_XML:
        return xml_model.decode(bytes(body))
    raise NotSupported(f"Send {DICOM_JSON} or {DICOM_XML}, not {media_type or 'nothing'}.")
