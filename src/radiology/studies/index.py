"""Put arrivals into the index: one transaction for all that came together.

Studies are taken one after the other (advisory locks), so fifty associations that bring one new study make one study,
one row per series and the exact count. What only the index can decide is decided here: an object that is there already
is left out, one with the same UID and other content, of another patient, or of a series that belongs to another study
is held in quarantine until a person has decided. Nothing acknowledged is lost by any of this.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import UUID

from radiology import events
from radiology.errors import Conflict, Unavailable
from radiology.kit import clock, metrics
from radiology.kit.db import Writer, WriterTransaction
from radiology.kit.ids import uuid7
from radiology.kit.log import get_logger
from radiology.kit.objects import LocalObjects
from radiology.sensitivity.labelling import label_in_batch
from radiology.settings import Settings
from radiology.standards.dicom.header import Header
from radiology.studies import facts
from radiology.studies.actions.reject import reject_by_key_objects
from radiology.studies.batch import Batch, lock_key, study_event
from radiology.studies.find_or_create import is_patient_of, look_for_orders, study_of
from radiology.studies.model import steps_to_progress
from radiology.studies.queries import index as queries
from radiology.studies.queries import rejection
from radiology.studies.queries.index import KnownInstance, KnownSeries, KnownStudy
from radiology.studies.receive import Arrival
from radiology.studies.rejection import Title, rejection_note
from radiology.studies.revising import Revision, revise

RACES_TRIED_AGAIN = 3

log = get_logger()


@dataclass(frozen=True, slots=True)
class Stored:
    """What became of one arrival."""

    study_id: UUID | None
    study_number: str
    series_id: UUID | None
    new_study: bool = False
    new_series: bool = False
    duplicate: bool = False
    quarantined: str | None = None


class StudyIndex:
    """Writes batches of arrivals; used by one thread."""

    def __init__(self, settings: Settings, objects: LocalObjects) -> None:
        self._writer = Writer(settings.database_dsn, asynchronous_commit=True)
        self._objects = objects
        self._zone = settings.zone

    def write(self, arrivals: Sequence[Arrival]) -> list[Stored | Exception]:
        """Index a batch, an outcome for each. Raises Unavailable where the database cannot be reached.

        Where the batch as a whole is refused it is halved, until what spoils it is found and held in quarantine.
        """
        try:
            return self._write_together(arrivals)
        except Unavailable:
            raise
        except Exception as error:  # One bad object must not keep the others out, nor be lost.
            if len(arrivals) == 1:
                return [self._hold_unindexable(arrivals[0], error)]
            half = len(arrivals) // 2
            return [*self.write(arrivals[:half]), *self.write(arrivals[half:])]

    def close(self) -> None:
        """Give the connection back."""
        self._writer.close()

    def _write_together(self, arrivals: Sequence[Arrival]) -> list[Stored | Exception]:
        for attempt in range(RACES_TRIED_AGAIN):
            try:
                with self._writer.transaction() as tx:
                    batch, outcomes = self._index(tx, arrivals)
            except Conflict:
                # Another process stored the same UID between our look and our write; the next look sees it.
                if attempt == RACES_TRIED_AGAIN - 1:
                    raise
            else:
                _count(batch, arrivals)
                for key in batch.superfluous:
                    self._objects.delete(key)
                return outcomes
        raise AssertionError

    def _index(self, tx: WriterTransaction, arrivals: Sequence[Arrival]) -> tuple[Batch, list[Stored | Exception]]:
        queries.lock(tx, _lock_keys(arrivals))
        batch = Batch(
            tx,
            queries.known_studies(tx, _distinct(arrival.study_instance_uid for arrival in arrivals)),
            queries.known_series(tx, _distinct(arrival.series_instance_uid for arrival in arrivals)),
            queries.known_instances(tx, _distinct(arrival.sop_instance_uid for arrival in arrivals)),
            rejection.rejected_uids(tx, _distinct(arrival.sop_instance_uid for arrival in arrivals)),
        )
        look_for_orders(batch, arrivals, self._zone)
        outcomes: list[Stored | Exception] = [self._place(batch, arrival) for arrival in arrivals]
        _write_down(batch, arrivals)
        batch.told += reject_by_key_objects(tx, batch.placed)
        events.emit_in_batch(tx, batch.told)
        return batch, outcomes

    def _place(self, batch: Batch, arrival: Arrival) -> Stored:
        if known := batch.instances.get(arrival.sop_instance_uid):
            return self._again(batch, arrival, known)
        if title := batch.rejected.get(arrival.sop_instance_uid):
            if title != Title.RETENTION_EXPIRED:
                study = batch.studies.get(arrival.study_instance_uid)
                return _hold(batch, arrival, study, "rejected", "The SOP Instance UID was rejected.")
            rejection.store_anew(batch.tx, arrival.sop_instance_uid)
        study = study_of(batch, arrival, self._zone)
        if study is None or not is_patient_of(batch, study, arrival, self._zone):
            return _hold(batch, arrival, study, "patient_conflict", "The study belongs to another patient.")
        series = batch.series.get(arrival.series_instance_uid)
        if series is not None and series.study_id != study.id:
            return _hold(batch, arrival, study, "series_conflict", "The series belongs to another study.")
        new_series = series is None
        series = series or self._add_series(batch, study, arrival)
        _add_instance(batch, study, series, arrival)
        new_study = study.id in batch.created and batch.growth[study.id].instances == 1
        return Stored(study.id, study.study_id, series.id, new_study, new_series)

    def _again(self, batch: Batch, arrival: Arrival, known: KnownInstance) -> Stored:
        study = batch.studies.get(arrival.study_instance_uid)
        if study is not None and study.id == known.study_id and known.data_set_sha256 == arrival.data_set_sha256:
            if known.object_key != arrival.object_key:
                batch.superfluous.append(arrival.object_key)
            return Stored(known.study_id, study.study_id, known.series_id, duplicate=True)
        if study is not None and self._is_revision(batch, arrival, study, known):
            outcome = revise(batch, arrival, study, self._objects)
            if outcome is not None:
                if outcome == Revision.KNOWN:
                    batch.superfluous.append(arrival.object_key)
                return Stored(known.study_id, study.study_id, known.series_id, duplicate=outcome == Revision.KNOWN)
        detail = "The same SOP Instance UID is stored with other content."
        return _hold(batch, arrival, study, "conflicting_duplicate", detail)

    def _is_revision(self, batch: Batch, arrival: Arrival, study: KnownStudy, known: KnownInstance) -> bool:
        series = batch.series.get(arrival.series_instance_uid)
        same_place = study.id == known.study_id and series is not None and series.id == known.series_id
        return same_place and is_patient_of(batch, study, arrival, self._zone)

    def _add_series(self, batch: Batch, study: KnownStudy, arrival: Arrival) -> KnownSeries:
        columns = facts.series_columns(arrival.header, self._zone)
        series = KnownSeries(uuid7(), study.id, arrival.series_instance_uid)
        queries.insert_series(batch.tx, id=series.id, study_id=study.id, columns=columns)
        batch.series[series.series_instance_uid] = series
        return series

    def _hold_unindexable(self, arrival: Arrival, error: Exception) -> Stored:
        log.error(
            "instance.unindexable",
            sop_instance_uid=arrival.sop_instance_uid,
            error=type(error).__name__,
            exc_info=error,
        )
        with self._writer.transaction() as tx:
            batch = Batch(tx, {}, {}, {})
            stored = _hold(batch, arrival, None, "unindexable", f"The index refused it: {type(error).__name__}.")
            events.emit_in_batch(tx, batch.told)
        return stored


def _count(batch: Batch, arrivals: Sequence[Arrival]) -> None:
    now = clock.now()
    metrics.instances_stored.inc(len(batch.rows))
    metrics.bytes_stored.inc(sum(growth.size_bytes for growth in batch.growth.values()))
    metrics.index_lag_seconds.observe((now - min(arrival.received_at for arrival in arrivals)).total_seconds())


def _add_instance(batch: Batch, study: KnownStudy, series: KnownSeries, arrival: Arrival) -> None:
    uid = arrival.sop_instance_uid
    batch.instances[uid] = KnownInstance(uid, series.id, study.id, arrival.object_key, arrival.data_set_sha256)
    batch.placed.append(arrival)
    batch.rows.append(instance_row(study.id, series.id, arrival))
    batch.series_growth[series.id] += 1
    growth = batch.growth[study.id]
    growth.instances += 1
    growth.size_bytes += arrival.size_bytes


def instance_row(study_id: UUID, series_id: UUID, arrival: Arrival) -> Sequence[Any]:
    """What the index keeps of an object: the values of `queries.COPY_INSTANCES`, in their order."""
    header = arrival.header
    integer = partial(_integer, header)
    return (
        arrival.sop_instance_uid,
        series_id,
        study_id,
        header.text("00080016"),
        header.transfer_syntax_uid,
        integer("00200013"),
        integer("00280008"),
        integer("00280010"),
        integer("00280011"),
        integer("00280100"),
        arrival.object_key,
        arrival.size_bytes,
        arrival.data_set_offset,
        header.pixel_data_offset,
        header.pixel_data_length,
        arrival.data_set_sha256,
        arrival.flags,
        arrival.source.ae_title,
        arrival.received_at,
        header.json(),
    )


def _integer(header: Header, tag: str) -> int | None:
    number = header.number(tag)
    return int(number) if number is not None and abs(number) < 2**31 else None


def _write_down(batch: Batch, arrivals: Sequence[Arrival]) -> None:
    """Everything that was collected, in a handful of statements."""
    if batch.rows:
        queries.insert_instances(batch.tx, batch.rows)
        for filled in queries.grow_series(batch.tx, batch.series_growth):
            batch.growth[filled.study_id].series += 1
            batch.modalities[filled.study_id].add(filled.modality)
    latest = max(arrival.received_at for arrival in arrivals)
    studies = {study.id: study for study in batch.studies.values()}
    for study_id, growth in batch.growth.items():
        study = studies[study_id]
        modalities, flags = sorted(batch.modalities[study_id]), sorted(batch.flags[study_id])
        total = queries.grow_study(batch.tx, study_id, growth, at=latest, modalities=modalities, flags=flags)
        _note_progress(batch, study)
        stored = events.InstancesStored(**study_event(study), instances=growth.instances, number_of_instances=total)
        batch.told.append(stored)
    # What is sensitive about a study is known by its series: an instance more changes nothing.
    if grown := [study_id for study_id, growth in batch.growth.items() if growth.series]:
        batch.told += label_in_batch(batch.tx, grown)


def _note_progress(batch: Batch, study: KnownStudy) -> None:
    """An object has come: the study is in progress again, one that was cancelled by way of `registered`."""
    trigger = "late-instance" if study.number_of_instances else "first-instance"
    for before, after in steps_to_progress(study.status):
        queries.record_transition(
            batch.tx, study.id, from_status=before, to_status=after, trigger=trigger, actor="system"
        )
        changed = events.StudyStatusChanged(**study_event(study), from_status=before, to_status=after, trigger=trigger)
        batch.told.append(changed)


def _hold(batch: Batch, arrival: Arrival, study: KnownStudy | None, reason: str, detail: str) -> Stored:
    held = queries.insert_quarantined(
        batch.tx,
        id=uuid7(),
        reason=reason,
        detail=detail,
        object_key=arrival.object_key,
        size_bytes=arrival.size_bytes,
        study_instance_uid=arrival.study_instance_uid,
        series_instance_uid=arrival.series_instance_uid,
        sop_instance_uid=arrival.sop_instance_uid,
        data_set_sha256=arrival.data_set_sha256,
        source_ae_title=arrival.source.ae_title,
        facility_code=arrival.source.facility_code,
        received_at=arrival.received_at,
    )
    if held:
        quarantined = events.InstanceQuarantined(
            facility_code=arrival.source.facility_code,
            study_id=str(study.id) if study else "",
            study_instance_uid=arrival.study_instance_uid,
            sop_instance_uid=arrival.sop_instance_uid,
            reason=reason,
        )
        batch.told.append(quarantined)
    return Stored(study.id if study else None, study.study_id if study else "", None, quarantined=reason)


def _lock_keys(arrivals: Sequence[Arrival]) -> list[int]:
    names = {f"study {arrival.study_instance_uid}" for arrival in arrivals}
    notes = filter(None, (rejection_note(arrival.header) for arrival in arrivals))
    names |= {f"study {uid}" for note in notes for uid in note.references}
    keys = {lock_key(name) for name in names}
    return list(
        keys.union(*(facts.said_of_patient(each.header, each.source.facility_code).lock_keys for each in arrivals))
    )


def _distinct(uids: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(uids))
