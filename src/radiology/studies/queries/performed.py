"""SQL that follows performed procedure steps: the study that one is about."""

from uuid import UUID

from radiology.kit.db import Transaction


async def study_of(tx: Transaction, study_instance_uid: str, *, facility_code: str) -> UUID | None:
    """The study of a UID, if it is the facility's."""
    return await tx.value(
        """
        SELECT id
        FROM imaging_studies
        WHERE study_instance_uid = %(uid)s
          AND facility_code = %(facility_code)s
        """,
        uid=study_instance_uid,
        facility_code=facility_code,
    )


async def add_flag(tx: Transaction, study_id: UUID, flag: str) -> None:
    """Mark a study that is locked."""
    await tx.run(
        """
        UPDATE imaging_studies
        SET flags = array_append(flags, %(flag)s)
        WHERE id = %(study_id)s
          AND NOT %(flag)s = ANY(flags)
        """,
        study_id=study_id,
        flag=flag,
    )
