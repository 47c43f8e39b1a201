"""Bodies of retention over REST."""

from datetime import date
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from radiology.retention.model import AgeGroup, Rule

Text = Annotated[str, StringConstraints(min_length=10, max_length=4000, strip_whitespace=True)]
Title = Annotated[str, StringConstraints(min_length=3, max_length=300, strip_whitespace=True)]
Code = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,39}$")]
Value = Annotated[str, StringConstraints(min_length=1, max_length=64, strip_whitespace=True)]
UID = Annotated[str, StringConstraints(pattern=r"^[0-9.]{1,64}$")]

_RULE: dict[str, Any] = {
    "code": "angiography", "title": "Angiography is kept for 15 years.",
    "titleBn": "এনজিওগ্রাফি ১৫ বছর রাখা হয়।", "modalities": ["XA"], "years": 15,
}  # fmt: skip


class RuleIn(BaseModel):
    """For how long studies of a kind are kept. Conditions that are left empty hold for every study."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [_RULE]})

    code: Code
    title: Title = Field(description="The rule as a sentence: it is told as the reason.")
    titleBn: Title  # noqa: N815 - fields are named as in JSON.
    modalities: list[Value] = Field(default_factory=list[str], max_length=50)
    procedureCodes: list[Value] = Field(default_factory=list[str], max_length=200)  # noqa: N815
    ageGroup: AgeGroup | None = None  # noqa: N815
    facilityCodes: list[Value] = Field(default_factory=list[str], max_length=200)  # noqa: N815
    sensitiveClasses: list[Value] = Field(default_factory=list[str], max_length=10)  # noqa: N815
    obstetric: bool = Field(default=False, description="Only studies whose words speak of pregnancy.")
    years: int | None = Field(default=None, ge=0, le=200, description="From the day of the study or its last report.")
    toAgeYears: int | None = Field(default=None, ge=0, le=150, description="And to this age.")  # noqa: N815
    permanent: bool = False
    keptElsewhere: str = Field(  # noqa: N815
        default="",
        max_length=16,
        description="AE title of another archive: the images go from here `localDays` after the study, once that "
        "archive is proven to have them.",
    )
    localDays: int | None = Field(default=None, ge=1, le=36_500)  # noqa: N815
    enabled: bool = True

    def rule(self) -> Rule:
        """The rule that it describes."""
        return Rule(
            code=self.code,
            title=self.title,
            title_bn=self.titleBn,
            modalities=self.modalities,
            procedure_codes=self.procedureCodes,
            age_group=self.ageGroup,
            facility_codes=self.facilityCodes,
            sensitive_classes=self.sensitiveClasses,
            obstetric=self.obstetric,
            years=self.years,
            to_age_years=self.toAgeYears,
            permanent=self.permanent,
            kept_elsewhere=self.keptElsewhere,
            local_days=self.localDays,
            enabled=self.enabled,
        )

    @classmethod
    def of(cls, rule: Rule) -> "RuleIn":
        """A rule as it is told."""
        return cls(
            code=rule.code,
            title=rule.title,
            titleBn=rule.title_bn,
            modalities=list(rule.modalities),
            procedureCodes=list(rule.procedure_codes),
            ageGroup=rule.age_group,
            facilityCodes=list(rule.facility_codes),
            sensitiveClasses=list(rule.sensitive_classes),
            obstetric=rule.obstetric,
            years=rule.years,
            toAgeYears=rule.to_age_years,
            permanent=rule.permanent,
            keptElsewhere=rule.kept_elsewhere,
            localDays=rule.local_days,
            enabled=rule.enabled,
        )


class RulesIn(BaseModel):
    """The rules as a whole. `basedOn`: the version that they were made from."""

    model_config = ConfigDict(extra="forbid")

    basedOn: int = Field(ge=0)  # noqa: N815
    reason: Text
    rules: list[RuleIn] = Field(min_length=1, max_length=200)


class TrialIn(BaseModel):
    """Rules to be tried. `on`: the day for which; today without it."""

    model_config = ConfigDict(extra="forbid")

    rules: list[RuleIn] = Field(min_length=1, max_length=200)
    on: date | None = None


class SwitchIn(BaseModel):
    """Whether anything is removed. `binDays`: how long the bin keeps; `proofDays`: how old proof of a copy may be."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [
        {"removes": True, "reason": "Decided by the hospital's committee on 4 January."}]})  # fmt: skip

    removes: bool
    binDays: int = Field(default=30, ge=1, le=3650)  # noqa: N815
    proofDays: int = Field(default=7, ge=1, le=365)  # noqa: N815
    reason: Text


class ReasonIn(BaseModel):
    """Why."""

    model_config = ConfigDict(extra="forbid")

    reason: Text


class RemovalIn(BaseModel):
    """What is proposed: of what is over its time `limit` studies, of one facility, or these."""

    model_config = ConfigDict(extra="forbid")

    reason: Text
    limit: int = Field(default=500, ge=1, le=2000)
    facilityCode: Value | None = None  # noqa: N815
    studies: list[UID] = Field(default_factory=list[str], max_length=2000, description="Study Instance UIDs.")


class DecisionIn(BaseModel):
    """What the second person decides. `lastCopies`: also studies that no other archive is known to keep."""

    model_config = ConfigDict(extra="forbid")

    approve: bool
    lastCopies: bool = False  # noqa: N815
    answer: Text
