"""SQL of reading fees. `fee` is reading_fees."""
# ruff: noqa: S608 - every piece is a literal and every value a parameter; the type checker proves it by LiteralString.

from dataclasses import asdict, dataclass
from datetime import datetime
from decimal import Decimal
from typing import LiteralString
from uuid import UUID

from radiology.access.model import Actor
from radiology.billing.reading_fees.model import Fee, Rate
from radiology.kit.db import Transaction, Where

_COLUMNS: LiteralString = """
    fee.id, fee.report_id, fee.study_id, fee.corrects, fee.kind, fee.account, fee.practitioner, fee.facility_code,
    fee.procedure_key, fee.modality, fee.rvu, fee.rate_id, fee.amount_bdt
"""


@dataclass(frozen=True, slots=True)
class Finished:
    """A report that is final, and what it was of. first: when a version of it was final for the first time."""

    report_id: UUID
    study_id: UUID
    approver: str
    practitioner: str
    facility_code: str
    modality: str
    procedure_key: str
    rvu: Decimal
    first: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Line(Fee):
    """A line with when it was booked and earned. Of a sensitive study nobody is told what it was."""

    earned_at: datetime
    booked_at: datetime
    booked_by: str
    reason: str
    report: str
    sensitive: bool


async def finished(tx: Transaction, report_id: UUID) -> Finished | None:
    """A report with its first final version; None where it never was final."""
    return await tx.maybe(
        Finished,
        """
        SELECT report.id AS report_id, report.study_id, version.approver_id AS approver,
            coalesce(account.practitioner_reference, '') AS practitioner, study.facility_code,
            coalesce(item.modality, study.modalities_in_study[1], '') AS modality,
            coalesce(item.procedure_key, '') AS procedure_key, coalesce(item.rvu, 1)::numeric(6, 2) AS rvu,
            version.signed_at AS first
        FROM radiology_reports AS report
        JOIN imaging_studies AS study ON study.id = report.study_id
        JOIN LATERAL (
            SELECT v.approver_id, v.signed_at
            FROM report_versions AS v
            WHERE v.report_id = report.id AND v.status = 'final'
            ORDER BY v.version_no
            LIMIT 1
        ) AS version ON true
        LEFT JOIN reading_items AS item ON item.study_id = report.study_id
        LEFT JOIN accounts AS account ON 'account:' || account.name = version.approver_id
        WHERE report.id = %(report_id)s
        """,
        report_id=report_id,
    )


async def book(
    tx: Transaction, fee: Fee, *, earned_at: datetime, booked_at: datetime, booked_by: str, reason: str = ""
) -> bool:
    """Add a line. False where the fee of the report is booked already, or a fee is corrected already."""
    return bool(
        await tx.run(
            """
            INSERT INTO reading_fees (id, report_id, study_id, corrects, kind, account, practitioner, facility_code,
                procedure_key, modality, rvu, rate_id, amount_bdt, earned_at, booked_at, booked_by, reason)
            VALUES (%(id)s, %(report_id)s, %(study_id)s, %(corrects)s, %(kind)s, %(account)s, %(practitioner)s,
                %(facility_code)s, %(procedure_key)s, %(modality)s, %(rvu)s, %(rate_id)s, %(amount_bdt)s,
                %(earned_at)s, %(booked_at)s, %(booked_by)s, %(reason)s)
            ON CONFLICT DO NOTHING
            """,
            **asdict(fee),
            earned_at=earned_at,
            booked_at=booked_at,
            booked_by=booked_by,
            reason=reason,
        )
    )


async def load(tx: Transaction, fee_id: UUID, *, visible_to: Actor) -> Line:
    """A line of the ledger. Raises NotFound."""
    where = Where()
    where.add("fee.id = {fee_id}", fee_id=fee_id)
    visible_to.add_facility(where, "fee.facility_code")
    return await tx.one(Line, _SELECT + where.condition, **where.parameters)


async def booked(
    tx: Transaction, began: datetime, before: datetime, *, account: str | None, visible_to: Actor | None
) -> list[Line]:
    """What was booked in a time, of one reader or of all, in its order. `visible_to` None for the reader alone."""
    where = Where()
    where.add("fee.booked_at >= {began} AND fee.booked_at < {before}", began=began, before=before)
    if account is not None:
        where.add("fee.account = {account}", account=account)
    if visible_to is not None:
        visible_to.add_facility(where, "fee.facility_code")
    return await tx.all(Line, _SELECT + where.condition + " ORDER BY fee.booked_at, fee.sequence", **where.parameters)


_SELECT: LiteralString = (
    "SELECT "
    + _COLUMNS
    + """, fee.earned_at, fee.booked_at, fee.booked_by, fee.reason,
    coalesce(report.report_id, '') AS report, coalesce(study.sensitive, false) AS sensitive
    FROM reading_fees AS fee
    LEFT JOIN imaging_studies AS study ON study.id = fee.study_id
    LEFT JOIN radiology_reports AS report ON report.id = fee.report_id
    WHERE """
)


async def rates(tx: Transaction) -> list[Rate]:
    """Every rate that was ever said."""
    return await tx.all(
        Rate,
        """
        SELECT id, practitioner, contract, procedure_key, modality, amount_bdt, per_rvu, effective_from
        FROM reading_rates
        ORDER BY id
        """,
    )


async def add_rate(tx: Transaction, rate: Rate, *, reason: str, actor: str, at: datetime) -> int:
    """Say another rate; returns its number."""
    return await tx.value(
        """
        INSERT INTO reading_rates (practitioner, contract, procedure_key, modality, amount_bdt, per_rvu,
            effective_from, reason, set_by, set_at)
        VALUES (%(practitioner)s, %(contract)s, %(procedure_key)s, %(modality)s, %(amount_bdt)s, %(per_rvu)s,
            %(effective_from)s, %(reason)s, %(actor)s, %(at)s)
        RETURNING id
        """,
        practitioner=rate.practitioner,
        contract=rate.contract,
        procedure_key=rate.procedure_key,
        modality=rate.modality,
        amount_bdt=rate.amount_bdt,
        per_rvu=rate.per_rvu,
        effective_from=rate.effective_from,
        reason=reason,
        actor=actor,
        at=at,
    )
