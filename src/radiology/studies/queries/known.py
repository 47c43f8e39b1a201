"""Whether there is something by a name, seen by whomever: for the audit trail, never for an answer."""

from radiology.kit.db import Transaction
from radiology.kit.ids import uuid_of


async def is_known(tx: Transaction, name: str) -> bool:
    """Whether a study or a report goes by this id, Study Instance UID, studyId or reportId."""
    return await tx.value(
        """
        SELECT EXISTS (
            SELECT FROM imaging_studies WHERE study_instance_uid = %(name)s
            UNION ALL SELECT FROM imaging_studies WHERE id = %(id)s
            UNION ALL SELECT FROM imaging_studies WHERE study_id = %(name)s
            UNION ALL SELECT FROM radiology_reports WHERE id = %(id)s
            UNION ALL SELECT FROM radiology_reports WHERE report_id = %(name)s
        )
        """,
        name=name,
        id=uuid_of(name),
    )
