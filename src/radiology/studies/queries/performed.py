"""SQL that follows performed procedure steps: the study that one is about."""

from uuid import UUID

from radiology.kit.db import Transaction


async def study_of(tx: Transaction, study_instance_uid: str, *, facility_code: str) -> UUID | None:
    """The study of a UID, or of what was scheduled under it, if it is the facility's."""
    return await tx.value(
        """
        SELECT id
        FROM imaging_studies
        WHERE (study_instance_uid = %(uid)s OR planned_study_instance_uid = %(uid)s)
          AND facility_code = %(facility_code)s
        ORDER BY study_instance_uid = %(uid)s DESC, created_at
        LIMIT 1
        """,
        uid=study_instance_uid,
        facility_code=facility_code,
    )


async def detach(tx: Transaction, study_id: UUID, *, flag: str) -> None:
    """Take a study that is locked from its order, and mark why."""
    await tx.run(
        """
        UPDATE imaging_studies
        SET service_request = NULL,
            based_on = NULL,
            match = 'none',
            flags = ARRAY(SELECT DISTINCT each FROM unnest(flags || %(flag)s::text) AS each ORDER BY each),
            version = version + 1,
            updated_at = now()
        WHERE id = %(study_id)s
        """,
        study_id=study_id,
        flag=flag,
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


async def remove_flag(tx: Transaction, study_id: UUID, flag: str) -> bool:
    """Take a mark from a study that is locked; False where it had none."""
    return bool(
        await tx.run(
            """
            UPDATE imaging_studies
            SET flags = array_remove(flags, %(flag)s),
                version = version + 1,
                updated_at = now()
            WHERE id = %(study_id)s
              AND %(flag)s = ANY(flags)
            """,
            study_id=study_id,
            flag=flag,
        )
    )
