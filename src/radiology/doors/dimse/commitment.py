"""Storage Commitment Push Model (PS3.4 J): N-ACTION, and the result on the same association while it lasts.

As SCU it takes results of what was asked of a peer.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Final
from uuid import UUID

from radiology.app import App
from radiology.delivery.commitment.actions import answer_to
from radiology.dicom_network.connection import Association, DataSet
from radiology.dicom_network.message import Command, CommandField, Response, is_failure
from radiology.doors.dimse.performed_steps import DATA_SET_LIMIT_BYTES, read
from radiology.errors import NotFound, RadiologyError, Unprocessable
from radiology.kit.clock import monotonic_seconds
from radiology.kit.log import get_logger
from radiology.standards.dicom.uids import STORAGE_COMMITMENT_PUSH, STORAGE_COMMITMENT_PUSH_INSTANCE
from radiology.studies.actions import commit
from radiology.studies.actions.commit import Result

REQUEST_STORAGE_COMMITMENT: Final = 1
NO_SUCH_ACTION: Final = 0x0123
LOOK_AGAIN_SECONDS: Final = 0.5
"""Also before the first look: who releases at once is not to be surprised by a request."""

log = get_logger()


@dataclass(slots=True)
class Promise:
    """A request that came over this association and is to be answered on it, if that can be soon."""

    request_id: UUID
    asked_at: float = field(default_factory=monotonic_seconds)
    sent: bool = False

    @property
    def is_early(self) -> bool:
        """Whether its request was answered only just now."""
        return monotonic_seconds() - self.asked_at < LOOK_AGAIN_SECONDS

    @property
    def is_late(self) -> bool:
        """Whether it is the job's turn."""
        return monotonic_seconds() - self.asked_at > commit.SAME_ASSOCIATION_SECONDS


@dataclass(frozen=True, slots=True)
class CommitmentService:
    """Storage commitment over one App. Before anything is looked at, what the association stored is in the index."""

    app: App
    wait_for_index: Callable[[Association], None]

    def request(self, association: Association, request: Command, data: DataSet) -> Response:
        """N-ACTION (PS3.4 J.3.2): once it is answered with success, the result comes, whatever happens to us."""
        attributes = read(data)
        if request.action_type_id != REQUEST_STORAGE_COMMITMENT:
            raise Unprocessable("The only action is 1, Request Storage Commitment.", dimse_status=NO_SUCH_ACTION)
        if request.sop_instance_uid != STORAGE_COMMITMENT_PUSH_INSTANCE:
            raise NotFound("Storage commitment is asked of its well-known SOP instance.")
        self.wait_for_index(association)
        request_id = self.app.db.wait_for(commit.take_request(self.app, association.calling_ae_title, attributes))
        association.state.promises.append(Promise(request_id))
        return Response()

    def take_result(self, association: Association, request: Command, data: DataSet) -> Response:  # noqa: ARG002
        """N-EVENT-REPORT (PS3.4 J.3.3): the result of what we asked of the caller."""
        encoded = data.read(DATA_SET_LIMIT_BYTES)
        return answer_to(self.app, association.calling_ae_title, encoded, data.transfer_syntax_uid)

    def report(self, association: Association) -> float | None:
        """Between two messages: send the results that can be sent; seconds until the next look, None for none."""
        promises: list[Promise] = association.state.promises
        for promise in [each for each in promises if not each.sent and not each.is_early]:
            try:
                is_over = promise.is_late or self._report(association, promise)
            except RadiologyError as error:  # The job tries again when the database is back.
                log.warning("commitment.left-to-job", ae_title=association.calling_ae_title, exc_info=error)
                is_over = True
            if is_over:
                promises.remove(promise)
        return LOOK_AGAIN_SECONDS if any(not each.sent for each in promises) else None

    def leave(self, association: Association) -> None:
        """The association ends: results that the peer has not taken are left to the job."""
        for promise in association.state.promises:
            if promise.sent:
                try:
                    self.app.db.wait_for(commit.give_back(self.app, promise.request_id))
                except RadiologyError as error:  # The claim ends by itself.
                    log.warning("commitment.still-claimed", ae_title=association.calling_ae_title, exc_info=error)

    def _report(self, association: Association, promise: Promise) -> bool:
        """Send a result if all is decided; whether there is nothing left to do here."""
        looked = self.app.db.wait_for(commit.look(self.app, promise.request_id))
        if looked is None:
            return True
        found = commit.verify(self.app, *looked)
        if found is None:
            return False
        context = association.context_for(STORAGE_COMMITMENT_PUSH)
        if context is None or not self.app.db.wait_for(commit.claim(self.app, promise.request_id)):
            return True
        promise.sent = True
        taken = partial(self._taken, association, promise, found)
        association.begin(context, CommandField.N_EVENT_REPORT_RQ, found.command, found.encoded(context), taken)
        return False

    def _taken(self, association: Association, promise: Promise, found: Result, response: Command) -> None:
        association.state.promises.remove(promise)
        if is_failure(response.status):
            log.warning("commitment.refused", ae_title=association.calling_ae_title, status=f"{response.status:04X}")
            work = commit.give_back(self.app, promise.request_id)
        else:
            work = commit.reported(self.app, promise.request_id, found)
        try:
            self.app.db.wait_for(work)
        except RadiologyError as error:  # The claim ends by itself, and the job reports again.
            log.warning("commitment.still-claimed", ae_title=association.calling_ae_title, exc_info=error)
