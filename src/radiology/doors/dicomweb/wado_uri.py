"""WADO-URI (PS3.18 9): one instance, named by query parameters."""

from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import Response

from radiology.app import App
from radiology.doors.dicomweb.foreign import fetched
from radiology.doors.dicomweb.media_types import DICOM, accepted, parse_accept
from radiology.doors.dicomweb.sending import of_content
from radiology.doors.dicomweb.wado import audited, caching, media_type_of, unchanged
from radiology.doors.http.actors import actor_of
from radiology.errors import FieldProblem, Invalid, NotAcceptable
from radiology.standards.dicom.uids import EXPLICIT_VR_BIG_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN, is_valid_uid
from radiology.studies import retrieve
from radiology.studies.queries.retrieve import StoredInstance, Target, instances_of

_UIDS = ("studyUID", "seriesUID", "objectUID")
#: Of a picture, and so not of the object itself (PS3.18 9.5.1.2).
_OF_PICTURES = ("frameNumber", "rows", "columns", "region", "windowCenter", "windowWidth", "imageQuality",
                "presentationUID", "presentationSeriesUID")  # fmt: skip
#: Not to be asked for (PS3.18 8.7.3.5.2).
_RETIRED = frozenset((IMPLICIT_VR_LITTLE_ENDIAN, EXPLICIT_VR_BIG_ENDIAN))


async def retrieve_by_parameters(request: Request) -> Response:
    """`GET /wado?requestType=WADO&studyUID=&seriesUID=&objectUID=`: the object as application/dicom (PS3.18 9.4)."""
    target = _target(request)
    parameters = request.query_params
    _check_form(request)
    syntax = parameters.get("transferSyntax")
    if syntax is not None and (syntax in _RETIRED or not is_valid_uid(syntax)):
        raise _wrong("transferSyntax", "must be a UID, not that of Implicit VR or of Big Endian")
    actor = await actor_of(request)
    await fetched(request, target.study_instance_uid, visible_to=actor)
    app: App = request.app.state.app
    async with app.db.reading(planned_once=True) as tx:
        (instance, *_) = await instances_of(tx, target, visible_to=actor)
    audited(request, actor, target, 1, by="WADO-URI")
    sent = retrieve.sent_syntax(instance, syntax)
    if sent is None:
        raise NotAcceptable(f"The object is stored in transfer syntax {instance.transfer_syntax_uid}, and not sent so.")
    return _answer(request, instance, sent)


def _answer(request: Request, instance: StoredInstance, transfer_syntax_uid: str) -> Response:
    headers = caching([instance.data_set_sha256], transfer_syntax_uid, immutable=True)
    if unchanged(request, headers):
        return Response(status_code=304, headers=headers)
    app: App = request.app.state.app
    content = retrieve.file_content(app.objects, instance, transfer_syntax_uid)
    return of_content(app.objects, content, media_type_of(transfer_syntax_uid), headers=headers)


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


def _check_form(request: Request) -> None:
    """Raises NotAcceptable for a form in which the object is not sent, Invalid for parameters that it cannot have."""
    parameters = request.query_params
    accepted(request)  # Also what it says of the character set is checked.
    ranges = parse_accept(parameters.getlist("contentType") or request.headers.getlist("accept"))
    if not any(entry.takes(DICOM) for entry in ranges):
        raise NotAcceptable(f"Objects are sent as {DICOM} here; pictures of them at .../rendered (PS3.18 10.4).")
    if parameters.get("anonymize") is not None:
        if parameters["anonymize"] != "yes":
            raise _wrong("anonymize", "can only be yes")
        raise NotAcceptable("Objects are not de-identified here. Leave anonymize out, and do it where they are needed.")
    if given := [name for name in _OF_PICTURES if name in parameters]:
        raise _wrong(given[0], f"is not possible for {DICOM}, only for a picture")


def _wrong(name: str, sentence: str) -> Invalid:
    return Invalid(f"{name} {sentence}.", fields=[FieldProblem(name, sentence)])
