"""SQL of peer review. `r` is peer_reviews."""
# ruff: noqa: S608 - every piece is a literal and every value a parameter; the type checker proves it by LiteralString.

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any, LiteralString
from uuid import UUID

from radiology.access.model import Actor
from radiology.kit.db import Transaction, Where
from radiology.quality.peer_review.model import Counted, Review

_COLUMNS: LiteralString = """
    r.id, r.report_id, r.study_id, r.facility_code, r.modality, r.reader, r.practitioner, r.involved, r.drawn_for,
    r.final_at, r.state, r.version, r.reviewer, r.claimed_until, r.score, r.comment, r.scored_at, r.counted_score,
    r.decided_by, r.decision_reason, r.counted_at
"""


@dataclass(frozen=True, slots=True)
class Final:
    """A report that became final, and the place that it has among those of its reader."""

    report_id: UUID
    study_id: UUID
    facility_code: str
    modality: str
    reader: str
    practitioner: str
    involved: list[str]
    final_at: datetime
    number: int


@dataclass(frozen=True, slots=True)
class Shown:
    """What a reviewer reads: the report as it was signed, without who signed it."""

    study_instance_uid: str
    modalities: list[str]
    study_description: str | None
    study_date: date | None
    code: dict[str, Any]
    sections: list[dict[str, Any]]


async def final(tx: Transaction, report_id: UUID) -> Final | None:
    """A report by its first final version; None where it has none, or its study is of a facility for tests."""
    return await tx.maybe(
        Final,
        """
        SELECT report.id AS report_id, report.study_id, study.facility_code,
            coalesce(study.modalities_in_study[1], '') AS modality, version.approver_id AS reader,
            coalesce(account.practitioner_reference, '') AS practitioner,
            array_append(version.author_ids, version.approver_id::text) AS involved, version.signed_at AS final_at,
            (
                SELECT count(DISTINCT other.report_id)
                FROM report_versions AS other
                WHERE other.status = 'final'
                  AND other.approver_id = version.approver_id
                  AND (other.signed_at, other.report_id) <= (version.signed_at, version.report_id)
            ) AS number
        FROM radiology_reports AS report
        JOIN imaging_studies AS study ON study.id = report.study_id
        JOIN LATERAL (
            SELECT v.report_id, v.approver_id, v.author_ids, v.signed_at
            FROM report_versions AS v
            WHERE v.report_id = report.id AND v.status = 'final' AND v.approver_id IS NOT NULL
            ORDER BY v.version_no
            LIMIT 1
        ) AS version ON true
        LEFT JOIN accounts AS account ON 'account:' || account.name = version.approver_id
        WHERE report.id = %(report_id)s
          AND study.status <> 'entered-in-error'
          AND NOT EXISTS (SELECT FROM facilities AS f WHERE f.code = study.facility_code AND f.test)
        """,
        report_id=report_id,
    )


async def insert(tx: Transaction, review: Review) -> bool:
    """Add a review. False where the report was drawn before."""
    return bool(
        await tx.run(
            """
            INSERT INTO peer_reviews (id, report_id, study_id, facility_code, modality, reader, practitioner, involved,
                drawn_for, final_at, state)
            VALUES (%(id)s, %(report_id)s, %(study_id)s, %(facility_code)s, %(modality)s, %(reader)s,
                %(practitioner)s, %(involved)s, %(drawn_for)s, %(final_at)s, %(state)s)
            ON CONFLICT (report_id) DO NOTHING
            """,
            id=review.id,
            report_id=review.report_id,
            study_id=review.study_id,
            facility_code=review.facility_code,
            modality=review.modality,
            reader=review.reader,
            practitioner=review.practitioner,
            involved=review.involved,
            drawn_for=review.drawn_for,
            final_at=review.final_at,
            state=review.state,
        )
    )


async def claimable(tx: Transaction, *, now: datetime, limit: int, visible_to: Actor) -> list[Review]:
    """Reviews that this reader may make, the oldest report first, kept from others; none of his or her own reports."""
    where = Where()
    visible_to.staff_reach.add_to(where, "study")
    where.add("NOT ({actor} = ANY(r.involved))", actor=visible_to.id)
    where.add("(r.state = 'waiting' OR (r.state = 'claimed' AND r.claimed_until <= {now}))", now=now)
    statement: LiteralString = (
        "SELECT "
        + _COLUMNS
        + " FROM peer_reviews AS r JOIN imaging_studies AS study ON study.id = r.study_id WHERE "
        + where.condition
        + " ORDER BY r.final_at, r.id LIMIT %(limit)s FOR UPDATE OF r SKIP LOCKED"
    )
    return await tx.all(Review, statement, limit=limit, **where.parameters)


async def claimed_by(tx: Transaction, *, now: datetime, actor: str) -> Review | None:
    """The review that somebody has claimed already."""
    return await tx.maybe(
        Review,
        "SELECT "
        + _COLUMNS
        + """
        FROM peer_reviews AS r
        WHERE r.state = 'claimed' AND r.reviewer = %(actor)s AND r.claimed_until > %(now)s
        ORDER BY r.final_at
        LIMIT 1
        """,
        actor=actor,
        now=now,
    )


async def lock(tx: Transaction, review_id: UUID) -> Review:
    """A review, kept from others. Raises NotFound. Whoever asks looks at whose it is."""
    return await tx.one(
        Review, "SELECT " + _COLUMNS + " FROM peer_reviews AS r WHERE r.id = %(id)s FOR UPDATE", id=review_id
    )


async def save(tx: Transaction, review: Review) -> None:
    """Write a review that is locked."""
    await tx.run(
        """
        UPDATE peer_reviews
        SET state = %(state)s, version = %(version)s, reviewer = %(reviewer)s, claimed_until = %(claimed_until)s,
            score = %(score)s, comment = %(comment)s, scored_at = %(scored_at)s, counted_score = %(counted_score)s,
            decided_by = %(decided_by)s, decision_reason = %(decision_reason)s, counted_at = %(counted_at)s
        WHERE id = %(id)s
        """,
        **asdict(review),
    )


async def shown(tx: Transaction, report_id: UUID, *, visible_to: Actor) -> Shown:
    """The report as it was final first, for who may see its study. Raises NotFound."""
    where = Where()
    where.add("report.id = {report_id}", report_id=report_id)
    visible_to.staff_reach.add_to(where, "study")
    return await tx.one(
        Shown,
        """
        SELECT study.study_instance_uid, study.modalities_in_study AS modalities, study.study_description,
            study.study_date, version.content_json->'code' AS code, version.content_json->'sections' AS sections
        FROM radiology_reports AS report
        JOIN imaging_studies AS study ON study.id = report.study_id
        JOIN LATERAL (
            SELECT v.content_json
            FROM report_versions AS v
            WHERE v.report_id = report.id AND v.status = 'final'
            ORDER BY v.version_no
            LIMIT 1
        ) AS version ON true
        WHERE """
        + where.condition,
        **where.parameters,
    )


async def disputed(tx: Transaction, *, visible_to: Actor) -> list[Review]:
    """What the committee is to decide about, the oldest first; of studies that the member may see."""
    where = Where()
    where.clauses.append("r.state = 'arbitration'")
    visible_to.staff_reach.add_to(where, "study")
    statement: LiteralString = (
        "SELECT "
        + _COLUMNS
        + " FROM peer_reviews AS r JOIN imaging_studies AS study ON study.id = r.study_id WHERE "
        + where.condition
        + " ORDER BY r.scored_at, r.id LIMIT 500"
    )
    return await tx.all(Review, statement, **where.parameters)


async def of_reader(tx: Transaction, reader: str) -> list[Review]:
    """The reviews of somebody's reports, the newest first."""
    return await tx.all(
        Review,
        "SELECT "
        + _COLUMNS
        + " FROM peer_reviews AS r WHERE r.reader = %(reader)s ORDER BY r.final_at DESC, r.id LIMIT 500",
        reader=reader,
    )


async def counted(
    tx: Transaction, began: datetime, before: datetime, *, significant: Sequence[str], visible_to: Actor
) -> list[Counted]:
    """Reports that became final in a time, and what their reviews came to, by facility and modality."""
    where = Where()
    where.add("v.signed_at >= {began} AND v.signed_at < {before}", began=began, before=before)
    visible_to.add_facility(where, "study.facility_code")
    statement: LiteralString = (
        """
        SELECT study.facility_code, coalesce(study.modalities_in_study[1], '') AS modality, count(*) AS finals,
            count(*) FILTER (WHERE r.state = 'counted') AS reviewed,
            count(*) FILTER (WHERE r.counted_score = ANY(%(significant)s)) AS significant,
            count(*) FILTER (WHERE r.state = 'arbitration') AS in_arbitration
        FROM (
            SELECT report_id, min(signed_at) AS signed_at
            FROM report_versions
            WHERE status = 'final'
            GROUP BY report_id
        ) AS v
        JOIN radiology_reports AS report ON report.id = v.report_id
        JOIN imaging_studies AS study ON study.id = report.study_id AND study.status <> 'entered-in-error'
        LEFT JOIN peer_reviews AS r ON r.report_id = report.id
        WHERE NOT EXISTS (SELECT FROM facilities AS f WHERE f.code = study.facility_code AND f.test)
          AND """
        + where.condition
        + " GROUP BY 1, 2 ORDER BY 1, 2"
    )
    return await tx.all(Counted, statement, significant=list(significant), **where.parameters)


@dataclass(frozen=True, slots=True)
class OfReader:
    """What the reviews of one reader came to."""

    reader: str
    reviewed: int
    significant: int


async def by_reader(
    tx: Transaction, since: datetime, *, significant: Sequence[str], reader: str | None = None
) -> list[OfReader]:
    """The same by reader, of reports that became final since a moment."""
    return await tx.all(
        OfReader,
        """
        SELECT reader, count(*) AS reviewed,
            count(*) FILTER (WHERE counted_score = ANY(%(significant)s)) AS significant
        FROM peer_reviews
        WHERE state = 'counted' AND final_at >= %(since)s AND (%(reader)s::text IS NULL OR reader = %(reader)s)
        GROUP BY reader
        ORDER BY reader
        """,
        since=since,
        significant=list(significant),
        reader=reader,
    )


# --- The committee ---


async def is_member(tx: Transaction, account: str) -> bool:
    """Whether somebody is of the committee."""
    return await tx.value(
        "SELECT EXISTS (SELECT FROM peer_review_committee WHERE account = %(account)s)", account=account
    )


async def members(tx: Transaction) -> bytes:
    """Who is of the committee."""
    return await tx.json(
        """
        SELECT coalesce(json_agg(json_build_object('account', account, 'appointedBy', appointed_by,
            'appointedAt', appointed_at) ORDER BY account), '[]')::text
        FROM peer_review_committee
        """
    )


async def appoint(tx: Transaction, account: str, *, by: str, reason: str, at: datetime) -> bool:
    """Take somebody into the committee. False where there is no such account."""
    return bool(
        await tx.run(
            """
            INSERT INTO peer_review_committee (account, appointed_by, reason, appointed_at)
            SELECT 'account:' || name, %(by)s, %(reason)s, %(at)s
            FROM accounts
            WHERE name = %(name)s AND disabled_at IS NULL
            ON CONFLICT (account) DO UPDATE SET reason = excluded.reason
            """,
            name=account,
            by=by,
            reason=reason,
            at=at,
        )
    )


async def dismiss(tx: Transaction, account: str) -> bool:
    """Take somebody out of it. False where he or she was none of it."""
    return bool(await tx.run("DELETE FROM peer_review_committee WHERE account = 'account:' || %(name)s", name=account))
