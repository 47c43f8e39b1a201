"""Readers as they stand now: registry, duty, rota, load. What is on another server is asked before a transaction."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from datetime import datetime, time

from radiology.app import App
from radiology.kit.db import Transaction
from radiology.practitioners.readers import actions as readers
from radiology.practitioners.readers.model import Reader
from radiology.practitioners.readers.queries import Row
from radiology.practitioners.readers.rota import queries as rota
from radiology.practitioners.readers.rota.model import LINES
from radiology.reading_worklist.assigning.model import Candidate, OnCall
from radiology.reading_worklist.offers import queries

Known = list[tuple[Row, Reader, bool]]


async def known(app: App) -> Known:
    """All active readers with what the registry says of them."""
    return await readers.everybody(app, active_only=True)


async def candidates(tx: Transaction, app: App, everybody: Known, now: datetime) -> list[Candidate]:
    """The same with duty and load as they are in this transaction."""
    midnight = datetime.combine(now.astimezone(app.settings.zone).date(), time(), app.settings.zone)
    loads = {each.practitioner: each for each in await queries.loads(tx, midnight=midnight)}
    turns = await _turns(tx, now)
    found = list[Candidate]()
    for row, reader, is_known in everybody:
        load = loads.get(row.practitioner)
        if load is None:
            continue
        found.append(
            Candidate(
                reader,
                load.open_rvu,
                load.rvu_today,
                load.last_assigned_at,
                reader.is_on_shift(now, app.settings.zone),
                tuple(turns.get(row.practitioner, ())),
                row.discrepancy_rate,
                is_known,
                None if load.works_everywhere else frozenset(load.works_at),
            )
        )
    return found


def on_call(
    several: Collection[Candidate], facility_code: str, subspecialty: str, lines: Collection[str]
) -> frozenset[str]:
    """Who is on call on some lines for studies of a subspecialty that are made at a facility."""
    return frozenset(
        each.reader.reference
        for each in several
        if any(turn.line in lines and turn.covers(facility_code, subspecialty) for turn in each.on_call)
    )


async def _turns(tx: Transaction, now: datetime) -> Mapping[str, list[OnCall]]:
    found = defaultdict[str, list[OnCall]](list)
    for each in await rota.on_call(tx, now):
        facilities = None if each.facility_codes is None else frozenset(each.facility_codes)
        found[each.reader].append(OnCall(each.subspecialty_group, LINES[each.line], facilities))
    return found
