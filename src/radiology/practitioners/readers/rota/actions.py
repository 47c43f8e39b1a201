"""Keep rotas and turns, and tell of gaps. Row, audit and event are one transaction."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from radiology.access.model import Actor, Role
from radiology.access.queries import who_are
from radiology.app import App
from radiology.audit import actions as audit
from radiology.errors import Conflict, NotFound
from radiology.events import OnCallGapFound, emit
from radiology.external.notifications import inbox
from radiology.external.notifications.model import Message
from radiology.kit.db import Transaction
from radiology.kit.ids import uuid7
from radiology.practitioners.readers import queries as readers
from radiology.practitioners.readers.actions import must_keep_readers, who_leads
from radiology.practitioners.readers.rota import queries
from radiology.practitioners.readers.rota.model import AHEAD, LINES, Gap, Turn, gaps
from radiology.practitioners.readers.rota.queries import Rota


async def save(
    app: App, actor: Actor, key: str, *, name: str, group: str, facility_codes: Sequence[str] | None, active: bool
) -> None:
    """Add or change a rota."""
    must_keep_readers(actor)
    async with app.db.transaction() as tx:
        await queries.save(tx, key, name=name, subspecialty_group=group, facility_codes=facility_codes, active=active)
        await audit.record(tx, actor, "practitioner.rota", key)


async def add_turn(app: App, actor: Actor, key: str, turn: Turn) -> UUID:
    """Put a reader on call; returns the id. Raises NotFound, Conflict where somebody is on call already."""
    must_keep_readers(actor)
    async with app.db.transaction() as tx:
        rota = await _locked(tx, key)
        if await readers.version_of(tx, turn.reader) is None:
            raise NotFound("There is no such reader. Add him or her first.")
        turn_id = uuid7()
        try:
            await queries.add_turn(tx, turn_id, rota.number, turn)
        except Conflict:
            raise Conflict(f"Somebody is on call on the {LINES[turn.line]} line of {key} at that time.") from None
        detail = {"reader": turn.reader, "line": LINES[turn.line], "begins": turn.begins_at.isoformat()}
        await audit.record(tx, actor, "practitioner.on-call", key, detail=detail)
    return turn_id


async def remove_turn(app: App, actor: Actor, key: str, turn_id: UUID) -> None:
    """Take somebody off call. Raises NotFound."""
    must_keep_readers(actor)
    async with app.db.transaction() as tx:
        rota = await _locked(tx, key)
        if not await queries.remove_turn(tx, rota.number, turn_id):
            raise NotFound("There is no such turn on this rota.")
        await audit.record(tx, actor, "practitioner.off-call", key, detail={"turn": str(turn_id)})


async def _locked(tx: Transaction, key: str) -> Rota:
    rota = await queries.lock(tx, key)
    if rota is None:
        raise NotFound("There is no such rota.")
    return rota


# --- By the timetable ---


async def warn_of_gaps(app: App) -> int:
    """Tell of each line that nobody covers within the next 24 hours; once for each day that a gap begins on."""
    now = app.clock.now()
    async with app.db.transaction() as tx:
        count = 0
        for rota in await queries.active(tx):
            turns = await queries.turns(tx, rota.number, begins_at=now, ends_at=now + AHEAD)
            for gap in gaps(turns, now, now + AHEAD):
                count += await _warn(tx, app, rota, gap, now)
    return count


async def _warn(tx: Transaction, app: App, rota: Rota, gap: Gap, now: datetime) -> bool:
    local = gap.begins_at.astimezone(app.settings.zone)
    line = LINES[gap.line]
    if not await readers.begin_warning(tx, f"rota {rota.key} {line} {local.date()}", now=now):
        return False
    facilities = rota.facility_codes or ["*"]
    heads = {account for facility in facilities for account in await who_leads(tx, "head", facility)}
    recipients = sorted(heads | set(await who_are(tx, [Role.ADMINISTRATOR], None)))
    text = (
        f"Nobody is on call on the {line} line of the rota {rota.name} ({rota.key}) from {local:%d/%m/%Y %H:%M} on. "
        "Put somebody on call for that time."
    )
    await inbox.place(tx, recipients, Message("rota", "Gap in the on-call rota", text, f"rota/{rota.key}"))
    await emit(
        tx,
        OnCallGapFound(
            facility_code=rota.facility_codes[0] if rota.facility_codes else None,
            rota=rota.key,
            line=line,
            subspecialty_group=rota.subspecialty_group,
            begins_at=gap.begins_at.isoformat(),
            ends_at=gap.ends_at.isoformat(),
        ),
    )
    return True
