"""SQL of notices of availability."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from radiology.kit.db import Transaction


@dataclass(frozen=True, slots=True)
class Notice:
    """One notice to one peer: of a whole study, or of the instances of a rejection."""

    id: UUID
    sop_instance_uid: str
    ae_title: str
    study_instance_uid: str
    rejection_id: UUID | None
    state: str
    attempts: int
    caused_at: datetime


@dataclass(frozen=True, slots=True)
class Availability:
    """One instance and its Instance Availability (0008,0056)."""

    series_instance_uid: str
    sop_class_uid: str
    sop_instance_uid: str
    availability: str


async def to_be_told(tx: Transaction, facility_code: str | None) -> list[str]:
    """AE titles of those that are told of the studies of a facility."""
    return await tx.values(
        """
        SELECT ae_title
        FROM application_entities
        WHERE 'ian' = ANY(services)
          AND enabled
          AND (facility_code IS NULL OR %(facility_code)s::text IS NULL OR facility_code = %(facility_code)s)
        ORDER BY ae_title
        """,
        facility_code=facility_code,
    )


async def insert(tx: Transaction, notice: Notice) -> None:
    """A notice that is to be sent."""
    await tx.run(
        """
        INSERT INTO availability_notices (id, sop_instance_uid, ae_title, study_instance_uid, rejection_id, caused_at)
        VALUES (%(id)s, %(sop_instance_uid)s, %(ae_title)s, %(study_instance_uid)s, %(rejection_id)s, %(caused_at)s)
        """,
        id=notice.id,
        sop_instance_uid=notice.sop_instance_uid,
        ae_title=notice.ae_title,
        study_instance_uid=notice.study_instance_uid,
        rejection_id=notice.rejection_id,
        caused_at=notice.caused_at,
    )


async def find(tx: Transaction, id: UUID) -> Notice | None:
    """A notice, None where there is none."""
    return await tx.maybe(
        Notice,
        """
        SELECT id, sop_instance_uid, ae_title, study_instance_uid, rejection_id, state, attempts, caused_at
        FROM availability_notices
        WHERE id = %(id)s
        """,
        id=id,
    )


async def contents(tx: Transaction, notice: Notice) -> list[Availability]:
    """What the notice tells, as it is now: a notice that comes late tells no old state."""
    return await tx.all(
        Availability,
        """
        SELECT series.series_instance_uid, stored.sop_class_uid, stored.sop_instance_uid, 'ONLINE' AS availability
        FROM imaging_studies AS study
        JOIN imaging_series AS series ON series.study_id = study.id
        JOIN instances AS stored ON stored.series_id = series.id
        WHERE study.study_instance_uid = %(study)s
          AND (%(rejection)s::uuid IS NULL OR stored.sop_instance_uid IN (
              SELECT sop_instance_uid FROM rejection_references WHERE rejection_id = %(rejection)s
          ))
        UNION ALL
        SELECT series.series_instance_uid, hidden.sop_class_uid, hidden.sop_instance_uid, 'UNAVAILABLE'
        FROM rejected_instances AS hidden
        JOIN imaging_series AS series ON series.id = hidden.series_id
        JOIN rejections AS rejection ON rejection.id = hidden.rejection_id
        WHERE hidden.rejection_id = %(rejection)s
          AND hidden.sop_instance_uid IS DISTINCT FROM rejection.key_object_uid
        ORDER BY 1, 3
        """,
        study=notice.study_instance_uid,
        rejection=notice.rejection_id,
    )


async def change(tx: Transaction, id: UUID, *, state: str, sentence: str, at: datetime) -> None:
    """An attempt was made; the sentence says why it did not succeed."""
    await tx.run(
        """
        UPDATE availability_notices
        SET state = %(state)s, sentence = %(sentence)s, attempts = attempts + 1, changed_at = %(at)s
        WHERE id = %(id)s
        """,
        id=id,
        state=state,
        sentence=sentence,
        at=at,
    )
