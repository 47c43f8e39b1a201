"""What matters for the safety of an examination, and how a modality is told of it. Pure.

An order says it in full; the worklist has room for 64 characters in each of Allergies (0010,2110), Medical Alerts
(0010,2000), Special Needs (0038,0050) and Patient Transport Arrangements (0040,1004), so what is dangerous comes first,
and all of it stands in the comments on the procedure (0040,1400).
"""

from collections.abc import Iterable, Iterator
from datetime import date
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_validator, model_validator

from radiology.studies.schemas import CodeableConcept

LINE: Final = 64
"""Characters of an LO (PS3.5 6.2)."""
MICROMOL_PER_MG_DL: Final = 88.4
"""Creatinine in µmol/L of 1 mg/dL."""

Text = Annotated[str, StringConstraints(min_length=1, max_length=400, strip_whitespace=True)]
Pregnancy = Literal["not-pregnant", "possibly", "definitely", "unknown"]


class Fact(BaseModel):
    """A fact says nothing that we do not know."""

    model_config = ConfigDict(extra="forbid")


class Allergy(Fact):
    """FHIR AllergyIntolerance as far as an examination needs it; `contrast` is for agents that radiology gives."""

    code: CodeableConcept | None = None
    text: Text | None = None
    contrast: bool = False
    severity: Literal["mild", "moderate", "severe"] | None = None

    @model_validator(mode="after")
    def _named(self) -> "Allergy":
        if not self.code and not self.text:
            raise ValueError("needs a code or a text")
        return self

    @property
    def words(self) -> str:
        """As it is told."""
        return f"{self.text or words_of(self.code)}{f' ({self.severity})' if self.severity else ''}"


class RenalFunction(Fact):
    """A measurement of the kidneys: creatinine in its unit, eGFR in mL/min/1.73 m², and the day of the sample."""

    measuredOn: date  # noqa: N815
    creatinine: float | None = Field(default=None, gt=0, lt=5000)
    creatinineUnit: Literal["umol/L", "mg/dL"] = "umol/L"  # noqa: N815
    egfr: float | None = Field(default=None, ge=0, lt=300, description="mL/min/1.73 m²")
    dialysis: bool = False
    acuteKidneyInjury: bool = False  # noqa: N815

    @model_validator(mode="after")
    def _measured(self) -> "RenalFunction":
        if self.creatinine is None and self.egfr is None and not self.dialysis:
            raise ValueError("needs creatinine or egfr")
        if self.creatinine is not None and self._micromol > MICROMOL_PER_MG_DL * 40:
            raise ValueError("creatinine is higher than anybody has; look at its unit")
        return self

    @property
    def _micromol(self) -> float:
        return (self.creatinine or 0) * (MICROMOL_PER_MG_DL if self.creatinineUnit == "mg/dL" else 1)

    @property
    def words(self) -> str:
        """As it is told."""
        parts = [
            f"eGFR {self.egfr:g}" if self.egfr is not None else "",
            f"creatinine {self.creatinine:g} {self.creatinineUnit}" if self.creatinine is not None else "",
            "on dialysis" if self.dialysis else "",
            "acute kidney injury" if self.acuteKidneyInjury else "",
        ]
        return f"{', '.join(part for part in parts if part)} on {self.measuredOn:%d/%m/%Y}"


class Implant(Fact):
    """Something in the body that a magnet or a beam meets. `mrSafety` as ASTM F2503 marks devices."""

    text: Text
    code: CodeableConcept | None = None
    mrSafety: Literal["safe", "conditional", "unsafe", "unknown"] = "unknown"  # noqa: N815

    @property
    def words(self) -> str:
        """As it is told."""
        return f"{self.text} (MR {self.mrSafety})"


class Infection(Fact):
    """What others must be protected from, or the patient from others."""

    text: Text
    code: CodeableConcept | None = None
    isolation: Literal["none", "contact", "droplet", "airborne", "protective"] = "none"

    @property
    def words(self) -> str:
        """As it is told."""
        return self.text if self.isolation == "none" else f"{self.text} ({self.isolation} isolation)"


class Contrast(Fact):
    """What is given, and what happened when it was given before."""

    planned: bool | None = None
    agent: Text | None = None
    previousReaction: Literal["none", "mild", "moderate", "severe"] | None = None  # noqa: N815
    premedication: Text | None = None


class MRClearance(Fact):
    """Somebody responsible has seen that this patient may enter the magnet, and on what that rests."""

    on: date
    note: Text = Field(description="Model and conditions of the device, or the X-ray of the orbits.")

    @property
    def words(self) -> str:
        """As it is told."""
        return f"MR cleared on {self.on:%d/%m/%Y}: {self.note}"


class Safety(Fact):
    """What the order says of the patient's safety. What is left out is not known."""

    weightKg: float | None = Field(default=None, gt=0, lt=1000)  # noqa: N815
    sizeM: float | None = Field(default=None, gt=0, lt=3)  # noqa: N815
    pregnancy: Pregnancy | None = None
    pregnancyWeeks: int | None = Field(default=None, ge=1, le=45)  # noqa: N815
    lastMenstrualPeriod: date | None = None  # noqa: N815
    breastfeeding: bool | None = None
    allergies: list[Allergy] = Field(default_factory=list[Allergy], max_length=50)
    noKnownAllergies: bool = False  # noqa: N815
    renalFunction: RenalFunction | None = None  # noqa: N815
    contrast: Contrast | None = None
    implants: list[Implant] = Field(default_factory=list[Implant], max_length=50)
    noImplants: bool = False  # noqa: N815
    mrClearance: MRClearance | None = None  # noqa: N815
    medications: list[Text] = Field(default_factory=list[str], max_length=100)
    conditions: list[Text] = Field(default_factory=list[str], max_length=100)
    infections: list[Infection] = Field(default_factory=list[Infection], max_length=50)
    mobility: Literal["walking", "with-help", "wheelchair", "stretcher", "bed"] | None = None
    medicalAlerts: Text | None = None  # noqa: N815
    specialNeeds: Text | None = None  # noqa: N815

    @field_validator("lastMenstrualPeriod")
    @classmethod
    def _of_our_time(cls, value: date | None) -> date | None:
        if value is not None and value.year < 1900:
            raise ValueError("is no day of our time")
        return value

    @model_validator(mode="after")
    def _agrees(self) -> "Safety":
        if self.noKnownAllergies and self.allergies:
            raise ValueError("noKnownAllergies cannot hold together with allergies")
        if self.noImplants and self.implants:
            raise ValueError("noImplants cannot hold together with implants")
        if self.pregnancyWeeks is not None and self.pregnancy not in ("possibly", "definitely"):
            raise ValueError("pregnancyWeeks needs pregnancy to be possibly or definitely")
        return self


TRANSPORT: Final = {
    "with-help": "Walks with help", "wheelchair": "Wheelchair", "stretcher": "Stretcher", "bed": "In bed",
}  # fmt: skip


def allergies(safety: Safety) -> str | None:
    """Allergies (0010,2110): those to contrast agents and the severe ones first."""
    order = sorted(safety.allergies, key=lambda each: (not each.contrast, each.severity != "severe"))
    words = [f"Contrast: {each.words}" if each.contrast else each.words for each in order]
    if safety.contrast and safety.contrast.previousReaction not in (None, "none"):
        words.insert(0, f"Contrast reaction: {safety.contrast.previousReaction}")
    return line(words) or ("No known allergies" if safety.noKnownAllergies else None)


def alerts(safety: Safety) -> str | None:
    """Medical Alerts (0010,2000): what endangers others or the patient."""
    return line(_alerts(safety))


def needs(safety: Safety) -> str | None:
    """Special Needs (0038,0050)."""
    return line([safety.specialNeeds or "", TRANSPORT.get(safety.mobility or "", "")])


def everything(safety: Safety) -> Iterator[str]:
    """All of it, a sentence each."""
    if safety.pregnancy in ("possibly", "definitely"):
        weeks = f", week {safety.pregnancyWeeks}" if safety.pregnancyWeeks else ""
        yield f"Pregnant: {safety.pregnancy}{weeks}"
    if safety.lastMenstrualPeriod:
        yield f"Last menstrual period {safety.lastMenstrualPeriod:%d/%m/%Y}"
    if safety.breastfeeding:
        yield "Breastfeeding"
    if safety.allergies or safety.noKnownAllergies:
        yield f"Allergies: {', '.join(each.words for each in safety.allergies) or 'none known'}"
    yield from _alerts(safety)
    if safety.contrast and safety.contrast.previousReaction:
        yield f"Earlier reaction to contrast: {safety.contrast.previousReaction}"
    if safety.medications:
        yield f"Medicines: {', '.join(safety.medications)}"
    if safety.conditions:
        yield f"Conditions: {', '.join(safety.conditions)}"
    if safety.specialNeeds:
        yield safety.specialNeeds
    if safety.mobility:
        yield f"Mobility: {safety.mobility}"


def _alerts(safety: Safety) -> Iterator[str]:
    for infection in safety.infections:
        yield f"Infection: {infection.words}"
    for implant in safety.implants:
        yield f"Implant: {implant.words}"
    if safety.mrClearance:
        yield safety.mrClearance.words
    if safety.renalFunction:
        yield f"Kidneys: {safety.renalFunction.words}"
    if safety.medicalAlerts:
        yield safety.medicalAlerts


def words_of(concept: CodeableConcept | None) -> str:
    """A concept as people read it."""
    if concept is None:
        return ""
    return concept.text or next((each.display for each in concept.coding if each.display), concept.coding[0].code)


def line(parts: Iterable[str]) -> str | None:
    """Parts in one line that a modality can show; None for nothing."""
    return fitted("; ".join(part for part in parts if part), LINE)


def fitted(text: str, longest: int) -> str | None:
    """A text without what an LO or LT must not hold (PS3.5 6.2), cut where it is too long; None for nothing."""
    plain = " ".join("".join(char if char.isprintable() else " " for char in text.replace("\\", "/")).split())
    return (plain if len(plain) <= longest else plain[: longest - 3].rstrip() + "...") or None
