"""The attributes of a worklist item (PS3.4 table K.6-1): which there are, and what each has for a value.

A tag that is here can be asked for and matched; what a hospital did not tell is returned empty (type 2). Attributes of
type 1 always have a value.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import tzinfo
from functools import lru_cache
from typing import Any, cast

from radiology.modality_worklist.model import ScheduledProcedureStep
from radiology.standards.dicom.bangla import is_bangla, transliterate
from radiology.standards.dicom.dictionary import vr_of
from radiology.standards.dicom.names import PersonName, in_two_scripts
from radiology.standards.dicom.plans import usual_vr

SCHEDULED_PROCEDURE_STEP_SEQUENCE = "00400100"

PREGNANCY_STATUS = {"not-pregnant": 1, "possibly": 2, "definitely": 3, "unknown": 4}
"""Pregnancy Status (0010,21C0), PS3.3 C.7.4.1."""


@dataclass(frozen=True, slots=True)
class View:
    """How one asker sees items: who asks, and in which zone.

    bangla_group: names have Bangla in their second group, too. latin_only: what is written in Bangla is transliterated,
    since it cannot be shown, and `?` tells nothing.
    """

    ae_title: str
    zone: tzinfo
    bangla_group: bool = False
    latin_only: bool = False


Values = Callable[[ScheduledProcedureStep, View], Sequence[Any]]


@dataclass(frozen=True, slots=True)
class ReturnKey:
    """One attribute: its type for the answer (1, 2 or 3), and its values."""

    tag: str
    type: str
    values: Values
    vr: str = field(init=False)
    """Its value representation."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "vr", vr_of_tag(self.tag))

    def given(self, item: ScheduledProcedureStep, view: View) -> list[Any]:
        """Its values, those that are not known left out."""
        values = [value for value in self.values(item, view) if value is not None and value != ""]
        return [_latin(value) for value in values] if view.latin_only else values

    def element(self, item: ScheduledProcedureStep, view: View) -> dict[str, Any]:
        """The attribute in the DICOM JSON model (PS3.18 F.2)."""
        values = self.given(item, view)
        return {"vr": self.vr, "Value": values} if values else {"vr": self.vr}


def vr_of_tag(tag: str) -> str:
    """The value representation of an attribute; UN for one that the standard does not know."""
    return usual_vr(vr_of(int(tag, 16)) or "UN")


def _detail(name: str) -> Values:
    return lambda item, _: [item.details.get(name, "")]


def _patient(name: str) -> Values:
    return lambda item, _: [item.patient.get(name, "")]


def _nothing(_item: ScheduledProcedureStep, _view: View) -> Sequence[Any]:
    return ()


def _person(name: str) -> Values:
    return lambda item, view: [_name(item.details.get(name, ""), view.bangla_group)]


def _patient_name(item: ScheduledProcedureStep, view: View) -> Sequence[Any]:
    return [_name(item.patient_name, view.bangla_group)]


@lru_cache(maxsize=4096)
def _name(text: str, both_groups: bool) -> Mapping[str, str] | None:
    """A name, whole or as it was given in one script."""
    name = PersonName.parse(text) if "=" in text else in_two_scripts(text)
    return (name if both_groups else PersonName(name.alphabetic)).as_json() or None


def _latin(value: Any) -> Any:
    """A value, or the item of a sequence, with Latin letters alone."""
    if isinstance(value, str):
        return transliterate(value) if is_bangla(value) else value
    if isinstance(value, dict):
        return {tag: _latin(inner) for tag, inner in cast("dict[str, Any]", value).items()}
    return [_latin(inner) for inner in cast("list[Any]", value)] if isinstance(value, list) else value


def _codes(name: str) -> Values:
    return lambda item, _: [_code(code) for code in item.details.get(name, ())]


def _code(code: Mapping[str, str]) -> dict[str, Any]:
    """One item of a code sequence (PS3.3 table 8.8-1)."""
    code_value, scheme, meaning = code["code"], code["scheme"], code.get("display") or code["code"]
    return {
        "00080100": {"vr": "SH", "Value": [code_value]},
        "00080102": {"vr": "SH", "Value": [scheme]},
        "00080104": {"vr": "LO", "Value": [meaning[:64]]},
    }


def _issuer_of_accession(item: ScheduledProcedureStep, _view: View) -> Sequence[Any]:
    return [{"00400031": {"vr": "UT", "Value": [item.facility_code]}}]


def _stations(item: ScheduledProcedureStep, view: View) -> Sequence[Any]:
    return item.stations or [view.ae_title]


def _pregnancy(item: ScheduledProcedureStep, _view: View) -> Sequence[Any]:
    return [PREGNANCY_STATUS.get(item.patient.get("pregnancyStatus", ""))]


def _start(form: str) -> Values:
    return lambda item, view: [item.scheduled_start.astimezone(view.zone).strftime(form)]


def _offset(item: ScheduledProcedureStep, view: View) -> Sequence[Any]:
    return [item.scheduled_start.astimezone(view.zone).strftime("%z")]


def _table(*keys: ReturnKey) -> Mapping[str, ReturnKey]:
    return {key.tag: key for key in keys}


#: Attributes of the one item of Scheduled Procedure Step Sequence (0040,0100).
STEP_KEYS = _table(
    ReturnKey("00080060", "1", lambda item, _: [item.modality]),
    ReturnKey("00321070", "2", _detail("contrastAgent")),
    ReturnKey("00400001", "1", _stations),
    ReturnKey("00400002", "1", _start("%Y%m%d")),
    ReturnKey("00400003", "1", _start("%H%M%S")),
    ReturnKey("00400006", "2", _person("performingPhysician")),
    ReturnKey("00400007", "1", lambda item, _: [item.details.get("description") or item.details["requestedProcedure"]]),
    ReturnKey("00400008", "2", _codes("protocolCode")),
    ReturnKey("00400009", "1", lambda item, _: [item.scheduled_procedure_step_id]),
    ReturnKey("00400010", "2", _detail("stationName")),
    ReturnKey("00400011", "2", _detail("location")),
    ReturnKey("00400012", "2", _detail("premedication")),
    ReturnKey("00400020", "3", lambda item, _: [item.status]),
    ReturnKey("00400400", "3", _detail("comments")),
)

#: Attributes of the item itself.
ITEM_KEYS = _table(
    ReturnKey("00080050", "2", lambda item, _: [item.accession_number]),
    ReturnKey("00080051", "3", _issuer_of_accession),
    ReturnKey("00080080", "3", _detail("institution")),
    ReturnKey("00080090", "2", _person("referringPhysician")),
    ReturnKey("00080201", "3", _offset),
    ReturnKey("00081110", "2", _nothing),
    ReturnKey("00081120", "2", _nothing),
    ReturnKey("00100010", "1", _patient_name),
    ReturnKey("00100020", "1", lambda item, _: [item.patient_id]),
    ReturnKey("00100021", "3", lambda item, _: [item.issuer_of_patient_id]),
    ReturnKey("00100030", "2", lambda item, _: [item.patient.get("birthDate", "").replace("-", "")]),
    ReturnKey("00100040", "2", _patient("sex")),
    ReturnKey("00101020", "3", _patient("sizeM")),
    ReturnKey("00101030", "2", _patient("weightKg")),
    ReturnKey("00102000", "2", _patient("medicalAlerts")),
    ReturnKey("00102110", "2", _patient("allergies")),
    ReturnKey("001021C0", "2", _pregnancy),
    ReturnKey("0020000D", "1", lambda item, _: [item.study_instance_uid]),
    ReturnKey("00321032", "2", _person("requestingPhysician")),
    ReturnKey("00321033", "3", _detail("requestingService")),
    ReturnKey("00321060", "1", lambda item, _: [item.details["requestedProcedure"]]),
    ReturnKey("00321064", "2", _codes("requestedProcedureCode")),
    ReturnKey("00380010", "2", _detail("admissionId")),
    ReturnKey("00380050", "2", _patient("specialNeeds")),
    ReturnKey("00380300", "2", _detail("patientLocation")),
    ReturnKey("00380500", "2", _patient("state")),
    ReturnKey("00401001", "1", lambda item, _: [item.requested_procedure_id]),
    ReturnKey("00401002", "3", _detail("reason")),
    ReturnKey("00401003", "2", _detail("priority")),
    ReturnKey("00401004", "2", _detail("transport")),
    ReturnKey("00401400", "3", _detail("procedureComments")),
    ReturnKey("00402016", "3", _detail("placerOrderNumber")),
    ReturnKey("00402017", "3", _detail("fillerOrderNumber")),
    ReturnKey("00403001", "2", _detail("confidentiality")),
    ReturnKey("00400100", "1", _nothing),
)


def data_set_of(
    item: ScheduledProcedureStep, view: View, tags: Sequence[str], step_tags: Sequence[str]
) -> dict[str, Any]:
    """The attributes that were asked for; those that are not known are returned empty."""
    answer = {tag: _element(ITEM_KEYS, tag, item, view) for tag in tags}
    if SCHEDULED_PROCEDURE_STEP_SEQUENCE in answer:
        step = {tag: _element(STEP_KEYS, tag, item, view) for tag in step_tags}
        answer[SCHEDULED_PROCEDURE_STEP_SEQUENCE] = {"vr": "SQ", "Value": [step]}
    return answer


def _element(keys: Mapping[str, ReturnKey], tag: str, item: ScheduledProcedureStep, view: View) -> dict[str, Any]:
    key = keys.get(tag)
    return key.element(item, view) if key else {"vr": vr_of_tag(tag)}
