"""Reading traces with what we know beside them, and keeping the table small."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from radiology.app import App
from radiology.application_entities.queries import all_application_entities
from radiology.associations import queries
from radiology.associations.diagnosis import Known, Waiting, diagnose
from radiology.associations.model import Trace, from_json
from radiology.associations.schemas import DiagnosisOut, diagnosis_out
from radiology.errors import NotFound
from radiology.kit.db import Transaction

TRACES_KEPT: Final = 10_000
DAYS_KEPT: Final = 14
#: Steps that are compared with a worklist query that found nothing: from a week ago on, this many.
WAITING_DAYS: Final = 7
WAITING_COMPARED: Final = 500
LAST_ASSOCIATIONS: Final = 10


async def known(tx: Transaction, app: App, traces: Sequence[Trace]) -> Known:
    """What the diagnosis of these traces needs. The worklist is read only where a query found nothing."""
    entities = await all_application_entities(tx)
    waiting: list[Waiting] = []
    if any(not query.matches for trace in traces for query in trace.worklist_queries[-1:]):
        since = app.clock.now() - timedelta(days=WAITING_DAYS)
        facility = app.settings.facility_code
        rows = await queries.waiting_steps(tx, facility_code=facility, since=since, limit=WAITING_COMPARED)
        zone = app.settings.zone
        waiting = [
            Waiting(row.station_ae_titles, row.modality, row.scheduled_start.astimezone(zone).date(), row.patient_id)
            for row in rows
        ]
    return Known(app.settings.ae_title, entities, waiting)


async def diagnosis_of(app: App, ae_title: str) -> DiagnosisOut:
    """The last associations of an application entity with what was wrong. Raises NotFound for one never seen."""
    async with app.db.transaction() as tx:
        traces = [from_json(row) for row in await queries.last_of(tx, ae_title, limit=LAST_ASSOCIATIONS)]
        knowledge = await known(tx, app, traces)
    if not traces and knowledge.entity(ae_title) is None:
        raise NotFound(f"No application entity is called {ae_title!r}, and none of that name has called.")
    return diagnosis_out(ae_title, [(trace, diagnose(trace, knowledge)) for trace in traces])


async def forget_old_traces(app: App) -> int:
    """Drop traces older than 14 days, and those beyond the newest 10,000; returns how many."""
    async with app.db.transaction() as tx:
        older_than = app.clock.now() - timedelta(days=DAYS_KEPT)
        return await queries.forget_old(tx, older_than=older_than, keep=TRACES_KEPT)
