"""SQL of rules, of what they look at, and of labels."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, LiteralString
from uuid import UUID

from radiology.kit.db import Transaction, as_json
from radiology.sensitivity.evidence import (
    evidence_of_attributes,
    evidence_of_concepts,
    evidence_of_scheduled,
    from_stored,
)
from radiology.sensitivity.model import Evidence, Label, Marks, Rule

LOCK: LiteralString = "SELECT pg_advisory_xact_lock_shared(hashtext('sensitivity rules'))"
LOCK_FOR_CHANGE: LiteralString = "SELECT pg_advisory_xact_lock(hashtext('sensitivity rules'))"

RULES: LiteralString = """
    SELECT coalesce(json_agg(json_build_object('id', id, 'sensitive_class', sensitive_class, 'kind', kind,
        'system', system, 'value', value, 'display', display, 'policy', policy, 'modalities', modalities,
        'with_words', with_words, 'enabled', enabled, 'version', version) ORDER BY id), '[]')::text
    FROM sensitivity_rules
"""
"""The rules of the hospital as one text, so that what was made of it can be remembered by it."""

FACTS: LiteralString = """
    SELECT s.id, s.study_instance_uid, s.facility_code, s.sensitive_classes, s.sensitivity_policies,
        s.confidentiality, s.modalities_in_study, s.procedure_code, s.reason_code, s.reason_reference,
        s.study_description, s.location->>'display' AS location, s.flags, s.dicom,
        coalesce(m.raised, '{}') AS raised, coalesce(m.cleared, '{}') AS cleared, coalesce(m.at_least, 'N') AS at_least,
        EXISTS (
            SELECT FROM patient_restrictions AS r WHERE r.patient_id = s.patient_id AND r.ended_at IS NULL
        ) AS restricted,
        ARRAY(
            SELECT e.sensitivity_evidence FROM imaging_series AS e
            WHERE e.study_id = s.id AND e.sensitivity_evidence <> '{}'
        ) AS series,
        ARRAY(
            SELECT p.details FROM scheduled_procedure_steps AS p
            WHERE p.study_instance_uid = s.study_instance_uid AND p.status <> 'CANCELED'
        ) AS scheduled
    FROM imaging_studies AS s
    LEFT JOIN study_marks AS m ON m.study_id = s.id
    WHERE s.id = ANY(%(ids)s)
"""

SAVE_LABELS: LiteralString = """
    WITH changed AS (
        SELECT id, classes, policies, confidentiality
        FROM jsonb_to_recordset(%(labels)s::jsonb)
            AS label (id uuid, classes text[], policies text[], confidentiality text)
    ), noted AS (
        INSERT INTO study_labellings (study_id, cause, from_classes, to_classes, from_confidentiality,
            to_confidentiality, actor, reason)
        SELECT s.id, %(cause)s, s.sensitive_classes, changed.classes, s.confidentiality, changed.confidentiality,
            %(actor)s, %(reason)s
        FROM changed
        JOIN imaging_studies AS s USING (id)
    )
    UPDATE imaging_studies
    SET sensitive_classes = changed.classes,
        sensitivity_policies = changed.policies,
        confidentiality = changed.confidentiality,
        version = version + 1,
        updated_at = now()
    FROM changed
    WHERE imaging_studies.id = changed.id
"""


@dataclass(frozen=True, slots=True)
class StudyFacts:
    """All of a study that decides its label, and the label that it has."""

    id: UUID
    study_instance_uid: str
    facility_code: str
    sensitive_classes: list[str]
    sensitivity_policies: list[str]
    confidentiality: str
    modalities_in_study: list[str]
    procedure_code: Any
    reason_code: Any
    reason_reference: Any
    study_description: str | None
    location: str | None
    flags: list[str]
    dicom: Mapping[str, Any]
    raised: list[str]
    cleared: list[str]
    at_least: str
    restricted: bool
    series: list[Mapping[str, Any]]
    scheduled: list[Mapping[str, Any]]

    @property
    def label(self) -> Label:
        """The label that it has."""
        return Label(tuple(self.sensitive_classes), tuple(self.sensitivity_policies), self.confidentiality)

    @property
    def marks(self) -> Marks:
        """What people said of it."""
        return Marks(frozenset(self.raised), frozenset(self.cleared), self.at_least)

    @property
    def evidence(self) -> Evidence:
        """What rules look at: of the order, of the worklist, of the study and of all its series."""
        own = Evidence(
            modalities=frozenset(self.modalities_in_study),
            flags=frozenset(self.flags),
            procedure_texts=frozenset(filter(None, [self.study_description])),
            departments=frozenset(filter(None, [self.location])),
        )
        found = own | evidence_of_concepts(self.procedure_code, self.reason_code, self.reason_reference)
        found |= evidence_of_attributes(self.dicom)
        for stored in self.series:
            found |= from_stored(stored)
        for details in self.scheduled:
            found |= evidence_of_scheduled(details)
        return found


# Rules


async def lock_for_change(tx: Transaction) -> None:
    """Let nobody label while a rule or a restriction changes: who labels behind it sees the change."""
    await tx.run(LOCK_FOR_CHANGE)


async def save_rule(tx: Transaction, rule: Rule) -> None:
    """Add a rule of the hospital, or change it."""
    await tx.run(
        """
        INSERT INTO sensitivity_rules (id, sensitive_class, kind, system, value, display, policy, modalities,
            with_words, enabled, version)
        VALUES (%(id)s, %(sensitive_class)s, %(kind)s, %(system)s, %(value)s, %(display)s, %(policy)s, %(modalities)s,
            %(with_words)s, %(enabled)s, %(version)s)
        ON CONFLICT (id) DO UPDATE
        SET sensitive_class = excluded.sensitive_class, kind = excluded.kind, system = excluded.system,
            value = excluded.value, display = excluded.display, policy = excluded.policy,
            modalities = excluded.modalities, with_words = excluded.with_words, enabled = excluded.enabled,
            version = excluded.version
        """,
        **asdict(rule),
    )


async def next_version(tx: Transaction, rule_id: UUID) -> int:
    """The number of the next version of a rule; the first is 1."""
    return await tx.value(
        "SELECT coalesce(max(version), 0) + 1 FROM sensitivity_rule_versions WHERE rule_id = %(rule_id)s",
        rule_id=rule_id,
    )


async def save_version(
    tx: Transaction, rule_id: UUID, *, version: int, body: Mapping[str, Any], actor: str, at: datetime
) -> None:
    """Keep what a rule was changed to, by whom; `{}` where it was removed. The state of all rules goes up."""
    await tx.run(
        """
        INSERT INTO sensitivity_rule_versions (rule_id, version, body, changed_by, changed_at)
        VALUES (%(rule_id)s, %(version)s, %(body)s, %(actor)s, %(at)s)
        """,
        rule_id=rule_id,
        version=version,
        body=as_json(dict(body)),
        actor=actor,
        at=at,
    )
    await tx.run("UPDATE sensitivity_state SET version = version + 1")


async def versions_body(tx: Transaction, rule_id: UUID) -> bytes:
    """Every version of a rule, oldest first, as a JSON array."""
    return await tx.json(
        """
        SELECT coalesce(json_agg(json_build_object('version', version, 'body', body, 'changedBy', changed_by,
            'changedAt', changed_at) ORDER BY version), '[]')::text
        FROM sensitivity_rule_versions
        WHERE rule_id = %(rule_id)s
        """,
        rule_id=rule_id,
    )


async def note_shipped(tx: Transaction, digest: str) -> bool:
    """Remember with which rules of the service studies are labelled. False where they are the same as before."""
    return bool(
        await tx.run(
            "UPDATE sensitivity_state SET shipped_sha256 = %(digest)s WHERE shipped_sha256 <> %(digest)s",
            digest=digest,
        )
    )


# Labels


async def facts(tx: Transaction, ids: Sequence[UUID]) -> list[StudyFacts]:
    """What decides the labels of these studies."""
    return await tx.all(StudyFacts, FACTS, ids=list(ids))


def labels_parameter(labels: Mapping[UUID, Label]) -> Any:
    """Labels by study, as SAVE_LABELS takes them."""
    return as_json([{"id": str(study_id), **asdict(label)} for study_id, label in labels.items()])


async def label_body(tx: Transaction, study_id: UUID) -> bytes:
    """The marks of a study and the history of its label, as JSON."""
    return await tx.json(
        """
        SELECT json_build_object(
            'raised', coalesce(m.raised, '{}'), 'cleared', coalesce(m.cleared, '{}'),
            'atLeast', coalesce(m.at_least, 'N'),
            'history', (
                SELECT coalesce(json_agg(json_build_object('at', l.occurred_at, 'cause', l.cause, 'actor', l.actor,
                    'fromClasses', l.from_classes, 'toClasses', l.to_classes,
                    'fromConfidentiality', l.from_confidentiality, 'toConfidentiality', l.to_confidentiality,
                    'reason', l.reason) ORDER BY l.id), '[]')
                FROM study_labellings AS l
                WHERE l.study_id = s.id
            ))::text
        FROM imaging_studies AS s
        LEFT JOIN study_marks AS m ON m.study_id = s.id
        WHERE s.id = %(study_id)s
        """,
        study_id=study_id,
    )


async def save_marks(tx: Transaction, study_id: UUID, marks: Marks) -> None:
    """What people said of a study."""
    await tx.run(
        """
        INSERT INTO study_marks (study_id, raised, cleared, at_least)
        VALUES (%(study_id)s, %(raised)s, %(cleared)s, %(at_least)s)
        ON CONFLICT (study_id) DO UPDATE
        SET raised = excluded.raised, cleared = excluded.cleared, at_least = excluded.at_least
        """,
        study_id=study_id,
        raised=sorted(marks.raised),
        cleared=sorted(marks.cleared),
        at_least=marks.at_least,
    )
