"""What a study asks of its reader: priority, hours, subspecialty, region, certificates. Pure.

What the catalogue says of its procedure counts; where it knows none, the modality and the words decide.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType
from typing import Any, Final

from radiology.practitioners.model import DERIVED
from radiology.procedures.lookup import Catalogue, codings_of
from radiology.procedures.model import Procedure
from radiology.procedures.regions import regions_of
from radiology.reading_worklist.model import AgeGroup, Priority, sla_hours

#: Relative value of reading a study whose procedure nobody knows, by modality.
RVU: Final[Mapping[str, float]] = MappingProxyType(
    {
        "DX": 1, "CR": 1, "PX": 1, "IO": 1, "US": 2, "MG": 3, "RF": 3, "XA": 3, "BMD": 0.5, "CT": 4, "MR": 5, "NM": 4,
        "PT": 8,
    }
)  # fmt: skip
OTHERS_RVU, ANGIOGRAPHY_RVU, MULTIPART_RVU = 1.0, 6.0, 8.0
OTHERS_HOURS: Final = 24
SUBSPECIALTIES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "head": "neuro", "spine": "neuro", "neck": "neuro", "chest": "chest", "heart": "cardiac", "breast": "breast",
        "abdomen": "body", "pelvis": "body", "upper limb": "musculoskeletal", "lower limb": "musculoskeletal",
    }
)  # fmt: skip
OF_MODALITY: Final[Mapping[str, str]] = MappingProxyType({"MG": "breast", "NM": "nuclear", "PT": "nuclear"})

MAMMOGRAPHY, CARDIAC_CT = "mammography", "cardiac-ct"
#: PS3.3 C.4.11 Requested Procedure Priority of an item that no order of this service placed.
OF_ITEM: Final[Mapping[str, Priority]] = MappingProxyType(
    {"STAT": Priority.STAT, "HIGH": Priority.URGENT, "MEDIUM": Priority.ROUTINE, "LOW": Priority.ROUTINE}
)
#: Codes and words of a reason that make a STAT study due in half an hour.
AT_ONCE_CODES: Final = frozenset({
    "230690007", "422504002", "274100004", "417746004", "127294003",  # SNOMED CT: strokes, injury, brain injury
    "I60", "I61", "I63", "I64", "S06", "T07", "8B00", "8B01", "8B11", "8B20", "NA07", "ND56",  # ICD-10, ICD-11
})  # fmt: skip
_AT_ONCE: Final = re.compile(
    r"(?<!\w)(stroke|trauma|polytrauma|head injury|road traffic|rta)(?!\w)|স্ট্রোক|দুর্ঘটনা|আঘাত", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Said:
    """What is known of a study: of itself, of its order, and of its patient.

    reasons, procedures: CodeableConcepts (FHIR R4). ordered_priority: that of the order or of its worklist item.
    """

    facility_code: str
    modalities: frozenset[str]
    description: str = ""
    procedures: Sequence[Mapping[str, Any]] = ()
    reasons: Sequence[Mapping[str, Any]] = ()
    ordered_priority: str | None = None
    birth_date: date | None = None
    on: date | None = None

    @property
    def modality(self) -> str:
        """The one that is read: of several the one that takes most work."""
        read = self.modalities - DERIVED
        return max(sorted(read), key=lambda each: RVU.get(each, OTHERS_RVU), default="")

    @property
    def words(self) -> str:
        """What it is called."""
        texts = [str(each.get("text") or "") for each in self.procedures]
        texts += [coding.display for coding in codings_of(self.procedures)]
        return " ".join([self.description, *texts])


@dataclass(frozen=True, slots=True)
class Asked:
    """What a study asks of its reader."""

    priority: Priority
    at_once: bool
    sla_hours: float
    modality: str
    procedure_key: str
    region: str
    subspecialty: str
    rvu: float
    certificates: frozenset[str]
    age_group: AgeGroup


def described(said: Said, catalogue: Catalogue, *, ownership: str = "public") -> Asked:
    """What a study asks of its reader, by the catalogue of the day."""
    procedure = catalogue.find(codings_of(said.procedures), said.modality, said.description or said.words)
    turnaround, usual = OTHERS_HOURS, Priority.ROUTINE
    if procedure is not None:
        terms = catalogue.terms(procedure.key, said.facility_code, said.on, ownership=ownership)
        turnaround, usual = terms.turnaround_hours, Priority(terms.priority)
    priority = Priority(said.ordered_priority) if said.ordered_priority else usual
    at_once = priority == Priority.STAT and _is_stroke_or_trauma(said, procedure)
    region = _region(said, procedure)
    return Asked(
        priority=priority,
        at_once=at_once,
        sla_hours=sla_hours(priority, turnaround, at_once=at_once),
        modality=said.modality,
        procedure_key=procedure.key if procedure else "",
        region=region,
        subspecialty=_subspecialty(said.modality, region, procedure),
        rvu=procedure.rvu if procedure else _usual_rvu(said),
        certificates=_certificates(said.modality, region, procedure),
        age_group=age_group(said.birth_date, said.on),
    )


def age_group(birth_date: date | None, on: date | None) -> AgeGroup:
    """Whom a reader must be able to read: newborn, child or adult on the day of the images."""
    if birth_date is None or on is None or on < birth_date:
        return AgeGroup.ADULT
    if (on - birth_date).days < 28:
        return AgeGroup.NEONATE
    years = on.year - birth_date.year - ((on.month, on.day) < (birth_date.month, birth_date.day))
    return AgeGroup.CHILD if years < 18 else AgeGroup.ADULT


def _region(said: Said, procedure: Procedure | None) -> str:
    """The part of the body: of the catalogue, else of the words; the first by name where there are several."""
    known = regions_of(procedure.body_site) if procedure else frozenset[str]()
    return min(known or regions_of(said.words), default="")


def _subspecialty(modality: str, region: str, procedure: Procedure | None) -> str:
    if procedure is not None:
        return procedure.subspecialty
    return OF_MODALITY.get(modality) or SUBSPECIALTIES.get(region, "general")


def _usual_rvu(said: Said) -> float:
    usual, words = float(RVU.get(said.modality, OTHERS_RVU)), said.words.casefold()
    if said.modality == "CT" and any(word in words for word in ("angio", "multiphase", "triphasic")):
        return ANGIOGRAPHY_RVU
    return MULTIPART_RVU if said.modality == "MR" and len(said.procedures) > 1 else usual


def _certificates(modality: str, region: str, procedure: Procedure | None) -> frozenset[str]:
    if modality == "MG":
        return frozenset({MAMMOGRAPHY})
    cardiac = region == "heart" or (procedure is not None and procedure.subspecialty == "cardiac")
    return frozenset({CARDIAC_CT}) if modality == "CT" and cardiac else frozenset()


def _is_stroke_or_trauma(said: Said, procedure: Procedure | None) -> bool:
    codes = {coding.code.partition(".")[0] for coding in codings_of(said.reasons)}
    texts = [str(each.get("text") or "") for each in said.reasons]
    texts += [coding.display for coding in codings_of(said.reasons)]
    texts += [said.words, procedure.display if procedure else ""]
    return bool(codes & AT_ONCE_CODES or _AT_ONCE.search(" ".join(texts)))
