"""Storage commitment (PS3.4 J): what is asked for, and what is answered. Pure; data sets are in the DICOM JSON model.

A promise to keep an instance rests on its row, its file and the digest of its bytes, read again for every answer.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from typing import Any, Final
from uuid import UUID

from radiology.errors import Unprocessable
from radiology.standards.dicom.attributes import text_of
from radiology.standards.dicom.uids import SERVICE_SOP_CLASSES, STORAGE_SOP_CLASSES, is_valid_uid

TRANSACTION_UID, RETRIEVE_AE_TITLE = "00081195", "00080054"
REFERENCED, FAILED = "00081199", "00081198"
SOP_CLASS, SOP_INSTANCE, FAILURE_REASON = "00081150", "00081155", "00081197"
INVALID_ARGUMENT_VALUE: Final = 0x0115
_SERVICES: Final = frozenset(SERVICE_SOP_CLASSES.values())
ALL_COMMITTED, SOME_FAILED = 1, 2
"""Event types of the result (PS3.4 table J.3-2)."""


class Reason(IntEnum):
    """Why an instance is not committed: Failure Reason (0008,1197) (PS3.3 C.14.1.1)."""

    PROCESSING_FAILURE = 0x0110
    NO_SUCH_INSTANCE = 0x0112
    CLASS_INSTANCE_CONFLICT = 0x0119
    CLASS_NOT_SUPPORTED = 0x0122
    DUPLICATE_TRANSACTION = 0x0131
    RESOURCE_LIMITATION = 0x0213


MEANINGS: Mapping[Reason, str] = {
    Reason.PROCESSING_FAILURE: "held in quarantine, or its stored bytes are damaged",
    Reason.NO_SUCH_INSTANCE: "not stored, or rejected",
    Reason.CLASS_INSTANCE_CONFLICT: "stored with another SOP class",
    Reason.CLASS_NOT_SUPPORTED: "not stored, and its SOP class is not taken here",
    Reason.DUPLICATE_TRANSACTION: "the Transaction UID is that of a request that is not answered yet",
    Reason.RESOURCE_LIMITATION: "not stored, and the disk is full",
}


@dataclass(frozen=True, slots=True)
class Reference:
    """One SOP instance that is named."""

    sop_class_uid: str
    sop_instance_uid: str


@dataclass(frozen=True, slots=True)
class CommitmentRequest:
    """A request of a peer, as it lies in the database."""

    id: UUID
    transaction_uid: str
    ae_title: str
    duplicate: bool
    state: str
    attempts: int
    requested_at: datetime
    claimed_until: datetime | None


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the database knows of one named instance. `stored_class_uid` None: it is not stored."""

    sop_class_uid: str
    sop_instance_uid: str
    stored_class_uid: str | None
    object_key: str | None
    size_bytes: int | None
    data_set_offset: int | None
    data_set_sha256: bytes | None
    quarantined: bool
    rejected: bool

    @property
    def may_still_come(self) -> bool:
        """Whether it is neither here nor decided about."""
        return self.stored_class_uid is None and not self.quarantined and not self.rejected


def request_of(attributes: Mapping[str, Any]) -> tuple[str, tuple[Reference, ...]]:
    """Transaction UID and instances of a request (PS3.4 table J.3-1). Raises Unprocessable (0115)."""
    transaction_uid = _text(attributes, TRANSACTION_UID)
    if not is_valid_uid(transaction_uid):
        raise _invalid("The request has no Transaction UID.", TRANSACTION_UID)
    references = references_of(attributes, REFERENCED)
    if not references:
        raise _invalid("The request names no instances.", REFERENCED)
    if not all(is_valid_uid(each.sop_class_uid) and is_valid_uid(each.sop_instance_uid) for each in references):
        raise _invalid("An item of the request does not name SOP class and instance.", REFERENCED)
    return transaction_uid, references


def references_of(attributes: Mapping[str, Any], sequence: str) -> tuple[Reference, ...]:
    """The instances that a sequence names, each once."""
    items = [item for item in attributes.get(sequence, {}).get("Value", []) if item]
    return tuple(dict.fromkeys(Reference(_text(item, SOP_CLASS), _text(item, SOP_INSTANCE)) for item in items))


def failures_of(attributes: Mapping[str, Any]) -> dict[str, int]:
    """SOP Instance UID and Failure Reason of what a result says has failed."""
    items = [item for item in attributes.get(FAILED, {}).get("Value", []) if item]
    return {_text(item, SOP_INSTANCE): _number(item, FAILURE_REASON) for item in items}


def judge(evidence: Evidence, *, intact: bool, accepts_unknown: bool, disk_full: bool) -> Reason | None:
    """Why an instance cannot be committed, None where it can. `intact` says that file and digest are right."""
    if evidence.rejected:
        return Reason.NO_SUCH_INSTANCE
    if evidence.stored_class_uid is None:
        if evidence.quarantined:
            return Reason.PROCESSING_FAILURE
        if not _is_taken(evidence.sop_class_uid, accepts_unknown=accepts_unknown):
            return Reason.CLASS_NOT_SUPPORTED
        return Reason.RESOURCE_LIMITATION if disk_full else Reason.NO_SUCH_INSTANCE
    if evidence.stored_class_uid != evidence.sop_class_uid:
        return Reason.CLASS_INSTANCE_CONFLICT
    return None if intact and not evidence.quarantined else Reason.PROCESSING_FAILURE


def result(
    transaction_uid: str, references: Sequence[Reference], failures: Mapping[str, int], retrieve_ae_title: str
) -> dict[str, Any]:
    """The event information of a result (PS3.4 table J.3-2)."""
    committed = [item_of(each) for each in references if each.sop_instance_uid not in failures]
    failed = [
        item_of(each) | {FAILURE_REASON: {"vr": "US", "Value": [int(failures[each.sop_instance_uid])]}}
        for each in references
        if each.sop_instance_uid in failures
    ]
    attributes: dict[str, Any] = {TRANSACTION_UID: {"vr": "UI", "Value": [transaction_uid]}}
    if committed:
        attributes[RETRIEVE_AE_TITLE] = {"vr": "AE", "Value": [retrieve_ae_title]}
        attributes[REFERENCED] = {"vr": "SQ", "Value": committed}
    if failed:
        attributes[FAILED] = {"vr": "SQ", "Value": failed}
    return attributes


def asking(transaction_uid: str, references: Sequence[Reference]) -> dict[str, Any]:
    """The action information of a request (PS3.4 table J.3-1)."""
    return {
        TRANSACTION_UID: {"vr": "UI", "Value": [transaction_uid]},
        REFERENCED: {"vr": "SQ", "Value": [item_of(each) for each in references]},
    }


def item_of(reference: Reference) -> dict[str, Any]:
    """An item that names an instance (PS3.3 table 10-11)."""
    return {
        SOP_CLASS: {"vr": "UI", "Value": [reference.sop_class_uid]},
        SOP_INSTANCE: {"vr": "UI", "Value": [reference.sop_instance_uid]},
    }


def _is_taken(sop_class_uid: str, *, accepts_unknown: bool) -> bool:
    return sop_class_uid in STORAGE_SOP_CLASSES or (accepts_unknown and sop_class_uid not in _SERVICES)


def _invalid(sentence: str, tag: str) -> Unprocessable:
    return Unprocessable(sentence, tag=tag, dimse_status=INVALID_ARGUMENT_VALUE)


def _text(attributes: Mapping[str, Any], tag: str) -> str:
    return text_of(attributes, tag).strip()


def _number(attributes: Mapping[str, Any], tag: str) -> int:
    values: list[Any] = attributes.get(tag, {}).get("Value") or [0]
    return int(values[0] or 0)
