"""Change the catalogue: an entry, or the terms of a facility or an ownership. Nothing is overwritten."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from radiology.access.model import Actor, Permission
from radiology.app import App
from radiology.audit import actions as audit
from radiology.errors import FieldProblem, NotFound, StaleVersion, Unprocessable
from radiology.kit.db import Transaction
from radiology.procedures import queries
from radiology.procedures.catalogue import catalogue, follow_shipped
from radiology.procedures.model import Agreed
from radiology.procedures.schemas import TermsIn


async def save_entry(
    app: App,
    actor: Actor,
    key: str,
    entry: Mapping[str, Any],
    *,
    effective_from: date | None,
    reason: str,
    version: int | None,
) -> int:
    """Add a procedure, or say what it is from a day on; returns the version. Raises StaleVersion, Unprocessable."""
    actor.must(Permission.ADMINISTER)
    await follow_shipped(app)
    async with app.db.transaction() as tx:
        await queries.lock_for_change(tx)
        last = await queries.last_version(tx, key)
        return await _save(tx, app, actor, key, entry, last, effective_from, reason=reason, version=version)


async def restore_entry(
    app: App, actor: Actor, key: str, number: int, *, effective_from: date | None, reason: str, version: int | None
) -> int:
    """Let a procedure be from a day on what it was in an earlier version; returns the new version. Raises NotFound."""
    actor.must(Permission.ADMINISTER)
    await follow_shipped(app)
    async with app.db.transaction() as tx:
        await queries.lock_for_change(tx)
        versions = await queries.versions(tx, key)
        found = next((each for each in versions if each.version == number), None)
        if found is None:
            raise NotFound(f"{key} has no version {number}.")
        last = versions[0].version
        return await _save(tx, app, actor, key, found.body, last, effective_from, reason=reason, version=version)


async def agree(
    app: App, actor: Actor, key: str, said: TermsIn, *, facility_code: str = "", ownership: str = "",
    version: int | None,
) -> Agreed:  # fmt: skip
    """Say the terms of a facility or of an ownership from a day on. Raises NotFound, StaleVersion, Unprocessable."""
    actor.must(Permission.ADMINISTER)
    if (await catalogue(app)).by_key(key) is None:
        raise NotFound(f"The catalogue has no procedure {key}.")
    begins = _not_before_today(app, said.effective_from)
    async with app.db.transaction() as tx:
        await queries.lock_for_change(tx)
        last = await queries.last_terms(tx, key, facility_code=facility_code, ownership=ownership)
        _must_have_version(last, version)
        agreed = Agreed(
            key, facility_code, ownership, last + 1, begins, said.price, said.turnaround_hours, said.priority
        )
        await queries.save_terms(tx, agreed, reason=said.reason, changed_by=actor.id, changed_at=app.clock.now())
        detail = {"version": agreed.version, "facility": facility_code, "ownership": ownership}
        await audit.record(tx, actor, "procedure.terms", key, detail=detail)
    return agreed


async def _save(
    tx: Transaction, app: App, actor: Actor, key: str, body: Mapping[str, Any], last: int, effective_from: date | None,
    *, reason: str, version: int | None,
) -> int:  # fmt: skip
    _must_have_version(last, version)
    await queries.save_entry(
        tx,
        key,
        body,
        version=last + 1,
        effective_from=_not_before_today(app, effective_from),
        is_shipped=False,
        reason=reason,
        changed_by=actor.id,
        changed_at=app.clock.now(),
    )
    await audit.record(tx, actor, "procedure.entry", key, detail={"version": last + 1})
    return last + 1


def _must_have_version(last: int, version: int | None) -> None:
    if version is not None and version != last:
        raise StaleVersion(f"It has version {last} by now. Read it again and decide anew.")


def _not_before_today(app: App, effective_from: date | None) -> date:
    """The day from which a change holds: what held on days that are over stays on record. Raises Unprocessable."""
    today = app.clock.now().astimezone(app.settings.zone).date()
    if effective_from is not None and effective_from < today:
        sentence = f"must not be before today, {today.isoformat()}"
        raise Unprocessable(f"effective_from {sentence}.", fields=[FieldProblem("effective_from", sentence)])
    return effective_from or today
