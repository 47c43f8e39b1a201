"""SQL of links."""
# ruff: noqa: S608 - every piece is a literal and every value a parameter; the type checker proves it by LiteralString.

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, LiteralString
from uuid import UUID

from radiology.access.model import Actor
from radiology.access.session_queries import Link
from radiology.kit.db import Transaction, Where
from radiology.sharing.model import CLOSED_MINUTES, MOST_WRONG_PINS, WRONG_PINS_AT_ONCE, Refused


@dataclass(frozen=True, slots=True)
class Shared:
    """What is shared: a study, or a report of it."""

    study_instance_uid: str
    facility_code: str
    sensitive: bool
    hospital_number: str
    study_date: date | None


async def shared_study(tx: Transaction, study_id: UUID) -> Shared:
    """A study that was resolved."""
    return await tx.one(
        Shared,
        """
        SELECT study_instance_uid, facility_code, sensitive, dicom_patient_id AS hospital_number, study_date
        FROM imaging_studies
        WHERE id = %(study_id)s
        """,
        study_id=study_id,
    )


@dataclass(frozen=True, slots=True)
class SharedLink:
    """A link, whatever has become of it. `sensitive` is its study by now."""

    id: UUID
    study_instance_uid: str
    facility_code: str
    made_by: str
    expires_at: datetime
    report_id: UUID | None
    pin_hash: str | None
    most_openings: int | None
    opened: int
    wrong_pins: int
    closed_until: datetime | None
    ended_at: datetime | None
    sensitive: bool

    @property
    def link(self) -> Link:
        """What a session is begun by."""
        return Link(self.id, self.study_instance_uid, self.facility_code, self.made_by, self.expires_at)

    @property
    def asks_first(self) -> bool:
        """Whether a page comes before it opens: programs that fetch addresses from messages must not use it up."""
        return self.pin_hash is not None or self.most_openings is not None

    def refusal(self, now: datetime) -> Refused | None:
        """Why it does not open now, whatever the PIN."""
        refusals = {
            Refused.ENDED: self.ended_at is not None,
            Refused.EXPIRED: now >= self.expires_at,
            Refused.USED_UP: self.most_openings is not None and self.opened >= self.most_openings,
            Refused.GUESSED: self.wrong_pins >= MOST_WRONG_PINS,
            Refused.CLOSED: self.closed_until is not None and now < self.closed_until,
            Refused.SENSITIVE: self.sensitive and self.pin_hash is None,
        }
        return next((refused for refused, holds in refusals.items() if holds), None)


async def save_link(
    tx: Transaction,
    *,
    id: UUID,
    secret_sha256: bytes,
    shared: Shared,
    report_id: UUID | None,
    pin_hash: str | None,
    most_openings: int | None,
    made_by: str,
    made_at: datetime,
    expires_at: datetime,
) -> None:
    """Keep a new link."""
    await tx.run(
        """
        INSERT INTO study_links (id, secret_sha256, study_instance_uid, facility_code, report_id, pin_hash,
            most_openings, made_by, made_at, expires_at)
        VALUES (%(id)s, %(secret_sha256)s, %(study_instance_uid)s, %(facility_code)s, %(report_id)s, %(pin_hash)s,
            %(most_openings)s, %(made_by)s, %(made_at)s, %(expires_at)s)
        """,
        id=id,
        secret_sha256=secret_sha256,
        study_instance_uid=shared.study_instance_uid,
        facility_code=shared.facility_code,
        report_id=report_id,
        pin_hash=pin_hash,
        most_openings=most_openings,
        made_by=made_by,
        made_at=made_at,
        expires_at=expires_at,
    )


async def find_link(tx: Transaction, *, secret_sha256: bytes, lock: bool = False) -> SharedLink | None:
    """The link of a secret; `lock` keeps it from all others until the transaction ends."""
    if lock:
        statement: LiteralString = "SELECT FROM study_links WHERE secret_sha256 = %(secret_sha256)s FOR UPDATE"
        await tx.run(statement, secret_sha256=secret_sha256)
    return await tx.maybe(
        SharedLink,
        """
        SELECT l.id, l.study_instance_uid, l.facility_code, l.made_by, l.expires_at, l.report_id, l.pin_hash,
            l.most_openings, l.opened, l.wrong_pins, l.closed_until, l.ended_at,
            coalesce(s.sensitive, false) AS sensitive
        FROM study_links AS l
        LEFT JOIN imaging_studies AS s ON s.study_instance_uid = l.study_instance_uid
        WHERE l.secret_sha256 = %(secret_sha256)s
        """,
        secret_sha256=secret_sha256,
    )


async def count_attempt(tx: Transaction, link_id: UUID, *, now: datetime) -> int | None:
    """Count a PIN as wrong before it is looked at; the number of wrong ones, or None where no more are taken now."""
    return await tx.value(
        """
        UPDATE study_links
        SET wrong_pins = wrong_pins + 1,
            closed_until = CASE WHEN (wrong_pins + 1) %% %(at_once)s = 0 THEN %(closed_until)s END
        WHERE id = %(link_id)s
          AND wrong_pins < %(most)s
          AND (closed_until IS NULL OR closed_until <= %(now)s)
        RETURNING wrong_pins
        """,
        link_id=link_id,
        now=now,
        at_once=WRONG_PINS_AT_ONCE,
        most=MOST_WRONG_PINS,
        closed_until=now + timedelta(minutes=CLOSED_MINUTES),
    )


async def take_back_attempt(tx: Transaction, link_id: UUID) -> None:
    """The PIN that was counted as wrong is right."""
    await tx.run(
        "UPDATE study_links SET wrong_pins = wrong_pins - 1, closed_until = NULL WHERE id = %(link_id)s",
        link_id=link_id,
    )


async def count_opening(tx: Transaction, link_id: UUID, *, now: datetime, network: str) -> None:
    """A link that is locked was opened."""
    await tx.run(
        """
        WITH counted AS (UPDATE study_links SET opened = opened + 1 WHERE id = %(link_id)s RETURNING id)
        INSERT INTO link_openings (link_id, opened_at, network)
        SELECT id, %(now)s, %(network)s
        FROM counted
        """,
        link_id=link_id,
        now=now,
        network=network,
    )


async def is_seen(tx: Transaction, *, visible_to: Actor) -> bool:
    """Whether the study of a link is there, and seen by whoever made the link."""
    where = Where()
    visible_to.reach.add_to(where, "s")
    return await tx.value("SELECT count(*) > 0 FROM imaging_studies AS s WHERE " + where.condition, **where.parameters)


@dataclass(frozen=True, slots=True)
class SharedReport:
    """A report as it is read by a link."""

    report_id: str
    status: str
    issued: datetime | None
    updated_at: datetime
    sections: list[dict[str, Any]]
    code: dict[str, Any]
    approver: dict[str, Any] | None
    performer: list[dict[str, Any]] | None
    patient_name: str
    hospital_number: str
    birth_date: str
    sex: str
    accession_number: str | None
    study_description: str | None
    study_date: date | None
    outdated: str | None
    registered_at_signing: dict[str, str] | None


async def shared_report(
    tx: Transaction, report_id: UUID, *, preliminary: bool, visible_to: Actor
) -> SharedReport | None:
    """The report of a link where it may be shown; `preliminary`: also one that nobody has signed."""
    where = Where()
    where.add("report.id = {report_id}", report_id=report_id)
    where.add(
        "(report.status IN ('final', 'amended', 'corrected', 'appended')"
        " OR ({preliminary} AND report.status = 'preliminary'))",
        preliminary=preliminary,
    )
    visible_to.reach.add_to(where, "study")
    return await tx.maybe(
        SharedReport,
        """
        SELECT report.report_id, report.status, report.issued, report.updated_at, report.sections, report.code,
            report.approver, report.performer, study.patient_name, study.dicom_patient_id AS hospital_number,
            study.patient_birth_date AS birth_date, study.patient_sex AS sex, study.accession_number,
            study.study_description, study.study_date, (
                SELECT cause FROM outdated_reports AS task WHERE task.report_id = report.id AND task.closed_at IS NULL
            ) AS outdated, report.metadata->'registeredAtSigning' AS registered_at_signing
        FROM radiology_reports AS report
        JOIN imaging_studies AS study ON study.id = report.study_id
        WHERE """
        + where.condition,
        **where.parameters,
    )


async def study_of_report(tx: Transaction, report_id: UUID) -> UUID:
    """The study of a report that was resolved."""
    return await tx.value("SELECT study_id FROM radiology_reports WHERE id = %(report_id)s", report_id=report_id)


async def end_link(
    tx: Transaction, link_id: UUID, *, study_instance_uid: str, report_id: UUID | None, ended_by: str, now: datetime
) -> bool:
    """End a link of a study or report, with all sessions that it began. False where there is no such link."""
    ended = await tx.run(
        """
        UPDATE study_links
        SET ended_at = coalesce(ended_at, %(now)s), ended_by = coalesce(ended_by, %(ended_by)s)
        WHERE id = %(link_id)s
          AND study_instance_uid = %(study_instance_uid)s
          AND (%(report_id)s::uuid IS NULL OR report_id = %(report_id)s)
        """,
        link_id=link_id,
        study_instance_uid=study_instance_uid,
        report_id=report_id,
        ended_by=ended_by,
        now=now,
    )
    if ended:
        await tx.run("DELETE FROM sessions WHERE link_id = %(link_id)s", link_id=link_id)
    return ended == 1


async def links_body(
    tx: Transaction, *, study_instance_uid: str, report_id: UUID | None, zone: str, now: datetime
) -> bytes:
    """The links of a study that was resolved, or of one report of it, newest first, with their openings, as JSON."""
    return await tx.json(
        """
        WITH shown AS MATERIALIZED (SELECT set_config('TimeZone', %(zone)s, true))
        SELECT coalesce(json_agg(json_strip_nulls(json_build_object(
            'id', l.id, 'reportId', r.report_id, 'madeBy', l.made_by, 'madeAt', l.made_at, 'expiresAt', l.expires_at,
            'withPin', l.pin_hash IS NOT NULL, 'mostOpenings', l.most_openings, 'opened', l.opened,
            'wrongPins', l.wrong_pins, 'closedUntil', CASE WHEN l.closed_until > %(now)s THEN l.closed_until END,
            'endedAt', l.ended_at, 'endedBy', l.ended_by,
            'opens', l.ended_at IS NULL AND l.expires_at > %(now)s AND l.wrong_pins < %(most_wrong)s
                AND (l.most_openings IS NULL OR l.opened < l.most_openings),
            'openings', (
                SELECT coalesce(json_agg(json_build_object('at', o.opened_at, 'network', o.network)), '[]')
                FROM (
                    SELECT opened_at, network
                    FROM link_openings
                    WHERE link_id = l.id
                    ORDER BY opened_at DESC
                    LIMIT 100
                ) AS o
            )
        )) ORDER BY l.made_at DESC, l.id DESC), '[]')::text
        FROM shown, study_links AS l
        LEFT JOIN radiology_reports AS r ON r.id = l.report_id
        WHERE l.study_instance_uid = %(study_instance_uid)s
          AND (%(report_id)s::uuid IS NULL OR l.report_id = %(report_id)s)
        """,
        study_instance_uid=study_instance_uid,
        report_id=report_id,
        zone=zone,
        now=now,
        most_wrong=MOST_WRONG_PINS,
    )
