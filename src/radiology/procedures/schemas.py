"""Bodies of the catalogue over REST; names are those of the specification."""

from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, model_validator

from radiology.kit.bilingual import Sentence
from radiology.procedures import queries
from radiology.procedures.entries import body_of, procedure_of
from radiology.procedures.lookup import Catalogue
from radiology.procedures.model import CONTRASTS, LOINC, PRIORITIES, SUBSPECIALTIES, Procedure, Terms
from radiology.procedures.preparations import PREPARATIONS, fasting_hours, instructions, message
from radiology.procedures.queries import Entry
from radiology.standards.loinc import could_exist

EXAMPLE: dict[str, Any] = {
    "display": "X-ray forearm",
    "display_bangla": "বাহুর এক্স-রে",
    "modality": "DX",
    "codings": [{"system": "urn:bd:radiology:local-procedure", "code": "XR_FOREARM"}],
    "body_site": "forearm",
    "needs_laterality": True,
    "effective_dose_msv": 0.001,
    "preparations": ["P1"],
    "public_price": [100, 200],
    "private_price": [500, 1000],
    "turnaround_hours": 8,
    "common_in_bd": True,
    "indications": ["injury"],
    "minutes": 10,
    "rvu": 1,
    "subspecialty": "musculoskeletal",
    "reason": "Done here since January.",
}
TERMS_EXAMPLE: dict[str, Any] = {"price": "250.00", "effective_from": "2026-07-01", "reason": "New list of user fees."}
GRID_MINUTES: Final = 5


def _known(*values: str) -> AfterValidator:
    def check(value: str) -> str:
        if value not in values:
            raise ValueError(f"must be one of {', '.join(values)}")
        return value

    return AfterValidator(check)


Name = Annotated[str, StringConstraints(min_length=1, max_length=200, strip_whitespace=True)]
Note = Annotated[str, StringConstraints(max_length=400, strip_whitespace=True)]
Reason = Annotated[str, StringConstraints(min_length=1, max_length=400, strip_whitespace=True)]
Modality = Annotated[str, StringConstraints(pattern=r"^[A-Z0-9_]{1,16}$")]
Flag = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9-]{1,40}$")]
Quantity = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_]{0,31}$")]
Money = Annotated[Decimal, Field(ge=0, le=10_000_000, max_digits=12, decimal_places=2)]
Hours = Annotated[int, Field(ge=1, le=24 * 60)]
Priority = Annotated[str, _known(*PRIORITIES)]
Band = Annotated[list[Annotated[int, Field(ge=0, le=10_000_000)]], Field(min_length=2, max_length=2)]


class Body(BaseModel):
    """A body says nothing that we do not know."""

    model_config = ConfigDict(extra="forbid")


class CodingIn(Body):
    """A code that means the procedure. LOINC codes have the right check digit."""

    system: Name
    code: Annotated[str, StringConstraints(min_length=1, max_length=64, strip_whitespace=True)]
    display: Note = ""

    @model_validator(mode="after")
    def _exists(self) -> "CodingIn":
        if self.system == LOINC and not could_exist(self.code):
            raise ValueError(f"{self.code} is not a LOINC code, its check digit is wrong")
        return self


class ProcedureIn(Body):
    """An entry of the catalogue, as it is from a day on."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [EXAMPLE]})

    display: Name
    display_bangla: Name
    names: list[Name] = Field(default_factory=list[str], max_length=50, description="What else people call it.")
    modality: Modality
    procedure_code: Note = Field(default="", description="As the specification has it.")
    codings: list[CodingIn] = Field(max_length=20, description="The first names it; the others mean it, too.")
    body_site: Note = ""
    needs_laterality: bool = False
    contrast: Annotated[str, _known(*CONTRASTS)] = "none"
    effective_dose_msv: Annotated[float, Field(ge=0, le=200)] = 0.0
    radiation_dose: Note = ""
    reference_levels: dict[Quantity, Annotated[float, Field(gt=0)]] = Field(
        default_factory=dict[str, float], description="ESD mGy, DAP Gy·cm², CTDIvol mGy, DLP mGy·cm, MGD mGy."
    )
    preparations: list[Annotated[str, _known(*PREPARATIONS)]] = Field(default_factory=list[str], max_length=6)
    preparation: Note = Field(default="", description="A sentence of its own, in place of theirs.")
    preparation_bangla: Note = ""
    cost: Money | None = Field(default=None, description="BDT, as text. Without one, the middle of the band.")
    public_price: Band | None = Field(default=None, description="Lowest and highest, BDT.")
    private_price: Band | None = None
    turnaround_hours: Hours
    priority: Priority = "routine"
    common_in_bd: bool = False
    indications: list[Name] = Field(default_factory=list[str], max_length=50)
    flags: list[Flag] = Field(default_factory=list[str], max_length=20)
    minutes: Annotated[int, Field(ge=5, le=480, multiple_of=GRID_MINUTES)]
    rvu: Annotated[float, Field(gt=0, le=50)]
    subspecialty: Annotated[str, _known(*SUBSPECIALTIES)] = "general"
    active: bool = Field(default=True, description="Whether it can be ordered.")
    effective_from: date | None = Field(default=None, description="Today, where it is left out; never before.")
    reason: Reason = Field(description="Why, for the record.")

    @model_validator(mode="after")
    def _whole(self) -> "ProcedureIn":
        for name, band in (("public_price", self.public_price), ("private_price", self.private_price)):
            if band and band[0] > band[1]:
                raise ValueError(f"{name} names the lowest price first")
        if self.preparation and not self.preparation_bangla:
            raise ValueError("a preparation of its own is said in both languages")
        return self

    def entry(self, key: str) -> dict[str, Any]:
        """The entry as it is kept."""
        said = self.model_dump(mode="json", exclude={"effective_from", "reason"})
        return body_of(procedure_of(key, said))


class TermsIn(Body):
    """Price, turnaround and priority from a day on. What is left out follows the next wider terms."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [TERMS_EXAMPLE]})

    price: Money | None = Field(default=None, description="BDT, as text.")
    turnaround_hours: Hours | None = None
    priority: Priority | None = None
    effective_from: date | None = Field(default=None, description="Today, where it is left out; never before.")
    reason: Reason = Field(description="Why, for the record.")


class RestoreIn(Body):
    """Why an earlier version holds again, and from which day."""

    effective_from: date | None = Field(default=None, description="Today, where it is left out; never before.")
    reason: Reason


class Agreement(BaseModel):
    """Terms as they are answered."""

    price: str | None
    turnaround_hours: int
    priority: str


class ProcedureOut(BaseModel):
    """A procedure as it is answered. `terms` are those of the facility and ownership that were asked for."""

    model_config = ConfigDict(extra="allow")

    key: str
    version: int
    effective_from: date
    terms: Agreement
    instructions: list[dict[str, str]]


class ProcedureList(BaseModel):
    """Procedures of today, with the notice that belongs to their codes."""

    results: list[ProcedureOut]
    copyright: str


Ownership = Literal["public", "private", "ngo"]


def procedure_body(procedure: Procedure, known: Catalogue, facility: str, ownership: str) -> dict[str, Any]:
    """A procedure as it is shown."""
    return {
        "key": procedure.key,
        "version": procedure.version,
        "effective_from": procedure.effective_from.isoformat(),
        **body_of(procedure),
        "instructions": [each.told() for each in instructions(procedure)],
        "terms": terms_body(known.terms(procedure.key, facility, ownership=ownership)),
    }


def terms_body(terms: Terms) -> dict[str, Any]:
    """Terms as they are shown."""
    price = None if terms.price is None else str(terms.price)
    return {"price": price, "turnaround_hours": terms.turnaround_hours, "priority": terms.priority}


def agreed_body(agreed: queries.Terms) -> dict[str, Any]:
    """What was said for a facility or an ownership, with who said it, when and why."""
    return {
        "changed_by": agreed.changed_by,
        "changed_at": agreed.changed_at.isoformat(),
        "reason": agreed.reason,
        "facility_code": agreed.facility_code,
        "ownership": agreed.ownership,
        "version": agreed.version,
        "effective_from": agreed.effective_from.isoformat(),
        "price": None if agreed.price_bdt is None else str(agreed.price_bdt),
        "turnaround_hours": agreed.turnaround_hours,
        "priority": agreed.priority,
    }


def entry_body(entry: Entry) -> dict[str, Any]:
    """One version, with who made it, when and why."""
    return {
        "version": entry.version,
        "effective_from": entry.effective_from.isoformat(),
        "changed_by": entry.changed_by,
        "changed_at": entry.changed_at.isoformat(),
        "reason": entry.reason,
        "shipped": entry.is_shipped,
        "entry": body_of(procedure_of(entry.key, entry.body)),
    }


def preparation_body(procedure: Procedure) -> dict[str, Any]:
    """How patients prepare: on paper, and as a short message."""
    told: Sentence = message(procedure)
    return {
        "key": procedure.key,
        "fasting_hours": fasting_hours(procedure.preparations),
        "sheet": [each.told() for each in instructions(procedure)],
        "message": told.told(),
    }
