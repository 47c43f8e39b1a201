"""DICOMweb on one screen: the paths of PS3.18 and the function that answers each."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from radiology.doors.dicomweb.qido import PREFIX, search_instances, search_series, search_studies
from radiology.doors.dicomweb.stow import store_instances
from radiology.doors.dicomweb.wado import (
    not_yet,
    retrieve_bulk_data,
    retrieve_frames,
    retrieve_instances,
    retrieve_metadata,
)
from radiology.doors.dicomweb.wado_uri import retrieve_by_parameters

WADO = "/wado"
STUDY = "/studies/{study}"
SERIES = STUDY + "/series/{series}"
INSTANCE = SERIES + "/instances/{instance}"


async def studies(request: Request) -> Response:
    """`/studies`: search (10.6) or store (10.5)."""
    return await (store_instances(request) if request.method == "POST" else search_studies(request))


async def study(request: Request) -> Response:
    """`/studies/{study}`: retrieve (10.4) or store (10.5)."""
    return await (store_instances(request) if request.method == "POST" else retrieve_instances(request))


routes: list[BaseRoute] = [
    Route(WADO, retrieve_by_parameters),
    Route(PREFIX + WADO, retrieve_by_parameters),
    Route(PREFIX + "/studies", studies, methods=["GET", "POST"]),
    Route(PREFIX + "/series", search_series),
    Route(PREFIX + "/instances", search_instances),
    Route(PREFIX + STUDY, study, methods=["GET", "POST"]),
    Route(PREFIX + STUDY + "/metadata", retrieve_metadata),
    Route(PREFIX + STUDY + "/rendered", not_yet),
    Route(PREFIX + STUDY + "/thumbnail", not_yet),
    Route(PREFIX + STUDY + "/series", search_series),
    Route(PREFIX + STUDY + "/instances", search_instances),
    Route(PREFIX + SERIES, retrieve_instances),
    Route(PREFIX + SERIES + "/metadata", retrieve_metadata),
    Route(PREFIX + SERIES + "/rendered", not_yet),
    Route(PREFIX + SERIES + "/thumbnail", not_yet),
    Route(PREFIX + SERIES + "/instances", search_instances),
    Route(PREFIX + INSTANCE, retrieve_instances),
    Route(PREFIX + INSTANCE + "/metadata", retrieve_metadata),
    Route(PREFIX + INSTANCE + "/rendered", not_yet),
    Route(PREFIX + INSTANCE + "/thumbnail", not_yet),
    Route(PREFIX + INSTANCE + "/frames/{frames}", retrieve_frames),
    Route(PREFIX + INSTANCE + "/frames/{frames}/rendered", not_yet),
    Route(PREFIX + INSTANCE + "/frames/{frames}/thumbnail", not_yet),
    Route(PREFIX + INSTANCE + "/bulkdata/{path:path}", retrieve_bulk_data),
]
