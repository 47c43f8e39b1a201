"""Answers to worklist queries, for whoever asks: C-FIND (PS3.4 K) and the web service (PS3.18 14)."""

from radiology.access.model import STATION, Actor
from radiology.app import App
from radiology.modality_worklist import queries, search
from radiology.modality_worklist.criteria import conditions
from radiology.modality_worklist.model import ScheduledProcedureStep
from radiology.modality_worklist.return_keys import ITEM_KEYS, STEP_KEYS, View
from radiology.modality_worklist.search import WorklistQuery
from radiology.standards.dicom.data_set import UTF_8


async def candidates(
    app: App, query: WorklistQuery, ae_title: str, facility_code: str, *, visible_to: Actor
) -> list[ScheduledProcedureStep]:
    """What the database can say of the answers for a station, by one statement: at most one more than C-FIND gives.

    A station sees all that is to be done; who asks in its name only what is about studies that they see in full.
    """
    where = conditions(query, ae_title, facility_code, at=app.clock.now(), zone=app.settings.zone)
    if visible_to.role != STATION:
        visible_to.staff_reach.add_to_row(where, facility="w.facility_code", uid="w.study_instance_uid")
    async with app.db.reading() as tx:
        return await queries.find(tx, where, limit=app.settings.find_max + 1)


def view_of(app: App, query: WorklistQuery, ae_title: str, charset: str = UTF_8) -> View:
    """How this station, which takes text in this character set, sees items."""
    shows_bangla = charset == UTF_8
    with_group = shows_bangla and app.settings.pn_bangla_group == "ideographic"
    return View(ae_title, query.zone, bangla_group=with_group, latin_only=not shows_bangla)


def fits(query: WorklistQuery, item: ScheduledProcedureStep, view: View) -> bool:
    """Whether an item satisfies what the database does not compare, on the attributes as they are returned."""
    others = [tag for tag in query.keys if tag not in search.ITEM_COLUMNS]
    of_step = [tag for tag in query.step_keys if tag not in search.STEP_COLUMNS]
    if not others and not of_step:
        return True
    attributes = {tag: ITEM_KEYS[tag].element(item, view) for tag in others}
    step = {tag: STEP_KEYS[tag].element(item, view) for tag in of_step}
    return search.fits(query, attributes, step)
