"""Another archive over DIMSE: its studies and instances by C-FIND, its objects by C-GET or C-MOVE to ourselves."""

from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from radiology.application_entities.calling import association
from radiology.application_entities.model import ApplicationEntity
from radiology.dicom_network.client import UNCOMPRESSED, ContextNotAcceptedError, Requestor
from radiology.dicom_network.connection import Message
from radiology.dicom_network.message import Command, CommandField, Element, Response, Status, Value, is_pending
from radiology.dicom_network.pdu import MAX_PRESENTATION_CONTEXTS, RoleSelection
from radiology.dicom_network.transport import AssociationEndedError
from radiology.errors import PeerFailed, RadiologyError
from radiology.remotes.model import ForeignInstance, Incoming, Listing, Receiver, StudyQuery, study_of
from radiology.settings import Settings
from radiology.standards.dicom.attributes import text_of
from radiology.standards.dicom.data_set import decode, encode
from radiology.standards.dicom.uids import (
    ACCEPTED_TRANSFER_SYNTAXES,
    STUDY_ROOT_FIND,
    STUDY_ROOT_GET,
    STUDY_ROOT_MOVE,
)

OUT_OF_RESOURCES = range(0xA700, 0xA800)
UIDS_AT_ONCE = 100


@dataclass(frozen=True, slots=True)
class DimseArchive:
    """An archive of the registry. `limit`: a query with this many answers may have been cut."""

    settings: Settings
    entity: ApplicationEntity
    limit: int = 100

    def studies(self, query: StudyQuery) -> Listing:
        """The studies that match. Raises PeerFailed, also for a failure status."""
        keys = {
            "00080020": _key("DA", query.study_date),
            "00080030": _key("TM", query.study_time),
            "00080050": _key("SH"),
            "00080052": _key("CS", "STUDY"),
            "00100020": _key("LO", query.patient_id),
            "0020000D": _key("UI"),
        }
        with self._calling([(STUDY_ROOT_FIND, UNCOMPRESSED)]) as requestor:
            found, status = _find(requestor, keys)
        if status != Status.SUCCESS and status not in OUT_OF_RESOURCES:
            raise PeerFailed(f"{self.entity.ae_title} answers a query for studies with status {status:04X}.")
        studies = [study_of(answer) for answer in found if text_of(answer, "0020000D")]
        return Listing(studies, is_cut=status != Status.SUCCESS or len(found) >= self.limit)

    def instances(self, study_instance_uid: str) -> list[ForeignInstance]:
        """The instances of a study, series by series. Raises as `studies` does."""
        with self._calling([(STUDY_ROOT_FIND, UNCOMPRESSED)]) as requestor:
            study = {"0020000D": _key("UI", study_instance_uid)}
            series = self._all(requestor, {**study, "00080052": _key("CS", "SERIES"), "0020000E": _key("UI")})
            return [
                ForeignInstance(uid, text_of(answer, "00080018"), text_of(answer, "00080016"))
                for uid in sorted({text_of(answer, "0020000E") for answer in series} - {""})
                for answer in self._all(
                    requestor,
                    {
                        **study,
                        "00080016": _key("UI"),
                        "00080018": _key("UI"),
                        "00080052": _key("CS", "IMAGE"),
                        "0020000E": _key("UI", uid),
                    },
                )
            ]

    def retrieve(self, study_instance_uid: str, wanted: Sequence[ForeignInstance], receiver: Receiver) -> bool:
        """C-GET instances (PS3.4 C.4.3); False where the peer does not offer it. Raises PeerFailed, StoppedError."""
        classes = sorted({instance.sop_class_uid for instance in wanted} - {""})
        if not classes:
            return False
        roles = [RoleSelection(uid, scu=False, scp=True) for uid in classes]
        contexts = [(STUDY_ROOT_GET, UNCOMPRESSED), *_storage_contexts(classes)]
        with self._calling(contexts, roles) as requestor:
            context = requestor.context_for(STUDY_ROOT_GET)
            if context is None:
                return False
            for keys in _identifiers(study_instance_uid, wanted):
                elements: dict[int, Value] = {Element.AFFECTED_SOP_CLASS_UID: STUDY_ROOT_GET, Element.PRIORITY: 0}
                request = requestor.new_request(CommandField.C_GET_RQ, elements, with_data_set=True)
                requestor.send_message(context.context_id, request, encode(keys, context.transfer_syntax_uid))
                _serve(requestor, receiver)
        return True

    def push(self, study_instance_uid: str, wanted: Sequence[ForeignInstance]) -> None:
        """C-MOVE instances to our own DICOM port (PS3.4 C.4.2). Raises PeerFailed."""
        elements: dict[int, Value] = {
            Element.COMMAND_FIELD: CommandField.C_MOVE_RQ,
            Element.MOVE_DESTINATION: self.settings.ae_title,
        }
        with self._calling([(STUDY_ROOT_MOVE, UNCOMPRESSED)]) as requestor:
            syntax = _syntax(requestor, STUDY_ROOT_MOVE)
            for keys in _identifiers(study_instance_uid, wanted):
                answers = requestor.find(STUDY_ROOT_MOVE, encode(keys, syntax), elements=elements)
                status = [response.status for response, _ in answers][-1]
                if status >> 12 in {0xA, 0xC} or status == Status.SOP_CLASS_NOT_SUPPORTED:
                    raise PeerFailed(
                        f"{self.entity.ae_title} answers C-MOVE to {self.settings.ae_title} with status {status:04X}. "
                        "Enter our AE title, address and port there as a destination."
                    )

    def _all(self, requestor: Requestor, keys: dict[str, Any]) -> list[dict[str, Any]]:
        found, status = _find(requestor, keys)
        if status != Status.SUCCESS:
            raise PeerFailed(f"{self.entity.ae_title} answers a query with status {status:04X}.")
        return found

    @contextmanager
    def _calling(
        self, contexts: Sequence[tuple[str, Sequence[str]]], roles: Sequence[RoleSelection] = ()
    ) -> Generator[Requestor]:
        try:
            with association(self.settings, self.entity, contexts, roles=roles) as requestor:
                yield requestor
        except (AssociationEndedError, ContextNotAcceptedError, OSError) as error:
            reason = error.strerror or type(error).__name__ if isinstance(error, OSError) else str(error)
            raise PeerFailed(f"{self.entity.ae_title} broke off or cannot be called: {reason}.") from error


def _find(requestor: Requestor, keys: dict[str, Any]) -> tuple[list[dict[str, Any]], int]:
    """The answers, and the final status."""
    syntax = _syntax(requestor, STUDY_ROOT_FIND)
    found: list[dict[str, Any]] = []
    status = Status.SUCCESS
    for response, identifier in requestor.find(STUDY_ROOT_FIND, encode(keys, syntax)):
        status = response.status
        if is_pending(status) and identifier:
            found.append(decode(identifier, syntax))
    return found, status


def _syntax(requestor: Requestor, sop_class_uid: str) -> str:
    context = requestor.context_for(sop_class_uid)
    if context is None:
        raise PeerFailed(f"{requestor.called_ae_title} does not offer {sop_class_uid}.")
    return context.transfer_syntax_uid


def _serve(requestor: Requestor, receiver: Receiver) -> None:
    """Take what a C-GET sends until its final response."""
    while (message := requestor.next_message(requestor.timers.dimse_seconds)) is not None:
        if message.command.field == CommandField.C_STORE_RQ:
            requestor.send_message(message.data.context.context_id, _taken(message, receiver))
        elif message.command.field == CommandField.C_GET_RSP:
            message.data.drain()
            if not is_pending(message.command.status):
                return


def _taken(message: Message, receiver: Receiver) -> Command:
    incoming: Incoming | None = None
    command, data = message.command, message.data
    try:
        incoming = receiver.data_set(command.sop_class_uid, command.sop_instance_uid, data.transfer_syntax_uid)
        for fragments in data.batches():
            incoming.write_all(fragments)
        incoming.finish()
        response = Response(Status.SUCCESS)
    except RadiologyError as error:
        data.drain()
        response = Response(error.dimse_status)
    finally:
        if incoming is not None:
            incoming.discard()
    return response.to_command(command)


def _storage_contexts(classes: Sequence[str]) -> list[tuple[str, Sequence[str]]]:
    """A context for each transfer syntax, so that a peer need not transcode, as far as an association has room."""
    room = MAX_PRESENTATION_CONTEXTS - 1
    if len(classes) * len(ACCEPTED_TRANSFER_SYNTAXES) <= room:
        return [(uid, [syntax]) for uid in classes for syntax in ACCEPTED_TRANSFER_SYNTAXES]
    return [(uid, ACCEPTED_TRANSFER_SYNTAXES) for uid in classes[:room]]


def _identifiers(study_instance_uid: str, wanted: Sequence[ForeignInstance]) -> Iterator[dict[str, Any]]:
    """Identifiers at IMAGE level with lists of UIDs (PS3.4 C.4.2.1.4), series by series."""
    for series in sorted({instance.series_instance_uid for instance in wanted}):
        uids = [instance.sop_instance_uid for instance in wanted if instance.series_instance_uid == series]
        for start in range(0, len(uids), UIDS_AT_ONCE):
            yield {
                "00080018": _key("UI", *uids[start : start + UIDS_AT_ONCE]),
                "00080052": _key("CS", "IMAGE"),
                "0020000D": _key("UI", study_instance_uid),
                "0020000E": _key("UI", series),
            }


def _key(vr: str, *values: str) -> dict[str, Any]:
    given = [value for value in values if value]
    return {"vr": vr, "Value": given} if given else {"vr": vr}
