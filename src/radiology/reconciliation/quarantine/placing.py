"""Objects that were held become instances: of a study that there is, or of a new one. In the repair's transaction."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from radiology.app import App
from radiology.errors import Conflict
from radiology.kit.db import Transaction
from radiology.kit.ids import uuid7
from radiology.patients.actions.register import find_or_register
from radiology.reconciliation.quarantine import queries
from radiology.reconciliation.repairs.model import Repair
from radiology.reconciliation.repairs.queries import keep, note_made
from radiology.reconciliation.repairs.relations import INSTANCES, SERIES, STUDIES
from radiology.reconciliation.studies import copy_queries, copying
from radiology.reconciliation.studies import queries as studies
from radiology.reconciliation.studies.model import HeldStudy
from radiology.reconciliation.studies.targets import Place
from radiology.standards.dicom.header import Header
from radiology.standards.dicom.uids import new_uid
from radiology.studies.actions.correct import PERSONAL
from radiology.studies.corrections import Correction
from radiology.studies.facts import StudyFacts, series_columns
from radiology.studies.index import instance_row
from radiology.studies.queries import write
from radiology.studies.receive import Arrival

_INSTANCE, _SERIES, _STUDY = "00080018", "0020000E", "0020000D"


@dataclass(frozen=True, slots=True)
class _Series:
    """The series of an object: its row, and its UID there."""

    id: UUID
    uid: str


async def in_study(tx: Transaction, app: App, repair: Repair, held: HeldStudy, arrivals: Sequence[Arrival]) -> Place:
    """A study that takes objects of what they call another patient: they are served as of its patient."""
    held.must_be_as_read(None)
    if held.final_reports:
        raise Conflict("The study has a final report. A radiologist amends that before images are added to it.")
    await keep(tx, repair.id, STUDIES, [held.id])
    stated = {tag for arrival in arrivals for tag in arrival.header.attributes if tag in PERSONAL}
    emptied = copying.emptied(sorted(stated))
    if held.number_of_instances:
        said = copying.of_study_with_images(held.identity, await studies.served(tx, held.id)) | emptied
    else:
        description = await studies.description_of(tx, held.id)
        said = copying.of_new_study(held.identity, held.accession_number, description) | emptied
        await _fill(tx, app, held.id, held.study_instance_uid, arrivals[0], said)
    return Place(held.id, held.study_instance_uid, held.status, said, False, held)


async def in_new_study(tx: Transaction, app: App, repair: Repair, arrivals: Sequence[Arrival]) -> Place:
    """A study of their own, of the patient whom they name."""
    study_id, uid, first = uuid7(), new_uid(), arrivals[0]
    facts = StudyFacts(first.header, repair.facility_code, app.settings.zone)
    patient = await find_or_register(tx, facts.demographics)
    await copy_queries.insert_study(
        tx, id=study_id, uid=uid, patient_id=patient.id, facility_code=repair.facility_code, service_request=None
    )
    await note_made(tx, repair.id, STUDIES, [study_id])
    await write.record_transition(tx, study_id, from_status=None, to_status="registered", trigger="repair",
                                  actor="system")  # fmt: skip
    await _fill(tx, app, study_id, uid, first, {})
    return Place(study_id, uid, "registered", {}, True)


async def become_instances(
    tx: Transaction, app: App, repair: Repair, place: Place, arrivals: Sequence[Arrival]
) -> None:
    """Rows over the objects as they came. Where they go to another study than they name, they get UIDs of their own.

    Raises Conflict where a series or an instance of the same UID is in another place.
    """
    series = await _series_of(tx, app, repair, place, arrivals)
    made: list[str] = []
    for arrival in arrivals:
        named = _is_named(place, arrival)
        own = series[arrival.series_instance_uid]
        row = list(instance_row(place.id, own.id, arrival))
        row[0] = uid = arrival.sop_instance_uid if named else new_uid()
        said = dict(place.attributes)
        if not named:
            said |= {_INSTANCE: _uid(uid), _SERIES: _uid(own.uid), _STUDY: _uid(place.uid)}
        reason = "COERCE" if named else "CORRECT"
        correction = Correction(said, reason, arrival.source.ae_title, app.clock.now()) if said else None
        await queries.insert_instance(tx, row, correction.as_json() if correction else None)
        made.append(uid)
    await note_made(tx, repair.id, INSTANCES, made)


async def _series_of(
    tx: Transaction, app: App, repair: Repair, place: Place, arrivals: Sequence[Arrival]
) -> Mapping[str, _Series]:
    first = {arrival.series_instance_uid: arrival for arrival in reversed(arrivals)}
    known = await queries.series_known(tx, list(first))
    found: dict[str, _Series] = {}
    made: list[UUID] = []
    for uid, arrival in first.items():
        named = _is_named(place, arrival)
        if named and uid in known:
            series_id, study_id = known[uid]
            if study_id != place.id:
                raise Conflict("The series of an object belongs to another study. Split it off as a study of its own.")
            found[uid] = _Series(series_id, uid)
            continue
        own = _Series(uuid7(), uid if named else new_uid())
        columns = series_columns(arrival.header, app.settings.zone)
        dicom = {**columns["dicom"], _SERIES: _uid(own.uid)}
        await queries.insert_series(
            tx, id=own.id, study_id=place.id, columns=columns | {"series_instance_uid": own.uid, "dicom": dicom}
        )
        found[uid] = own
        made.append(own.id)
    await note_made(tx, repair.id, SERIES, made)
    return found


def _is_named(place: Place, arrival: Arrival) -> bool:
    """Whether an object goes where it says that it belongs."""
    return arrival.study_instance_uid == place.uid


async def _fill(tx: Transaction, app: App, study_id: UUID, uid: str, arrival: Arrival, said: Mapping[str, Any]) -> None:
    attributes = {**arrival.header.attributes, **said, _STUDY: _uid(uid)}
    header = Header("", (), attributes, None, None, frozenset())
    facts = StudyFacts(header, arrival.source.facility_code, app.settings.zone)
    await copy_queries.fill(tx, study_id, facts.columns)


def _uid(uid: str) -> dict[str, Any]:
    return {"vr": "UI", "Value": [uid]}
