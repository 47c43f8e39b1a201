"""SQL of how the disk fills."""

from collections.abc import Sequence
from datetime import date

from radiology.kit.db import Transaction
from radiology.retention.forecast_model import Day, Part


async def is_sampled(tx: Transaction, day: date) -> bool:
    """Whether a day has its sample."""
    return await tx.value("SELECT count(*) > 0 FROM storage_days WHERE day = %(day)s", day=day)


async def save(tx: Transaction, sample: Day) -> None:
    """Keep the sample of a day, by facility and by the modality of each study that makes images."""
    await tx.run(
        """
        INSERT INTO storage_days (day, free_bytes, total_bytes, uncompressed_bytes, due_bytes)
        VALUES (%(day)s, %(free)s, %(total)s, %(uncompressed)s, %(due)s)
        ON CONFLICT (day) DO NOTHING
        """,
        day=sample.day,
        free=sample.free_bytes,
        total=sample.total_bytes,
        uncompressed=sample.uncompressed_bytes,
        due=sample.due_bytes,
    )
    await tx.run(
        """
        INSERT INTO storage_samples (day, facility_code, modality, studies, size_bytes)
        SELECT %(day)s, facility_code, modality, count(*), sum(size_bytes)::bigint
        FROM (
            SELECT facility_code, size_bytes, coalesce((
                SELECT min(each)
                FROM unnest(modalities_in_study) AS each
                WHERE each NOT IN ('SR', 'PR', 'KO', 'DOC', 'AU', 'SEG', 'REG')
            ), modalities_in_study[1], '') AS modality
            FROM imaging_studies
            WHERE number_of_instances > 0
        ) AS study
        GROUP BY facility_code, modality
        ON CONFLICT (day, facility_code, modality) DO NOTHING
        """,
        day=sample.day,
    )


async def days(tx: Transaction, *, since: date) -> list[Day]:
    """The samples of the disk since a day, in their order."""
    return await tx.all(
        Day,
        """
        SELECT day, free_bytes, total_bytes, uncompressed_bytes, due_bytes
        FROM storage_days
        WHERE day >= %(since)s
        ORDER BY day
        """,
        since=since,
    )


async def parts(tx: Transaction, *, since: date, facilities: Sequence[str] | None) -> list[Part]:
    """What was stored since a day, of these facilities or of all."""
    return await tx.all(
        Part,
        """
        SELECT day, facility_code, modality, studies, size_bytes
        FROM storage_samples
        WHERE day >= %(since)s
          AND (%(facilities)s::text[] IS NULL OR facility_code = ANY(%(facilities)s))
        ORDER BY day
        """,
        since=since,
        facilities=None if facilities is None else list(facilities),
    )
