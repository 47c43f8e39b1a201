"""SQL of viewing."""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from radiology.access.model import Actor
from radiology.kit.db import Transaction, Where
from radiology.studies.queries.retrieve import Target, refusal


@dataclass(frozen=True, slots=True)
class Looked:
    """A study that is looked at."""

    study_instance_uid: str
    findable: bool


async def looked_at(tx: Transaction, study_id: UUID) -> Looked:
    """A study that was resolved."""
    return await tx.one(
        Looked,
        "SELECT study_instance_uid, findable FROM imaging_studies WHERE id = %(study_id)s",
        study_id=study_id,
    )


async def priors_of(tx: Transaction, study_id: UUID, *, limit: int, visible_to: Actor) -> list[str]:
    """Earlier studies of the same patient with a modality in common, newest first."""
    where = Where(["s.findable", "s.id <> read.id", "s.patient_id = read.patient_id"])
    where.add("read.id = {study_id}", study_id=study_id)
    visible_to.reach.add_to(where, "s")
    return await tx.values(
        """
        SELECT s.study_instance_uid
        FROM imaging_studies AS read, imaging_studies AS s
        WHERE s.modalities_in_study && read.modalities_in_study
          AND (s.study_date, coalesce(s.study_time, '00:00')) < (read.study_date, coalesce(read.study_time, '00:00'))
          AND """  # noqa: S608 - literals of ours.
        + where.condition
        + """
        ORDER BY s.study_date DESC, s.study_time DESC NULLS LAST, s.study_instance_uid
        LIMIT %(limit)s
        """,
        limit=limit,
        **where.parameters,
    )


@dataclass(frozen=True, slots=True)
class LightStudy:
    """What the light page says above the pictures."""

    study_instance_uid: str
    patient_name: str
    dicom_patient_id: str
    patient_birth_date: str
    patient_sex: str
    study_date: date | None
    study_description: str


@dataclass(frozen=True, slots=True)
class LightSeries:
    """A series of the light page, and the image of it that is shown first. `attributes` are that image's."""

    series_instance_uid: str
    modality: str
    description: str
    number: int | None
    instances: int
    images: int
    place: int
    sop_instance_uid: str
    sop_class_uid: str
    number_of_frames: int | None
    pixel_rows: int | None
    pixel_columns: int | None
    attributes: bytes


async def light_study(tx: Transaction, study_instance_uid: str, *, visible_to: Actor) -> LightStudy:
    """A study that has images. Raises NotFound."""
    where = _seen(study_instance_uid, visible_to)
    found = await tx.maybe(
        LightStudy,
        """
        SELECT s.study_instance_uid, s.patient_name, s.dicom_patient_id, s.patient_birth_date, s.patient_sex,
            s.study_date, coalesce(s.study_description, '') AS study_description
        FROM imaging_studies AS s
        WHERE """  # noqa: S608 - literals of ours.
        + where.condition,
        **where.parameters,
    )
    if found is None:
        raise await refusal(tx, Target(study_instance_uid), visible_to)
    return found


async def light_series(tx: Transaction, study_instance_uid: str, *, visible_to: Actor) -> list[LightSeries]:
    """The series of a study in their order; of a stack the middle image comes first, of a few images the first."""
    where = _seen(study_instance_uid, visible_to)
    return await tx.all(
        LightSeries,
        """
        SELECT e.series_instance_uid, e.modality, coalesce(e.series_description, '') AS description,
            e.series_number AS number, counted.instances, counted.images, counted.place, shown.sop_instance_uid,
            shown.sop_class_uid, shown.number_of_frames, shown.pixel_rows, shown.pixel_columns, shown.attributes
        FROM imaging_studies AS s
        JOIN imaging_series AS e ON e.study_id = s.id
        CROSS JOIN LATERAL (
            SELECT count(*) AS instances, sum(coalesce(number_of_frames, 1)) AS images,
                CASE WHEN count(*) > 4 THEN count(*) / 2 ELSE 0 END AS place
            FROM instances AS i
            WHERE i.series_id = e.id
        ) AS counted
        CROSS JOIN LATERAL (
            SELECT i.sop_instance_uid, i.sop_class_uid, i.number_of_frames, i.pixel_rows, i.pixel_columns, i.attributes
            FROM instances AS i
            WHERE i.series_id = e.id
            ORDER BY i.instance_number NULLS LAST, i.sop_instance_uid
            OFFSET counted.place
            LIMIT 1
        ) AS shown
        WHERE """  # noqa: S608 - literals of ours.
        + where.condition
        + """
        ORDER BY e.series_number NULLS LAST, e.series_instance_uid
        """,
        **where.parameters,
    )


async def light_images(
    tx: Transaction, study_instance_uid: str, series_instance_uid: str, *, visible_to: Actor
) -> bytes:
    """The images of a series as JSON: pairs of SOP Instance UID and number of frames."""
    where = _seen(study_instance_uid, visible_to)
    where.add("e.series_instance_uid = {series}", series=series_instance_uid)
    return await tx.json(
        """
        SELECT coalesce(json_agg(json_build_array(i.sop_instance_uid, coalesce(i.number_of_frames, 1))
            ORDER BY i.instance_number NULLS LAST, i.sop_instance_uid), '[]')::text
        FROM imaging_studies AS s
        JOIN imaging_series AS e ON e.study_id = s.id
        JOIN instances AS i ON i.series_id = e.id
        WHERE """  # noqa: S608 - literals of ours.
        + where.condition,
        **where.parameters,
    )


def _seen(study_instance_uid: str, visible_to: Actor) -> Where:
    where = Where(["s.findable"])
    where.add("s.study_instance_uid = {uid}", uid=study_instance_uid)
    visible_to.reach.add_to(where, "s")
    return where
