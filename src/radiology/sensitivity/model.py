"""Rules, what they are applied to, and the label that comes of it. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from radiology.sensitivity.words import Phrases, words_of

CONFIDENTIALITY: Final = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality"
ACT_CODE: Final = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
OBSERVATION_VALUE: Final = "http://terminology.hl7.org/CodeSystem/v3-ObservationValue"


class SensitiveClass(StrEnum):
    """Why a study is sensitive."""

    REPRODUCTIVE = "S1"
    BREAST = "S2"
    GENITO_URINARY = "S3"
    FORENSIC = "S4"
    STIGMA = "S5"
    PSYCHIATRIC = "S6"
    RESTRICTED_PERSON = "S7"


class Policy(StrEnum):
    """v3-ActCode, ActInformationSensitivityPolicy: what kind of sensitive."""

    SEX = "SEX"
    HIV = "HIV"
    STD = "STD"
    SDV = "SDV"
    PSY = "PSY"
    SUD = "SUD"
    TBOO = "TBOO"


class Confidentiality(StrEnum):
    """v3-Confidentiality: normal, restricted, very restricted."""

    NORMAL = "N"
    RESTRICTED = "R"
    VERY_RESTRICTED = "V"


class Kind(StrEnum):
    """What of a study a rule looks at."""

    CODE = "code"
    MODALITY = "modality"
    BODY_PART = "body-part"
    DEPARTMENT = "department"
    FLAG = "flag"
    REASON = "reason"
    PROCEDURE_WORD = "procedure-word"
    REASON_WORD = "reason-word"
    WORD = "word"


#: What a rule means that names no policy.
POLICY_OF: Final = {
    SensitiveClass.REPRODUCTIVE: Policy.SEX,
    SensitiveClass.BREAST: Policy.SEX,
    SensitiveClass.GENITO_URINARY: Policy.SEX,
    SensitiveClass.STIGMA: Policy.TBOO,
    SensitiveClass.PSYCHIATRIC: Policy.PSY,
}
VERY_RESTRICTED: Final = frozenset({SensitiveClass.FORENSIC, SensitiveClass.RESTRICTED_PERSON})
_ORDER: Final = ("N", "R", "V")
_DISPLAYS: Final = {
    "N": "normal",
    "R": "restricted",
    "V": "very restricted",
    "SEX": "sexuality and reproductive health information sensitivity",
    "HIV": "HIV/AIDS information sensitivity",
    "STD": "sexually transmitted disease information sensitivity",
    "SDV": "sexual assault, abuse, or domestic violence information sensitivity",
    "PSY": "psychiatry disorder information sensitivity",
    "SUD": "substance use disorder information sensitivity",
    "TBOO": "taboo",
    "REDACTED": "redacted",
}


@dataclass(frozen=True, slots=True)
class Rule:
    """One reason to take a study for sensitive. A `value` with `*` behind it is the beginning of one.

    `modalities` and `with_words`, where they are given, must hold too: of each, any.
    """

    id: UUID
    sensitive_class: str
    kind: str
    system: str
    value: str
    display: str = ""
    policy: str | None = None
    modalities: list[str] = field(default_factory=list[str])
    with_words: list[str] = field(default_factory=list[str])
    enabled: bool = True
    version: int = 0

    @property
    def policies(self) -> frozenset[str]:
        """The v3-ActCodes that it means."""
        policy = self.policy or POLICY_OF.get(SensitiveClass(self.sensitive_class))
        return frozenset({policy}) if policy else frozenset()


Coding = tuple[str, str]
"""System and code; the system is empty where none was named."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """All of a study that rules look at, from every coding of every procedure."""

    procedures: frozenset[Coding] = frozenset()
    reasons: frozenset[Coding] = frozenset()
    sites: frozenset[Coding] = frozenset()
    modalities: frozenset[str] = frozenset()
    body_parts: frozenset[str] = frozenset()
    departments: frozenset[str] = frozenset()
    flags: frozenset[str] = frozenset()
    procedure_texts: frozenset[str] = frozenset()
    reason_texts: frozenset[str] = frozenset()

    def __or__(self, other: "Evidence") -> "Evidence":
        return Evidence(*(getattr(self, name) | getattr(other, name) for name in Evidence.__slots__))


@dataclass(frozen=True, slots=True)
class Marks:
    """What people said of a study: classes that it has and has not, and how confidential it is at least."""

    raised: frozenset[str] = frozenset()
    cleared: frozenset[str] = frozenset()
    at_least: str = "N"


@dataclass(frozen=True, slots=True)
class Label:
    """What a study is labelled with."""

    classes: tuple[str, ...] = ()
    policies: tuple[str, ...] = ()
    confidentiality: str = "N"


class RuleSet:
    """Rules, made ready to be applied to many studies."""

    def __init__(self, rules: Iterable[Rule], version: int = 0) -> None:
        self.version = version
        self._coded: dict[tuple[str, str], list[Rule]] = {}
        self._beginnings: dict[str, list[Rule]] = {}
        held = [rule for rule in rules if rule.enabled]
        for rule in held:
            if rule.value.endswith("*"):
                self._beginnings.setdefault(rule.kind, []).append(rule)
            else:
                self._coded.setdefault((rule.kind, rule.value), []).append(rule)
        self._phrases = {
            kind: Phrases((rule.value, rule) for rule in held if rule.kind == kind and not rule.system) for kind in Kind
        }

    def label(self, evidence: Evidence, marks: Marks, *, restricted: bool = False) -> Label:
        """The label of a study. `restricted`: its patient is a restricted person.

        What a person raised stays raised; what a privacy officer cleared stays cleared, unless its patient is
        restricted.
        """
        matched = self.matching(evidence)
        kept = [rule for rule in matched if rule.sensitive_class not in marks.cleared]
        classes = {rule.sensitive_class for rule in kept} | marks.raised
        if restricted:
            classes.add(SensitiveClass.RESTRICTED_PERSON)
        policies = frozenset[str]().union(*(rule.policies for rule in kept))
        raised = (POLICY_OF.get(SensitiveClass(each)) for each in marks.raised)
        policies |= {policy for policy in raised if policy}
        confidentiality = max(confidentiality_of(classes), marks.at_least, key=_ORDER.index)
        return Label(tuple(sorted(classes)), tuple(sorted(policies)), confidentiality)

    def matching(self, evidence: Evidence) -> list[Rule]:
        """The rules that hold, each once."""
        found = {rule.id: rule for rule in self._candidates(evidence)}
        return [rule for rule in found.values() if _conditions_hold(rule, evidence)]

    def _candidates(self, evidence: Evidence) -> Iterable[Rule]:
        yield from self._by_code(Kind.CODE, evidence.procedures)
        yield from self._by_code(Kind.REASON, evidence.reasons)
        yield from self._by_code(Kind.BODY_PART, evidence.sites)
        for modality in evidence.modalities:
            yield from self._coded.get((Kind.MODALITY, modality), ())
        for kind, texts in (
            (Kind.BODY_PART, evidence.body_parts),
            (Kind.DEPARTMENT, evidence.departments),
            (Kind.FLAG, evidence.flags),
            (Kind.PROCEDURE_WORD, evidence.procedure_texts),
            (Kind.REASON_WORD, evidence.reason_texts),
            (Kind.WORD, evidence.procedure_texts | evidence.reason_texts),
        ):
            for text in texts:
                yield from self._phrases[kind].found_in(text)

    def _by_code(self, kind: str, codings: Iterable[Coding]) -> Iterable[Rule]:
        for system, code in codings:
            exact = self._coded.get((kind, code), ())
            begun = (rule for rule in self._beginnings.get(kind, ()) if code.startswith(rule.value[:-1]))
            # A coding that names no system may be of any: what might be sensitive is taken for it.
            yield from (rule for rule in (*exact, *begun) if rule.system and system in {"", rule.system})


def confidentiality_of(classes: Iterable[str]) -> str:
    """Very restricted for forensic studies and restricted persons, restricted for all that is sensitive."""
    held = set(classes)
    if held & VERY_RESTRICTED:
        return Confidentiality.VERY_RESTRICTED
    return Confidentiality.RESTRICTED if held else Confidentiality.NORMAL


def security_labels(confidentiality: str, policies: Sequence[str], *, masked: bool = False) -> list[dict[str, Any]]:
    """FHIR R4 meta.security. Who sees the masked view learns that it is one, and not what kind of sensitive it is."""
    if confidentiality == Confidentiality.NORMAL:
        return []
    labels = [_coding(CONFIDENTIALITY, confidentiality)]
    if masked:
        return [*labels, _coding(OBSERVATION_VALUE, "REDACTED")]
    return [*labels, *(_coding(ACT_CODE, policy) for policy in policies)]


def _coding(system: str, code: str) -> dict[str, Any]:
    return {"system": system, "code": code, "display": _DISPLAYS[code]}


def _conditions_hold(rule: Rule, evidence: Evidence) -> bool:
    if rule.modalities and not evidence.modalities & set(rule.modalities):
        return False
    if not rule.with_words:
        return True
    phrases = Phrases((phrase, True) for phrase in rule.with_words)
    texts = evidence.reason_texts | evidence.procedure_texts | evidence.flags
    return any(phrases.found_in(text) for text in texts)


def why_not(rule: Rule) -> str | None:
    """Why a rule cannot be one, as a sentence; None where it can."""
    coded = rule.kind in {Kind.CODE, Kind.REASON}
    if coded and not rule.system:
        return f"A rule of kind {rule.kind} needs the system of its code."
    if rule.kind not in {Kind.CODE, Kind.REASON, Kind.BODY_PART} and rule.system:
        return f"A rule of kind {rule.kind} compares words, so it has no system."
    if len(rule.value.rstrip("*")) < (2 if coded or rule.system or rule.kind == Kind.MODALITY else 3):
        return "value is too short: it would hold for studies that have nothing to do with it."
    if not rule.system and rule.kind != Kind.MODALITY and not words_of(rule.value):
        return "value has no word."
    return None
