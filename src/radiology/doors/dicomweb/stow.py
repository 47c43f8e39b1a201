"""STOW-RS (PS3.18 10.5) and the specification's `POST /api/radiology/dicom/store`: both read the same bodies."""

from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from radiology.access.model import Actor, Permission
from radiology.audit.model import MINOR_FAILURE, SUCCESS
from radiology.audit.trail import Access
from radiology.doors.dicomweb.answers import OF_ONE, written
from radiology.doors.dicomweb.described import METADATA_TYPES, Described
from radiology.doors.dicomweb.media_types import DICOM, DICOM_JSON, accepted, choose
from radiology.doors.dicomweb.parameters import base_url, path_uid
from radiology.doors.http.actors import actor_of
from radiology.errors import Invalid, NotAcceptable, NotSupported, RadiologyError, TooLarge, Unavailable
from radiology.kit import metrics
from radiology.kit.multipart import MultipartReader, boundary_of, parsed_content_type
from radiology.standards.dicom.checks import WARNINGS
from radiology.studies.actions.store import Outcome, Storing
from radiology.studies.archive import Archive
from radiology.studies.receive import Reception, Source
from radiology.studies.rejection import MAY_REJECT

RETRY_AFTER_SECONDS = "30"


class ReceivedPart:
    """One part on its way in. Once it has failed the rest of it is passed over; the other parts go on."""

    def __init__(self, storing: Storing, media_type: str) -> None:
        self.reception: Reception | None = None
        self.error: RadiologyError | None = None
        self._storing = storing
        try:
            _must_be_dicom(media_type)
            self.reception = storing.begin()
        except RadiologyError as error:
            self.error = error

    def write(self, fragment: bytes | memoryview) -> None:
        """The next bytes."""
        if self.error is None and self.reception is not None:
            try:
                self.reception.write(fragment)
            except RadiologyError as error:
                self.error = error

    async def end(self) -> None:
        """All bytes were there."""
        if self.error is not None or self.reception is None:
            self._storing.failed(self.error or Invalid("An empty part."), self.reception)
        else:
            await self._storing.received(self.reception)

    def discard(self) -> None:
        """The rest will never come."""
        if self.reception is not None:
            self.reception.discard()


@dataclass(slots=True)
class Body:
    """The body of a storing request: single or multipart, read as it comes."""

    request: Request
    storing: Storing
    limit_bytes: int
    _begun: list[ReceivedPart] = field(default_factory=list[ReceivedPart])

    async def read(self) -> None:
        """Take in every object. Raises Invalid, NotSupported, TooLarge where the body as a whole cannot be read."""
        content_type = self.request.headers.get("content-type", "")
        _must_fit(int(self.request.headers.get("content-length") or 0), self.limit_bytes)
        media_type = parsed_content_type(content_type)[0]
        try:
            if media_type == DICOM:
                await self._read_single()
            elif media_type in METADATA_TYPES:
                await self._read_described(media_type, None)
            else:
                await self._read_parts(content_type)
        except ClientDisconnect as error:
            raise Invalid("The connection was lost before the body was complete.") from error
        finally:
            for part in self._begun:
                part.discard()

    async def _read_single(self) -> None:
        part = self._begin(DICOM)
        async for chunk in self._chunks():
            part.write(chunk)
        await self._end(part)

    async def _read_parts(self, content_type: str) -> None:
        boundary, part_type = boundary_of(content_type)
        if part_type in METADATA_TYPES:
            await self._read_described(part_type, boundary)
            return
        _must_be_dicom(part_type)
        reader = MultipartReader(boundary, self._begin)
        async for chunk in self._chunks():
            for part in reader.feed(chunk):
                await self._end(part)
        reader.finish()

    async def _read_described(self, media_type: str, boundary: str | None) -> None:
        """Metadata, with bulk data where the body is multipart."""
        app = self.storing.archive.app
        with app.objects.create(write_behind=False) as spool:
            described = Described(self.storing, media_type, spool, app.settings.max_json_bytes)
            if boundary is None:
                await described.read_metadata(self._chunks())
            else:
                await described.read_parts(self._chunks(), boundary)
            await described.store()

    async def _chunks(self) -> AsyncIterator[bytes]:
        """The body as it comes. Raises TooLarge."""
        size = 0
        async for chunk in self.request.stream():
            size += len(chunk)
            _must_fit(size, self.limit_bytes)
            yield chunk

    def _begin(self, media_type: str) -> ReceivedPart:
        part = ReceivedPart(self.storing, media_type)
        self._begun.append(part)
        return part

    async def _end(self, part: ReceivedPart) -> None:
        """Hand over a part that is whole; until then the body answers for it."""
        self._begun.remove(part)
        await part.end()


async def store_instances(request: Request) -> Response:
    """Store Instances transaction: `POST /dicomweb/studies` and `/dicomweb/studies/{study}`."""
    study = path_uid(request, "study")
    outcomes = await _store(request, study)
    media_type = _answer_type(request)
    return Response(
        written(_stow_answer(outcomes, base_url(request)), media_type),
        status_code=_stow_status(outcomes),
        media_type=media_type,
        headers=_retry_after(outcomes),
    )


def _answer_type(request: Request) -> str:
    """JSON too where the client would have neither: what was stored is told in any case."""
    try:
        return choose(accepted(request), OF_ONE)
    except NotAcceptable:
        return DICOM_JSON


async def store(request: Request) -> Response:
    """`POST /api/radiology/dicom/store`: 201 new, 200 the same again; several parts give a list."""
    outcomes = await _store(request, None)
    if len(outcomes) == 1 and outcomes[0].error is not None:
        raise outcomes[0].error
    answers = [_rest_answer(outcome) for outcome in outcomes]
    new = any(outcome.stored and not outcome.stored.duplicate for outcome in outcomes)
    status = 207 if any(outcome.error for outcome in outcomes) else 201 if new else 200
    body = answers[0] if len(answers) == 1 else {"instances": answers}
    return Response(orjson.dumps(body), status_code=status, media_type="application/json")


async def _store(request: Request, study: str | None) -> list[Outcome]:
    actor = await actor_of(request)
    actor.must(Permission.WRITE)
    archive: Archive = request.app.state.archive
    storing = Storing(archive, _source(archive, actor), study)
    try:
        await Body(request, storing, archive.app.settings.max_request_bytes).read()
        outcomes = await storing.finish()
        for outcome in outcomes:
            status = outcome.error.failure_reason if outcome.error else 0
            metrics.dicom_operation("STOW-RS", f"{status:04X}").inc()
        _audit(archive, actor, outcomes)
        return outcomes
    finally:
        await storing.discard()


def _audit(archive: Archive, actor: Actor, outcomes: Sequence[Outcome]) -> None:
    """One record for each study; what was refused counts by itself (PS3.15 A.5.3.7)."""
    counts = Counter((outcome.study_instance_uid, outcome.error is not None) for outcome in outcomes)
    for (study, refused), count in counts.items():
        outcome = MINOR_FAILURE if refused else SUCCESS
        access = Access(actor.id, "study.store", study, count, {"by": "STOW-RS"}, outcome)
        archive.trail.keep(access, after_the_fact=True)


def _source(archive: Archive, actor: Actor) -> Source:
    facility_code = actor.facility_code or archive.app.settings.facility_code
    return Source(facility_code, actor=actor.id, may_reject=actor.role in MAY_REJECT)


def _must_be_dicom(media_type: str) -> None:
    if parsed_content_type(media_type)[0] not in {"", DICOM}:
        raise NotSupported(f"Parts must be {DICOM}, not {media_type}.")


def _must_fit(size: int, limit_bytes: int) -> None:
    if size > limit_bytes:
        raise TooLarge(f"A request may have at most {limit_bytes:,} bytes. Send fewer objects at once.")


def _stow_status(outcomes: Sequence[Outcome]) -> int:
    """PS3.18 table 10.5.3-1: 200 all, 202 some or with warnings, 409 none; 503 where none because of us."""
    failed = [outcome for outcome in outcomes if outcome.error is not None]
    if len(failed) == len(outcomes):
        return 503 if all(isinstance(outcome.error, Unavailable) for outcome in failed) else 409
    return 202 if failed or any(_warning(outcome) for outcome in outcomes) else 200


def _retry_after(outcomes: Sequence[Outcome]) -> dict[str, str] | None:
    return {"Retry-After": RETRY_AFTER_SECONDS} if _stow_status(outcomes) == 503 else None


def _stow_answer(outcomes: Sequence[Outcome], base: str) -> dict[str, Any]:
    """The Store Instances Response Module (PS3.18 I.2) as DICOM JSON."""
    stored = [_referenced(outcome, base) for outcome in outcomes if outcome.error is None]
    failed = [_failed(outcome) for outcome in outcomes if outcome.error is not None and outcome.sop_instance_uid]
    other = [
        _failure_reason(outcome) for outcome in outcomes if outcome.error is not None and not outcome.sop_instance_uid
    ]
    studies = {outcome.study_instance_uid for outcome in outcomes if outcome.error is None}
    url = f"{base}/studies/{studies.pop()}" if len(studies) == 1 else f"{base}/studies"
    answer: dict[str, Any] = {"00081190": {"vr": "UR", "Value": [url]}}
    for tag, items in (("00081198", failed), ("00081199", stored), ("0008119A", other)):
        if items:
            answer[tag] = {"vr": "SQ", "Value": items}
    return answer


def _referenced(outcome: Outcome, base: str) -> dict[str, Any]:
    series = f"{base}/studies/{outcome.study_instance_uid}/series/{outcome.series_instance_uid}"
    item = _sop(outcome) | {"00081190": {"vr": "UR", "Value": [f"{series}/instances/{outcome.sop_instance_uid}"]}}
    if warning := _warning(outcome):
        item["00081196"] = {"vr": "US", "Value": [warning]}
    return item


def _failed(outcome: Outcome) -> dict[str, Any]:
    return _sop(outcome) | _failure_reason(outcome)


def _failure_reason(outcome: Outcome) -> dict[str, Any]:
    error = outcome.error or Invalid("")
    item: dict[str, Any] = {"00081197": {"vr": "US", "Value": [error.failure_reason]}}
    if error.tag:
        item["00000901"] = {"vr": "AT", "Value": [error.tag]}
    return item | {"00000902": {"vr": "LO", "Value": [error.sentence[:64]]}}


def _sop(outcome: Outcome) -> dict[str, Any]:
    return {
        "00081150": {"vr": "UI", "Value": [outcome.sop_class_uid]},
        "00081155": {"vr": "UI", "Value": [outcome.sop_instance_uid]},
    }


def _warning(outcome: Outcome) -> int | None:
    return next((WARNINGS[flag] for flag in outcome.flags if flag in WARNINGS), None)


def _rest_answer(outcome: Outcome) -> dict[str, Any]:
    if outcome.error is not None:
        error = outcome.error
        refused = {"status": f"{error.dimse_status:04X}", "sopInstanceUid": outcome.sop_instance_uid}
        return refused | {"error": error.sentence, "element": error.tag}
    stored = outcome.stored
    assert stored is not None  # noqa: S101 - an outcome is one or the other.
    return {
        "status": "0000",
        "sopInstanceUid": outcome.sop_instance_uid,
        "seriesId": str(stored.series_id),
        "studyId": str(stored.study_id),
        "studyInstanceUid": outcome.study_instance_uid,
        "created": {"study": stored.new_study, "series": stored.new_series},
        "matched": {"order": None, "confidence": "none"},
        "warnings": list(outcome.flags),
    }
