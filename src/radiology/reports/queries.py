"""SQL of reports. Bodies come out of PostgreSQL as finished JSON."""
# ruff: noqa: S608 - every piece is a literal and every value a parameter; the type checker proves it by LiteralString.

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, LiteralString
from uuid import UUID

from radiology.access.model import RELEASED_AFTER_HOURS, Actor, Role
from radiology.errors import NotFound
from radiology.kit import pages
from radiology.kit.db import Transaction, Where, as_json
from radiology.kit.ids import uuid_of
from radiology.reports.model import Report, SignedVersion
from radiology.reports.outdated.model import OUTDATED
from radiology.studies.queries.read import Shown, either_form

READERS_OF_SIGNED_ONLY = frozenset({Role.REFERRER, Role.RADIOGRAPHER, Role.PATIENT})

BODY: LiteralString = (
    """json_strip_nulls(json_build_object(
        'id', report.id, 'reportId', report.report_id, 'version', report.version, 'studyId', study.study_id,
        'studyInstanceUID', study.study_instance_uid, 'status', report.status, 'category', report.category,
        'code', report.code,
        'subject', json_build_object('reference', patient.reference, 'display', nullif(patient.patient_name, '')),
        'registeredAtSigning', report.metadata->'registeredAtSigning',
        'encounter', CASE WHEN report.encounter_id IS NOT NULL
            THEN json_build_object('reference', report.encounter_id) END,
        'effectiveDateTime', report.effective_date_time, 'issued', report.issued, 'performer', report.performer,
        'resultsInterpreter', CASE jsonb_array_length(report.results_interpreter)
            WHEN 1 THEN report.results_interpreter->0 ELSE report.results_interpreter END,
        'findings', report.findings, 'impression', report.impression, 'recommendation', report.recommendation,
        'comparison', report.comparison, 'technique', report.technique,
        'sections', report.sections, 'warnings', report.warnings,
        'outdated', """
    + OUTDATED
    + """,
        'approver', report.approver, 'selfApproved', report.self_approved,
        'createdAt', report.created_at, 'updatedAt', report.updated_at
    ))"""
)

MASKED_BODY: LiteralString = """json_build_object(
        'id', report.id, 'reportId', report.report_id, 'masked', true,
        'date', (report.created_at AT TIME ZONE %(zone)s)::date
    )"""
"""What a list shows of a report whose study is masked."""

SIGNED: LiteralString = "report.status IN ('final', 'amended', 'corrected', 'appended')"


@dataclass(frozen=True, slots=True)
class StudyFacts:
    """What a report takes from its study."""

    id: UUID
    study_id: str
    facility_code: str
    status: str
    patient_id: UUID
    patient_reference: str
    patient_name: str
    patient_sex: str
    patient_birth_date: str
    hospital_number: str
    encounter_id: str | None
    started: datetime | None
    procedure_code: list[dict[str, Any]] | None
    reason_code: list[dict[str, Any]] | None
    modalities: list[str]


async def lock_study_facts(tx: Transaction, study_id: UUID) -> StudyFacts:
    """The study of a new report, locked: two reports of one procedure are never begun at once."""
    return await tx.one(
        StudyFacts,
        """
        SELECT study.id, study.study_id, study.facility_code, study.status, study.patient_id,
            patient.reference AS patient_reference, patient.patient_name, patient.sex AS patient_sex,
            patient.birth_date AS patient_birth_date, patient.patient_id AS hospital_number, study.encounter_id,
            study.started, study.procedure_code, study.reason_code, study.modalities_in_study AS modalities
        FROM imaging_studies AS study
        JOIN patients AS patient ON patient.id = study.patient_id
        WHERE study.id = %(study_id)s
        FOR NO KEY UPDATE OF study
        """,
        study_id=study_id,
    )


async def is_same_patient(tx: Transaction, patient_id: UUID, reference: str, hospital_number: str) -> bool:
    """Whether `Patient/<id>` means this patient: by reference, by our id, or by hospital number."""
    return await tx.value(
        """
        SELECT count(*) > 0
        FROM patients
        WHERE id = %(patient_id)s
          AND (reference = %(reference)s OR 'Patient/' || id = %(reference)s
            OR (patient_id <> '' AND patient_id = %(hospital_number)s))
        """,
        patient_id=patient_id,
        reference=reference,
        hospital_number=hospital_number,
    )


async def open_report_of(tx: Transaction, study_id: UUID, code: Mapping[str, Any]) -> str | None:
    """The reportId of an open report of the same study and procedure."""
    codings: list[dict[str, Any]] = code.get("coding") or []
    return await tx.value(
        """
        SELECT report_id
        FROM radiology_reports
        WHERE study_id = %(study_id)s
          AND status IN ('registered', 'partial', 'preliminary')
          AND (code->'coding'->0->>'code' = ANY(%(codes)s) OR (%(no_code)s AND code->>'text' = %(text)s))
        LIMIT 1
        """,
        study_id=study_id,
        codes=[coding["code"] for coding in codings],
        no_code=not codings,
        text=code.get("text", ""),
    )


async def insert_report(tx: Transaction, columns: Mapping[str, Any]) -> str:
    """Add a report; returns its reportId."""
    return await tx.value(
        """
        INSERT INTO radiology_reports (id, study_id, patient_id, encounter_id, status, category, code,
            effective_date_time, performer, results_interpreter, findings, impression, recommendation, comparison,
            technique, sections, warnings, author, metadata)
        VALUES (%(id)s, %(study_id)s, %(patient_id)s, %(encounter_id)s, %(status)s, %(category)s, %(code)s,
            %(effective_date_time)s, %(performer)s, %(results_interpreter)s, %(findings)s, %(impression)s,
            %(recommendation)s, %(comparison)s, %(technique)s, %(sections)s, %(warnings)s, %(author)s, %(metadata)s)
        RETURNING report_id
        """,
        **columns,
    )


async def resolve(tx: Transaction, report: str, *, visible_to: Actor, also_unsigned: bool = False) -> UUID:
    """The id of a report by its id or reportId. Raises NotFound, and SensitiveStudy where only its date is shown.

    `also_unsigned` finds what the reader must not read yet: who says so must not show it.
    """
    reach, where = visible_to.reach, Where()
    where.add("(report.id = {id} OR report.report_id = {report_id})", id=uuid_of(report), report_id=report[:50])
    reach.add_to(where, "study", also_masked=visible_to.is_shown_masked)
    if not also_unsigned:
        _add_signed(where, visible_to)
    found = await tx.maybe(
        Shown,
        "SELECT report.id, NOT "
        + reach.seen(where, "study")
        + """ AS is_masked, NOT 'S4' = ANY(study.sensitive_classes) AS may_be_opened
        FROM radiology_reports AS report
        JOIN imaging_studies AS study ON study.id = report.study_id
        WHERE """
        + where.condition,
        **where.parameters,
    )
    if found is None:
        raise NotFound("There is no such report. Name it by id or reportId.")
    if found.is_masked:
        raise found.refusal(visible_to)
    return found.id


def _add_signed(where: Where, reader: Actor) -> None:
    """Some read signed reports only, and patients those of their own that were released."""
    if reader.role in READERS_OF_SIGNED_ONLY:
        where.add(SIGNED)
    if reader.role == Role.PATIENT:
        where.add("report.issued <= now() - make_interval(hours => {hours})", hours=RELEASED_AFTER_HOURS)


async def report_body(tx: Transaction, report_id: UUID, *, zone: str) -> bytes:
    """A report that was resolved, as JSON."""
    return await tx.json(
        """
        WITH shown AS MATERIALIZED (SELECT set_config('TimeZone', %(zone)s, true))
        SELECT """
        + BODY
        + """::text
        FROM shown, radiology_reports AS report
        JOIN imaging_studies AS study ON study.id = report.study_id
        JOIN patients AS patient ON patient.id = report.patient_id
        WHERE report.id = %(report_id)s
        """,
        report_id=report_id,
        zone=zone,
    )


async def load_report(tx: Transaction, report_id: UUID, *, lock: bool = False) -> Report:
    """A report that was resolved; `lock` keeps it from all others until the transaction ends."""
    if lock:
        await tx.run("SELECT FROM radiology_reports WHERE id = %(id)s FOR NO KEY UPDATE", id=report_id)
    return await tx.one(
        Report,
        """
        SELECT report.id, report.report_id, report.study_id, study.study_instance_uid,
            study.status AS study_status, study.flags AS study_flags,
            study.match AS study_match, study.modalities_in_study AS modalities,
            study.facility_code, study.accession_number, patient.reference AS patient_reference, report.status,
            report.version, report.category, report.code, report.sections, report.author,
            coalesce(report.metadata->'contributors', '[]') AS contributors, report.approver, report.issued
        FROM radiology_reports AS report
        JOIN imaging_studies AS study ON study.id = report.study_id
        JOIN patients AS patient ON patient.id = report.patient_id
        WHERE report.id = %(report_id)s
        """,
        report_id=report_id,
    )


async def save_edit(tx: Transaction, report: Report, *, warnings: list[dict[str, str]]) -> None:
    """New texts of a report that is locked; `report` holds the new version."""
    texts = {section["id"]: section["text"] or None for section in report.sections}
    await tx.run(
        """
        UPDATE radiology_reports
        SET status = %(status)s,
            version = %(version)s,
            findings = %(findings)s,
            impression = %(impression)s,
            recommendation = %(recommendation)s,
            comparison = %(comparison)s,
            technique = %(technique)s,
            sections = %(sections)s,
            warnings = %(warnings)s,
            metadata = jsonb_set(coalesce(metadata, '{}'), '{contributors}', %(contributors)s::jsonb),
            updated_at = now()
        WHERE id = %(id)s
        """,
        id=report.id,
        status=report.status,
        version=report.version,
        findings=texts["findings"],
        impression=texts["impression"],
        recommendation=texts["recommendation"],
        comparison=texts["comparison"],
        technique=texts["technique"],
        sections=as_json(report.sections),
        warnings=as_json(warnings),
        contributors=as_json(report.contributors),
    )


async def save_approval(tx: Transaction, report: Report, *, self_approved: bool) -> None:
    """A report that is locked becomes final; `report` holds the new version."""
    await tx.run(
        """
        UPDATE radiology_reports
        SET status = %(status)s,
            version = %(version)s,
            issued = %(issued)s,
            approver = %(approver)s,
            self_approved = %(self_approved)s,
            updated_at = now()
        WHERE id = %(id)s
        """,
        id=report.id,
        status=report.status,
        version=report.version,
        issued=report.issued,
        approver=as_json(report.approver),
        self_approved=self_approved,
    )


async def last_hash(tx: Transaction, report_id: UUID) -> bytes | None:
    """The hash of the newest version in the chain, None where there is none."""
    return await tx.value(
        "SELECT sha256 FROM report_versions WHERE report_id = %(id)s ORDER BY version_no DESC LIMIT 1", id=report_id
    )


async def insert_version(tx: Transaction, columns: Mapping[str, Any]) -> None:
    """Add a version to the chain."""
    await tx.run(
        """
        INSERT INTO report_versions (report_id, version_no, status, content_json, rendered_text, sha256, prev_sha256,
            author_ids, approver_id, signed_at)
        VALUES (%(report_id)s, %(version_no)s, %(status)s, %(content_json)s, %(rendered_text)s, %(sha256)s,
            %(prev_sha256)s, %(author_ids)s, %(approver_id)s, %(signed_at)s)
        """,
        **columns,
    )


async def chain_of(tx: Transaction, report_id: UUID) -> list[SignedVersion]:
    """All versions of a report that was resolved, oldest first."""
    return await tx.all(
        SignedVersion,
        """
        SELECT version_no, status, content_json, sha256, prev_sha256
        FROM report_versions
        WHERE report_id = %(id)s
        ORDER BY version_no
        """,
        id=report_id,
    )


async def versions_body(
    tx: Transaction, report_id: UUID, *, zone: str, visible_to: Actor, version: int | None = None
) -> bytes:
    """Versions of a report that was resolved, or one of them, as a JSON array."""
    return await tx.json(
        """
        WITH shown AS MATERIALIZED (SELECT set_config('TimeZone', %(zone)s, true))
        SELECT coalesce(json_agg(json_build_object(
            'version', version_no, 'status', status, 'sha256', encode(sha256, 'hex'),
            'prevSha256', encode(prev_sha256, 'hex'), 'authors', author_ids, 'approver', approver_id,
            'signedAt', signed_at, 'content', content_json
        ) ORDER BY version_no), '[]')::text
        FROM shown, report_versions AS report
        WHERE report_id = %(id)s
          AND (%(version)s::integer IS NULL OR version_no = %(version)s)
          AND (NOT %(signed_only)s OR """
        + SIGNED
        + """)
        """,
        id=report_id,
        zone=zone,
        version=version,
        signed_only=visible_to.role in READERS_OF_SIGNED_ONLY,
    )


@dataclass(frozen=True, slots=True)
class Criteria:
    """What reports are searched by; all that are given must hold."""

    patient: str | None = None
    study: str | None = None
    status: tuple[str, ...] = ()
    modality: tuple[str, ...] = ()
    accession_number: str | None = None
    from_moment: datetime | None = None
    before_moment: datetime | None = None
    until_moment: datetime | None = None
    limit: int = 50
    cursor: str | None = None


_MOMENT: LiteralString = "report.created_at"
_DAY: LiteralString = "(report.created_at AT TIME ZONE %(zone)s)::date"


async def search_reports(
    tx: Transaction, criteria: Criteria, *, zone: str, visible_to: Actor
) -> tuple[bytes, str | None]:
    """One page as a JSON array, newest first, and the cursor of the page behind it.

    Of a report of a masked study only its id and the day it was begun are shown, which is also its place.
    """
    where, masked = where_of(criteria, visible_to)
    body, moment, order = BODY, _MOMENT, _MOMENT + " DESC"
    if masked is not None:
        moment = _shown_moment(masked)
        body = "CASE WHEN " + masked + " THEN " + MASKED_BODY + " ELSE " + BODY + " END"
        order = _DAY + " DESC, " + moment + " DESC"
    rows = await tx.values(
        """
        WITH shown AS MATERIALIZED (SELECT set_config('TimeZone', %(zone)s, true))
        SELECT json_build_array("""
        + body
        + ", "
        + moment
        + """ AT TIME ZONE 'UTC', report.id)::text
        FROM shown, radiology_reports AS report
        JOIN imaging_studies AS study ON study.id = report.study_id
        JOIN patients AS patient ON patient.id = report.patient_id
        WHERE """
        + where.condition
        + " ORDER BY "
        + order
        + """, report.id DESC
        LIMIT %(limit)s
        """,
        zone=zone,
        limit=criteria.limit + 1,
        **where.parameters,
    )
    return pages.page(rows, limit=criteria.limit)


def _shown_moment(masked: LiteralString) -> LiteralString:
    """When a report was begun; of a masked study the begin of that day."""
    return "(CASE WHEN " + masked + " THEN " + _DAY + "::timestamp AT TIME ZONE %(zone)s ELSE " + _MOMENT + " END)"


def where_of(criteria: Criteria, visible_to: Actor) -> tuple[Where, LiteralString | None]:
    """All criteria as one condition, and the SQL of whether the study is masked; None where none ever is.

    What was entered in error is never listed. A report of a masked study is found by no criterion: none of what they
    ask for is shown of it.
    """
    is_of_one = criteria.patient is not None or criteria.study is not None
    reach = (visible_to if is_of_one else visible_to.beyond_reading).reach
    masks = visible_to.is_shown_masked and not reach.sees_sensitive
    where = Where(["report.status <> 'entered-in-error'"])
    reach.add_to(where, "study", also_masked=masks)
    masked: LiteralString | None = "(NOT " + reach.seen(where, "study") + ")" if masks else None
    _add_signed(where, visible_to)
    if criteria.cursor is not None:
        at, key = pages.read_cursor(criteria.cursor)
        moment = _MOMENT if masked is None else _shown_moment(masked)
        where.add("(" + moment + ", report.id) < ({at}, {key})", at=at, key=key)
    wanted = Where(parameters=where.parameters)
    _add_criteria(wanted, criteria)
    if wanted.clauses:
        where.clauses.extend(wanted.clauses if masked is None else ["NOT " + masked, *wanted.clauses])
    return where, masked


def _add_criteria(where: Where, criteria: Criteria) -> None:
    if criteria.status:
        where.add("report.status = ANY({status})", status=list(criteria.status))
    if criteria.modality:
        where.add("study.modalities_in_study && {modality}::text[]", modality=list(criteria.modality))
    if criteria.accession_number is not None:
        where.add("study.accession_number = {accession}", accession=criteria.accession_number)
    if criteria.patient is not None:
        _add_patient(where, criteria.patient)
    if criteria.study is not None:
        where.add(
            "(study.study_id = {study} OR study.study_instance_uid = {study} OR study.id = {id})",
            study=criteria.study,
            id=uuid_of(criteria.study),
        )
    _add_moments(where, criteria)


def _add_patient(where: Where, patient: str) -> None:
    where.add(
        """report.patient_id IN (
            SELECT surviving_patient(id)
            FROM patients
            WHERE reference = ANY({references}) OR patient_id = {patient_id} OR id = {id}
        )""",
        references=either_form(patient, "Patient"),
        patient_id=patient.removeprefix("Patient/"),
        id=uuid_of(patient.removeprefix("Patient/")),
    )


def _add_moments(where: Where, criteria: Criteria) -> None:
    if criteria.from_moment is not None:
        where.add("report.effective_date_time >= {moment}", moment=criteria.from_moment)
    if criteria.before_moment is not None:
        where.add("report.effective_date_time < {moment}", moment=criteria.before_moment)
    if criteria.until_moment is not None:
        where.add("report.effective_date_time <= {moment}", moment=criteria.until_moment)
