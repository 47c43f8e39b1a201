"""Another archive over DICOMweb: its studies and instances by QIDO-RS, its objects by WADO-RS (PS3.18 10.4, 10.6)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from radiology.application_entities.model import ApplicationEntity
from radiology.application_entities.web import Answers, WebPeer, web_peer
from radiology.errors import PeerFailed, RadiologyError
from radiology.kit.log import get_logger
from radiology.remotes.model import ForeignInstance, Incoming, Listing, Receiver, StudyQuery, study_of
from radiology.settings import Settings
from radiology.standards.dicom.attributes import text_of

PAGE: Final = 500
#: A study of more instances is not believed.
MOST_INSTANCES: Final = 200_000

log = get_logger()


@dataclass(frozen=True, slots=True)
class DicomwebArchive:
    """An archive of the registry. `limit`: a search with this many answers may have been cut."""

    settings: Settings
    entity: ApplicationEntity
    limit: int = 100

    def studies(self, query: StudyQuery) -> Listing:
        """The studies that match. Raises PeerFailed."""
        asked = {"StudyDate": query.study_date, "StudyTime": query.study_time, "PatientID": query.patient_id}
        parameters = [(name, value) for name, value in asked.items() if value]
        with web_peer(self.settings, self.entity) as peer:
            found, is_all = peer.search("/studies", [*parameters, ("limit", str(self.limit))])
        studies = [study_of(answer) for answer in found if text_of(answer, "0020000D")]
        return Listing(studies, is_cut=not is_all or len(found) >= self.limit)

    def instances(self, study_instance_uid: str) -> list[ForeignInstance]:
        """The instances of a study, page by page until one brings nothing new. Raises PeerFailed."""
        found: dict[str, ForeignInstance] = {}
        with web_peer(self.settings, self.entity) as peer:
            given = 0
            while len(found) < MOST_INSTANCES:
                answers = _page(peer, study_instance_uid, given)
                before, given = len(found), given + len(answers)
                for answer in answers:
                    uid = text_of(answer, "00080018")
                    if uid:
                        found[uid] = ForeignInstance(text_of(answer, "0020000E"), uid, text_of(answer, "00080016"))
                if len(found) == before:
                    return list(found.values())
        raise PeerFailed(f"{self.entity.ae_title} lists more than {MOST_INSTANCES:,} instances of one study.")

    def retrieve(self, study_instance_uid: str, wanted: Sequence[ForeignInstance], receiver: Receiver) -> bool:
        """Retrieve instances one after the other. Raises PeerFailed, StoppedError."""
        with web_peer(self.settings, self.entity) as peer:
            for instance in wanted:
                path = (
                    f"/studies/{study_instance_uid}/series/{instance.series_instance_uid}"
                    f"/instances/{instance.sop_instance_uid}"
                )
                parts: list[_ReceivedPart] = []

                def open_part(_media_type: str, parts: list[_ReceivedPart] = parts) -> _ReceivedPart:
                    parts.append(_ReceivedPart(receiver.file()))
                    return parts[-1]

                try:
                    peer.retrieve(path, open_part)
                finally:
                    for part in parts:
                        part.incoming.discard()
        return True

    def push(self, study_instance_uid: str, wanted: Sequence[ForeignInstance]) -> None:  # noqa: ARG002
        """DICOMweb has no such thing. Raises PeerFailed."""
        raise PeerFailed(f"{self.entity.ae_title} cannot be told by DICOMweb to send anything.")


@dataclass(slots=True)
class _ReceivedPart:
    """One object of an answer. What is refused is read to its end: the others of the answer may be good."""

    incoming: Incoming
    refused: bool = False

    def write(self, fragment: memoryview) -> None:
        if not self.refused:
            self._try(lambda: self.incoming.write_all([fragment]))

    def end(self) -> None:
        if not self.refused:
            self._try(self.incoming.finish)

    def _try(self, step: Callable[[], None]) -> None:
        try:
            step()
        except RadiologyError as error:
            self.refused = True
            log.warning("remote.object-refused", reason=error.sentence)


def _page(peer: WebPeer, study_instance_uid: str, offset: int) -> Answers:
    fields = [("includefield", "00080016"), ("limit", str(PAGE)), ("offset", str(offset))]
    answers, _ = peer.search(f"/studies/{study_instance_uid}/instances", fields)
    return answers
