"""SQL of viewing."""

from dataclasses import dataclass
from uuid import UUID

from radiology.access.model import Actor
from radiology.kit.db import Transaction, Where


@dataclass(frozen=True, slots=True)
class Looked:
    """A study that is looked at."""

    study_instance_uid: str
    facility_code: str
    findable: bool


async def looked_at(tx: Transaction, study_id: UUID) -> Looked:
    """A study that was resolved."""
    return await tx.one(
        Looked,
        "SELECT study_instance_uid, facility_code, findable FROM imaging_studies WHERE id = %(study_id)s",
        study_id=study_id,
    )


async def priors_of(tx: Transaction, study_id: UUID, *, limit: int, visible_to: Actor) -> list[str]:
    """Earlier studies of the same patient with a modality in common, newest first."""
    where = Where(["s.findable", "s.id <> read.id", "s.patient_id = read.patient_id"])
    where.add("read.id = {study_id}", study_id=study_id)
    visible_to.reach.add_to(where, facility="s.facility_code", study="s.study_instance_uid")
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
