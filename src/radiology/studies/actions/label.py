"""Mark a study by hand: a clinician raises, a privacy officer clears. The rules never undo either."""

from collections.abc import Collection
from dataclasses import replace
from uuid import UUID

from radiology.access.model import Actor, Permission
from radiology.app import App
from radiology.audit import actions as audit
from radiology.errors import NotPermitted
from radiology.kit.db import Transaction
from radiology.sensitivity import queries as sensitivity
from radiology.sensitivity.labelling import label
from radiology.sensitivity.model import Marks
from radiology.studies.queries import read


async def raise_label(
    app: App, actor: Actor, study: str, *, classes: Collection[str], at_least: str | None, reason: str
) -> None:
    """Say that a study is sensitive; any clinician or radiographer may. Raises NotFound, NotPermitted."""
    if not (actor.may(Permission.WRITE) or actor.may(Permission.BREAK_GLASS)):
        raise NotPermitted("Only a clinician or radiographer may say that a study is sensitive.")
    async with app.db.transaction() as tx:
        study_id, marks = await _held(tx, actor, study)
        level = max(marks.at_least, at_least or "N", key="NRV".index)
        marks = Marks(marks.raised | set(classes), marks.cleared - set(classes), level)
        await _save(tx, actor, study_id, marks, reason)


async def clear_label(app: App, actor: Actor, study: str, *, classes: Collection[str], reason: str) -> None:
    """Say that a study is not sensitive in this way, for a reason; for privacy officers. Raises NotFound."""
    actor.must(Permission.PRIVACY)
    async with app.db.transaction() as tx:
        study_id, marks = await _held(tx, actor, study)
        cleared = replace(marks, raised=marks.raised - set(classes), cleared=marks.cleared | set(classes), at_least="N")
        await _save(tx, actor, study_id, cleared, reason)


async def _held(tx: Transaction, actor: Actor, study: str) -> tuple[UUID, Marks]:
    """The study, locked, and what was said of it. Who sees it only masked may still raise it."""
    found = await read.look_up(tx, study, visible_to=actor)
    await read.lock_study(tx, found.id)
    (facts,) = await sensitivity.facts(tx, [found.id])
    return found.id, facts.marks


async def _save(tx: Transaction, actor: Actor, study_id: UUID, marks: Marks, reason: str) -> None:
    await sensitivity.save_marks(tx, study_id, marks)
    detail = {"raised": sorted(marks.raised), "cleared": sorted(marks.cleared), "at_least": marks.at_least}
    await audit.record(tx, actor, "sensitivity.mark", str(study_id), detail=detail)
    await label(tx, actor, [study_id], cause="marked", reason=reason)
