"""Studies that have not come yet from an archive that is taken over: in answers to C-FIND, and fetched when wanted."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

from radiology.access.model import Actor
from radiology.dicom_network.connection import Association
from radiology.dicom_network.message import Command, PendingResponses, Response, Status, SubOperations
from radiology.doors.dimse.answers import CONTROL, INSTANCE_AVAILABILITY, RETRIEVE_AE_TITLE
from radiology.doors.dimse.identifiers import LEVEL
from radiology.errors import Unavailable
from radiology.kit.clock import monotonic_seconds
from radiology.standards.dicom import data_set
from radiology.takeover.fetching import Fetching
from radiology.takeover.proxy import Asking, ForeignAnswer, Proxy

LOOK_UP_SECONDS: Final = 0.1
PENDING_EVERY_SECONDS: Final = 5.0


@dataclass(frozen=True, slots=True)
class ForeignAnswers:
    """How the answers of other archives are told: as ours, with where the study is and that it has to be fetched."""

    identifier: Mapping[str, Any]
    transfer_syntax_uid: str
    charset: str
    status: int

    def begin(self, proxy: Proxy, *, limit: int, visible_to: Actor) -> Asking | None:
        """Ask them what the identifier asks us."""
        if proxy.is_idle:
            return None
        return proxy.ask(keys_of(self.identifier), limit=limit, visible_to=visible_to)

    def responses(self, answers: Sequence[ForeignAnswer]) -> PendingResponses:
        """Pending responses for some studies."""
        return PendingResponses(self.status, [self._encoded(answer) for answer in answers])

    def _encoded(self, answer: ForeignAnswer) -> bytes:
        found = answer.attributes
        asked = self.identifier.keys() - CONTROL
        attributes = {tag: found.get(tag, {"vr": self.identifier[tag]["vr"]}) for tag in asked}
        attributes |= {
            LEVEL: {"vr": "CS", "Value": ["STUDY"]},
            RETRIEVE_AE_TITLE: {"vr": "AE", "Value": [answer.ae_title]},
            INSTANCE_AVAILABILITY: {"vr": "CS", "Value": ["NEARLINE"]},
        }
        return data_set.encode(attributes, self.transfer_syntax_uid, charset=self.charset)


def keys_of(identifier: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The keys of an identifier: each attribute's path and the text to match."""
    for tag, element in identifier.items():
        if tag not in CONTROL:
            yield from _keys(tag, element)


def _keys(path: str, element: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    values: list[Any] = element.get("Value") or []
    if element["vr"] == "SQ" and values:
        for tag, inner in values[0].items():
            yield from _keys(f"{path}.{tag}", inner)
    else:
        yield path, "\\".join(_text(value) for value in values)


def _text(value: Any) -> str:
    """A value as DICOM writes it; of a person's name the component groups."""
    if not isinstance(value, Mapping):
        return "" if value is None else str(value)
    groups = cast("Mapping[str, str]", value)
    return "=".join(groups.get(group, "") for group in ("Alphabetic", "Ideographic", "Phonetic")).rstrip("=")


def fetched(
    proxy: Proxy,
    association: Association,
    request: Command,
    study_instance_uids: Sequence[str],
    *,
    visible_to: Sequence[Actor],
    dimse_status: int,
) -> Iterator[Response]:
    """Fetch what of these studies has not come yet: pending responses meanwhile, and FE00 where that is cancelled.

    Raises NotFound, with this status, where one does not come.
    """
    if proxy.is_idle:
        return
    fetching = _begin(proxy, study_instance_uids, visible_to, dimse_status)
    began = told = monotonic_seconds()
    while awaited := _awaited(fetching, began):
        awaited[0].is_over(LOOK_UP_SECONDS)
        remaining = sum(each.total for each in fetching)
        if association.is_cancelled(request):
            yield Response(Status.CANCEL, sub_operations=SubOperations(0, 0, 0, remaining))
            return
        if monotonic_seconds() - told > PENDING_EVERY_SECONDS:
            told = monotonic_seconds()
            yield Response(Status.PENDING, sub_operations=SubOperations(0, 0, 0, remaining))
    for each in fetching:
        each.check(dimse_status=dimse_status)


def _begin(
    proxy: Proxy, study_instance_uids: Sequence[str], visible_to: Sequence[Actor], dimse_status: int
) -> list[Fetching]:
    try:
        return proxy.fetch(study_instance_uids, visible_to=visible_to)
    except Unavailable as error:
        raise Unavailable(error.sentence, dimse_status=dimse_status) from error


def _awaited(fetching: Sequence[Fetching], began: float) -> list[Fetching]:
    """What has not come, and is still waited for."""
    waited = monotonic_seconds() - began
    return [each for each in fetching if waited < each.limit_seconds and not each.is_over(0)]
