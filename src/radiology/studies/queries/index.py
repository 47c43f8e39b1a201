"""SQL of the index writer: set-based, in one transaction of a thread."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, LiteralString
from uuid import UUID

from radiology.kit.db import WriterTransaction, as_json
from radiology.standards.dicom.identity import PatientIdentity

COPY_INSTANCES: LiteralString = """
    COPY instances (sop_instance_uid, series_id, study_id, sop_class_uid, transfer_syntax_uid, instance_number,
        number_of_frames, pixel_rows, pixel_columns, bits_allocated, object_key, size_bytes, data_set_offset,
        pixel_data_offset, pixel_data_length, data_set_sha256, flags, source_ae_title, stored_at, attributes)
    FROM STDIN (FORMAT binary)
"""
INSTANCE_TYPES = (
    "text", "uuid", "uuid", "text", "text", "int4",
    "int4", "int4", "int4", "int4", "text", "int8", "int4",
    "int8", "int8", "bytea", "text[]", "text", "timestamptz", "bytea",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class KnownStudy:
    """A study that is in the index already."""

    id: UUID
    study_instance_uid: str
    status: str
    facility_code: str
    number_of_instances: int
    dicom_patient_id: str
    issuer_of_patient_id: str
    patient_name: str
    patient_birth_date: str
    patient_sex: str
    study_id: str
    planned_study_instance_uid: str | None
    patient_id: UUID
    accession_number: str | None = None
    study_description: str | None = None
    corrections: dict[str, Any] | None = None

    @property
    def identity(self) -> PatientIdentity:
        """Whose study it is."""
        return PatientIdentity(
            patient_id=self.dicom_patient_id,
            issuer=self.issuer_of_patient_id,
            name=self.patient_name,
            birth_date=self.patient_birth_date,
            sex=self.patient_sex,
        )


@dataclass(frozen=True, slots=True)
class KnownSeries:
    """A series that is in the index already."""

    id: UUID
    study_id: UUID
    series_instance_uid: str


@dataclass(frozen=True, slots=True)
class FilledSeries:
    """A series that has instances now and had none: it is new, or its instances had been rejected or moved away."""

    study_id: UUID
    modality: str


@dataclass(frozen=True, slots=True)
class KnownInstance:
    """An instance that is in the index already."""

    sop_instance_uid: str
    series_id: UUID
    study_id: UUID
    object_key: str
    data_set_sha256: bytes


@dataclass(slots=True)
class Growth:
    """What a batch adds to one study."""

    instances: int = 0
    series: int = 0
    size_bytes: int = 0


def lock(tx: WriterTransaction, keys: Sequence[int]) -> None:
    """Hold these keys until the transaction ends. Sorted keys, so that two batches cannot wait for each other."""
    tx.values("SELECT pg_advisory_xact_lock(key) FROM unnest(%(keys)s::bigint[]) AS key", keys=sorted(keys))


def known_studies(tx: WriterTransaction, uids: Sequence[str]) -> dict[str, KnownStudy]:
    """Studies by their UID."""
    rows = tx.all(
        KnownStudy,
        """
        SELECT id, study_instance_uid, status, facility_code, number_of_instances, dicom_patient_id,
            issuer_of_patient_id, patient_name, patient_birth_date, patient_sex, study_id, planned_study_instance_uid,
            patient_id, accession_number, study_description, corrections
        FROM imaging_studies
        WHERE study_instance_uid = ANY(%(uids)s)
        """,
        uids=list(uids),
    )
    return {row.study_instance_uid: row for row in rows}


def known_series(tx: WriterTransaction, uids: Sequence[str]) -> dict[str, KnownSeries]:
    """Series by their UID."""
    rows = tx.all(
        KnownSeries,
        """
        SELECT id, study_id, series_instance_uid
        FROM imaging_series
        WHERE series_instance_uid = ANY(%(uids)s)
        """,
        uids=list(uids),
    )
    return {row.series_instance_uid: row for row in rows}


def known_instances(tx: WriterTransaction, uids: Sequence[str]) -> dict[str, KnownInstance]:
    """Instances by their UID."""
    rows = tx.all(
        KnownInstance,
        """
        SELECT sop_instance_uid, series_id, study_id, object_key, data_set_sha256
        FROM instances
        WHERE sop_instance_uid = ANY(%(uids)s)
        """,
        uids=list(uids),
    )
    return {row.sop_instance_uid: row for row in rows}


def insert_study(tx: WriterTransaction, *, id: UUID, patient_id: UUID, columns: dict[str, Any]) -> str:
    """Add a study that its first object made known. Returns its short id."""
    return tx.value(
        """
        INSERT INTO imaging_studies (id, patient_id, facility_code, status, study_instance_uid, study_date, study_time,
            started, accession_number, study_description, dicom_study_id, referring_physician_search, procedure_codes,
            dicom, dicom_patient_id, issuer_of_patient_id, patient_name, patient_name_search, patient_birth_date,
            patient_sex, match, service_request, planned_study_instance_uid, corrections)
        VALUES (%(id)s, %(patient_id)s, %(facility_code)s, 'in-progress', %(study_instance_uid)s, %(study_date)s,
            %(study_time)s, %(started)s, %(accession_number)s, %(study_description)s, %(dicom_study_id)s,
            %(referring_physician_search)s, %(procedure_codes)s, %(dicom)s, %(dicom_patient_id)s,
            %(issuer_of_patient_id)s, %(patient_name)s, %(patient_name_search)s, %(patient_birth_date)s,
            %(patient_sex)s, %(match)s, %(service_request)s, %(planned_study_instance_uid)s, %(corrections)s)
        RETURNING study_id
        """,
        id=id,
        patient_id=patient_id,
        **{**columns, "dicom": as_json(columns["dicom"]), "corrections": as_json(columns["corrections"])},
    )


def fill_study(
    tx: WriterTransaction, *, id: UUID, columns: dict[str, Any], match: str, service_request: str | None
) -> None:
    """Give a study that was registered before its first object what is served of it; what was given stays."""
    tx.run(
        """
        UPDATE imaging_studies
        SET study_date = %(study_date)s,
            study_time = %(study_time)s,
            started = coalesce(started, %(started)s),
            accession_number = coalesce(accession_number, %(accession_number)s),
            study_description = coalesce(study_description, %(study_description)s),
            dicom_study_id = %(dicom_study_id)s,
            referring_physician_search = %(referring_physician_search)s,
            procedure_codes = CASE
                WHEN procedure_codes = '{}' THEN %(procedure_codes)s::text[]
                ELSE procedure_codes
            END,
            dicom = %(dicom)s,
            dicom_patient_id = %(dicom_patient_id)s,
            issuer_of_patient_id = %(issuer_of_patient_id)s,
            patient_name = %(patient_name)s,
            patient_name_search = %(patient_name_search)s,
            patient_birth_date = %(patient_birth_date)s,
            patient_sex = %(patient_sex)s,
            corrections = %(corrections)s,
            match = coalesce(match, %(match)s),
            service_request = coalesce(service_request, %(service_request)s)
        WHERE id = %(id)s
        """,
        id=id,
        match=match,
        service_request=service_request,
        **{**columns, "dicom": as_json(columns["dicom"]), "corrections": as_json(columns["corrections"])},
    )


def insert_series(tx: WriterTransaction, *, id: UUID, study_id: UUID, columns: dict[str, Any]) -> None:
    """Add a series."""
    tx.run(
        """
        INSERT INTO imaging_series (id, study_id, series_instance_uid, modality, series_description, series_number,
            laterality, protocol_name, started, body_site, dicom, sensitivity_evidence)
        VALUES (%(id)s, %(study_id)s, %(series_instance_uid)s, %(modality)s, %(series_description)s, %(series_number)s,
            %(laterality)s, %(protocol_name)s, %(started)s, %(body_site)s, %(dicom)s, %(sensitivity_evidence)s)
        """,
        id=id,
        study_id=study_id,
        **{**columns, **{name: as_json(columns[name]) for name in ("dicom", "body_site", "sensitivity_evidence")}},
    )


def insert_instances(tx: WriterTransaction, rows: Iterable[Sequence[Any]]) -> None:
    """Add instances in one COPY."""
    tx.copy_in(COPY_INSTANCES, INSTANCE_TYPES, rows)


def grow_series(tx: WriterTransaction, added: dict[UUID, int]) -> list[FilledSeries]:
    """Count new instances into their series. Returns those that had none."""
    return tx.all(
        FilledSeries,
        """
        WITH grown AS (
            UPDATE imaging_series
            SET number_of_instances = number_of_instances + added.instances,
                updated_at = now()
            FROM unnest(%(ids)s::uuid[], %(instances)s::integer[]) AS added (id, instances)
            WHERE imaging_series.id = added.id
            RETURNING imaging_series.study_id, imaging_series.modality,
                imaging_series.number_of_instances = added.instances AS is_filled
        )
        SELECT study_id, modality
        FROM grown
        WHERE is_filled
        """,
        ids=list(added),
        instances=list(added.values()),
    )


def grow_study(
    tx: WriterTransaction,
    id: UUID,
    growth: Growth,
    *,
    at: datetime,
    modalities: Sequence[str],
    flags: Sequence[str],
) -> int:
    """Count a batch into its study and let it be in progress. Returns the number of instances it has now."""
    return tx.value(
        """
        UPDATE imaging_studies
        SET number_of_instances = number_of_instances + %(instances)s,
            number_of_series = number_of_series + %(series)s,
            size_bytes = size_bytes + %(size_bytes)s,
            last_instance_at = %(at)s,
            modalities_in_study = ARRAY(
                SELECT DISTINCT each FROM unnest(modalities_in_study || %(modalities)s) AS each ORDER BY each
            ),
            flags = ARRAY(SELECT DISTINCT flag FROM unnest(flags || %(flags)s) AS flag ORDER BY flag),
            status = CASE WHEN status IN ('entered-in-error', 'unknown') THEN status ELSE 'in-progress' END,
            version = version + 1,
            updated_at = now()
        WHERE id = %(id)s
        RETURNING number_of_instances
        """,
        id=id,
        instances=growth.instances,
        series=growth.series,
        size_bytes=growth.size_bytes,
        at=at,
        modalities=list(modalities),
        flags=list(flags),
    )


def record_transition(
    tx: WriterTransaction, study_id: UUID, *, from_status: str | None, to_status: str, trigger: str, actor: str
) -> None:
    """Keep who moved a study, and why."""
    tx.run(
        """
        INSERT INTO study_transitions (study_id, from_status, to_status, trigger, actor)
        VALUES (%(study_id)s, %(from_status)s, %(to_status)s, %(trigger)s, %(actor)s)
        """,
        study_id=study_id,
        from_status=from_status,
        to_status=to_status,
        trigger=trigger,
        actor=actor,
    )


def insert_quarantined(tx: WriterTransaction, **columns: Any) -> bool:
    """Hold an object back. Returns whether it was not held already."""
    return bool(
        tx.run(
            """
            INSERT INTO quarantine (id, reason, detail, object_key, size_bytes, study_instance_uid, series_instance_uid,
                sop_instance_uid, data_set_sha256, source_ae_title, facility_code, received_at)
            VALUES (%(id)s, %(reason)s, %(detail)s, %(object_key)s, %(size_bytes)s, %(study_instance_uid)s,
                %(series_instance_uid)s, %(sop_instance_uid)s, %(data_set_sha256)s, %(source_ae_title)s,
                %(facility_code)s, %(received_at)s)
            ON CONFLICT (object_key) DO NOTHING
            """,
            **columns,
        )
    )
