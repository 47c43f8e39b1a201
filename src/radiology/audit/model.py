"""What a record holds, and what each action means to DICOM (PS3.15 A.5, PS3.16 CID 400 to 403) and to FHIR."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from radiology.access.model import Role

SUCCESS, MINOR_FAILURE, SERIOUS_FAILURE, MAJOR_FAILURE = 0, 4, 8, 12
"""EventOutcomeIndicator (PS3.15 A.5.2)."""

BREAK_GLASS: Final = "BTG"
"""HL7 v3 PurposeOfUse of access in an emergency."""

#: PS3.16 CID 400 Audit Event ID, CID 401 Audit Event Type Code; edition 2024e.
DCM: Final[Mapping[str, str]] = {
    "110100": "Application Activity",
    "110101": "Audit Log Used",
    "110102": "Begin Transferring DICOM Instances",
    "110103": "DICOM Instances Accessed",
    "110104": "DICOM Instances Transferred",
    "110105": "DICOM Study Deleted",
    "110106": "Export",
    "110107": "Import",
    "110109": "Order Record",
    "110110": "Patient Record",
    "110111": "Procedure Record",
    "110112": "Query",
    "110113": "Security Alert",
    "110114": "User Authentication",
    "110120": "Application Start",
    "110121": "Application Stop",
    "110122": "Login",
    "110123": "Logout",
    "110126": "Node Authentication",
    "110127": "Emergency Override Started",
    "110128": "Network Configuration",
    "110129": "Security Configuration",
    "110131": "Software Configuration",
    "110132": "Use of Restricted Function",
    "110135": "Object Security Attributes Changed",
    "110136": "Security Roles Changed",
    "110137": "User Security Attributes Changed",
    "110138": "Emergency Override Stopped",
}


@dataclass(frozen=True, slots=True)
class Meaning:
    """What an action is: EventID, EventTypeCode (or empty), EventActionCode C, R, U, D or E, FHIR interaction."""

    event: str
    type: str
    action_code: str
    interaction: str


#: action, EventID, EventTypeCode or -, EventActionCode, FHIR restful interaction or -. `name.*` is for every other
#: action that begins so.
_TABLE: Final = """
service.start                110100 110120 E -
service.stop                 110100 110121 E -
session.begin                110114 110122 E -
session.end                  110114 110123 E -
session.failed               110114 110122 E -
session.*                    110114 -      E -
link.open                    110114 110122 E -
link.make                    110113 110135 C create
link.end                     110113 110135 D delete
link.*                       110113 110135 U update
account.*                    110113 110137 U update
key.*                        110113 110137 U update
role.*                       110113 110136 U update
token.*                      110113 110137 U update
break-glass.start            110113 110127 E -
break-glass.stop             110113 110138 E -
break-glass.review           110113 110138 R -
break-glass.*                110113 110127 E -
sensitivity.*                110113 110135 U update
care-relation.*              110113 110137 U update
practitioner.*               110113 110137 U update
delegation.*                 110113 110136 U update
privacy.*                    110113 110135 U update
retention.*                  110113 110135 U update
association.refuse           110113 110126 E -
hl7.refuse                   110113 110126 E -
facility.*                   110113 110128 U update
hl7.sender                   110113 110128 U update
hl7.receiver                 110113 110128 U update
hl7.read                     110109 -      R read
hl7.*                        110109 -      U update
access.denied                110113 110132 E -
access.not-found             110103 -      R read
access.failed                110103 -      R read
audit.search                 110101 -      R search-type
audit.who-saw                110101 -      R read
audit.verify                 110101 -      R -
audit.broken                 110113 110135 E -
audit.drop                   110101 -      D -
study.find                   110112 -      E search-type
study.read                   110103 -      R read
study.retrieve               110103 -      R read
study.open                   110103 -      R read
study.store                  110104 -      C create
study.import                 110107 -      C create
study.register               110111 -      C create
study.reject                 110103 -      D delete
study.delete                 110105 -      D delete
study.purge                  110105 -      D delete
study.withdraw-rejection     110103 -      U update
study.move                   110102 -      E -
study.move-cancel            110102 -      E -
study.move-retry             110102 -      E -
study.move-*                 110104 -      R -
study.pull                   110102 -      E -
study.pull-cancel            110102 -      E -
study.pull-*                 110104 -      C -
study.*                      110111 -      U update
export                       110106 -      R -
export.*                     110106 -      R -
film.order                   110106 -      C create
film.printed                 110106 -      R -
film.*                       110106 -      E update
delivery.*                   110102 -      E update
routing-rule.*               110113 110131 U update
prefetch-rule.*              110113 110131 U update
takeover.*                   110113 110131 U update
application-entity.register  110113 110128 U update
application-entity.forget    110113 110128 D delete
application-entity.*         110113 110128 U update
settings.*                   110113 110129 U update
remote.query                 110112 -      E search-type
patient.read                 110110 -      R read
patient.find                 110112 -      E search-type
patient.*                    110110 -      U update
repair.read                  110111 -      R read
repair.*                     110111 -      U update
reading.find                 110112 -      E search-type
reading.read                 110103 -      R read
reading.*                    110111 -      U update
report.begin                 110111 -      C create
report.read                  110103 -      R read
report.find                  110112 -      E search-type
report.*                     110111 -      U update
order.find                   110112 -      E search-type
order.read                   110109 -      R read
order.place                  110109 -      C create
order.attach                 110109 -      U update
order.attachment-read        110109 -      R read
order.check                  110109 -      R read
order.rules-*                110113 110131 U update
order.*                      110109 -      U update
worklist.find                110112 -      E search-type
worklist.read                110109 -      R read
worklist.place               110109 -      C create
worklist.pool                110113 110131 U update
worklist.pool-removed        110113 110131 D delete
worklist.*                   110109 -      U update
booking.book                 110109 -      C create
booking.find                 110112 -      E search-type
booking.read                 110109 -      R read
booking.*                    110109 -      U update
queue.*                      110109 -      U update
waiting-list.*               110109 -      U update
reminder.*                   110109 -      U update
room.*                       110113 110131 U update
facility.*                   110113 110131 U update
device.*                     110113 110128 U update
operator.*                   110113 110137 U update
procedure.*                  110113 110131 U update
dose.read                    110103 -      R read
dose.*                       110111 -      U update
device-test.*                110113 110128 U update
incident.report              110111 -      C create
incident.read                110111 -      R read
incident.*                   110111 -      U update
billing.find                 110112 -      E search-type
billing.read                 110109 -      R read
billing.rule                 110113 110131 U update
billing.hold-release         110113 110131 U update
billing.rate                 110113 110131 U update
billing.*                    110109 -      U update
peer-review.find             110112 -      E search-type
peer-review.read             110103 -      R read
peer-review.committee        110113 110136 U update
peer-review.*                110111 -      U update
performed-step.begin         110111 -      C create
performed-step.read          110111 -      R read
performed-step.*             110111 -      U update
workitem.create              110111 -      C create
workitem.read                110111 -      R read
workitem.find                110112 -      E search-type
workitem.*                   110111 -      U update
commitment.*                 110103 -      R read
feed.read                    110112 -      R read
api.read                     110103 -      R read
api.*                        110113 -      E -
"""


def _meanings() -> dict[str, Meaning]:
    rows = (line.split() for line in _TABLE.strip().splitlines())
    return {
        action: Meaning(event, "" if kind == "-" else kind, code, "" if interaction == "-" else interaction)
        for action, event, kind, code, interaction in rows
    }


MEANINGS: Final = _meanings()
_UNKNOWN: Final = Meaning("110113", "", "E", "")


def meaning_of(action: str) -> Meaning:
    """What an action means. One that is in no table is a security alert, so that it is seen; a test finds it before."""
    return find_meaning(action) or _UNKNOWN


def find_meaning(action: str) -> Meaning | None:
    """The row of an action: its own, or the longest one with `*` that it begins with."""
    if action in MEANINGS:
        return MEANINGS[action]
    families = [name for name in MEANINGS if name.endswith("*") and action.startswith(name[:-1])]
    return MEANINGS[max(families, key=len)] if families else None


@dataclass(frozen=True, slots=True)
class Record:
    """One act as it is kept. `sequence` is None until it is sealed, and so are study and patient empty."""

    id: UUID
    occurred_at: datetime
    actor: str
    actor_kind: str
    actor_display: str
    actor_role: str
    on_behalf_of: str
    action: str
    subject: str
    outcome: int
    purpose: str
    address: str
    source: str
    request_id: str
    connection: Mapping[str, str] | None
    detail: Mapping[str, Any] | None
    study_instance_uid: str
    patient_reference: str
    sequence: int | None


@dataclass(frozen=True, slots=True)
class Sealed(Record):
    """A row of the chain: an act with all else that its hash is made of."""

    sequence: int
    sealed_at: datetime
    previous_hash: bytes
    hash: bytes


def kind_of(actor_id: str, role: str) -> str:
    """Whether an actor is a person, a patient, a program, a machine of the DICOM network, a link, or we ourselves."""
    if actor_id in ("system", "import"):
        return "system"
    if actor_id == "anonymous":
        return "anonymous"
    prefix = actor_id.partition(":")[0]
    if prefix in ("ae", "link"):
        return {"ae": "application-entity", "link": "link"}[prefix]
    return {Role.SERVICE: "program", Role.PATIENT: "patient"}.get(Role(role), "person") if role in _ROLES else "person"


_ROLES: Final = frozenset(Role)
