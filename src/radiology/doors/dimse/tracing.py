"""From what the DICOM door sees to traces. Each function is called while an association runs, and does no I/O."""

from collections.abc import Mapping
from datetime import datetime, tzinfo
from typing import Any, Final
from zoneinfo import ZoneInfo

from radiology.associations.model import SYNTAXES_KEPT as SYNTAXES
from radiology.associations.model import Context, Trace, WorklistQuery, shape_of
from radiology.dicom_network.connection import Association
from radiology.dicom_network.pdu import AssociateRQ
from radiology.dicom_network.transport import Address
from radiology.dicom_network.user_information import UserInformation
from radiology.kit.clock import now
from radiology.kit.ids import uuid7
from radiology.modality_worklist.model import days_shown
from radiology.standards.dicom.attributes import text_of
from radiology.standards.dicom.bangla import is_bangla
from radiology.studies.facts import date_of, moment_of, time_of, zone_of
from radiology.studies.receive import Arrival

#: Reasons that the server gives, and the finding each is.
REFUSALS: Final[Mapping[str, str]] = {
    "1/1/3": "calling_ae_title",
    "1/1/7": "called_ae_title",
    "2/3/1": "unavailable",
    "2/3/2": "too_many_associations",
    "tls": "tls_on_plain_port",
}
_STEP_SEQUENCE, _DATE = "00400100", "00400002"


def trace_of_refusal(peer: Address, request: AssociateRQ | None, reason: str, sentence: str) -> Trace:
    """The trace of what never became an association. What is not in `REFUSALS` keeps the server's own word."""
    trace = _trace(peer, request)
    trace.refusal, trace.sentence, trace.ended_at = REFUSALS.get(reason, reason), sentence, trace.opened_at
    return trace


def trace_of(association: Association) -> Trace:
    """The trace of an association that begins, with what was answered."""
    trace = _trace(association.peer, association.request)
    answers = {answer.context_id: answer for answer in association.answer.contexts}
    trace.contexts = [
        Context(
            context.abstract_syntax_uid,
            context.transfer_syntax_uids[:SYNTAXES],
            answers[context.context_id].result if context.context_id in answers else None,
            answers[context.context_id].transfer_syntax_uid if context.context_id in answers else "",
        )
        for context in association.request.contexts
    ]
    return trace


def _trace(peer: Address, request: AssociateRQ | None) -> Trace:
    calling, called = (request.calling_ae_title, request.called_ae_title) if request else ("", "")
    trace = Trace(uuid7(), now(), calling, called, peer.host, peer.port)
    if request is not None:
        _describe(trace, request.user_information)
        proposed = ((context.abstract_syntax_uid, context.transfer_syntax_uids) for context in request.contexts)
        trace.contexts = [Context(uid, syntaxes[:SYNTAXES]) for uid, syntaxes in proposed]
    return trace


def _describe(trace: Trace, user: UserInformation) -> None:
    trace.implementation_class_uid = user.implementation_class_uid
    trace.implementation_version_name = user.implementation_version_name
    trace.max_pdu_length = user.max_pdu_length
    trace.identity_kind = user.user_identity.kind if user.user_identity else None
    trace.roles = [f"{role.sop_class_uid} scu={role.scu:d} scp={role.scp:d}" for role in user.roles]


def stored(trace: Trace | None, arrival: Arrival, zone: tzinfo) -> None:
    """What a stored object says of the machine: its character set, and a clock that is ahead of ours.

    An old date says nothing, because old images may be sent; a date that has not come yet does.
    """
    if trace is None:
        return
    text = arrival.text
    trace.charset = trace.charset or _charset(arrival)
    day, clock = date_of(text("00080023")), time_of(text("00080033"))
    made = moment_of(day, clock, zone_of(text("00080201"), zone)) if clock else None
    if made is not None and made > arrival.received_at:
        _ahead(trace, made, arrival.received_at)


def _charset(arrival: Arrival) -> str:
    declared = arrival.text("00080005")
    if "charset" in arrival.flags:
        return "charset_undecodable" if declared else "charset_missing"
    name = arrival.text("00100010")
    if declared.replace("2022 ", "").replace(" ", "_") == "ISO_IR_100" and not name.isascii():
        try:
            return "charset_bangla" if is_bangla(name.encode("latin-1").decode()) else ""
        except UnicodeError:
            return ""
    return ""


def step_began(trace: Trace | None, attributes: Mapping[str, Any], zone: tzinfo) -> None:
    """A performed procedure step begins now, so its start (0040,0244) (0040,0245) tells the machine's clock."""
    day, clock = date_of(text_of(attributes, "00400244")), time_of(text_of(attributes, "00400245"))
    began = moment_of(day, clock, zone_of(text_of(attributes, "00080201"), zone))
    if trace is not None and began is not None and clock is not None:
        _ahead(trace, began, now())


def _ahead(trace: Trace, theirs: datetime, ours: datetime) -> None:
    trace.ahead_seconds = (theirs - ours).total_seconds()


def worklist_asked(association: Association, identifier: Mapping[str, Any], matches: int, zone: ZoneInfo) -> None:
    """A worklist query and how many answers it has; of the patient only the form of the number is kept.

    Where it names no station or date, those that are taken for it.
    """
    trace: Trace | None = association.state.trace
    if trace is None:
        return
    items: list[Any] = identifier.get(_STEP_SEQUENCE, {}).get("Value") or [{}]
    step: Mapping[str, Any] = items[0] or {}
    first, last = days_shown(now(), zone)
    trace.asked(
        WorklistQuery(
            matches=matches,
            station_ae_title=text_of(step, "00400001") or association.calling_ae_title,
            modality=text_of(step, "00080060"),
            date=text_of(step, _DATE) or f"{first:%Y%m%d}-{last:%Y%m%d}",
            patient_id_shape=shape_of(text_of(identifier, "00100020")),
        )
    )
