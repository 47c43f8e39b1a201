"""Another archive over DICOMweb: its studies and instances by QIDO-RS, its objects by WADO-RS (PS3.18 10.4, 10.6)."""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from radiology.application_entities.model import ApplicationEntity
from radiology.application_entities.web import Answers, WebPeer, web_peer
from radiology.errors import PeerFailed, RadiologyError
from radiology.kit.log import get_logger
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

    def contents(self, study_instance_uid: str) -> Contents:
        """What a study has: its counts, and its instances page by page until one brings nothing new.

        Raises PeerFailed.
        """
        found: dict[str, ForeignInstance] = {}
        with web_peer(self.settings, self.entity) as peer:
            fields = [("StudyInstanceUID", study_instance_uid), ("includefield", "00201206,00201208")]
            studies, _ = peer.search("/studies", fields)
            counts = [each for each in studies if text_of(each, "0020000D") == study_instance_uid]
            series, total = (count_of(counts[0], tag) if counts else 0 for tag in ("00201206", "00201208"))
            given = 0
            while len(found) < MOST_INSTANCES:
                answers = _page(peer, study_instance_uid, given)
                before, given = len(found), given + len(answers)
                for answer in answers:
                    uid = text_of(answer, "00080018")
                    if uid:
                        found[uid] = ForeignInstance(text_of(answer, "0020000E"), uid, text_of(answer, "00080016"))
                if len(found) == before:
                    return Contents(list(found.values()), series=series, total=total)
        raise PeerFailed(f"{self.entity.ae_title} lists more than {MOST_INSTANCES:,} instances of one study.")

    def retrieve(
        self,
        study_instance_uid: str,
        wanted: Sequence[Wanted],
        sop_classes: Collection[str],  # noqa: ARG002 - nothing is negotiated.
        receiver: Receiver,
    ) -> bool:
        """Retrieve instances one after the other, or a study as a whole. Raises PeerFailed, StoppedError."""
        with web_peer(self.settings, self.entity) as peer:
            for path in _paths(study_instance_uid, wanted):
                parts: list[_ReceivedPart] = []

                def open_part(_media_type: str, parts: list[_ReceivedPart] = parts) -> _ReceivedPart:
                    parts.append(_ReceivedPart(receiver.file()))
                    return parts[-1]

                try:
                    peer.retrieve(path, open_part)
                finally:
                    for part in parts:
                        part.discard()
        return True

    def push(self, study_instance_uid: str, wanted: Sequence[Wanted]) -> int:  # noqa: ARG002
        """DICOMweb has no such thing. Raises PeerFailed."""
        raise PeerFailed(f"{self.entity.ae_title} cannot be told by DICOMweb to send anything.")


@dataclass(slots=True)
class _ReceivedPart:
    """One object of an answer. What is refused is read to its end: the others of the answer may be good.

    It is let go of as soon as it is over, since an answer may have thousands.
    """

    incoming: Incoming | None

    def write(self, fragment: memoryview) -> None:
        if self.incoming is not None:
            self._try(self.incoming, lambda incoming: incoming.write_all([fragment]))

    def end(self) -> None:
        if self.incoming is not None:
            self._try(self.incoming, lambda incoming: incoming.finish())
            self.discard()

    def discard(self) -> None:
        """No more of it comes."""
        if self.incoming is not None:
            self.incoming.discard()
            self.incoming = None

    def _try(self, incoming: Incoming, step: Callable[[Incoming], None]) -> None:
        try:
            step(incoming)
        except RadiologyError as error:
            self.discard()
            log.warning("remote.object-refused", reason=error.sentence)


def _paths(study_instance_uid: str, wanted: Sequence[Wanted]) -> Iterator[str]:
    """The resources to retrieve (PS3.18 table 10.4.1-1)."""
    for part in wanted:
        path = f"/studies/{study_instance_uid}"
        if part.series_instance_uid:
            path += f"/series/{part.series_instance_uid}"
        if not part.instances:
            yield path
        for instance in part.instances:
            yield f"{path}/instances/{instance.sop_instance_uid}"


def _page(peer: WebPeer, study_instance_uid: str, offset: int) -> Answers:
    fields = [("includefield", "00080016"), ("limit", str(PAGE)), ("offset", str(offset))]
    answers, _ = peer.search(f"/studies/{study_instance_uid}/instances", fields)
    return answers
