"""DICOMweb on one screen: the paths of PS3.18 and the function that answers each."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Match, Route, WebSocketRoute
from starlette.types import Scope

from radiology.doors.dicomweb import modality, workitems
from radiology.doors.dicomweb.capabilities import retrieve_capabilities
from radiology.doors.dicomweb.event_channel import event_channel
from radiology.doors.dicomweb.frames import retrieve_frames
from radiology.doors.dicomweb.parameters import PREFIX
from radiology.doors.dicomweb.qido import search_instances, search_series, search_studies
from radiology.doors.dicomweb.rendered import (
    retrieve_frame_thumbnails,
    retrieve_rendered,
    retrieve_rendered_frames,
    retrieve_thumbnail,
)
from radiology.doors.dicomweb.stow import store_instances
from radiology.doors.dicomweb.wado import (
    retrieve_bulk_data,
    retrieve_instances,
    retrieve_metadata,
)
from radiology.doors.dicomweb.wado_uri import retrieve_by_parameters
from radiology.doors.dicomweb.zipped import retrieve_zip, wants_zip

WADO = "/wado"
STUDY = "/studies/{study}"
SERIES = STUDY + "/series/{series}"
INSTANCE = SERIES + "/instances/{instance}"
WORKITEM = "/workitems/{workitem}"
SUBSCRIBER = WORKITEM + "/subscribers/{subscriber}"


async def studies(request: Request) -> Response:
    """`/studies`: search (10.6) or store (10.5)."""
    return await (store_instances(request) if request.method == "POST" else search_studies(request))


async def workitem_list(request: Request) -> Response:
    """`/workitems`: search (11.9) or create (11.4)."""
    return await (workitems.create(request) if request.method == "POST" else workitems.search(request))


async def workitem(request: Request) -> Response:
    """`/workitems/{workitem}`: retrieve (11.5) or update (11.6)."""
    return await (workitems.update(request) if request.method == "POST" else workitems.retrieve(request))


async def workitem_subscriber(request: Request) -> Response:
    """`/workitems/{workitem}/subscribers/{subscriber}`: subscribe (11.10) or unsubscribe (11.11)."""
    return await (workitems.subscribe(request) if request.method == "POST" else workitems.unsubscribe(request))


async def performed_step(request: Request) -> Response:
    """`/modality-performed-procedure-steps/{step}`: create (15.4), update (15.5) or retrieve (15.6)."""
    if request.method == "POST":
        return await modality.report_performed_step(request)
    return await modality.retrieve_performed_step(request)


async def commitment(request: Request) -> Response:
    """`/commitment-requests/{transaction}`: ask for storage commitment (13.4), or for its result (13.5)."""
    if request.method == "POST":
        return await modality.request_commitment(request)
    return await modality.check_commitment(request)


async def study(request: Request) -> Response:
    """`/studies/{study}`: retrieve (10.4) or store (10.5)."""
    return await (store_instances(request) if request.method == "POST" else objects(request))


async def objects(request: Request) -> Response:
    """A study or series: its objects in multipart/related (10.4), or to take away in a ZIP."""
    return await (retrieve_zip(request) if wants_zip(request) else retrieve_instances(request))


class Counted(Route):
    """A route that is named in the metrics and the log by its template, as those of FastAPI are."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Whether this is the route of a request."""
        match, found = super().matches(scope)
        return match, found if match is Match.NONE else {**found, "route": self}


routes: list[BaseRoute] = [
    Counted(WADO, retrieve_by_parameters),
    Counted(PREFIX, retrieve_capabilities, methods=["GET", "OPTIONS"]),
    Counted(PREFIX + "/", retrieve_capabilities, methods=["GET", "OPTIONS"]),
    Counted(PREFIX + WADO, retrieve_by_parameters),
    Counted(PREFIX + "/studies", studies, methods=["GET", "POST"]),
    Counted(PREFIX + "/series", search_series),
    Counted(PREFIX + "/instances", search_instances),
    Counted(PREFIX + STUDY, study, methods=["GET", "POST"]),
    Counted(PREFIX + STUDY + "/metadata", retrieve_metadata),
    Counted(PREFIX + STUDY + "/rendered", retrieve_rendered),
    Counted(PREFIX + STUDY + "/thumbnail", retrieve_thumbnail),
    Counted(PREFIX + STUDY + "/series", search_series),
    Counted(PREFIX + STUDY + "/instances", search_instances),
    Counted(PREFIX + SERIES, objects),
    Counted(PREFIX + SERIES + "/metadata", retrieve_metadata),
    Counted(PREFIX + SERIES + "/rendered", retrieve_rendered),
    Counted(PREFIX + SERIES + "/thumbnail", retrieve_thumbnail),
    Counted(PREFIX + SERIES + "/instances", search_instances),
    Counted(PREFIX + INSTANCE, retrieve_instances),
    Counted(PREFIX + INSTANCE + "/metadata", retrieve_metadata),
    Counted(PREFIX + INSTANCE + "/rendered", retrieve_rendered),
    Counted(PREFIX + INSTANCE + "/thumbnail", retrieve_thumbnail),
    Counted(PREFIX + INSTANCE + "/frames/{frames}", retrieve_frames),
    Counted(PREFIX + INSTANCE + "/frames/{frames}/rendered", retrieve_rendered_frames),
    Counted(PREFIX + INSTANCE + "/frames/{frames}/thumbnail", retrieve_frame_thumbnails),
    Counted(PREFIX + INSTANCE + "/bulkdata/{path:path}", retrieve_bulk_data),
    Counted(PREFIX + "/workitems", workitem_list, methods=["GET", "POST"]),
    Counted(PREFIX + WORKITEM, workitem, methods=["GET", "POST"]),
    Counted(PREFIX + WORKITEM + "/state", workitems.change_state, methods=["PUT"]),
    Counted(PREFIX + WORKITEM + "/cancelrequest", workitems.request_cancel, methods=["POST"]),
    Counted(PREFIX + SUBSCRIBER, workitem_subscriber, methods=["POST", "DELETE"]),
    Counted(PREFIX + SUBSCRIBER + "/suspend", workitems.suspend, methods=["POST"]),
    Counted(PREFIX + modality.SCHEDULED, modality.search_scheduled_steps),
    Counted(PREFIX + modality.PERFORMED + "/{step}", performed_step, methods=["GET", "POST"]),
    Counted(PREFIX + modality.COMMITMENTS + "/{transaction}", commitment, methods=["GET", "POST"]),
    WebSocketRoute(PREFIX + "/subscribers/{subscriber}", event_channel),
]
