"""Another archive over DIMSE: its studies and instances by C-FIND, its objects by C-GET or C-MOVE to ourselves."""

from collections.abc import Collection, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from radiology.application_entities.calling import association
from radiology.application_entities.model import ApplicationEntity
from radiology.dicom_network.client import UNCOMPRESSED, ContextNotAcceptedError, Requestor
from radiology.dicom_network.connection import Message
from radiology.dicom_network.message import Command, CommandField, Element, Response, Status, Value, is_pending
from radiology.dicom_network.pdu import MAX_PRESENTATION_CONTEXTS
from radiology.dicom_network.transport import AssociationEndedError
from radiology.dicom_network.user_information import RoleSelection
from radiology.errors import PeerFailed, RadiologyError
from radiology.remotes.model import (
    Contents,
    ForeignInstance,
    Incoming,
    Listing,
    Receiver,
    StudyQuery,
    Wanted,
    count_of,
    study_of,
)
from radiology.settings import Settings
from radiology.standards.dicom.attributes import text_of
from radiology.standards.dicom.data_set import decode, encode
from radiology.standards.dicom.dictionary import vr_of
from radiology.standards.dicom.uids import (
    ACCEPTED_TRANSFER_SYNTAXES,
    STORAGE_SOP_CLASSES,
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
            found, status = _find(requestor, keys, most=self.limit)
        if status != Status.SUCCESS and status not in OUT_OF_RESOURCES:
            raise PeerFailed(f"{self.entity.ae_title} answers a query for studies with status {status:04X}.")
        studies = [study_of(answer) for answer in found if text_of(answer, "0020000D")]
        return Listing(studies, is_cut=status != Status.SUCCESS or len(found) >= self.limit)

    def contents(self, study_instance_uid: str) -> Contents:
        """What a study has: the counts of it and of its series, and the instances series by series. Raises PeerFailed.

        A peer may answer with fewer matches than it has without saying so: the counts show that.
        """
        with self._calling([(STUDY_ROOT_FIND, UNCOMPRESSED)]) as requestor:
            asking = _Asking(self, requestor, study_instance_uid)
            studies = asking.ask("STUDY", {}, "00080062", "00201206", "00201208")
            series = asking.ask("SERIES", {}, "0020000E", "00201209")
            counts = {text_of(answer, "0020000E"): count_of(answer, "00201209") for answer in series}
            instances = [
                ForeignInstance(uid, text_of(answer, "00080018"), text_of(answer, "00080016"))
                for uid in sorted(counts.keys() - {""})
                for answer in asking.ask("IMAGE", {"0020000E": _key("UI", uid)}, "00080016", "00080018")
            ]
        study = studies[0] if studies else {}
        told: list[str] = study.get("00080062", {}).get("Value", [])
        return Contents(
            list({instance.sop_instance_uid: instance for instance in instances if instance.sop_instance_uid}.values()),
            {uid: count for uid, count in counts.items() if uid},
            count_of(study, "00201206"),
            count_of(study, "00201208"),
            asking.is_cut,
            frozenset(told) | {instance.sop_class_uid for instance in instances} - {""},
        )

    def retrieve(
        self, study_instance_uid: str, wanted: Sequence[Wanted], sop_classes: Collection[str], receiver: Receiver
    ) -> bool:
        """C-GET (PS3.4 C.4.3); False where the peer does not offer it. Raises PeerFailed, StoppedError."""
        contexts = _storage_contexts(sorted(sop_classes), is_all=all(part.instances for part in wanted))
        if not contexts:
            return False
        roles = [RoleSelection(uid, scu=False, scp=True) for uid in dict(contexts)]
        with self._calling([(STUDY_ROOT_GET, UNCOMPRESSED), *contexts], roles) as requestor:
            context = requestor.context_for(STUDY_ROOT_GET)
            if context is None:
                return False
            for keys in _identifiers(study_instance_uid, wanted):
                elements: dict[int, Value] = {Element.AFFECTED_SOP_CLASS_UID: STUDY_ROOT_GET, Element.PRIORITY: 0}
                request = requestor.new_request(CommandField.C_GET_RQ, elements, with_data_set=True)
                requestor.send_message(context.context_id, request, encode(keys, context.transfer_syntax_uid))
                _serve(requestor, receiver)
        return True

    def push(self, study_instance_uid: str, wanted: Sequence[Wanted]) -> int:
        """C-MOVE to our own DICOM port (PS3.4 C.4.2); how many sub-operations went well. Raises PeerFailed."""
        elements: dict[int, Value] = {
            Element.COMMAND_FIELD: CommandField.C_MOVE_RQ,
            Element.MOVE_DESTINATION: self.settings.ae_title,
        }
        sent = 0
        with self._calling([(STUDY_ROOT_MOVE, UNCOMPRESSED)]) as requestor:
            syntax = _syntax(requestor, STUDY_ROOT_MOVE)
            for keys in _identifiers(study_instance_uid, wanted):
                *_, (response, _) = requestor.find(STUDY_ROOT_MOVE, encode(keys, syntax), elements=elements)
                if response.status >> 12 in {0xA, 0xC} or response.status == Status.SOP_CLASS_NOT_SUPPORTED:
                    raise PeerFailed(
                        f"{self.entity.ae_title} answers C-MOVE to {self.settings.ae_title} with status "
                        f"{response.status:04X}. Enter our AE title, address and port there as a destination."
                    )
                sent += _went_well(response)
        return sent

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


@dataclass(slots=True)
class _Asking:
    """Queries about one study. `is_cut`: the peer said of an answer that it is not whole."""

    archive: DimseArchive
    requestor: Requestor
    study_instance_uid: str
    is_cut: bool = False

    def ask(self, level: str, keys: Mapping[str, Any], *returned: str) -> list[dict[str, Any]]:
        """What matches at a level. Raises PeerFailed."""
        asked = {tag: _key(vr_of(int(tag, 16)) or "UN") for tag in returned}
        unique = {"00080052": _key("CS", level), "0020000D": _key("UI", self.study_instance_uid)}
        found, status = _find(self.requestor, {**asked, **keys, **unique})
        if status in OUT_OF_RESOURCES:
            self.is_cut = True
        elif status != Status.SUCCESS:
            raise PeerFailed(f"{self.archive.entity.ae_title} answers a query with status {status:04X}.")
        return found


def _find(requestor: Requestor, keys: dict[str, Any], most: int | None = None) -> tuple[list[dict[str, Any]], int]:
    """The answers, of which `most` are enough, and the final status."""
    syntax = _syntax(requestor, STUDY_ROOT_FIND)
    found: list[dict[str, Any]] = []
    status = Status.SUCCESS
    for response, identifier in requestor.find(STUDY_ROOT_FIND, encode(keys, syntax)):
        if not is_pending(response.status):
            status = response.status
        elif identifier:
            found.append(decode(identifier, syntax))
        if len(found) == most:
            break
    return found, status


def _went_well(response: Command) -> int:
    """Sub-operations of a retrieval that stored something: completed, or with a warning (PS3.7 table 9.1-4)."""
    return response.number(Element.COMPLETED_SUBOPERATIONS) + response.number(Element.WARNING_SUBOPERATIONS)


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


def _storage_contexts(classes: Sequence[str], *, is_all: bool) -> list[tuple[str, Sequence[str]]]:
    """A context for each transfer syntax, so that a peer need not transcode, as far as an association has room.

    Where `classes` may not be all, other classes of storage take what room is left.
    """
    room = MAX_PRESENTATION_CONTEXTS - 1
    if len(classes) * len(ACCEPTED_TRANSFER_SYNTAXES) <= room:
        contexts = [(uid, [syntax]) for uid in classes for syntax in ACCEPTED_TRANSFER_SYNTAXES]
    else:
        contexts = [(uid, ACCEPTED_TRANSFER_SYNTAXES) for uid in classes[:room]]
    others = [] if is_all else [uid for uid in STORAGE_SOP_CLASSES if uid not in classes]
    return [*contexts, *((uid, ACCEPTED_TRANSFER_SYNTAXES) for uid in others[: room - len(contexts)])]


def _identifiers(study_instance_uid: str, wanted: Sequence[Wanted]) -> Iterator[dict[str, Any]]:
    """Identifiers at the lowest level that says it: STUDY, SERIES, or IMAGE with lists of UIDs (PS3.4 C.4.2.1.4)."""
    for part in wanted:
        study = {"0020000D": _key("UI", study_instance_uid)}
        if not part.series_instance_uid:
            yield {"00080052": _key("CS", "STUDY"), **study}
            continue
        series = {**study, "0020000E": _key("UI", part.series_instance_uid)}
        if not part.instances:
            yield {"00080052": _key("CS", "SERIES"), **series}
        uids = [instance.sop_instance_uid for instance in part.instances]
        for start in range(0, len(uids), UIDS_AT_ONCE):
            some = _key("UI", *uids[start : start + UIDS_AT_ONCE])
            yield {"00080018": some, "00080052": _key("CS", "IMAGE"), **series}


def _key(vr: str, *values: str) -> dict[str, Any]:
    given = [value for value in values if value]
    return {"vr": vr, "Value": given} if given else {"vr": vr}
