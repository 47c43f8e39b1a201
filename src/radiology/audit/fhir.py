"""Records as FHIR R4 AuditEvent, shaped as IHE BALP does. Pure: the FHIR door and the search of the record use it."""

import base64
from collections.abc import Sequence
from typing import Any, Final

import orjson

from radiology.audit.model import DCM, Record, meaning_of

DCM_SYSTEM: Final = "http://dicom.nema.org/resources/ontology/DCM"
EVENT_TYPE_SYSTEM: Final = "http://terminology.hl7.org/CodeSystem/audit-event-type"
INTERACTION_SYSTEM: Final = "http://hl7.org/fhir/restful-interaction"
ROLE_SYSTEM: Final = "urn:radiology:role"
PURPOSE_SYSTEM: Final = "http://terminology.hl7.org/CodeSystem/v3-ActReason"
OBJECT_TYPE_SYSTEM: Final = "http://terminology.hl7.org/CodeSystem/audit-entity-type"
OBJECT_ROLE_SYSTEM: Final = "http://terminology.hl7.org/CodeSystem/object-role"
SOURCE_TYPE_SYSTEM: Final = "http://terminology.hl7.org/CodeSystem/security-source-type"
_TRANSFERS: Final = frozenset({"110100", "110101", "110102", "110104", "110106", "110107", "110113", "110114"})


def audit_event(record: Record, source_id: str) -> dict[str, Any]:
    """One record as AuditEvent. `source_id` names the service, such as RADSVC@10000033."""
    meaning = meaning_of(record.action)
    resource: dict[str, Any] = {
        "resourceType": "AuditEvent",
        "id": str(record.id),
        "type": _dcm(meaning.event)
        if meaning.event in _TRANSFERS
        else {"system": EVENT_TYPE_SYSTEM, "code": "rest", "display": "RESTful Operation"},
        "subtype": _subtypes(record),
        "action": meaning.action_code,
        "recorded": record.occurred_at.isoformat(),
        "outcome": str(record.outcome),
        "agent": _agents(record),
        "source": {
            "site": record.source or "radiology",
            "observer": {"display": source_id},
            "type": [{"system": SOURCE_TYPE_SYSTEM, "code": "4", "display": "Application Server"}],
        },
    }
    if record.purpose:
        resource["purposeOfEvent"] = [{"coding": [{"system": PURPOSE_SYSTEM, "code": record.purpose}]}]
    if entities := _entities(record):
        resource["entity"] = entities
    return resource


def bundle(records: Sequence[Record], source_id: str, *, base: str, self_url: str, next_url: str | None) -> bytes:
    """A searchset of them."""
    links = [{"relation": "self", "url": self_url}]
    if next_url:
        links.append({"relation": "next", "url": next_url})
    entries = [
        {
            "fullUrl": f"{base}/fhir/R4/AuditEvent/{record.id}",
            "resource": audit_event(record, source_id),
            "search": {"mode": "match"},
        }
        for record in records
    ]
    answer: dict[str, Any] = {"resourceType": "Bundle", "type": "searchset", "link": links}
    return orjson.dumps(answer | {"entry": entries} if entries else answer)


def _dcm(code: str) -> dict[str, str]:
    return {"system": DCM_SYSTEM, "code": code, "display": DCM[code]}


def _subtypes(record: Record) -> list[dict[str, str]]:
    meaning = meaning_of(record.action)
    subtypes = [{"system": INTERACTION_SYSTEM, "code": meaning.interaction}] if meaning.interaction else []
    if meaning.type:
        subtypes.append(_dcm(meaning.type))
    elif meaning.event not in _TRANSFERS:
        subtypes.append(_dcm(meaning.event))
    return [*subtypes, {"system": "urn:radiology:action", "code": record.action}]


def _agents(record: Record) -> list[dict[str, Any]]:
    agent: dict[str, Any] = {"who": {"identifier": {"value": record.actor}}, "requestor": True}
    if record.actor_display:
        agent["name"] = record.actor_display
    if alternative := (record.connection or {}).get("calling"):
        agent["altId"] = alternative
    if record.actor_role:
        agent["role"] = [{"coding": [{"system": ROLE_SYSTEM, "code": record.actor_role}]}]
    if record.address:
        agent["network"] = {"address": record.address, "type": "2"}
    agents = [agent]
    if record.on_behalf_of:
        agents.append({"who": {"identifier": {"value": record.on_behalf_of}}, "requestor": False})
    return agents


def _entities(record: Record) -> list[dict[str, Any]]:
    entities: list[dict[str, Any]] = []
    if record.patient_reference:
        what = {"reference": record.patient_reference}
        entities.append({"what": what, **_object("1", "Person", "1", "Patient")})
    if record.study_instance_uid:
        uid = {"system": "urn:dicom:uid", "value": f"urn:oid:{record.study_instance_uid}"}
        entities.append({"what": {"identifier": uid}, **_object("2", "System Object", "3", "Report")})
    if record.subject not in ("", record.study_instance_uid, record.patient_reference):
        entities.append(
            {"what": {"identifier": {"value": record.subject}}, **_object("2", "System Object", "4", "Domain Resource")}
        )
    if meaning_of(record.action).event == "110112" and record.detail:
        query = base64.b64encode(orjson.dumps(record.detail, option=orjson.OPT_SORT_KEYS)).decode()
        entities.append({"query": query, **_object("2", "System Object", "24", "Query")})
    elif record.detail and entities:
        details = [{"type": name, "valueString": _text(value)} for name, value in sorted(record.detail.items())]
        entities[-1]["detail"] = details
    return entities


def _object(kind: str, kind_display: str, role: str, role_display: str) -> dict[str, Any]:
    return {
        "type": {"system": OBJECT_TYPE_SYSTEM, "code": kind, "display": kind_display},
        "role": {"system": OBJECT_ROLE_SYSTEM, "code": role, "display": role_display},
    }


def _text(value: Any) -> str:
    return value if isinstance(value, str) else orjson.dumps(value).decode()
