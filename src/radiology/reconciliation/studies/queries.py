"""SQL of studies that are being put right."""

from collections.abc import Sequence
from typing import Any, LiteralString
from uuid import UUID

from radiology.access.model import Actor
from radiology.errors import NotFound
from radiology.kit.db import Transaction, as_json
from radiology.reconciliation.studies.model import HeldStudy
from radiology.standards.dicom.identity import PatientIdentity
from radiology.studies.batch import lock_key
from radiology.studies.queries import read, rejection

_HELD: LiteralString = """
    SELECT study.id, study.study_id, study.study_instance_uid, study.facility_code, study.version, study.status,
        study.patient_id, patient.reference AS patient_reference, study.dicom_patient_id, study.issuer_of_patient_id,
        study.patient_name, study.patient_birth_date, study.patient_sex, study.accession_number,
        study.service_request, study.match, study.study_group_id, study.flags, study.number_of_instances,
        (SELECT count(*) FROM radiology_reports AS report
            WHERE report.study_id = study.id AND report.status IN ('registered', 'partial', 'preliminary'))
            AS open_reports,
        (SELECT count(*) FROM radiology_reports AS report
            WHERE report.study_id = study.id AND report.status IN ('final', 'amended', 'corrected', 'appended'))
            AS final_reports
    FROM imaging_studies AS study
    JOIN patients AS patient ON patient.id = study.patient_id
    WHERE """


async def lock_by_uid(tx: Transaction, uids: Sequence[str], also: Sequence[int] = ()) -> list[HeldStudy]:
    """Studies by their UID as they are given, those that exist; locked as the index locks them.

    Also a UID without a study is kept from the index until the transaction ends. `also`: locks of patients, which are
    taken at once with those of studies, so that two cannot wait for each other.
    """
    keys = sorted({*also, *(lock_key(f"study {uid}") for uid in uids)})
    await tx.values("SELECT pg_advisory_xact_lock(key) FROM unnest(%(keys)s::bigint[]) AS key", keys=keys)
    found = await tx.all(
        HeldStudy,
        _HELD + "study.study_instance_uid = ANY(%(uids)s) ORDER BY study.id FOR UPDATE OF study",
        uids=list(uids),
    )
    by_uid = {study.study_instance_uid: study for study in found}
    return [by_uid[uid] for uid in dict.fromkeys(uids) if uid in by_uid]


async def lock(tx: Transaction, *names: str, visible_to: Actor, also: Sequence[int] = ()) -> list[HeldStudy]:
    """Studies by id, studyId or UID, locked together, as they are given. Raises NotFound, SensitiveStudy."""
    ids = [await read.resolve(tx, name, visible_to=visible_to) for name in names]
    uids: list[str] = await tx.value(
        """
        SELECT ARRAY(
            SELECT study_instance_uid
            FROM unnest(%(ids)s::uuid[]) WITH ORDINALITY AS asked (id, place)
            JOIN imaging_studies AS study ON study.id = asked.id
            ORDER BY asked.place
        )
        """,
        ids=ids,
    )
    held = await lock_by_uid(tx, uids, also)
    if len(held) != len(set(uids)):
        raise NotFound("A study is gone. Read again and decide anew.")
    return held


async def count_anew(tx: Transaction, uids: Sequence[str]) -> None:
    """Let counts of series and studies be those of their instances."""
    for uid in uids:
        await tx.run(rejection.COUNT_SERIES, study_instance_uid=uid)
        await tx.run(rejection.COUNT_STUDY, study_instance_uid=uid)


async def confirm(tx: Transaction, study_id: UUID, *, flags: Sequence[str]) -> None:
    """A person has looked: the order, or that there is none, is right, and so is the patient."""
    await tx.run(
        """
        UPDATE imaging_studies
        SET match = CASE WHEN match IS NULL THEN NULL ELSE 'confirmed' END,
            flags = ARRAY(SELECT flag FROM unnest(flags) AS flag WHERE flag <> ALL(%(flags)s)),
            version = version + 1,
            updated_at = now()
        WHERE id = %(study_id)s
        """,
        study_id=study_id,
        flags=list(flags),
    )


async def link(
    tx: Transaction, study_id: UUID, *, service_request: str | None, planned: str | None, match: str | None
) -> None:
    """To which order a study belongs. `planned`: the Study Instance UID of its item, where that is another."""
    await tx.run(
        """
        UPDATE imaging_studies
        SET service_request = %(service_request)s,
            based_on = %(based_on)s,
            planned_study_instance_uid = %(planned)s,
            match = %(match)s,
            version = version + 1,
            updated_at = now()
        WHERE id = %(study_id)s
        """,
        study_id=study_id,
        service_request=service_request,
        based_on=as_json([{"reference": service_request}] if service_request else None),
        planned=planned,
        match=match,
    )


async def items_of_order(tx: Transaction, service_request: str, *, facility_code: str) -> list[UUID]:
    """The worklist items of an order."""
    return await tx.values(
        """
        SELECT id
        FROM scheduled_procedure_steps
        WHERE service_request = %(service_request)s
          AND facility_code = %(facility_code)s
        ORDER BY id
        """,
        service_request=service_request,
        facility_code=facility_code,
    )


async def other_with_images(tx: Transaction, uid: str, *, but: UUID) -> str | None:
    """Another study with images that was made for the item of this Study Instance UID."""
    return await tx.value(
        """
        SELECT study_id
        FROM imaging_studies
        WHERE (study_instance_uid = %(uid)s OR planned_study_instance_uid = %(uid)s)
          AND id <> %(but)s
          AND number_of_instances > 0
          AND status <> 'entered-in-error'
        LIMIT 1
        """,
        uid=uid,
        but=but,
    )


async def items_for(tx: Transaction, study_id: UUID) -> list[UUID]:
    """The worklist items that a study was made for."""
    return await tx.values(
        """
        SELECT item.id
        FROM scheduled_procedure_steps AS item
        JOIN imaging_studies AS study ON item.study_instance_uid = coalesce(
            study.planned_study_instance_uid, study.study_instance_uid)
        WHERE study.id = %(study_id)s
          AND item.facility_code = study.facility_code
        ORDER BY item.id
        """,
        study_id=study_id,
    )


async def repoint(tx: Transaction, study_id: UUID, patient_id: UUID) -> None:
    """Whose study it is."""
    await tx.run(
        "UPDATE imaging_studies SET patient_id = %(patient_id)s WHERE id = %(study_id)s",
        study_id=study_id,
        patient_id=patient_id,
    )


async def stated(tx: Transaction, study_id: UUID, tags: Sequence[str]) -> list[str]:
    """Which of these attributes any object of a study has."""
    return await tx.values(
        """
        SELECT DISTINCT tag
        FROM instances, jsonb_object_keys(convert_from(attributes, 'UTF8')::jsonb) AS tag
        WHERE study_id = %(study_id)s
          AND tag = ANY(%(tags)s)
        """,
        study_id=study_id,
        tags=list(tags),
    )


async def source_of(tx: Transaction, study_id: UUID) -> str:
    """The AE title that the objects of a study came from, empty where it is not known."""
    return (
        await tx.value(
            """
        SELECT source_ae_title
        FROM instances
        WHERE study_id = %(study_id)s
        ORDER BY stored_at, sop_instance_uid
        LIMIT 1
        """,
            study_id=study_id,
        )
        or ""
    )


async def view(tx: Transaction, study_id: UUID) -> dict[str, Any]:
    """How a study is searched and what stands in front of the headers of its objects: one for each series."""
    return await tx.value(
        """
        SELECT jsonb_build_object('answer', study.answer::jsonb, 'headers', (
            SELECT coalesce(jsonb_agg(jsonb_build_object(
                'uid', first.sop_instance_uid,
                'attributes', convert_from(first.attributes, 'UTF8')::jsonb,
                'corrections', CASE WHEN first.corrections IS NOT NULL OR study.corrections IS NOT NULL
                    THEN jsonb_build_array(first.corrections, study.corrections) END
            ) ORDER BY first.sop_instance_uid), '[]')
            FROM (
                SELECT DISTINCT ON (series_id) sop_instance_uid, attributes, corrections
                FROM instances
                WHERE instances.study_id = study.id
                ORDER BY series_id, instance_number NULLS LAST, sop_instance_uid
            ) AS first
        ))
        FROM imaging_studies AS study
        WHERE study.id = %(study_id)s
        """,
        study_id=study_id,
    )


async def identity_of(tx: Transaction, study_id: UUID) -> PatientIdentity:
    """Whose a study is served as."""
    return await tx.one(
        PatientIdentity,
        """
        SELECT dicom_patient_id AS patient_id, issuer_of_patient_id AS issuer, patient_name AS name,
            patient_birth_date AS birth_date, patient_sex AS sex
        FROM imaging_studies
        WHERE id = %(study_id)s
        """,
        study_id=study_id,
    )


async def served(tx: Transaction, study_id: UUID) -> dict[str, Any]:
    """The attributes of patient and study that are served, in the DICOM JSON model."""
    return await tx.value("SELECT dicom FROM imaging_studies WHERE id = %(study_id)s", study_id=study_id)


async def uid_of(tx: Transaction, study_id: UUID) -> str:
    """The Study Instance UID of a study that was resolved."""
    return await tx.value("SELECT study_instance_uid FROM imaging_studies WHERE id = %(study_id)s", study_id=study_id)


async def uid_for_item(tx: Transaction, planned: str) -> str:
    """The UID of the study that was made for an item: that which was planned, or that under which its images came."""
    return await tx.value(
        """
        SELECT coalesce((
            SELECT study_instance_uid
            FROM imaging_studies
            WHERE planned_study_instance_uid = %(planned)s
            ORDER BY created_at
            LIMIT 1
        ), %(planned)s)
        """,
        planned=planned,
    )


async def description_of(tx: Transaction, study_id: UUID) -> str | None:
    """The description of a study."""
    return await tx.value("SELECT study_description FROM imaging_studies WHERE id = %(study_id)s", study_id=study_id)


async def group(tx: Transaction, ids: Sequence[UUID], group_id: UUID | None) -> None:
    """Let studies be one examination; None: each for itself."""
    await tx.run(
        """
        UPDATE imaging_studies
        SET study_group_id = %(group_id)s,
            version = version + 1,
            updated_at = now()
        WHERE id = ANY(%(ids)s)
          AND study_group_id IS DISTINCT FROM %(group_id)s
        """,
        ids=list(ids),
        group_id=group_id,
    )


async def uids_of_group(tx: Transaction, group_id: UUID) -> list[str]:
    """The studies of an examination."""
    return await tx.values(
        """
        SELECT study_instance_uid
        FROM imaging_studies
        WHERE study_group_id = %(group_id)s
        ORDER BY study_date, study_time, study_instance_uid
        """,
        group_id=group_id,
    )


async def facility_of(tx: Transaction, study_id: UUID) -> str:
    """The facility of a study that was resolved."""
    return await tx.value("SELECT facility_code FROM imaging_studies WHERE id = %(study_id)s", study_id=study_id)
