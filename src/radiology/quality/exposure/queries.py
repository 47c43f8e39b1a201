"""SQL of exposure indices. `e` is image_exposures, `study` the study of the image."""
# ruff: noqa: S608 - every piece is a literal and every value a parameter; the type checker proves it by LiteralString.

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from radiology.access.model import Actor
from radiology.kit.db import Transaction, Where
from radiology.quality.schemas import Span


@dataclass(frozen=True, slots=True)
class Deviations:
    """The deviation indices of a machine and projection. images: all of them; told: those with a deviation index."""

    facility_code: str
    ae_title: str
    modality: str
    body_part: str
    view: str
    images: int
    told: int
    within_1: int
    within_3: int
    median: float | None


async def deviations(tx: Transaction, span: Span, *, visible_to: Actor, facility: str | None) -> list[Deviations]:
    """Deviation indices of a span of time by machine and projection; of sensitive studies nobody is told what part."""
    where = Where(["study.status <> 'entered-in-error'"])
    where.add("e.taken_at >= {began}", began=span.began)
    where.add("e.taken_at < {before}", before=span.before)
    visible_to.add_facility(where, "study.facility_code")
    if facility is not None:
        where.add("study.facility_code = {facility}", facility=facility)
    return await tx.all(
        Deviations,
        """
        SELECT study.facility_code, e.ae_title, e.modality, shown.body_part, e.view, count(*) AS images,
            count(e.deviation_index) AS told,
            count(*) FILTER (WHERE abs(e.deviation_index) <= 1) AS within_1,
            count(*) FILTER (WHERE abs(e.deviation_index) <= 3) AS within_3,
            percentile_cont(0.5) WITHIN GROUP (ORDER BY e.deviation_index) AS median
        FROM image_exposures AS e
        JOIN imaging_studies AS study ON study.id = e.study_id
        CROSS JOIN LATERAL (SELECT CASE WHEN study.sensitive THEN '' ELSE e.body_part END AS body_part) AS shown
        WHERE """
        + where.condition
        + """
        GROUP BY study.facility_code, e.ae_title, e.modality, shown.body_part, e.view
        ORDER BY study.facility_code, e.ae_title, e.modality, shown.body_part, e.view
        """,
        **where.parameters,
    )


@dataclass(frozen=True, slots=True)
class Exposed:
    """One image of a study."""

    sop_instance_uid: str
    modality: str
    body_part: str
    laterality: str
    view: str
    taken_at: datetime
    rejected: str
    exposure_index: float | None
    target_exposure_index: float | None
    deviation_index: float | None


async def of_study(tx: Transaction, study_id: UUID) -> list[Exposed]:
    """The images of a study that was resolved, in the order in which they were taken."""
    return await tx.all(
        Exposed,
        """
        SELECT sop_instance_uid, modality, body_part, laterality, view, taken_at, rejected, exposure_index,
            target_exposure_index, deviation_index
        FROM image_exposures
        WHERE study_id = %(study_id)s
        ORDER BY taken_at, sop_instance_uid
        """,
        study_id=study_id,
    )


async def last_of(tx: Transaction, ae_title: str, *, visible_to: Actor, limit: int) -> list[Exposed]:
    """The newest images of a machine that the reader may see."""
    where = Where(["e.deviation_index IS NOT NULL"])
    where.add("e.ae_title = {title}", title=ae_title)
    visible_to.staff_reach.add_to(where, "study")
    return await tx.all(
        Exposed,
        """
        SELECT e.sop_instance_uid, e.modality, e.body_part, e.laterality, e.view, e.taken_at, e.rejected,
            e.exposure_index, e.target_exposure_index, e.deviation_index
        FROM image_exposures AS e
        JOIN imaging_studies AS study ON study.id = e.study_id
        WHERE """
        + where.condition
        + """
        ORDER BY e.taken_at DESC, e.sop_instance_uid
        LIMIT %(limit)s
        """,
        limit=limit,
        **where.parameters,
    )
