"""How far the preliminary report of a trainee was from the final one, as its approver says."""

from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from radiology.access.model import Actor, Permission
from radiology.app import App
from radiology.audit import actions as audit
from radiology.errors import Conflict, NotPermitted
from radiology.kit.db import Transaction
from radiology.quality.indicators import image_queries
from radiology.quality.indicators.fact_queries import mark_due
from radiology.reports import queries as reports
from radiology.reports.model import SIGNED

Difference = Literal["none", "minor", "major"]


@dataclass(frozen=True, slots=True)
class SignedReport:
    """A report, who signed it, and whose it was."""

    study_id: UUID
    status: str
    author: str
    approver: str | None


async def say(app: App, actor: Actor, name: str, difference: Difference) -> None:
    """Keep what the approver says; said again it counts instead. Raises NotFound, NotPermitted, Conflict."""
    actor.must(Permission.APPROVE)
    async with app.db.transaction() as tx:
        report_id = await reports.resolve(tx, name, visible_to=actor)
        report = await _load(tx, report_id)
        if report.status not in SIGNED:
            raise Conflict("The report is not signed yet.")
        if report.approver != actor.id:
            raise NotPermitted("Who signed a report says how far it was from the preliminary one.")
        if report.author == actor.id:
            raise Conflict("You wrote this report yourself.")
        await _save(tx, app, actor, report_id, difference)
        for source, day in await image_queries.days_of(tx, [report.study_id], zone=app.settings.time_zone):
            await mark_due(tx, source, [day], due_at=app.clock.now())
        await audit.record(tx, actor, "report.agreement", str(report_id), detail={"difference": difference})


async def _load(tx: Transaction, report_id: UUID) -> SignedReport:
    return await tx.one(
        SignedReport,
        "SELECT study_id, status, author, approver->>'id' AS approver FROM radiology_reports WHERE id = %(id)s",
        id=report_id,
    )


async def _save(tx: Transaction, app: App, actor: Actor, report_id: UUID, difference: Difference) -> None:
    await tx.run(
        """
        INSERT INTO trainee_agreements (report_id, difference, said_by, said_at)
        VALUES (%(id)s, %(difference)s, %(by)s, %(at)s)
        ON CONFLICT (report_id) DO UPDATE
        SET difference = excluded.difference,
            said_by = excluded.said_by,
            said_at = excluded.said_at
        """,
        id=report_id,
        difference=difference,
        by=actor.id,
        at=app.clock.now(),
    )
