"""Every change of a report: begin, edit, approve. State, version, audit and event are one transaction."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import orjson

from radiology.access.model import Actor, Permission, Role
from radiology.app import App
from radiology.audit import actions as audit
from radiology.errors import (
    Conflict,
    FieldProblem,
    NotFound,
    NotPermitted,
    StaleVersion,
    TransitionRefused,
    Unprocessable,
)
from radiology.events import ReportCreated, ReportFinalized, emit
from radiology.kit import metrics
from radiology.kit.clock import monotonic_seconds
from radiology.kit.db import Transaction, as_json
from radiology.kit.ids import uuid7
from radiology.practitioners import actions as practitioners
from radiology.practitioners.model import Standing
from radiology.procedures.catalogue import catalogue
from radiology.procedures.coding import CodingWarning, corrected
from radiology.reading_worklist.actions import claims
from radiology.relations import actions as relations
from radiology.relations.model import Kind
from radiology.reports import model, queries
from radiology.reports.model import Report, Status, Verb
from radiology.reports.queries import StudyFacts
from radiology.reports.schemas import Approval, ReportEdit, ReportIn, Texts
from radiology.standards.dicom.names import display_name
from radiology.studies.matching import UNSETTLED
from radiology.studies.matching import Kind as MatchKind
from radiology.studies.model import Flag
from radiology.studies.moments import read_moment
from radiology.studies.queries import read as studies
from radiology.studies.schemas import CodeableConcept

#: What says how the images were made, and which version was read.
TECHNICAL = frozenset({"technique", "version"})
CLOCKS_DIFFER = timedelta(minutes=5)
MAY_SUPERVISE = frozenset({Role.CONSULTANT, Role.RADIOLOGIST})
_UNSETTLED_FLAGS = {
    Flag.IDENTITY_REVIEW: "It is not settled whose images these are: the study waits for a review of its identity.",
    Flag.WRONG_WORKLIST_ENTRY: "The images were made for the wrong worklist entry: the study waits to be put right.",
}
OBSERVATION_CATEGORY = "http://terminology.hl7.org/CodeSystem/observation-category"
DIAGNOSTIC_SERVICE = "http://terminology.hl7.org/CodeSystem/v2-0074"


async def begin_report(app: App, actor: Actor, body: ReportIn) -> tuple[UUID, int, bytes]:
    """Begin a report of a study; returns its id, version and body.

    Raises Unprocessable for a study that is not there, Conflict for another patient or a second open report.
    """
    actor.must(Permission.INTERPRET)
    began = monotonic_seconds()
    standing, known = await practitioners.standing_of(app, actor), await catalogue(app)
    async with app.db.transaction() as tx:
        study = await _study_of(tx, actor, body.studyId)
        practitioners.must_interpret(app, standing, study.facility_code, study.modalities)
        await _must_be_patient_of(tx, study, body)
        code, warnings = corrected(known, _code_of(body, study), "code")
        if already := await queries.open_report_of(tx, study.id, code):
            raise Conflict(f"{already} is open for this study and procedure. Edit it instead.")
        await claims.begin_reading(tx, app, actor, study.id)
        columns = _columns(app, actor, body, study, code, warnings)
        await queries.insert_report(tx, columns)
        report = await queries.load_report(tx, columns["id"])
        if report.status == Status.PRELIMINARY:
            await _add_version(tx, report, at=app.clock.now())
        await audit.record(tx, actor, "report.begin", str(report.id))
        await relations.note(tx, actor, Kind.READER, study.id, source="report")
        await claims.report_written(tx, app, actor, study.id, "draft")
        await emit(tx, ReportCreated(**_event(report)))
        answer = await queries.report_body(tx, report.id, zone=app.settings.time_zone)
    modality = study.modalities[0] if study.modalities else "OT"
    metrics.report_generation(modality, report.status).observe(monotonic_seconds() - began)
    return report.id, report.version, answer


async def edit_report(app: App, actor: Actor, name: str, body: ReportEdit, *, version: int | None) -> tuple[int, bytes]:
    """Change the texts of a report that is not signed. Raises TransitionRefused, StaleVersion, Unprocessable.

    Radiology personnel who do not interpret write the technical data, nothing else.
    """
    standing = await practitioners.standing_of(app, actor)
    is_technical = body.model_fields_set <= TECHNICAL and not actor.may(Permission.INTERPRET)
    if is_technical:
        practitioners.must_write_technical_data(standing)
    else:
        actor.must(Permission.INTERPRET)
    async with app.db.transaction() as tx:
        report = await _locked(tx, actor, name, version, also_unsigned=is_technical)
        if not is_technical:
            practitioners.must_interpret(app, standing, report.facility_code, report.modalities)
        present = body.status == "preliminary" and report.status != Status.PRELIMINARY
        status = model.step(report.status, Verb.PRESENT if present else Verb.EDIT)
        edited = replace(
            report,
            status=status,
            version=report.version + 1,
            sections=_with_texts(report.sections, body),
            contributors=_with(report.contributors, actor),
        )
        warnings = await _checked(edited)
        await queries.save_edit(tx, edited, warnings=warnings)
        if status == Status.PRELIMINARY:
            await _add_version(tx, edited, at=app.clock.now())
        await audit.record(tx, actor, "report.edit", str(report.id), detail={"version": edited.version})
        if is_technical:
            # The draft itself is not theirs to read.
            return edited.version, orjson.dumps({"id": report.id, "version": edited.version, "status": status})
        await relations.note(tx, actor, Kind.READER, report.study_id, source="report")
        await claims.report_written(tx, app, actor, report.study_id, "present" if present else "edit")
        return edited.version, await queries.report_body(tx, report.id, zone=app.settings.time_zone)


async def approve_report(
    app: App, actor: Actor, name: str, body: Approval, *, version: int | None
) -> tuple[int, bytes]:
    """Make a report final. The server sets approver and time; what the body says of them must be true.

    Repeating it changes nothing. Raises NotPermitted, Unprocessable, TransitionRefused, StaleVersion.
    """
    practitioners.must_hold_approval(actor)
    _must_be_approver(actor, body)
    now = app.clock.now()
    standing = await practitioners.standing_of(app, actor)
    async with app.db.transaction() as tx:
        report = await _locked(tx, actor, name, None)
        if not _is_repeated(report, actor, body, app, now):
            _must_have_version(report, version)
            report = await _approved(tx, app, standing, report, body, now)
        return report.version, await queries.report_body(tx, report.id, zone=app.settings.time_zone)


async def _approved(
    tx: Transaction, app: App, standing: Standing, report: Report, body: Approval, now: datetime
) -> Report:
    actor = standing.actor
    delegator = await practitioners.must_approve(tx, app, standing, report.facility_code, report.modalities)
    _check_issued(app, body, now)
    status = model.step(report.status, Verb.APPROVE)
    _check_second_person(actor, report)
    must_be_settled(report)
    model.check(report.sections, final=True)
    approver = {"reference": actor.practitioner_reference, "display": actor.display, "id": actor.id}
    approved = replace(
        report,
        status=status,
        version=report.version + 1,
        issued=now,
        approver={name: value for name, value in approver.items() if value},
    )
    await queries.save_approval(tx, approved, self_approved=report.author == actor.id)
    await _add_version(tx, approved, at=now)
    detail = {"version": approved.version} | ({"delegated_by": delegator} if delegator else {})
    await audit.record(tx, actor, "report.approve", str(report.id), detail=detail)
    await relations.note(tx, actor, Kind.APPROVER, report.study_id, source="report")
    await claims.report_written(tx, app, actor, report.study_id, "sign")
    await emit(tx, ReportFinalized(**_event(approved)))
    return approved


async def _study_of(tx: Transaction, actor: Actor, name: str) -> StudyFacts:
    try:
        study_id = await studies.resolve(tx, name, visible_to=actor.beyond_reading)
    except NotFound as error:
        sentence = "is no study that you can see: give its id, studyId or Study Instance UID"
        raise Unprocessable(f"studyId {sentence}.", fields=[FieldProblem("studyId", sentence)]) from error
    study = await queries.lock_study_facts(tx, study_id)
    if study.status == "entered-in-error":
        raise Conflict("The study was entered in error, so it is not reported.")
    return study


async def _must_be_patient_of(tx: Transaction, study: StudyFacts, body: ReportIn) -> None:
    if body.subject is None:
        return
    reference = body.subject.reference or ""
    number = reference.removeprefix("Patient/")
    if not await queries.is_same_patient(tx, study.patient_id, reference, number):
        sentence = "is not the patient of the study"
        raise Conflict(f"subject {sentence}.", fields=[FieldProblem("subject.reference", sentence)])


def _code_of(body: ReportIn, study: StudyFacts) -> dict[str, Any]:
    if body.code is not None:
        return body.code.as_json()
    if study.procedure_code:
        return study.procedure_code[0]
    sentence = "is required, because the study names no procedure"
    raise Unprocessable(f"code {sentence}.", fields=[FieldProblem("code", sentence)])


def _columns(
    app: App, actor: Actor, body: ReportIn, study: StudyFacts, code: dict[str, Any], warnings: list[CodingWarning]
) -> dict[str, Any]:
    effective, told = (
        (study.started, [])
        if body.effectiveDateTime is None
        else read_moment(body.effectiveDateTime, app.settings.zone, "effectiveDateTime")
    )
    sections = model.sections_of({**_facts(study), **_given(body)})
    if body.status == Status.PRELIMINARY:
        model.check(sections, final=False)
    said = [*(warning.as_json() for warning in (*warnings, *told)), *model.empty_required(sections)]
    performer, interpreter = body.performer, body.resultsInterpreter
    return {
        "id": uuid7(),
        "study_id": study.id,
        "patient_id": study.patient_id,
        "encounter_id": (body.encounter.reference if body.encounter else None) or study.encounter_id,
        "status": body.status,
        "category": as_json(_categories(body.category)),
        "code": as_json(code),
        "effective_date_time": effective,
        "performer": as_json(performer and [each.model_dump(exclude_none=True) for each in performer]),
        "results_interpreter": as_json(interpreter and [each.model_dump(exclude_none=True) for each in interpreter]),
        **{name: getattr(body, name) for name in model.TEXTS},
        "sections": as_json(sections),
        "warnings": as_json(said),
        "author": actor.id,
        "metadata": as_json({"contributors": _with([], actor)}),
    }


def _categories(given: list[CodeableConcept]) -> list[dict[str, Any]]:
    """What was sent, with its system added where it is known, and the service section RAD (v2-0074)."""
    concepts = [concept.as_json() for concept in given] or [{"coding": [{"code": "imaging"}]}]
    for coding in (coding for concept in concepts for coding in concept.get("coding", ())):
        if coding["code"] == "imaging":
            coding.setdefault("system", OBSERVATION_CATEGORY)
    if not any(coding["code"] == "RAD" for concept in concepts for coding in concept.get("coding", ())):
        concepts.append({"coding": [{"system": DIAGNOSTIC_SERVICE, "code": "RAD", "display": "Radiology"}]})
    return concepts


def _facts(study: StudyFacts) -> dict[str, str]:
    """What is known; nothing is made up where nothing is known."""
    name = display_name(study.patient_name.partition("=")[0]) or study.patient_reference
    parts = [f"Patient: {name}"]
    parts += [f"Hospital number: {study.hospital_number}"] if study.hospital_number else []
    parts += [f"Sex: {study.patient_sex}"] if study.patient_sex else []
    parts += [f"Born: {study.patient_birth_date}"] if study.patient_birth_date else []
    reasons = [text for reason in study.reason_code or [] if (text := _shown(reason))]
    return {
        "patient_info": ", ".join(parts),
        "clinical_info": f"Indication: {', '.join(reasons)}" if reasons else "",
    }


def _shown(concept: Mapping[str, Any]) -> str:
    codings: list[dict[str, Any]] = concept.get("coding") or []
    return concept.get("text") or next((coding["display"] for coding in codings if coding.get("display")), "")


def _given(body: Texts) -> dict[str, str]:
    """Texts by section; those that were left out are not in it."""
    texts = {name: getattr(body, name) for name in model.TEXTS}
    texts["clinical_info"] = body.clinicalInformation
    return {name: text for name, text in texts.items() if text is not None}


def _with_texts(sections: list[dict[str, Any]], body: ReportEdit) -> list[dict[str, Any]]:
    given = _given(body)
    return [{**section, "text": given.get(section["id"], section["text"])} for section in sections]


def _with(contributors: list[dict[str, str]], actor: Actor) -> list[dict[str, str]]:
    others = [each for each in contributors if each["id"] != actor.id]
    return [*others, {"id": actor.id, "role": actor.role}]


async def _checked(report: Report) -> list[dict[str, str]]:
    if report.status == Status.PRELIMINARY:
        model.check(report.sections, final=False)
    return model.empty_required(report.sections)


async def _locked(
    tx: Transaction, actor: Actor, name: str, version: int | None, *, also_unsigned: bool = False
) -> Report:
    report_id = await queries.resolve(tx, name, visible_to=actor.beyond_reading, also_unsigned=also_unsigned)
    report = await queries.load_report(tx, report_id, lock=True)
    _must_have_version(report, version)
    return report


def _must_have_version(report: Report, version: int | None) -> None:
    if version is not None and version != report.version:
        raise StaleVersion(f"The report has version {report.version} by now. Read it again and decide anew.")


async def _add_version(tx: Transaction, report: Report, *, at: datetime) -> None:
    """Every presented version joins the chain; its hash covers the hash before it."""
    previous = await queries.last_hash(tx, report.id)
    content = model.content_of(report, previous)
    await queries.insert_version(
        tx,
        {
            "report_id": report.id,
            "version_no": report.version,
            "status": report.status,
            "content_json": as_json(content),
            "rendered_text": model.text_of(report),
            "sha256": model.hash_of(content),
            "prev_sha256": previous,
            "author_ids": [contributor["id"] for contributor in report.contributors],
            "approver_id": report.approver["id"] if report.approver else None,
            "signed_at": at,
        },
    )


def _must_be_approver(actor: Actor, body: Approval) -> None:
    if body.approver is None:
        return
    if body.approver.reference != actor.practitioner_reference:
        mine = actor.practitioner_reference or "an account without a practitioner"
        raise NotPermitted(
            f"approver must be who is signed in, which is {mine}.",
            fields=[FieldProblem("approver.reference", f"must be {mine}, or be left out")],
        )


def _check_issued(app: App, body: Approval, now: datetime) -> None:
    if body.issued is None:
        return
    issued, _ = read_moment(body.issued, app.settings.zone, "issued")
    if abs(issued - now) > CLOCKS_DIFFER:
        sentence = f"must be within 5 minutes of the server's time, {now.astimezone(app.settings.zone).isoformat()}"
        raise Unprocessable(
            f"issued {sentence}. Leave it out: the server sets it.", fields=[FieldProblem("issued", sentence)]
        )


def _is_repeated(report: Report, actor: Actor, body: Approval, app: App, now: datetime) -> bool:
    """Whether this approval was done already. Raises TransitionRefused where another one was."""
    if report.status not in model.SIGNED:
        return False
    same = report.status == Status.FINAL and report.approver is not None and report.approver["id"] == actor.id
    if same and body.issued is not None and report.issued is not None:
        issued, _ = read_moment(body.issued, app.settings.zone, "issued")
        same = min(abs(issued - report.issued), abs(issued - now)) <= CLOCKS_DIFFER
    if not same:
        raise TransitionRefused("The report is signed already, and what is signed is never changed.")
    return True


def _check_second_person(actor: Actor, report: Report) -> None:
    """Two-person rule `trainee`: what a resident wrote is approved by a radiologist or consultant who is another."""
    by_resident = [each for each in report.contributors if each.get("role") == Role.RESIDENT]
    if any(each["id"] == actor.id for each in by_resident):
        raise NotPermitted("Whoever wrote as a resident cannot approve the same report.")
    if by_resident and actor.role not in MAY_SUPERVISE:
        raise NotPermitted("A resident's report is approved by a radiologist or a consultant.")


def must_be_settled(report: Report) -> None:
    """Raises Conflict where it is not sure whose images a report is about, or which order they were made for."""
    if report.study_status == "entered-in-error":
        raise Conflict("The study was entered in error.")
    for flag, sentence in _UNSETTLED_FLAGS.items():
        if flag in report.study_flags:
            raise Conflict(sentence)
    if report.study_match in UNSETTLED:
        which = "no order was found for it" if report.study_match == MatchKind.NONE else "its order is a guess"
        raise Conflict(f"The study must be confirmed in the reconciliation worklist first: {which}.")


def _event(report: Report) -> dict[str, Any]:
    return {
        "facility_code": report.facility_code,
        "report_id": str(report.id),
        "study_id": str(report.study_id),
        "version": report.version,
        "status": report.status,
    }
