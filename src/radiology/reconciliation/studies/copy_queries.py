"""SQL of copies: rows with UIDs of their own over the objects that there are. No bytes are copied."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from radiology.errors import NotFound
from radiology.kit.db import Transaction, as_json
from radiology.reconciliation.studies.copying import Chosen, Copies


async def chosen(
    tx: Transaction, study_id: UUID, *, series: Sequence[str], instances: Sequence[str]
) -> tuple[list[Chosen], bool]:
    """The instances of some series and these, all where neither is named; and whether that is the whole study.

    Raises NotFound where one is not there.
    """
    found = await tx.all(
        Chosen,
        """
        SELECT instances.sop_instance_uid, instances.series_id
        FROM instances
        JOIN imaging_series AS series ON series.id = instances.series_id
        WHERE instances.study_id = %(study_id)s
          AND (%(all)s OR series.series_instance_uid = ANY(%(series)s)
            OR instances.sop_instance_uid = ANY(%(instances)s))
        ORDER BY instances.sop_instance_uid
        """,
        study_id=study_id,
        all=not series and not instances,
        series=list(series),
        instances=list(instances),
    )
    there: int = await tx.value("SELECT count(*) FROM instances WHERE study_id = %(study_id)s", study_id=study_id)
    named: int = await tx.value(
        """
        SELECT count(*)
        FROM imaging_series
        WHERE study_id = %(study_id)s
          AND number_of_instances > 0
          AND series_instance_uid = ANY(%(series)s)
        """,
        study_id=study_id,
        series=list(series),
    )
    if not found or set(instances) - {one.sop_instance_uid for one in found} or named != len(set(series)):
        raise NotFound("The study has no such images. Name series and instances that it has.")
    return found, len(found) == there


async def insert_study(
    tx: Transaction, *, id: UUID, uid: str, patient_id: UUID, facility_code: str, service_request: str | None
) -> None:
    """A study that a repair makes; `fill` says the rest."""
    await tx.run(
        """
        INSERT INTO imaging_studies (id, study_instance_uid, patient_id, facility_code, status, service_request, match)
        VALUES (%(id)s, %(uid)s, %(patient_id)s, %(facility_code)s, 'registered', %(service_request)s, 'confirmed')
        """,
        id=id,
        uid=uid,
        patient_id=patient_id,
        facility_code=facility_code,
        service_request=service_request,
    )


async def fill(tx: Transaction, study_id: UUID, columns: dict[str, Any]) -> None:
    """What is served of a study that had no images. `columns` holds every parameter below but the last."""
    await tx.run(
        """
        UPDATE imaging_studies
        SET study_date = %(study_date)s,
            study_time = %(study_time)s,
            started = coalesce(started, %(started)s),
            accession_number = %(accession_number)s,
            study_description = %(study_description)s,
            dicom_study_id = %(dicom_study_id)s,
            referring_physician_search = %(referring_physician_search)s,
            procedure_codes = %(procedure_codes)s,
            dicom = %(dicom)s,
            dicom_patient_id = %(dicom_patient_id)s,
            issuer_of_patient_id = %(issuer_of_patient_id)s,
            patient_name = %(patient_name)s,
            patient_name_search = %(patient_name_search)s,
            patient_birth_date = %(patient_birth_date)s,
            patient_sex = %(patient_sex)s,
            match = 'confirmed'
        WHERE id = %(study_id)s
        """,
        study_id=study_id,
        **{**columns, "dicom": as_json(columns["dicom"])},
    )


async def receive(tx: Transaction, study_id: UUID, *, status: str, at: datetime) -> None:
    """A study has images now."""
    await tx.run(
        """
        UPDATE imaging_studies
        SET status = %(status)s::text,
            completed = CASE WHEN %(status)s::text = 'completed' THEN coalesce(completed, %(at)s) ELSE completed END,
            last_instance_at = %(at)s
        WHERE id = %(study_id)s
        """,
        study_id=study_id,
        status=status,
        at=at,
    )


async def copy_series(tx: Transaction, copies: Copies, study_id: UUID) -> None:
    """Series of copies, in another study."""
    await tx.run(
        """
        INSERT INTO imaging_series (id, study_id, series_instance_uid, modality, series_description, series_number,
            body_site, laterality, started, performer, instance, protocol_name, acquisition_parameters, dicom,
            sensitivity_evidence)
        SELECT copy.id, %(study_id)s, copy.uid, made.modality, made.series_description, made.series_number,
            made.body_site, made.laterality, made.started, made.performer, made.instance, made.protocol_name,
            made.acquisition_parameters, made.dicom || jsonb_build_object('0020000E',
                jsonb_build_object('vr', 'UI', 'Value', jsonb_build_array(copy.uid))), made.sensitivity_evidence
        FROM unnest(%(series)s::uuid[], %(new_series)s::uuid[], %(new_series_uids)s::text[]) AS copy (old, id, uid)
        JOIN imaging_series AS made ON made.id = copy.old
        """,
        study_id=study_id,
        series=list(copies.series),
        new_series=list(copies.new_series),
        new_series_uids=list(copies.new_series_uids),
    )


async def copy_instances(
    tx: Transaction, copies: Copies, study_id: UUID, uid: str, attributes: dict[str, Any], *, at: datetime
) -> None:
    """Copies that lie in their new series, each with its UIDs and these attributes instead of what its object says.

    Presentation states, segmentations, SR and key objects refer to the new UIDs of what is copied with them.
    """
    await tx.run(
        """
        INSERT INTO instances (sop_instance_uid, series_id, study_id, sop_class_uid, transfer_syntax_uid,
            instance_number, number_of_frames, pixel_rows, pixel_columns, bits_allocated, object_key, size_bytes,
            data_set_offset, pixel_data_offset, pixel_data_length, data_set_sha256, original_transfer_syntax_uid,
            original_pixel_data_head, object_sha256, flags, source_ae_title, stored_at, attributes, corrections)
        SELECT copy.uid, series.id, %(study_id)s, made.sop_class_uid, made.transfer_syntax_uid, made.instance_number,
            made.number_of_frames, made.pixel_rows, made.pixel_columns, made.bits_allocated, made.object_key,
            made.size_bytes, made.data_set_offset, made.pixel_data_offset, made.pixel_data_length,
            made.data_set_sha256, made.original_transfer_syntax_uid, made.original_pixel_data_head,
            made.object_sha256, made.flags, made.source_ae_title, made.stored_at, made.attributes,
            jsonb_build_object('reason', 'CORRECT', 'source', made.source_ae_title, 'at', %(at)s::text,
                'replaced', '{}'::jsonb, 'attributes', coalesce(made.corrections->'attributes', '{}')
                || %(attributes)s::jsonb || jsonb_build_object(
                    '00080018', jsonb_build_object('vr', 'UI', 'Value', jsonb_build_array(copy.uid)),
                    '0020000D', jsonb_build_object('vr', 'UI', 'Value', jsonb_build_array(%(uid)s::text)),
                    '0020000E', jsonb_build_object('vr', 'UI', 'Value', jsonb_build_array(series.uid))))
                || CASE WHEN made.sop_class_uid ~ '^1[.]2[.]840[.]10008[.]5[.]1[.]4[.]1[.]1[.](11|66|88)[.]'
                    THEN jsonb_build_object('renamed', coalesce(made.corrections->'renamed', '[]')
                        || jsonb_build_array(renamed.uids))
                    ELSE '{}' END
        FROM unnest(%(instances)s::text[], %(new_instances)s::text[]) AS copy (old, uid)
        JOIN instances AS made ON made.sop_instance_uid = copy.old
        JOIN unnest(%(series)s::uuid[], %(new_series)s::uuid[], %(new_series_uids)s::text[]) AS series (old, id, uid)
            ON series.old = made.series_id
        CROSS JOIN (
            SELECT jsonb_object_agg(pair.old, pair.uid) AS uids
            FROM (
                SELECT unnest(%(instances)s::text[]), unnest(%(new_instances)s::text[])
                UNION
                SELECT source.series_instance_uid, new.uid
                FROM unnest(%(series)s::uuid[], %(new_series_uids)s::text[]) AS new (id, uid)
                JOIN imaging_series AS source ON source.id = new.id
                UNION
                SELECT DISTINCT study.study_instance_uid, %(uid)s::text
                FROM instances AS moved
                JOIN imaging_studies AS study ON study.id = moved.study_id
                WHERE moved.sop_instance_uid = ANY(%(instances)s)
            ) AS pair (old, uid)
        ) AS renamed
        """,
        study_id=study_id,
        uid=uid,
        at=at.isoformat(),
        attributes=as_json(attributes),
        instances=list(copies.instances),
        new_instances=list(copies.new_instances),
        series=list(copies.series),
        new_series=list(copies.new_series),
        new_series_uids=list(copies.new_series_uids),
    )


async def corrections_of(tx: Transaction, study_id: UUID) -> dict[str, Any]:
    """The attributes that are served instead of what all objects of a study say."""
    found = await tx.value(
        "SELECT corrections->'attributes' FROM imaging_studies WHERE id = %(study_id)s", study_id=study_id
    )
    return found or {}
