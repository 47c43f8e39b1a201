"""The question to the rules that an order is, with what is known of its patient. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any, Final

from radiology.orders.checking.model import Asked, Earlier
from radiology.orders.model import RequestedProcedure
from radiology.orders.safety import MICROMOL_PER_MG_DL, RenalFunction, Safety, words_of
from radiology.patients.model import Patient
from radiology.procedures.appropriateness.facts import DONE, ORDERED
from radiology.procedures.appropriateness.matching import Term, plain, terms_in
from radiology.procedures.appropriateness.model import Choice, Implant, Indication, Kidneys, Prior, Question
from radiology.procedures.lookup import Catalogue, codings_of
from radiology.procedures.model import Coding, Procedure
from radiology.studies.model import Status as StudyStatus
from radiology.studies.schemas import CodeableConcept

STUDIES: Final = "/api/radiology/studies"
_PREGNANCY: Final[Mapping[str | None, str]] = {"not-pregnant": "no", "possibly": "possibly", "definitely": "yes"}
_SIDES: Final[Mapping[str, str]] = {"left": "L", "right": "R", "both sides": "B"}
_BESIDE: Final = frozenset({"SR", "PR", "KO", "DOC", "OT", "SC", "SEG", "REG", "AU"})
"""Modalities of objects that come beside the images."""
_GRADES: Final = ("none", "mild", "moderate", "unstated", "severe")
_AGENTS: Final = Term(
    "contrast-agent",
    tuple(
        plain(name)
        for name in (
            "contrast", "contrast media", "contrast medium", "iohexol", "omnipaque", "iopamidol", "iodixanol",
            "visipaque", "iopromide", "ultravist", "ioversol", "iomeprol", "diatrizoate", "urografin", "gadolinium",
            "gadobutrol", "gadoterate", "dotarem", "gadodiamide", "gadopentetate", "magnevist", "কন্ট্রাস্ট",
        )
    ),
)  # fmt: skip
"""An allergy to one of these is a reaction to contrast, also where the sender has no flag for that."""


def question_of(
    asked: Asked,
    procedure: RequestedProcedure,
    *,
    catalogue: Catalogue,
    priors: Sequence[Prior],
    dose_msv: float,
    inpatient: bool,
    choices: Mapping[str, Choice],
    on: date,
    examined_on: date | None,
) -> Question:
    """What the rules are asked of one procedure."""
    content = asked.content
    safety = Safety.model_validate(content.get("safety", {}))
    known = procedure_of(procedure, catalogue)
    return Question(
        procedure=known or Procedure("", _words(procedure.content["code"]), "", procedure.modality),
        on=on,
        examined_on=examined_on,
        is_known=known is not None,
        priority=asked.priority,
        laterality=procedure.content.get("laterality", ""),
        contrast_planned=_planned(safety, procedure),
        indications=tuple(_indications(content)),
        born=birth_date(asked.patient),
        sex=asked.patient.sex if asked.patient.sex in ("F", "M") else None,
        pregnancy=_PREGNANCY.get(safety.pregnancy, "unknown"),
        pregnancy_weeks=safety.pregnancyWeeks,
        last_menstrual_period=safety.lastMenstrualPeriod,
        kidneys=_kidneys(safety.renalFunction),
        previous_reaction=_reaction(safety),
        implants=_implants(safety),
        mr_cleared=safety.mrClearance is not None,
        medications=tuple(safety.medications),
        history=(*safety.conditions, *((safety.medicalAlerts,) if safety.medicalAlerts else ())),
        weight_kg=safety.weightKg,
        size_m=safety.sizeM,
        inpatient=inpatient,
        priors=tuple(priors),
        dose_msv=dose_msv,
        facility_code=asked.facility_code,
        choices=choices,
    )


def procedure_of(procedure: RequestedProcedure, catalogue: Catalogue) -> Procedure | None:
    """What the catalogue knows a procedure as."""
    code: Mapping[str, Any] = procedure.content["code"]
    return catalogue.find(codings_of([code]), procedure.modality, _words(code))


def priors_of(studies: Iterable[Earlier], catalogue: Catalogue) -> list[Prior]:
    """Earlier studies that who asks may know of, and the catalogue knows."""
    return [prior for each in studies if each.seen and (prior := _prior(each, catalogue)) is not None]


def typical_dose(studies: Iterable[Earlier], catalogue: Catalogue) -> float:
    """What examinations of which no dose is recorded typically give, mSv."""
    procedures = (_known(each, catalogue) for each in studies if each.number_of_instances)
    return sum(each.effective_dose_msv for each in procedures if each is not None and each.is_ionising)


def without_confidential(question: Question) -> Question:
    """The same question for an answer that others read, too."""
    return replace(question, priors=tuple(each for each in question.priors if not each.confidential))


def birth_date(patient: Patient) -> date | None:
    """The day, where the registry has one."""
    born = patient.birth_date
    return date(int(born[:4]), int(born[4:6]), int(born[6:])) if len(born) == len("YYYYMMDD") else None


def _prior(study: Earlier, catalogue: Catalogue) -> Prior | None:
    procedure = _known(study, catalogue)
    if procedure is None:
        return None
    side = (study.study_description or "").rpartition(", ")[2]
    return Prior(
        procedure=procedure,
        on=study.on,
        state=_state(study),
        laterality=_SIDES.get(side, ""),
        study_instance_uid=study.study_instance_uid,
        link=f"{STUDIES}/{study.study_instance_uid}",
        confidential=study.sensitive,
    )


def _known(study: Earlier, catalogue: Catalogue) -> Procedure | None:
    """What the catalogue knows a study as; one of several modalities, as PET-CT, is known by its codes and words."""
    acquired = [each for each in study.modalities if each not in _BESIDE]
    modality = acquired[0] if len(acquired) == 1 else ""
    return catalogue.find(codings_of(study.procedure_code or ()), modality, study.study_description or "")


def _state(study: Earlier) -> str:
    if study.status == StudyStatus.COMPLETED:
        return DONE
    return "begun" if study.number_of_instances or study.status == StudyStatus.IN_PROGRESS else ORDERED


def _indications(content: Mapping[str, Any]) -> Iterable[Indication]:
    """Each code with the words beside it, and the words."""
    for concept in content.get("reasonCode", ()):
        text = concept.get("text", "")
        yield Indication(text)
        for each in concept.get("coding", ()):
            words = f"{each.get('display', '')}. {text}"
            yield Indication(words, Coding(each.get("system", ""), each["code"], each.get("display", "")))
    yield Indication(content.get("reason", ""))


def _planned(safety: Safety, procedure: RequestedProcedure) -> bool | None:
    if procedure.content.get("contrastAgent"):
        return True
    return safety.contrast.planned if safety.contrast else None


def _kidneys(said: RenalFunction | None) -> Kidneys | None:
    if said is None:
        return None
    factor = MICROMOL_PER_MG_DL if said.creatinineUnit == "mg/dL" else 1.0
    return Kidneys(
        measured_on=said.measuredOn,
        egfr=said.egfr,
        creatinine=None if said.creatinine is None else said.creatinine * factor,
        dialysis=said.dialysis,
        acute_injury=said.acuteKidneyInjury,
    )


def _reaction(safety: Safety) -> str | None:
    """The worst that is known; of an allergy to contrast whose severity nobody said, that it is unstated."""
    told = [
        each.severity or "unstated"
        for each in safety.allergies
        if each.contrast or terms_in([Indication(each.words)], [_AGENTS])
    ]
    if safety.contrast and safety.contrast.previousReaction:
        told.append(safety.contrast.previousReaction)
    return max(told, key=_GRADES.index, default="none" if safety.noKnownAllergies else None)


def _implants(safety: Safety) -> tuple[Implant, ...] | None:
    if not safety.implants and not safety.noImplants:
        return None
    return tuple(Implant(f"{each.text} {words_of(each.code)}", each.mrSafety) for each in safety.implants)


def _words(code: Mapping[str, Any]) -> str:
    return words_of(CodeableConcept.model_validate(code))
