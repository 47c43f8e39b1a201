"""What subscribers are told of a workitem: the event types of PS3.4 table CC.2.4-1. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from radiology.workitems.attributes import (
    CANCEL_REASON,
    CONTACT_NAME,
    CONTACT_URI,
    INPUT_READINESS,
    PERFORMER_CODE,
    PERFORMER_ORGANISATION,
    PROCEDURE_STEP_STATE,
    PROGRESS,
    REASON_CODE,
    SCHEDULED_PERFORMERS,
    SCHEDULED_STATION,
    first,
    items,
)
from radiology.workitems.model import Workitem

STATE_REPORT, CANCEL_REQUESTED, PROGRESS_REPORT, ASSIGNED = 1, 2, 3, 5
REQUESTING_AE = "00741236"


@dataclass(frozen=True, slots=True)
class Report:
    """One N-EVENT-REPORT of a workitem."""

    event_type: int
    attributes: Mapping[str, Any]


def of_creation(workitem: Workitem) -> list[Report]:
    """A workitem was created: its state, and to whom it is assigned where it is."""
    assigned = any(_values(workitem.attributes, tag) for tag in (SCHEDULED_STATION, SCHEDULED_PERFORMERS))
    return [of_state(workitem), *([of_assignment(workitem)] if assigned else [])]


def of_update(before: Workitem, after: Workitem) -> list[Report]:
    """What N-SET changed, as far as subscribers are told of it (PS3.4 CC.2.4.3)."""
    return list(_of_update(before.attributes, after))


def _of_update(before: Mapping[str, Any], after: Workitem) -> Iterator[Report]:
    def changed(tag: str) -> bool:
        return _values(before, tag) != _values(after.attributes, tag)

    if changed(INPUT_READINESS):
        yield of_state(after)
    if changed(PROGRESS):
        yield Report(PROGRESS_REPORT, _there(after.attributes, PROGRESS))
    if changed(SCHEDULED_STATION) or changed(SCHEDULED_PERFORMERS):
        yield of_assignment(after)


def of_state(workitem: Workitem) -> Report:
    """UPS State Report: the state and the readiness of the input, and why it was cancelled where that is known."""
    progress = first(workitem.attributes, PROGRESS)
    return Report(
        STATE_REPORT,
        {
            **_there(workitem.attributes, PROCEDURE_STEP_STATE, INPUT_READINESS),
            **_there(progress, CANCEL_REASON, REASON_CODE),
        },
    )


def of_cancel_request(request: Mapping[str, Any], requesting_ae_title: str) -> Report:
    """UPS Cancel Requested: who asks, and what it gave as reason and contact."""
    given = {tag: request[tag] for tag in (CANCEL_REASON, REASON_CODE, CONTACT_URI, CONTACT_NAME) if tag in request}
    return Report(CANCEL_REQUESTED, {REQUESTING_AE: {"vr": "AE", "Value": [requesting_ae_title]}, **given})


def of_assignment(workitem: Workitem) -> Report:
    """UPS Assigned: the stations and the human performers that the workitem is scheduled for."""
    performers = items(workitem.attributes, SCHEDULED_PERFORMERS)
    codes = [code for performer in performers for code in items(performer, PERFORMER_CODE)]
    organisation = next((p[PERFORMER_ORGANISATION] for p in performers if PERFORMER_ORGANISATION in p), None)
    return Report(
        ASSIGNED,
        {
            **_there(workitem.attributes, SCHEDULED_STATION),
            **({PERFORMER_CODE: {"vr": "SQ", "Value": codes}} if codes else {}),
            **({PERFORMER_ORGANISATION: organisation} if organisation else {}),
        },
    )


def _there(attributes: Mapping[str, Any], *tags: str) -> dict[str, Any]:
    return {tag: attributes[tag] for tag in tags if _values(attributes, tag)}


def _values(attributes: Mapping[str, Any], tag: str) -> list[Any]:
    return attributes.get(tag, {}).get("Value", [])
