"""What rules look at, taken from DICOM attributes, from codings in FHIR's form and from what was scheduled. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, cast

from radiology.sensitivity.model import Coding, Evidence

LOINC: Final = "http://loinc.org"
SNOMED: Final = "http://snomed.info/sct"
RADLEX: Final = "http://radlex.org"
ICD_10: Final = "http://hl7.org/fhir/sid/icd-10"
ICD_11: Final = "http://id.who.int/icd/release/11/mms"
SRT: Final = "SRT"
"""SNOMED-RT style codes, as older modalities send them (PS3.16 8.1)."""

_SYSTEMS: Final = {
    "LN": LOINC,
    "urn:oid:2.16.840.1.113883.6.1": LOINC,
    "SCT": SNOMED,
    "urn:oid:2.16.840.1.113883.6.96": SNOMED,
    "RADLEX": RADLEX,
    "http://www.radlex.org": RADLEX,
    "http://playbook.radlex.org": RADLEX,
    "I10": ICD_10,
    "ICD10": ICD_10,
    "I10C": ICD_10,
    "http://hl7.org/fhir/sid/icd-10-cm": ICD_10,
    "I11": ICD_11,
    "ICD11": ICD_11,
    "http://id.who.int/icd11/mms": ICD_11,
    "SNM3": SRT,
    "99SDM": SRT,
}
"""Coding Scheme Designators (PS3.16 8) and identifiers that mean the same system."""

_PROCEDURES: Final = frozenset({
    "00081032",  # ProcedureCodeSequence
    "00321064",  # RequestedProcedureCodeSequence
    "00400008",  # ScheduledProtocolCodeSequence
    "00400260",  # PerformedProtocolCodeSequence
})  # fmt: skip
_REASONS: Final = frozenset({
    "00081084",  # AdmittingDiagnosesCodeSequence
    "00321067",  # ReasonForVisitCodeSequence
    "0040100A",  # ReasonForRequestedProcedureCodeSequence
    "00401012",  # ReasonForPerformedProcedureCodeSequence
})  # fmt: skip
_SITES: Final = frozenset({
    "00082218",  # AnatomicRegionSequence
    "00082228",  # PrimaryAnatomicStructureSequence
})  # fmt: skip
_NESTING: Final = frozenset({
    "00400275",  # RequestAttributesSequence
    "0040A370",  # ReferencedRequestSequence
})  # fmt: skip
_TEXTS: Final = {
    "00081030": "procedure_texts",  # StudyDescription
    "0008103E": "procedure_texts",  # SeriesDescription
    "00181030": "procedure_texts",  # ProtocolName
    "00321060": "procedure_texts",  # RequestedProcedureDescription
    "00400007": "procedure_texts",  # ScheduledProcedureStepDescription
    "00400254": "procedure_texts",  # PerformedProcedureStepDescription
    "00081080": "reason_texts",  # AdmittingDiagnosesDescription
    "001021B0": "reason_texts",  # AdditionalPatientHistory
    "00104000": "reason_texts",  # PatientComments
    "00321030": "reason_texts",  # ReasonForStudy
    "00321066": "reason_texts",  # ReasonForVisit
    "00324000": "reason_texts",  # StudyComments
    "00401002": "reason_texts",  # ReasonForTheRequestedProcedure
    "00401400": "reason_texts",  # RequestedProcedureComments
    "00180015": "body_parts",  # BodyPartExamined
    "00081040": "departments",  # InstitutionalDepartmentName
    "00321033": "departments",  # RequestingService
    "00401008": "flags",  # ConfidentialityCode
    "00403001": "flags",  # ConfidentialityConstraintOnPatientDataDescription
    "00080060": "modalities",  # Modality
}
_CODED: Final = (
    (_PROCEDURES, "procedures", "procedure_texts"),
    (_REASONS, "reasons", "reason_texts"),
    (_SITES, "sites", "body_parts"),
)
_LONGEST_TEXT: Final = 2_000
"""Of each text so much is kept for rules that are changed later."""


class Collected:
    """What was found so far, by the names of `Evidence`."""

    def __init__(self) -> None:
        self._found: dict[str, set[Any]] = {}

    def add(self, name: str, value: Any) -> None:
        """One more; what is empty is none."""
        if value:
            self._found.setdefault(name, set()).add(value[:_LONGEST_TEXT] if isinstance(value, str) else value)

    @property
    def evidence(self) -> Evidence:
        """What was found."""
        return Evidence(**{name: frozenset(values) for name, values in self._found.items()})


def evidence_of_attributes(attributes: Mapping[str, Any]) -> Evidence:
    """What the attributes of one object say (DICOM JSON, PS3.18 F)."""
    collected = Collected()
    _collect(attributes, collected)
    return collected.evidence


def _collect(attributes: Mapping[str, Any], collected: Collected) -> None:
    for tag, name in _TEXTS.items():
        for value in _values(attributes, tag):
            collected.add(name, str(value).strip() if isinstance(value, str | int | float) else "")
    for tags, codes, texts in _CODED:
        for tag in tags & attributes.keys():
            for coding, meaning in _codings(_items(attributes, tag)):
                collected.add(codes, coding)
                collected.add(texts, meaning)
    for tag in _NESTING & attributes.keys():
        for item in _items(attributes, tag):
            _collect(item, collected)


def _codings(items: Iterable[Mapping[str, Any]]) -> Iterator[tuple[Coding, str]]:
    """Every code of a code sequence, with the equivalent codes inside its items (PS3.3 8)."""
    for item in items:
        # Code Value, Long Code Value, URN Code Value: an item has one of them.
        code = next(filter(None, (_first(item, tag) for tag in ("00080100", "00080119", "00080120"))), "")
        if code:
            yield (system_of(_first(item, "00080102")), code), _first(item, "00080104")
        yield from _codings(_items(item, "00080121"))  # EquivalentCodeSequence


def evidence_of_concepts(procedures: Any, reasons: Any, references: Any) -> Evidence:
    """What CodeableConcepts of procedures and reasons and References to reasons say (FHIR R4)."""
    collected = Collected()
    for concepts, codes, texts in (
        (procedures, "procedures", "procedure_texts"),
        (reasons, "reasons", "reason_texts"),
    ):
        for concept in _objects(concepts):
            collected.add(texts, _text(concept.get("text")))
            for coding in _objects(concept.get("coding")):
                collected.add(codes, (system_of(_text(coding.get("system"))), _text(coding.get("code"))))
                collected.add(texts, _text(coding.get("display")))
    for reference in _objects(references):
        collected.add("reason_texts", _text(reference.get("display")))
    return collected.evidence


def evidence_of_scheduled(details: Mapping[str, Any]) -> Evidence:
    """What an item of the worklist says."""
    collected = Collected()
    for name in ("requestedProcedure", "description"):
        collected.add("procedure_texts", _text(details.get(name)))
    for name in ("reason", "comments", "procedureComments"):
        collected.add("reason_texts", _text(details.get(name)))
    collected.add("departments", _text(details.get("requestingService")))
    collected.add("flags", _text(details.get("confidentiality")))
    for name in ("requestedProcedureCode", "protocolCode"):
        for code in _objects(details.get(name)):
            collected.add("procedures", (system_of(_text(code.get("scheme"))), _text(code.get("code"))))
            collected.add("procedure_texts", _text(code.get("display")))
    return collected.evidence


def system_of(name: str) -> str:
    """The system that a designator or address means; that address itself where it is not known to be another's."""
    plain = name.strip().rstrip("/")
    return _SYSTEMS.get(plain, plain)


def as_stored(evidence: Evidence) -> dict[str, list[Any]]:
    """As it is kept with a series: what there is, in a fixed order."""
    found = {name: sorted(getattr(evidence, name)) for name in Evidence.__slots__}
    return {name: values for name, values in found.items() if values}


def from_stored(stored: Mapping[str, Any]) -> Evidence:
    """What `as_stored` kept."""
    found: dict[str, Any] = {name: frozenset(map(_hashable, values)) for name, values in stored.items()}
    return Evidence(**{name: found[name] for name in found if name in Evidence.__slots__})


def _hashable(value: Any) -> Any:
    return tuple(cast("list[Any]", value)) if isinstance(value, list) else value


def _values(attributes: Mapping[str, Any], tag: str) -> list[Any]:
    element = attributes.get(tag)
    return element.get("Value", []) if element is not None else []


def _items(attributes: Mapping[str, Any], tag: str) -> list[Mapping[str, Any]]:
    return [item for item in _values(attributes, tag) if isinstance(item, dict)]


def _first(item: Mapping[str, Any], tag: str) -> str:
    values = _values(item, tag)
    return str(values[0]).strip() if values and values[0] is not None else ""


def _objects(value: Any) -> list[Mapping[str, Any]]:
    """The objects of a list, or of the one that stands alone."""
    several = cast("list[Any]", value) if isinstance(value, list) else [value]
    return [each for each in several if isinstance(each, dict)]


def _text(value: Any) -> str:
    return value.strip() if isinstance(value, str) else ""
