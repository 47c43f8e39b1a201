"""SQL of prefetch."""
# ruff: noqa: S608 - every piece is a literal and every value a parameter; the type checker proves it by LiteralString.

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any, LiteralString
from uuid import UUID

from radiology.access.model import Actor
from radiology.errors import NotFound
from radiology.kit import pages
from radiology.kit.db import Transaction, Where, as_json
from radiology.prefetch.model import Candidate, Choice, Conditions, Rule, Subject
from radiology.standards.dicom.identity import PatientIdentity

_RULES: LiteralString = """
    SELECT id, name, enabled, causes, conditions, sources, destinations, most, not_older_than_days, related_only,
        created_at
    FROM prefetch_rules
    """
_BODY: LiteralString = """json_build_object(
        'id', p.id, 'rule', r.name, 'cause', p.cause, 'studyInstanceUID', p.study_instance_uid, 'state', p.state,
        'sentence', p.sentence, 'attempts', p.attempts, 'causedAt', p.caused_at, 'changedAt', p.changed_at,
        'studies', (
            SELECT coalesce(json_agg(json_build_object('studyInstanceUID', s.study_instance_uid, 'source', s.source,
                'studyDate', s.study_date, 'modalities', s.modalities, 'description', s.description,
                'score', s.score, 'chosen', s.is_chosen, 'reason', s.reason, 'pull', s.pull_id,
                'pullStatus', l.status, 'moves', s.move_ids) ORDER BY s.place), '[]')
            FROM prefetched_studies AS s
            LEFT JOIN pulls AS l ON l.id = s.pull_id
            WHERE s.prefetch_id = p.id
        ))"""


@dataclass(frozen=True, slots=True)
class Prefetch:
    """One prefetch, locked for a change."""

    id: UUID
    rule_id: UUID
    state: str
    attempts: int
    subject: Subject


@dataclass(frozen=True, slots=True)
class Chosen:
    """A study that was chosen. `pull_status` is None where it is here."""

    study_instance_uid: str
    source: str
    pull_status: str | None


# Rules


async def rules(tx: Transaction) -> list[Rule]:
    """All rules by name."""
    return [_with_conditions(rule) for rule in await tx.all(Rule, _RULES + "ORDER BY name")]


async def rule(tx: Transaction, id: UUID) -> Rule:
    """One rule. Raises NotFound."""
    found = await tx.maybe(Rule, _RULES + "WHERE id = %(id)s", id=id)
    if found is None:
        raise NotFound("There is no such prefetch rule.")
    return _with_conditions(found)


def _with_conditions(rule: Rule) -> Rule:
    stored: dict[str, Any] = asdict(rule)["conditions"]
    return replace(rule, conditions=Conditions(**stored))


async def save_rule(tx: Transaction, rule: Rule) -> None:
    """Add a rule, or change it."""
    columns = {name: getattr(rule, name) for name in Rule.__slots__} | {"conditions": as_json(asdict(rule.conditions))}
    await tx.run(
        """
        INSERT INTO prefetch_rules (id, name, enabled, causes, conditions, sources, destinations, most,
            not_older_than_days, related_only, created_at)
        VALUES (%(id)s, %(name)s, %(enabled)s, %(causes)s, %(conditions)s, %(sources)s, %(destinations)s, %(most)s,
            %(not_older_than_days)s, %(related_only)s, %(created_at)s)
        ON CONFLICT (id) DO UPDATE
        SET name = excluded.name,
            enabled = excluded.enabled,
            causes = excluded.causes,
            conditions = excluded.conditions,
            sources = excluded.sources,
            destinations = excluded.destinations,
            most = excluded.most,
            not_older_than_days = excluded.not_older_than_days,
            related_only = excluded.related_only
        """,
        **columns,
    )


async def has_name(tx: Transaction, name: str, *, other_than: UUID) -> bool:
    """Whether another rule has this name."""
    return await tx.value(
        "SELECT EXISTS (SELECT FROM prefetch_rules WHERE name = %(name)s AND id <> %(id)s)", name=name, id=other_than
    )


async def remove_rule(tx: Transaction, id: UUID) -> bool:
    """Forget a rule with what it did. False where there is none."""
    return bool(await tx.run("DELETE FROM prefetch_rules WHERE id = %(id)s", id=id))


# Subjects


async def arrived(tx: Transaction, study_id: UUID) -> Subject | None:
    """A study that has images; None for one that was fetched itself."""
    return await tx.maybe(
        Subject,
        """
        SELECT s.study_instance_uid, s.facility_code, s.dicom_patient_id AS patient_id, s.issuer_of_patient_id,
            s.patient_name, s.patient_birth_date AS birth_date, s.patient_sex AS sex,
            s.modalities_in_study AS modalities, s.procedure_codes,
            concat_ws(' ', s.study_description, (
                SELECT string_agg(DISTINCT coalesce(e.dicom->'00180015'->'Value'->>0, e.body_site->>'text'), ' ')
                FROM imaging_series AS e WHERE e.study_id = s.id)) AS description,
            coalesce(to_char(s.study_date, 'YYYYMMDD'), '') AS study_date
        FROM imaging_studies AS s
        WHERE s.id = %(study_id)s
          AND NOT EXISTS (SELECT FROM pulls AS p WHERE p.study_instance_uid = s.study_instance_uid)
          AND NOT EXISTS (SELECT FROM takeover_studies AS t WHERE t.study_instance_uid = s.study_instance_uid)
        """,
        study_id=study_id,
    )


async def scheduled(tx: Transaction, step_id: UUID) -> Subject | None:
    """A study that a modality is to make."""
    return await tx.maybe(
        Subject,
        """
        SELECT study_instance_uid, facility_code, patient_id, issuer_of_patient_id, patient_name,
            replace(coalesce(details->'patient'->>'birthDate', ''), '-', '') AS birth_date,
            coalesce(details->'patient'->>'sex', '') AS sex, ARRAY[modality] AS modalities,
            ARRAY(SELECT code->>'code' FROM jsonb_array_elements(
                coalesce(details->'requestedProcedureCode', '[]')) AS code) AS procedure_codes,
            coalesce(details->>'requestedProcedure', '') AS description, '' AS study_date
        FROM scheduled_procedure_steps
        WHERE id = %(step_id)s
        """,
        step_id=step_id,
    )


async def local_candidates(tx: Transaction, subject: Subject) -> list[Candidate]:
    """The studies of this Patient ID that are here, with images."""
    found = await tx.all(
        _Local,
        """
        SELECT s.study_instance_uid, s.dicom_patient_id AS patient_id, s.issuer_of_patient_id AS issuer,
            s.patient_name AS name, s.patient_birth_date AS birth_date, s.patient_sex AS sex,
            coalesce(to_char(s.study_date, 'YYYYMMDD'), '') AS study_date, s.modalities_in_study AS modalities,
            coalesce(s.study_description, '') AS description, s.number_of_instances AS instances
        FROM imaging_studies AS s
        WHERE s.dicom_patient_id = %(patient_id)s AND s.findable
        """,
        patient_id=subject.patient_id,
    )
    return [each.candidate() for each in found]


@dataclass(frozen=True, slots=True)
class _Local:
    study_instance_uid: str
    patient_id: str
    issuer: str
    name: str
    birth_date: str
    sex: str
    study_date: str
    modalities: list[str]
    description: str
    instances: int

    def candidate(self) -> Candidate:
        patient = PatientIdentity(self.patient_id, self.issuer, self.name, self.birth_date, self.sex)
        return Candidate(
            self.study_instance_uid, "", patient, self.study_date, self.modalities, self.description, self.instances
        )


# Prefetches


async def place(tx: Transaction, id: UUID, rule: Rule, cause: str, subject: Subject, *, at: datetime) -> bool:
    """A new prefetch, waiting. False where the rule has had this study already."""
    return bool(
        await tx.run(
            """
            INSERT INTO prefetches (id, rule_id, cause, study_instance_uid, facility_code, subject, caused_at)
            VALUES (%(id)s, %(rule_id)s, %(cause)s, %(study_instance_uid)s, %(facility_code)s, %(subject)s, %(at)s)
            ON CONFLICT DO NOTHING
            """,
            id=id,
            rule_id=rule.id,
            cause=cause,
            study_instance_uid=subject.study_instance_uid,
            facility_code=subject.facility_code,
            subject=as_json(asdict(subject)),
            at=at,
        )
    )


async def take(tx: Transaction, id: UUID) -> Prefetch | None:
    """A prefetch, locked for a change; None where there is none."""
    found = await tx.maybe(
        Prefetch, "SELECT id, rule_id, state, attempts, subject FROM prefetches WHERE id = %(id)s FOR UPDATE", id=id
    )
    if found is None:
        return None
    stored: dict[str, Any] = asdict(found)["subject"]
    return replace(found, subject=Subject(**stored))


async def change(tx: Transaction, id: UUID, *, state: str, attempts: int, sentence: str) -> None:
    """Another state, and the sentence that says why."""
    await tx.run(
        """
        UPDATE prefetches
        SET state = %(state)s, attempts = %(attempts)s, sentence = %(sentence)s, changed_at = now()
        WHERE id = %(id)s
        """,
        id=id,
        state=state,
        attempts=attempts,
        sentence=sentence,
    )


async def save_choices(tx: Transaction, id: UUID, choices: Sequence[Choice]) -> None:
    """What was found and chosen, instead of what was found before; pulls and moves that were begun stay."""
    await tx.run("DELETE FROM prefetched_studies WHERE prefetch_id = %(id)s AND pull_id IS NULL", id=id)
    for place, choice in enumerate(choices):
        await tx.run(
            """
            INSERT INTO prefetched_studies (prefetch_id, study_instance_uid, place, source, study_date, modalities,
                description, score, is_chosen, reason)
            VALUES (%(id)s, %(uid)s, %(place)s, %(source)s, %(study_date)s, %(modalities)s, %(description)s,
                %(score)s, %(is_chosen)s, %(reason)s)
            ON CONFLICT DO NOTHING
            """,
            id=id,
            uid=choice.candidate.study_instance_uid,
            place=place,
            source=choice.candidate.source,
            study_date=choice.candidate.study_date,
            modalities=choice.candidate.modalities,
            description=choice.candidate.description,
            score=choice.score,
            is_chosen=choice.is_chosen,
            reason=choice.reason,
        )


async def chosen(tx: Transaction, id: UUID) -> list[Chosen]:
    """What was chosen, the most relevant first."""
    return await tx.all(
        Chosen,
        """
        SELECT s.study_instance_uid, s.source, l.status AS pull_status
        FROM prefetched_studies AS s
        LEFT JOIN pulls AS l ON l.id = s.pull_id
        WHERE s.prefetch_id = %(id)s AND s.is_chosen
        ORDER BY s.place
        """,
        id=id,
    )


async def save_pull(tx: Transaction, id: UUID, study_instance_uid: str, pull_id: UUID) -> None:
    """A chosen study is being fetched by this pull."""
    await tx.run(
        "UPDATE prefetched_studies SET pull_id = %(pull_id)s "
        "WHERE prefetch_id = %(id)s AND study_instance_uid = %(uid)s",
        id=id,
        uid=study_instance_uid,
        pull_id=pull_id,
    )


async def save_move(tx: Transaction, id: UUID, study_instance_uid: str, move_id: UUID) -> None:
    """A chosen study is being sent by this move."""
    await tx.run(
        "UPDATE prefetched_studies SET move_ids = move_ids || %(move_id)s "
        "WHERE prefetch_id = %(id)s AND study_instance_uid = %(uid)s",
        id=id,
        uid=study_instance_uid,
        move_id=move_id,
    )


async def page_of(
    tx: Transaction, *, study_instance_uid: str | None, limit: int, cursor: str | None, visible_to: Actor
) -> tuple[bytes, str | None]:
    """Prefetches, newest first, and the cursor of the page behind."""
    where = Where(["true"])
    visible_to.staff_reach.add_to_row(where, facility="p.facility_code", uid="p.study_instance_uid")
    if study_instance_uid is not None:
        where.add("p.study_instance_uid = {uid}", uid=study_instance_uid)
    if cursor is not None:
        moment, before = pages.read_cursor(cursor)
        where.add("(p.caused_at, p.id) < ({moment}, {before})", moment=moment, before=before)
    statement: LiteralString = (
        "SELECT json_build_array("
        + _BODY
        + ", p.caused_at AT TIME ZONE 'UTC', p.id)::text FROM prefetches AS p "
        + "JOIN prefetch_rules AS r ON r.id = p.rule_id WHERE "
    )
    rows = await tx.values(
        statement + where.condition + " ORDER BY p.caused_at DESC, p.id DESC LIMIT %(rows)s",
        rows=limit + 1,
        **where.parameters,
    )
    return pages.page(rows, limit=limit)
