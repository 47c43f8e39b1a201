"""From what happened to what the indicators know: which studies changed, and which days are to be counted again."""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Final
from uuid import UUID

from radiology.app import App
from radiology.kit import outbox
from radiology.kit.db import Transaction
from radiology.kit.ids import uuid_of
from radiology.kit.outbox import Placed
from radiology.procedures.catalogue import catalogue
from radiology.procedures.lookup import Catalogue
from radiology.quality.indicators import fact_queries as queries
from radiology.quality.indicators import image_queries
from radiology.quality.indicators.counting import BOOKINGS, STUDIES
from radiology.quality.indicators.facts import fact_of
from radiology.reading_worklist.following import READER as READING

READER: Final = "indicators"
AT_ONCE: Final = 2_000
"""So many studies are looked at in one transaction."""
SILENT: Final = timedelta(days=1)


async def follow_events(app: App) -> int:
    """Read what happened since the last time; returns how many studies were looked at.

    What is known and the mark of the reader are one transaction: no event is passed over. The reading worklist goes
    before, since it says by when a study is due.
    """
    known = await catalogue(app)
    async with app.db.transaction() as tx:
        behind = await outbox.position_of(tx, READING)
        events = [event for event in await outbox.next_for(tx, READER) if event.position <= behind]
        if not events:
            return 0
        studies = await queries.studies_called(tx, *_named_in(events))
        await look_again(tx, app, known, studies)
        await outbox.had(tx, READER, events[-1].position)
    return len(studies)


def _named_in(events: Iterable[Placed]) -> tuple[set[str], set[UUID]]:
    """The studies that events tell of: by UID, or where they name none by id."""
    uids: set[str] = set()
    ids: set[UUID] = set()
    for event in events:
        named: Sequence[str] = event.body.get("study_instance_uids") or ()
        uid = event.body.get("study_instance_uid")
        uids.update(named, [uid] if uid else [])
        study_id = uuid_of(str(event.body.get("study_id") or ""))
        if not uid and study_id is not None:
            ids.add(study_id)
    return uids, ids


async def follow_versions(app: App) -> int:
    """Look at studies whose report was shown as preliminary: editing a report leaves no event."""
    known = await catalogue(app)
    async with app.db.transaction() as tx:
        studies = await queries.studies_of_silent_versions(tx, since=app.clock.now() - SILENT)
        return await look_again(tx, app, known, studies)


async def recount(app: App) -> int:
    """Look at all studies again; returns of how many something else was known. Their days are due then."""
    known = await catalogue(app)
    last: UUID | None = None
    changed = 0
    while True:
        async with app.db.transaction() as tx:
            studies = await queries.studies_behind(tx, last, limit=AT_ONCE)
            changed += await look_again(tx, app, known, studies)
        if len(studies) < AT_ONCE:
            return changed
        last = studies[-1]


async def look_again(tx: Transaction, app: App, known: Catalogue, studies: Sequence[UUID]) -> int:
    """Keep what the tables say of studies by now; returns of how many it was something else before.

    The days of what changed, as it was and as it is, are counted again.
    """
    if not studies:
        return 0
    before = await queries.kept(tx, studies)
    found = {raw.study_id: fact_of(raw, known) for raw in await queries.raw_of(tx, studies)}
    changed = [fact for study, fact in found.items() if fact is not None and before.get(study) != fact]
    gone = [study for study, fact in found.items() if fact is None and study in before]
    if changed:
        await queries.save(tx, changed)
    if gone:
        await queries.forget(tx, gone)
    touched = [*(fact.study_id for fact in changed), *gone]
    now, zone = app.clock.now(), app.settings.zone
    was = [before[study] for study in touched if study in before]
    days = {moment.astimezone(zone).date() for fact in (*changed, *was) for moment in fact.moments}
    await queries.mark_due(tx, STUDIES, days, due_at=now)
    for source, day in await image_queries.days_of(tx, studies, zone=app.settings.time_zone):
        await queries.mark_due(tx, source, [day], due_at=now)
    await queries.mark_bookings_due(tx, BOOKINGS, studies, zone=app.settings.time_zone, due_at=now)
    return len(touched)
